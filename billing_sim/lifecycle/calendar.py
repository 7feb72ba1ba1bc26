"""The market's calendar, in integers: days since 1970, months since year 0, local wall time, anchored billing dates."""

from __future__ import annotations

from billing_sim import draws
from billing_sim.clock import DAY, HOUR
from billing_sim.lifecycle.state import Int, World
from billing_sim.rule import rule


@rule(Int(Int))
def month_of_day(day):
    """Months since year 0 (year * 12 + month - 1) of a day number; the civil calendar of Howard Hinnant's `chrono`."""
    z = day + 719_468
    era = z // 146_097
    doe = z - era * 146_097
    yoe = (doe - doe // 1_460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    shifted = (5 * doy + 2) // 153
    return (yoe + era * 400) * 12 + shifted + 2


@rule(Int(Int))
def first_of_month(month):
    """Day number of the first day of a month (months since year 0)."""
    year = month // 12
    m = month - year * 12 + 1
    y = year - (1 if m <= 2 else 0)
    era = y // 400
    yoe = y - era * 400
    doy = (153 * (m - 3 if m > 2 else m + 9) + 2) // 5
    doe = yoe * 365 + yoe // 4 - yoe // 100 + doy
    return era * 146_097 + doe - 719_468


@rule(Int(World, Int, Int), inline=True)
def anchored(world, month, anchor_day):
    """The billing day of a month of the run for an anchor of 1 to 31: clamped to the month's length, never drifting.

    An anchor of 31 gives Jan 31, Feb 28 or 29, Mar 31.
    """
    place = month - world.first_month
    first = world.month_start[place]
    last = world.month_start[place + 1] - 1
    return min(first + anchor_day - 1, last)


@rule(Int(World, Int, Int))
def moment_in_month(world, u, month):
    """A whole hour, uniform within a month of the run, for a draw."""
    place = month - world.first_month
    first = world.month_start[place]
    hours = (world.month_start[place + 1] - first) * 24
    return (first * 24 + draws.below(u, hours)) * HOUR


@rule(Int(World, Int, Int), inline=True)
def offset(world, zone, instant):
    """Offset of local time from UTC at an instant, microseconds."""
    i = world.zone_count[zone] - 1
    while i > 0 and world.zone_at[zone, i] > instant:
        i -= 1
    return world.zone_offset[zone, i]


@rule(Int(World, Int, Int), inline=True)
def local_day(world, zone, instant):
    """Day number of the local calendar at an instant."""
    return (instant + offset(world, zone, instant)) // DAY


@rule(Int(World, Int, Int), inline=True)
def instant_of(world, zone, local):
    """The instant of a local wall time (microseconds since 1970 as if UTC).

    A time that a clock change skips is read with the offset before the change; one that happens twice is its first
    occurrence.
    """
    before = offset(world, zone, local - DAY)
    instant = local - before
    after = offset(world, zone, instant)
    if after == before:
        return instant
    second = local - after
    if offset(world, zone, second) == after:
        return second
    return instant


@rule(Int(World, Int, Int), inline=True)
def not_before_next_window(world, now, wish):
    """The reaction rule: what a decision at `now` schedules happens in a later window, however early the wish."""
    earliest = (now // world.window + 1) * world.window
    return wish if wish > earliest else earliest


@rule(Int(Int), inline=True)
def hour_of(instant):
    """The occasion of a draw about a moment: hours since 1970, UTC."""
    return instant // HOUR
