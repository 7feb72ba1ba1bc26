"""What a metric is: a question, the units that count, two sums over them, and how the answer misleads.

A definition is data. It names one fact, the units of it that belong (`where`), what is summed over them (`numerator`,
`denominator`: SQL over the columns of one row, a condition counts as 1), which moment places a unit in time (`clock`)
and when a unit's outcome can no longer change (`matures`). A ratio is the one sum divided by the other, at the very
end; the denominator may be taken over another fact (`over`), whose sum is merged before dividing, so nothing is joined.

Variants of a metric share its name: `recovery_rate` is canonical, `recovery_rate@count` its neighbour on one axis.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from billing_sim import clock as clocks

View = Literal["subscribers", "finance", "support", "product"]
Tier = Literal["core", "supporting", "risk"]
Unit = Literal["share", "count", "money", "per_thousand", "points", "each", "ms", "hours", "days", "months"]
Kind = Literal["ratio", "sum", "stock", "quantile", "gap"]
VIEWS: tuple[View, ...] = ("subscribers", "finance", "support", "product")
TIERS: tuple[Tier, ...] = ("core", "supporting", "risk")
MATURITIES = ("none", "month", "settlement", "dunning")
"""Names of derived horizons; anything else that `matures` may say is a duration, such as "7 days"."""

DIMENSIONS = ("market", "region", "plan", "method", "month")
"""What every metric can be sliced by."""


def _sql(value: Any) -> Any:
    """YAML reads `true` and `1` as themselves; here they are SQL."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


def _maturity(value: Any) -> Any:
    if isinstance(value, str) and value not in MATURITIES:
        try:
            clocks.parse_duration(value)
        except ValueError:
            raise ValueError(f'{value!r} is none of {", ".join(MATURITIES)} and no duration such as "7 days"') from None
    return value


Sql = Annotated[str, BeforeValidator(_sql)]
Text = Annotated[str, Field(min_length=1)]
Maturity = Annotated[str, BeforeValidator(_maturity)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Population(_Part):
    """The units of one fact over which a sum is taken."""

    fact: str = Field(description="the fact whose rows are the units")
    where: Sql = Field("", description="condition that a unit must meet; empty: all")
    clock: str = Field(description="the column that places a unit in time")
    matures: Maturity = Field(
        "none",
        description="when a unit counts: at once (none), once its month is over (month), once its payment can no "
        "longer come back (settlement) or be recovered (dunning), or at an age such as 7 days",
    )


class Definition(Population):
    """One metric as its file states it."""

    id: str = Field(
        pattern=r"^[a-z][a-z0-9_]*(@[a-z0-9_]+)?$", description="its name; a variant adds @ and what is different"
    )
    view: View = Field(description="the stakeholder who owns it")
    also_in: tuple[View, ...] = Field((), description="other views that show it")
    tier: Tier = Field(description="core, what drives it (supporting), or what must not go wrong meanwhile (risk)")
    title: Text = Field(description="its name as people read it")
    question: Text = Field(description="the question it answers, in the user's words")
    formula: Text = Field(description="the formula in words")
    direction: Literal["up", "down", "neither"] = Field(description="which way is better")
    unit: Unit = Field(description="what the value is in")
    kind: Kind = Field(
        description="ratio; sum; stock: as of the last month's end, never added up over time; "
        "quantile of the numerator; gap: highest minus lowest ratio across a dimension, in percentage points"
    )
    numerator: Sql = Field(description="what is summed over the units: SQL over one row; a condition counts as 1")
    denominator: Sql = Field("", description="the same below the line; 1 counts the units")
    over: Population | None = Field(None, description="the denominator's units, when they are not the numerator's")
    scale: int = Field(1, ge=1, description="the ratio is multiplied by this")
    quantile: Decimal | None = Field(None, gt=0, lt=1, description="quantile: which one, as in 0.5")
    across: str = Field("", description="gap: the dimension compared")
    at_least: int = Field(1, ge=1, description="gap: parts with a smaller denominator are left out")
    bound: Decimal | None = Field(None, description="risk: the value that must not be crossed")
    estimand: Text = Field(description="name of what it stands for")
    misleads: Text = Field(description="how it misleads")

    @model_validator(mode="after")
    def _consistent(self) -> Definition:
        problem = next(_conflicts(self), None)
        if problem:
            raise ValueError(problem)
        return self

    @property
    def denominator_units(self) -> Population:
        """The population of the denominator."""
        return self.over or self

    @property
    def digest(self) -> str:
        """SHA-256 of what decides the number; wording, tier, view and bound do not."""
        content = json.dumps(self.model_dump(mode="json", exclude=_WORDS), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(content.encode()).hexdigest()


_WORDS = {"view", "also_in", "tier", "title", "question", "formula", "direction", "bound", "estimand", "misleads"}


def _conflicts(it: Definition) -> Iterator[str]:
    """What fits together and what does not."""
    if it.kind in ("ratio", "gap") and not it.denominator:
        yield f"a {it.kind} needs a denominator; 1 divides by the number of units"
    if it.kind in ("sum", "quantile") and it.denominator:
        yield f"a {it.kind} has no denominator; delete it"
    if it.over and not it.denominator:
        yield "`over` needs a denominator"
    if (it.kind == "quantile") != (it.quantile is not None):
        yield "`quantile` and kind: quantile need each other"
    if (it.kind == "gap") != bool(it.across):
        yield "`across` and kind: gap need each other"
    if it.kind == "gap" and it.unit != "points":
        yield "a gap is in points"
    if it.across and it.across not in DIMENSIONS:
        yield f"`across` is one of {', '.join(DIMENSIONS)}"
    if it.bound is not None and it.tier != "risk":
        yield "only a risk metric has a bound"
    if it.bound is not None and it.direction == "neither":
        yield "a bound needs a direction: up or down is better"
    if it.kind == "stock" and it.matures != "none":
        yield "a stock is taken at the end and does not mature; delete `matures`"
