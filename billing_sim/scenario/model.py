"""What a scenario says, once every default is filled in: the nouns of the file and their types.

`billing_sim.scenario.load` reads a file, lays it over the one it `extends` and over the shipped defaults, and gives
one `Scenario`; nothing below this room knows YAML. Field descriptions are the reference that `billing-sim schema
scenario` and the docs print.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from billing_sim.scenario.values import (
    YEARS_MAX,
    Change,
    Day,
    Duration,
    Moment,
    Month,
    PerMonth,
    Positive,
    PriceText,
    Share,
    Target,
)

MethodKind = Literal[
    "credit", "debit", "prepaid", "wallet", "direct_debit", "a2a_emandate", "carrier_partner", "gift_balance"
]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday"]
DeclineKind = Literal["soft", "hard"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
RegionName = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,39}|[A-Z][A-Z0-9_]{1,19})$")]
MarketCode = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,3}$")]

CAPACITY = {
    "markets": 256,
    "plans": 16,
    "gateways": 16,
    "dunning_policies": 32,
    "retries": 24,
    "notices": 16,
    "epochs": 16,
    "outages": 1024,
    "rates": 128,
    "zones": 64,
    "years": YEARS_MAX,
    "members": 1_000_000_000,
}
"""Fixed capacities of the compiled world; a scenario beyond them is refused by name."""


class Part(BaseModel):
    """Every part of a scenario: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Plan(Part):
    """What people subscribe to."""

    name: str = Field("", description="the plan's name as people read it")
    interval: Literal["month", "year"] = Field("month", description="how often it is billed")


class Tax(Part):
    """The tax on a price."""

    rate: Share = Field(description="the rate, as in 20%")
    included: bool = Field(description="true: list prices include it; false: it is added on top")


class Paydays(Part):
    """A calendar on which income arrives. Exactly one of its keys is given."""

    days_of_month: list[Annotated[int, Field(ge=1, le=31)]] | None = Field(
        None, min_length=1, max_length=4, description="days of the month; 31 means the last day"
    )
    last_business_day: Literal[True] | None = Field(None, description="the last Monday-to-Friday day of the month")
    weekly: Weekday | None = Field(None, description="every week on this day")
    every_two_weeks: Weekday | None = Field(None, description="every second week on this day")
    share: Share = Field(description="share of payers with this calendar")


class Rejoin(Part):
    """The share of those who left that came back within 1, 6 and 12 months."""

    month_1: Share = Field(description="back within a month")
    month_6: Share = Field(description="back within 6 months, those within a month included")
    month_12: Share = Field(description="back within a year; nobody comes back later")


class WinBack(Part):
    """Coming back, by how people left."""

    voluntary: Rejoin = Field(description="of those who cancelled")
    involuntary: Rejoin = Field(description="of those lost through payment who wanted to stay")


class Tenure(Part):
    """A value per tenure: months 1-3, 4-12, and the second, third and later years."""

    months_1_3: Share = Field(description="the first three months")
    months_4_12: Share = Field(description="the rest of the first year")
    year_2: Share = Field(description="the second year")
    year_3: Share = Field(description="the third year")
    year_4_on: Share = Field(description="all later years")


class Causes(Part):
    """How the first-attempt failures of a method divide by their latent cause; adds up to 100 %."""

    funds: Share = Field(Decimal(0), description="the payer's money has run dry")
    suspicion: Share = Field(Decimal(0), description="the issuer takes a good payment for a risky one")
    lifecycle: Share = Field(Decimal(0), description="expired, closed, or mandate lapsed")
    lost_stolen: Share = Field(Decimal(0), description="blocked and reissued under another number")
    restricted: Share = Field(Decimal(0), description="not permitted at this moment; noise by the hour")
    technical: Share = Field(Decimal(0), description="gateway or issuer unreachable")


class Behaviour(Part):
    """How the people and banks of a region or market behave. Every value has a default with its source."""

    method_mix: dict[MethodKind, Share] = Field(description="payment methods of sign-ups and members; adds up to 100 %")
    first_attempt_failure: dict[MethodKind, Share] = Field(
        description="target share of renewals whose first attempt fails, after account updater and tokens"
    )
    backup_method: Share = Field(description="share of subscribers with a second method on file")
    account_updater_coverage: Share = Field(description="share of reissued cards that the updater knows")
    network_tokens: Share = Field(description="share of cards held as network tokens, which survive a reissue")
    expiry_years: list[Annotated[int, Field(ge=1, le=10)]] = Field(
        min_length=1, max_length=8, description="validity of new cards, each equally likely, in years"
    )
    lost_or_stolen: PerMonth = Field(description="hazard of a card being blocked and reissued")
    closed: PerMonth = Field(description="hazard of a card or account being closed, or a mandate lapsing")
    paydays: list[Paydays] = Field(min_length=1, max_length=8, description="income calendars; shares add up to 100 %")
    attention: Share = Field(description="chance per day that a person reacts to a notice in sight")
    attention_on_hold: Share = Field(description="the same while access is blocked (at least as large)")
    unreachable: Share = Field(
        description="share of people whom no notice reaches: old addresses, filters, not looking any more"
    )
    has_other_means: Share = Field(description="share of people who could pay with another method if asked")
    signup_first_payment_failure: Share = Field(
        description="share of sign-ups whose first card attempt is refused for risk"
    )
    signup_try_again: Share = Field(description="share of refused sign-ups that try again with another method")
    voluntary_churn: PerMonth = Field(
        description="mean monthly hazard of wanting to leave and acting on it, at the tenure mix"
    )
    tenure_hazard: Tenure = Field(description="relative monthly churn by tenure; its level is set by voluntary_churn")
    tenure_mix: Tenure = Field(description="tenure of the members at the start; adds up to 100 %")
    inert_members: Share = Field(description="share of members at the start who stay only out of inertia")
    inert_instead_of_leaving: Share = Field(
        description="share of those losing interest who stay out of inertia instead of leaving"
    )
    inert_wakes: PerMonth = Field(description="hazard of an inert member leaving after all")
    cancel_in_trouble: Share = Field(description="chance that a member who reacts to a payment problem cancels instead")
    inert_cancel_in_trouble: Share = Field(description="the same for the inert, whom trouble forces to choose")
    bank_stop: dict[MethodKind, Share] = Field(
        description="share of leavers who stop the payment at their bank instead of cancelling"
    )
    win_back: WinBack = Field(description="how many of those who left come back, and when")
    former_members: Share = Field(
        description="people who left in the 12 months before the start, as a share of members"
    )


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


class Latency(Part):
    """Response times of a gateway."""

    p50: Duration = Field(description="half are answered by then")
    p95: Duration = Field(description="95 % are answered by then")
    p99: Duration = Field(description="99 % are answered by then")


class Gateway(Part):
    """A payment gateway (or the partner who bills for us)."""

    name: str = Field("", description="the gateway's name as people read it")
    latency: Latency = Field(description="response times")
    timeout: Share = Field(description="share of attempts whose outcome stays unknown for a while")


class Routing(Part):
    """Which gateways take an attempt; the last rule that fits wins."""

    market: list[MarketCode] = Field([], description="only these markets; empty: all")
    method: list[MethodKind] = Field([], description="only these methods; empty: all")
    use: dict[Name, Share] = Field(min_length=1, description="gateway -> weight; adds up to 100 %")


class DunningPolicy(Part):
    """What is done about a failed invoice: retries, notices, grace, hold, end. Times count from the first failure."""

    about: str = Field("", description="what the policy is like, for people")
    source: str = Field("", description="where the schedule comes from")
    retries: list[Duration] = Field(max_length=24, description="when to try again")
    notices: list[Duration] = Field(max_length=16, description="when to tell the member")
    grace: Duration = Field(description="how long access stays; then the subscription is put on hold")
    end: Duration = Field(description="when the subscription ends if the invoice is still unpaid")
    stop_on: list[DeclineKind] = Field([], description="stop retrying after such a decline until the method changes")
    retry_hour: int | None = Field(
        None, ge=0, le=23, description="local hour of retries a day or more away; none: same hour"
    )
    use_backup: bool = Field(True, description="try the backup method when the preferred one fails")


class DunningRule(Part):
    """Which policy is for whom; the last rule that fits wins."""

    market: list[MarketCode] = Field([], description="only these markets; empty: all")
    method: list[MethodKind] = Field([], description="only these methods; empty: all")
    decline: list[DeclineKind] = Field([], description="kind of the first decline")
    use: Name = Field(description="a policy of this scenario, or a shipped preset")


class NetworkRules(Part):
    """What card networks allow. Sources differ, so these are parameters."""

    never_retry: list[str] = Field(description="decline codes after which the same card may not be tried again")
    max_attempts: int = Field(ge=1, le=1000, description="attempts per card within the window, merchant-initiated")
    window: Duration = Field(description="how long attempts count")


class IssuerMemory(Part):
    """What an issuer remembers of recent attempts on a card."""

    declines: int = Field(ge=1, le=1000, description="declines within the window after which it refuses by reflex")
    window: Duration = Field(description="how long declines are remembered, from the first")


class RecordingDelay(Part):
    """How long after it happened an event is in the log."""

    p50: Duration = Field(description="half are recorded by then")
    p99: Duration = Field(description="99 % are recorded by then")
    max: Duration = Field(description="all are recorded by then")


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
    GatewayOutage | PriceChange | DunningSwitch | AccountUpdaterSwitch | SignupSurge | ExchangeRate,
    Field(discriminator="kind"),
]


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
