"""A spell cut into calendar months: who was a member, past due or on hold when a month ended, and worth what."""

from __future__ import annotations

from billing_sim import events
from billing_sim.clock import DAY, SECOND
from billing_sim.facts.plans import begin_plainly, worth
from billing_sim.facts.record import (
    MONTH_ROWS,
    SUBSCRIPTION_MONTHS,
    Context,
    Int,
    Nothing,
    Page,
    Person,
    Row,
)
from billing_sim.facts.schema import NULL
from billing_sim.facts.valuing import monthly
from billing_sim.facts.who import sign_month
from billing_sim.rule import rule
from billing_sim.world.record import MONTHS

OVER = -1
"""The run's last month has been written, or none is: an answer that comes a second later changes no month."""


@rule(Int(Context, Int))
def month_begins(context, month):
    """The instant at which a month of the run begins, UTC; months are counted from the run's first."""
    return context.month_start[month] * DAY


@rule(Nothing(Context, Person, Row))
def start_with(context, person, row):
    """A base member's first month begins with them, and so do a trial, a pause and a discount that they bring along."""
    if person.is_imported and person.month != OVER and row.occurred_at == month_begins(context, person.month):
        person.net_start = worth(person)
        person.mrr_start = monthly(context, person, person.net_start, row.occurred_at)
        person.trial_start = person.in_trial
        person.paused_start = person.is_paused


@rule(Nothing(Context, Person, Row))
def start_membership(context, person, row):
    """The person is a member from now on: the first month is the one that holds this moment."""
    person.is_member = 1
    month = 0
    while month + 2 < MONTHS and month_begins(context, month + 1) <= row.occurred_at:
        month += 1
    person.month = month
    person.net_start = 0
    person.mrr_start = 0
    person.trial_start = 0
    person.paused_start = 0
    # Anybody who is not of the base joins within it.
    person.is_imported = 1 if row.kind == events.SUBSCRIPTION_IMPORTED else 0
    start_with(context, person, row)
    if row.occurred_at >= context.end or not context.tells_months:
        person.month = OVER


@rule(Int(Context, Person, Page, Int))
def write_month(context, person, page, until):
    """Write the current month, of which membership covers the time up to `until`; return its place, -1 when full."""
    i = page.count[SUBSCRIPTION_MONTHS]
    if i >= MONTH_ROWS:
        page.overflow = 1
        return -1
    page.count[SUBSCRIPTION_MONTHS] += 1
    begins = month_begins(context, person.month)
    is_first = 1 if person.started_at > begins or (person.started_at == begins and not person.is_imported) else 0
    fact = page.subscription_months[i]
    sign_month(person, fact)
    fact.currency = person.currency
    fact.month = context.month_start[person.month]
    fact.joined_on = person.joined_on
    fact.active_at_start = 0 if is_first else 1
    fact.active_at_end = 1
    fact.joined = person.started_by if is_first else 0
    fact.ended = 0
    fact.ended_at = NULL
    fact.ended_recorded_at = NULL
    fact.past_due_at_end = person.is_past_due
    fact.on_hold_at_end = person.is_held
    fact.member_seconds = max(0, until - max(begins, person.started_at)) // SECOND
    fact.net_start_minor = person.net_start
    fact.net_end_minor = worth(person)
    fact.mrr_start_micros = person.mrr_start
    fact.mrr_end_micros = monthly(context, person, worth(person), until)
    fact.in_trial_at_start = person.trial_start
    fact.paused_at_start = person.paused_start
    fact.in_trial_at_end = person.in_trial
    fact.paused_at_end = person.is_paused
    fact.list_mrr_end_micros = fact.mrr_end_micros
    fact.discounts_end_micros = 0
    fact.lasting_discounts_end_micros = 0
    fact.forever_discounts_end_micros = 0
    if person.in_trial or person.is_paused or person.discounts:
        fact.list_mrr_end_micros = monthly(context, person, person.list_net, until)
        fact.discounts_end_micros = monthly(context, person, person.discounts, until)
        fact.lasting_discounts_end_micros = monthly(context, person, person.lasting, until)
        fact.forever_discounts_end_micros = monthly(context, person, person.forever, until)
    return i


@rule(Nothing(Context, Person, Page, Int))
def close_months(context, person, page, now):
    """Write every month that ended by now; the run's last one ends with the run."""
    if person.month == OVER:
        return
    ends = min(month_begins(context, person.month + 1), context.end)
    while ends <= now:
        i = write_month(context, person, page, ends)
        if i >= 0:
            person.mrr_start = page.subscription_months[i].mrr_end_micros
        person.net_start = worth(person)
        person.trial_start = person.in_trial
        person.paused_start = person.is_paused
        person.month += 1
        if ends == context.end:
            person.month = OVER
            return
        ends = min(month_begins(context, person.month + 1), context.end)


@rule(Nothing(Context, Person, Page, Row))
def end_membership(context, person, page, row):
    """The spell ends within the current month."""
    i = write_month(context, person, page, row.occurred_at) if person.month != OVER else -1
    if i >= 0:
        fact = page.subscription_months[i]
        fact.active_at_end = 0
        fact.ended = row.reason
        fact.ended_at = row.occurred_at
        fact.ended_recorded_at = row.recorded_at
        fact.past_due_at_end = 0
        fact.on_hold_at_end = 0
        fact.net_end_minor = 0
        fact.mrr_end_micros = 0
        fact.in_trial_at_end = 0
        fact.paused_at_end = 0
        fact.list_mrr_end_micros = 0
        fact.discounts_end_micros = 0
        fact.lasting_discounts_end_micros = 0
        fact.forever_discounts_end_micros = 0
    begin_plainly(person)
    person.is_member = 0
    person.is_held = 0
    person.is_past_due = 0
