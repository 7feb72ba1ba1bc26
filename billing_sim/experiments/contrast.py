"""One metric in two arms: both values, their difference, and how far luck alone could have gone.

Arms are different people, and every group of the jackknife holds some of each: leaving a group out of both at once
gives the error of the difference, whatever the metric is. Where all units of a share are alike in both arms, nothing
moves then, however few they are: the interval is made of those of the arms, and the p is that of two pooled shares.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from billing_sim.errors import QueryError
from billing_sim.experiments.sample import ENROLMENTS, Sample
from billing_sim.metrics.definition import Definition, Population
from billing_sim.metrics.engine import Question, dimensions
from billing_sim.metrics.frame import Frame
from billing_sim.metrics.jackknife import half_width, standard_error
from billing_sim.metrics.result import Figure
from billing_sim.stress.student import tail

ARM = "arm"


@dataclass(frozen=True)
class Contrast:
    """A metric in the arm `name` against the arm `base`."""

    definition: Definition
    base: str
    name: str
    before: Figure
    after: Figure

    @property
    def value(self) -> float | None:
        """The difference in the metric's unit; None where either is undefined."""
        if self.before.value is None or self.after.value is None:
            return None
        return float(self.after.value) - float(self.before.value)

    @property
    def error(self) -> float | None:
        """Its standard error; None where leaving out a group leaves nothing."""
        if self.before.replicates is None or self.after.replicates is None:
            return None
        return standard_error(self.after.replicates - self.before.replicates)

    @property
    def half(self) -> float | None:
        """Half of the 95 % interval."""
        return None if self.error is None else half_width(self.error, self.groups)

    @property
    def groups(self) -> int:
        """How many groups of people carry the difference: those of the arm with fewer, so it never looks too sure."""
        return min(self.before.groups, self.after.groups)

    @property
    def is_uniform(self) -> bool:
        """Whether in either arm all are alike, as when all have paid: then leaving people out tells nothing of luck."""
        return self.error == 0 and self.definition.is_part

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval; where all are alike that of Newcombe (1998, method 10), from both arms' own intervals."""
        if self.value is None or self.half is None:
            return None
        theirs, own = self.before.sides, self.after.sides
        if not self.is_uniform or theirs is None or own is None:
            return self.value - self.half, self.value + self.half
        (below, above), (own_below, own_above) = theirs, own
        return self.value - math.hypot(own_below, above), self.value + math.hypot(own_above, below)

    @property
    def p(self) -> float | None:
        """How often luck alone gives a difference of this size or more, either way (Student's t)."""
        if self.value is None or self.error is None:
            return None
        error = self._pooled if self.is_uniform else self.error
        if error == 0:
            return float(self.value == 0)
        return 2 * tail(abs(self.value) / error, self.groups - 1)

    @property
    def _pooled(self) -> float:
        """The error that the difference would have if the units of both arms were one lot."""
        units, scale = (self.before.units, self.after.units), self.definition.scale
        shares = [float(it.value or 0) / scale for it in (self.before, self.after)]
        share = sum(each * count for each, count in zip(shares, units, strict=True)) / sum(units)
        return scale * math.sqrt(share * (1 - share) * sum(1 / count for count in units))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        low, high = self.interval or (None, None)
        return {
            "arm": self.name,
            "against": self.base,
            "difference": self.value,
            "low": low,
            "high": high,
            "standard_error": None if self.is_uniform else self.error,
            "p": self.p,
        }


def comparable(definition: Definition) -> Definition:
    """The metric in a form that arms of different size can be compared in: a sum becomes one per person enrolled.

    QueryError for a query, a stock and a metric that does not know arms.
    """
    if definition.sql or definition.kind in ("stock", "gap"):
        what = "a query" if definition.sql else f"a {definition.kind}"
        raise QueryError(f"{definition.id} is {what}, which cannot be compared between arms. Name a ratio or a sum.")
    if definition.kind == "sum":
        everybody = Population(fact=ENROLMENTS, where="", exclude=(), clock="enrolled_at", matures="none")
        differs = {
            "kind": "ratio", "denominator": "1", "over": everybody, "id": id_per_enrolled(definition.id),
            "axis": ("units",), "differs": "per person enrolled", "title": f"{definition.title} per person enrolled",
        }  # fmt: skip
        return definition.model_copy(update=differs)
    if ARM not in dimensions(definition):
        raise QueryError(f"{definition.id} cannot be split by arm.")
    return definition


def id_per_enrolled(of: str) -> str:
    """What a sum is called as one per person enrolled; each variant of it has a name of its own."""
    return f"{of}{'_' if '@' in of else '@'}per_enrolled"


def figures(sample: Sample, definitions: Iterable[Definition], frame: Frame) -> dict[str, dict[str, Figure]]:
    """By metric and arm, the values; an arm without units is left out."""
    results = Question(tuple(definitions), (ARM,), frame).answer(sample.source)
    return {it.id: {part.dims[ARM]: part for part in it.slices} for it in results}


NOTHING = Figure(None, 0, 0, 0, reason="nobody is in this arm yet")


def contrast(definition: Definition, found: dict[str, Figure], base: str, name: str) -> Contrast:
    """One arm against another."""
    return Contrast(definition, base, name, found.get(base, NOTHING), found.get(name, NOTHING))
