"""Attempts: answered, or left open and reconciled later."""

from __future__ import annotations

from billing_sim import declines, events
from billing_sim.clock import SECOND
from billing_sim.facts.invoices import fail_invoice
from billing_sim.facts.places import attempt_place, invoice_place, is_signing_up
from billing_sim.facts.record import ATTEMPTS, Context, Int, Nothing, Page, Person, Row
from billing_sim.facts.schema import NO_LABEL, NULL
from billing_sim.facts.valuing import factor_at, micros
from billing_sim.facts.who import sign_attempt
from billing_sim.rule import rule

_AUTHORIZED = 1
_DECLINED = 2
_UNKNOWN = 3
_BLOCKED = 4
_DECLINE_KIND = tuple(declines.DECLINE_KINDS.index(code.kind) for code in declines.CODES)


@rule(Int(Row))
def call_number(row):
    """One number for an attempt of a person, above 0."""
    return (row.invoice << 16) + row.attempt


@rule(Nothing(Context, Person, Page, Row, Int))
def read_attempt(context, person, page, row, outcome):
    """An attempt is answered; it is a fact of its own even where its invoice was not seen."""
    i = page.count[ATTEMPTS]
    page.count[ATTEMPTS] += 1
    fact = page.attempts[i]
    sign_attempt(person, fact)
    fact.method = row.method_kind
    fact.invoice = row.invoice
    fact.attempt = row.attempt
    fact.instrument = row.method
    fact.currency = person.currency
    fact.gateway = row.gateway
    fact.initiator = row.initiator
    fact.occurred_at = row.occurred_at
    fact.recorded_at = row.recorded_at
    fact.outcome = outcome
    fact.code = row.code
    fact.decline_kind = _DECLINE_KIND[row.code]
    fact.latency_ms = row.latency_ms
    fact.failed_calls = person.failed_calls if person.called == call_number(row) else 0
    fact.was_unknown = 1 if row.kind == events.ATTEMPT_UNKNOWN else 0
    fact.was_returned = 0
    fact.authentication = person.authentication if person.authenticated == call_number(row) else 0
    fact.score = row.score
    fact.was_reviewed = 1 if person.reviewed == call_number(row) else 0
    fact.review_seconds = person.review_seconds if fact.was_reviewed else 0
    fact.is_pending = 1 if row.kind == events.ATTEMPT_PENDING else 0
    if outcome == _BLOCKED:
        fact.gateway = NO_LABEL
    fact.amount_minor = row.amount_minor
    fact.network = row.network
    fact.bin = row.bin
    fact.fee_micros = 0
    person.failed_calls = 0
    place = invoice_place(page, person, row.invoice)
    if place < 0:
        fact.is_signup = is_signing_up(page, person)
        fact.issued_at = NULL
        fact.amount_micros = micros(row.amount_minor, factor_at(context, person.currency, row.occurred_at))
        return
    invoice = page.invoices[place]
    # What a change of plan costs is tried before the member has the plan that it is for.
    fact.plan = invoice.plan
    fact.interval = invoice.interval
    fact.is_signup = invoice.is_signup
    fact.issued_at = invoice.issued_at
    fact.amount_micros = micros(row.amount_minor, factor_at(context, person.currency, invoice.issued_at))
    invoice.attempts += 1
    if row.initiator == events.MIT:
        invoice.mit_attempts += 1
    if row.attempt == 1:
        invoice.method = row.method_kind
        invoice.gateway = fact.gateway
        invoice.first_recorded_at = row.recorded_at
        invoice.first_outcome = outcome
    if outcome in (_DECLINED, _BLOCKED):
        fail_invoice(page, person, row, place)


@rule(Nothing(Page, Person, Row))
def read_reconciled(page, person, row):
    """An unknown outcome is known now."""
    outcome = _AUTHORIZED if row.reason == events.RESOLVED_AUTHORIZED else _DECLINED
    tried = attempt_place(page, person, row)
    if tried >= 0:
        fact = page.attempts[tried]
        fact.outcome = outcome
        fact.code = row.code
        fact.decline_kind = _DECLINE_KIND[row.code]
    place = invoice_place(page, person, row.invoice)
    if place < 0:
        return
    if row.attempt == 1:
        page.invoices[place].first_outcome = outcome
        page.invoices[place].first_recorded_at = row.recorded_at
    if outcome == _DECLINED:
        fail_invoice(page, person, row, place)


@rule(Nothing(Person, Row))
def read_failed_call(person, row):
    """A gateway could not process an attempt; the attempt itself follows."""
    if person.called != call_number(row):
        person.called = call_number(row)
        person.failed_calls = 0
    person.failed_calls += 1


@rule(Nothing(Person, Row))
def read_authentication(person, row):
    """The customer authenticated, or did not; the attempt that it was for follows."""
    person.authenticated = call_number(row)
    person.authentication = row.reason - events.FRICTIONLESS + 1


@rule(Nothing(Person, Row))
def read_review(person, row):
    """Somebody is to look at a payment; the attempt follows, made or blocked."""
    person.reviewed = call_number(row)
    person.review_asked_at = row.occurred_at
    person.review_seconds = 0


@rule(Nothing(Person, Row))
def read_decision(person, row):
    """Somebody has looked at a payment, and decided."""
    if person.reviewed == call_number(row):
        person.review_seconds = (row.occurred_at - person.review_asked_at) // SECOND
