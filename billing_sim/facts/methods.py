"""Payment methods on file, and notices about them."""

from __future__ import annotations

from billing_sim import events
from billing_sim.facts import schema
from billing_sim.facts.launches import last_launch, weeks_since
from billing_sim.facts.places import NOWHERE, invoice_place
from billing_sim.facts.record import NOTICES, PAYMENT_METHODS, Context, Nothing, Page, Person, Row
from billing_sim.facts.who import sign_method, sign_notice
from billing_sim.rule import rule

NULL = schema.NULL
_BY_MEMBER = 2
_BY_UPDATER = 3


@rule(Nothing(Context, Person, Page, Row))
def read_method(context, person, page, row):
    """A payment method comes on file; it takes the place of the one in its slot."""
    is_backup = row.kind == events.METHOD_ADDED and row.reason == events.BY_BACKUP
    if row.kind == events.METHOD_UPDATED and person.backup_row >= 0 and row.reason == events.BY_TOKEN:
        # A token may follow either card; the backup keeps its number only when the file says so.
        is_backup = row.method == person.backup_number
    i = page.count[PAYMENT_METHODS]
    page.count[PAYMENT_METHODS] += 1
    replaced = person.backup_row if is_backup else person.method_row
    if row.kind == events.METHOD_UPDATED and replaced >= 0:
        page.payment_methods[replaced].replaced_at = row.occurred_at
    fact = page.payment_methods[i]
    sign_method(person, fact)
    fact.method = row.method_kind
    fact.instrument = row.method
    fact.added_at = row.occurred_at
    fact.added_by = row.reason
    fact.expires_on = row.period_end if row.period_end else NULL
    fact.replaced_at = NULL
    launch = last_launch(context, row.occurred_at, person.market, 1)
    fact.weeks_since_launch = weeks_since(context, launch, row.occurred_at)
    fact.is_launched = 1 if launch >= 0 and context.launch_method[launch] == row.method_kind else 0
    fact.balance_minor = row.amount_minor
    if is_backup:
        person.backup_row = i
        person.backup_number = row.method
        return
    person.method_row = i
    person.method = row.method_kind
    if person.invoice >= 0 and person.is_past_due:
        invoice = page.invoices[person.invoice]
        if row.reason == events.BY_SUBSCRIBER:
            person.fixed_by = _BY_MEMBER
            if invoice.method_updated_at == NULL:
                invoice.method_updated_at = row.occurred_at
        elif row.reason == events.BY_UPDATER:
            person.fixed_by = _BY_UPDATER


@rule(Nothing(Person, Page, Row))
def read_notice(person, page, row):
    """The member is told something."""
    i = page.count[NOTICES]
    page.count[NOTICES] += 1
    place = invoice_place(page, person, row.invoice)
    if place >= 0:
        page.invoices[place].notices += 1
    fact = page.notices[i]
    sign_notice(person, fact)
    fact.invoice = row.invoice
    fact.sent_at = row.occurred_at
    fact.recorded_at = row.recorded_at
    fact.notice = row.reason
    fact.channel = row.channel
    fact.delivered = 1
    fact.opened_at = NULL


@rule(Nothing(Person, Page, Row))
def read_hold(person, page, row):
    """Access is blocked, or back."""
    is_held = 1 if row.kind == events.SUBSCRIPTION_HELD else 0
    if person.is_member:
        person.is_held = is_held
    place = invoice_place(page, person, row.invoice) if is_held else NOWHERE
    if place >= 0 and page.invoices[place].held_at == NULL:
        page.invoices[place].held_at = row.occurred_at
