"""Invoices: issued, failing, paid, returned, void or given up."""

from __future__ import annotations

from billing_sim import declines, events
from billing_sim.facts import schema
from billing_sim.facts.record import INVOICES, Context, Int, Nothing, Page, Person, Row
from billing_sim.rule import rule

NULL = schema.NULL
_DECLINED = 2
_OPEN = 0
_PAID = 1
_BY_RETRY = 1
_BY_MEMBER = 2
_BY_BACKUP = 4
_BILLION = 1_000_000_000
_DECLINE_KIND = tuple(declines.DECLINE_KINDS.index(code.kind) for code in declines.CODES)


@rule(Int(Int, Int))
def micros(amount_minor, factor):
    """An amount in millionths of the reporting currency, rounded half up."""
    return (amount_minor * factor + _BILLION // 2) // _BILLION


@rule(Nothing(Person, Page, Int))
def open_invoice(person, page, i):
    """Fill in an invoice's unit and leave the rest empty."""
    fact = page.invoices[i]
    fact.subscriber = person.subscriber
    fact.spell = person.spell
    fact.group = person.group
    fact.arm = person.arm
    fact.market = person.market
    fact.region = person.region
    fact.plan = person.plan
    fact.interval = person.interval
    fact.method = person.method
    fact.currency = person.currency
    fact.policy = schema.NO_LABEL
    fact.gateway = schema.NO_LABEL
    fact.is_signup = 0
    fact.is_imported = 0
    fact.first_outcome = 0
    fact.first_recorded_at = NULL
    fact.first_code = 0
    fact.first_decline_kind = 0
    fact.first_failed_at = NULL
    fact.attempts = 0
    fact.mit_attempts = 0
    fact.declines = 0
    fact.notices = 0
    fact.status = _OPEN
    fact.paid_at = NULL
    fact.paid_recorded_at = NULL
    fact.given_up_at = NULL
    fact.given_up_recorded_at = NULL
    fact.was_returned = 0
    fact.method_updated_at = NULL
    fact.held_at = NULL
    fact.recovered_by = 0


@rule(Nothing(Context, Person, Page, Row))
def read_invoice(context, person, page, row):
    """An invoice is issued, or was open when the run began."""
    i = page.count[INVOICES]
    page.count[INVOICES] += 1
    open_invoice(person, page, i)
    factor = context.factor[person.market]
    fact = page.invoices[i]
    fact.invoice = row.invoice
    fact.is_signup = 0 if person.is_member else 1
    fact.spell_started_at = person.started_at if person.is_member else row.occurred_at
    fact.issued_at = row.occurred_at
    fact.issued_recorded_at = row.recorded_at
    fact.period_start = row.period_start
    fact.period_end = row.period_end
    fact.amount_minor = row.amount_minor
    fact.tax_minor = row.tax_minor
    fact.amount_micros = micros(row.amount_minor, factor)
    fact.tax_micros = micros(row.tax_minor, factor)
    person.invoice = i
    person.fixed_by = 0
    person.attempt = -1
    months = 12 if person.interval else 1
    person.mrr = (fact.amount_micros - fact.tax_micros) // months
    if row.kind == events.INVOICE_IMPORTED:
        fact.is_imported = 1
        fact.is_signup = 0
        fact.issued_at = NULL
        fact.issued_recorded_at = NULL
        fact.policy = row.policy
        fact.attempts = row.attempt
        fact.first_outcome = _DECLINED
        person.is_past_due = 1
    elif person.is_member:
        page.subscriptions[person.spell_row].renewals += 1


@rule(Nothing(Page, Person, Row, Int))
def fail_invoice(page, person, row, code):
    """A decline or a return: the invoice is failing."""
    fact = page.invoices[person.invoice]
    fact.declines += 1
    if fact.first_failed_at == NULL and not fact.is_imported:
        fact.first_failed_at = row.occurred_at
        fact.first_code = code
        fact.first_decline_kind = _DECLINE_KIND[code]
        if person.is_member and not fact.is_signup:
            page.subscriptions[person.spell_row].failed_renewals += 1
    if person.is_member:
        person.is_past_due = 1


@rule(Int(Page, Person))
def recovery_of(page, person):
    """What preceded a success after a failure: the member, the updater, the backup, or a mere retry."""
    if person.attempt >= 0:
        attempt = page.attempts[person.attempt]
        if attempt.initiator == events.CIT:
            return _BY_MEMBER
        if person.backup_number and attempt.instrument == person.backup_number:
            return _BY_BACKUP
    return person.fixed_by if person.fixed_by else _BY_RETRY


@rule(Nothing(Page, Person, Row))
def read_captured(page, person, row):
    """The invoice is paid."""
    fact = page.invoices[person.invoice]
    fact.status = _PAID
    fact.paid_at = row.occurred_at
    fact.paid_recorded_at = row.recorded_at
    if fact.first_failed_at != NULL or fact.is_imported:
        fact.recovered_by = recovery_of(page, person)
    person.is_past_due = 0


@rule(Nothing(Page, Person, Row))
def read_returned(page, person, row):
    """A captured payment comes back: the invoice is open again and its first attempt has failed after all."""
    fact = page.invoices[person.invoice]
    fact.status = _OPEN
    fact.paid_at = NULL
    fact.paid_recorded_at = NULL
    fact.was_returned = 1
    fact.recovered_by = 0
    if person.attempt >= 0:
        attempt = page.attempts[person.attempt]
        attempt.was_returned = 1
        attempt.code = row.code
        attempt.decline_kind = _DECLINE_KIND[row.code]
    if row.attempt == 1:
        fact.first_outcome = _DECLINED
        fact.first_recorded_at = row.recorded_at
    fail_invoice(page, person, row, row.code)


@rule(Nothing(Page, Person, Row, Int))
def close_invoice(page, person, row, status):
    """The invoice is void or given up."""
    if person.invoice < 0:
        return
    fact = page.invoices[person.invoice]
    fact.status = status
    fact.given_up_at = row.occurred_at
    fact.given_up_recorded_at = row.recorded_at
