"""Simulated against published: over several seeds, the mean of each row with its interval, and how far it lies off.

An instrument prints its own error: here it is the root mean square of the distances, each in tolerances of its row,
once over the rows that parameters were fitted to and once over those that were only checked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from billing_sim.calibration.measures import MEASURES, needs
from billing_sim.calibration.published import MAIN, STATUSES, Row, Status
from billing_sim.calibration.special import change_of
from billing_sim.calibration.worlds import Ground, Lived, live, with_seed
from billing_sim.errors import InputError
from billing_sim.scenario.model import Scenario
from billing_sim.stress.student import quantile

CONFIDENCE = 0.95
Verdict = Literal["near", "far", "unclear", "near?", "far?"]
VERDICTS: dict[Verdict, str] = {
    "near": "the whole interval lies within one tolerance",
    "far": "the whole interval lies beyond it",
    "unclear": "the interval has both",
}
OF_ONE: dict[Verdict, str] = {
    "near?": "one world without an interval lies within one tolerance",
    "far?": "one world without an interval lies beyond it",
}
"""What is said instead with one seed, which cannot tell luck from a difference."""

Report: TypeAlias = Callable[[int, int], None]
"""Told worlds done and worlds in all."""


@dataclass(frozen=True)
class Estimate:
    """The mean over seeds with its 95 % interval of Student's t; with one seed there is no interval."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean."""
        return float(np.mean(self.values))

    @property
    def half_width(self) -> float:
        """Half of the interval; infinite with one seed."""
        n = len(self.values)
        if n < 2:
            return math.inf
        return float(np.std(self.values, ddof=1)) / math.sqrt(n) * quantile((1 + CONFIDENCE) / 2, n - 1)

    @property
    def low(self) -> float:
        """The low end of the interval."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """The high end of the interval."""
        return self.mean + self.half_width


@dataclass(frozen=True)
class Compared:
    """One row, what was simulated, in its unit, or why there is nothing to compare."""

    row: Row
    estimate: Estimate | None
    reason: str = ""

    @property
    def distance(self) -> float:
        """How many tolerances the mean lies above the figure; NaN where nothing could be compared."""
        return self.row.distance(self.estimate.mean) if self.estimate else math.nan

    @property
    def verdict(self) -> Verdict | None:
        """Whether it is within a tolerance, as far as the interval tells; a guess where one seed has none."""
        if self.estimate is None:
            return None
        if not math.isfinite(self.estimate.half_width):
            return "near?" if abs(self.distance) <= 1 else "far?"
        ends = (self.estimate.low, self.estimate.high)
        near = [abs(self.row.distance(end)) <= 1 for end in ends]
        if all(near):
            return "near"
        # Ends on both sides of the figure have it between them.
        sides = {self.row.distance(end) > 0 for end in ends}
        return "unclear" if any(near) or len(sides) > 1 else "far"

    @property
    def is_beyond_a_share(self) -> bool:
        """Whether the interval of a percentage reaches below 0 or above 100 while all of its values lie between."""
        it = self.estimate
        if it is None or self.row.unit != "%" or self.row.target > 100 or not math.isfinite(it.half_width):
            return False
        return all(0 <= value <= 100 for value in it.values) and (it.low < 0 or it.high > 100)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        it, row = self.estimate, self.row
        known = it is not None and math.isfinite(it.half_width)
        return {
            "id": row.id, "section": row.section, "what": row.what, "source": row.source, "unit": row.unit,
            "published": row.shown, "tolerance": row.margin, "simulated": it.mean if it else None,
            "low": it.low if it and known else None, "high": it.high if it and known else None,
            "distance": None if it is None else self.distance, "verdict": self.verdict, "status": row.status,
            "moved": ", ".join(row.moved), "world": row.world, "counts": row.counts, "differs": row.differs,
            "reason": self.reason,
        }  # fmt: skip


def normalised_error(compared: Iterable[Compared], status: Status) -> float:
    """Root mean square of (simulated - published) / tolerance over the compared rows of a status; NaN without any.

    1 says that figures are missed by a tolerance each. A row beyond a one-sided bound, on its right side, adds 0.
    """
    squares = [it.distance**2 for it in compared if it.row.status == status and it.estimate is not None]
    return math.sqrt(sum(squares) / len(squares)) if squares else math.nan


def errors(compared: Sequence[Compared]) -> dict[Status, float]:
    """The normalised error of each status."""
    return {status: normalised_error(compared, status) for status in STATUSES}


def compare(rows: Sequence[Row], on: Ground, seeds: Sequence[int], report: Report | None = None) -> list[Compared]:
    """Live every world that the rows need with every seed, and set what comes out against the figures.

    A row about a region, market, plan or method that the scenario lacks is not compared, and says why.
    """
    scenario = on.scenario()
    reasons = {row.id: needs(scenario, row.of.get("region", ""), row.of.get("market", "")) for row in rows}
    asked = [row for row in rows if not reasons[row.id]]
    worlds, refused = _changed(asked, on)
    reasons |= {row.id: refused[name] for row in asked for name in (row.world, row.beside) if name in refused}
    asked = [row for row in asked if not reasons[row.id]]
    values: dict[str, list[float | None]] = {row.id: [] for row in asked}
    needed = [name for name in worlds if any(name in (row.world, row.beside) for row in asked)]
    for place, seed in enumerate(seeds):
        found: dict[tuple[str, str], float | None] = {}
        for number, name in enumerate(needed):
            if report:
                report(place * len(needed) + number, len(seeds) * len(needed))
            lived = live(with_seed(worlds[name], seed), truth=name == MAIN)
            found |= {(row.id, name): _measured(row, lived) for row in asked if name in (row.world, row.beside)}
        for row in asked:
            values[row.id].append(_difference(row, found))
    if report:
        report(len(seeds) * len(needed), len(seeds) * len(needed))
    return [_compared(row, values.get(row.id, []), reasons[row.id]) for row in rows]


def _changed(rows: Sequence[Row], on: Ground) -> tuple[dict[str, Scenario], dict[str, str]]:
    """The scenario of each world, and why a world does not fit."""
    worlds: dict[str, Scenario] = {}
    refused: dict[str, str] = {}
    for name in dict.fromkeys(name for row in rows for name in (row.world, row.beside) if name):
        try:
            worlds[name] = on.scenario(change_of(name, on))
        except InputError as error:
            refused[name] = f"the scenario does not fit: {error.problems[0].what}"
    return worlds, refused


def _measured(row: Row, lived: Lived) -> float | None:
    value = MEASURES[row.measure](lived, **row.of)
    return None if value is None else value * row.scale


def _difference(row: Row, found: dict[tuple[str, str], float | None]) -> float | None:
    value = found[row.id, row.world]
    if not row.beside or value is None:
        return value
    other = found[row.id, row.beside]
    return None if other is None else value - other


def _compared(row: Row, values: Sequence[float | None], reason: str) -> Compared:
    known = tuple(value for value in values if value is not None and math.isfinite(value))
    if reason or not known:
        return Compared(row, None, reason or "nothing of the kind happened")
    return Compared(row, Estimate(known), "")
