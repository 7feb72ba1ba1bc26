"""What a user's own process may do to somebody: one rule for each act, and one entry point for all of them.

An act goes the way of an alarm: it happens now, within the rules of the person's world, and what it leads to rings in a
later window. What the state of things does not allow is refused with a number and changes nothing.
"""

from __future__ import annotations

from numba import types

from billing_sim import events
from billing_sim.clock import NEVER
from billing_sim.lifecycle import channels, dunning
from billing_sim.lifecycle.collecting import collect, face_failure
from billing_sim.lifecycle.experiments import AT_FIRST_FAILURE, enrol
from billing_sim.lifecycle.leaving import cancel
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.methods import replace
from billing_sim.lifecycle.offers import grant
from billing_sim.lifecycle.refunds import refund
from billing_sim.lifecycle.ring import next_alarm
from billing_sim.lifecycle.state import (
    FIRST,
    NOTHING_PENDING,
    OUTSIDE,
    PENDING_OUTCOME,
    PENDING_RETURN,
    SUBSCRIBED,
    Int,
    Page,
    State,
    World,
)
from billing_sim.rule import entry, rule

CANCEL, REPLACE_METHOD, RETRY, REFUND, GRANT, SEND_NOTICE = range(1, 7)
"""Acts."""

REFUSALS = (
    "",
    "is no member now",
    "has cancelled already",
    "waits for the outcome of an attempt",
    "owes nothing",
    "does not respond",
    "cannot have this kind of payment method, which is not offered in the market",
    "may still have this payment come back",
    "had this charge refunded already, or their bank has the case",
    "has had this coupon, or another one is at work",
    "is not in the log",
    "has paid no such invoice last, or less than that for it",
)
"""Why an act is not possible, by number; each goes on from the person's name."""
(
    DONE, NO_MEMBER, HAS_CANCELED, OUTCOME_UNKNOWN, NOTHING_OPEN, NO_RESPONSE, NOT_OFFERED, MAY_RETURN, GIVEN_BACK,
    COUPON_HAD, NOT_IN_LOG, NOT_PAID,
) = range(len(REFUSALS))  # fmt: skip

_Worlds = types.Array(World, 1, "C")
_States = types.Array(State, 1, "C")
_Pages = types.Array(Page, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")


@rule(Int(State))
def is_member(state):
    """Whether the person has a subscription that the log knows of."""
    return 1 if state.logging and state.phase == SUBSCRIBED else 0


@rule(Int(World, State, Int, Int))
def is_offered_kind(world, state, kind, now):
    """Whether new members of the market may come with this kind of method, or this person has it anyway."""
    market = state.market
    if kind == state.method_kind[FIRST]:
        return 1
    if world.mix_count[market]:
        i = world.mix_count[market] - 1
        while i > 0 and world.mix_from[market, i] > now:
            i -= 1
        return 1 if world.mix[market, i, kind] > world.mix[market, i, kind - 1] else 0
    return 1 if world.method_mix[market, kind] > world.method_mix[market, kind - 1] else 0


@rule(Int(World, State, Page, Int))
def cancel_now(world, state, page, now):
    """The member cancels, as if by their own wish."""
    if state.canceling:
        return HAS_CANCELED
    cancel(world, state, page, now)
    return DONE


@rule(Int(World, State, Page, Int, Int))
def replace_now(world, state, page, kind, now):
    """The member puts a method of this kind on file; what is owed is tried again as the policy says."""
    if state.pending == PENDING_OUTCOME:
        return OUTCOME_UNKNOWN
    if state.fraudster:
        return NO_RESPONSE
    if not is_offered_kind(world, state, kind, now):
        return NOT_OFFERED
    replace(world, state, page, FIRST, kind, events.BY_SUBSCRIBER, now)
    state.stopped = 0
    if state.open and state.pending == NOTHING_PENDING and state.first_failed != NEVER:
        dunning.schedule_retry(world, state, now)
    return DONE


@rule(Int(State))
def retry_now(state):
    """The member has the open invoice charged."""
    if not state.open:
        return NOTHING_OPEN
    if state.pending != NOTHING_PENDING:
        return OUTCOME_UNKNOWN
    state.collects = events.CIT
    return DONE


@rule(Int(World, State, Page, Int, Int, Int, Int))
def refund_now(world, state, page, invoice, amount, reason, now):
    """Money of the last paid invoice goes back."""
    if state.pending == PENDING_RETURN and invoice == state.invoice:
        return MAY_RETURN
    return DONE if refund(world, state, page, now, invoice, amount, reason) else GIVEN_BACK


@rule(Int(World, State, Page, Int))
def notify_now(world, state, page, now):
    """One more reminder than the policy has, by its first channel; the member may see it like any other."""
    if not state.open or state.first_failed == NEVER:
        return NOTHING_OPEN
    dunning.notify(world, state, page, now, events.NOTICE_REMINDER, world.notice_channel[state.policy, 0])
    dunning.watch(world, state, now, state.sight_until, channels.chance_of_seeing(world, state))
    return DONE


@rule(Int(World, State, Page, Int, Int, Int, Int, Int))
def perform(world, state, page, now, what, a, b, c):
    """Do one act where it is possible; return 0, or why it is not."""
    if state.sequence == 0 or not state.logging:
        return NOT_IN_LOG
    if what == REFUND:
        return refund_now(world, state, page, a, b, c, now)
    if what == GRANT and state.phase == OUTSIDE:
        return DONE if grant(world, state, page, a, now) else COUPON_HAD
    if not is_member(state):
        return NO_MEMBER
    if what == CANCEL:
        return cancel_now(world, state, page, now)
    if what == REPLACE_METHOD:
        return replace_now(world, state, page, a, now)
    if what == RETRY:
        return retry_now(state)
    if what == GRANT:
        return DONE if grant(world, state, page, a, now) else COUPON_HAD
    return notify_now(world, state, page, now)


@entry(Int(_Worlds, _States, Int, _Pages, Int, Int, Int, Int, Int, _Numbers, _Numbers))
def act(worlds, states, i, pages, now, what, a, b, c, refusal, filled):
    """Let record `i` do something now, its rows going behind those already written; return its next alarm.

    `refusal` receives a place in `REFUSALS`, 0 when it was done; `a`, `b` and `c` are what the act needs.
    """
    state = states[i]
    page = pages[0]
    state.rows = filled[0]
    state.truths = filled[1]
    refusal[0] = perform(worlds[state.lives_in], state, page, now, what, a, b, c)
    if state.collects:
        collect(worlds[state.lives_in], state, page, now)
    if state.enrols:
        state.enrols = 0
        enrol(worlds[0], state, page, AT_FIRST_FAILURE, now)
        face_failure(worlds[state.lives_in], state, page, state.enrols_slot, now)
    filled[0] = state.rows
    filled[1] = state.truths
    return next_alarm(state)


@entry(Int(_Worlds, _States, Int, _Pages, Int, Int, Int, Int, Int, _Numbers))
def write_own(worlds, states, i, pages, now, kind, amount, score, reason, filled):
    """Write a row of a kind of the user's own about record `i`, which changes nothing else; return its next alarm."""
    state = states[i]
    state.rows = filled[0]
    row = pages[0].rows[record(worlds[state.lives_in], state, pages[0], kind, now)]
    row.invoice = state.invoice
    row.amount_minor = amount
    row.score = score
    row.reason = reason
    filled[0] = state.rows
    return next_alarm(state)
