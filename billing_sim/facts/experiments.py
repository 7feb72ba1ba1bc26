"""Enrolments: who is in which arm of an experiment, and from when on their units count for it."""

# mypy: disallow-untyped-defs=False, check-untyped-defs=False

from __future__ import annotations

from billing_sim.facts.places import NOWHERE, invoice_place, is_spell_seen
from billing_sim.facts.record import ENROLMENTS, Context, Nothing, Page, Person, Row
from billing_sim.rule import rule

_OPEN = 0


@rule(Nothing(Context, Person, Page, Row))
def read_enrolment(context, person, page, row):
    """A person is enrolled: their subscription and an invoice that is still open count for the arm, as all later do.

    Numbers of arms add up: who is in two experiments carries the number of both. A row that comes twice enrols once.
    """
    i = page.count[ENROLMENTS]
    page.count[ENROLMENTS] += 1
    step = context.arm_step[row.arm]
    if step:
        person.arm += row.arm - person.arm // step % (context.arm_count[row.arm] + 1) * step
    fact = page.enrolments[i]
    fact.subscriber = person.subscriber
    fact.spell = row.spell
    fact.group = row.group
    fact.arm = row.arm
    fact.market = row.market
    fact.region = context.region[row.market]
    fact.invoice = row.invoice
    fact.enrolled_at = row.occurred_at
    fact.recorded_at = row.recorded_at
    if not person.is_member:
        return
    if is_spell_seen(page, person):
        page.subscriptions[person.spell_row].arm = person.arm
    place = invoice_place(page, person, row.invoice)
    if place != NOWHERE and page.invoices[place].status == _OPEN:
        page.invoices[place].arm = person.arm
