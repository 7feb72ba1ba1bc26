"""What a metric says: a value with everything needed to check it, in all and in parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from billing_sim.metrics.definition import Definition


@dataclass(frozen=True)
class Figure:
    """One number. `value` is None when undefined, and then `reason` says why.

    `numerator` and `denominator` are exact integer sums (money in millionths of the reporting currency); `value` is
    their quotient in the metric's unit, money in whole currency units. Sums and stocks have the denominator 1. For a
    quantile they are the units at or below the value, and all units; for an incidence those to whom it has happened,
    and all units; for a gap those of the lowest part.

    `units` counts whom the number is about, `immature` those whose outcome may still change. `standard_error` and the
    interval from `low` to `high` (95 %) come from leaving out each of 64 groups of subscribers; they are None where
    fewer than two groups have units. `groups` counts those that have, and `replicates` holds the 64 values with one
    group left out, NaN where undefined.
    """

    value: float | int | None
    numerator: int
    denominator: int
    immature: int
    reason: str = ""
    note: str = ""
    units: int = 0
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None
    replicates: np.ndarray | None = field(default=None, repr=False, compare=False)
    curve: tuple[float, ...] = ()
    groups: int = field(default=0, repr=False, compare=False)

    @property
    def coverage(self) -> float | None:
        """The share of the units whose outcome is final; None when there are none."""
        known = self.units + self.immature
        return self.units / known if known else None

    @property
    def reach(self) -> float | None:
        """How far the farther end of the interval lies from the value; None where there is none."""
        sides = self.sides
        return None if sides is None else max(sides)

    @property
    def sides(self) -> tuple[float, float] | None:
        """How far the interval reaches below the value and above it; None where there is none."""
        if self.value is None or self.low is None or self.high is None:
            return None
        return max(float(self.value) - self.low, 0.0), max(self.high - float(self.value), 0.0)


@dataclass(frozen=True)
class Slice(Figure):
    """The same for a part of the units; a month is `partial` when it is not over or some of its units are immature."""

    dims: dict[str, str] = field(default_factory=dict)
    partial: bool = False


@dataclass(frozen=True)
class Result(Figure):
    """A metric's value in all, its slices when any were asked for, and its definition."""

    definition: Definition = field(kw_only=True)
    currency: str = ""
    slices: tuple[Slice, ...] = ()
    months: tuple[Slice, ...] = ()
    as_of: str = ""
    data: str = ""

    @property
    def id(self) -> str:
        """The metric's id."""
        return self.definition.id

    @property
    def crossed(self) -> bool | None:
        """Whether a risk metric is beyond its bound; None without a bound or a value."""
        bound = self.definition.bound
        if bound is None or self.value is None:
            return None
        return self.value > bound if self.definition.direction == "down" else self.value < bound

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: what readers need first, then what they need to check it."""
        it = self.definition
        content: dict[str, Any] = plain(self) | {
            "tier": it.tier,
            "unit": it.unit,
            "currency": self.currency or None,
            "title": it.title,
            "question": it.question,
            "formula": it.formula,
            "direction": it.direction,
            "bound": float(it.bound) if it.bound is not None else None,
            "crossed": self.crossed,
            "estimand": it.estimand,
            "misleads": it.misleads,
            "as_of": self.as_of or None,
            "definition": it.digest,
            "data": self.data or None,
        }
        if self.curve:
            content["curve"] = list(self.curve)
        if self.slices:
            content["slices"] = [{"dims": part.dims, **plain(part), "partial": part.partial} for part in self.slices]
        return content


def plain(figure: Figure) -> dict[str, Any]:
    """A figure for JSON."""
    return {
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "standard_error": figure.standard_error,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "units": figure.units,
        "immature": figure.immature,
        "coverage": figure.coverage,
        "reason": figure.reason or None,
        "note": figure.note.replace("\n", ", ") or None,
    }
