"""What becomes of notices, and surveys, reasons and offers: what people say and what they are offered."""

from __future__ import annotations

from billing_sim import events
from billing_sim.facts import schema
from billing_sim.facts.places import is_spell_seen
from billing_sim.facts.record import NAMES, NOTICES, Int, Nothing, Page, Person, Row
from billing_sim.facts.who import sign_offer, sign_survey
from billing_sim.rule import rule

NULL = schema.NULL
SURVEYS, OFFERS = NAMES.index("surveys"), NAMES.index("offers")
_NPS_TOP = 10


@rule(Nothing(Page, Person, Row, Int))
def read_notice_fate(page, person, row, is_opened):
    """A notice is opened, or does not arrive: the last one of this channel about this invoice that may still do so."""
    i = page.count[NOTICES] - 1
    while i >= 0 and page.notices[i].subscriber == person.subscriber:
        fact = page.notices[i]
        if fact.invoice == row.invoice and fact.channel == row.channel and fact.delivered and fact.opened_at == NULL:
            if is_opened:
                fact.opened_at = row.occurred_at
            else:
                fact.delivered = 0
            return
        i -= 1


@rule(Nothing(Page, Person, Row))
def read_survey(page, person, row):
    """Somebody is asked."""
    i = page.count[SURVEYS]
    page.count[SURVEYS] += 1
    fact = page.surveys[i]
    sign_survey(person, fact)
    fact.invoice = row.invoice
    fact.kind = events.NPS if row.score == _NPS_TOP else events.CSAT
    fact.about = row.reason
    fact.sent_at = row.occurred_at
    fact.recorded_at = row.recorded_at
    fact.answered_at = NULL
    fact.score = -1


@rule(Nothing(Page, Person, Row))
def read_answer(page, person, row):
    """They answer: the last survey of this kind in this spell that waits for it."""
    i = page.count[SURVEYS] - 1
    while i >= 0 and page.surveys[i].subscriber == person.subscriber:
        fact = page.surveys[i]
        if fact.spell == row.spell and fact.kind == row.reason and fact.answered_at == NULL:
            fact.answered_at = row.occurred_at
            fact.score = row.score
            return
        i -= 1


@rule(Nothing(Page, Person, Row))
def read_stated_reason(page, person, row):
    """Who cancels says why."""
    if is_spell_seen(page, person):
        page.subscriptions[person.spell_row].stated_reason = row.reason


@rule(Nothing(Page, Person, Row))
def read_offer(page, person, row):
    """Somebody who left is offered something."""
    i = page.count[OFFERS]
    page.count[OFFERS] += 1
    fact = page.offers[i]
    sign_offer(person, fact)
    fact.offer = row.reason
    fact.coupon = row.coupon
    fact.channel = row.channel
    fact.sent_at = row.occurred_at
    fact.recorded_at = row.recorded_at
    fact.valid_until = row.period_end if row.period_end else NULL
    fact.ended_at = NULL
    fact.end_reason = 0
    if is_spell_seen(page, person):
        fact.ended_at = page.subscriptions[person.spell_row].ended_at
        fact.end_reason = page.subscriptions[person.spell_row].end_reason
    fact.returned_at = NULL


@rule(Nothing(Page, Person, Row))
def note_return(page, person, row):
    """A subscription begins: the person is back from every offer that was sent to them before."""
    i = page.count[OFFERS] - 1
    while i >= 0 and page.offers[i].subscriber == person.subscriber:
        if page.offers[i].returned_at == NULL and page.offers[i].spell < row.spell:
            page.offers[i].returned_at = row.occurred_at
        i -= 1
