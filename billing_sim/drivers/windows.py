"""The compiled loops of the coupled drivers: everybody through one window, and one life after the other by a tape.

People who are due are found without looking at the others: each window has a list of those whose next alarm lies in it,
chained through `following` and `preceding` (-1 ends a chain). `span` is described in `drivers.tuning`; the first of the
worlds holds until the start.
"""

from __future__ import annotations

from numba import types

from billing_sim import events
from billing_sim.clock import NEVER
from billing_sim.drivers.barrier import ATTEMPTS, SUCCESSES
from billing_sim.drivers.requests import Effect, Effects, Request, Requests
from billing_sim.drivers.tuning import END, FROM_START, START, list_of, tune
from billing_sim.lifecycle.booking import NO_BOOKING, booked
from billing_sim.lifecycle.delivering import deliver
from billing_sim.lifecycle.life import step_from
from billing_sim.lifecycle.ring import MOST_ROWS, begin, next_alarm
from billing_sim.lifecycle.state import PAGE_ROWS, PAGE_TRUTHS, Int, Nothing, Page, State, World
from billing_sim.rule import entry, rule

_Worlds = types.Array(World, 1, "C")
_States = types.Array(State, 1, "C")
_Pages = types.Array(Page, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")
_Table = types.Array(types.int64, 2, "C")


@rule(Nothing(_Numbers, _Numbers, _Numbers, Int, Int))
def put(heads, following, preceding, i, k):
    """Put a person at the head of a window's list."""
    first = heads[k]
    following[i] = first
    preceding[i] = -1
    if first >= 0:
        preceding[first] = i
    heads[k] = i


@rule(Nothing(_Numbers, _Numbers, _Numbers, Int, Int))
def take(heads, following, preceding, i, k):
    """Take a person out of a window's list."""
    before = preceding[i]
    after = following[i]
    if before >= 0:
        following[before] = after
    else:
        heads[k] = after
    if after >= 0:
        preceding[after] = before


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


@entry(Nothing(_Worlds, _Numbers, _Numbers, _Numbers, _States, _Numbers, _Numbers, _Numbers, _Numbers, _Pages))
def begin_together(worlds, numbers, markets, span, states, next_at, heads, following, preceding, pages):
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
        next_at[i] = at
        if at < span[END]:
            put(heads, following, preceding, i, list_of(span, at))


@entry(Nothing(_Worlds, _Numbers, _States, _Numbers, _Numbers, Int, Int, _Numbers))
def book_window(worlds, span, states, heads, following, k, until, bookings):
    """Count what people book for window `k`, by gateway and the one after it."""
    i = heads[k]
    while i >= 0:
        state = states[i]
        code = booked(worlds[span[FROM_START] + state.lives_in], state, until)
        if code != NO_BOOKING:
            bookings[code] += 1
        i = following[i]


@entry(
    Int(_Worlds, _Numbers, Int, Int, _States, _Numbers, _Numbers, _Numbers, _Numbers, _Pages, _Table, Requests, Int,
        _Numbers)
)  # fmt: skip
def run_window(
    worlds, span, k, until, states, next_at, heads, following, preceding, pages, counts, requests, first, filled
):
    """Ring everything in window `k`; return 1 when it is over, 0 when there is no more room for requests.

    Nobody's rows are kept; attempts are counted. `first` is the place of the first person among all. `filled`
    receives the requests written and adds up the alarms rung.
    """
    page = pages[0]
    i = heads[k]
    while i >= 0:
        take(heads, following, preceding, i, k)
        state = states[i]
        at = next_at[i]
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
        next_at[i] = at
        if at < span[END]:
            put(heads, following, preceding, i, list_of(span, at))
        if is_full:
            return 0
        i = heads[k]
    return 1


@entry(Nothing(_Worlds, _Numbers, _States, _Numbers, _Numbers, _Numbers, _Numbers, _Pages, Effects, Int, Int))
def deliver_effects(
    worlds, span, states, next_at, heads, following, preceding, pages, effects, first, now
):  # fmt: skip
    """Deliver effects at the barrier `now`, to those of their subscribers who are among these people."""
    for e in range(len(effects)):
        i = effects[e].place - first
        if 0 <= i < len(states):
            state = states[i]
            state.rows = 0
            state.truths = 0
            if next_at[i] < span[END]:
                take(heads, following, preceding, i, list_of(span, next_at[i]))
            next_at[i] = receive(worlds[span[FROM_START] + state.lives_in], state, pages[0], now, effects[e])
            if next_at[i] < span[END]:
                put(heads, following, preceding, i, list_of(span, next_at[i]))


@entry(Int(_Worlds, _Numbers, _States, Int, _Pages, Effects, Int, Int, _Numbers))
def receive_one(worlds, span, states, i, pages, effects, e, now, filled):
    """Deliver one effect to record `i`, its rows going behind those already written; return the next alarm."""
    state = states[i]
    state.rows = filled[0]
    state.truths = filled[1]
    at = receive(worlds[span[FROM_START] + state.lives_in], state, pages[0], now, effects[e])
    filled[0] = state.rows
    filled[1] = state.truths
    return at


@entry(Int(_Worlds, _Numbers, _States, Int, Int))
def book_one(worlds, span, states, i, until):
    """What record `i` books before the end of the window, `NO_BOOKING` for nothing."""
    return booked(worlds[span[FROM_START] + states[i].lives_in], states[i], until)


@rule(Int(Effects, Int))
def first_effect(effects, subscriber):
    """The place of a person's first effect, or of the one after which it would stand."""
    low = 0
    high = len(effects)
    while low < high:
        middle = (low + high) // 2
        if effects[middle].subscriber < subscriber:
            low = middle + 1
        else:
            high = middle
    return low


@entry(Int(_Worlds, _Numbers, _Numbers, Int, _Numbers, _States, _Pages, _Numbers, _Table, Effects, _Numbers, _Numbers))
def run_by_tape(worlds, numbers, markets, first, span, states, pages, places, tables, effects, due, filled):
    """Run lives from `first` on by a tape until the page is full; return the first life that is not on it.

    As in the batch driver's loop, but what people share comes from the tape: what was published, and what desks
    answered them.
    """
    page = pages[0]
    written = 0
    told = 0
    i = first
    while i < len(numbers):
        states[0] = states[1]
        state = states[0]
        state.rows = written
        state.truths = told
        tune(worlds[0], places, tables, -1)
        begin(worlds[0], state, markets[i], numbers[i])
        at = next_alarm(state)
        while at < span[START]:
            at = step_from(worlds, 0, state, page)
        state.asks = 0
        e = first_effect(effects, numbers[i])
        rung = 0
        while True:
            barrier = due[e] if e < len(effects) and effects[e].subscriber == numbers[i] else NEVER
            # What desks settled in the last window is still told; nothing rings any more.
            if at >= span[END] and barrier == NEVER:
                break
            if state.rows > PAGE_ROWS - MOST_ROWS or state.truths > PAGE_TRUTHS - MOST_ROWS:
                filled[0] = written
                filled[1] = told
                return i
            world = worlds[span[FROM_START] + state.lives_in]
            if barrier <= at or at >= span[END]:
                # Effects come before the barrier publishes.
                tune(world, places, tables, list_of(span, barrier) - 1)
                at = receive(world, state, page, barrier, effects[e])
                e += 1
            else:
                # An experiment may move a person within the step; its other arms see the same.
                for r in range(span[FROM_START], len(worlds) if world.enrolling else span[FROM_START]):
                    tune(worlds[r], places, tables, list_of(span, at))
                tune(world, places, tables, list_of(span, at))
                at = step_from(worlds, span[FROM_START], state, page)
                rung += 1
                state.asks = 0
        written = state.rows
        told = state.truths
        filled[2] += rung
        i += 1
    filled[0] = written
    filled[1] = told
    return i
