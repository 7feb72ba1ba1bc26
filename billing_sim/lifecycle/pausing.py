"""Pauses: on a billing day a member may take one to three months off instead; no access, no charge.

They may still make up their mind to leave, which then takes effect at once: nothing is paid that could run out.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.lifecycle.billing import billing_moment
from billing_sim.lifecycle.calendar import anchored, month_of_day, not_before_next_window
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.state import ALARM_RENEWAL, Int, Nothing, Page, State, World
from billing_sim.rule import rule

WEEKS = 4
"""Weeks of a month of pause for who pays by the week."""


@rule(Int(World, State, Int))
def length_of_pause(world, state, month):
    """1, 2 or 3 months."""
    u = draws.draw(state.key, purpose.PAUSE_LENGTH, month)
    months = 1
    while months < 3 and u >= world.pause_lengths[state.market, months - 1]:
        months += 1
    return months


@rule(Nothing(World, State, Page, Int, Int))
def pause(world, state, page, now, months):
    """Nothing is due until the billing day so many months on."""
    state.paused = 1
    state.period_start = state.period_end
    if state.months == 0:
        state.period_end += world.plan_days[state.plan] * WEEKS * months
    else:
        state.period_month += months
        state.period_end = anchored(world, state.period_month, state.anchor_day)
    row = page.rows[record(world, state, page, events.SUBSCRIPTION_PAUSED, now)]
    row.period_start = state.period_start
    row.period_end = state.period_end
    state.alarm[ALARM_RENEWAL] = not_before_next_window(world, now, billing_moment(world, state, state.period_end))


@rule(Int(World, State, Page, Int))
def pauses(world, state, page, now):
    """On a billing day: 1 when the member pauses instead of paying, 0 else; a pause that is over ends here."""
    if state.paused:
        state.paused = 0
        record(world, state, page, events.SUBSCRIPTION_RESUMED, now)
        return 0
    month = month_of_day(state.period_end)
    if draws.draw(state.key, purpose.PAUSE, month) >= world.pauses[state.market]:
        return 0
    pause(world, state, page, now, length_of_pause(world, state, month))
    return 1
