"""Attempts: answered, or left open and reconciled later."""

from __future__ import annotations

from billing_sim import declines, events
from billing_sim.facts.invoices import fail_invoice, micros
from billing_sim.facts.record import ATTEMPTS, Context, Int, Nothing, Page, Person, Row
from billing_sim.rule import rule

_AUTHORIZED = 1
_DECLINED = 2
_UNKNOWN = 3
_DECLINE_KIND = tuple(declines.DECLINE_KINDS.index(code.kind) for code in declines.CODES)


@rule(Nothing(Context, Person, Page, Row, Int))
def read_attempt(context, person, page, row, outcome):
    """An attempt is answered."""
    i = page.count[ATTEMPTS]
    page.count[ATTEMPTS] += 1
    person.attempt = i
    invoice = page.invoices[person.invoice]
    fact = page.attempts[i]
    fact.subscriber = person.subscriber
    fact.spell = person.spell
    fact.group = person.group
    fact.arm = person.arm
    fact.market = person.market
    fact.region = person.region
    fact.plan = person.plan
    fact.interval = person.interval
    fact.method = row.method_kind
    fact.invoice = row.invoice
    fact.attempt = row.attempt
    fact.instrument = row.method
    fact.currency = person.currency
    fact.gateway = row.gateway
    fact.initiator = row.initiator
    fact.is_signup = invoice.is_signup
    fact.occurred_at = row.occurred_at
    fact.recorded_at = row.recorded_at
    fact.issued_at = invoice.issued_at
    fact.outcome = outcome
    fact.code = row.code
    fact.decline_kind = _DECLINE_KIND[row.code]
    fact.latency_ms = row.latency_ms
    fact.failed_calls = person.failed_calls
    fact.was_unknown = 1 if outcome == _UNKNOWN else 0
    fact.was_returned = 0
    fact.amount_minor = row.amount_minor
    fact.amount_micros = micros(row.amount_minor, context.factor[person.market])
    person.failed_calls = 0
    invoice.attempts += 1
    if row.initiator == events.MIT:
        invoice.mit_attempts += 1
    if row.attempt == 1:
        invoice.method = row.method_kind
        invoice.gateway = row.gateway
        invoice.first_recorded_at = row.recorded_at
        invoice.first_outcome = outcome
    if outcome == _DECLINED:
        fail_invoice(page, person, row, row.code)


@rule(Nothing(Page, Person, Row))
def read_reconciled(page, person, row):
    """An unknown outcome is known now."""
    invoice = page.invoices[person.invoice]
    outcome = _AUTHORIZED if row.reason == events.RESOLVED_AUTHORIZED else _DECLINED
    if person.attempt >= 0:
        fact = page.attempts[person.attempt]
        fact.outcome = outcome
        fact.code = row.code
        fact.decline_kind = _DECLINE_KIND[row.code]
    if row.attempt == 1:
        invoice.first_outcome = outcome
        invoice.first_recorded_at = row.recorded_at
    if outcome == _DECLINED:
        fail_invoice(page, person, row, row.code)
