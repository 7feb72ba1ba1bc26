"""The windows of a run in one loop, for one crowd: what `drivers.several_crowds` does for several, without
leaving compiled code between one barrier and the next (with few members nine tenths of a window were Python's calls).

The loop stops where somebody has to make room, and goes on there. `course` says where it is (below).
"""

from __future__ import annotations

from numba import types

from billing_sim.drivers.desk_kernel import AT_DESKS, Desks, room_lacks, serve_all
from billing_sim.drivers.ordering import order_effects, order_requests
from billing_sim.drivers.publishing import HAS_CAPACITY, Memory, publish
from billing_sim.drivers.requests import Effects, Requests
from billing_sim.drivers.tuning import FIRST_WINDOW, FROM_START, WINDOW
from billing_sim.drivers.windows import Lists, book_all, receive_all, ring_window
from billing_sim.lifecycle.state import Int, Nothing, Page, State, World
from billing_sim.rule import rule
from billing_sim.world.record import PUBLISHED

_Worlds = types.Array(World, 1, "C")
_States = types.Array(State, 1, "C")
_Pages = types.Array(Page, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")
_Table = types.Array(types.int64, 2, "C")

REQUESTS, ALARMS, NOW, PHASE, ASKED_FROM, SETTLED_FROM, EFFECTS, OTHERS, IS_REPLAY, HAS_DESKS = range(10)
"""Places in a course: requests written; alarms rung; the number of the window and how far it is (below); the first
request of this window and the first effect that no barrier has delivered yet; effects written; the first request of
others that is still to come; whether another tape is replayed, and whether there are desks."""

AT_BARRIER, RINGING, SERVING = range(3)
OVER, ROOM_FOR_REQUESTS, ROOM_FOR_EFFECTS, ROOM_AT_DESKS = range(4)
"""What stops the loop: nothing more to do for now, or something that there must be more room for."""

Tapes = types.Tuple((_Table, _Table, _Numbers, Requests, _Numbers, Requests, Effects, _Numbers))
"""What is being recorded: a row for each window; attempts of the window, by gateway; bookings; requests, and marks for
desks; those of others, in a replay; effects, and the barriers that deliver them."""


@rule(Nothing(_Worlds, _Numbers, _Numbers))
def show(worlds, span, row):
    """Let everybody see what was published."""
    for w in range(span[FROM_START], len(worlds)):
        for p in range(PUBLISHED):
            worlds[w].published[p] = row[p]


@rule(Nothing(_Worlds, _Numbers, _States, Lists, _Pages, Memory, Tapes, _Numbers, Int))
def pass_barrier(worlds, span, states, lists, pages, memory, tapes, course, until):
    """Deliver what desks settled, and publish what everybody may see until the next barrier."""
    rows, counts, bookings, _, _, _, effects, _ = tapes
    knows, _, _, _, _, _ = memory
    k = course[NOW]
    settled = effects[course[SETTLED_FROM] : course[EFFECTS]]
    receive_all(worlds, span, states, lists, pages, settled, 0, until - span[WINDOW])
    if not course[IS_REPLAY]:
        if knows[HAS_CAPACITY]:
            bookings[:] = 0
            book_all(worlds, span, states, lists, k, until, bookings)
        publish(worlds[span[FROM_START]], memory, bookings, counts, rows[k])
    show(worlds, span, rows[k])
    counts[:] = 0
    course[SETTLED_FROM] = course[EFFECTS]
    course[ASKED_FROM] = course[REQUESTS]


@rule(Int(Tapes, _Numbers, Int, Int))
def stand_together(tapes, course, until, last):
    """Write what others asked in this window behind what was asked here, and put it all in order; return where it ends.

    Returns a number below 0 where there is no room for it.
    """
    _, _, _, requests, beside, others, _, _ = tapes
    first = course[REQUESTS]
    following = course[OTHERS]
    while following < len(others) and others[following].at < until:
        following += 1
    if last + (last - course[ASKED_FROM]) + following - course[OTHERS] > len(requests):
        return -1
    for i in range(course[ASKED_FROM], first):
        requests[last] = requests[i]
        beside[last] = 1
        last += 1
    for i in range(course[OTHERS], following):
        requests[last] = others[i]
        beside[last] = 0
        last += 1
    course[OTHERS] = following
    order_requests(requests[first:last], beside[first:last])
    return last


@rule(Int(World, Desks, Tapes, _Numbers, Int))
def serve_desks(world, desks, tapes, course, until):
    """Let desks serve until the window is over; return what there must be more room for, `OVER` for nothing."""
    _, _, _, requests, beside, _, effects, due = tapes
    first = course[ASKED_FROM]
    last = course[REQUESTS]
    others = course[OTHERS]
    if course[IS_REPLAY]:
        first = last
        last = stand_together(tapes, course, until, last)
        if last < 0:
            return ROOM_FOR_REQUESTS
    told = effects[course[EFFECTS] :]
    lacks = room_lacks(world, desks, requests[first:last], told)
    if lacks:
        course[OTHERS] = others
        return ROOM_AT_DESKS if lacks == AT_DESKS else ROOM_FOR_EFFECTS
    settled = serve_all(world, desks, requests[first:last], beside[first:last], told, course[IS_REPLAY], until)
    order_effects(told[:settled])
    for e in range(course[EFFECTS], course[EFFECTS] + settled):
        due[e] = until
    course[EFFECTS] += settled
    return OVER


@rule(Int(_Worlds, _Numbers, Int, _States, Lists, _Pages, Memory, Desks, Tapes, _Numbers))
def run_on(worlds, span, last, states, lists, pages, memory, desks, tapes, course):
    """Run windows until that numbered `last`, not run itself, or until there is no room; return why it stops."""
    _, counts, _, requests, beside, _, _, _ = tapes
    while course[NOW] < last:
        k = course[NOW]
        until = (span[FIRST_WINDOW] + k + 1) * span[WINDOW]
        if course[PHASE] == AT_BARRIER:
            pass_barrier(worlds, span, states, lists, pages, memory, tapes, course, until)
            course[PHASE] = RINGING
        if course[PHASE] == RINGING:
            if not ring_window(worlds, span, k, until, states, lists, pages, counts, requests, 0, course):
                return ROOM_FOR_REQUESTS
            asked = slice(course[ASKED_FROM], course[REQUESTS])
            beside[asked] = 0
            order_requests(requests[asked], beside[asked])
            course[PHASE] = SERVING
        if course[HAS_DESKS]:
            lacks = serve_desks(worlds[span[FROM_START]], desks, tapes, course, until)
            if lacks:
                return lacks
        course[PHASE] = AT_BARRIER
        course[NOW] += 1
    return OVER
