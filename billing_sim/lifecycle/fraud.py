"""Fraudsters, and the screen that looks for them before a payment is sent anywhere.

A fraudster signs up with a card that someone else owns. It may be blocked already; if not, it pays until its owner
notices. The screen gives every payment by card a score, a path in time by (card, day): above one threshold the payment
is blocked, above another it waits until somebody has looked at it.
"""

from __future__ import annotations

from billing_sim import declines, draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import DAY
from billing_sim.lifecycle import agenda
from billing_sim.lifecycle.calendar import hour_of
from billing_sim.lifecycle.log import confide
from billing_sim.lifecycle.methods import is_card
from billing_sim.lifecycle.state import (
    FIRST,
    OUTSIDE,
    SIGNING_UP,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.rule import rule
from billing_sim.world.record import QUANTILES

PASSED, REVIEWED, BLOCKED = 0, 1, 2
"""What the screen says."""

_TAIL = QUANTILES - 1
_SLICE_BITS, _FRACTION_BITS = 54, 38


@rule(Nothing(World, State, Int))
def steal_card(world, state, now):
    """The card just put on file is stolen: blocked already, or until its owner notices."""
    if not is_card(state.method_kind[FIRST]):
        return
    hour = hour_of(now)
    key = state.method_key[FIRST]
    if draws.draw(key, purpose.STOLEN_WORKS, hour) >= world.fraud_works:
        state.method_status[FIRST] = declines.STOLEN
        return
    after = world.fraud_noticed[draws.draw(key, purpose.OWNER_NOTICES, hour) & _TAIL]
    place = agenda.put_down(world, state, now, now + after, agenda.OWNER_NOTICES)
    if place >= 0:
        state.matter_detail[place] = state.method_number[FIRST]


@rule(Nothing(State, Page, Int))
def tell_fraud(state, page, now):
    """Tell the sealed truth that whoever pays does not own the method."""
    row = page.truths[confide(state, page, events.FRAUD_JUDGED, now, -1)]
    row.method = state.method_number[FIRST]
    row.fraud = 1


@rule(Nothing(World, State, Page, Int))
def judge_signup(world, state, page, now):
    """Some of those who sign up for the first time by card are fraudsters; only the sealed truth is told."""
    if state.started_by == events.NEW and is_card(state.method_kind[FIRST]):
        u = draws.draw(state.key, purpose.FRAUDSTER, hour_of(now))
        state.fraudster = 1 if u < world.fraud_signups[state.market] else 0
    if state.fraudster:
        tell_fraud(state, page, now)
        steal_card(world, state, now)


@rule(Nothing(State, Page, Int, Int))
def card_is_blocked(state, page, now, place):
    """The owner of a stolen card has noticed: it is refused from now on, if it is still on file."""
    if state.phase == OUTSIDE or state.matter_detail[place] != state.method_number[FIRST]:
        return
    state.method_status[FIRST] = declines.STOLEN
    row = page.truths[confide(state, page, events.EPISODE_BEGAN, now, -1)]
    row.method = state.method_number[FIRST]
    row.cause = declines.STOLEN


@rule(Int(World, State, Int, Int))
def score_of(world, state, slot, at):
    """The risk score of a card on a day, 0 to 999: the quantile of its draw, on a straight line between two."""
    who = 1 if state.fraudster else 0
    u = draws.draw(state.method_key[slot], purpose.SCORE, at // DAY)
    i = u >> _SLICE_BITS
    low = world.fraud_score[who, i]
    step = ((world.fraud_score[who, i + 1] - low) * ((u >> _FRACTION_BITS) & 0xFFFF)) >> 16
    return (low + step) >> 16


@rule(Int(World, State, Int, Int, Int))
def screen(world, state, slot, initiator, at):
    """What the screen says of a payment; what a review has cleared passes once."""
    if state.cleared:
        state.cleared = 0
        return PASSED
    where = 0 if state.phase == SIGNING_UP else (1 if initiator == events.CIT else 2)
    if slot != FIRST or not world.fraud_screens[where] or not is_card(state.method_kind[slot]):
        return PASSED
    market = state.market
    i = world.fraud_count[market] - 1
    while i > 0 and world.fraud_from[market, i] > at:
        i -= 1
    state.score = score_of(world, state, slot, at)
    if state.score > world.fraud_block[market, i]:
        return BLOCKED
    return REVIEWED if state.score > world.fraud_review[market, i] else PASSED
