"""People and what they say: why they leave, what reaches them, what they answer, and what brings them back."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from billing_sim.clock import DAY
from billing_sim.scenario.parts import MarketCode, Name, Part
from billing_sim.scenario.rejoin import Rejoin
from billing_sim.scenario.values import Duration, PerMonth, Positive, Share

ChannelName = Literal["email", "push", "in_app"]
HowLeft = Literal["voluntary", "involuntary"]
OFFERS_MAX = 16


class LeavingReasons(Part):
    """Why people want to leave of their own accord; adds up to 100 %. What a price rise adds leaves for the price."""

    price: Share = Field(description="it costs too much")
    content: Share = Field(description="nothing left that they want")
    not_using: Share = Field(description="they don't use it")
    other: Share = Field(description="anything else")


class ExitSurvey(Part):
    """A question to whoever cancels: why? Payment trouble is none of the answers that can be ticked."""

    answered: Share = Field(description="share of those who cancel that answer")
    misreported: Share = Field(Decimal(0), description="share of answers that are any of the others instead")
    trouble_says_price: Share = Field(
        Decimal(0), description="share of those leaving over payment trouble who say price; the others say other"
    )


class SerialChurners(Part):
    """People who leave and come back again and again; that they do is their nature, and known to nobody."""

    share: Share = Field(description="share of people who sign up; among members at the start they are rarer")
    leave_factor: Positive = Field(le=100, description="how many times as likely they are to leave in a month")
    returns: Rejoin = Field(description="how fast they come back, where that is faster than others")


class Channel(Part):
    """How a notice travels, and what becomes of it."""

    delivered: Share = Field(description="share of people whose address works")
    mended: PerMonth = Field(Decimal("0.05"), description="hazard of an address that bounces being mended")
    opened: Share = Field(description="chance per day that a notice in sight is opened; takes the place of attention")
    responded: Share = Field(Decimal(1), description="chance per day that who has opened it acts")
    unsubscribed: Share = Field(Decimal(0), description="share of notices after which the person wants no more of them")


class Channels(Part):
    """The ways in which people of a market are told; where there is none, a notice reaches whoever pays attention."""

    email: Channel | None = Field(None, description="by e-mail; also notices whose policy names no channel")
    push: Channel | None = Field(None, description="on the telephone")
    in_app: Channel | None = Field(None, description="inside the application")


class Asked(Part):
    """Who is asked after an experience, and what."""

    kind: Literal["nps", "csat"] = Field(description="nps: 0 to 10, would you recommend us; csat: 1 to 5, how was it")
    share: Share = Field(description="share of those with the experience who are asked")


class Mood(Part):
    """What experiences do to a person's mood, in points of 100; what is left of them after a month is `keeps`."""

    decline: int = Field(-8, ge=-100, le=100, description="a first failed payment of an invoice")  # assumed
    hold: int = Field(-30, ge=-100, le=100, description="access blocked")  # assumed
    price_rise: int = Field(-15, ge=-100, le=100, description="the first invoice at a higher price")  # assumed
    recovered: int = Field(4, ge=-100, le=100, description="a failed payment is mended")  # assumed
    contact_solved: int = Field(6, ge=-100, le=100, description="support solved it")  # assumed
    contact_unsolved: int = Field(-25, ge=-100, le=100, description="support did not")  # assumed
    keeps: Share = Field(Decimal("0.6"), description="share of a mood that is left a month later")  # assumed


class Response(Part):
    """Who answers: the share grows in a straight line with how content the person is."""

    worst: Share = Field(Decimal("0.06"), description="of those who could not be less content")  # assumed
    best: Share = Field(Decimal("0.30"), description="of those who could not be more content")  # assumed


class Surveys(Part):
    """Short questions after experiences. Most people don't answer, and least of all the discontent."""

    recovered: Asked | None = Field(None, description="after a failed payment was mended")
    hold: Asked | None = Field(None, description="after access was blocked")
    contact: Asked | None = Field(None, description="after writing to support")
    signup: Asked | None = Field(None, description="after signing up")
    quiet_year: Asked | None = Field(None, description="at an anniversary after a year without payment trouble")
    after: Duration = Field(DAY, description="how long after the experience")
    wait: Duration = Field(90 * DAY, description="nobody is asked again sooner")
    response: Response = Field(Response.model_validate({}), description="who answers")
    mood: Mood = Field(Mood.model_validate({}), description="what experiences do to the mood")


class WinBackOffer(Part):
    """An offer to people some time after they left. It is sent once for each end of a subscription."""

    after: Duration = Field(description="how long after the end; whoever is back by then gets none")
    within: Duration = Field(30 * DAY, description="how long it stands")
    market: list[MarketCode] = Field([], description="only these markets; empty: all")
    to: list[HowLeft] = Field([], description="only who left so; empty: all")
    share: Share = Field(Decimal(1), description="share of them who get it; the others are held out")
    uplift: Share = Field(description="of those who would not be back by its end, the share that it brings back")
    coupon: Name | None = Field(None, description="the promotion that who returns in time redeems")
    channel: ChannelName = Field("email", description="how it travels, where the market has channels")


class Notice(Part):
    """A step of a policy's notices."""

    after: Duration = Field(description="when, from the first failure")
    channel: ChannelName | None = Field(None, description="how it travels; none: by e-mail")


def _notice(value: Any) -> Any:
    """A bare duration is a notice that names no channel."""
    return value if isinstance(value, (dict, Notice)) else {"after": value}


NoticeStep = Annotated[
    Notice,
    BeforeValidator(_notice),
    WithJsonSchema({
        "anyOf": [
            {"type": "string", "description": "a duration, as in 3 days"},
            {
                "type": "object",
                "properties": {
                    "after": {"type": "string", "description": "when, from the first failure"},
                    "channel": {"enum": ["email", "push", "in_app"], "description": "how it travels"},
                },
                "required": ["after"],
                "additionalProperties": False,
            },
        ]
    }),
]  # fmt: skip
"""`3 days`, or `{after: 3 days, channel: push}`."""
