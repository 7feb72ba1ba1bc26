"""How much memory a coupled run takes, and a refusal in time where there is less."""

from __future__ import annotations

import os

from billing_sim.errors import BillingSimError
from billing_sim.lifecycle.state import STATE

PER_PERSON = STATE.itemsize + 5 * 8
"""Bytes: the state, its place in the lists of windows, the next alarm, number and market."""

PER_PROCESS = 1500
"""Bytes of a SimPy process that sleeps, on top of that (measured with CPython 3.11: 1,400)."""

_USABLE = 0.6
_UNKNOWN = 8 << 30
"""Where the system does not tell its memory (Windows), this much is taken for granted."""


def memory() -> int:
    """Bytes of memory of this machine."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN


def check_room(people: int, members: int, available: int | None = None) -> None:
    """Refuse a coupled run whose people do not fit into memory at once; say how many members would."""
    _check(people, members, PER_PERSON, "people share something in this scenario", available)


def check_room_extended(people: int, members: int, available: int | None = None) -> None:
    """The same for a run with processes of a user's own, where everybody is a SimPy process in one environment."""
    _check(people, members, PER_PERSON + PER_PROCESS, "your processes may turn to anybody", available)


def _check(people: int, members: int, each: int, why: str, available: int | None) -> None:
    room = int((memory() if available is None else available) * _USABLE)
    needed = people * each
    if needed > room:
        most = max(1, members * room // needed)
        raise BillingSimError(
            f"{why}, so all {people:,} must be in memory at once: that takes "
            f"{needed / 2**30:.1f} GiB, and {room / 2**30:.1f} GiB can be used. About {most:,} members fit: "
            f"use --members {most}; capacities are scaled with them."
        )
