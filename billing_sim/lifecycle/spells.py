"""A spell: one subscription of a person, from signing up; and how those begin who are not in the base."""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import HOUR, NEVER, SECOND
from billing_sim.lifecycle.agenda import BEGIN_BORROWING, put_down
from billing_sim.lifecycle.billing import advance_period, close_void, quote, schedule_renewal
from billing_sim.lifecycle.calendar import (
    first_of_month,
    hour_of,
    local_day,
    month_of_day,
    not_before_next_window,
)
from billing_sim.lifecycle.campaigns import await_campaigns
from billing_sim.lifecycle.changing import foresee_change
from billing_sim.lifecycle.fraud import judge_signup, steal_card
from billing_sim.lifecycle.intent import foresee_intent
from billing_sim.lifecycle.leaving import moment_of_return
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.methods import choose_kind, log_method, put_on_file, replace
from billing_sim.lifecycle.offers import issue
from billing_sim.lifecycle.state import (
    ALARM_EPISODE,
    ALARM_RETRY,
    ALARM_SIGNUP,
    BACKUP,
    FIRST,
    OUTSIDE,
    SIGNING_UP,
    SUBSCRIBED,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.lifecycle.trials import (
    WITH_METHOD,
    WITHOUT_METHOD,
    is_offered_trial,
    lay_out_trial,
    start_trial,
    verify,
)
from billing_sim.lifecycle.win_back import MONTH_HOURS, choose_nature, lapse_offer
from billing_sim.rule import rule
from billing_sim.world.record import FORMER_LAPSED_MONTHS, PLANS

_MOST_SIGNUP_TRIES = 3
_NEXT_TRY_HOURS = 24


@rule(Nothing(World, State, Int))
def choose_plan(world, state, hour):
    """A plan from the market's mix."""
    u = draws.draw(state.key, purpose.PLAN, hour)
    plan = 0
    while plan < PLANS - 1 and u >= world.plan_mix[state.market, plan]:
        plan += 1
    state.plan = plan
    state.months = world.plan_months[plan]


@rule(Nothing(World, State, Int))
def choose_habits(world, state, market):
    """What stays with a person for good: income calendar and the minute of the day at which they are billed."""
    u = draws.draw(state.key, purpose.PAYDAY, 0)
    i = 0
    while u >= world.payday_mix[market, i]:
        i += 1
    state.payday = world.payday_calendar[market, i]
    minute = draws.below(draws.draw(state.key, purpose.BILLING_MINUTE, 0), world.billing_minutes)
    state.bill_at = world.billing_from + minute
    if world.serial_share[market]:
        choose_nature(world, state)


@rule(Nothing(World, State, Int))
def add_backup(world, state, now):
    """Some people have a second method on file."""
    hour = hour_of(now)
    state.backup = 0
    if draws.draw(state.key, purpose.BACKUP, hour) < world.backup_share[state.market]:
        kind = choose_kind(world, state, purpose.BACKUP_KIND, hour)
        if kind not in (events.GIFT_BALANCE, events.CARRIER_PARTNER):
            state.backup = 1
            put_on_file(world, state, BACKUP, kind, now, 0)


@rule(Int(World, State, Page, Int, Int))
def log_spell(world, state, page, event, now):
    """Open a row that carries who this spell is; returns its place."""
    i = record(world, state, page, event, now)
    row = page.rows[i]
    row.market = state.market
    row.plan = state.plan
    row.method = state.method_number[FIRST]
    row.method_kind = state.method_kind[FIRST]
    row.group = state.group
    row.arm = state.arm
    row.reason = state.started_by
    return i


@rule(Nothing(World, State, Page, Int))
def complete_signup(world, state, page, now):
    """The first invoice is paid: the subscription exists."""
    state.phase = SUBSCRIBED
    row = page.rows[log_spell(world, state, page, events.SUBSCRIPTION_CREATED, state.last_at)]
    row.period_start = state.joined_day
    state.verifying = 0
    if state.trial != WITHOUT_METHOD:
        add_backup(world, state, now)
    if state.backup:
        log_method(world, state, page, events.METHOD_ADDED, BACKUP, events.BY_BACKUP, state.last_at)
    foresee_intent(world, state, now)
    if state.trial:
        start_trial(world, state, page, now)
    foresee_change(world, state, now)
    if world.campaigns:
        await_campaigns(world, state, now)


@rule(Nothing(World, State, Page, Int))
def begin_signup(world, state, page, now):
    """A person enters payment details; the first invoice is issued and waits to be paid."""
    hour = hour_of(now)
    state.started_by = events.RETURNING if state.spell else events.NEW
    state.spell += 1
    state.phase = SIGNING_UP
    state.signup_tries = 0
    state.backup = 0
    state.pending = 0
    state.intent = events.STAY
    state.why = 0
    if world.win_offers:
        lapse_offer(state, now)
    choose_plan(world, state, hour)
    state.joined_at = now
    quote(world, state, now)
    state.trial = 0
    state.verifying = 0
    if world.trial_days[state.market] and is_offered_trial(world, state, now):
        state.trial = WITH_METHOD if world.trial_needs_method[state.market] else WITHOUT_METHOD
    if state.trial != WITHOUT_METHOD:
        put_on_file(world, state, FIRST, choose_kind(world, state, purpose.METHOD_KIND, hour), now, 0)
    day = local_day(world, world.zone[state.market], now)
    state.joined_day = day
    state.joined_month = month_of_day(day)
    state.anchor_day = day - first_of_month(state.joined_month) + 1
    state.period_month = state.joined_month
    state.period_end = day
    advance_period(world, state)
    if state.trial:
        lay_out_trial(world, state)
    log_spell(world, state, page, events.SIGNUP_STARTED, now)
    if state.trial == WITHOUT_METHOD:
        complete_signup(world, state, page, now)
        schedule_renewal(world, state, now)
        return
    log_method(world, state, page, events.METHOD_ADDED, FIRST, events.PREFERRED, now)
    if state.trial:
        verify(world, state, page, now)
    else:
        issue(world, state, page, now)
    if world.fraud_signups[state.market] or state.fraudster:
        judge_signup(world, state, page, now)


@rule(Nothing(World, State, Page, Int))
def refuse_signup(world, state, page, now):
    """The first payment is refused: some come back within a day with another method, the others give up."""
    state.signup_tries += 1
    u = draws.draw(state.key, purpose.SIGNUP_AGAIN, hour_of(now))
    if state.signup_tries < _MOST_SIGNUP_TRIES and u < world.signup_again[state.market]:
        hours = draws.below(draws.draw(state.key, purpose.SIGNUP_METHOD, hour_of(now)), _NEXT_TRY_HOURS)
        state.alarm[ALARM_RETRY] = not_before_next_window(world, now, now + hours * HOUR)
        return
    close_void(world, state, page, now)
    row = page.rows[record(world, state, page, events.SIGNUP_ABANDONED, now)]
    row.invoice = state.invoice
    row.reason = events.GAVE_UP
    state.phase = OUTSIDE
    state.alarm[ALARM_EPISODE] = NEVER


@rule(Nothing(World, State, Page, Int))
def change_signup_method(world, state, page, now):
    """A refused person enters another payment method."""
    kind = choose_kind(world, state, purpose.NEW_METHOD, hour_of(now))
    replace(world, state, page, FIRST, kind, events.BY_SUBSCRIBER, now)
    if state.fraudster:
        steal_card(world, state, now)


@rule(Nothing(World, State))
def begin_former(world, state):
    """Someone who left within the year before the start: they may come back, and are unknown to the log until then."""
    choose_habits(world, state, state.market)
    hours = draws.below(draws.draw(state.key, purpose.FORMER_LAPSE, 0), FORMER_LAPSED_MONTHS * MONTH_HOURS)
    left_at = world.start - (hours + 1) * HOUR
    u = draws.draw(state.key, purpose.FORMER_KIND, 0)
    through_payment = 1 if u < world.former_lapse[state.market, 1] else 0
    back = moment_of_return(world, state, left_at, through_payment)
    state.spell = 1
    state.logging = 1
    if world.start <= back < NEVER:
        state.alarm[ALARM_SIGNUP] = back


@rule(Nothing(World, State, Int))
def begin_arrival(world, state, hour):
    """A new person, who signs up at a keyed second of this hour."""
    choose_habits(world, state, state.market)
    second = draws.below(draws.draw(state.key, purpose.ARRIVAL_MINUTE, hour), 3600)
    state.logging = 1
    state.alarm[ALARM_SIGNUP] = hour * HOUR + second * SECOND


@rule(Nothing(World, State))
def begin_borrower(world, state):
    """Someone who uses a member's account: unknown to the log until they sign up, or somebody leaves their address."""
    choose_habits(world, state, state.market)
    state.logging = 1
    put_down(world, state, world.pre_roll, world.start, BEGIN_BORROWING)
