"""The compiled loops of both drivers: lives run to the horizon one after the other, or one alarm at a time.

They are one entry point: each of its own would hold a copy of every rule, to be optimised again.
"""

from __future__ import annotations

import numpy as np
from numba import types

from billing_sim.lifecycle.life import step
from billing_sim.lifecycle.ring import MOST_ROWS, begin, next_alarm
from billing_sim.lifecycle.state import PAGE, PAGE_ROWS, PAGE_TRUTHS, Int, Page, State, World
from billing_sim.rule import entry, rule

_Worlds = types.Array(World, 1, "C")
_States = types.Array(State, 1, "C")
_Pages = types.Array(Page, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")

_RUN, _BEGIN, _RING = 0, 1, 2
_NOBODY = np.zeros(0, np.int64)
_NO_PAGES = np.zeros(0, PAGE)


@rule(Int(_Worlds, _Worlds, _Numbers, _Numbers, Int, _States, _Pages, _Numbers))
def _run_lives(before, after, numbers, markets, first, states, pages, filled):
    page = pages[0]
    start = before[0].start
    end = after[0].end
    written = 0
    told = 0
    i = first
    while i < len(numbers):
        states[0] = states[1]
        state = states[0]
        state.rows = written
        state.truths = told
        begin(before[0], state, markets[i], numbers[i])
        at = next_alarm(state)
        rung = 0
        while at < start:
            at = step(before, state, page)
            rung += 1
        while at < end:
            if state.rows > PAGE_ROWS - MOST_ROWS or state.truths > PAGE_TRUTHS - MOST_ROWS:
                filled[0] = written
                filled[1] = told
                return i
            at = step(after, state, page)
            rung += 1
        written = state.rows
        told = state.truths
        filled[2] += rung
        i += 1
    filled[0] = written
    filled[1] = told
    return i


@rule(Int(_Worlds, _States, Int, Int, Int))
def _begin_life(worlds, states, i, market, number):
    state = states[i]
    begin(worlds[0], state, market, number)
    return next_alarm(state)


@rule(Int(_Worlds, _States, Int, _Pages, _Numbers))
def _ring_once(worlds, states, i, pages, filled):
    state = states[i]
    state.rows = filled[0]
    state.truths = filled[1]
    at = step(worlds, state, pages[0])
    filled[0] = state.rows
    filled[1] = state.truths
    filled[2] += 1
    return at


@entry(Int(Int, _Worlds, _Worlds, _Numbers, _Numbers, Int, _States, _Pages, _Numbers), long="the rules")
def _engine(what, worlds, after, numbers, markets, i, states, pages, filled):
    if what == _RUN:
        return _run_lives(worlds, after, numbers, markets, i, states, pages, filled)
    if what == _BEGIN:
        return _begin_life(worlds, states, i, markets[0], numbers[0])
    return _ring_once(worlds, states, i, pages, filled)


def run_lives(worlds, numbers, markets, first, states, pages, filled):
    """Run lives from `first` on until the page is full; return the first life that is not on it.

    `states` holds two records: the one in use and a blank one. `filled` receives the rows and truths written and
    adds up the alarms rung. A life that does not fit is given up whole, and is the first of the next call.
    """
    return _engine(_RUN, worlds, worlds, numbers, markets, first, states, pages, filled)


def run_paired_lives(before, after, numbers, markets, first, states, pages, filled):
    """The same, where `before` holds the world until the start and `after` the one from then on."""
    return _engine(_RUN, before, after, numbers, markets, first, states, pages, filled)


def begin_life(worlds, states, i, market, number):
    """Begin the life in record `i` and return its first alarm."""
    return _engine(
        _BEGIN,
        worlds,
        worlds,
        np.array([number], np.int64),
        np.array([market], np.int64),
        i,
        states,
        _NO_PAGES,
        _NOBODY,
    )


def ring_once(worlds, states, i, pages, filled):
    """Ring the next alarm of record `i`, its rows going behind those already written; return the moment after it."""
    return _engine(_RING, worlds, worlds, _NOBODY, _NOBODY, i, states, pages, filled)
