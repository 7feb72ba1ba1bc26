"""What a metric is: a question, the units that count, two sums over them, and how the answer misleads.

A definition is data. It names one fact, the units of it that belong (`where`, `exclude`), what is summed over them
(`numerator`, `denominator`: SQL over the columns of one row, a condition counts as 1 or as its `weight`), which moment
places a unit in time (`clock`) and when a unit's outcome can no longer change (`matures`). A ratio is the one sum
divided by the other, at the very end; the denominator may be taken over another fact (`over`), whose sum is merged
before dividing, so nothing is joined.

Variants of a metric share its name: `recovery_rate` is canonical, `recovery_rate@count` its neighbour on one axis.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from billing_sim import clock as clocks

View = Literal["subscribers", "finance", "support", "product"]
Tier = Literal["core", "supporting", "risk"]
Unit = Literal["share", "count", "money", "per_thousand", "points", "each", "ms", "hours", "days", "months"]
Kind = Literal["ratio", "sum", "stock", "quantile", "gap", "incidence"]
Estimator = Literal["aalen_johansen", "kaplan_meier", "closed"]
VIEWS: tuple[View, ...] = ("subscribers", "finance", "support", "product")
TIERS: tuple[Tier, ...] = ("core", "supporting", "risk")
MATURITIES = ("none", "month", "settlement", "dunning")
"""Names of derived horizons; anything else that `matures` may say is a duration, such as "7 days"."""

DIMENSIONS = ("market", "region", "plan", "method", "month")
"""What every metric can be sliced by; each can also be sliced by the other labels and flags of its fact."""

AXES: dict[str, str] = {
    "unit": "what is counted: attempt, invoice, subscription, person",
    "selection": "which attempt of an invoice: first, last, any, all",
    "clock": "the moment that places a unit in a period",
    "window": "the span in which something must happen, and which of its ends belong to it",
    "maturity": "how old a unit must be to count",
    "as_of": "what was known when",
    "population": "who is below the line: at the start, new ones too, on average",
    "exclusions": "who is left out",
    "weight": "count or amount",
    "recognition": "when a loss counts, and which reason wins",
    "money": "net or gross, at spot or constant rates",
    "return": "what coming back, or joining and leaving in one period, means",
}
"""The axes on which definitions of "the same" metric differ."""


def _sql(value: Any) -> Any:
    """YAML reads `true` and `1` as themselves; here they are SQL."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


def _listed(value: Any) -> Any:
    """One condition need not be written as a list."""
    return (value,) if isinstance(value, str) else value


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

    fact: str = Field("", description="the fact whose rows are the units")
    where: Sql = Field("", description="condition that a unit must meet; empty: all")
    exclude: Annotated[tuple[Sql, ...], BeforeValidator(_listed)] = Field(
        (), description="conditions; a unit that meets any of them is left out"
    )
    clock: str = Field("", description="the column that places a unit in time")
    matures: Maturity = Field(
        "none",
        description="when a unit counts: at once (none), once its month is over (month), once its payment can no "
        "longer come back (settlement) or be recovered (dunning), or at an age such as 7 days",
    )

    @property
    def condition(self) -> tuple[str, ...]:
        """What a unit must meet: `where`, and none of `exclude`."""
        return tuple(filter(None, (self.where, *(f"({condition}) IS NOT TRUE" for condition in self.exclude))))


class Window(_Part):
    """A span of time after some moment, with both of its ends and its grain.

    At the grain `hour` or `day`, ages are differences between calendar hours or days in `zone`, whole numbers, as
    reports by date count them.
    """

    of: Sql = Field(description="the moment that must lie within")
    since: Sql = Field(description="the moment from which age is counted")
    first: str = Field("0 days", description="where the window begins")
    last: str = Field(description="where it ends, such as 14 days")
    ends: Literal["[]", "[)", "(]", "()"] = Field(
        "[]", description="square where an end belongs to it, round where not"
    )
    grain: Literal["instant", "hour", "day"] = Field("instant", description="instant, or calendar hour or day")
    zone: str = Field("UTC", description="time zone of the calendar, such as America/Sao_Paulo")

    @field_validator("first", "last")
    @classmethod
    def _is_duration(cls, value: str) -> str:
        clocks.parse_duration(value)
        return value

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"there is no time zone {value!r}") from None
        return value

    @property
    def condition(self) -> str:
        """The window as SQL over one row."""
        low, high = ">=" if self.ends[0] == "[" else ">", "<=" if self.ends[1] == "]" else "<"
        first, last = (clocks.parse_duration(text) for text in (self.first, self.last))
        if self.grain == "instant":
            # Adding an interval costs as much as five comparisons, and half of the windows begin at once.
            begins, ends = (f"{self.since} + {_interval(after)}" if after else self.since for after in (first, last))
            return f"{self.of} {low} {begins} AND {self.of} {high} {ends}"
        size = clocks.DAY if self.grain == "day" else clocks.HOUR
        age = f"date_diff('{self.grain}', {self._local(self.since)}, {self._local(self.of)})"
        return f"{age} {low} {first // size} AND {age} {high} {last // size}"

    def _local(self, moment: str) -> str:
        return moment if self.zone == "UTC" else f"timezone('{self.zone}', timezone('UTC', {moment}))"


def _interval(microseconds: int) -> str:
    for size, word in ((clocks.DAY, "DAY"), (clocks.HOUR, "HOUR"), (clocks.SECOND, "SECOND")):
        if microseconds % size == 0:
            return f"INTERVAL {microseconds // size} {word}"
    return f"INTERVAL {microseconds} MICROSECOND"


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
        "quantile of the numerator; gap: highest minus lowest ratio across a dimension, in percentage points; "
        "incidence: share to whom something has happened by an age, others still waiting"
    )
    numerator: Sql = Field("", description="what is summed over the units: SQL over one row; a condition counts as 1")
    denominator: Sql = Field("", description="the same below the line; 1 counts the units")
    weight: Sql = Field("", description="what a unit counts; empty: 1. For a condition above the line and 1 below it")
    window: Window | None = Field(None, description="the span in which the numerator must happen")
    over: Population | None = Field(None, description="the denominator's units, when they are not the numerator's")
    scale: int = Field(1, ge=1, description="the ratio is multiplied by this")
    quantile: Decimal | None = Field(None, gt=0, lt=1, description="quantile: which one, as in 0.5")
    across: str = Field("", description="gap: the dimension compared")
    at_least: int = Field(1, ge=1, description="gap: parts with a smaller denominator are left out")
    since: Sql = Field("", description="incidence: the moment from which age is counted")
    event: Sql = Field("", description="incidence: the moment at which it happens; null: not (yet)")
    competing: Sql = Field("", description="incidence: the moment after which it can no longer happen")
    enters: Sql = Field("", description="incidence: the moment from which a unit is watched; empty: from the start")
    by_age: str = Field("", description="incidence: the age at which it is read, such as 14 days")
    estimator: Estimator = Field(
        "aalen_johansen",
        description="incidence: competing events end the wait (aalen_johansen), are taken for censoring "
        "(kaplan_meier), or only units whose wait is over are looked at (closed)",
    )
    money: Literal["spot", "constant"] = Field(
        "spot", description="rates for the reporting currency: of the day (spot), or of the run's start (constant)"
    )
    sql: str = Field("", description="instead of a fact: one SELECT that returns period, numerator and denominator")
    bound: Decimal | None = Field(None, description="risk: the value that must not be crossed")
    estimand: Text = Field(description="name of what it stands for")
    proxy: bool = Field(
        False, description="it moves with its estimand, but does not measure it, though units may agree"
    )
    misleads: Text = Field(description="how it misleads")
    axis: tuple[str, ...] = Field((), description="variants: on which axis it differs")
    differs: str = Field("", description="variants: how it differs from the canonical one, in words")
    source: str = Field("", description="whose rule it is: where it is published")
    retrieved: date | None = Field(None, description="when the source was read")
    has_months: bool = Field(
        True, description="whether its months can be compared; false where a month says only what is left of it"
    )
    shown: bool = Field(True, description="whether views show it; variants are shown on request")
    once: str = Field(
        "",
        description="views show it once a row of its fact meets this condition; `TRUE`: once there is any row. Another "
        "table is named first, and a query always names one: `touches WHERE step = 'restricted'`",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Definition:
        problem = next(_conflicts(self), None)
        if problem:
            raise ValueError(problem)
        return self

    @property
    def name(self) -> str:
        """The metric of which this is the canonical definition or a variant."""
        return self.id.partition("@")[0]

    @property
    def is_variant(self) -> bool:
        """Whether it is a neighbour of a canonical definition."""
        return "@" in self.id

    @property
    def is_part(self) -> bool:
        """Whether the numerator is part of the denominator: the same units, or amounts, under a condition."""
        if self.kind != "ratio" or self.over or self.sql or self.unit not in ("share", "per_thousand"):
            return False
        whole = f"THEN {self.denominator} "
        is_less = whole + "- " in self.numerator and self.numerator.endswith(" END")
        return bool(self.weight) or self.denominator == "1" or self.numerator.endswith(f"{whole}END") or is_less

    @property
    def denominator_units(self) -> Population:
        """The population of the denominator."""
        return self.over or self

    @property
    def digest(self) -> str:
        """SHA-256 of what decides the number; wording, tier, view and bound do not."""
        content = json.dumps(self.model_dump(mode="json", exclude={*WORDS, "id"}), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(content.encode()).hexdigest()


WORDS = frozenset(
    "view also_in tier title question formula direction bound estimand proxy misleads".split()
    + "axis differs source retrieved shown once has_months".split()
)
"""Fields that do not decide the number."""


def _conflicts(it: Definition) -> Iterator[str]:
    """What fits together and what does not."""
    if it.sql:
        yield from _query_conflicts(it)
        return
    for needed in ("fact", "clock"):
        if not getattr(it, needed):
            yield f"`{needed}` is missing"
    if it.kind == "incidence":
        yield from _incidence_conflicts(it)
    elif not it.numerator:
        yield "`numerator` is missing"
    if it.kind in ("ratio", "gap") and not it.denominator:
        yield f"a {it.kind} needs a denominator; 1 divides by the number of units"
    if it.kind in ("sum", "quantile", "incidence") and it.denominator:
        yield f"a {it.kind} has no denominator; delete it"
    if it.over and not it.denominator:
        yield "`over` needs a denominator"
    if it.over and not (it.over.fact and it.over.clock):
        yield "`over` needs a fact and a clock"
    if it.weight and it.denominator not in ("", "1"):
        yield "`weight` stands in for a denominator of 1; write the sum below the line yourself, or 1"
    if (it.kind == "quantile") != (it.quantile is not None):
        yield "`quantile` and kind: quantile need each other"
    if (it.kind == "gap") != bool(it.across):
        yield "`across` and kind: gap need each other"
    if it.kind == "gap" and it.unit != "points":
        yield "a gap is in points"
    if it.across and it.across not in DIMENSIONS:
        yield f"`across` is one of {', '.join(DIMENSIONS)}"
    if it.kind == "stock" and it.matures != "none":
        yield "a stock is taken at the end and does not mature; delete `matures`"
    yield from _wording_conflicts(it)


def _wording_conflicts(it: Definition) -> Iterator[str]:
    if it.bound is not None and it.tier != "risk":
        yield "only a risk metric has a bound"
    if it.bound is not None and it.direction == "neither":
        yield "a bound needs a direction: up or down is better"
    unknown = [axis for axis in it.axis if axis not in AXES]
    if unknown:
        yield f"there is no axis {unknown[0]!r}; there are {', '.join(AXES)}"
    if it.is_variant and not (it.axis and it.differs):
        yield "a variant says its `axis` and how it `differs`"


def _incidence_conflicts(it: Definition) -> Iterator[str]:
    for needed in ("since", "event", "by_age"):
        if not getattr(it, needed):
            yield f"kind: incidence needs `{needed}`"
    if it.numerator:
        yield "an incidence counts by `since` and `event`; delete `numerator`"
    if it.matures != "none":
        yield "an incidence lets units wait and needs no maturity; delete `matures`"


def _query_conflicts(it: Definition) -> Iterator[str]:
    given = [name for name in ("fact", "where", "numerator", "denominator", "clock", "over") if getattr(it, name)]
    if given:
        yield f"`sql` stands instead of `{given[0]}`; keep one of the two"
    if it.kind not in ("ratio", "sum", "stock"):
        yield f"a query gives a ratio, a sum or a stock, no {it.kind}"
    yield from _wording_conflicts(it)
