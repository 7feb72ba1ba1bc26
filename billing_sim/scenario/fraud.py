"""Who is let pay and who is turned away: authentication, the fraud screen, attacks, releases, methods and launches."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from billing_sim.scenario.parts import MarketCode, MethodKind, Name, Part
from billing_sim.scenario.support import Shift
from billing_sim.scenario.values import Duration, Moment, Positive, Share

_HOUR = 3_600_000_000
Score = Annotated[int, Field(ge=0, le=1000)]


class Challenge(Part):
    """How a challenge ends, once the issuer asks for one; adds up to 100 %."""

    passed: Share = Field(Decimal("0.78"), description="the customer authenticates")
    failed: Share = Field(Decimal("0.07"), description="the customer cannot")
    abandoned: Share = Field(Decimal("0.15"), description="the customer gives up")


class Authentication(Part):
    """How the customers of cards authenticate (3DS) when they pay, and when issuers ask for them in a renewal."""

    required: Share = Field(
        Decimal(1), description="share of card payments made by customers themselves that need authentication"
    )
    exempt: Share = Field(Decimal(0), description="share of those that an exemption frees from it")
    frictionless: Share = Field(
        Decimal("0.62"), description="share of authentications in which the issuer asks the customer nothing"
    )
    challenge: Challenge = Field(Challenge.model_validate({}), description="how the others end")
    renewals_asked: Share = Field(
        Decimal(0),
        description="share of cards per month whose issuer refuses renewals until the customer has authenticated",
    )


class Scores(Part):
    """Quantiles of risk scores, 0 to 999; straight lines between them."""

    p10: Score = Field(description="a tenth score at most this")
    p50: Score = Field(description="half score at most this")
    p90: Score = Field(description="nine tenths score at most this")
    p99: Score = Field(description="99 % score at most this")


class Reviewers(Part):
    """A team that reviews payments, first come first served, as a queue that all share."""

    shifts: list[Shift] = Field(min_length=1, max_length=32, description="who is there when")
    handling: Duration = Field(12 * _HOUR // 60, description="how long a case takes on average; times are exponential")

    def scaled(self, factor: Decimal) -> Reviewers:
        """The same with so many times the reviewers."""
        return self.model_copy(update={"shifts": [shift.scaled(factor) for shift in self.shifts]})


class Review(Part):
    """What becomes of payments that people look at before they are let through."""

    p50: Duration = Field(4 * _HOUR, description="half are decided by then")
    p95: Duration = Field(24 * _HOUR, description="95 % are decided by then")
    rejects_good: Share = Field(Decimal("0.15"), description="share of good payments that are rejected")
    rejects_bad: Share = Field(Decimal("0.85"), description="share of fraudulent payments that are rejected")
    team: Reviewers | None = Field(
        None, description="who decides, as a queue; none: there is no queue, and each takes a time of its own"
    )


class Noticing(Part):
    """When the owners of stolen cards see the charge and have the card blocked."""

    p50: Duration = Field(12 * 24 * _HOUR, description="half have noticed by then")
    p95: Duration = Field(45 * 24 * _HOUR, description="95 % have noticed by then")


class Fraud(Part):
    """Fraudsters with stolen cards, and the screen that looks for them before a payment is sent anywhere."""

    signups: Share = Field(Decimal("0.01"), description="share of new people paying by card who do not own it")
    works: Share = Field(Decimal("0.6"), description="share of stolen cards that are not blocked yet when first used")
    noticed: Noticing = Field(Noticing.model_validate({}), description="when their owners have them blocked")
    good_scores: Scores = Field(Scores(p10=20, p50=100, p90=400, p99=930), description="scores of people who own it")
    bad_scores: Scores = Field(Scores(p10=860, p50=967, p90=990, p99=998), description="scores of fraudsters")
    block_above: Score = Field(900, description="payments that score above this are blocked; 1000: none")
    review_above: Score = Field(1000, description="payments that score above this wait for a review; 1000: none")
    review: Review = Field(Review.model_validate({}), description="what reviewers decide, and when")
    screens: list[Literal["signup", "member", "renewal"]] = Field(
        ["signup", "member"], description="which card payments are scored: of sign-ups, of members in dunning, renewals"
    )
    market: list[MarketCode] = Field([], description="only these markets; empty: all")

    def scaled(self, factor: Decimal) -> Fraud:
        """The same with so many times the reviewers."""
        if self.review.team is None:
            return self
        review = self.review.model_copy(update={"team": self.review.team.scaled(factor)})
        return self.model_copy(update={"review": review})


class _InMarkets(Part):
    market: list[MarketCode] = Field([], description="only these markets; empty: all")


class AuthenticationRule(_InMarkets):
    """From this moment customers authenticate by other rules; what is not given stays as it was."""

    kind: Literal["authentication_rule"]
    at: Moment = Field(description="from when on")
    required: Share | None = Field(None, description="share of card payments by customers that need authentication")
    exempt: Share | None = Field(None, description="share of those that an exemption frees from it")
    frictionless: Share | None = Field(None, description="share of authentications without a challenge")
    challenge: Challenge | None = Field(None, description="how challenges end")
    renewals_asked: Share | None = Field(None, description="share of cards per month refused for renewals")


class FraudRule(_InMarkets):
    """From this moment the fraud screen has other thresholds; what is not given stays as it was."""

    kind: Literal["fraud_rule"]
    at: Moment = Field(description="from when on")
    block_above: Score | None = Field(None, description="payments that score above this are blocked; 1000: none")
    review_above: Score | None = Field(None, description="payments that score above this are reviewed; 1000: none")


class CardTesting(_InMarkets):
    """Bots try stolen card numbers with small payments, posing as people who sign up."""

    kind: Literal["card_testing"]
    at: Moment = Field(description="when it begins")
    duration: Duration = Field(description="how long it lasts")
    attempts_per_member: Positive = Field(description="attempts in all, for each member at the start")
    gateway: Name | None = Field(None, description="the gateway that they all go through; none: routed like others")
    method: Literal["credit", "debit", "prepaid"] = Field("debit", description="kind of most of the cards")
    concentration: Share = Field(Decimal("0.9"), description="share of the attempts with cards of that kind")
    bin: Name | None = Field(None, description="the BIN range (`card_bins`) of most of the cards; none: of no one more")
    bin_share: Share = Field(
        Decimal("0.8"), description="share of the attempts with cards of that range; the rest are like members' cards"
    )
    declined: Share = Field(Decimal("0.85"), description="share of the attempts that issuers decline")
    learned_after: Duration | None = Field(
        None, description="how long until the screen knows the pattern; none: it never does"
    )
    then_blocked: Share = Field(Decimal("0.95"), description="share of attempts that it blocks from then on")
    refused: Share = Field(
        Decimal("0.1"),
        description="share of other people's cards of that BIN range that their issuer refuses from the start on",
    )
    refused_for: Duration = Field(7 * 24 * _HOUR, description="how long that goes on after the attack")


class Deploy(_InMarkets):
    """A release of ours; a faulty one does harm until it is rolled back."""

    kind: Literal["deploy"]
    at: Moment = Field(description="when it is released")
    duration: Duration | None = Field(None, description="how long until it is rolled back; none: it stays")
    gateway: Name | None = Field(None, description="only attempts through this gateway; none: all")
    declines: Share = Field(Decimal(0), description="share of good attempts that it refuses")
    double_charges: Share = Field(Decimal(0), description="share of paid invoices that it charges twice")


class MandateDebits(Part):
    """How banks answer debits by e-mandate (`a2a_emandate`) that we ask for: after having told the payer, and late."""

    pending: Share = Field(Decimal(1), description="share of debits that stay pending; the others are answered at once")
    notice: Duration = Field(24 * _HOUR, description="how long before the debit the bank tells the payer")
    p50: Duration = Field(2 * _HOUR, description="half are answered so long after the debit")
    p95: Duration = Field(30 * _HOUR, description="95 % are answered so long after the debit")


class MethodLaunch(_InMarkets):
    """A payment method is offered from now on, and takes its share of new methods from all others alike."""

    kind: Literal["method_launch"]
    at: Moment = Field(description="from when on")
    method: MethodKind = Field(description="which method")
    share: Share = Field(description="its share of methods put on file from then on")


class MethodWithdrawal(_InMarkets):
    """A payment method is no longer accepted: charges on it fail until the member changes it."""

    kind: Literal["method_withdrawal"]
    at: Moment = Field(description="from when on")
    method: MethodKind = Field(description="which method")


class MarketLaunch(Part):
    """A market opens: it has no members at the start, and people sign up there from now on."""

    kind: Literal["market_launch"]
    at: Moment = Field(description="from when on")
    market: list[MarketCode] = Field(min_length=1, description="which markets")
    signups: Share = Field(
        description="new people per month in each of them, as a share of all members of the service at the start"
    )
