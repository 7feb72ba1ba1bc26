"""What members of the base bring along from before the start: a trial or a pause that runs, a coupon, a wish.

Where a scenario has such things, the rules by which they come about are asked, with the same draws, about the time
before a life begins. From then on they go their way in the pre-roll, as they do in the run.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import DAY, HOUR
from billing_sim.lifecycle.billing import billing_moment, schedule_renewal
from billing_sim.lifecycle.calendar import anchored, first_of_month, month_of_day
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.offers import discount_of, take_first_offer, take_off
from billing_sim.lifecycle.pausing import WEEKS, length_of_pause
from billing_sim.lifecycle.state import (
    FIRST,
    NOTHING_PENDING,
    SIGNING_UP,
    SUBSCRIBED,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.rule import rule

_LONGEST_PAUSE = 3


@rule(Int(State, Int))
def day_in_month(state, month):
    """The billing day of a month that may lie before those that the world knows."""
    return min(first_of_month(month) + state.anchor_day, first_of_month(month + 1)) - 1


@rule(Int(World, State, Int))
def past_billing_day(world, state, back):
    """The day on which the period would have ended so many weeks or months earlier, 0 when none did."""
    if state.months == 0:
        day = state.period_end - back * world.plan_days[state.plan]
        return day if day > state.joined_day else 0
    month = state.period_month - back
    if month <= state.joined_month or (month - state.joined_month) % state.months:
        return 0
    return day_in_month(state, month)


@rule(Nothing(World, State, Int, Int, Int))
def be_paused(world, state, began, later, now):
    """The member has paused since that day, and is next billed so many weeks or months later than they would have."""
    state.paused = 1
    state.period_start = began
    if state.months == 0:
        state.period_end += later * world.plan_days[state.plan]
    else:
        state.period_month += later
        state.period_end = anchored(world, state.period_month, state.anchor_day)
    schedule_renewal(world, state, now)


@rule(Nothing(World, State, Int))
def recall_pause(world, state, now):
    """Whether a pause of before this life began is still under way, asked of each billing day that could have begun it.

    The billing day on which a pause ends begins none.
    """
    each = WEEKS if state.months == 0 else 1
    back = _LONGEST_PAUSE * each
    while back > 0:
        day = past_billing_day(world, state, back)
        month = month_of_day(day)
        if day and draws.draw(state.key, purpose.PAUSE, month) < world.pauses[state.market]:
            lasts = length_of_pause(world, state, month) * each
            if lasts >= back:
                be_paused(world, state, day, lasts - back, now)
                return
            back -= lasts
        back -= 1


@rule(Int(World, State, Int))
def invoiced_day(world, state, place):
    """The day on which the invoice of a place was issued, from 0 for that of joining."""
    if state.months == 0:
        return state.joined_day + place * world.plan_days[state.plan]
    return day_in_month(state, state.joined_month + place * state.months)


@rule(Int(World, State))
def first_place(world, state):
    """The last invoice that cannot have been issued while the first of all offers was open, 0 when every one can."""
    days = world.offer_from[0] // DAY - state.joined_day
    if days <= 0:
        return 0
    if state.months == 0:
        return days // world.plan_days[state.plan]
    return max(0, (month_of_day(world.offer_from[0] // DAY) - state.joined_month) // state.months - 1)


@rule(Nothing(World, State))
def recall_coupon(world, state):
    """Go through the invoices of before this life began: which offer the member took, and what it has left."""
    until = state.period_start if state.paused else state.period_end
    place = first_place(world, state)
    day = invoiced_day(world, state, place)
    while day < until:
        if not state.coupon:
            if place == 0:
                state.phase = SIGNING_UP
                state.started_by = events.NEW
            take_first_offer(world, state, billing_moment(world, state, day))
            state.phase = SUBSCRIBED
            state.started_by = 0
        if state.coupon_left > 0:
            state.coupon_left -= 1
            if state.coupon_left == 0:
                state.coupon = 0
        place += 1
        day = invoiced_day(world, state, place)


@rule(Nothing(World, State, Int))
def recall_downgrade(world, state, now):
    """Who wished for the cheaper plan within the running period still waits for its end."""
    plan = world.plan_below[state.market, state.plan]
    is_busy = state.canceling or state.paused or state.trial or state.open or state.pending != NOTHING_PENDING
    if plan < 0 or is_busy or world.downgrades_at_once:
        return
    upgrades = world.upgrades[state.market]
    wish = upgrades + world.downgrades[state.market]
    for month in range(month_of_day(state.period_start), month_of_day(now // DAY) + 1):
        u = draws.draw(state.key, purpose.PLAN_CHANGE, month)
        first = first_of_month(month)
        hours = (first_of_month(month + 1) - first) * 24
        moment = draws.below(draws.draw(state.key, purpose.PLAN_CHANGE_MOMENT, month), hours)
        at = first * DAY + moment * HOUR
        if upgrades <= u < wish and state.period_start * DAY < at < now:
            state.downgrading = plan + 1


@rule(Nothing(World, State, Page, Int))
def log_coupon(world, state, page, now):
    """Write a coupon that goes on, with what it takes off an invoice of the whole price."""
    amount, tax = state.amount, state.tax
    state.amount, state.tax = state.quoted, state.quoted_tax
    discount = discount_of(world, state)
    if state.amount > 0:
        take_off(state, discount)
    row = page.rows[record(world, state, page, events.COUPON_IMPORTED, now)]
    row.coupon = state.coupon
    row.score = max(state.coupon_left, 0)
    row.amount_minor = discount
    row.tax_minor = state.quoted_tax - state.tax
    state.amount, state.tax = amount, tax


@rule(Nothing(World, State, Page, Int))
def log_brought(world, state, page, now):
    """Write what a member of the base is in the middle of: nobody who reads the log has seen it begin."""
    if state.trial:
        row = page.rows[record(world, state, page, events.TRIAL_IMPORTED, now)]
        row.period_start = state.period_start
        row.period_end = state.period_end
        row.method_kind = state.method_kind[FIRST]
    if state.paused:
        row = page.rows[record(world, state, page, events.PAUSE_IMPORTED, now)]
        row.period_start = state.period_start
        row.period_end = state.period_end
    if state.coupon:
        log_coupon(world, state, page, now)
