"""Sign-ups and subscriptions: who tries, who begins, who ends."""

from __future__ import annotations

from billing_sim import events
from billing_sim.facts import schema
from billing_sim.facts.months import end_membership, start_membership
from billing_sim.facts.record import SIGNUPS, SUBSCRIPTIONS, Context, Int, Nothing, Page, Person, Row
from billing_sim.rule import rule

NULL = schema.NULL
_ACTIVE = 0
_CANCELING = 3
_ENDED = 4
_IMPORTED = 1
_NEW = 2
_RETURNING = 3
_SIGNUP_PAID = 1


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
