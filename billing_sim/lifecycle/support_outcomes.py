"""What comes of a contact: an agent acts on the member's matter, or nobody answered and the member gave up.

The desk tells at the end of a window what happened within it; rows carry the moments at which it happened. What an
agent sets going (a charge, a link) rings in a later window, like everything that a decision schedules. A charge or a
link that leads to nothing may bring the member back: the second contact is put down at once and finds no reason when
the invoice is paid by then.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import HOUR, NEVER
from billing_sim.lifecycle import agenda, dunning, surveys
from billing_sim.lifecycle.billing import schedule_renewal
from billing_sim.lifecycle.calendar import hour_of, not_before_next_window
from billing_sim.lifecycle.intent import foresee_intent, set_intent
from billing_sim.lifecycle.leaving import has_other_means
from billing_sim.lifecycle.methods import choose_kind, replace
from billing_sim.lifecycle.refunds import refund
from billing_sim.lifecycle.reviews import IN_QUEUE
from billing_sim.lifecycle.state import (
    ALARM_EXHAUST,
    ALARM_HOLD,
    ALARM_PERIOD_END,
    ALARM_RESOLVE,
    FIRST,
    PENDING_OUTCOME,
    SUBSCRIBED,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.lifecycle.support import (
    ABANDONED,
    ANSWERED,
    CANCELED_BY_MISTAKE,
    DOUBLE_CHARGE,
    HOLD_STARTED,
    PAYMENT_FAILED,
    TOPIC_REASONS,
    UNKNOWN_CHARGE,
    come_back,
    has_reason,
    log_contact,
)
from billing_sim.rule import rule

_LONGEST_MS = (1 << 31) - 1
_DAY_HOURS = 24
_RETRY, _LINK, _GRACE = 0, 1, 2


@rule(Int(State, Int))
def luck(state, purpose_):
    """A draw about the contact under way, by the hour in which it was opened."""
    return draws.draw(state.key, purpose_, hour_of(state.contact_at))


@rule(Nothing(World, State, Int, Int))
def maybe_come_back(world, state, at, chance):
    """The matter is not settled: some contact support again."""
    if luck(state, purpose.CONTACT_REPEAT) < chance:
        come_back(world, state, at)


@rule(Int(World, State))
def explain_to(world, state):
    """Explain, which settles some matters."""
    return events.EXPLAINED_TO if luck(state, purpose.AGENT_SUCCESS) < world.explaining_suffices else events.UNRESOLVED


@rule(Int(World, State, Int))
def extend_grace(world, state, at):
    """Move hold and end of dunning away, once for an invoice; return whether there was anything to move."""
    if state.grace_given == state.invoice or state.alarm[ALARM_EXHAUST] == NEVER:
        return 0
    state.grace_given = state.invoice
    if state.alarm[ALARM_HOLD] < NEVER:
        state.alarm[ALARM_HOLD] += world.grace_extension
    if state.alarm[ALARM_EXHAUST] < IN_QUEUE:
        state.alarm[ALARM_EXHAUST] += world.grace_extension
    else:
        state.alarm[ALARM_EXHAUST] = not_before_next_window(world, at + world.window, at + world.grace_extension)
    return 1


@rule(Int(World, State, Int))
def mend(world, state, at):
    """An invoice is failing: charge again, send a link for another method, give more time, or explain.

    Where retrying has been stopped a charge would be refused again, so a link is sent instead.
    """
    u = luck(state, purpose.AGENT_ACTION)
    action = 0
    while action < 3 and u >= world.agent_does[action]:
        action += 1
    if action == _RETRY and state.stopped:
        action = _LINK
    if action == _RETRY:
        agenda.put_down(world, state, at, at + world.window, agenda.SUPPORT_RETRY)
        maybe_come_back(world, state, at, world.repeat_unresolved)
        return events.RETRIED
    if action == _LINK:
        hours = draws.below(luck(state, purpose.LINK_DELAY), _DAY_HOURS)
        agenda.put_down(world, state, at, at + world.window + hours * HOUR, agenda.SUPPORT_LINK)
        maybe_come_back(world, state, at, world.repeat_unresolved)
        return events.LINK_SENT
    if action == _GRACE and extend_grace(world, state, at):
        if luck(state, purpose.AGENT_SUCCESS) >= world.grace_suffices:
            maybe_come_back(world, state, at, world.repeat_unresolved)
        return events.GRACE_EXTENDED
    return explain_to(world, state)


@rule(Int(World, State, Page, Int))
def save(world, state, page, now):
    """The cancellation is undone: the subscription goes on, and so does the wish to keep it."""
    if luck(state, purpose.AGENT_SUCCESS) >= world.saving_works:
        return events.UNRESOLVED
    state.canceling = 0
    state.alarm[ALARM_PERIOD_END] = NEVER
    if state.intent != events.STAY:
        set_intent(state, page, events.STAY, now)
    foresee_intent(world, state, now)
    schedule_renewal(world, state, now)
    return events.SAVED


@rule(Int(World, State, Page, Int))
def pay_back(world, state, page, at):
    """Give back what was charged twice, or out of goodwill what the member cannot place; return what went back."""
    if state.invoice != state.contact_invoice or state.open:
        return 0
    works, reason = world.goodwill_given, events.GOODWILL
    if state.contact_topic == DOUBLE_CHARGE:
        works, reason = world.refunding_works, events.DUPLICATE
    if luck(state, purpose.AGENT_ACTION) >= works:
        return 0
    return refund(world, state, page, at, state.invoice, state.amount, reason)


@rule(Int(World, State, Page, Int, Int))
def act(world, state, page, now, at):
    """Do what the matter needs; return what was done, `events.UNRESOLVED` when it settled nothing."""
    topic = state.contact_topic
    if not has_reason(state, topic, state.contact_invoice):
        return events.EXPLAINED_TO
    if topic in (PAYMENT_FAILED, HOLD_STARTED):
        return mend(world, state, at)
    if topic == CANCELED_BY_MISTAKE:
        return save(world, state, page, now)
    if topic in (DOUBLE_CHARGE, UNKNOWN_CHARGE) and pay_back(world, state, page, at):
        return events.REFUNDED
    return explain_to(world, state)


@rule(Nothing(World, State, Page, Int, Int))
def note_contact(world, state, page, at, is_settled):
    """A contact is over: it is felt, and some are asked about it."""
    surveys.feel(world, state, surveys.CONTACT_SOLVED if is_settled else surveys.CONTACT_UNSOLVED, at)
    surveys.maybe_ask(world, state, page, at, surveys.ABOUT_CONTACT)


@rule(Nothing(World, State, Page, Int, Int))
def close_contact(world, state, page, now, at):
    """The agent has done what can be done, and closes the contact."""
    done = act(world, state, page, now, at)
    kind = events.CONTACT_UNRESOLVED if done == events.UNRESOLVED else events.CONTACT_RESOLVED
    i = log_contact(world, state, page, kind, at, done)
    page.rows[i].fee_minor = world.contact_cost[state.market, state.contact_channel]
    if world.surveys[state.market]:
        note_contact(world, state, page, at, 0 if done == events.UNRESOLVED else 1)
    if done == events.UNRESOLVED:
        state.annoyed_until = at + world.annoyed_for
        maybe_come_back(world, state, at, world.repeat_unresolved)


@rule(Nothing(World, State, Page, Int, Int, Int))
def log_wait(world, state, page, event, at, wait):
    """Write that waiting is over, and how long it was."""
    i = log_contact(world, state, page, event, at, TOPIC_REASONS[state.contact_topic])
    page.rows[i].latency_ms = min(wait // 1000, _LONGEST_MS)


@rule(Nothing(World, State, Page, Int, Int, Int, Int))
def deliver_contact(world, state, page, now, at, outcome, wait):
    """What the desk tells at the barrier `now` of the contact under way: it was answered, given up or handled `at`."""
    if outcome == ANSWERED:
        log_wait(world, state, page, events.CONTACT_ANSWERED, at, wait)
    elif outcome == ABANDONED:
        log_wait(world, state, page, events.CONTACT_ABANDONED, at, wait)
        state.contact_open = 0
        state.annoyed_until = at + world.annoyed_for
        maybe_come_back(world, state, at, world.repeat_abandoned)
    else:
        state.contact_open = 0
        close_contact(world, state, page, now, at)


@rule(Int(World, State, Int))
def can_be_paid(world, state, matter):
    """Whether there is still something to pay; while an outcome is unknown the matter waits for it."""
    if state.phase != SUBSCRIBED or not state.open:
        return 0
    if state.pending == PENDING_OUTCOME:
        agenda.put_down(world, state, state.alarm[ALARM_RESOLVE], 0, matter)
        return 0
    return 1


@rule(Nothing(World, State))
def ring_support_retry(world, state):
    """The charge that an agent set going."""
    if can_be_paid(world, state, agenda.SUPPORT_RETRY):
        state.collects = events.CIT


@rule(Nothing(World, State, Page, Int))
def ring_support_link(world, state, page, now):
    """The member follows the link of an agent, or doesn't: mends the method, or takes another, and pays.

    A fraudster has no card of their own to leave.
    """
    if state.fraudster or not can_be_paid(world, state, agenda.SUPPORT_LINK):
        return
    if draws.draw(state.key, purpose.AGENT_SUCCESS, hour_of(now)) >= world.link_works:
        return
    status = state.method_status[FIRST]
    if dunning.is_mendable(status):
        replace(world, state, page, FIRST, state.method_kind[FIRST], events.BY_SUBSCRIBER, now)
    elif has_other_means(world, state):
        kind = choose_kind(world, state, purpose.NEW_METHOD, hour_of(now))
        replace(world, state, page, FIRST, kind, events.BY_SUBSCRIBER, now)
    elif status:
        return
    state.stopped = 0
    state.collects = events.CIT
