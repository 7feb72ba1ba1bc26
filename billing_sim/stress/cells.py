"""One definition in one case: its changes against the changes of what it claims to measure, and the verdict on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from billing_sim.metrics.definition import Definition
from billing_sim.stress.case import Case
from billing_sim.stress.changes import Changes, relative
from billing_sim.stress.readings import Readings
from billing_sim.stress.verdicts import Verdict, judge, with_complete
from billing_sim.truth.estimands import Estimand, estimands

WIDEST_MARGIN = 0.25
"""A proxy that moves by more than a quarter has moved, however little its estimand's margin says. Judgement."""

RAREST = 0.001
"""A share of less than one in a thousand counts as one in a thousand when margins are measured by it. Judgement."""


def proxy_margin(definition: Definition, levels: np.ndarray, estimand: Estimand, truths: np.ndarray) -> float:
    """The change of a proxy that is too small to matter: as large a part of it as the estimand's margin is of that.

    A share is measured by its rarer side: half a point of 99 % is half of what is wrong. For a share the margin is
    absolute, for anything else relative. `levels` and `truths` are those without any case.
    """
    level, truth = _level(levels), _level(truths)
    whole = _rarer(truth) if estimand.unit == "share" else truth
    part = estimand.margin if estimand.relative else estimand.margin / whole if whole else WIDEST_MARGIN
    part = min(part, WIDEST_MARGIN)
    return part * _rarer(level) if definition.unit == "share" else part


def _rarer(share: float) -> float:
    return max(min(share, 1 - share), RAREST)


def _level(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return abs(float(known.mean())) if len(known) else 0.0


@dataclass(frozen=True)
class Split:
    """The error of a reading against the truth, in its unit: the three parts add up to it exactly.

    `reading - truth` = `censoring` (what is not known yet) + `sampling` (the luck of this seed) + `definition` (what is
    left with complete data and no luck). The truth is the estimand's mean over the seeds.
    """

    censoring: float
    sampling: float
    definition: float

    @property
    def error(self) -> float:
        """The whole error."""
        return self.censoring + self.sampling + self.definition


@dataclass(frozen=True)
class Cell:
    """One definition in one case, with everything that its verdict comes from."""

    definition: Definition
    case: Case
    base: Readings
    world: Readings

    @property
    def estimand(self) -> Estimand:
        """What the definition claims to measure."""
        return estimands()[self.definition.estimand]

    @property
    def is_same_unit(self) -> bool:
        """Whether changes of metric and truth can be compared in size."""
        return self.definition.unit == self.estimand.unit and not self.definition.proxy

    @property
    def is_absolute(self) -> bool:
        """Whether changes of the metric are in its own unit, not shares of its level."""
        return self.is_same_unit or self.definition.unit == "share"

    @cached_property
    def changes(self) -> Changes:
        """What was read in this case less what is read without it; without injection, less the complete data."""
        without = self.base.reading if self._injects else self.world.complete
        return self._changes(self.world.reading[self.definition.id], without[self.definition.id])

    @cached_property
    def complete_changes(self) -> Changes | None:
        """The same with derived maturity and complete data; None where nobody needed them."""
        name = self.definition.id
        if name not in self.world.complete or name not in self.base.complete:
            return None
        return self._changes(self.world.complete[name], (self.base if self._injects else self.world).complete[name])

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict on this cell alone."""
        found = judge(self.changes)
        later = self.complete_changes if found.is_adverse else None
        return found if later is None else with_complete(found, later)

    @cached_property
    def split(self) -> Split | None:
        """The error of the first seed's reading in this case, in three parts; None for a proxy or an undefined one."""
        if not self.is_same_unit or self.definition.id not in self.world.complete:
            return None
        read, complete = (found[self.definition.id] for found in (self.world.reading, self.world.complete))
        truth = self.world.truth[self.estimand.name]
        if not (np.isfinite(read[0]) and np.isfinite(complete).all() and np.isfinite(truth).all()):
            return None
        expected = float(complete.mean())
        return Split(float(read[0] - complete[0]), float(complete[0] - expected), expected - float(truth.mean()))

    @property
    def _injects(self) -> bool:
        return self.case.changes_world or self.case.damages_log

    def _changes(self, with_case: np.ndarray, without: np.ndarray) -> Changes:
        metric = (with_case - without) * _sign(self.definition)
        truth = self._truth()
        margin = self.estimand.margin
        if self.estimand.relative:
            margin *= _level(self.base.truth[self.estimand.name])
        if self.is_same_unit:
            return Changes(metric, truth, margin, margin)
        levels, truths = self.base.reading[self.definition.id], self.base.truth[self.estimand.name]
        own = proxy_margin(self.definition, levels, self.estimand, truths)
        told = metric if self.is_absolute else relative(metric, without)
        return Changes(told, truth, own, margin, is_same_unit=False)

    def _truth(self) -> np.ndarray:
        """Exactly 0 where nothing but the log was damaged, except for what is about the log itself."""
        name = self.estimand.name
        if not self.case.changes_world and self.estimand.worlds != "log":
            return np.zeros_like(self.base.truth[name])
        return (self.world.truth[name] - self.base.truth[name]) * self.estimand.sign


def _sign(it: Definition) -> int:
    return -1 if it.direction == "down" else 1


def as_dict(cell: Cell, verdict: Verdict) -> dict[str, Any]:
    """A cell for JSON: the verdict as printed, and how the error of a reading splits."""
    split = cell.split
    parts = None if split is None else {"censoring": split.censoring, "sampling": split.sampling,
                                        "definition": split.definition, "error": split.error}  # fmt: skip
    return {**verdict.as_dict(), "estimand": cell.estimand.name, "same_unit": cell.is_same_unit, "split": parts}
