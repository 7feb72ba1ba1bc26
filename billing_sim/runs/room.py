"""How much disk a run takes, about, and a refusal in time where there is far less."""

from __future__ import annotations

import shutil
from pathlib import Path

from billing_sim.errors import RunError

FACTS = 3.6
"""Bytes of facts for each member and day: 3.6 to 4.8, measured over four shipped scenarios."""

LOG = 3.3
"""Bytes of the whole log for each member and day: 25 for each of 0.13 events, measured over the same."""

_SURELY = 0.5
"""Scenarios differ, so only what is short of half of what is expected is refused."""


def expected_bytes(members: int, days: int, log: str) -> float:
    """About how many bytes a run will take, with the log that is kept of it: all, none or 1/N."""
    kept = 0.0 if log == "none" else LOG / int(log.partition("/")[2] or 1)
    return members * days * (FACTS + kept)


def check_disk(directory: Path, members: int, days: int, log: str, free: int | None = None) -> None:
    """RunError where the disk of a directory, which need not be there yet, has far too little room for a run."""
    needed = expected_bytes(members, days, log)
    room = free_bytes(directory) if free is None else free
    if room >= needed * _SURELY:
        return
    fewer = max(1, int(members * room / needed))
    less = "" if log == "none" else ", keep no log (--log none)"
    raise RunError(
        f"{directory}: a run of {members:,} members over {days:,} days takes about {needed / 1e9:,.0f} GB, and "
        f"{room / 1e9:,.1f} GB are free there. Ask for fewer members (about {fewer:,} fit: --members {fewer}){less}, "
        "or name a folder on another disk with --out."
    )


def free_bytes(directory: Path) -> int:
    """Bytes that are free where a directory lies or will lie."""
    place = next(it for it in (directory.absolute(), *directory.absolute().parents) if it.exists())
    return shutil.disk_usage(place).free
