"""The loops over everybody who shares something, one window at a time; `drivers.together` is how they are called.

People who are due are found without looking at the others: each window has a list of those whose next alarm lies in it,
chained both ways (-1 ends a chain). `lists` are the heads of the chains and everybody's `links`: their next alarm, who
follows and who precedes them, and when they will next try to pay, since who books nothing need not be looked at.
`span` is described in `drivers.tuning`; the first of the worlds holds until the start.
"""

from __future__ import annotations

from numba import types

from billing_sim import events
from billing_sim.drivers.ahead import fetch
from billing_sim.drivers.barrier import ATTEMPTS, SUCCESSES
from billing_sim.drivers.requests import Effect, Effects, Request, Requests
from billing_sim.drivers.tuning import END, FROM_START, START, list_of
from billing_sim.lifecycle.booking import booked, payment_due
from billing_sim.lifecycle.delivering import deliver
from billing_sim.lifecycle.life import step_from
from billing_sim.lifecycle.ring import begin, next_alarm
from billing_sim.lifecycle.state import Int, Nothing, Page, State, World
from billing_sim.rule import rule

_Worlds = types.Array(World, 1, "C")
_States = types.Array(State, 1, "C")
_Pages = types.Array(Page, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")
_Table = types.Array(types.int64, 2, "C")
Lists = types.Tuple((_Numbers, _Table))

NEXT_AT, FOLLOWING, PRECEDING, PAYS_AT = range(4)
"""Columns of links. A row of them is half a line of the processor's cache, and people lie anywhere in memory."""


@rule(Nothing(_Numbers, _Table, Int, Int), inline=True)
def put(heads, links, i, k):
    """Put a person at the head of a window's list."""
    first = heads[k]
    links[i, FOLLOWING] = first
    links[i, PRECEDING] = -1
    if first >= 0:
        links[first, PRECEDING] = i
    heads[k] = i


@rule(Nothing(_Numbers, _Table, Int, Int), inline=True)
def take(heads, links, i, k):
    """Take a person out of a window's list."""
    before = links[i, PRECEDING]
    after = links[i, FOLLOWING]
    if before >= 0:
        links[before, FOLLOWING] = after
    else:
        heads[k] = after
    if after >= 0:
        links[after, PRECEDING] = before


@rule(Nothing(_Worlds, _Numbers, State, Lists, Int, Int))
def expect(worlds, span, state, lists, i, at):
    """Put a person on the list of the window in which their next alarm lies, if that is one of this run."""
    heads, links = lists
    links[i, NEXT_AT] = at
    if at < span[END]:
        links[i, PAYS_AT] = payment_due(worlds[span[FROM_START] + state.lives_in], state)
        put(heads, links, i, list_of(span, at))


@rule(Nothing(State, Page, _Table))
def count_attempts(state, page, counts):
    """Add what the rows of one ring say about gateways: attempts, and those that were authorized."""
    for r in range(state.rows):
        row = page.rows[r]
        kind = row.kind
        if events.ATTEMPT_AUTHORIZED <= kind <= events.GATEWAY_CALL_FAILED and kind != events.ATTEMPT_RECONCILED:
            counts[ATTEMPTS, row.gateway] += 1
            if kind == events.ATTEMPT_AUTHORIZED:
                counts[SUCCESSES, row.gateway] += 1


@rule(Nothing(State, Request, Int))
def write_request(state, request, place):
    """Write down what a person asks of a desk."""
    request.at = state.asks_at
    request.subscriber = state.subject
    request.place = place
    request.queue = state.asks
    request.detail = state.asks_detail
    request.patience = state.asks_patience
    request.service = state.asks_service


@rule(Int(World, State, Page, Int, Effect))
def receive(world, state, page, now, effect):
    """Deliver an effect to its subscriber; return the next alarm."""
    deliver(world, state, page, now, effect.queue, effect.at, effect.outcome, effect.wait)
    state.asks = 0
    return next_alarm(state)


@rule(Nothing(_Worlds, _Numbers, _Numbers, _Numbers, _States, Lists, _Pages))
def begin_lives(worlds, numbers, markets, span, states, lists, pages):
    """Begin all lives and let them go on until the start, each on its own; put them on the lists."""
    page = pages[0]
    for i in range(len(numbers)):
        state = states[i]
        begin(worlds[0], state, markets[i], numbers[i])
        at = next_alarm(state)
        while at < span[START]:
            state.rows = 0
            state.truths = 0
            at = step_from(worlds, 0, state, page)
        state.asks = 0
        expect(worlds, span, state, lists, i, at)


@rule(Nothing(_Worlds, _Numbers, _States, Lists, Int, Int, _Numbers))
def book_all(worlds, span, states, lists, k, until, bookings):
    """Count what people book for window `k`, by gateway and the one after it."""
    heads, links = lists
    i = heads[k]
    while i >= 0:
        after = links[i, FOLLOWING]
        if after >= 0 and links[after, PAYS_AT] < until:
            fetch(states, after)
        if links[i, PAYS_AT] < until:
            bookings[booked(worlds[span[FROM_START] + states[i].lives_in], states[i], until)] += 1
        i = after


@rule(Int(_Worlds, _Numbers, Int, Int, _States, Lists, _Pages, _Table, Requests, Int, _Numbers))
def ring_window(worlds, span, k, until, states, lists, pages, counts, requests, first, filled):
    """Ring everything in window `k`; return 1 when it is over, 0 when there is no more room for requests.

    Nobody's rows are kept; attempts are counted. `first` is the place of the first person among all. `filled`
    receives the requests written and adds up the alarms rung.
    """
    page = pages[0]
    heads, links = lists
    i = heads[k]
    while i >= 0:
        if links[i, FOLLOWING] >= 0:
            fetch(states, links[i, FOLLOWING])
        take(heads, links, i, k)
        state = states[i]
        at = links[i, NEXT_AT]
        is_full = False
        while at < until and not is_full:
            state.rows = 0
            state.truths = 0
            at = step_from(worlds, span[FROM_START], state, page)
            filled[1] += 1
            count_attempts(state, page, counts)
            if state.asks:
                write_request(state, requests[filled[0]], first + i)
                filled[0] += 1
                state.asks = 0
                is_full = filled[0] == len(requests)
        expect(worlds, span, state, lists, i, at)
        if is_full:
            return 0
        i = heads[k]
    return 1


@rule(Nothing(_Worlds, _Numbers, _States, Lists, _Pages, Effects, Int, Int))
def receive_all(worlds, span, states, lists, pages, effects, first, now):
    """Deliver effects at the barrier `now`, to those of their subscribers who are among these people."""
    heads, links = lists
    for e in range(len(effects)):
        i = effects[e].place - first
        if 0 <= i < len(states):
            state = states[i]
            state.rows = 0
            state.truths = 0
            if links[i, NEXT_AT] < span[END]:
                take(heads, links, i, list_of(span, links[i, NEXT_AT]))
            at = receive(worlds[span[FROM_START] + state.lives_in], state, pages[0], now, effects[e])
            expect(worlds, span, state, lists, i, at)
