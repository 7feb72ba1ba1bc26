"""Trials, pauses, changes of plan and what becomes of prices and taxes: how a scenario says it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from billing_sim.scenario.parts import MarketCode, Part
from billing_sim.scenario.values import Day, Duration, Moment, PerMonth, Share


class Trial(Part):
    """A free trial for new people; one in a life."""

    duration: Duration = Field(description="how long it lasts, in whole days")
    needs_method: bool = Field(True, description="whether a payment method is asked for, and checked with nothing")
    share: Share = Field(Decimal(1), description="share of new people who begin with it")
    # 40 to 60 % of trials become paid (trial_conversion, B): a median, so that with failures about half do.
    # On which day they cancel is a rule (`lifecycle.trials`): 55 % on the first (trial_day0, B).
    cancels: Share = Field(Decimal("0.4"), description="share of them who cancel within it")
    # Assumed.
    leaves_method: Share = Field(
        Decimal("0.5"), description="share of the others who leave a method at its end where none was asked for"
    )


class PlanHabits(Part):
    """What members do with their plans; everything is off unless it is said."""

    pauses: PerMonth = Field(Decimal(0), description="chance of pausing instead of paying, on a billing day")
    # Assumed.
    pause_lengths: Annotated[list[Share], Field(min_length=3, max_length=3)] = Field(
        [Decimal("0.5"), Decimal("0.25"), Decimal("0.25")],
        description="shares of pauses of one, two and three months; add up to 100 %",
    )
    upgrades: PerMonth = Field(Decimal(0), description="hazard of wanting the next dearer plan of the same interval")
    downgrades: PerMonth = Field(Decimal(0), description="hazard of wanting the next cheaper one")
    goodwill: Share = Field(Decimal(0), description="share of renewals before which a goodwill credit is given")
    # Assumed.
    goodwill_share: Share = Field(Decimal("0.25"), description="what it is worth, as a share of the price")


def no_habits() -> PlanHabits:
    """Nobody pauses or changes plan."""
    return PlanHabits.model_validate({})


class PlanChanges(Part):
    """When a change of plan takes effect. Upgrades always do at once, once they are paid for."""

    downgrades: Literal["at_renewal", "at_once"] = Field(
        "at_renewal", description="at the next renewal, or at once with a credit note for what is left of the period"
    )


def plain_changes() -> PlanChanges:
    """Changes as they are when nothing is said of them."""
    return PlanChanges.model_validate({})


class _InMarkets(Part):
    market: list[MarketCode] = Field([], description="only these markets; empty: all")


class TrialsEnd(_InMarkets):
    """Whoever signs up from now on gets no free trial; trials that run go on."""

    kind: Literal["trials_end"]
    at: Moment = Field(description="from when on")


class PriceReversal(_InMarkets):
    """The last change that is not undone yet is: for sign-ups at once, for members from their next renewal.

    Everybody pays what they would pay without it, and who kept an older price then has that one again.
    What the change added to the wish to leave ends with the month in which it is announced.
    """

    kind: Literal["price_reversal"]
    at: Day = Field(description="the day on which it is announced")


class TaxChange(_InMarkets):
    """Another tax rate on every price; whether prices include it stays as it is."""

    kind: Literal["tax_change"]
    at: Day = Field(description="the first day of the new rate, UTC; it holds for what is issued from then on")
    rate: Share = Field(description="the rate from then on")
