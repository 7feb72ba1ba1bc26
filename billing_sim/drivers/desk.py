"""The support desk as a true queue: agents by shift serve whoever waits, first come first served, across windows.

A desk answers some channels. A request goes to the free agent with the lowest number of those on shift; agents whose
shift is over finish the contact that they have. Whoever has not been answered when their patience is over has left;
who is reached at that very moment is served. Nobody who gives up ever held an agent, so givers-up are found when their
turn comes, or at the end of a window.

>>> desk = Desk(world.record)                                   # doctest: +SKIP
>>> effects = desk.serve(requests, begin, begin + HOUR)         # doctest: +SKIP
"""

from __future__ import annotations

import numpy as np

from billing_sim.drivers.desk_kernel import serve_waiting
from billing_sim.drivers.requests import EFFECT, REQUEST, in_order
from billing_sim.lifecycle.support import ABANDONED, ANSWERED, COMPLETED
from billing_sim.rule import records
from billing_sim.world.record import AGENTS, DESK, DESKS


class Desk:
    """All desks of a support department, from the first window of a run to the last (a `drivers.requests.Queue`)."""

    def __init__(self, world: np.recarray) -> None:
        self._worlds = records(world)
        self._busy = np.zeros((DESKS, AGENTS), np.int64)
        self._frontier = np.zeros(DESKS, np.int64)
        self._waiting = np.zeros(0, REQUEST)
        self._coming = np.zeros(0, EFFECT)

    def serve(self, requests: np.ndarray, _begin: int, end: int) -> np.ndarray:
        """Serve what came in the window [begin, end) and who still waits; return what is settled before `end`."""
        waiting = np.concatenate([self._waiting, requests])
        effects, done = np.zeros(len(waiting), EFFECT), np.zeros(len(waiting), np.int64)
        count = serve_waiting(
            self._worlds, self._busy, records(waiting), self._frontier, done, records(effects), end
        )  # fmt: skip
        self._waiting = waiting[done == 0]
        effects = effects[:count]
        return self._settled(np.concatenate([effects, _completions(effects, done[done != 0])]), end)

    def serve_alone(self, requests: np.ndarray, _begin: int, end: int) -> np.ndarray:
        """Serve everybody after the wait that the world has published, whoever else is there."""
        effects = np.zeros(len(requests), EFFECT)
        waits = self._worlds["published"][0][DESK + self._worlds["desk_of"][0][requests["detail"]]]
        gives_up = requests["patience"] < waits
        for name in ("subscriber", "place", "queue", "detail"):
            effects[name] = requests[name]
        effects["wait"] = np.minimum(waits, requests["patience"])
        effects["at"] = requests["at"] + effects["wait"]
        effects["outcome"] = np.where(gives_up, ABANDONED, ANSWERED)
        done = np.where(gives_up, -1, effects["at"] + np.maximum(requests["service"], 1))
        return self._settled(np.concatenate([effects, _completions(effects, done)]), end)

    def publish(self, row: np.ndarray, now: int) -> None:
        """Write how long the first in the queue of each desk has waited, 0 where nobody does.

        What whoever is next has waited is a good forecast of what whoever comes now will wait (Ibrahim and Whitt 2009,
        the head-of-the-line delay).
        """
        desks = self._worlds["desk_of"][0][self._waiting["detail"]]
        for desk in range(DESKS):
            came = self._waiting["at"][desks == desk]
            row[DESK + desk] = now - came[0] if len(came) else 0

    @property
    def waiting(self) -> int:
        """How many wait for an agent."""
        return len(self._waiting)

    def _settled(self, effects: np.ndarray, end: int) -> np.ndarray:
        """What happens before `end`, of this window and of what earlier ones began, in order; the rest is kept."""
        everything = np.concatenate([self._coming, effects])
        is_over = everything["at"] < end
        self._coming = everything[~is_over]
        return in_order(everything[is_over])


def _completions(effects: np.ndarray, done: np.ndarray) -> np.ndarray:
    """The end of every contact that is answered; `done` is when, -1 for those given up."""
    found = effects[done > 0].copy()
    found["at"], found["outcome"] = done[done > 0], COMPLETED
    return found
