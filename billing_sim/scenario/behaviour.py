"""How the people and banks of a market behave, with the nouns that it takes to say so."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from billing_sim.scenario.fraud import Authentication
from billing_sim.scenario.parts import CAPACITY, MethodKind, Name, Part, Weekday
from billing_sim.scenario.plans import PlanHabits, no_habits
from billing_sim.scenario.refunds import NetworkName
from billing_sim.scenario.rejoin import Rejoin
from billing_sim.scenario.saying import Channels, ExitSurvey, LeavingReasons, SerialChurners, Surveys
from billing_sim.scenario.values import PerMonth, Share


class Paydays(Part):
    """A calendar on which income arrives. Exactly one of its keys is given."""

    days_of_month: list[Annotated[int, Field(ge=1, le=31)]] | None = Field(
        None, min_length=1, max_length=4, description="days of the month; 31 means the last day"
    )
    last_business_day: Literal[True] | None = Field(None, description="the last Monday-to-Friday day of the month")
    weekly: Weekday | None = Field(None, description="every week on this day")
    every_two_weeks: Weekday | None = Field(None, description="every second week on this day")
    share: Share = Field(description="share of payers with this calendar")


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
    # Plans and money.
    plan_habits: PlanHabits = Field(
        default_factory=no_habits, description="pauses, changes of plan and goodwill; off unless said"
    )
    # Refunds and disputes.
    card_networks: dict[NetworkName, Share] = Field(
        {}, description="networks of cards; adds up to 100 %; empty: nobody knows them"
    )
    # Fraud and authentication.
    authentication: Authentication | None = Field(
        None, description="how customers authenticate here; none: as the scenario says for all markets"
    )
    card_bins: dict[Name, Share] = Field(
        {},
        max_length=CAPACITY["bins"],
        description="BIN ranges of cards, by a name of your own; adds up to 100 %; empty: nobody knows them",
    )
    fraudulent_signups: Share | None = Field(
        None, description="share of new people paying by card who do not own it; none: as `fraud` says"
    )
    # Gateways under load.
    # Support.
    # People and what they say.
    leaving_reasons: LeavingReasons | None = Field(None, description="why people want to leave; none: nobody knows")
    exit_survey: ExitSurvey | None = Field(None, description="what who cancels is asked; none: nothing")
    serial_churners: SerialChurners | None = Field(None, description="people who leave and come back; none: nobody")
    channels: Channels | None = Field(None, description="how notices travel; none: they reach whoever pays attention")
    surveys: Surveys | None = Field(None, description="what people are asked after experiences; none: nothing")
    # Campaigns.
    # Experiments.
