"""What the rules answer as plain Python: asked once, in a process of its own in which nothing is compiled.

`python -m tests.plain_python` prints the answers as JSON; `answers()` runs that and reads them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

ZONES = ["America/New_York", "Europe/London", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia"]
FEW = "members: 12\nend: 2025-05-02"
"""What makes the busy world short enough for rules that are not compiled."""

SPAN = (datetime(2011, 6, 1, tzinfo=UTC), datetime(2016, 1, 1, tzinfo=UTC))


@cache
def answers() -> dict[str, Any]:
    """The answers, from a process with `NUMBA_DISABLE_JIT=1`."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.plain_python"],
        capture_output=True, check=False, timeout=120, cwd=Path(__file__).parent.parent,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def local_times(zone: str) -> list[int]:
    """Wall times (microseconds as if UTC) all around every clock change of a zone, and some in between."""
    from billing_sim import clock

    start, end = (clock.micros(moment) for moment in SPAN)
    found = clock.transitions(zone, start, end)
    steps = range(-26 * 4, 27 * 4)
    around = [at + offset + step * 15 * clock.MINUTE for at, offset in found[1:] for step in steps]
    return around + list(range(start + 3 * clock.DAY, end - 3 * clock.DAY, 9 * clock.DAY + 5 * clock.HOUR))


def _instants() -> dict[str, list[int]]:
    from billing_sim import clock
    from billing_sim.lifecycle.calendar import instant_of
    from billing_sim.world.record import new_world

    start, end = (clock.micros(moment) for moment in SPAN)
    world = new_world()
    for number, zone in enumerate(ZONES):
        found = clock.transitions(zone, start - 30 * clock.DAY, end + 30 * clock.DAY)
        world.zone_count[0, number] = len(found)
        world.zone_at[0, number, : len(found)] = [at for at, _ in found]
        world.zone_offset[0, number, : len(found)] = [offset for _, offset in found]
    return {
        zone: [int(instant_of(world[0], number, local)) for local in local_times(zone)]
        for number, zone in enumerate(ZONES)
    }


def _civil() -> list[tuple[int, int]]:
    from billing_sim.lifecycle.calendar import first_of_month, month_of_day

    days = range(-3653, 3653 * 14)
    return [(month_of_day(day), first_of_month(month_of_day(day))) for day in days]


def _anchored() -> list[list[int]]:
    from billing_sim.lifecycle.calendar import anchored
    from tests.world_builder import world_of

    world = world_of("start: 2023-11-15\nend: 2025-03-01").record[0]
    first = 2023 * 12 + 11
    return [[int(anchored(world, first + i, anchor)) for i in range(27)] for anchor in (1, 28, 29, 30, 31)]


def _digests() -> dict[str, tuple[str, str]]:
    from tests.world_builder import digests, world_of
    from tests.world_texts import BUSY

    world = world_of(FEW, BUSY)
    return {driver: digests(world, driver) for driver in ("batch", "simpy")}


def _tell() -> None:
    with np.errstate(over="raise"):
        found = {"digests": _digests(), "instants": _instants(), "civil": _civil(), "anchored": _anchored()}
    sys.stdout.write(json.dumps(found))


def civil_days() -> list[datetime]:
    """The days that `civil` is about."""
    return [datetime(1970, 1, 1) + timedelta(days=day) for day in range(-3653, 3653 * 14)]


if __name__ == "__main__":
    _tell()
