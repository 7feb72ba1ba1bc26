"""What a barrier works out, compiled: shares that gateways refuse, how slow they answer, how well they did.

All of it is whole numbers from whole numbers, so that who counted, and in what order, makes no difference. What a
barrier remembers of earlier windows lies in a `Memory` (see `drivers.barrier`): rings of windows, the place of the next
one being the number of the window modulo the length.
"""

from __future__ import annotations

from numba import types

from billing_sim import draws
from billing_sim.lifecycle.state import Int, Nothing, World
from billing_sim.rule import entry, rule
from billing_sim.world.load import PARTS, STEPS
from billing_sim.world.record import GATEWAYS, LOADS, RATE, REFUSED, SLOW, TIMEOUTS

ATTEMPTS, SUCCESSES = 0, 1
"""Rows of a window's counts; a column for each gateway."""

TURN, SPAN, HOURS, HAS_RATES, HAS_CAPACITY = range(5)
"""Places in what a barrier knows: windows so far; the last hour, or window if that is longer, and an hour, both in
their greatest common measure; whether success rates, and whether refusals are published."""

_ONE_BITS = draws.ONE.bit_length() - 1
_PRIOR_SUCCESSES, _PRIOR_ATTEMPTS = 9, 10
_MILLION = 1_000_000

_Worlds = types.Array(World, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")
_Table = types.Array(types.int64, 2, "C")
_Tables = types.Array(types.int64, 3, "C")
Memory = types.Tuple((_Numbers, _Tables, _Tables, _Table, _Table, _Table))
"""What a barrier knows (as above), attempts of the last hour's windows, counts of the last day's, the latter summed up,
what each gateway admitted in the windows of an hour that lie behind, and what awaits it in the one ahead (as below)."""

CAME, ROOM = 0, 1
"""What awaits a gateway in the window ahead: who comes and for how many there is room, in parts of an attempt."""


@rule(Int(Int, Int))
def part_of_one(part, whole):
    """How much of `draws.ONE` a part is, rounded down; `part` is less than `whole`, which is less than 2**62."""
    share = 0
    rest = part
    for _ in range(_ONE_BITS):
        rest *= 2
        share *= 2
        if rest >= whole:
            rest -= whole
            share += 1
    return share


@rule(Int(World, Memory, Int))
def room_for(world, memory, gateway):
    """Attempts that a gateway takes in the window ahead, in parts; 0 for one without a capacity."""
    knows, _, _, _, admitted, _ = memory
    taken = 0
    for window in range(len(admitted)):
        taken += admitted[window, gateway]
    return max(0, world.capacity[gateway] * knows[SPAN] // knows[HOURS] - taken)


@rule(Int(_Numbers, Int))
def booked_at(bookings, gateway):
    """How many book a gateway for the window ahead, whichever is next to it."""
    demand = 0
    for other in range(GATEWAYS):
        demand += bookings[gateway * GATEWAYS + other]
    return demand


@rule(Int(World, Memory, _Numbers, Int))
def coming_to(world, memory, bookings, gateway):
    """How many come to a gateway: who booked it, and those whom others refuse and who go on to it."""
    came = booked_at(bookings, gateway)
    for other in range(world.gateways):
        if other != gateway and world.capacity[other]:
            demand = booked_at(bookings, other)
            beyond = demand * PARTS - room_for(world, memory, other)
            if beyond > 0:
                came += bookings[other * GATEWAYS + gateway] * beyond // (demand * PARTS)
    return came


@rule(Nothing(World, Memory, _Numbers, _Numbers))
def publish_refusals(world, memory, bookings, row):
    """The share of attempts that each gateway refuses, as a threshold; what one refuses, another may get."""
    knows, _, _, _, admitted, ahead = memory
    for g in range(world.gateways):
        ahead[ROOM, g] = room_for(world, memory, g)
        ahead[CAME, g] = coming_to(world, memory, bookings, g) * PARTS
        if world.capacity[g] and ahead[CAME, g] > ahead[ROOM, g]:
            row[REFUSED + g] = draws.ONE - part_of_one(ahead[ROOM, g], ahead[CAME, g])
    if len(admitted):
        for g in range(world.gateways):
            admitted[knows[TURN] % len(admitted), g] = min(ahead[CAME, g], ahead[ROOM, g])


@rule(Nothing(World, Memory, _Table, _Numbers))
def publish_answers(world, memory, counts, row):
    """How slow each gateway answers and how often not in time, by the attempts of the last hour."""
    knows, hour, _, _, _, _ = memory
    place = knows[TURN] % len(hour)
    for g in range(world.gateways):
        hour[place, ATTEMPTS, g] = counts[ATTEMPTS, g]
        if world.comfortable[g]:
            came = 0
            for window in range(len(hour)):
                came += hour[window, ATTEMPTS, g]
            step = came * (PARTS * STEPS) * knows[HOURS] // (world.comfortable[g] * knows[SPAN])
            row[SLOW + g] = world.slow_at[g, min(step, LOADS - 1)]
            row[TIMEOUTS + g] = world.timeout_at[g, min(step, LOADS - 1)]


@rule(Nothing(Memory, _Table, _Numbers))
def publish_rates(memory, counts, row):
    """Successes per million attempts of the last day; a gateway of which little is known counts as good as most."""
    knows, _, day, of_day, _, _ = memory
    place = knows[TURN] % len(day)
    for g in range(GATEWAYS):
        for what in range(2):
            of_day[what, g] += counts[what, g] - day[place, what, g]
            day[place, what, g] = counts[what, g]
        row[RATE + g] = (of_day[SUCCESSES, g] + _PRIOR_SUCCESSES) * _MILLION // (of_day[ATTEMPTS, g] + _PRIOR_ATTEMPTS)


@rule(Nothing(World, Memory, _Numbers, _Table, _Numbers))
def publish(world, memory, bookings, counts, row):
    """Fill in what `world.published` is until the next barrier.

    `bookings` counts those who booked a gateway, by the one they would go on to (GATEWAYS squared); `counts` attempts
    and successes of the window before, by gateway.
    """
    knows, _, _, _, _, _ = memory
    row[:] = 0
    if knows[HAS_CAPACITY]:
        publish_refusals(world, memory, bookings, row)
    publish_answers(world, memory, counts, row)
    if knows[HAS_RATES]:
        publish_rates(memory, counts, row)
    knows[TURN] += 1


@entry(Nothing(_Worlds, Memory, _Numbers, _Table, _Numbers))
def publish_row(worlds, memory, bookings, counts, row):
    """One barrier: fill in what is published, and remember what the next ones need."""
    publish(worlds[0], memory, bookings, counts, row)
