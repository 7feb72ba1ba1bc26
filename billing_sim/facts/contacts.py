"""Contacts with support: opened, answered or given up, closed; and whether the member had to come back."""

from __future__ import annotations

from billing_sim import clock, events
from billing_sim.facts import schema
from billing_sim.facts.places import NOWHERE
from billing_sim.facts.record import NAMES, Context, Int, Nothing, Page, Person, Row
from billing_sim.facts.valuing import factor_at, micros
from billing_sim.facts.who import sign_contact
from billing_sim.rule import rule

NULL = schema.NULL
CONTACTS = NAMES.index("contacts")
_FORTNIGHT = 14 * clock.DAY
_WEEK = 7 * clock.DAY
_OPEN, _ANSWERED, _ABANDONED, _RESOLVED, _UNRESOLVED = range(5)
_ACTIVE = 0


@rule(Int(Page, Person, Int))
def last_contact(page, person, topic):
    """Where the person's last contact is on the page, or the last about a topic unless that is 0; else NOWHERE."""
    i = page.count[CONTACTS] - 1
    while i >= 0 and page.contacts[i].subscriber == person.subscriber:
        if topic == 0 or page.contacts[i].topic == topic:
            return i
        i -= 1
    return NOWHERE


@rule(Int(Page, Person, Int))
def has_contacted(page, person, invoice):
    """Whether the person has contacted support about an invoice, 1 or 0."""
    i = page.count[CONTACTS] - 1
    while i >= 0 and page.contacts[i].subscriber == person.subscriber:
        if page.contacts[i].invoice == invoice:
            return 1
        i -= 1
    return 0


@rule(Nothing(Page, Person, Row))
def note_on_invoice(page, person, row):
    """Count a contact for the invoice that was issued last, if that is not a fortnight ago."""
    place = person.invoice
    if place < 0 or page.invoices[place].subscriber != person.subscriber:
        return
    invoice = page.invoices[place]
    if invoice.issued_at != NULL and row.occurred_at < invoice.issued_at + _FORTNIGHT:
        invoice.contacts_14d += 1


@rule(Nothing(Page, Person, Row, Int))
def note_repeat(page, person, row, i):
    """A contact about the same matter as an earlier one, of at most a week ago, says that this one was not enough."""
    before = last_contact(page, person, row.reason)
    fact = page.contacts[i]
    fact.is_repeat = 0
    if before < 0:
        return
    earlier = page.contacts[before]
    if earlier.repeated_at == NULL:
        earlier.repeated_at = row.occurred_at
    fact.is_repeat = 1 if row.occurred_at < earlier.opened_at + _WEEK else 0


@rule(Nothing(Context, Person, Page, Row))
def read_contact(context, person, page, row):
    """A member contacts support."""
    i = page.count[CONTACTS]
    note_repeat(page, person, row, i)
    note_on_invoice(page, person, row)
    page.count[CONTACTS] += 1
    fact = page.contacts[i]
    sign_contact(person, fact)
    fact.invoice = row.invoice
    fact.currency = person.currency
    fact.topic = row.reason
    fact.channel = row.channel
    fact.opened_at = row.occurred_at
    fact.recorded_at = row.recorded_at
    fact.answered_at = NULL
    fact.waited_seconds = (context.end - row.occurred_at) // clock.SECOND
    fact.outcome = _OPEN
    fact.action = 0
    fact.closed_at = NULL
    fact.closed_recorded_at = NULL
    fact.repeated_at = NULL
    fact.cost_minor = 0
    fact.cost_micros = 0


@rule(Nothing(Page, Person, Row))
def read_answer(page, person, row):
    """An agent takes a contact up; the wait says when, to the millisecond."""
    i = last_contact(page, person, 0)
    if i < 0 or page.contacts[i].closed_at != NULL:
        return
    fact = page.contacts[i]
    fact.outcome = _ANSWERED
    fact.waited_seconds = row.latency_ms // 1000
    fact.answered_at = fact.opened_at + row.latency_ms * 1000


@rule(Nothing(Context, Person, Page, Row, Int))
def close_contact(context, person, page, row, outcome):
    """A contact is over: given up, settled, or not."""
    i = last_contact(page, person, 0)
    if i < 0 or page.contacts[i].closed_at != NULL:
        return
    fact = page.contacts[i]
    fact.outcome = outcome
    fact.closed_at = row.occurred_at
    fact.closed_recorded_at = row.recorded_at
    if outcome == _ABANDONED:
        fact.waited_seconds = row.latency_ms // 1000
        return
    fact.action = row.reason
    fact.cost_minor = row.fee_minor
    fact.cost_micros = micros(row.fee_minor, factor_at(context, person.currency, row.occurred_at))
    if row.reason == events.SAVED and person.is_member:
        page.subscriptions[person.spell_row].cancel_requested_at = NULL
        page.subscriptions[person.spell_row].status = _ACTIVE


@rule(Nothing(Context, Person, Page, Row))
def read_support(context, person, page, row):
    """Hand a row about a contact to the rule of its kind."""
    if row.kind == events.CONTACT_OPENED:
        read_contact(context, person, page, row)
    elif row.kind == events.CONTACT_ANSWERED:
        read_answer(page, person, row)
    elif row.kind == events.CONTACT_ABANDONED:
        close_contact(context, person, page, row, _ABANDONED)
    elif row.kind == events.CONTACT_RESOLVED:
        close_contact(context, person, page, row, _RESOLVED)
    else:
        close_contact(context, person, page, row, _UNRESOLVED)
