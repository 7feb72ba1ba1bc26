"""What takes long the first time is told before it happens, by whoever knows of it, to whoever wants to know."""

from __future__ import annotations

from collections.abc import Callable

_listeners: list[Callable[[str], None]] = []


def listen(listener: Callable[[str], None]) -> None:
    """From now on this one is told; it takes the place of another."""
    _listeners[:] = [listener]


def tell(text: str) -> None:
    """Tell it, if anybody listens."""
    for listener in _listeners:
        listener(text)
