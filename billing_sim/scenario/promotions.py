"""Promotions: what coupons stand for, and for how long people may redeem them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from billing_sim.scenario.parts import MarketCode, Name, Part
from billing_sim.scenario.values import Duration, Moment, PriceText, Share


class Promotion(Part):
    """What a coupon takes off: a share of the price, an amount, or whole months. Exactly one of the three is given."""

    about: str = Field("", description="what it is, for people")
    campaign: str = Field("", description="the campaign to which its coupons are attributed")
    percent: Share | None = Field(None, description="share of the price that it takes off")
    amount: dict[str, PriceText] | None = Field(None, description="amount that it takes off, by currency")
    free_months: int | None = Field(
        None, ge=1, le=12, description="months that cost nothing; of a longer period its share"
    )
    cycles: int | None = Field(
        None, ge=1, le=120, description="how many invoices it reduces; none: all of them (not with free_months)"
    )


class PromotionWindow(Part):
    """For a while people may redeem a promotion: at sign-up, or members before their next invoice."""

    kind: Literal["promotion"]
    at: Moment = Field(description="when it begins; up to a year before the start, for members of the base")
    duration: Duration = Field(description="how long it lasts")
    promotion: Name = Field(description="a promotion of this scenario")
    to: Literal["new", "returning", "everyone"] = Field(
        "new", description="who may redeem it: people who sign up for the first time, or again, or everyone"
    )
    redeem: Share = Field(description="share of those who may that do")
    market: list[MarketCode] = Field([], description="only these markets; empty: all")
