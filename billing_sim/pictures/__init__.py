"""Pictures of a run: one question each, with the finding as its title.

>>> from billing_sim import pictures
>>> pictures.draw(run, "retry_yield").save("retries.svg")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from billing_sim.pictures.drawing import draw
    from billing_sim.pictures.figure import Figure
    from billing_sim.pictures.picture import PICTURES, Picture

__all__ = ["PICTURES", "Figure", "Picture", "draw"]

_ROOMS = {"PICTURES": "picture", "Picture": "picture", "Figure": "figure", "draw": "drawing"}


def __getattr__(name: str) -> Any:
    """Import on first use: the list of pictures needs no plotting library."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
