"""Refunds, disputes and fees: what of a payment goes back, and what it cost.

A charge that was never owed (twice, or after the end) stands beside the rightful one of its invoice: what goes back of
it lessens `duplicated_micros`, never what was kept of the invoice.
"""

from __future__ import annotations

from billing_sim import events
from billing_sim.facts.attempts import call_number
from billing_sim.facts.contacts import has_contacted
from billing_sim.facts.places import NOWHERE, attempt_place, invoice_place
from billing_sim.facts.record import DISPUTES, REFUNDS, Context, Int, Nothing, Page, Person, Row
from billing_sim.facts.schema import NULL
from billing_sim.facts.valuing import factor_at, micros
from billing_sim.facts.who import sign_dispute, sign_refund
from billing_sim.rule import rule

_WON, _LOST = 1, 2
_MILLION = 1_000_000


@rule(Int(Int))
def is_surplus(reason):
    """Whether a reason is about a charge that was never owed."""
    return 1 if reason in (events.DUPLICATE, events.UNAUTHORISED) else 0


@rule(Int(Context, Person, Page, Int, Row, Int))
def worth(context, person, page, place, row, amount_minor):
    """An amount about an invoice in the reporting currency, at the rate of its issue; of its own moment if unseen."""
    at = page.invoices[place].issued_at if place >= 0 else row.occurred_at
    return micros(amount_minor, factor_at(context, person.currency, at))


@rule(Nothing(Context, Person, Page, Row))
def read_fee(context, person, page, row):
    """An attempt, a charge or a dispute cost something; what a partner keeps of it may be less revenue instead.

    A charge that is told twice cost once.
    """
    if row.kind == events.PAYMENT_CAPTURED:
        if person.charged == call_number(row):
            return
        person.charged = call_number(row)
    place = invoice_place(page, person, row.invoice)
    fee = worth(context, person, page, place, row, row.fee_minor)
    tried = NOWHERE
    if row.kind not in (events.DISPUTE_OPENED, events.PAYMENT_DUPLICATED):
        tried = attempt_place(page, person, row)
    is_charge = row.kind == events.PAYMENT_CAPTURED and tried >= 0 and place >= 0
    if is_charge and context.partner_keeps and page.attempts[tried].method == events.CARRIER_PARTNER:
        kept = (row.amount_minor * context.partner_keeps + _MILLION // 2) // _MILLION
        page.invoices[place].booked_micros = page.invoices[place].amount_micros - worth(
            context, person, page, place, row, kept
        )
        fee = worth(context, person, page, place, row, row.fee_minor - kept)
    if tried >= 0:
        page.attempts[tried].fee_micros += fee
    if place >= 0:
        page.invoices[place].fee_micros += fee


@rule(Nothing(Context, Person, Page, Row))
def read_duplicated(context, person, page, row):
    """An invoice is charged once more."""
    place = invoice_place(page, person, row.invoice)
    if place >= 0:
        page.invoices[place].surplus_charges += 1
        page.invoices[place].duplicated_micros += worth(context, person, page, place, row, row.amount_minor)


@rule(Nothing(Context, Person, Page, Row))
def read_refund(context, person, page, row):
    """Money goes back; it is a fact of its own even where its invoice was not seen."""
    i = page.count[REFUNDS]
    page.count[REFUNDS] += 1
    place = invoice_place(page, person, row.invoice)
    fact = page.refunds[i]
    sign_refund(person, fact)
    fact.currency = person.currency
    fact.charged_at = NULL
    fact.is_full = 0
    fact.invoice = row.invoice
    fact.reason = row.reason
    fact.refunded_at = row.occurred_at
    fact.recorded_at = row.recorded_at
    fact.amount_minor = row.amount_minor
    fact.amount_micros = worth(context, person, page, place, row, row.amount_minor)
    if place < 0:
        return
    invoice = page.invoices[place]
    fact.spell = invoice.spell
    fact.plan = invoice.plan
    fact.interval = invoice.interval
    fact.method = invoice.method
    fact.charged_at = invoice.paid_at
    fact.is_full = 1 if row.amount_minor == invoice.amount_minor else 0
    if is_surplus(row.reason):
        invoice.duplicated_micros -= fact.amount_micros
        return
    invoice.refunded_minor += row.amount_minor
    invoice.refunded_micros += fact.amount_micros
    if invoice.refunded_at == NULL:
        invoice.refunded_at = row.occurred_at


@rule(Nothing(Context, Person, Page, Row))
def read_dispute(context, person, page, row):
    """The bank takes a charge back; it is a fact of its own even where its invoice was not seen."""
    i = page.count[DISPUTES]
    page.count[DISPUTES] += 1
    place = invoice_place(page, person, row.invoice)
    fact = page.disputes[i]
    sign_dispute(person, fact)
    fact.currency = person.currency
    fact.charged_at = NULL
    fact.invoice = row.invoice
    fact.network = row.network
    fact.reason = row.reason
    fact.opened_at = row.occurred_at
    fact.recorded_at = row.recorded_at
    fact.represented_at = NULL
    fact.resolved_at = NULL
    fact.resolved_recorded_at = NULL
    fact.outcome = 0
    fact.fraud_reported = 0
    fact.contacted_before = has_contacted(page, person, row.invoice)
    fact.amount_minor = row.amount_minor
    fact.amount_micros = worth(context, person, page, place, row, row.amount_minor)
    fact.fee_micros = worth(context, person, page, place, row, row.fee_minor)
    if place < 0:
        return
    invoice = page.invoices[place]
    fact.spell = invoice.spell
    fact.plan = invoice.plan
    fact.interval = invoice.interval
    fact.method = invoice.method
    fact.charged_at = invoice.paid_at
    if invoice.disputed_at == NULL and not is_surplus(row.reason):
        invoice.disputed_at = row.occurred_at


@rule(Int(Page, Person, Row))
def dispute_place(page, person, row):
    """Where the open dispute that a later row is about is on the page; NOWHERE when it was not seen.

    A report of fraud says no reason; it is about the last dispute.
    """
    i = page.count[DISPUTES] - 1
    while i >= 0 and page.disputes[i].subscriber == person.subscriber:
        fact = page.disputes[i]
        fits = row.reason == 0 or row.reason == fact.reason  # noqa: PLR1714 (a tuple of mixed widths is not compiled)
        if fits and fact.invoice == row.invoice and fact.outcome == 0:
            return i
        i -= 1
    return NOWHERE


@rule(Nothing(Page, Person, Row))
def read_report(page, person, row):
    """The bank calls the charge fraud."""
    place = dispute_place(page, person, row)
    if place >= 0:
        page.disputes[place].fraud_reported = 1


@rule(Nothing(Page, Person, Row))
def read_represented(page, person, row):
    """We contest the case."""
    place = dispute_place(page, person, row)
    if place >= 0:
        page.disputes[place].represented_at = row.occurred_at


@rule(Nothing(Context, Person, Page, Row))
def read_resolved(context, person, page, row):
    """The case is over; what is lost of a rightful charge is no longer kept."""
    is_lost = row.kind == events.DISPUTE_LOST
    case = dispute_place(page, person, row)
    if case >= 0:
        fact = page.disputes[case]
        fact.outcome = _LOST if is_lost else _WON
        fact.resolved_at = row.occurred_at
        fact.resolved_recorded_at = row.recorded_at
    place = invoice_place(page, person, row.invoice)
    if not is_lost or place < 0:
        return
    amount = worth(context, person, page, place, row, row.amount_minor)
    if is_surplus(row.reason):
        page.invoices[place].duplicated_micros -= amount
    else:
        page.invoices[place].chargeback_minor += row.amount_minor
        page.invoices[place].chargeback_micros += amount


@rule(Nothing(Context, Person, Page, Row))
def read_claim(context, person, page, row):
    """Hand a row about money that goes back, or should, to the rule of its kind."""
    kind = row.kind
    if kind == events.REFUND_ISSUED:
        read_refund(context, person, page, row)
    elif kind == events.DISPUTE_OPENED:
        read_dispute(context, person, page, row)
    elif kind in (events.DISPUTE_WON, events.DISPUTE_LOST):
        read_resolved(context, person, page, row)
    elif kind == events.DISPUTE_REPRESENTED:
        read_represented(page, person, row)
    elif kind == events.FRAUD_REPORTED:
        read_report(page, person, row)
    else:
        read_duplicated(context, person, page, row)
