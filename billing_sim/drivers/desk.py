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

from billing_sim.drivers.line import Line
from billing_sim.drivers.requests import EFFECT, in_order
from billing_sim.lifecycle.reviews import REVIEW_QUEUE
from billing_sim.rule import records
from billing_sim.world.record import AGENTS, DESKS, REVIEW_DESK

_NOTHING = np.zeros(0, EFFECT)


class Desk:
    """All desks of a world, from the first window of a run to the last (a `drivers.requests.Queue`)."""

    def __init__(self, world: np.recarray) -> None:
        worlds, busy, frontier = records(world), np.zeros((DESKS, AGENTS), np.int64), np.zeros(DESKS, np.int64)
        self._lines = [Line(worlds, busy, frontier, desk) for desk in range(DESKS)]
        self._desk_of = np.asarray(world["desk_of"][0])

    def serve(self, requests: np.ndarray, _begin: int, end: int) -> np.ndarray:
        """Serve what came in the window [begin, end) and who still waits; return what is settled before `end`."""
        return self._served(requests, None, end)

    def serve_beside(self, requests: np.ndarray, others: np.ndarray, _begin: int, end: int) -> np.ndarray:
        """Serve each request as if its member alone had come beside the `others`, who are served as if nobody had.

        Whoever asks at the same moment as in the world of the others meets what they met there. A contact of one's own
        that one had there, and not here, still holds its place in the queue.
        """
        both = np.concatenate([requests, others])
        beside = np.repeat([1, 0], [len(requests), len(others)])
        order = np.lexsort((1 - beside, *(both[name] for name in ("detail", "queue", "subscriber", "at"))))
        return self._served(both[order], beside[order], end)

    @property
    def waiting(self) -> int:
        """How many wait for an agent."""
        return sum(line.waiting for line in self._lines)

    def _served(self, requests: np.ndarray, beside: np.ndarray | None, end: int) -> np.ndarray:
        told = []
        desks = np.where(requests["queue"] == REVIEW_QUEUE, REVIEW_DESK, self._desk_of[requests["detail"]])
        for desk, line in enumerate(self._lines):
            if len(requests) or line.is_busy:
                own = desks == desk
                told.append(line.serve(requests[own], None if beside is None else beside[own], end))
        told = [effects for effects in told if len(effects)]
        return in_order(np.concatenate(told) if len(told) > 1 else told[0]) if told else _NOTHING
