"""The loop over lives that run by a tape, one after the other; `drivers.together` is how it is called."""

from __future__ import annotations

from numba import types

from billing_sim.clock import NEVER
from billing_sim.drivers.requests import Effects
from billing_sim.drivers.tuning import END, FROM_START, START, list_of, tune
from billing_sim.drivers.windows import receive
from billing_sim.lifecycle.life import step_from
from billing_sim.lifecycle.ring import MOST_ROWS, begin, next_alarm
from billing_sim.lifecycle.state import PAGE_ROWS, PAGE_TRUTHS, Int, Page, State, World
from billing_sim.rule import rule

_Worlds = types.Array(World, 1, "C")
_States = types.Array(State, 1, "C")
_Pages = types.Array(Page, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")
_Table = types.Array(types.int64, 2, "C")


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


@rule(Int(_Worlds, _Numbers, _Numbers, Int, _Numbers, _States, _Pages, _Numbers, _Table, Effects, _Numbers, _Numbers))
def play(worlds, numbers, markets, first, span, states, pages, places, tables, effects, due, filled):
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
