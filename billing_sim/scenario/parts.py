"""What parts of a scenario are made of: the base class of all of them, and the names that they use."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from billing_sim.scenario.values import YEARS_MAX

MethodKind = Literal[
    "credit",
    "debit",
    "prepaid",
    "wallet",
    "direct_debit",
    "a2a_emandate",
    "carrier_partner",
    "gift_balance",
    "voucher",
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
    "issuer_outages": 64,
    "rates": 128,
    "zones": 64,
    "promotions": 31,
    "offers": 64,
    "taxes": 8,
    "campaigns": 8,
    "bins": 16,
    "years": YEARS_MAX,
    "members": 1_000_000_000,
}
"""Fixed capacities of the compiled world; a scenario beyond them is refused by name."""

MOST_BINS = 255
"""BIN ranges that the column `bin` can tell apart, over all markets."""


class Part(BaseModel):
    """Every part of a scenario: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
