"""The compiled loops of desks: who is on shift, who is free, and who is served when (see `drivers.desk`).

All desks of a run lie in one `Desks`, in which each has a row: until when each agent is occupied; when the desk began
its last contact; its sizes (below); who waits, from HEAD to before TAIL; which of them are `beside` the others (1);
when each will be handled; and the ends of contacts that are being held. Places are taken from left to right, and those
who still wait move up when there is no more room: a window costs what happens in it, not what has piled up.
"""

from __future__ import annotations

from numba import types

from billing_sim.clock import HOUR, NEVER
from billing_sim.drivers.requests import Effect, Effects, Request, Requests
from billing_sim.lifecycle.reviews import REVIEW_QUEUE
from billing_sim.lifecycle.state import Int, Nothing, World
from billing_sim.lifecycle.support import ABANDONED, ANSWERED, COMPLETED, agents_at
from billing_sim.rule import entry, rule
from billing_sim.world.record import AGENTS, DESKS, REVIEW_DESK

_Worlds = types.Array(World, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")
_Table = types.Array(types.int64, 2, "C")
Desks = types.Tuple(
    (
        _Table, _Numbers, _Table, types.Array(Request, 2, "C"), _Table, _Table, types.Array(Effect, 2, "C"),
    )
)  # fmt: skip

HEAD, TAIL, COMING = range(3)
"""Places in the sizes of a line: the first who waits, the one behind the last, and how many contacts are being held."""


AT_DESKS, FOR_EFFECTS = 1, 2
"""What there may be no room for: who waits and is being served, or what has been settled."""


@rule(Int(World, Int))
def next_shift(world, at):
    """The next moment at which the number of agents may change."""
    following = (at // HOUR + 1) * HOUR
    for epoch in range(world.staff_epochs):
        if at < world.staff_from[epoch] < following:
            following = world.staff_from[epoch]
    return following


@rule(Int(World, _Table, Int, Int, Int))
def free_agent(world, busy, desk, at, end):
    """The first moment from `at` on at which an agent is free, and who, as moment * AGENTS + number; NEVER from `end`.

    `busy` holds, for each desk and agent, until when they are occupied.
    """
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


@rule(Nothing(_Numbers, Requests, _Numbers))
def move_up(sizes, line, beside):
    """Begin with whoever is first in line."""
    waiting = sizes[TAIL] - sizes[HEAD]
    for i in range(waiting):
        line[i] = line[sizes[HEAD] + i]
        beside[i] = beside[sizes[HEAD] + i]
    sizes[HEAD] = 0
    sizes[TAIL] = waiting


@rule(Nothing(Desks, Int, Request, Int))
def join(desks, desk, request, is_beside):
    """Put somebody behind the others."""
    _, _, sizes, lines, beside, _, _ = desks
    if sizes[desk, TAIL] == lines.shape[1]:
        move_up(sizes[desk], lines[desk], beside[desk])
    lines[desk, sizes[desk, TAIL]] = request
    beside[desk, sizes[desk, TAIL]] = is_beside
    sizes[desk, TAIL] += 1


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


@rule(Int(World, Desks, Int, Effects, Int, Int))
def serve_line(world, desks, desk, told, alone, end):
    """Serve whoever waits at a desk until `end`; return how many effects are told.

    When they are handled is 0 for those who still wait, and -1 for those who gave up. Whoever is `beside` is served as
    all before them leave it, and keeps nobody waiting; where it is about them (`alone`), nobody else is told of.
    """
    busy, frontier, all_sizes, lines, besides, dones, comings = desks
    sizes = all_sizes[desk]
    line = lines[desk]
    beside = besides[desk]
    done = dones[desk]
    coming = comings[desk]
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
            found = free_agent(world, busy, desk, max(request.at, frontier[desk]), min(end, gone + 1))
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


@rule(Int(World, Request))
def desk_for(world, request):
    """The desk that a request goes to."""
    return REVIEW_DESK if request.queue == REVIEW_QUEUE else world.desk_of[request.detail]


@rule(Int(World, Desks, Requests, Effects))
def room_lacks(world, desks, requests, told):
    """Whether these requests need more room at a desk (`AT_DESKS`), or what comes of them does (`FOR_EFFECTS`)."""
    _, _, sizes, lines, _, _, _ = desks
    room = lines.shape[1]
    effects = 0
    for desk in range(DESKS):
        waiting = sizes[desk, TAIL] - sizes[desk, HEAD]
        for r in range(len(requests)):
            waiting += desk_for(world, requests[r]) == desk
        if waiting + sizes[desk, COMING] > room:
            return AT_DESKS
        effects += 2 * waiting + sizes[desk, COMING]
    return FOR_EFFECTS if effects > len(told) else 0


@rule(Int(World, Desks, Requests, _Numbers, Effects, Int, Int))
def serve_all(world, desks, requests, beside, told, alone, end):
    """Put requests behind those who wait and serve until `end`; return how many effects are told, in no order.

    There must be room for all of it (`room_lacks`).
    """
    for r in range(len(requests)):
        join(desks, desk_for(world, requests[r]), requests[r], beside[r])
    _, _, sizes, _, _, _, _ = desks
    n = 0
    for desk in range(DESKS):
        if sizes[desk, TAIL] > sizes[desk, HEAD] or sizes[desk, COMING]:
            n += serve_line(world, desks, desk, told[n:], alone, end)
    return n


@entry(Int(_Worlds, Desks, Requests, _Numbers, Effects, Int, Int))
def serve_window(worlds, desks, requests, beside, told, alone, end):
    """Serve one window; return how many effects are told, or, below 0, what there is no room for (`room_lacks`)."""
    lacks = room_lacks(worlds[0], desks, requests, told)
    if lacks:
        return -lacks
    return serve_all(worlds[0], desks, requests, beside, told, alone, end)
