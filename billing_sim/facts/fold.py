"""From events to facts: one pass over whole lives in canonical order, told by the log alone.

Every kind of event has one small rule that opens a fact or completes one. Rows of one person lie together, so what is
open is remembered in one record and nothing is ever looked up.
"""

from __future__ import annotations

from numba import types

from billing_sim import declines, events
from billing_sim.facts import schema
from billing_sim.facts.months import close_months, end_membership, start_membership
from billing_sim.facts.record import (
    ATTEMPTS,
    INVOICES,
    NOTICES,
    PAYMENT_METHODS,
    SIGNUPS,
    SUBSCRIPTIONS,
    Context,
    Int,
    Nothing,
    Page,
    Person,
    Row,
    Rows,
)
from billing_sim.rule import entry, rule

NULL = schema.NULL
_AUTHORIZED, _DECLINED, _UNKNOWN = 1, 2, 3
_OPEN, _PAID, _VOID, _UNCOLLECTIBLE = 0, 1, 2, 3
_ACTIVE, _PAST_DUE, _ON_HOLD, _CANCELING, _ENDED = 0, 1, 2, 3, 4
_BY_RETRY, _BY_MEMBER, _BY_UPDATER, _BY_BACKUP = 1, 2, 3, 4
_IMPORTED, _NEW, _RETURNING = 1, 2, 3
_SIGNUP_PAID, _SIGNUP_ABANDONED = 1, 2
_BILLION = 1_000_000_000

_DECLINE_KIND = tuple(declines.DECLINE_KINDS.index(code.kind) for code in declines.CODES)


@rule(Int(Int, Int))
def micros(amount_minor, factor):
    """An amount in millionths of the reporting currency, rounded half up."""
    return (amount_minor * factor + _BILLION // 2) // _BILLION


@rule(Nothing(Person, Row))
def meet(person, row):
    """A new person's first row: nothing is open."""
    person.subscriber = row.subscriber
    person.spell = 0
    person.is_member = 0
    person.invoice = -1
    person.attempt = -1
    person.spell_row = -1
    person.signup_row = -1
    person.method_row = -1
    person.backup_row = -1
    person.backup_number = 0
    person.failed_calls = 0
    person.is_past_due = 0
    person.is_held = 0


@rule(Nothing(Context, Person, Row))
def read_spell(context, person, row):
    """Who this spell is, from the rows that say so."""
    person.spell = row.spell
    person.group = row.group
    person.arm = row.arm
    person.market = row.market
    person.region = context.region[row.market]
    person.currency = context.currency[row.market]
    person.plan = row.plan
    person.interval = context.interval[row.plan]
    person.method = row.method_kind


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


@rule(Nothing(Context, Person, Page, Row))
def read_signup(context, person, page, row):
    """A person tries to sign up."""
    read_spell(context, person, row)
    i = page.count[SIGNUPS]
    page.count[SIGNUPS] += 1
    person.signup_row = i
    fact = page.signups[i]
    fact.subscriber = person.subscriber
    fact.spell = person.spell
    fact.group = person.group
    fact.arm = person.arm
    fact.market = person.market
    fact.region = person.region
    fact.plan = person.plan
    fact.interval = person.interval
    fact.method = person.method
    fact.started_at = row.occurred_at
    fact.recorded_at = row.recorded_at
    fact.started_by = _RETURNING if row.reason == events.RETURNING else _NEW
    fact.outcome = 0
    fact.finished_at = NULL
    fact.attempts = 0


@rule(Nothing(Page, Person, Row, Int))
def close_signup(page, person, row, outcome):
    """A sign-up is paid or given up."""
    if person.signup_row < 0:
        return
    fact = page.signups[person.signup_row]
    fact.outcome = outcome
    fact.finished_at = row.occurred_at
    fact.method = person.method
    if person.invoice >= 0:
        fact.attempts = page.invoices[person.invoice].attempts
    person.signup_row = -1


@rule(Nothing(Context, Person, Page, Row))
def read_subscription(context, person, page, row):
    """A spell begins: created, or imported with the base."""
    read_spell(context, person, row)
    i = page.count[SUBSCRIPTIONS]
    page.count[SUBSCRIPTIONS] += 1
    person.spell_row = i
    person.started_at = row.occurred_at
    person.joined_on = row.period_start
    person.is_held = 1 if row.reason == events.ON_HOLD else 0
    person.is_past_due = 1 if row.reason in (events.ON_HOLD, events.PAST_DUE) else 0
    person.started_by = _RETURNING if row.reason == events.RETURNING else _NEW
    if row.kind == events.SUBSCRIPTION_IMPORTED:
        person.started_by = _IMPORTED
        price = 0
        while (
            price + 1 < context.net_count[row.market, row.plan]
            and context.net_from[row.market, row.plan, price + 1] <= row.occurred_at
        ):
            price += 1
        person.mrr = context.net[row.market, row.plan, price]
    fact = page.subscriptions[i]
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
    fact.started_by = person.started_by
    fact.started_at = row.occurred_at
    fact.joined_on = row.period_start
    fact.cancel_requested_at = NULL
    fact.ended_at = NULL
    fact.ended_recorded_at = NULL
    fact.end_reason = 0
    fact.status = _CANCELING if row.reason == events.CANCELING else _ACTIVE
    fact.renewals = 0
    fact.failed_renewals = 0
    start_membership(context, person, row)
    if row.kind == events.SUBSCRIPTION_CREATED:
        close_signup(page, person, row, _SIGNUP_PAID)


@rule(Nothing(Context, Person, Page, Row))
def read_canceled(context, person, page, row):
    """A spell ends."""
    fact = page.subscriptions[person.spell_row]
    fact.ended_at = row.occurred_at
    fact.ended_recorded_at = row.recorded_at
    fact.end_reason = row.reason
    fact.status = _ENDED
    fact.method = person.method
    end_membership(context, person, page, row)


@rule(Nothing(Person, Page, Row))
def read_method(person, page, row):
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
    fact.subscriber = person.subscriber
    fact.spell = person.spell
    fact.group = person.group
    fact.arm = person.arm
    fact.market = person.market
    fact.region = person.region
    fact.plan = person.plan
    fact.interval = person.interval
    fact.method = row.method_kind
    fact.instrument = row.method
    fact.added_at = row.occurred_at
    fact.added_by = row.reason
    fact.expires_on = row.period_end if row.period_end else NULL
    fact.replaced_at = NULL
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
    if person.invoice >= 0:
        page.invoices[person.invoice].notices += 1
    fact = page.notices[i]
    fact.subscriber = person.subscriber
    fact.spell = person.spell
    fact.group = person.group
    fact.arm = person.arm
    fact.market = person.market
    fact.region = person.region
    fact.plan = person.plan
    fact.interval = person.interval
    fact.method = person.method
    fact.invoice = row.invoice
    fact.sent_at = row.occurred_at
    fact.recorded_at = row.recorded_at
    fact.notice = row.reason


@rule(Nothing(Person, Page, Row))
def read_hold(person, page, row):
    """Access is blocked, or back."""
    person.is_held = 1 if row.kind == events.SUBSCRIPTION_HELD else 0
    if person.is_held and person.invoice >= 0 and page.invoices[person.invoice].held_at == NULL:
        page.invoices[person.invoice].held_at = row.occurred_at


@rule(Nothing(Context, Person, Page, Row))
def read(context, person, page, row):
    """Hand a row to the rule of its kind."""
    kind = row.kind
    if kind == events.ATTEMPT_AUTHORIZED:
        read_attempt(context, person, page, row, _AUTHORIZED)
    elif kind == events.PAYMENT_CAPTURED:
        read_captured(page, person, row)
    elif kind in (events.INVOICE_ISSUED, events.INVOICE_IMPORTED):
        read_invoice(context, person, page, row)
    elif kind == events.ATTEMPT_DECLINED:
        read_attempt(context, person, page, row, _DECLINED)
    elif kind == events.NOTICE_SENT:
        read_notice(person, page, row)
    elif kind in (events.METHOD_ADDED, events.METHOD_UPDATED):
        read_method(person, page, row)
    elif kind in (events.SUBSCRIPTION_IMPORTED, events.SUBSCRIPTION_CREATED):
        read_subscription(context, person, page, row)
    elif kind == events.DUNNING_STARTED:
        page.invoices[person.invoice].policy = row.policy
    elif kind == events.CANCEL_REQUESTED:
        page.subscriptions[person.spell_row].cancel_requested_at = row.occurred_at
        page.subscriptions[person.spell_row].status = _CANCELING
    elif kind == events.SUBSCRIPTION_CANCELED:
        read_canceled(context, person, page, row)
    elif kind == events.SIGNUP_STARTED:
        read_signup(context, person, page, row)
    elif kind == events.SIGNUP_ABANDONED:
        close_signup(page, person, row, _SIGNUP_ABANDONED)
    elif kind == events.ATTEMPT_UNKNOWN:
        read_attempt(context, person, page, row, _UNKNOWN)
    elif kind == events.ATTEMPT_RECONCILED:
        read_reconciled(page, person, row)
    elif kind == events.GATEWAY_CALL_FAILED:
        person.failed_calls += 1
    elif kind == events.PAYMENT_RETURNED:
        read_returned(page, person, row)
    elif kind == events.INVOICE_VOIDED:
        close_invoice(page, person, row, _VOID)
    elif kind == events.INVOICE_UNCOLLECTIBLE:
        close_invoice(page, person, row, _UNCOLLECTIBLE)
    elif kind in (events.SUBSCRIPTION_HELD, events.SUBSCRIPTION_RESTORED):
        read_hold(person, page, row)


@rule(Nothing(Context, Person, Page))
def part(context, person, page):
    """A person's rows are over: months run on to the end of the run, and a last standing is noted."""
    if not person.is_member:
        return
    close_months(context, person, page, context.end)
    fact = page.subscriptions[person.spell_row]
    fact.method = person.method
    if person.is_held:
        fact.status = _ON_HOLD
    elif person.is_past_due:
        fact.status = _PAST_DUE


@entry(Int(types.Array(Context, 1, "C"), types.Array(Person, 1, "C"), types.Array(Page, 1, "C"), Rows, Int))
def fold_rows(contexts, persons, pages, rows, count):
    """Fold the first `count` rows, whole lives in canonical order, onto an emptied page; 1 when it overflowed."""
    context = contexts[0]
    person = persons[0]
    page = pages[0]
    for i in range(len(page.count)):
        page.count[i] = 0
    page.overflow = 0
    person.subscriber = -1
    for i in range(count):
        row = rows[i]
        if row.subscriber != person.subscriber:
            if person.subscriber >= 0:
                part(context, person, page)
            meet(person, row)
        if person.is_member:
            close_months(context, person, page, row.occurred_at)
        read(context, person, page, row)
    if count:
        part(context, person, page)
    return page.overflow
