"""Whose fact it is: the columns that nearly every fact begins with, as they stand for the person now."""

from __future__ import annotations

from typing import Any

from billing_sim.facts.record import Nothing, Page, Person
from billing_sim.rule import rule


def _signer(table: str) -> Any:
    """The rule that signs a fact of this table for a person; a compiled rule takes one type of record only."""

    @rule(Nothing(Person, Page.typeof(table).dtype), inline=True)
    def sign(person, fact):
        fact.subscriber = person.subscriber
        fact.spell = person.spell
        fact.group = person.group
        fact.arm = person.arm
        fact.market = person.market
        fact.region = person.region
        fact.plan = person.plan
        fact.interval = person.interval
        fact.method = person.method

    return sign


sign_invoice = _signer("invoices")
sign_attempt = _signer("attempts")
sign_subscription = _signer("subscriptions")
sign_month = _signer("subscription_months")
sign_signup = _signer("signups")
sign_notice = _signer("notices")
sign_method = _signer("payment_methods")
sign_refund = _signer("refunds")
sign_dispute = _signer("disputes")
sign_contact = _signer("contacts")
sign_survey = _signer("surveys")
sign_offer = _signer("offers")
