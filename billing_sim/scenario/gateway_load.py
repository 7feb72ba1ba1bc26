"""What gateways can take, how they choose among themselves, and issuers that cannot be reached."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from billing_sim.scenario.parts import MarketCode, MethodKind, Part
from billing_sim.scenario.values import Duration, Moment, Share, shown

_PER_HOUR = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,6})?) per hour\s*")


def _per_hour(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    found = _PER_HOUR.fullmatch(value) if isinstance(value, str) else None
    if not found or not Decimal(found[1]):
        raise ValueError(f"{shown(value)} is not a rate above 0; write it with its unit, as in 5000 per hour")
    return Decimal(found[1])


PerHour = Annotated[Decimal, BeforeValidator(_per_hour), WithJsonSchema({
    "type": "string", "pattern": r"^\s*\d+(\.\d+)? per hour\s*$",
    "description": 'how many an hour, above 0: "5000 per hour"'})]  # fmt: skip


class Load(Part):
    """What load does to a gateway's answers; it depends on the attempts of the window before."""

    comfortable: PerHour = Field(description="attempts up to which nothing changes, for all `members` of the scenario")
    slowdown: Annotated[int, Field(ge=1, le=100)] = Field(
        3, description="how many times as long an answer takes at twice the comfortable load; linear, up to 8 times it"
    )
    timeouts: Share = Field(
        Decimal("0.01"), description="share of attempts that time out besides, at twice the comfortable load; linear"
    )


class UnderLoad(Part):
    """What a gateway can take. Both are for the scenario's own `members`: another number of members scales them."""

    capacity: PerHour | None = Field(None, description="attempts it takes; what is more, it refuses (throttled)")
    load: Load | None = Field(None, description="what load does to its answers; none: nothing")


class RoutingChoice(Part):
    """How a routing rule chooses among its gateways."""

    by: Literal["weights", "least_cost", "success_rate"] = Field(
        "weights",
        description="the weights of `use`; or least_cost: the cheapest of them by `fees`, the others only to fail over "
        "to; or success_rate: the one with the best success rate of the last day",
    )
    explore: Share = Field(
        Decimal("0.1"), description="with success_rate: share of attempts that go by the weights, to learn from them"
    )


class IssuerOutage(Part):
    """The issuers of a market cannot be reached for a while: cards are answered 91, issuer unavailable."""

    kind: Literal["issuer_outage"]
    at: Moment = Field(description="when it begins")
    market: list[MarketCode] = Field([], description="only these markets; empty: all")
    method: list[MethodKind] = Field([], description="only these methods; empty: all that a bank stands behind")
    duration: Duration = Field(description="how long it lasts")
    failing: Share = Field(description="share of attempts that fail meanwhile")
