"""Scenario files: read, laid over what they extend and over the defaults, checked whole, and given as one `Scenario`.

>>> from billing_sim.scenario import load
>>> load("scenarios/first_month.yaml").scenario.name
'first_month'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from billing_sim.scenario.file_schema import json_schema
    from billing_sim.scenario.loading import Loaded, check, load

__all__ = ["Loaded", "check", "json_schema", "load"]

_ROOMS = {"Loaded": "loading", "check": "loading", "load": "loading", "json_schema": "file_schema"}


def __getattr__(name: str) -> Any:
    """Import on first use: pydantic and the YAML reader cost more than a whole `--help`."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
