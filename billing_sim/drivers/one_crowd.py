"""The windows of a run in which everybody is one crowd: compiled code goes from barrier to barrier by itself.

What it writes lies in buffers that are made here, and made larger whenever it stops for want of room.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from billing_sim.drivers.barrier import memory_of
from billing_sim.drivers.course import (
    EFFECTS,
    HAS_DESKS,
    IS_REPLAY,
    NOW,
    OVER,
    REQUESTS,
    ROOM_AT_DESKS,
    ROOM_FOR_REQUESTS,
)
from billing_sim.drivers.crowd import Crowd, windows_in
from billing_sim.drivers.desk import new_desks, with_more_room
from billing_sim.drivers.requests import EFFECT, REQUEST, queue_of
from billing_sim.drivers.tape import Tape, tape_from
from billing_sim.drivers.tuning import END
from billing_sim.rule import records
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.record import GATEWAYS, PUBLISHED

_AT_ONCE = 512
"""Windows between two pieces of news about how far it is."""

_FEW = 1 << 10
_NO_REQUESTS = np.zeros(0, REQUEST)


class Course:
    """One run's windows, from the first barrier to the last."""

    def __init__(self, world: CompiledWorld, span: np.ndarray, crowd: Crowd, replayed: Tape | None) -> None:
        self._span, self._crowd, self._memory, self._desks = span, crowd, memory_of(world), new_desks()
        self._course = np.zeros(10, np.int64)
        self._course[IS_REPLAY], self._course[HAS_DESKS] = replayed is not None, queue_of(world) is not None
        self._rows = np.zeros((windows_in(span), PUBLISHED), np.int64)
        self._others = _NO_REQUESTS
        if replayed is not None:
            self._rows[:, replayed.places] = replayed.tables[: len(self._rows)]
            self._others = replayed.requests
        self._counts, self._bookings = np.zeros((2, GATEWAYS), np.int64), np.zeros(GATEWAYS * GATEWAYS, np.int64)
        self._requests, self._beside = np.zeros(_FEW, REQUEST), np.zeros(_FEW, np.int64)
        self._effects, self._due = np.zeros(_FEW, EFFECT), np.zeros(_FEW, np.int64)

    def run(self, progress: Callable[[int, int], None]) -> Tape:
        """Everything, from the start to the end."""
        total = len(self._rows)
        for k in range(0, total, _AT_ONCE):
            progress(k, total)
            self._run_until(min(k + _AT_ONCE, total))
        return self._tape()

    def _run_until(self, last: int) -> None:
        stopped_by = None
        while stopped_by != OVER:
            tapes = (
                self._rows, self._counts, self._bookings, records(self._requests), self._beside,
                records(self._others), records(self._effects), self._due,
            )  # fmt: skip
            stopped_by = self._crowd.run_on(last, self._memory, self._desks, tapes, self._course)
            self._make_room(stopped_by)

    def _make_room(self, what: int) -> None:
        if what == ROOM_AT_DESKS:
            self._desks = with_more_room(self._desks)
        elif what == ROOM_FOR_REQUESTS:
            self._requests, self._beside = _twice(self._requests), _twice(self._beside)
        elif what != OVER:
            self._effects, self._due = _twice(self._effects), _twice(self._due)

    def _tape(self) -> Tape:
        assert self._course[NOW] == len(self._rows)
        settled = slice(int(self._course[EFFECTS]))
        effects, due = self._effects[settled], self._due[settled]
        # The last window may be longer than the run.
        told = effects["at"] < self._span[END]
        return tape_from(self._rows, effects[told], due[told], self._requests[: self._course[REQUESTS]].copy())


def _twice(rows: np.ndarray) -> np.ndarray:
    more = np.zeros(2 * len(rows), rows.dtype)
    more[: len(rows)] = rows
    return more
