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
from numba import config

ZONES = ["America/New_York", "Europe/London", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia"]
FEW = "members: 12\nend: 2025-05-02"
"""What makes the busy world short enough for rules that are not compiled."""

YEARLY = """
end: 2027-01-01
members: 12
plans: {standard: {interval: year}}
markets:
  US:
    behaviour:
      expiry_years: [1]
      voluntary_churn: 5% per month
      tenure_mix: {months_1_3: 10%, months_4_12: 20%, year_2: 20%, year_3: 20%, year_4_on: 30%}
"""
"""People who joined years ago and pay by the year: their last anniversary lies before the calendars of the world."""

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


class Watched:
    """The world, or a table of it, that refuses an index which is not there; NumPy takes -1 for the last."""

    def __init__(self, values: Any, name: str = "") -> None:
        self._values, self._name = values, name

    def __getitem__(self, key: Any) -> Any:
        places = key if isinstance(key, tuple) else (key,)
        for place, size in zip(places, self._values.shape, strict=False):
            if not 0 <= place < size:
                raise IndexError(f"{self._name}{places} of {self._values.shape}")
        found = self._values[key]
        return Watched(found, self._name) if isinstance(found, np.ndarray) else int(found)

    def __getattr__(self, name: str) -> Any:
        found = self._values[name]
        self.__dict__[name] = Watched(found, name) if isinstance(found, np.ndarray) else int(found)
        return self.__dict__[name]


def _alarms_within_tables() -> int:
    from billing_sim.drivers.shards import people_of_shard
    from billing_sim.lifecycle.ring import begin, next_alarm, ring
    from billing_sim.lifecycle.state import new_page, new_states
    from billing_sim.rule import records
    from tests.world_builder import world_of
    from tests.world_texts import BUSY, QUIET

    page, rung = records(new_page())[0], 0
    for world in (world_of("members: 100", BUSY), world_of(YEARLY, QUIET)):
        watched: Any = Watched(world.record[0])
        for shard in range(64):
            for number, market in zip(*people_of_shard(world, shard), strict=True):
                state = records(new_states(1))[0]
                begin(watched, state, int(market), int(number))
                at = next_alarm(state)
                while at < watched.end:
                    state.rows = state.truths = 0
                    at = ring(watched, state, page)
                    rung += 1
    return rung


def _digests() -> dict[str, tuple[str, str]]:
    from tests.world_builder import digests, world_of
    from tests.world_texts import BUSY

    world = world_of(FEW, BUSY)
    return {driver: digests(world, driver) for driver in ("batch", "simpy")}


def _tell() -> None:
    assert config.DISABLE_JIT, "rules without wrappers can only be called where nothing is compiled"
    with np.errstate(over="raise"):
        found = {"digests": _digests(), "instants": _instants(), "civil": _civil(), "anchored": _anchored()}
        found["alarms"] = _alarms_within_tables()
    sys.stdout.write(json.dumps(found))


def civil_days() -> list[datetime]:
    """The days that `civil` is about."""
    return [datetime(1970, 1, 1) + timedelta(days=day) for day in range(-3653, 3653 * 14)]


if __name__ == "__main__":
    _tell()
