"""What a metric says: a value with everything needed to check it, in all and in parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from billing_sim.metrics.definition import Definition


@dataclass(frozen=True)
class Figure:
    """One number. `value` is None when undefined, and then `reason` says why.

    `numerator` and `denominator` are exact integer sums (money in millionths of the reporting currency); `value` is
    their quotient in the metric's unit, money in whole currency units. Sums and stocks have the denominator 1. For a
    quantile they are the units at or below the value, and all units. For a gap they are those of the lowest part.
    """

    value: float | int | None
    numerator: int
    denominator: int
    immature: int
    reason: str = ""
    note: str = ""


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
        content: dict[str, Any] = _plain(self) | {
            "tier": it.tier,
            "unit": it.unit,
            "currency": self.currency or None,
            "title": it.title,
            "question": it.question,
            "formula": it.formula,
            "direction": it.direction,
            "bound": float(it.bound) if it.bound is not None else None,
            "crossed": self.crossed,
            "misleads": it.misleads,
            "definition": it.digest,
        }
        if self.slices:
            content["slices"] = [{"dims": part.dims, **_plain(part), "partial": part.partial} for part in self.slices]
        return content


def _plain(figure: Figure) -> dict[str, Any]:
    return {
        "value": figure.value,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "immature": figure.immature,
        "reason": figure.reason or None,
        "note": figure.note.replace("\n", ", ") or None,
    }
