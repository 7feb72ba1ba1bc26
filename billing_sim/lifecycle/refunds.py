"""Money that goes back: refunds on complaint or by goodwill, and charges that were never owed.

A charge that stands may be complained about, taken back by the bank (`lifecycle.disputes`), or be made twice by
mistake. Each of these is a claim on one charge, a matter of the agenda, and one charge is given back once: whichever
claim comes first strikes the others.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import DAY, HOUR
from billing_sim.lifecycle.agenda import (
    CHARGE_AFTER_END,
    DISPUTE_OPENS,
    NO_MATTER,
    REFUND_DUE,
    put_down,
    set_matter_alarm,
)
from billing_sim.lifecycle.calendar import hour_of
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.state import FIRST, MATTERS, PENDING_RETURN, Int, Nothing, Page, State, World
from billing_sim.lifecycle.support import DOUBLE_CHARGE, maybe_contact
from billing_sim.rule import rule
from billing_sim.world.record import NETWORKS, QUANTILES

# Why a charge is claimed back. Numbers are part of every digest; `world.dispute_wins` is asked by them.
STOLEN, FRIENDLY, POOR_SERVICE, CHARGED_TWICE, CHARGED_AFTER_END = 1, 2, 3, 4, 5

TWICE, AFTER_END = 0, 1
"""Faults that charge what is not owed: places in the world's tables."""

_AFTER_END_DAYS = 28
_TAIL = QUANTILES - 1


@rule(Int(Int))
def reason_of(why):
    """What the log says of a claim; a fraud that is none looks like one."""
    if why == POOR_SERVICE:
        return events.SERVICE
    if why == CHARGED_TWICE:
        return events.DUPLICATE
    return events.UNAUTHORISED if why == CHARGED_AFTER_END else events.TRUE_FRAUD


@rule(Int(Int))
def is_surplus(reason):
    """Whether this is about a charge that was never owed, which stands beside the rightful one of its invoice."""
    return 1 if reason in (events.DUPLICATE, events.UNAUTHORISED) else 0


@rule(Int(State, Int, Int))
def reason_on_agenda(state, place, invoice):
    """The reason of a claim at this place of the agenda on a charge of this invoice, 0 when there is none."""
    if state.matter_invoice[place] != invoice:
        return 0
    if state.matter[place] == REFUND_DUE:
        return state.matter_detail[place]
    return reason_of(state.matter_detail[place] // NETWORKS) if state.matter[place] == DISPUTE_OPENS else 0


@rule(Int(State, Int, Int))
def strike_claims(state, invoice, reason):
    """Take other claims on the same charge off the agenda; return how many there were."""
    found = 0
    for i in range(MATTERS):
        other = reason_on_agenda(state, i, invoice)
        if other and is_surplus(other) == is_surplus(reason):
            state.matter[i] = NO_MATTER
            found += 1
    if found:
        set_matter_alarm(state)
    return found


@rule(Nothing(World, State, Page, Int, Int, Int, Int))
def give_back(world, state, page, now, invoice, amount, reason):
    """Money goes back, and nothing else is claimed of this charge."""
    row = page.rows[record(world, state, page, events.REFUND_ISSUED, now)]
    row.invoice = invoice
    row.amount_minor = amount
    row.reason = reason
    strike_claims(state, invoice, reason)
    if is_surplus(reason):
        state.doubled = 0 if state.doubled == invoice else state.doubled
    else:
        state.refunded = invoice


@rule(Int(World, State, Page, Int, Int, Int, Int))
def refund(world, state, page, now, invoice, amount, reason):
    """Give money of a paid invoice back, at once; return the amount that went back, 0 when none could.

    None can when the same charge was refunded already or the bank has the case, or when a duplicate is to be refunded
    that was never charged, or went back; nor while a direct debit is still to come back, or the payer had the money
    twice. Callers ask for the person's last paid invoice, at most for its amount, with the reason complaint, goodwill
    or duplicate.
    """
    if amount <= 0 or not state.logging or state.pending == PENDING_RETURN:
        return 0
    if is_surplus(reason):
        if strike_claims(state, invoice, reason) == 0 and state.doubled != invoice:
            return 0
    elif invoice in (state.refunded, state.disputed):
        return 0
    give_back(world, state, page, now, invoice, amount, reason)
    return amount


@rule(Nothing(World, State, Page, Int, Int))
def ring_refund(world, state, page, now, place):
    """A refund that was decided on is paid out."""
    invoice = state.matter_invoice[place]
    give_back(world, state, page, now, invoice, state.matter_amount[place], state.matter_detail[place])


@rule(Nothing(World, State, Int, Int, Int, Int, Int))
def promise_refund(world, state, now, wait, invoice, amount, reason):
    """A refund will be paid out after a while."""
    place = put_down(world, state, now, now + wait, REFUND_DUE)
    if place >= 0:
        state.matter_invoice[place] = invoice
        state.matter_amount[place] = amount
        state.matter_detail[place] = reason


@rule(Nothing(World, State, Int, Int))
def foresee_complaint(world, state, now, occasion):
    """Some members complain about a charge that stands and get it back, or a part of it."""
    if draws.draw(state.key, purpose.COMPLAINT, occasion) >= world.complaint[state.market]:
        return
    amount = state.amount
    if draws.draw(state.key, purpose.COMPLAINT_SIZE, occasion) >= world.refund_full:
        amount = max(1, (amount * world.refund_part + 500_000) // 1_000_000)
    wait = world.refund_delay[draws.draw(state.key, purpose.COMPLAINT_DELAY, occasion) & _TAIL] * HOUR
    promise_refund(world, state, now, wait, state.invoice, min(amount, state.amount), events.COMPLAINT)


@rule(Nothing(World, State, Int, Int, Int, Int, Int))
def promise_dispute(world, state, now, wait, invoice, amount, detail):
    """The payer will turn to the bank; `detail` is why * NETWORKS + network."""
    place = put_down(world, state, now, now + wait, DISPUTE_OPENS)
    if place >= 0:
        state.matter_invoice[place] = invoice
        state.matter_amount[place] = amount
        state.matter_detail[place] = detail


@rule(Nothing(World, State, Page, Int, Int, Int, Int, Int))
def charge_again(world, state, page, now, invoice, attempt, amount, why):
    """An invoice is charged once more; somebody notices and it is refunded, or the bank is asked, or neither."""
    row = page.rows[record(world, state, page, events.PAYMENT_DUPLICATED, now)]
    row.invoice = invoice
    row.attempt = attempt
    row.amount_minor = amount
    row.reason = reason_of(why)
    row.fee_minor = state.charged_fee
    state.doubled = invoice
    if world.support:
        maybe_contact(world, state, now, DOUBLE_CHARGE)
    hour = hour_of(now)
    u = draws.draw(state.key, purpose.DOUBLE_REMEDY, hour)
    late = draws.draw(state.key, purpose.DOUBLE_DELAY, hour) & _TAIL
    if u < world.double_refunded:
        promise_refund(world, state, now, world.refund_delay[late] * HOUR, invoice, amount, reason_of(why))
    elif u < world.double_disputed:
        detail = why * NETWORKS + state.charged_network
        promise_dispute(world, state, now, world.dispute_delay[late] * HOUR, invoice, amount, detail)


@rule(Int(Int))
def can_be_taken_twice(kind):
    """Whether a fault of ours can charge a method of this kind again: a voucher is paid, and a gift given, once."""
    return 0 if kind in (events.VOUCHER, events.GIFT_BALANCE) else 1


@rule(Nothing(World, State, Page, Int))
def duplicate_charge(world, state, page, now):
    """The payment that was just captured is captured a second time: a fault, which is refunded or disputed later."""
    if state.logging and state.amount > 0:
        charge_again(world, state, page, now, state.invoice, state.attempt, state.amount, CHARGED_TWICE)


@rule(Int(World, State, Int, Int))
def fault_share(world, state, fault, at):
    """The share of charges that go wrong like this at a moment, as a threshold; 0 when all is well."""
    market = state.market
    share = 0
    for i in range(world.fault_count[fault, market]):
        if world.fault_from[fault, market, i] <= at < world.fault_until[fault, market, i]:
            share = max(share, world.fault_share[fault, market, i])
    return share


@rule(Nothing(World, State, Int))
def foresee_charge_after_end(world, state, now):
    """A subscription ends as the member wished; while cancels are not obeyed, some are charged once more."""
    if not state.logging or state.invoice == 0 or state.amount == 0 or not can_be_taken_twice(state.method_kind[FIRST]):
        return
    if draws.draw(state.key, purpose.AFTER_END, hour_of(now)) < fault_share(world, state, AFTER_END, now):
        place = put_down(world, state, now, now + _AFTER_END_DAYS * DAY, CHARGE_AFTER_END)
        if place >= 0:
            state.matter_amount[place] = state.amount
            state.matter_detail[place] = state.attempt


@rule(Nothing(World, State, Page, Int, Int))
def charge_after_end(world, state, page, now, place):
    """The last invoice of a subscription that has ended is charged again."""
    invoice, attempt = state.matter_invoice[place], state.matter_detail[place]
    charge_again(world, state, page, now, invoice, attempt, state.matter_amount[place], CHARGED_AFTER_END)
