"""The lines at the desks of another run, and what one more meets who joins them: asked person by person.

`drivers.desk` serves whole windows of people. Whoever plays out what might have been of one person alone asks here: all
who came in that run are served as if nobody else had come, and the one person waits for whoever came before. Desks
serve in the order of coming, so who is busy when depends on those before alone. That is kept for every `_EVERY`th of a
line, and worked out from there for the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from billing_sim.clock import NEVER
from billing_sim.drivers.desk_kernel import desk_for, free_agent, tell
from billing_sim.drivers.requests import REQUEST, REVIEW, Effects, Request, Requests, in_order
from billing_sim.lifecycle.state import Int, Nothing, World
from billing_sim.lifecycle.support import ABANDONED, ANSWERED, COMPLETED
from billing_sim.rule import entry, records, rule
from billing_sim.world.record import AGENTS, DESKS, REVIEW_DESK

_Worlds = types.Array(World, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")
_Table = types.Array(types.int64, 2, "C")
Lines = types.Tuple((Requests, _Numbers, _Table, _Numbers, _Table))
"""Who came, desk by desk, each in the order of coming; where the line of each desk begins (and the last one ends);
until when agents are busy before every `_EVERY`th of a line, behind the moment from which the next is served; where the
marks of each desk begin; and room to work in: a row of agents for each desk."""

_EVERY = 64
_FROM, _FIRST_AGENT = 0, 1
"""Columns of a mark."""


@rule(Int(World, _Table, Int, Request, Int, Int))
def turn_of(world, busy, desk, request, since, end):
    """When one's turn comes and with whom, as `free_agent` tells it; NEVER for who gives up, or not before `end`."""
    gone = NEVER
    if request.patience < NEVER - request.at:
        gone = request.at + request.patience
    return free_agent(world, busy, desk, max(request.at, since), min(end, gone + 1))


@rule(Int(World, _Table, Int, Request, Int, Int))
def serve_next(world, busy, desk, request, since, end):
    """Serve whoever is next in line; return the moment from which the one behind them is served."""
    found = turn_of(world, busy, desk, request, since, end)
    if found == NEVER:
        return since
    at = found // AGENTS
    busy[desk, found % AGENTS] = at + max(request.service, 1)
    return at


@entry(Nothing(_Worlds, Lines, Int))
def mark_lines(worlds, lines, end):
    """Serve every line from its beginning, and fill in the marks."""
    came, begins, marks, marked_from, busy = lines
    for desk in range(DESKS):
        since = 0
        for agent in range(AGENTS):
            busy[desk, agent] = 0
        for r in range(begins[desk], begins[desk + 1]):
            if (r - begins[desk]) % _EVERY == 0:
                mark = marked_from[desk] + (r - begins[desk]) // _EVERY
                marks[mark, _FROM] = since
                for agent in range(AGENTS):
                    marks[mark, _FIRST_AGENT + agent] = busy[desk, agent]
            since = serve_next(worlds[0], busy, desk, came[r], since, end)


@rule(Int(Request, Request))
def comes_before(one, other):
    """Whether one request comes before another at its desk; of two that are alike neither does."""
    if one.at != other.at:
        return 1 if one.at < other.at else 0
    if one.subscriber != other.subscriber:
        return 1 if one.subscriber < other.subscriber else 0
    return 1 if one.detail < other.detail else 0


@rule(Int(Requests, Int, Int, Request))
def place_of(came, begin, end, request):
    """The place of the first of a line who does not come before this request."""
    low = begin
    high = end
    while low < high:
        middle = (low + high) // 2
        if comes_before(came[middle], request):
            low = middle + 1
        else:
            high = middle
    return low


@rule(Int(World, Lines, Int, Request, Int))
def turn_in_line(world, lines, desk, request, end):
    """When the turn of one more comes who joins a desk's line, and with whom, as `free_agent` tells it."""
    came, begins, marks, marked_from, busy = lines
    begin = begins[desk]
    place = place_of(came, begin, begins[desk + 1], request)
    # The last mark before this place; with nobody before it there may be none, and everybody is free.
    known = max(place - 1 - begin, 0) // _EVERY
    mark = marked_from[desk] + known
    since = marks[mark, _FROM] if place > begin else 0
    for agent in range(AGENTS):
        busy[desk, agent] = marks[mark, _FIRST_AGENT + agent] if place > begin else 0
    for r in range(begin + known * _EVERY, place):
        since = serve_next(world, busy, desk, came[r], since, end)
    return turn_of(world, busy, desk, request, since, end)


@rule(Int(World, Lines, Request, Effects, Int))
def answer(world, lines, request, told, end):
    """What comes of one more request, written into `told` in the order of time; return how many effects that is."""
    found = turn_in_line(world, lines, desk_for(world, request), request, end)
    if found < NEVER:
        at = found // AGENTS
        agent = found % AGENTS + 1
        tell(told[0], request, at, ANSWERED, at - request.at, agent)
        tell(told[1], request, at + max(request.service, 1), COMPLETED, at - request.at, agent)
        return 2
    if request.patience < NEVER - request.at and request.at + request.patience < end:
        tell(told[0], request, request.at + request.patience, ABANDONED, request.patience, 0)
        return 1
    return 0


def lines_of(world: np.recarray, requests: np.ndarray, end: int) -> tuple[Any, ...]:
    """The lines of these requests (`requests.REQUEST`) at the desks of a world that is followed until `end`."""
    ordered = in_order(requests)
    # As `desk_kernel.desk_for` says it of one.
    desks = np.where(ordered["queue"] == REVIEW, REVIEW_DESK, world.desk_of[0][ordered["detail"]])
    counts = np.bincount(desks, minlength=DESKS)
    begins, marked_from = (np.concatenate([[0], np.cumsum(it)]) for it in (counts, -(-counts // _EVERY)))
    came = records(np.ascontiguousarray(ordered[np.argsort(desks, kind="stable")]))
    marks = np.zeros((int(marked_from[-1]), AGENTS + 1), np.int64)
    lines = (came, begins, marks, marked_from[:-1].copy(), np.zeros((DESKS, AGENTS), np.int64))
    mark_lines(records(world), lines, end)
    return lines


NO_LINES = (
    records(np.zeros(0, REQUEST)), np.zeros(DESKS + 1, np.int64), np.zeros((0, AGENTS + 1), np.int64),
    np.zeros(DESKS, np.int64), np.zeros((DESKS, AGENTS), np.int64),
)  # fmt: skip
"""Those of a world in which nobody queues."""
