"""How far each metric moves when an assumption does: the same people with the same luck, seed by seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from billing_sim.calibration.comparing import Estimate
from billing_sim.calibration.fitting.moments import facts_of, value_of
from billing_sim.calibration.fitting.targets import Target
from billing_sim.calibration.sensitivity.levers import Lever
from billing_sim.calibration.worlds import Ground, live, with_seed
from billing_sim.errors import InputError
from billing_sim.metrics.definition import Definition
from billing_sim.scenario.model import Scenario

Report = Callable[[int, int], None]
"""Told worlds done and worlds in all."""


@dataclass(frozen=True)
class Swing:
    """What a metric changes by when a lever is at its low and at its high end, over seeds.

    In percentage points where the metric is a share, else in per cent of its value.
    """

    lever: Lever
    definition: Definition
    low: Estimate | None
    high: Estimate | None

    @property
    def unit(self) -> str:
        """The unit of the change."""
        return unit_of(self.definition)

    @property
    def size(self) -> float:
        """How far apart both ends are; 0 where one is undefined."""
        return abs(self.high.mean - self.low.mean) if self.low and self.high else 0.0


def unit_of(it: Definition) -> str:
    """The unit in which a metric's changes are told."""
    return "pp" if it.unit == "share" else "%"


def swings(
    on: Ground, levers: Sequence[Lever], definitions: Sequence[Definition], seeds: Sequence[int], report: Report
) -> tuple[list[float | None], list[Swing], dict[str, str]]:
    """The base values (means over seeds), every swing, and why a lever does not fit the scenario."""
    targets = [Target(it, {}, 0.0, 1.0) for it in definitions]
    worlds, misfits = _worlds(on, levers)
    total = len(seeds) * len(worlds)
    readings = {name: np.full((len(seeds), len(targets)), np.nan) for name in worlds}
    for place, seed in enumerate(seeds):
        for number, (name, scenario) in enumerate(worlds.items()):
            report(place * len(worlds) + number, total)
            lived = live(with_seed(scenario, seed), facts=facts_of(targets))
            found = [value_of(lived, it) for it in targets]
            readings[name][place] = [math.nan if value is None else value for value in found]
    report(total, total)
    base = readings["base"]
    found_swings = [
        Swing(lever, it, *(_change(readings[f"{end} {lever.name}"][:, i], base[:, i], it) for end in ("low", "high")))
        for lever in levers
        if lever.name not in misfits
        for i, it in enumerate(definitions)
    ]
    return [_mean(base[:, i]) for i in range(len(targets))], found_swings, misfits


def _worlds(on: Ground, levers: Sequence[Lever]) -> tuple[dict[str, Scenario], dict[str, str]]:
    """The scenario of each world, the base first, and why a lever does not fit."""
    worlds = {"base": on.scenario()}
    misfits: dict[str, str] = {}
    for lever in levers:
        try:
            ends = {
                f"low {lever.name}": on.scenario(lever.lowered(on)),
                f"high {lever.name}": on.scenario(lever.raised(on)),
            }
        except InputError as error:
            misfits[lever.name] = error.problems[0].what
        else:
            worlds |= ends
    return worlds, misfits


def _change(there: np.ndarray, base: np.ndarray, it: Definition) -> Estimate | None:
    changes = 100 * ((there - base) if it.unit == "share" else (there / base - 1))
    known = changes[np.isfinite(changes)]
    return Estimate(tuple(map(float, known))) if len(known) else None


def _mean(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
