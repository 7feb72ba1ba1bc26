"""The difference of one metric between two sides, and how far luck alone could have moved it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from billing_sim.comparison.sides import MONTH, Pair, Side
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import Question, dimensions
from billing_sim.metrics.jackknife import half_width, standard_error
from billing_sim.metrics.result import Figure, Result

Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """One metric on both sides, in all or in the part that `dims` names.

    `paired` is the standard error that uses that the people are the same, `unpaired` the one of two independent
    samples; each is None where it cannot be told. `standard_error` is the one that holds here.
    """

    definition: Definition
    before: Figure
    after: Figure
    is_paired: bool
    dims: dict[str, str] = field(default_factory=dict)

    @property
    def value(self) -> float | None:
        """B - A in the metric's unit; None where either is undefined."""
        if self.before.value is None or self.after.value is None:
            return None
        return float(self.after.value) - float(self.before.value)

    @property
    def paired(self) -> float | None:
        """From the differences of the replicates: both sides leave out the same group of people at a time."""
        if not self.is_paired or self.before.replicates is None or self.after.replicates is None:
            return None
        return standard_error(self.after.replicates - self.before.replicates)

    @property
    def unpaired(self) -> float | None:
        """The root of the sum of both variances."""
        if self.before.standard_error is None or self.after.standard_error is None:
            return None
        return math.hypot(self.before.standard_error, self.after.standard_error)

    @property
    def standard_error(self) -> float | None:
        """The paired one for the same people, else the unpaired one."""
        return self.paired if self.is_paired else self.unpaired

    @property
    def half(self) -> float | None:
        """Half of the 95 % interval."""
        return None if self.standard_error is None else half_width(self.standard_error, self.groups)

    @property
    def unpaired_half(self) -> float | None:
        """Half of the interval of two independent samples."""
        return None if self.unpaired is None else half_width(self.unpaired, self._fewer_groups)

    @property
    def groups(self) -> int:
        """How many groups of people carry the difference: for the same people those of the side that has more.

        Of two samples those of the side with fewer, which never makes the interval too narrow.
        """
        return max(self.before.groups, self.after.groups) if self.is_paired else self._fewer_groups

    @property
    def _fewer_groups(self) -> int:
        return min(self.before.groups, self.after.groups)

    @property
    def saved(self) -> float | None:
        """The share of the variance that pairing saves: 1 - var(paired) / (var(A) + var(B))."""
        if self.paired is None or not self.unpaired:
            return None
        return 1 - (self.paired / self.unpaired) ** 2

    @property
    def is_beyond(self) -> bool:
        """Whether the 95 % interval leaves out 0."""
        return bool(self.value) and self.half is not None and abs(self.value or 0) > self.half

    @property
    def verdict(self) -> str:
        """B against A: better, worse or other (where no way is better) beyond noise; same, or nothing to tell."""
        if self.value is None or self.standard_error is None:
            return ""
        if not self.is_beyond:
            return "same"
        way = {"up": 1, "down": -1, "neither": 0}[self.definition.direction] * self.value
        return "better" if way > 0 else "worse" if way < 0 else "other"

    @property
    def reason(self) -> str:
        """Why there is no difference to tell; empty when there is one."""
        found = {self.before.reason, self.after.reason} - {""}
        return "; ".join(sorted(found))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, CSV and DataFrames."""
        half = self.half
        known = self.value is not None and half is not None
        return {
            "view": self.definition.view,
            "metric": self.definition.id,
            **({"dims": self.dims} if self.dims else {}),
            "a": self.before.value,
            "b": self.after.value,
            "difference": self.value,
            "low": self.value - half if known else None,  # type: ignore[operator]
            "high": self.value + half if known else None,  # type: ignore[operator]
            "standard_error": self.standard_error,
            "unpaired_standard_error": self.unpaired,
            "variance_saved": self.saved,
            "verdict": self.verdict or None,
            "reason": self.reason or None,
            "unit": self.definition.unit,
            "direction": self.definition.direction,
            "definition": self.definition.digest,
        }


def differences(pair: Pair, definitions: Sequence[Definition], by: Sequence[str] = ()) -> list[Difference]:
    """Of every metric in all, then of its parts by the dimensions, where its fact has them all."""
    found = [*_differences(pair, definitions, ())]
    if not by:
        return found
    able = [it for it in definitions if set(by) <= set(dimensions(it))]
    parts: dict[str, list[Difference]] = {}
    for it in _differences(pair, able, by):
        parts.setdefault(it.definition.id, []).append(it)
    return [it for whole in found for it in (whole, *parts.get(whole.definition.id, []))]


def _differences(pair: Pair, definitions: Sequence[Definition], by: Sequence[str]) -> Iterator[Difference]:
    sides = [answers(side, definitions, by) for side in (pair.before, pair.after)]
    for it in definitions:
        before, after = (side.get(it.id, {}) for side in sides)
        for key in sorted({*before, *after}) or [()]:
            figures = [side.get(key) or _absent() for side in (before, after)]
            yield Difference(it, figures[0], figures[1], pair.is_paired, dict(zip(by, key, strict=False)))


def _absent() -> Figure:
    return Figure(None, 0, 0, 0, "nothing to divide by")


def answers(side: Side, definitions: Sequence[Definition], by: Sequence[str]) -> dict[str, dict[Key, Figure]]:
    """By metric and part: what one side says, the whole under the empty key."""
    split = (*by, MONTH) if side.month and MONTH not in by else tuple(by)
    results = Question(tuple(definitions), split, side.frame).answer(side.facts)
    return {it.id: _figures(it, side, by) for it in results}


def _figures(result: Result, side: Side, by: Sequence[str]) -> dict[Key, Figure]:
    if not by and not side.month:
        return {(): result}
    own = [part for part in result.slices if not side.month or part.dims.get(MONTH) == side.month]
    return {tuple(part.dims[name] for name in by): part for part in own}
