"""The support desk: what makes people write or call, who answers when, and what they can do about it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from billing_sim import clock
from billing_sim.scenario.parts import MarketCode, Part
from billing_sim.scenario.values import Change, Duration, Moment, Positive, Share

Channel = Literal["chat", "phone", "email"]
CHANNELS: tuple[Channel, ...] = ("chat", "phone", "email")
"""In the order in which the channel of a contact is drawn."""

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class ContactRates(Part):
    """The chance that something makes a member contact support."""

    # Where a figure has a source, `support` is the block of that name among the synthetic parameters; all assumed:
    # no public source tells contacts per failed payment.
    payment_failed: Share = Field(Decimal("0.03"), description="the first notice of a failed payment")  # support
    hold_started: Share = Field(Decimal("0.08"), description="access is blocked")  # support
    double_charge: Share = Field(Decimal("0.35"), description="the same service was charged twice")  # support
    price_rise: Share = Field(Decimal("0.01"), description="the first renewal at a higher price")  # assumed
    unknown_charge: Share = Field(Decimal("0.0005"), description="a renewal that the member cannot place")  # assumed
    canceled_by_mistake: Share = Field(Decimal("0.01"), description="the member cancelled and regrets it")  # assumed


class MarketRates(Part):
    """What differs in one market; what is left out is as everywhere."""

    payment_failed: Share | None = Field(None, description="the first notice of a failed payment")
    hold_started: Share | None = Field(None, description="access is blocked")
    double_charge: Share | None = Field(None, description="the same service was charged twice")
    price_rise: Share | None = Field(None, description="the first renewal at a higher price")
    unknown_charge: Share | None = Field(None, description="a renewal that the member cannot place")
    canceled_by_mistake: Share | None = Field(None, description="the member cancelled and regrets it")


class Delay(Part):
    """How long people take before they contact support."""

    p50: Duration = Field(2 * clock.HOUR, description="half have done so by then")  # assumed
    p99: Duration = Field(3 * clock.DAY, description="nearly all have done so by then")  # assumed


class Handling(Part):
    """The mean time that a contact keeps an agent busy; times are exponential."""

    chat: Duration = Field(9 * clock.MINUTE, description="by chat")  # support: aht_min.chat (assumed)
    phone: Duration = Field(
        clock.MINUTE * 15 // 2, description="by phone"
    )  # support: aht_min.phone (assumed); calls take more than 7 min: contact_centre_us (A)
    email: Duration = Field(10 * clock.MINUTE, description="by e-mail")  # assumed


class Patience(Part):
    """The mean time that people wait before they give up; exponential. E-mail waits without end."""

    # support: patience_s (assumed), from a wait of 120 s and 9.1 % abandoned: contact_centre_uk 2023 (A)
    chat: Duration = Field(1300 * clock.SECOND, description="by chat")
    phone: Duration = Field(1300 * clock.SECOND, description="by phone")


class Costs(Part):
    """What a contact costs that an agent handled, in the reporting currency."""

    # support: cost_usd (assumed); a call 6.55 GBP in 2023: contact_centre_uk (A)
    chat: Positive = Field(Decimal("3.9"), description="by chat")
    phone: Positive = Field(Decimal("7"), description="by phone")
    email: Positive = Field(Decimal("4.5"), description="by e-mail")


class Shift(Part):
    """Agents at their desk, hours of the week in UTC. Shifts that overlap add up."""

    days: list[Day] = Field([], description="on these days; empty: every day")
    hours: list[Annotated[int, Field(ge=0, le=24)]] = Field(
        [0, 24], min_length=2, max_length=2, description="from this hour to that one, UTC"
    )
    agents: Positive = Field(
        description="how many, for the `members` of the file; with other members as many more or fewer, at least one"
    )

    def scaled(self, factor: Decimal) -> Shift:
        """The same with so many times the agents."""
        return self.model_copy(update={"agents": self.agents * factor})


class Desk(Part):
    """Agents who serve some channels, first come first served."""

    channels: list[Channel] = Field(min_length=1, description="what they answer; a channel has one desk")
    shifts: list[Shift] = Field(min_length=1, max_length=32, description="who is there when")


class Actions(Part):
    """What an agent does for somebody whose invoice is failing, as shares of such contacts."""

    retry: Share = Field(Decimal("0.40"), description="charges again at once")  # assumed, as all of these
    link: Share = Field(Decimal("0.30"), description="sends a link to update the payment method")
    grace: Share = Field(Decimal("0.15"), description="gives more time")
    explain: Share = Field(Decimal("0.15"), description="explains")


class Successes(Part):
    """How often what an agent does settles the matter. A retry is settled by the bank's answer."""

    link: Share = Field(Decimal("0.70"), description="the member follows the link and mends the method")  # assumed
    grace: Share = Field(Decimal("0.90"), description="more time is all that was wanted")  # assumed
    explain: Share = Field(Decimal("0.60"), description="the member understands")  # assumed
    save: Share = Field(Decimal("0.80"), description="the subscription goes on after all")  # assumed
    refund: Share = Field(Decimal("0.95"), description="what was charged twice is found and goes back")  # assumed
    goodwill: Share = Field(
        Decimal("0.20"), description="a charge that the member cannot place goes back out of goodwill"
    )  # assumed


class Repeats(Part):
    """Who comes back about the same matter."""

    after_unresolved: Share = Field(Decimal("0.45"), description="after a contact that settled nothing")  # assumed
    after_abandoned: Share = Field(Decimal("0.50"), description="after having given up waiting")  # assumed
    within: Duration = Field(4 * clock.DAY, description="by then at the latest, evenly")  # assumed


class Annoyance(Part):
    """What a contact without result does to somebody whose payment is failing."""

    cancels: Share = Field(
        Decimal("0.10"), description="added to the chance to cancel when a notice is seen"
    )  # assumed
    lasts: Duration = Field(7 * clock.DAY, description="for how long")  # assumed


class Support(Part):
    """The support desk; without it nobody writes or calls."""

    market: list[MarketCode] = Field([], description="only members of these markets contact it; empty: all")
    contact_rate: ContactRates = Field(
        ContactRates.model_validate({}), description="chance of a contact, by what causes it"
    )
    by_market: dict[MarketCode, MarketRates] = Field({}, description="rates that differ in a market")
    delay: Delay = Field(Delay.model_validate({}), description="how long people take before they contact support")
    # assumed; phone 62 %, e-mail 19 %, chat 8 % of all trades' contacts: contact_centre_us (A); streaming chats more
    channels: dict[Channel, Share] = Field(
        {"chat": Decimal("0.45"), "phone": Decimal("0.35"), "email": Decimal("0.20")},
        description="how they do it; adds up to 100 %",
    )
    patience: Patience = Field(Patience.model_validate({}), description="how long people wait for an agent, on average")
    handling: Handling = Field(Handling.model_validate({}), description="how long a contact takes, on average")
    desks: list[Desk] = Field(min_length=1, max_length=3, description="who answers which channels")
    actions: Actions = Field(
        Actions.model_validate({}), description="what agents do about a failing invoice; adds up to 100 %"
    )
    success: Successes = Field(Successes.model_validate({}), description="how often that settles the matter")
    grace_extension: Duration = Field(5 * clock.DAY, description="how much more time an agent gives")  # assumed
    repeat: Repeats = Field(Repeats.model_validate({}), description="who comes back about the same matter")
    annoyance: Annoyance = Field(Annoyance.model_validate({}), description="what a contact without result does")
    cost: Costs = Field(Costs.model_validate({}), description="what a handled contact costs us")

    def scaled(self, factor: Decimal) -> Support:
        """The same with so many times the agents."""
        return self.model_copy(update={"desks": [_scaled(desk, factor) for desk in self.desks]})


def _scaled(desk: Desk, factor: Decimal) -> Desk:
    return desk.model_copy(update={"shifts": [shift.scaled(factor) for shift in desk.shifts]})


class SupportStaffing(Part):
    """For a while there are more or fewer agents, or they take longer."""

    kind: Literal["support_staffing"]
    at: Moment = Field(description="when it begins")
    duration: Duration = Field(description="how long it lasts")
    agents: Change = Field(Decimal(0), description="how many more agents; -50% for half of them")
    handling: Change = Field(Decimal(0), description="how much longer a contact takes; 100% for twice as long")
