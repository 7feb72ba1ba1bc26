"""People who are resident: their states, and the lists of whom each window concerns."""

from __future__ import annotations

import numpy as np

from billing_sim.drivers.requests import REQUEST
from billing_sim.drivers.shards import SHARDS, people_of_shards
from billing_sim.drivers.together import begin_together, book_window, deliver_effects, run_course, run_window
from billing_sim.drivers.tuning import END, FIRST_WINDOW, WINDOW
from billing_sim.lifecycle.state import new_page, new_states
from billing_sim.rule import records
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.record import GATEWAYS

REQUESTS_AT_ONCE = 1 << 14
_NOTHING_ASKED = np.zeros(0, REQUEST)


class Crowd:
    """Some of the people, resident: their states, and the lists of whom each window concerns."""

    def __init__(
        self, worlds: np.ndarray, span: np.ndarray, numbers: np.ndarray, markets: np.ndarray, first: int
    ) -> None:
        count = len(numbers)
        self._worlds, self._span, self.first = worlds, span, first
        self._states, self._pages = records(new_states(count)), records(new_page())
        self._heads = heads = np.full(windows_in(span), -1, np.int64)
        self._requests, self._filled = np.zeros(REQUESTS_AT_ONCE, REQUEST), np.zeros(2, np.int64)
        self._lists = (heads, np.zeros((count, 4), np.int64))
        begin_together(worlds, numbers, markets, span, self._states, self._lists, self._pages)

    def deliver(self, effects: np.ndarray, now: int) -> None:
        """Hand effects to those of their subscribers who are in this crowd."""
        deliver_effects(
            self._worlds, self._span, self._states, self._lists, self._pages, records(effects), self.first, now
        )

    def book(self, k: int, until: int) -> np.ndarray:
        """How many book each gateway for a window, by the one after it."""
        bookings = np.zeros(GATEWAYS * GATEWAYS, np.int64)
        if self._heads[k] < 0:
            return bookings
        book_window(self._worlds, self._span, self._states, self._lists, k, until, bookings)
        return bookings

    def run(self, k: int, until: int) -> tuple[np.ndarray, np.ndarray]:
        """Ring everything in a window; return the attempts of each gateway, and what was asked of desks."""
        counts = np.zeros((2, GATEWAYS), np.int64)
        if self._heads[k] < 0:
            return counts, _NOTHING_ASKED
        asked, is_over = [], False
        while not is_over:
            self._filled[0] = 0
            is_over = run_window(
                self._worlds, self._span, k, until, self._states, self._lists, self._pages, counts,
                records(self._requests), self.first, self._filled,
            )  # fmt: skip
            asked.append(self._requests[: self._filled[0]].copy())
        return counts, asked[0] if len(asked) == 1 else np.concatenate(asked)

    def run_on(self, last: int, memory: tuple, desks: tuple, tapes: tuple, course: np.ndarray) -> int:
        """Run all windows before that with this number, as the only crowd; return why it stops (`drivers.course`)."""
        return int(
            run_course(
                self._worlds, self._span, last, self._states, self._lists, self._pages, memory, desks, tapes, course
            )
        )


def windows_in(span: np.ndarray) -> int:
    """How many windows a run touches."""
    return int((span[END] - 1) // span[WINDOW] - span[FIRST_WINDOW] + 1)


def everybody(world: CompiledWorld) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and market indices of all people, shard by shard."""
    return people_of_shards(world, range(SHARDS))
