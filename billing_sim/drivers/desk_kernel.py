"""The compiled loops of desks: who is on shift, who is free, and who is served when (see `drivers.desk`)."""

from __future__ import annotations

from numba import types

from billing_sim.clock import HOUR, NEVER
from billing_sim.drivers.requests import Effects, Requests
from billing_sim.lifecycle.reviews import REVIEW_QUEUE
from billing_sim.lifecycle.state import Int, Nothing, World
from billing_sim.lifecycle.support import ABANDONED, ANSWERED, agents_at
from billing_sim.rule import entry, rule
from billing_sim.world.record import AGENTS, REVIEW_DESK

_Worlds = types.Array(World, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")
_Busy = types.Array(types.int64, 2, "C")


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


@entry(Int(_Worlds, _Busy, Requests, _Numbers, _Numbers, _Numbers, Effects, Int))
def serve_waiting(worlds, busy, requests, beside, frontier, done, effects, end):
    """Serve whoever waits until `end`; return how many effects there are.

    `requests` are all who wait, in their order; `frontier` is when each desk began its last contact. `done` receives
    for every request when it will be handled, 0 when it still waits, -1 when the member gave up. Whoever is
    `beside` (1) is served as all before them leave it, and keeps nobody waiting.
    """
    world = worlds[0]
    n = 0
    blocked = 0
    for i in range(len(requests)):
        request = requests[i]
        desk = REVIEW_DESK if request.queue == REVIEW_QUEUE else world.desk_of[request.detail]
        gone = NEVER
        if request.patience < NEVER - request.at:
            gone = request.at + request.patience
        found = NEVER
        if not blocked & (1 << desk):
            found = free_agent(worlds, busy, desk, max(request.at, frontier[desk]), min(end, gone + 1))
        if found < NEVER:
            at = found // AGENTS
            agent = found % AGENTS
            done[i] = at + max(request.service, 1)
            if not beside[i]:
                frontier[desk] = at
                busy[desk, agent] = done[i]
            tell(effects, requests, i, n, at, ANSWERED, at - request.at, agent + 1)
            n += 1
        elif gone < end:
            done[i] = -1
            tell(effects, requests, i, n, gone, ABANDONED, request.patience, 0)
            n += 1
        else:
            done[i] = 0
            if not beside[i]:
                blocked |= 1 << desk
    return n
