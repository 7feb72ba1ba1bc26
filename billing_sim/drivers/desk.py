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
from numba import types

from billing_sim.clock import HOUR, NEVER
from billing_sim.drivers.requests import EFFECT, REQUEST, Effects, Requests, in_order
from billing_sim.lifecycle.state import Int, Nothing, World
from billing_sim.lifecycle.support import ABANDONED, ANSWERED, COMPLETED
from billing_sim.rule import entry, records, rule
from billing_sim.world.record import AGENTS, DESK, DESKS, WEEK_HOURS

_MONDAY = 3 * 24
"""1970 began on a Thursday: hours between its first and the first of its week."""

_Worlds = types.Array(World, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")
_Busy = types.Array(types.int64, 2, "C")


@rule(Int(World, Int, Int))
def agents_at(world, desk, at):
    """How many agents of a desk are on shift."""
    epoch = world.staff_epochs - 1
    while epoch > 0 and world.staff_from[epoch] > at:
        epoch -= 1
    return world.staff[epoch, desk, (at // HOUR + _MONDAY) % WEEK_HOURS]


@rule(Int(World, Int))
def next_shift(world, at):
    """The next moment at which the number of agents may change."""
    following = (at // HOUR + 1) * HOUR
    for epoch in range(world.staff_epochs):
        if at < world.staff_from[epoch] < following:
            following = world.staff_from[epoch]
    return following


@entry(Int(_Worlds, _Busy, Int, Int, Int))
def free_agent(worlds, busy, desk, at, end):
    """The first moment from `at` on at which an agent is free, and who, as moment * AGENTS + number; NEVER from `end`.

    `busy` holds, for each desk and agent, until when they are occupied.
    """
    world = worlds[0]
    while at < end:
        agents = agents_at(world, desk, at)
        following = next_shift(world, at)
        for agent in range(agents):
            until = busy[desk, agent]
            if until <= at:
                return at * AGENTS + agent
            following = min(following, until)
        at = following
    return NEVER


@rule(Nothing(Effects, Requests, Int, Int, Int, Int, Int, Int))
def tell(effects, requests, i, n, at, outcome, wait, agent):
    """Write effect `n` about request `i`."""
    effect = effects[n]
    request = requests[i]
    effect.at = at
    effect.subscriber = request.subscriber
    effect.place = request.place
    effect.queue = request.queue
    effect.detail = request.detail
    effect.outcome = outcome
    effect.wait = wait
    effect.agent = agent


@entry(Int(_Worlds, _Busy, Requests, _Numbers, _Numbers, Effects, Int))
def serve_waiting(worlds, busy, requests, frontier, done, effects, end):
    """Serve whoever waits until `end`; return how many effects there are.

    `requests` are all who wait, in their order; `frontier` is when each desk began its last contact. `done` receives
    for every request when it will be handled, 0 when it still waits, -1 when the member gave up.
    """
    world = worlds[0]
    n = 0
    blocked = 0
    for i in range(len(requests)):
        request = requests[i]
        desk = world.desk_of[request.detail]
        gone = NEVER
        if request.patience < NEVER - request.at:
            gone = request.at + request.patience
        found = NEVER
        if not blocked & (1 << desk):
            found = free_agent(worlds, busy, desk, max(request.at, frontier[desk]), min(end, gone + 1))
        if found < NEVER:
            at = found // AGENTS
            agent = found % AGENTS
            frontier[desk] = at
            busy[desk, agent] = at + max(request.service, 1)
            done[i] = busy[desk, agent]
            tell(effects, requests, i, n, at, ANSWERED, at - request.at, agent + 1)
            n += 1
        elif gone < end:
            done[i] = -1
            tell(effects, requests, i, n, gone, ABANDONED, request.patience, 0)
            n += 1
        else:
            done[i] = 0
            blocked |= 1 << desk
    return n


class Desk:
    """All desks of a support department, from the first window of a run to the last (a `drivers.requests.Queue`)."""

    def __init__(self, world: np.recarray) -> None:
        self._worlds = records(world)
        self._busy = np.zeros((DESKS, AGENTS), np.int64)
        self._frontier = np.zeros(DESKS, np.int64)
        self._waiting = np.zeros(0, REQUEST)
        self._coming = np.zeros(0, EFFECT)

    def serve(self, requests: np.ndarray, begin: int, end: int) -> np.ndarray:
        """Serve what came in the window [begin, end) and who still waits; return what is settled before `end`."""
        waiting = np.concatenate([self._waiting, requests])
        effects, done = np.zeros(len(waiting), EFFECT), np.zeros(len(waiting), np.int64)
        count = serve_waiting(
            self._worlds, self._busy, records(waiting), self._frontier, done, records(effects), end
        )  # fmt: skip
        self._waiting = waiting[done == 0]
        effects = effects[:count]
        return self._settled(np.concatenate([effects, _completions(effects, done[done != 0])]), end)

    def serve_alone(self, requests: np.ndarray, begin: int, end: int) -> np.ndarray:
        """Serve everybody after the wait that the world has published, whoever else is there."""
        effects, done = np.zeros(len(requests), EFFECT), np.zeros(len(requests), np.int64)
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
