"""Desks as true queues: whoever is on shift serves whoever waits, first come first served, across windows.

A desk of support answers some channels; those who review payments have one for themselves. A request goes to the free
agent with the lowest number of those on shift; agents whose shift is over finish what they have. Whoever has not been
answered when their patience is over has left; who is reached at that very moment is served. Nobody who gives up ever
held an agent, so givers-up are found when their turn comes, or at the end of a window.

>>> desk = Desk(world.record)                                   # doctest: +SKIP
>>> effects = desk.serve(requests, begin, begin + HOUR)         # doctest: +SKIP
"""

from __future__ import annotations

import numpy as np

from billing_sim.drivers.desk_kernel import serve_waiting
from billing_sim.drivers.requests import EFFECT, REQUEST, in_order
from billing_sim.lifecycle.support import COMPLETED
from billing_sim.rule import records
from billing_sim.world.record import AGENTS, DESKS


class Desk:
    """All desks of a world, from the first window of a run to the last (a `drivers.requests.Queue`)."""

    def __init__(self, world: np.recarray) -> None:
        self._worlds = records(world)
        self._busy = np.zeros((DESKS, AGENTS), np.int64)
        self._frontier = np.zeros(DESKS, np.int64)
        self._waiting, self._beside = np.zeros(0, REQUEST), np.zeros(0, np.int64)
        self._coming = np.zeros(0, EFFECT)

    def serve(self, requests: np.ndarray, _begin: int, end: int) -> np.ndarray:
        """Serve what came in the window [begin, end) and who still waits; return what is settled before `end`."""
        effects, done, _ = self._served(requests, np.zeros(len(requests), np.int64), end)
        return self._settled(effects, done, end)

    def serve_beside(self, requests: np.ndarray, others: np.ndarray, _begin: int, end: int) -> np.ndarray:
        """Serve each request as if its member alone had come beside the `others`, who are served as if nobody had.

        Whoever asks at the same moment as in the world of the others meets what they met there. A contact of one's own
        that one had there, and not here, still holds its place in the queue.
        """
        both = np.concatenate([requests, others])
        beside = np.repeat([1, 0], [len(requests), len(others)])
        order = np.lexsort((1 - beside, *(both[name] for name in ("detail", "queue", "subscriber", "at"))))
        effects, done, beside = self._served(both[order], beside[order], end)
        return self._settled(effects[beside == 1], done[beside == 1], end)

    def _served(self, requests: np.ndarray, beside: np.ndarray, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For whoever is answered or gives up before `end`: the effect, when they are done with (-1 for giving up), and
        whether they are beside."""
        waiting, beside = np.concatenate([self._waiting, requests]), np.concatenate([self._beside, beside])
        effects, done = np.zeros(len(waiting), EFFECT), np.zeros(len(waiting), np.int64)
        count = serve_waiting(
            self._worlds, self._busy, records(waiting), beside, self._frontier, done, records(effects), end
        )  # fmt: skip
        over = done != 0
        self._waiting, self._beside = waiting[~over], beside[~over]
        return effects[:count], done[over], beside[over]

    @property
    def waiting(self) -> int:
        """How many wait for an agent."""
        return len(self._waiting)

    def _settled(self, effects: np.ndarray, done: np.ndarray, end: int) -> np.ndarray:
        """What happens before `end`, of this window and of what earlier ones began, in order; the rest is kept."""
        everything = np.concatenate([self._coming, effects, _completions(effects, done)])
        is_over = everything["at"] < end
        self._coming = everything[~is_over]
        return in_order(everything[is_over])


def _completions(effects: np.ndarray, done: np.ndarray) -> np.ndarray:
    """The end of every contact that is answered; `done` is when, -1 for those given up."""
    found = effects[done > 0].copy()
    found["at"], found["outcome"] = done[done > 0], COMPLETED
    return found
