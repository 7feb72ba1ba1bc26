"""Households that share an account, the day on which that ends, and campaigns that win the borrowers over."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from billing_sim import clock
from billing_sim.scenario.parts import MarketCode, Name, Part
from billing_sim.scenario.values import Duration, Moment, Share, shown

_MOST = 10**9


def _amount(value: Any) -> Decimal:
    """An amount of the reporting currency from 0 on; ValueError in plain words otherwise."""
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= _MOST:
        raise ValueError(f"{shown(value)} is not an amount from 0 to {_MOST:,}; write one, as in 0.05")
    return Decimal(value)


Amount = Annotated[Decimal, BeforeValidator(_amount), WithJsonSchema({"type": "number", "minimum": 0})]


class Sharing(Part):
    """Members who let people outside their household use their account, and what those do when that ends.

    Only members of the start share. No source tells these shares one by one; what they must add up to is published
    (`nflx_paid_sharing`: sign-ups and the ratio of sign-ups to cancellations in the first days).
    """

    hosts: Share = Field(Decimal("0.25"), description="share of the members at the start who share")  # assumed
    borrowers: Annotated[list[Share], Field(min_length=1, max_length=4)] = Field(
        [Decimal("0.7"), Decimal("0.2"), Decimal("0.1")],  # assumed
        description="shares of them who share with one, two, three or four people; add up to 100 %",
    )
    joins: Share = Field(
        Decimal("0.20"), description="share of borrowers who sign up by themselves once sharing is restricted"
    )  # assumed
    joins_after: Duration = Field(30 * clock.DAY, description="how long they take for that, on average")  # assumed
    cancels: Share = Field(Decimal("0.03"), description="share of hosts who cancel over it")  # assumed
    cancels_after: Duration = Field(7 * clock.DAY, description="how long they take for that, on average")  # assumed
    market: list[MarketCode] = Field([], description="only in these markets; empty: in all")


class SharingCrackdown(Part):
    """From this moment on hosts are told that the people outside their household have no access any more."""

    kind: Literal["sharing_crackdown"]
    at: Moment = Field(description="when it begins; everybody is told within a day")
    market: list[MarketCode] = Field([], description="only these markets; empty: all")


class Cards(Part):
    """Who shares a conversation card of a campaign, by its hashtag."""

    i_follow_the_rules: Share = Field(Decimal("0.03"), description="share who say #IFollowTheRules")  # assumed
    netflix_criminal: Share = Field(Decimal("0.02"), description="share who say #NetflixCriminal")  # assumed


class CampaignCost(Part):
    """What a campaign costs in the reporting currency, beside its coupons; each amount in whole minor units."""

    fixed: Amount = Field(Decimal(0), description="once, for making it")
    reach: Amount = Field(Decimal(0), description="for each person who is shown it")
    reply: Amount = Field(Decimal(0), description="for each automatic reply that somebody answers")
    email: Amount = Field(Decimal(0), description="for each address that is left and written to")


class Campaign(Part):
    """A social campaign: two conversation cards, automatic replies, and what people get for their answer.

    Who says that they share with nobody gets a free month. The others come to a landing page, where host and borrowers
    leave their e-mail addresses; both sides get a discount. All shares are assumed: no source tells them.
    """

    about: str = Field("", description="what it is, for people")
    market: list[MarketCode] = Field([], description="only these markets; empty: all")
    at: Moment = Field(description="when it begins")
    duration: Duration = Field(description="how long it reaches people")
    reach: Share = Field(
        Decimal("0.5"), description="share of members whom it finds, wherever they are by then: some have left"
    )
    control: Share = Field(Decimal("0.1"), description="share of those found who are shown nothing, to compare with")
    cards: Cards = Field(Cards.model_validate({}), description="who of those who see it shares which card")
    cards_of_hosts: Cards | None = Field(None, description="the same of those who share their account; none: no other")
    replies: Share = Field(
        Decimal("0.6"), description="share of those who shared a card who answer the automatic reply"
    )
    denies: Share = Field(
        Decimal("0.2"), description="share of hosts who answer that they share with nobody, as others truly do"
    )
    lands: Share = Field(Decimal("0.7"), description="share of those who admit it who open the landing page")
    leaves_emails: Share = Field(Decimal("0.6"), description="share of those who leave the addresses there")
    mistyped: Share = Field(Decimal("0.05"), description="share of borrowers' addresses that are mistyped")
    accepts: Share = Field(Decimal("0.5"), description="share of the borrowers written to who sign up")
    accepts_after: Duration = Field(5 * clock.DAY, description="how long they take for that, on average")
    step_after: Duration = Field(6 * clock.HOUR, description="how long a step takes after the last, on average")
    free_month: Name | None = Field(None, description="promotion for those who say that they share with nobody")
    discount: Name | None = Field(None, description="promotion for both sides of a landing page")
    cost: CampaignCost = Field(CampaignCost.model_validate({}), description="what it costs beside the coupons")

    def scaled(self, factor: Decimal) -> Campaign:
        """The same for so many times the people: what is paid once grows with them, so that returns compare."""
        cost = self.cost.model_copy(update={"fixed": self.cost.fixed * factor})
        return self.model_copy(update={"cost": cost})
