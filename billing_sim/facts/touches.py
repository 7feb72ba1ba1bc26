"""Touches: what people do in a campaign, step by step, and whether those whose address was left came to pay."""

# mypy: disallow-untyped-defs=False, check-untyped-defs=False

from __future__ import annotations

from billing_sim import events, people
from billing_sim.facts import schema
from billing_sim.facts.record import TOUCHES, Context, Nothing, Page, Person, Row
from billing_sim.facts.valuing import factor_at, micros
from billing_sim.rule import rule

NULL = schema.NULL


@rule(Nothing(Context, Person, Page, Row))
def read_touch(context, person, page, row):
    """A step of a person in a campaign, or the message that sharing is over."""
    i = page.count[TOUCHES]
    page.count[TOUCHES] += 1
    fact = page.touches[i]
    fact.subscriber = row.subscriber
    fact.spell = row.spell
    fact.group = row.group
    fact.market = row.market
    fact.region = context.region[row.market]
    fact.currency = context.currency[row.market]
    fact.campaign = row.campaign
    fact.step = row.kind - events.CAMPAIGN_REACHED + 1
    fact.reason = row.reason
    fact.happened_at = row.occurred_at
    fact.recorded_at = row.recorded_at
    fact.mistakes = row.score
    fact.other = 0
    if row.reason == events.BORROWER:
        which = (row.subscriber & ((1 << people.KIND_SHIFT) - 1)) - 1
        fact.other = ((row.subscriber >> people.MARKET_SHIFT) << people.MARKET_SHIFT) + (which >> people.HOST_SHIFT)
    fact.joined_at = person.first_joined_at
    fact.paid_at = person.first_paid_at
    fact.cost_minor = row.fee_minor
    fact.cost_micros = micros(row.fee_minor, factor_at(context, context.currency[row.market], row.occurred_at))


@rule(Nothing(Person, Page, Row))
def note_first_payment(person, page, row):
    """The person pays something for the first time: whoever left their address finds them from now on."""
    person.first_paid_at = row.recorded_at
    i = page.count[TOUCHES] - 1
    while i >= 0 and page.touches[i].subscriber == person.subscriber:
        page.touches[i].paid_at = row.recorded_at
        i -= 1


@rule(Nothing(Person, Page, Row))
def note_first_joining(person, page, row):
    """The person becomes a member of their own for the first time."""
    person.first_joined_at = row.recorded_at
    i = page.count[TOUCHES] - 1
    while i >= 0 and page.touches[i].subscriber == person.subscriber:
        page.touches[i].joined_at = row.recorded_at
        i -= 1
