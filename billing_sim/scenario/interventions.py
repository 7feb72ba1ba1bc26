"""The timeline: what happens in a scenario on given dates, a class for each kind."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from billing_sim.scenario.campaigns import SharingCrackdown
from billing_sim.scenario.dunning import DunningRule
from billing_sim.scenario.fraud import (
    AuthenticationRule,
    CardTesting,
    Deploy,
    FraudRule,
    MarketLaunch,
    MethodLaunch,
    MethodWithdrawal,
)
from billing_sim.scenario.gateway_load import IssuerOutage
from billing_sim.scenario.parts import MarketCode, Name, Part
from billing_sim.scenario.plans import PriceReversal, TaxChange, TrialsEnd
from billing_sim.scenario.promotions import PromotionWindow
from billing_sim.scenario.refunds import ChargingAfterEnd, DoubleCharging
from billing_sim.scenario.support import SupportStaffing
from billing_sim.scenario.values import Change, Day, Duration, Moment, Positive, PriceText, Share


class _Intervention(Part):
    market: list[MarketCode] = Field([], description="only these markets; empty: all")


class GatewayOutage(Part):
    """A gateway refuses a share of its attempts for a while."""

    kind: Literal["gateway_outage"]
    at: Moment = Field(description="when it begins")
    gateway: Name = Field(description="which gateway")
    duration: Duration = Field(description="how long it lasts")
    failing: Share = Field(description="share of attempts that it cannot process meanwhile")


class AddedChurn(Part):
    """What a price rise does to the monthly hazard of leaving; it decays linearly."""

    points: Share | None = Field(
        None,
        description="added to the monthly hazard; none: drawn as published (0 in 60 % of rises, else 0.3-1.0 points)",
    )
    months: int = Field(3, ge=1, le=24, description="after how many months nothing is left of it")


class PriceChange(_Intervention):
    """New list prices: sign-ups pay them at once, members from their first renewal after the notice."""

    kind: Literal["price_change"]
    at: Day = Field(description="the day on which it is announced, and holds for new people")
    prices: dict[Name, PriceText] = Field(description="the new price of each plan that changes")
    notice: Duration = Field(30 * 86_400_000_000, description="how much later members pay it")
    grandfathered: bool = Field(False, description="members keep their price for good; a later change may reach them")
    added_churn: AddedChurn = Field(AddedChurn(points=None, months=3), description="who leaves because of it")


class DunningSwitch(Part):
    """From this moment invoices that fail are handled by other rules."""

    kind: Literal["dunning_switch"]
    at: Moment = Field(description="for invoices that fail from then on")
    dunning: list[DunningRule] = Field(min_length=1, description="the rules from then on, for everyone")


class AccountUpdaterSwitch(_Intervention):
    """The account updater is switched off or on."""

    kind: Literal["account_updater"]
    at: Moment = Field(description="from when on")
    switched: Literal["on", "off"] = Field(description="what it is from then on")


class SignupSurge(_Intervention):
    """More (or fewer) sign-ups for a while."""

    kind: Literal["signup_surge"]
    at: Moment = Field(description="when it begins")
    duration: Duration = Field(description="how long it lasts")
    increase: Change = Field(description="how much more people sign up; -30% for fewer")


class ExchangeRate(Part):
    """A currency is worth more or less from a day on. Nobody's life changes, only what amounts are reported as."""

    kind: Literal["exchange_rate"]
    at: Day = Field(description="the first day of the new rate, UTC")
    currency: str = Field(description="ISO 4217 code of a market's currency")
    rate: Positive = Field(description="units of the reporting currency for one unit, from then on")


Intervention = Annotated[
    GatewayOutage
    | PriceChange
    | DunningSwitch
    | AccountUpdaterSwitch
    | SignupSurge
    | ExchangeRate
    # Plans and money.
    | TrialsEnd
    | PriceReversal
    | TaxChange
    | PromotionWindow
    # Refunds and disputes.
    | DoubleCharging
    | ChargingAfterEnd
    # Fraud and authentication.
    | AuthenticationRule
    | FraudRule
    | CardTesting
    | Deploy
    | MethodLaunch
    | MethodWithdrawal
    | MarketLaunch
    # Gateways under load.
    | IssuerOutage
    # Support.
    | SupportStaffing
    # People and what they say.
    # Campaigns.
    | SharingCrackdown
    # Experiments.
    ,
    Field(discriminator="kind"),
]  # fmt: skip
