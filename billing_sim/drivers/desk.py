"""Desks as true queues: whoever is on shift serves whoever waits, first come first served, across windows.

A desk of support answers some channels; those who review payments have one for themselves. A request goes to the free
agent with the lowest number of those on shift; agents whose shift is over finish what they have. Whoever has not been
answered when their patience is over has left; who is reached at that very moment is served. Nobody who gives up ever
held an agent, so givers-up are found when their turn comes, or at the end of a window.

>>> desk = Desk(world.record)                                   # doctest: +SKIP
>>> effects = desk.serve(requests, begin, begin + HOUR)         # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

import numpy as np

from billing_sim.drivers.desk_kernel import AT_DESKS, HEAD, TAIL, serve_window
from billing_sim.drivers.requests import EFFECT, REQUEST, in_order
from billing_sim.rule import records
from billing_sim.world.record import AGENTS, DESKS

_ROOM = 64


class Desk:
    """All desks of a world, from the first window of a run to the last (a `drivers.requests.Queue`)."""

    def __init__(self, world: np.recarray) -> None:
        self._worlds, self.desks = records(world), new_desks()
        self._told = np.zeros(_ROOM, EFFECT)

    def serve(self, requests: np.ndarray, _begin: int, end: int) -> np.ndarray:
        """Serve what came in the window [begin, end) and who still waits; return what is settled before `end`."""
        return self._served(requests, np.zeros(len(requests), np.int64), 0, end)

    def serve_beside(self, requests: np.ndarray, others: np.ndarray, _begin: int, end: int) -> np.ndarray:
        """Serve each request as if its member alone had come beside the `others`, who are served as if nobody had.

        Whoever asks at the same moment as in the world of the others meets what they met there. A contact of one's own
        that one had there, and not here, still holds its place in the queue.
        """
        both = np.concatenate([requests, others])
        beside = np.repeat(np.array([1, 0]), [len(requests), len(others)])
        order = np.lexsort((1 - beside, *(both[name] for name in ("detail", "queue", "subscriber", "at"))))
        return self._served(both[order], beside[order], 1, end)

    @property
    def waiting(self) -> int:
        """How many wait for an agent."""
        sizes = self.desks[2]
        return int((sizes[:, TAIL] - sizes[:, HEAD]).sum())

    def _served(self, requests: np.ndarray, beside: np.ndarray, alone: int, end: int) -> np.ndarray:
        came, count = records(requests), -1
        while count < 0:
            count = serve_window(self._worlds, self.desks, came, beside, records(self._told), alone, end)
            if count == -AT_DESKS:
                self.desks = with_more_room(self.desks)
            elif count < 0:
                self._told = np.zeros(2 * len(self._told), EFFECT)
        return in_order(self._told[:count].copy())


def new_desks() -> tuple[Any, ...]:
    """Desks at which nobody waits (`drivers.desk_kernel.Desks`)."""
    busy, frontier, sizes = (np.zeros(shape, np.int64) for shape in ((DESKS, AGENTS), DESKS, (DESKS, 3)))
    beside, done = (np.zeros((DESKS, _ROOM), np.int64) for _ in range(2))
    return busy, frontier, sizes, records(np.zeros((DESKS, _ROOM), REQUEST)), beside, done, records(
        np.zeros((DESKS, _ROOM), EFFECT)
    )  # fmt: skip


def with_more_room(desks: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same desks with twice the room for those who wait and are served."""
    *agents, lines, beside, done, coming = desks
    return (*agents, *(_twice(it) for it in (lines, beside, done, coming)))


def _twice(rows: np.ndarray) -> np.ndarray:
    more = np.zeros((len(rows), 2 * rows.shape[1]), rows.dtype)
    more[:, : rows.shape[1]] = rows
    return records(more) if rows.dtype.fields else more
