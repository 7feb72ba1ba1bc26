"""The life of one subscriber as a story that people can read, with the sealed truth for those who ask for it.

>>> from billing_sim import trace
>>> story = trace.tell(run, trace.find(run, "recovered"))
>>> print(*story.lines(), sep="\\n")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from billing_sim.trace.finds import FINDS, find
    from billing_sim.trace.story import Story, tell

__all__ = ["FINDS", "Story", "find", "tell"]

_ROOMS = {"FINDS": "finds", "find": "finds", "Story": "story", "tell": "story"}


def __getattr__(name: str) -> Any:
    """Import on first use: telling a story needs the compiled rules."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
