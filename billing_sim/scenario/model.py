"""What a scenario says, once every default is filled in: the nouns of the file and their types.

`billing_sim.scenario.load` reads a file, lays it over the one it `extends` and over the shipped defaults, and gives
one `Scenario`; nothing below this room knows YAML. Field descriptions are the reference that `billing-sim schema
scenario` and the docs print.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from billing_sim.scenario.behaviour import Behaviour, Causes
from billing_sim.scenario.campaigns import Campaign, Sharing
from billing_sim.scenario.dunning import DunningPolicy, DunningRule
from billing_sim.scenario.expectations import Expectation
from billing_sim.scenario.experiments import Experiment
from billing_sim.scenario.fraud import Authentication, Fraud, MandateDebits
from billing_sim.scenario.gateway_load import RoutingChoice, UnderLoad
from billing_sim.scenario.interventions import ExchangeRate, Intervention
from billing_sim.scenario.parts import CAPACITY, MarketCode, MethodKind, Name, Part, RegionName
from billing_sim.scenario.plans import PlanChanges, Trial, plain_changes
from billing_sim.scenario.promotions import Promotion
from billing_sim.scenario.refunds import CardNetwork, Disputes, Faults, Fee, NetworkName, PartnerBilling, Refunds
from billing_sim.scenario.saying import OFFERS_MAX, WinBackOffer
from billing_sim.scenario.support import Support
from billing_sim.scenario.values import Change, Day, Duration, Month, Positive, PriceText, Share, Target


class Plan(Part):
    """What people subscribe to."""

    name: str = Field("", description="the plan's name as people read it")
    interval: Literal["week", "month", "year"] = Field("month", description="how often it is billed")


class Tax(Part):
    """The tax on a price."""

    rate: Share = Field(description="the rate, as in 20%")
    included: bool = Field(description="true: list prices include it; false: it is added on top")


class Signups(Part):
    """New people over time."""

    per_month: Share = Field(description="new people per month as a share of the members at the start")
    growth_per_year: Change = Field(Decimal(0), description="how the rate grows over a year, linearly")
    seasonality: list[Positive] = Field(
        min_length=12, max_length=12, description="relative rate, January to December; any scale"
    )


class Market(Part):
    """A country in which the service is sold."""

    name: str = Field(description="the country as people read it")
    region: RegionName = Field(description="region whose behaviour the people here show")
    currency: str = Field(description="ISO 4217 code")
    time_zone: str = Field(description="IANA name")
    locale: str = Field(description="locale of synthetic names, as Faker calls it (en_US)")
    members: Share = Field(description="share of all members at the start; shares of all markets add up to 100 %")
    tax: Tax = Field(description="the tax on every price here")
    prices: dict[Name, PriceText] = Field(min_length=1, description="price of each plan sold here")
    plan_mix: dict[Name, Share] = Field(description="plans of members and sign-ups; adds up to 100 %")
    signups: Signups = Field(description="new people over time")
    behaviour: Behaviour = Field(description="overrides of the region's behaviour, key by key")
    trial: Trial | None = Field(None, description="a free trial for new people; none: there is none")


class Latency(Part):
    """Response times of a gateway."""

    p50: Duration = Field(description="half are answered by then")
    p95: Duration = Field(description="95 % are answered by then")
    p99: Duration = Field(description="99 % are answered by then")


class Gateway(UnderLoad):
    """A payment gateway (or the partner who bills for us)."""

    name: str = Field("", description="the gateway's name as people read it")
    latency: Latency = Field(description="response times")
    timeout: Share = Field(description="share of attempts whose outcome stays unknown for a while")


class Routing(RoutingChoice):
    """Which gateways take an attempt; the last rule that fits wins."""

    market: list[MarketCode] = Field([], description="only these markets; empty: all")
    method: list[MethodKind] = Field([], description="only these methods; empty: all")
    use: dict[Name, Share] = Field(min_length=1, description="gateway -> weight; adds up to 100 %")


class NetworkRules(Part):
    """What card networks allow. Sources differ, so these are parameters."""

    never_retry: list[str] = Field(description="decline codes after which the same card may not be tried again")
    max_attempts: int = Field(ge=1, le=1000, description="attempts per card within the window, merchant-initiated")
    window: Duration = Field(description="how long attempts count")
    networks: dict[NetworkName, CardNetwork] = Field(
        {}, description="caps of their own, for cards whose network is known (`card_networks`)"
    )
    respect_caps: bool = Field(True, description="false: attempts beyond a cap are made, and cost the network's fee")


class IssuerMemory(Part):
    """What an issuer remembers of recent attempts on a card."""

    declines: int = Field(ge=1, le=1000, description="declines within the window after which it refuses by reflex")
    window: Duration = Field(description="how long declines are remembered, from the first")


class RecordingDelay(Part):
    """How long after it happened an event is in the log."""

    p50: Duration = Field(description="half are recorded by then")
    p99: Duration = Field(description="99 % are recorded by then")
    max: Duration = Field(description="all are recorded by then")


class Goal(Part):
    """What a stakeholder wants, in the user's words, and how one would know; without a metric it is only words."""

    owner: Literal["subscribers", "finance", "support", "product"] = Field(description="whose goal it is")
    goal: str = Field(description="the goal in the user's words")
    metric: str | None = Field(None, description="the metric that tells, as `billing-sim metrics` lists them")
    segment: dict[Name, str] = Field({}, description="whom it is about: dimension -> value, as in {market: US}")
    target: Target | None = Field(None, description="the value to be reached")
    baseline: Target | None = Field(
        None, description="the value to start from; none: that of the first whole month that is settled"
    )
    period: Month | None = Field(
        None, description="the month in which the target counts; none: the last one that is settled by the deadline"
    )
    deadline: Day | None = Field(None, description="the day by which it is judged; 12 to 18 months ahead is usual")
    stage: Literal["launch", "growth", "mature"] | None = Field(None, description="where the product is in its life")


class GoalFile(Part):
    """Goals in a file of their own, for `billing-sim goals --goals`."""

    mission: str = Field("", description="what all goals serve")
    goals: list[Goal] = Field(min_length=1, description="the goals")
    best: str = Field("", description="a scenario with the best policy known, relative to this file")


class Scenario(Part):
    """A whole scenario, every default filled in."""

    name: Name = Field(description="names the run")
    about: str = Field("", description="what it is about, for people")
    seed: int = Field(1, ge=0, lt=1 << 62, description="names the luck of everybody; another seed, other luck")
    start: Day = Field(description="first simulated day, UTC midnight")
    end: Day = Field(description="the day on which the simulation stops, UTC midnight")
    members: int = Field(ge=1, le=CAPACITY["members"], description="members at the start")
    reporting_currency: str = Field(description="ISO 4217 code of the currency that metrics are in")
    exchange_rates: dict[str, Positive] = Field(
        description="units of the reporting currency for one unit of each currency, at the start"
    )
    mission: str = Field(description="what all goals serve; shown above the views")
    goals: list[Goal] = Field([], description="one for each view")
    best: str = Field(
        "", description="a scenario with the best policy known, relative to this file; goals are judged under it"
    )
    expect: list[Expectation] = Field([], description="what must come out; `billing-sim run` looks, and says so")
    plans: dict[Name, Plan] = Field(
        min_length=1, max_length=CAPACITY["plans"], description="what people subscribe to, by a name of your own"
    )
    markets: dict[MarketCode, Market] = Field(
        min_length=1, max_length=CAPACITY["markets"], description="the countries, by code"
    )
    latent_causes: dict[MethodKind, Causes] = Field(description="first-attempt failures of each method by cause")
    decline_codes: dict[str, dict[str, Share]] = Field(
        description="observed code given the latent cause; each adds up to 100 %"
    )
    billing_hours: list[Annotated[int, Field(ge=0, le=24)]] = Field(
        min_length=2, max_length=2, description="local hours between which renewals are charged"
    )
    return_lag: Duration = Field(description="how long after capture a failed direct debit comes back, at most")
    resolution: Duration = Field(description="how long an unknown outcome takes to be reconciled, at most")
    gateways: dict[Name, Gateway] = Field(
        min_length=1, max_length=CAPACITY["gateways"], description="payment gateways, by a name of your own"
    )
    routing: list[Routing] = Field(min_length=1, description="which gateways take an attempt; the last that fits wins")
    failover: bool = Field(description="try a second gateway at once after a technical failure")
    dunning_policies: dict[Name, DunningPolicy] = Field(
        max_length=CAPACITY["dunning_policies"], description="policies of your own, beside the shipped presets"
    )
    dunning: list[DunningRule] = Field(min_length=1, description="which policy is for whom; the last that fits wins")
    network_rules: NetworkRules = Field(description="what card networks allow")
    issuer_memory: IssuerMemory = Field(description="what issuers remember of recent declines")
    account_updater: Literal["on", "off"] = Field("on", description="whether it works at the start")
    recording_delay: RecordingDelay = Field(description="how late events reach the log")
    window: Duration = Field(description="a decision in one window may schedule the next only in a later one")
    timeline: list[Intervention] = Field([], description="what happens on given dates")
    # Plans and money.
    plan_changes: PlanChanges = Field(default_factory=plain_changes, description="when changes of plan take effect")
    promotions: dict[Name, Promotion] = Field(
        {}, max_length=CAPACITY["promotions"], description="what coupons stand for, by a name of your own"
    )
    # Refunds and disputes.
    refunds: Refunds | None = Field(None, description="which charges are complained about; none: nobody complains")
    disputes: Disputes | None = Field(None, description="which charges the bank takes back; none: it takes none")
    charging_faults: Faults = Field(
        Faults.model_validate({}), description="what becomes of charges that were never owed"
    )
    fees: list[Fee] = Field([], description="what gateways take; the last that fits wins; empty: nothing")
    partner_billing: PartnerBilling | None = Field(None, description="what partners keep; none: nothing")
    # Fraud and authentication.
    authentication: Authentication | None = Field(
        None, description="how customers authenticate, in markets that do not say so themselves; none: they need not"
    )
    fraud: Fraud | None = Field(None, description="fraudsters and the screen against them; none: there are neither")
    mandate_debits: MandateDebits | None = Field(
        None, description="how banks answer debits by e-mandate; none: at once"
    )
    voucher_valid: Duration = Field(3 * 86_400_000_000, description="how long a voucher can be paid")
    # Gateways under load.
    # Support.
    support: Support | None = Field(None, description="the support desk; none: nobody contacts us")
    # People and what they say.
    win_back_offers: list[WinBackOffer] = Field(
        [], max_length=OFFERS_MAX, description="what people are offered some time after they left"
    )
    # Campaigns.
    sharing: Sharing | None = Field(None, description="households that share an account; none: nobody does")
    campaigns: dict[Name, Campaign] = Field(
        {}, max_length=CAPACITY["campaigns"], description="campaigns against sharing, by a name of your own"
    )
    # Experiments.
    experiments: dict[Name, Experiment] = Field({}, description="experiments, by a name of your own")
    log: Annotated[str, Field(pattern=r"^(all|none|1/(1|2|4|8|16|32|64|128|256|512|1024))$")] = Field(
        "all",
        description="whose events a run keeps unless told otherwise: all, none, or 1/N of the people (N a power of 2)",
    )

    def rate(self, currency: str) -> Decimal:
        """Units of the reporting currency for one unit of a currency, at the start."""
        return Decimal(1) if currency == self.reporting_currency else self.exchange_rates[currency]

    def rates(self, currency: str) -> list[tuple[date, Decimal]]:
        """Every rate of a currency with its first day, in order; the first one is that of the start."""
        changes = [entry for entry in self.timeline if isinstance(entry, ExchangeRate) and entry.currency == currency]
        later = [(entry.at, entry.rate) for entry in sorted(changes, key=lambda entry: entry.at)]
        return [(self.start, self.rate(currency)), *later]
