"""The compiled loops of desks: who is on shift, who is free, and who is served when (see `drivers.desk`)."""

from __future__ import annotations

from numba import types

from billing_sim.clock import HOUR, NEVER
from billing_sim.drivers.requests import Effect, Effects, Request, Requests
from billing_sim.lifecycle.state import Int, Nothing, World
from billing_sim.lifecycle.support import ABANDONED, ANSWERED, COMPLETED, agents_at
from billing_sim.rule import entry, rule
from billing_sim.world.record import AGENTS, REVIEW_DESK

_Worlds = types.Array(World, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")
_Busy = types.Array(types.int64, 2, "C")

HEAD, TAIL, COMING = range(3)
"""Places in the sizes of a line: the first who waits, the one behind the last, and how many contacts are being held."""


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


@rule(Nothing(Effect, Request, Int, Int, Int, Int))
def tell(effect, request, at, outcome, wait, agent):
    """Write an effect about a request."""
    effect.at = at
    effect.subscriber = request.subscriber
    effect.place = request.place
    effect.queue = request.queue
    effect.detail = request.detail
    effect.outcome = outcome
    effect.wait = wait
    effect.agent = agent


@rule(Nothing(_Numbers, Requests, _Numbers, _Numbers, Int))
def close_up(sizes, line, beside, done, seen):
    """Whoever still waits among those `seen` moves up to those behind them, in the same order."""
    first = seen
    for i in range(seen - 1, sizes[HEAD] - 1, -1):
        if done[i] == 0:
            first -= 1
            line[first] = line[i]
            beside[first] = beside[i]
    sizes[HEAD] = first


@rule(Int(_Numbers, Effects, Effects, Int))
def finish(sizes, coming, told, end):
    """Tell what earlier windows began and is over before `end`; return how much that is."""
    n = 0
    left = 0
    for i in range(sizes[COMING]):
        if coming[i].at < end:
            told[n] = coming[i]
            n += 1
        else:
            coming[left] = coming[i]
            left += 1
    sizes[COMING] = left
    return n


@entry(Int(_Worlds, _Busy, Int, _Numbers, _Numbers, Requests, _Numbers, _Numbers, Effects, Effects, Int, Int))
def serve_line(worlds, busy, desk, frontier, sizes, line, beside, done, coming, told, alone, end):
    """Serve whoever waits at a desk until `end`; return how many effects are told.

    `line` are those who wait, in their order, from `sizes[HEAD]` to before `sizes[TAIL]`; `frontier` is when each desk
    began its last contact; `coming` are ends of contacts that lie beyond `end`. `done` receives for every request when
    it will be handled, 0 when it still waits, -1 when the member gave up. Whoever is `beside` (1) is served as all
    before them leave it, and keeps nobody waiting; when they are what it is about (`alone`), nobody else is told of.
    """
    n = finish(sizes, coming, told, end)
    blocked = False
    i = sizes[HEAD]
    # Cases to be reviewed wait without end: behind one that nobody takes up there is nothing to find.
    while i < sizes[TAIL] and not (blocked and desk == REVIEW_DESK):
        request = line[i]
        gone = NEVER
        if request.patience < NEVER - request.at:
            gone = request.at + request.patience
        found = NEVER
        if not blocked:
            found = free_agent(worlds, busy, desk, max(request.at, frontier[desk]), min(end, gone + 1))
        done[i] = 0
        is_told = beside[i] or not alone
        if found < NEVER:
            at = found // AGENTS
            agent = found % AGENTS
            done[i] = at + max(request.service, 1)
            if not beside[i]:
                frontier[desk] = at
                busy[desk, agent] = done[i]
            if is_told:
                tell(told[n], request, at, ANSWERED, at - request.at, agent + 1)
                n += 1
                if done[i] < end:
                    tell(told[n], request, done[i], COMPLETED, at - request.at, agent + 1)
                    n += 1
                else:
                    tell(coming[sizes[COMING]], request, done[i], COMPLETED, at - request.at, agent + 1)
                    sizes[COMING] += 1
        elif gone < end:
            done[i] = -1
            if is_told:
                tell(told[n], request, gone, ABANDONED, request.patience, 0)
                n += 1
        elif not beside[i]:
            blocked = True
        i += 1
    close_up(sizes, line, beside, done, i)
    return n
