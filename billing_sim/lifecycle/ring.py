"""The engine: find the earliest alarm, silence it, call its rule.

Two drivers call this and nothing else. A life begins with `begin`, goes on while `ring` says that something is still
to come before the horizon, and leaves its rows behind.
"""

from __future__ import annotations

from billing_sim import draws, events, people
from billing_sim import purposes as purpose
from billing_sim.clock import NEVER
from billing_sim.lifecycle import channels, dunning, surveys
from billing_sim.lifecycle.answers import ring_resolve
from billing_sim.lifecycle.base import begin_base, ring_import
from billing_sim.lifecycle.billing import advance_period, quote
from billing_sim.lifecycle.calendar import hour_of, local_day, not_before_next_window
from billing_sim.lifecycle.card_testing import BOT, begin_bot, is_bot, test_cards
from billing_sim.lifecycle.changing import downgrade_at_renewal, show_goodwill
from billing_sim.lifecycle.collecting import collect, ring_retry
from billing_sim.lifecycle.intent import change_mind
from billing_sim.lifecycle.leaving import (
    cancel_in_dunning,
    has_other_means,
    leave,
    lose_through_payment,
    ring_period_end,
)
from billing_sim.lifecycle.matters import ring_matter
from billing_sim.lifecycle.methods import choose_kind, replace, ring_episode
from billing_sim.lifecycle.offers import issue
from billing_sim.lifecycle.pausing import pauses
from billing_sim.lifecycle.spells import (
    begin_arrival,
    begin_borrower,
    begin_former,
    begin_signup,
    change_signup_method,
)
from billing_sim.lifecycle.state import (
    ALARM_EPISODE,
    ALARM_EXHAUST,
    ALARM_HOLD,
    ALARM_IMPORT,
    ALARM_INTENT,
    ALARM_MATTER,
    ALARM_MEMBER,
    ALARM_NOTICE,
    ALARM_PERIOD_END,
    ALARM_RENEWAL,
    ALARM_RESOLVE,
    ALARM_RETRY,
    ALARM_SIGNUP,
    ALARMS,
    FIRST,
    PENDING_OUTCOME,
    PENDING_RETURN,
    SIGNING_UP,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.lifecycle.support import PRICE_RISE, UNKNOWN_CHARGE, maybe_contact, with_annoyance
from billing_sim.lifecycle.trials import end_trial
from billing_sim.rule import rule

MOST_ROWS = 32
"""No single alarm writes more rows than this; a test watches it."""


@rule(Nothing(World, State, Int, Int))
def begin(world, state, market, subject):
    """Set the first alarms of a zeroed record: of a base member, a former one, or someone yet to come."""
    state.subject = subject
    state.market = market
    state.key = draws.subject_key(world.seed_key, subject)
    state.group = draws.below(draws.draw(state.key, purpose.GROUP, 0), 64)
    state.delay_hour = -1
    state.strained_quarter = -1
    for i in range(ALARMS):
        state.alarm[i] = NEVER
    kind = (subject >> people.KIND_SHIFT) & 3
    if kind == people.BASE:
        begin_base(world, state)
    elif kind == people.FORMER:
        begin_former(world, state)
    elif kind == people.BORROWER:
        begin_borrower(world, state)
    elif is_bot(subject):
        begin_bot(state, (subject & ((1 << people.KIND_SHIFT) - 1)) >> people.ARRIVAL_SHIFT)
    else:
        begin_arrival(world, state, (subject & ((1 << people.KIND_SHIFT) - 1)) >> people.ARRIVAL_SHIFT)


@rule(Int(State), inline=True)
def next_alarm(state):
    """When the next alarm rings, NEVER when this life holds nothing more; equal times ring in the order of numbers."""
    earliest = state.alarm[0]
    turn = 0
    for i in range(1, ALARMS):
        if state.alarm[i] < earliest:
            earliest = state.alarm[i]
            turn = i
    state.turn = turn
    return earliest


@rule(Nothing(World, State, Page, Int))
def ring_renewal(world, state, page, now):
    """A billing day: the next period is invoiced and charged, once the last payment can no longer come back.

    Where only what is open is followed up, nothing new is invoiced.
    """
    if now >= world.bills_until:
        return
    if state.pending == PENDING_RETURN or state.changing:
        state.alarm[ALARM_RENEWAL] = not_before_next_window(world, state.alarm[ALARM_RESOLVE], 0)
        return
    initiator = events.MIT
    if state.trial:
        initiator = end_trial(world, state, page, now)
        if initiator == 0:
            return
    elif world.pauses[state.market] and pauses(world, state, page, now):
        return
    advance_period(world, state)
    if state.downgrading:
        downgrade_at_renewal(world, state, page, now)
    before = state.worth
    quote(world, state, now)
    if world.goodwill[state.market]:
        show_goodwill(world, state, page, now)
    issue(world, state, page, now)
    # What a period costs, not what is left to pay: credit used last time, or the rest of a dearer plan, is no rise.
    is_dearer = 1 if state.worth > before > 0 else 0
    if world.surveys[state.market]:
        surveys.note_renewal(world, state, page, now, is_dearer)
    if world.support:
        maybe_contact(world, state, now, PRICE_RISE if is_dearer else UNKNOWN_CHARGE)
    state.collects = initiator


@rule(Nothing(World, State, Page, Int))
def act_in_dunning(world, state, page, now):
    """A member who noticed the failure cancels, or puts another method on file, or pays again with the same."""
    day = local_day(world, world.zone[state.market], now)
    cancels = world.cancel_in_trouble[state.market]
    if state.intent == events.INERT:
        cancels = world.inert_cancel[state.market]
    if world.support:
        cancels = with_annoyance(world, state, now, cancels)
    if state.intent == events.GO or draws.draw(state.key, purpose.REACTION, day) < cancels:
        cancel_in_dunning(world, state, page, now, events.PAYMENT_TROUBLE)
        return
    status = state.method_status[FIRST]
    means = has_other_means(world, state)
    if dunning.is_mendable(status):
        replace(world, state, page, FIRST, state.method_kind[FIRST], events.BY_SUBSCRIBER, now)
        state.stopped = 0
    elif means and (status or draws.draw(state.key, purpose.SELF_FIX, day) < draws.ONE // 2):
        kind = choose_kind(world, state, purpose.NEW_METHOD, hour_of(now))
        replace(world, state, page, FIRST, kind, events.BY_SUBSCRIBER, now)
        state.stopped = 0
    elif status:
        dunning.watch_again(world, state, now)
        return
    state.collects = events.CIT


@rule(Nothing(World, State, Page, Int))
def ring_member(world, state, page, now):
    """The member acts: mends a method before it is charged, or answers a notice."""
    if state.pending == PENDING_OUTCOME:
        state.alarm[ALARM_MEMBER] = not_before_next_window(world, state.alarm[ALARM_RESOLVE], 0)
    elif state.fraudster:
        return
    elif state.open:
        if world.channels[state.market] and not channels.acts_on_notice(world, state, page, now):
            dunning.watch_again(world, state, now)
        else:
            act_in_dunning(world, state, page, now)
    elif dunning.is_mendable(state.method_status[FIRST]):
        replace(world, state, page, FIRST, state.method_kind[FIRST], events.BY_SUBSCRIBER, now)


@rule(Nothing(World, State, Page, Int))
def ring_exhaust(world, state, page, now):
    """Dunning is over, unless an outcome is still unknown."""
    if state.pending == PENDING_OUTCOME:
        state.alarm[ALARM_EXHAUST] = not_before_next_window(world, state.alarm[ALARM_RESOLVE], 0)
    else:
        lose_through_payment(world, state, page, now)


@rule(Nothing(World, State, Page, Int))
def ring_intent(world, state, page, now):
    """A change of mind; who wants to go acts on it."""
    change_mind(world, state, page, now)
    if state.intent == events.GO:
        leave(world, state, page, now)


@rule(Nothing(World, State, Page, Int))
def ring_signup(world, state, page, now):
    """A person signs up, for the first time or again, once their last payment can no longer come back."""
    if state.pending == PENDING_RETURN:
        state.alarm[ALARM_SIGNUP] = not_before_next_window(world, state.alarm[ALARM_RESOLVE], 0)
        return
    if state.fraudster == BOT:
        test_cards(world, state, page, now)
        return
    begin_signup(world, state, page, now)
    if state.phase == SIGNING_UP:
        state.collects = events.CIT


@rule(Nothing(World, State, Page, Int))
def ring_next_try(world, state, page, now):
    """The next try of a sign-up with another method, or of a policy with the same."""
    if state.phase == SIGNING_UP:
        change_signup_method(world, state, page, now)
        state.collects = events.CIT
    else:
        ring_retry(world, state, now)


@rule(Int(World, State, Page))
def ring(world, state, page):
    """Ring the alarm whose turn it is and return the moment of the next."""
    k = state.turn
    now = state.alarm[k]
    state.alarm[k] = NEVER
    if k == ALARM_RENEWAL:
        ring_renewal(world, state, page, now)
    elif k == ALARM_RETRY:
        ring_next_try(world, state, page, now)
    elif k == ALARM_NOTICE:
        dunning.ring_notice(world, state, page, now)
    elif k == ALARM_EPISODE:
        ring_episode(world, state, page, now)
    elif k == ALARM_MEMBER:
        ring_member(world, state, page, now)
    elif k == ALARM_INTENT:
        ring_intent(world, state, page, now)
    elif k == ALARM_RESOLVE:
        ring_resolve(world, state, page, now)
    elif k == ALARM_HOLD:
        dunning.ring_hold(world, state, page, now)
    elif k == ALARM_EXHAUST:
        ring_exhaust(world, state, page, now)
    elif k == ALARM_PERIOD_END:
        ring_period_end(world, state, page, now)
    elif k == ALARM_SIGNUP:
        ring_signup(world, state, page, now)
    elif k == ALARM_IMPORT:
        ring_import(world, state, page, now)
    elif k == ALARM_MATTER:
        ring_matter(world, state, page, now)
    if state.collects or state.failed_code:
        collect(world, state, page, now)
    return next_alarm(state)
