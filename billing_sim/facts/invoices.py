"""Invoices: issued, failing, paid, returned, void or given up."""

from __future__ import annotations

from billing_sim import declines, events
from billing_sim.facts import schema
from billing_sim.facts.places import attempt_place, invoice_place, is_signing_up, is_spell_seen
from billing_sim.facts.plans import note_trial_paid, price_at
from billing_sim.facts.record import INVOICES, Context, Int, Nothing, Page, Person, Row
from billing_sim.facts.valuing import factor_at, listed_price, micros
from billing_sim.facts.who import sign_invoice
from billing_sim.rule import rule

NULL = schema.NULL
_DECLINED = 2
_OPEN = 0
_PAID = 1
_BY_RETRY = 1
_BY_MEMBER = 2
_BY_BACKUP = 4
_DECLINE_KIND = tuple(declines.DECLINE_KINDS.index(code.kind) for code in declines.CODES)


@rule(Nothing(Person, Page, Int))
def open_invoice(person, page, i):
    """Fill in an invoice's unit and leave the rest empty."""
    fact = page.invoices[i]
    sign_invoice(person, fact)
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
    # Plans and money.
    fact.is_verification = 0
    fact.is_proration = 0
    fact.after_trial = 0
    fact.coupon = 0
    fact.discount_minor = 0
    fact.discount_micros = 0
    fact.credit_minor = 0
    fact.credit_micros = 0
    # Refunds and disputes.
    fact.refunded_at = NULL
    fact.disputed_at = NULL
    fact.surplus_charges = 0
    fact.refunded_minor = 0
    fact.chargeback_minor = 0
    fact.refunded_micros = 0
    fact.chargeback_micros = 0
    fact.duplicated_micros = 0
    fact.fee_micros = 0
    fact.booked_micros = 0
    # Fraud and authentication.
    # Gateways under load.
    # Support.
    fact.contacts_14d = 0
    # People and what they say.
    # Campaigns.
    # Experiments.


@rule(Nothing(Context, Person, Page, Row))
def read_invoice(context, person, page, row):
    """An invoice is issued, or was open when the run began."""
    is_signup = is_signing_up(page, person)
    i = page.count[INVOICES]
    page.count[INVOICES] += 1
    open_invoice(person, page, i)
    fact = page.invoices[i]
    fact.invoice = row.invoice
    fact.is_signup = is_signup
    fact.spell_started_at = row.occurred_at if is_signup else NULL
    if is_spell_seen(page, person):
        fact.spell_started_at = person.started_at
    fact.issued_at = row.occurred_at
    fact.issued_recorded_at = row.recorded_at
    fact.period_start = row.period_start
    fact.period_end = row.period_end
    fact.amount_minor = row.amount_minor
    fact.tax_minor = row.tax_minor
    is_imported = row.kind == events.INVOICE_IMPORTED
    factor = factor_at(context, person.currency, NULL if is_imported else row.occurred_at)
    fact.amount_micros = micros(row.amount_minor, factor)
    fact.booked_micros = fact.amount_micros
    fact.tax_micros = micros(row.tax_minor, factor)
    person.invoice = i
    person.fixed_by = 0
    person.is_past_due = 0
    if row.reason == events.PRORATION:
        # The member buys it on the spot; what their plan costs changes with the plan, if it is paid.
        fact.is_signup = 1
        fact.is_proration = 1
        fact.plan = row.plan
    elif row.reason == events.VERIFICATION:
        fact.is_verification = 1
        price_at(person, listed_price(context, person.market, row.plan, row.occurred_at))
    else:
        fact.after_trial = person.after_trial
        person.after_trial = 0
        price_at(person, row.amount_minor - row.tax_minor)
    if is_imported:
        fact.is_imported = 1
        fact.is_signup = 0
        fact.issued_at = NULL
        fact.issued_recorded_at = NULL
        fact.policy = row.policy
        fact.attempts = row.attempt
        fact.first_outcome = _DECLINED
        person.is_past_due = 1
    elif person.is_member and not fact.is_signup:
        page.subscriptions[person.spell_row].renewals += 1


@rule(Nothing(Page, Person, Row, Int))
def fail_invoice(page, person, row, place):
    """A decline or a return: the invoice is failing."""
    fact = page.invoices[place]
    fact.declines += 1
    if fact.first_failed_at == NULL and not fact.is_imported:
        fact.first_failed_at = row.occurred_at
        fact.first_code = row.code
        fact.first_decline_kind = _DECLINE_KIND[row.code]
        if person.is_member and not fact.is_signup:
            page.subscriptions[person.spell_row].failed_renewals += 1
    # An upgrade that is declined is void at once; one that comes back is owed.
    is_owed = 1 if fact.was_returned or not fact.is_proration else 0
    if is_owed and person.is_member and place == person.invoice and fact.status == _OPEN:
        person.is_past_due = 1


@rule(Int(Page, Person, Row))
def recovery_of(page, person, row):
    """What preceded a success after a failure: the member, the updater, the backup, or a mere retry."""
    tried = attempt_place(page, person, row)
    if tried >= 0:
        attempt = page.attempts[tried]
        if attempt.initiator == events.CIT:
            return _BY_MEMBER
        if person.backup_number and attempt.instrument == person.backup_number:
            return _BY_BACKUP
    return person.fixed_by if person.fixed_by else _BY_RETRY


@rule(Nothing(Page, Person, Row))
def read_captured(page, person, row):
    """The invoice is paid."""
    place = invoice_place(page, person, row.invoice)
    if place < 0:
        return
    fact = page.invoices[place]
    fact.status = _PAID
    fact.paid_at = row.occurred_at
    fact.paid_recorded_at = row.recorded_at
    if fact.first_failed_at != NULL or fact.is_imported:
        fact.recovered_by = recovery_of(page, person, row)
    if place == person.invoice:
        person.is_past_due = 0
    note_trial_paid(person, page, place, row.occurred_at)


@rule(Nothing(Page, Person, Row))
def read_returned(page, person, row):
    """A captured payment comes back: the invoice is open again and its first attempt has failed after all."""
    tried = attempt_place(page, person, row)
    if tried >= 0:
        attempt = page.attempts[tried]
        attempt.was_returned = 1
        attempt.code = row.code
        attempt.decline_kind = _DECLINE_KIND[row.code]
    place = invoice_place(page, person, row.invoice)
    if place < 0:
        return
    fact = page.invoices[place]
    fact.status = _OPEN
    fact.paid_at = NULL
    fact.paid_recorded_at = NULL
    fact.was_returned = 1
    fact.recovered_by = 0
    note_trial_paid(person, page, place, NULL)
    if row.attempt == 1:
        fact.first_outcome = _DECLINED
        fact.first_recorded_at = row.recorded_at
    fail_invoice(page, person, row, place)


@rule(Nothing(Page, Person, Row))
def read_dunning(page, person, row):
    """A policy takes over."""
    place = invoice_place(page, person, row.invoice)
    if place >= 0:
        page.invoices[place].policy = row.policy


@rule(Nothing(Page, Person, Row, Int))
def close_invoice(page, person, row, status):
    """The invoice is void or given up."""
    place = invoice_place(page, person, row.invoice)
    if place < 0:
        return
    fact = page.invoices[place]
    fact.status = status
    fact.given_up_at = row.occurred_at
    fact.given_up_recorded_at = row.recorded_at
