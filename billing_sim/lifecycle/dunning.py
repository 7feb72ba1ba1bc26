"""Collecting what is late, as the policy in force at the first failure says: retries, notices, hold, end.

A member who sees a notice may act. Attention is a path of its own (subscriber, day): a notice only gives it something
to see, so more notices do not buy luck.
"""

from __future__ import annotations

from billing_sim import declines, draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import DAY, HOUR, MINUTE, NEVER
from billing_sim.lifecycle import channels, surveys
from billing_sim.lifecycle.billing import log_invoice
from billing_sim.lifecycle.calendar import instant_of, local_day, not_before_next_window, offset
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.state import (
    ALARM_EXHAUST,
    ALARM_HOLD,
    ALARM_MEMBER,
    ALARM_NOTICE,
    ALARM_RETRY,
    FIRST,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.lifecycle.support import HOLD_STARTED, PAYMENT_FAILED, maybe_contact
from billing_sim.rule import rule

SIGHT_DAYS = 3
"""How many days a notice stays in sight."""

_WAKING_HOUR = 8
_WAKING_MINUTES = 15 * 60


@rule(Int(World, State, Int, Int))
def policy_for(world, state, at, decline_kind):
    """The policy that the rules in force choose for this market, method and kind of first decline."""
    i = world.policy_epochs - 1
    while i > 0 and world.policy_from[i] > at:
        i -= 1
    return world.policy_for[i, state.market, state.method_kind[FIRST], decline_kind]


@rule(Int(World, State, Int))
def retry_moment(world, state, after):
    """When a retry is due: so long after the first failure, at the policy's local hour if it names one."""
    at = state.first_failed + after
    hour = world.retry_hour[state.policy]
    if hour < 0 or after < DAY:
        return at
    zone = world.zone[state.market]
    day = (at + offset(world, zone, at)) // DAY
    minute = draws.below(draws.draw(state.key, purpose.RETRY_MINUTE, day), 60)
    return instant_of(world, zone, day * DAY + hour * HOUR + minute * MINUTE)


@rule(Nothing(World, State, Int))
def schedule_retry(world, state, now):
    """Ring for the next retry of the policy that is still ahead, unless retrying has been stopped."""
    state.alarm[ALARM_RETRY] = NEVER
    if state.stopped:
        return
    policy = state.policy
    while state.next_retry < world.retry_count[policy]:
        at = retry_moment(world, state, world.retry_after[policy, state.next_retry])
        if at > now:
            state.alarm[ALARM_RETRY] = not_before_next_window(world, now, at)
            return
        state.next_retry += 1


@rule(Nothing(World, State, Int))
def schedule_notice(world, state, now):
    """Ring for the next notice of the policy."""
    policy = state.policy
    state.alarm[ALARM_NOTICE] = NEVER
    if state.next_notice < world.notice_count[policy]:
        at = state.first_failed + world.notice_after[policy, state.next_notice]
        state.alarm[ALARM_NOTICE] = not_before_next_window(world, now, at)


@rule(Nothing(World, State, Int))
def go_on(world, state, now):
    """Notices, hold and end are due, counted from the first failure; what is past is not told again."""
    policy = state.policy
    while (
        state.next_notice < world.notice_count[policy]
        and state.first_failed + world.notice_after[policy, state.next_notice] < now
    ):
        state.next_notice += 1
    schedule_notice(world, state, now)
    state.alarm[ALARM_HOLD] = not_before_next_window(world, now, state.first_failed + world.grace[policy])
    state.alarm[ALARM_EXHAUST] = not_before_next_window(world, now, state.first_failed + world.dunning_end[policy])


@rule(Nothing(World, State, Page, Int, Int))
def begin(world, state, page, now, code):
    """The first failure of an invoice: a policy takes over."""
    state.first_failed = now
    state.policy = policy_for(world, state, now, world.decline_kind[code])
    state.next_retry = 0
    state.next_notice = 0
    state.unopened = 0
    row = page.rows[record(world, state, page, events.DUNNING_STARTED, now)]
    row.invoice = state.invoice
    row.policy = state.policy
    if world.surveys[state.market]:
        surveys.feel(world, state, surveys.DECLINED, now)
    go_on(world, state, now)


@rule(Nothing(World, State, Int))
def note_decline(world, state, code):
    """Some declines end retrying until the method changes: network rules and the policy say which."""
    if world.never_retry[code] or world.stop_on[state.policy, world.decline_kind[code]]:
        state.stopped = 1


@rule(Nothing(World, State, Int, Int, Int))
def watch(world, state, now, until, chance):
    """Ring at the member's next moment of attention to what is in sight, at a waking hour, if one comes in time."""
    if draws.draw(state.key, purpose.REACH, 0) < world.unreachable[state.market]:
        return
    zone = world.zone[state.market]
    day = local_day(world, zone, now)
    last = local_day(world, zone, until)
    while day <= last:
        if draws.draw(state.key, purpose.ATTENTION, day) < chance:
            minute = draws.below(draws.draw(state.key, purpose.ATTENTION_HOUR, day), _WAKING_MINUTES)
            at = instant_of(world, zone, day * DAY + _WAKING_HOUR * HOUR + minute * MINUTE)
            if at > now:
                at = not_before_next_window(world, now, at)
                state.alarm[ALARM_MEMBER] = min(state.alarm[ALARM_MEMBER], at)
                return
        day += 1


@rule(Nothing(World, State, Int))
def watch_again(world, state, now):
    """After acting in vain, the member may act again while a notice or the hold is in sight."""
    zone = world.zone[state.market]
    tomorrow = instant_of(world, zone, (local_day(world, zone, now) + 1) * DAY) - 1
    if state.held:
        watch(world, state, tomorrow, state.alarm[ALARM_EXHAUST], world.attention_on_hold[state.market])
    else:
        watch(world, state, tomorrow, state.sight_until, channels.chance_of_seeing(world, state))


@rule(Nothing(World, State, Page, Int, Int, Int))
def notify(world, state, page, now, notice, channel):
    """Tell the member, who may see it for some days if it arrives."""
    row = page.rows[record(world, state, page, events.NOTICE_SENT, now)]
    row.invoice = state.invoice
    row.reason = notice
    if world.channels[state.market]:
        row.channel = channel
        if not channels.arrives(world, state, channel, now):
            channels.log_undelivered(world, state, page, channel, now)
            return
        state.sight_channel = channel
        state.unopened = 1
    state.sight_until = now + SIGHT_DAYS * DAY


@rule(Nothing(World, State, Page, Int))
def ring_notice(world, state, page, now):
    """A notice of the policy is due."""
    channel = world.notice_channel[state.policy, state.next_notice]
    notify(world, state, page, now, events.NOTICE_REMINDER if state.next_notice else events.NOTICE_FAILED, channel)
    if world.support and state.next_notice == 0:
        maybe_contact(world, state, now, PAYMENT_FAILED)
    state.next_notice += 1
    schedule_notice(world, state, now)
    watch(world, state, now, state.sight_until, channels.chance_of_seeing(world, state))


@rule(Nothing(World, State, Page, Int))
def ring_hold(world, state, page, now):
    """Grace is over: access is blocked, which the member notices sooner than any message."""
    state.held = 1
    log_invoice(world, state, page, events.SUBSCRIPTION_HELD, now)
    if world.surveys[state.market]:
        surveys.feel(world, state, surveys.HELD, now)
        surveys.maybe_ask(world, state, page, now, surveys.ABOUT_HOLD)
    notify(world, state, page, now, events.NOTICE_HOLD, world.notice_channel[state.policy, 0])
    if world.support:
        maybe_contact(world, state, now, HOLD_STARTED)
    watch(world, state, now, state.alarm[ALARM_EXHAUST], world.attention_on_hold[state.market])


@rule(Int(Int))
def is_mendable(cause):
    """Whether the member has new details for the method in hand: the bank sent another card."""
    return 1 if cause in (declines.EXPIRED, declines.REPLACED) else 0
