"""Free trials: a person's first weeks for nothing, once in a life.

Where a payment method is asked for, it is checked with an invoice of nothing, and the first period after the trial is
billed like any renewal. Where none is, nobody can be charged when the trial ends: some leave a method then, and with
the others it is over.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import HOUR
from billing_sim.lifecycle.agenda import LEAVE_TRIAL, put_down
from billing_sim.lifecycle.billing import open_invoice
from billing_sim.lifecycle.calendar import first_of_month, hour_of, month_of_day
from billing_sim.lifecycle.leaving import cancel, end_spell, log_trial_end
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.methods import choose_kind, log_method, put_on_file
from billing_sim.lifecycle.state import FIRST, SUBSCRIBED, Int, Nothing, Page, State, World
from billing_sim.rule import rule

NO_TRIAL, WITH_METHOD, WITHOUT_METHOD = 0, 1, 2

_FIRST_DAY_LEAVERS = 563
"""Of 1024 who cancel in a trial, those who do so on its first day: 55 % (subrevival on RevenueCat, 2026, of
subscription apps)."""


@rule(Int(World, State, Int))
def is_offered_trial(world, state, now):
    """Whether this sign-up begins with a trial: for new people, while there are trials, and once."""
    market = state.market
    if now >= world.trial_until[market] or state.had_trial or state.started_by != events.NEW:
        return 0
    return 1 if draws.draw(state.key, purpose.TRIAL_TAKEN, hour_of(now)) < world.trial_share[market] else 0


@rule(Nothing(World, State))
def lay_out_trial(world, state):
    """The first period is the trial, and later ones count from its end."""
    state.had_trial = 1
    state.period_start = state.joined_day
    state.period_end = state.joined_day + world.trial_days[state.market]
    state.period_month = month_of_day(state.period_end)
    state.anchor_day = state.period_end - first_of_month(state.period_month) + 1


@rule(Nothing(World, State, Page, Int))
def verify(world, state, page, now):
    """Issue an invoice of nothing: the attempt on it tells whether the method is good.

    Of vouchers there is nothing to check: each is issued for an amount.
    """
    state.verifying = 1
    state.amount = 0
    state.tax = 0
    open_invoice(world, state, page, now)
    page.rows[state.rows - 1].reason = events.VERIFICATION


@rule(Nothing(World, State, Int, Int))
def foresee_leaving(world, state, began, now):
    """Who will leave within the trial knows when; a life that begins after the trial did hears of it from `now` on."""
    hour = hour_of(began)
    if draws.draw(state.key, purpose.TRIAL_LEAVER, hour) >= world.trial_leave[state.market]:
        return
    u = draws.draw(state.key, purpose.TRIAL_LEAVES_AT, hour)
    hours = 24
    if draws.below(u, 1024) >= _FIRST_DAY_LEAVERS:
        hours = world.trial_days[state.market] * 24
    after = ((u & 1023) * hours // 1024) * HOUR
    put_down(world, state, now, began + after, LEAVE_TRIAL)


@rule(Nothing(World, State, Page, Int))
def start_trial(world, state, page, now):
    """The subscription exists: its trial begins, and who will leave within it knows when."""
    row = page.rows[record(world, state, page, events.TRIAL_STARTED, state.last_at)]
    row.period_start = state.period_start
    row.period_end = state.period_end
    if state.trial == WITH_METHOD:
        row.method_kind = state.method_kind[FIRST]
    foresee_leaving(world, state, now, now)


@rule(Nothing(World, State, Page, Int))
def leave_trial(world, state, page, now):
    """The person cancels within the trial, which goes on until it ends."""
    if state.phase == SUBSCRIBED and state.trial and not state.canceling:
        cancel(world, state, page, now)


@rule(Int(World, State, Page, Int))
def end_trial(world, state, page, now):
    """The first billing day: who initiates the charge, 0 when there is nobody to charge.

    The luck of leaving a method belongs to the sign-up.
    """
    if state.trial == WITH_METHOD:
        log_trial_end(world, state, page, events.TRIAL_CONVERTED, now)
        return events.MIT
    joined = hour_of(state.joined_at)
    if draws.draw(state.key, purpose.TRIAL_METHOD, joined) >= world.trial_method_left[state.market]:
        log_trial_end(world, state, page, events.TRIAL_WITHOUT_METHOD, now)
        end_spell(world, state, page, now, events.VOLUNTARY)
        return 0
    log_trial_end(world, state, page, events.TRIAL_CONVERTED, now)
    kind = choose_kind(world, state, purpose.TRIAL_METHOD_KIND, hour_of(now))
    put_on_file(world, state, FIRST, kind, now, 0)
    log_method(world, state, page, events.METHOD_ADDED, FIRST, events.PREFERRED, now)
    return events.CIT
