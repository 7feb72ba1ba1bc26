"""Disputes: the payer turns to the bank, which takes the money back weeks after the charge, and the case that follows.

Whether a charge will be disputed is decided when it stands, by the draw of its hour: for true fraud, by a member who
made it and denies it (friendly fraud), or for poor service. A refund that comes first leaves nothing to dispute. A
case is contested or not, won or lost, and goes on after the subscription has ended.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import HOUR
from billing_sim.lifecycle.agenda import DISPUTE_CONTESTED, DISPUTE_ENDS, put_down
from billing_sim.lifecycle.calendar import hour_of
from billing_sim.lifecycle.log import confide, record
from billing_sim.lifecycle.methods import is_card
from billing_sim.lifecycle.refunds import (
    FRIENDLY,
    POOR_SERVICE,
    STOLEN,
    TWICE,
    can_be_taken_twice,
    duplicate_charge,
    fault_share,
    foresee_complaint,
    is_surplus,
    promise_dispute,
    promise_refund,
    reason_of,
    strike_claims,
)
from billing_sim.lifecycle.state import Int, Nothing, Page, State, World
from billing_sim.rule import rule
from billing_sim.world.record import NETWORKS, QUANTILES

_TAIL = QUANTILES - 1
WON = 1024
"""Added to the detail of a case that will be won."""


@rule(Int(World, State, Int))
def why_disputed(world, state, u):
    """Why the payer will dispute a charge, 0 if not: true fraud first, then friendly fraud, then service."""
    market = state.market
    reached = world.dispute_fraud[market] if state.fraudster else 0
    if u < reached:
        return STOLEN
    reached += world.friendly_fraud[market]
    if u < reached:
        return FRIENDLY
    return POOR_SERVICE if u < reached + world.dispute_service[market] else 0


@rule(Nothing(World, State, Int, Int, Int))
def foresee_dispute(world, state, now, slot, occasion):
    """Some charges by card or direct debit will be disputed, unless the payer asks us first and gets the money back."""
    kind = state.method_kind[slot]
    if not is_card(kind) and kind != events.DIRECT_DEBIT:
        return
    why = why_disputed(world, state, draws.draw(state.key, purpose.DISPUTE, occasion))
    if why == 0:
        return
    late = draws.draw(state.key, purpose.DISPUTE_DELAY, occasion) & _TAIL
    if draws.draw(state.key, purpose.DISPUTE_FIRST_ASKS, occasion) < world.asks_first[state.market]:
        reason = events.TRUE_FRAUD if why == STOLEN else events.COMPLAINT
        promise_refund(world, state, now, world.refund_delay[late] * HOUR, state.invoice, state.amount, reason)
        return
    wait = world.dispute_delay[late] * HOUR
    promise_dispute(world, state, now, wait, state.invoice, state.amount, why * NETWORKS + state.network[slot])


@rule(Nothing(World, State, Page, Int, Int))
def after_charge(world, state, page, now, slot):
    """A charge stands: it may be complained about, disputed, or have been made twice, unless a release did that."""
    if not state.logging or state.amount <= 0:
        return
    occasion = hour_of(now) * 2 + slot
    foresee_complaint(world, state, now, occasion)
    foresee_dispute(world, state, now, slot, occasion)
    if not world.faults or state.doubled == state.invoice or not can_be_taken_twice(state.method_kind[slot]):
        return
    if draws.draw(state.key, purpose.DOUBLE, occasion) < fault_share(world, state, TWICE, now):
        duplicate_charge(world, state, page, now)


@rule(Int(World, State, Page, Int, Int, Int, Int))
def log_dispute(world, state, page, event, now, invoice, detail):
    """Open the row of a dispute's next step and return its place."""
    i = record(world, state, page, event, now)
    row = page.rows[i]
    row.invoice = invoice
    row.network = detail % NETWORKS
    row.reason = reason_of(detail // NETWORKS)
    return i


@rule(Nothing(World, State, Int, Int, Int, Int, Int, Int))
def go_on(world, state, now, wait, step, invoice, amount, detail):
    """The next step of a case comes after a while."""
    place = put_down(world, state, now, now + wait, step)
    if place >= 0:
        state.matter_invoice[place] = invoice
        state.matter_amount[place] = amount
        state.matter_detail[place] = detail


@rule(Nothing(World, State, Page, Int, Int, Int, Int))
def report_fraud(world, state, page, now, invoice, amount, network):
    """The bank tells the network that the charge was fraud."""
    row = page.rows[record(world, state, page, events.FRAUD_REPORTED, now)]
    row.invoice = invoice
    row.amount_minor = amount
    row.network = network


@rule(Nothing(World, State, Page, Int, Int))
def open_dispute(world, state, page, now, place):
    """The bank takes the money back; we may contest within some days, else the case is lost at the end of them."""
    invoice = state.matter_invoice[place]
    amount = state.matter_amount[place]
    detail = state.matter_detail[place]
    why = detail // NETWORKS
    reason = reason_of(why)
    hour = hour_of(now)
    sequence = state.sequence
    i = log_dispute(world, state, page, events.DISPUTE_OPENED, now, invoice, detail)
    page.rows[i].amount_minor = amount
    page.rows[i].fee_minor = world.dispute_fee[state.market]
    truth = page.truths[confide(state, page, events.DISPUTE_EXPLAINED, state.last_at, sequence)]
    truth.invoice = invoice
    truth.fraud = 1 if why == STOLEN else 0
    if reason == events.TRUE_FRAUD and draws.draw(state.key, purpose.DISPUTE_REPORT, hour) < world.fraud_report:
        report_fraud(world, state, page, now, invoice, amount, detail % NETWORKS)
    strike_claims(state, invoice, reason)
    if is_surplus(reason):
        state.doubled = 0 if state.doubled == invoice else state.doubled
    else:
        state.disputed = invoice
    contests = draws.draw(state.key, purpose.DISPUTE_CONTEST, hour) < world.dispute_contest
    step = DISPUTE_CONTESTED if contests else DISPUTE_ENDS
    go_on(world, state, now, world.dispute_response, step, invoice, amount, detail)


@rule(Nothing(World, State, Page, Int, Int))
def contest_dispute(world, state, page, now, place):
    """We send evidence; the bank decides some weeks later, and its mind is a draw of now: lost unless won."""
    invoice = state.matter_invoice[place]
    amount = state.matter_amount[place]
    detail = state.matter_detail[place]
    log_dispute(world, state, page, events.DISPUTE_REPRESENTED, now, invoice, detail)
    wins = draws.draw(state.key, purpose.DISPUTE_OUTCOME, hour_of(now)) < world.dispute_wins[detail // NETWORKS]
    decided = detail + WON if wins else detail
    go_on(world, state, now, world.dispute_decision, DISPUTE_ENDS, invoice, amount, decided)


@rule(Nothing(World, State, Page, Int, Int))
def end_dispute(world, state, page, now, place):
    """The case is over."""
    detail = state.matter_detail[place]
    event = events.DISPUTE_WON if detail >= WON else events.DISPUTE_LOST
    i = log_dispute(world, state, page, event, now, state.matter_invoice[place], detail % WON)
    page.rows[i].amount_minor = state.matter_amount[place]
