"""The windows of a run in which several crowds live side by side, each in a thread of its own between two barriers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from billing_sim.drivers.barrier import Barrier
from billing_sim.drivers.crowd import Crowd, windows_in
from billing_sim.drivers.requests import EFFECT, REQUEST, in_order, queue_of
from billing_sim.drivers.tape import Recorder, Tape
from billing_sim.drivers.tuning import END, FIRST_WINDOW, FROM_START, WINDOW
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.record import GATEWAYS

_NOTHING_ASKED = np.zeros(0, REQUEST)

Progress = Callable[[int, int], None]
"""Told windows done and windows in all."""


class Windows:
    """The windows of one run, from the first barrier to the last."""

    def __init__(
        self,
        world: CompiledWorld,
        worlds: np.ndarray,
        span: np.ndarray,
        crowds: list[Crowd],
        each: Callable,
        replayed: Tape | None,
    ) -> None:
        self._worlds, self._span, self._crowds, self._each, self._replayed = worlds, span, crowds, each, replayed
        self._queue = queue_of(world)
        self._barrier = Barrier(world)
        self._counts, self._effects = np.zeros((2, GATEWAYS), np.int64), np.zeros(0, EFFECT)
        self._recorder = Recorder()

    def run(self, progress: Progress) -> Tape:
        """Everything, from the start to the end."""
        total, length = windows_in(self._span), int(self._span[WINDOW])
        for k in range(total):
            begin = (int(self._span[FIRST_WINDOW]) + k) * length
            self._deliver(begin)
            self._publish(k, begin + length)
            self._live(k, begin, begin + length)
            if k % 64 == 0:
                progress(k, total)
        self._effects = self._effects[self._effects["at"] < self._span[END]]
        self._deliver(begin + length)
        return self._recorder.tape()

    def _deliver(self, now: int) -> None:
        if len(self._effects):
            self._recorder.add_effects(self._effects, now)
            list(self._each(lambda crowd: crowd.deliver(self._effects, now), self._crowds))

    def _publish(self, k: int, until: int) -> None:
        bookings = np.zeros(GATEWAYS * GATEWAYS, np.int64)
        if self._barrier.needs_bookings and self._replayed is None:
            bookings = sum(self._each(lambda crowd: crowd.book(k, until), self._crowds))
        row = self._barrier.publish(bookings, self._counts) if self._replayed is None else self._replayed.row(k)
        self._worlds["published"][self._span[FROM_START] :] = row
        self._recorder.add_row(row)

    def _live(self, k: int, begin: int, until: int) -> None:
        lived = list(self._each(lambda crowd: crowd.run(k, until), self._crowds))
        self._counts = sum(counts for counts, _ in lived)
        if self._queue is not None:
            asked = in_order(_together([requests for _, requests in lived if len(requests)]))
            self._recorder.add_requests(asked)
            if self._replayed is None:
                self._effects = self._queue.serve(asked, begin, until)
            else:
                others = self._replayed.asked(begin, until)
                self._effects = self._queue.serve_beside(asked, others, begin, until)


def _together(asked: list[np.ndarray]) -> np.ndarray:
    """What was asked in a window; of nothing and of one crowd nothing has to be put together."""
    return np.concatenate(asked) if len(asked) > 1 else asked[0] if asked else _NOTHING_ASKED
