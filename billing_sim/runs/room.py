"""How much disk a run takes at least, and a refusal in time where there is less."""

from __future__ import annotations

import shutil
from pathlib import Path

from billing_sim.errors import RunError

FACTS = 0.5
"""Bytes of facts for each member and day, at least: 0.8 where all plans are annual, 3.6 to 4.8 for monthly ones."""

LOG = 0.35
"""Bytes of the whole log for each member and day at least: 0.6 where all plans are annual, some 3 elsewhere."""

_UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (1, "bytes"))


def least_bytes(members: int, days: int, log: str) -> float:
    """What a run takes at least, with the log that is kept of it: all, none or 1/N."""
    kept = 0.0 if log == "none" else LOG / int(log.partition("/")[2] or 1)
    return members * days * (FACTS + kept)


def check_disk(directory: Path, members: int, days: int, log: str, free: int | None = None) -> None:
    """RunError where the disk of a directory, which need not be there yet, has too little room for a run."""
    needed = least_bytes(members, days, log)
    room = free_bytes(directory) if free is None else free
    if room is None or room >= needed:
        return
    fewer = int(members * room / needed)
    ways = [f"ask for fewer members (no more than --members {fewer} can fit)"] if fewer else []
    ways += ["keep no log (--log none)"] if log != "none" else []
    ways.append("name a folder on another disk with --out")
    raise RunError(
        f"{directory}: a run of {members:,} members over {days:,} days takes more than {_told(needed)}, and "
        f"{_told(room)} are free there. {' or '.join(ways).capitalize()}."
    )


def free_bytes(directory: Path) -> int | None:
    """Bytes that are free where a directory lies or will lie; None where the system does not say."""
    try:
        place = next(it for it in (directory.absolute(), *directory.absolute().parents) if it.exists())
        return shutil.disk_usage(place).free
    except OSError:
        return None  # whoever makes the directory will say what is wrong with it


def _told(size: float) -> str:
    least, name = next((least, name) for least, name in _UNITS if size >= least or least == 1)
    return f"{size / least:,.0f} {name}"
