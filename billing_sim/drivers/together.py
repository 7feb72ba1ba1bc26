"""How the coupled drivers call their compiled loops.

Those in which lives go on are one entry point: each of its own would hold a copy of every rule, to be optimised
again (measured: 7 s for each).
"""

from __future__ import annotations

import numpy as np
from numba import types

from billing_sim.drivers.course import Tapes, run_on
from billing_sim.drivers.desk_kernel import Desks
from billing_sim.drivers.playing import play
from billing_sim.drivers.publishing import Memory
from billing_sim.drivers.requests import EFFECT, REQUEST, Effects, Requests
from billing_sim.drivers.tuning import FROM_START
from billing_sim.drivers.windows import Lists, begin_lives, book_all, receive, receive_all, ring_window
from billing_sim.lifecycle.booking import booked
from billing_sim.lifecycle.state import Int, Nothing, Page, State, World
from billing_sim.rule import entry, records

_Worlds = types.Array(World, 1, "C")
_States = types.Array(State, 1, "C")
_Pages = types.Array(Page, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")
_Table = types.Array(types.int64, 2, "C")

_BEGIN, _RING, _RUN_ON, _PLAY = range(4)
_NOBODY = np.zeros(0, np.int64)
_NO_TABLE = np.zeros((0, 0), np.int64)
_NO_LISTS = (_NOBODY, _NO_TABLE)
_NO_REQUESTS = records(np.zeros(0, REQUEST))
_NO_EFFECTS = records(np.zeros(0, EFFECT))
_NO_TABLES = np.zeros((0, 0, 0), np.int64)
_NO_MEMORY = (_NOBODY, _NO_TABLES, _NO_TABLES, _NO_TABLE, _NO_TABLE, _NO_TABLE)
_NO_DESKS = (
    _NO_TABLE, _NOBODY, _NO_TABLE, records(np.zeros((0, 0), REQUEST)), _NO_TABLE, _NO_TABLE,
    records(np.zeros((0, 0), EFFECT)),
)  # fmt: skip
_NO_TAPES = (_NO_TABLE, _NO_TABLE, _NOBODY, _NO_REQUESTS, _NOBODY, _NO_REQUESTS, _NO_EFFECTS, _NOBODY)
_NO_COURSE = (_NO_MEMORY, _NO_DESKS, _NO_TAPES)


@entry(
    Int(Int, _Worlds, _Numbers, _Numbers, _Numbers, _States, Lists, _Pages, Int, Int, Int, _Numbers, _Table, Requests,
        Effects, _Numbers, _Numbers, Memory, Desks, Tapes),
    long="what people share",
)  # fmt: skip
def _engine(
    what, worlds, span, numbers, markets, states, lists, pages, first, k, until, places, tables, requests, effects, due,
    filled, memory, desks, tapes,
):  # fmt: skip
    if what == _BEGIN:
        begin_lives(worlds, numbers, markets, span, states, lists, pages)
        return 0
    if what == _RING:
        return ring_window(worlds, span, k, until, states, lists, pages, tables, requests, first, filled)
    if what == _RUN_ON:
        return run_on(worlds, span, k, states, lists, pages, memory, desks, tapes, filled)
    return play(worlds, numbers, markets, first, span, states, pages, places, tables, effects, due, filled)


def begin_together(worlds, numbers, markets, span, states, lists, pages):
    """Begin all lives and let them go on until the start, each on its own; put them on the lists."""
    _engine(
        _BEGIN, worlds, span, numbers, markets, states, lists, pages, 0, 0, 0, _NOBODY, _NO_TABLE, _NO_REQUESTS,
        _NO_EFFECTS, _NOBODY, _NOBODY, *_NO_COURSE,
    )  # fmt: skip


def run_window(worlds, span, k, until, states, lists, pages, counts, requests, first, filled):
    """Ring everything in window `k`; return 1 when it is over, 0 when there is no more room for requests.

    Nobody's rows are kept; attempts are added to `counts`. `first` is the place of the first person among all.
    `filled` receives the requests written and adds up the alarms rung.
    """
    return _engine(
        _RING, worlds, span, _NOBODY, _NOBODY, states, lists, pages, first, k, until, _NOBODY, counts, requests,
        _NO_EFFECTS, _NOBODY, filled, *_NO_COURSE,
    )  # fmt: skip


def run_course(worlds, span, last, states, lists, pages, memory, desks, tapes, course):
    """Run windows until that with the number `last`, or until there is no room; return why it stops."""
    return _engine(
        _RUN_ON, worlds, span, _NOBODY, _NOBODY, states, lists, pages, 0, last, 0, _NOBODY, _NO_TABLE, _NO_REQUESTS,
        _NO_EFFECTS, _NOBODY, course, memory, desks, tapes,
    )  # fmt: skip


def run_by_tape(worlds, numbers, markets, first, span, states, pages, places, tables, effects, due, filled):
    """Run lives from `first` on by a tape until the page is full; return the first life that is not on it."""
    return _engine(
        _PLAY, worlds, span, numbers, markets, states, _NO_LISTS, pages, first, 0, 0, places, tables, _NO_REQUESTS,
        effects, due, filled, *_NO_COURSE,
    )  # fmt: skip


@entry(Nothing(_Worlds, _Numbers, _States, Lists, Int, Int, _Numbers))
def book_window(worlds, span, states, lists, k, until, bookings):
    """Count what people book for window `k`, by gateway and the one after it."""
    book_all(worlds, span, states, lists, k, until, bookings)


@entry(Nothing(_Worlds, _Numbers, _States, Lists, _Pages, Effects, Int, Int))
def deliver_effects(worlds, span, states, lists, pages, effects, first, now):
    """Deliver effects at the barrier `now`, to those of their subscribers who are among these people."""
    receive_all(worlds, span, states, lists, pages, effects, first, now)


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
