"""Members of the base: how a life of theirs begins some weeks before the start, and how it enters the log."""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import DAY
from billing_sim.lifecycle.billing import quote, schedule_renewal
from billing_sim.lifecycle.brought import log_brought, recall_coupon, recall_downgrade, recall_pause
from billing_sim.lifecycle.calendar import anchored, first_of_month, local_day, month_of_day
from billing_sim.lifecycle.campaigns import await_campaigns
from billing_sim.lifecycle.changing import foresee_change, know_period
from billing_sim.lifecycle.intent import foresee_intent
from billing_sim.lifecycle.log import confide, record
from billing_sim.lifecycle.methods import choose_kind, log_method, put_on_file
from billing_sim.lifecycle.sharing import foresee_restriction
from billing_sim.lifecycle.spells import add_backup, choose_habits, choose_plan, log_spell
from billing_sim.lifecycle.state import (
    ALARM_IMPORT,
    BACKUP,
    FIRST,
    SUBSCRIBED,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.lifecycle.trials import WITH_METHOD, WITHOUT_METHOD, foresee_leaving, lay_out_trial
from billing_sim.rule import rule

_YOUNG = 90
"""Days of the youngest tenure."""


@rule(Int(World, State))
def is_in_trial(world, state):
    """Whether a base member is in a trial at the start: the youngest of them are."""
    return 1 if draws.draw(state.key, purpose.TENURE, 0) < world.trial_running[state.market] else 0


@rule(Int(World, State))
def days_of_tenure(world, state):
    """How long a base member has been a member at the start, from the market's tenure mix.

    Where there are trials, who is not in one any more is older than one.
    """
    u = draws.draw(state.key, purpose.TENURE, 0)
    within = draws.draw(state.key, purpose.ANCHOR, 0)
    trial = world.trial_days[state.market] if world.trial_running[state.market] else 0
    if trial and is_in_trial(world, state):
        return draws.below(within, trial)
    tenure = 0
    while u >= world.tenure_mix[state.market, tenure]:
        tenure += 1
    first = 1 if tenure == 0 else (_YOUNG + 1 if tenure == 1 else 365 * (tenure - 1))
    span = _YOUNG if tenure == 0 else (274 if tenure == 1 else (365 if tenure < 4 else 2190))
    if trial and tenure == 0 and draws.draw(state.key, purpose.TRIAL_TAKEN, 0) < world.trial_share[state.market]:
        first = min(trial, _YOUNG)
        span = _YOUNG + 1 - first
    return first + draws.below(within, span)


@rule(Nothing(World, State, Int))
def lay_out_period(world, state, begins):
    """The running period of somebody who pays ends on the first billing day after this life begins."""
    # Rounded up: the last anniversary of a yearly plan may lie before the months that the world knows.
    if state.months == 0:
        days = world.plan_days[state.plan]
        weeks = (begins // DAY - state.joined_day + days - 1) // days
        state.period_end = state.joined_day + max(weeks, 1) * days
    else:
        cycles = (month_of_day(begins // DAY) - state.joined_month + state.months - 1) // state.months
        state.period_month = state.joined_month + max(cycles, 1) * state.months
        state.period_end = anchored(world, state.period_month, state.anchor_day)


@rule(Nothing(World, State))
def begin_base(world, state):
    """A member of the base, some weeks before the start: tenure, plan, methods, and the next billing day."""
    market = state.market
    now = world.pre_roll
    choose_habits(world, state, market)
    choose_plan(world, state, 0)
    state.spell = 1
    state.phase = SUBSCRIBED
    today = local_day(world, world.zone[market], world.start)
    state.joined_day = today - days_of_tenure(world, state)
    state.joined_month = month_of_day(state.joined_day)
    state.anchor_day = state.joined_day - first_of_month(state.joined_month) + 1
    begins = max(now, state.joined_day * DAY)
    if world.trial_running[market] and is_in_trial(world, state):
        state.trial = WITH_METHOD if world.trial_needs_method[market] else WITHOUT_METHOD
        state.joined_at = state.joined_day * DAY
    quote(world, state, begins)
    if state.trial != WITHOUT_METHOD:
        put_on_file(world, state, FIRST, choose_kind(world, state, purpose.METHOD_KIND, 0), begins, 0)
        add_backup(world, state, begins)
    inert = draws.draw(state.key, purpose.INTENT_START, 0) < world.inert_members[market] and not state.trial
    state.intent = events.INERT if inert else events.STAY
    foresee_intent(world, state, begins)
    state.period_start = state.joined_day
    if state.trial:
        lay_out_trial(world, state)
        foresee_leaving(world, state, state.joined_at, begins)
    else:
        lay_out_period(world, state, begins)
    schedule_renewal(world, state, begins)
    if not state.trial:
        if world.pauses[market]:
            recall_pause(world, state, begins)
        if world.offers and world.offer_from[0] < world.start:
            recall_coupon(world, state)
    state.alarm[ALARM_IMPORT] = world.start


@rule(Int(State))
def standing(state):
    """How a base member stands at the start."""
    if state.held:
        return events.ON_HOLD
    if state.open:
        return events.PAST_DUE
    if state.canceling:
        return events.CANCELING
    if state.trial:
        return events.IN_TRIAL
    return events.PAUSED if state.paused else events.ACTIVE


@rule(Nothing(World, State, Page, Int))
def log_open_invoice(world, state, page, now):
    """Write an invoice of before the start that is open: nobody who reads the log has seen it issued."""
    row = page.rows[record(world, state, page, events.INVOICE_IMPORTED, now)]
    row.invoice = state.invoice
    row.attempt = state.attempt
    row.plan = state.plan
    row.currency = world.currency[state.market]
    row.policy = state.policy
    row.amount_minor = state.amount
    row.tax_minor = state.tax
    row.period_start = state.period_start
    row.period_end = state.period_end


@rule(Nothing(State))
def number_methods(state):
    """What is on file is numbered from 1, whatever it replaced before the start."""
    state.methods = 0 if state.trial == WITHOUT_METHOD else 1 + state.backup
    state.method_number[FIRST] = min(state.methods, 1)
    state.method_number[BACKUP] = 2


@rule(Nothing(World, State, Int))
def look_ahead(world, state, now):
    """Put on the agenda what the run will ask of a member of the base."""
    if world.upgrades[state.market] + world.downgrades[state.market]:
        know_period(world, state)
        recall_downgrade(world, state, now)
        foresee_change(world, state, now)
    if world.sharing:
        foresee_restriction(world, state, now)
    if world.campaigns:
        await_campaigns(world, state, now)


@rule(Nothing(World, State, Page, Int))
def ring_import(world, state, page, now):
    """The run begins: the member and what is on file, owed, wanted and under way enter the log."""
    state.logging = 1
    # An answer on its way at midnight must not delay the import.
    state.last_at = now
    state.started_by = standing(state)
    state.invoice = 1 if state.open else 0
    # Nobody who reads the log has seen a notice of before the start.
    state.unopened = 0
    number_methods(state)
    row = page.rows[log_spell(world, state, page, events.SUBSCRIPTION_IMPORTED, now)]
    row.invoice = state.invoice
    row.period_start = state.joined_day
    row.period_end = state.period_end
    if state.methods:
        log_method(world, state, page, events.METHOD_ADDED, FIRST, events.PREFERRED, now)
    if state.backup:
        log_method(world, state, page, events.METHOD_ADDED, BACKUP, events.BY_BACKUP, now)
    if state.open:
        log_open_invoice(world, state, page, now)
    log_brought(world, state, page, now)
    truth = page.truths[confide(state, page, events.INTENT_CHANGED, now, -1)]
    truth.why = state.why
    look_ahead(world, state, now)
