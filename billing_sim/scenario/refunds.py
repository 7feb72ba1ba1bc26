"""Money that goes back and what charging costs: refunds, disputes, faults that charge twice, fees, network caps."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from billing_sim.clock import DAY
from billing_sim.scenario.parts import MarketCode, MethodKind, Name, Part
from billing_sim.scenario.values import Duration, Moment, PriceText, Share

NetworkName = Literal["visa", "mastercard", "other"]


class RefundWait(Part):
    """How long after a charge a refund comes. Assumed: most read their statement within days, the last in six weeks."""

    least: Duration = Field(1 * DAY, description="none comes before")
    p50: Duration = Field(6 * DAY, description="half have come by then")
    p99: Duration = Field(40 * DAY, description="99 % have come by then")
    most: Duration = Field(45 * DAY, description="all have come by then")


class DisputeWait(Part):
    """How long after a charge a dispute comes. Assumed, within the 120 days that networks allow."""

    least: Duration = Field(5 * DAY, description="none comes before")
    p50: Duration = Field(32 * DAY, description="half have come by then")
    p99: Duration = Field(110 * DAY, description="99 % have come by then")
    most: Duration = Field(120 * DAY, description="all have come by then")


class Refunds(Part):
    """Which charges are complained about and given back."""

    market: list[MarketCode] = Field([], description="only these markets; empty: all")
    complaints: Share = Field(description="share of charges whose payer complains and gets money back")
    instead_of_dispute: Share = Field(
        Decimal(0), description="share of payers about to dispute a charge who ask us first, and get all of it back"
    )
    full: Share = Field(Decimal("0.7"), description="share of complaints that get back all of the charge")
    partial: Share = Field(Decimal("0.5"), description="what the others get back, as a share of the charge")
    delay: RefundWait = Field(RefundWait.model_validate({}), description="from the charge to the refund")


class Wins(Part):
    """The chance of winning a contested dispute."""

    # chargeback_volume (B): 21 to 45 % are won in different counts. Split by reason: assumed.
    fraud: Share = Field(Decimal("0.10"), description="when whoever paid did not own the payment method")
    friendly_fraud: Share = Field(Decimal("0.45"), description="when the member denies a charge of their own")
    service: Share = Field(Decimal("0.30"), description="when the member says that the service was not as promised")
    duplicate: Share = Field(Decimal(0), description="when the charge was made twice, or after the end")


class Disputes(Part):
    """Which charges are taken back by the payer's bank, and what becomes of the cases. Cards and direct debits."""

    market: list[MarketCode] = Field([], description="only these markets; empty: all")
    # assumed: 0.06 % of charges, half of it friendly, well below the 0.56 % of media merchants, chargeback_rate (C)
    friendly_fraud: Share = Field(Decimal("0.0003"), description="share of charges denied by the member who made them")
    service: Share = Field(Decimal("0.0003"), description="share of charges disputed for the service")
    fraud: Share = Field(Decimal("0.5"), description="share of charges by fraudsters that the true owner disputes")
    delay: DisputeWait = Field(DisputeWait.model_validate({}), description="from the charge to the dispute")
    fraud_reports: Share = Field(
        Decimal("0.8"), description="share of disputes for fraud that the bank reports to the network as well"
    )
    contested: Share = Field(Decimal("0.6"), description="share of disputes that we contest")
    respond_within: Duration = Field(18 * DAY, description="when our answer is sent, or the case lost without one")
    decided_after: Duration = Field(45 * DAY, description="how long after the answer the bank decides")
    wins: Wins = Field(Wins.model_validate({}), description="chance of winning a contested dispute, by reason")
    # 15 USD a case: assumed
    fee: PriceText = Field(1500, description="what a dispute costs, won or lost; in the reporting currency")


class Faults(Part):
    """What becomes of charges that were made twice, or after the end."""

    refunded: Share = Field(Decimal("0.75"), description="share of them that we notice, or hear of, and refund")
    disputed: Share = Field(Decimal("0.15"), description="share of them that the payer's bank takes back")


class Fee(Part):
    """What a gateway takes; the last rule that fits wins. Amounts are in the reporting currency."""

    market: list[MarketCode] = Field([], description="only these markets; empty: all")
    method: list[MethodKind] = Field([], description="only these methods; empty: all")
    gateway: list[Name] = Field([], description="only these gateways; empty: all")
    share: Share = Field(Decimal(0), description="share of the amount of a charge")
    fixed: PriceText = Field(0, description="for each charge, besides")
    per_attempt: PriceText = Field(0, description="for each attempt, answered with yes or no")


class PartnerBilling(Part):
    """What partners who bill for us keep."""

    commission: Share = Field(description="share of the amount")
    booked: Literal["gross", "net"] = Field(
        description="gross: all of the amount is revenue and the commission a cost; net: only the rest is revenue"
    )


class Cap(Part):
    """So many attempts per card within a window, merchant-initiated."""

    attempts: int = Field(ge=1, le=1000, description="attempts allowed")
    window: Duration = Field(description="how long attempts count, from the first")


class CardNetwork(Part):
    """What one card network allows, for scenarios that say which networks cards belong to (`card_networks`)."""

    caps: list[Cap] = Field(min_length=1, max_length=2, description="all of them hold")
    excess_fee: PriceText = Field(0, description="for each attempt beyond a cap; in the reporting currency")


class DoubleCharging(Part):
    """A deploy charges some payments twice until it is rolled back."""

    kind: Literal["double_charging"]
    market: list[MarketCode] = Field([], description="only these markets; empty: all")
    at: Moment = Field(description="when it begins")
    duration: Duration = Field(description="how long it lasts")
    share: Share = Field(description="share of charges that are made twice")


class ChargingAfterEnd(Part):
    """Cancels are not obeyed for a while: some members are charged once more, four weeks after their end."""

    kind: Literal["charging_after_end"]
    market: list[MarketCode] = Field([], description="only these markets; empty: all")
    at: Moment = Field(description="when it begins")
    duration: Duration = Field(description="how long it lasts; it is about subscriptions that end meanwhile")
    share: Share = Field(description="share of them that are charged once more")
