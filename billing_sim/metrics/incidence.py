"""How long until it happens, when some are still waiting and for others it can no longer happen.

Cumulative incidence by Aalen and Johansen (1978): on each day, those still waiting are at risk, an event adds to the
incidence, a competing event only takes people out. Taking losses for censoring instead (Kaplan and Meier, 1958) answers
another question, as if the lost might still come. Everything is computed from counts by age, so it merges exactly.
"""

from __future__ import annotations

import numpy as np

from billing_sim import clock
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.jackknife import with_interval
from billing_sim.metrics.measures import AGES
from billing_sim.metrics.result import Figure
from billing_sim.metrics.tally import Counts

_EVENT, _COMPETING = 1, 2


def figure(it: Definition, cells: Counts, units: np.ndarray, immature: int) -> Figure:
    """The incidence by the age `by_age`; the curve holds it for every day up to then, day 0 first."""
    days = clock.parse_duration(it.by_age) // clock.DAY
    among = int(units.sum())
    if among == 0:
        return Figure(None, 0, 0, immature, "nothing to divide by")
    total = cells.counts.sum(axis=1, keepdims=True)
    curve = _curves(it.estimator, cells.values, total, days)[:, 0]
    outcome, _, leaves = _read(cells.values)
    happened = int(total[(outcome == _EVENT) & (leaves <= days)].sum())
    if np.isnan(curve[-1]):
        return Figure(None, happened, among, immature, f"nobody is watched until the age of {it.by_age}", units=among)
    made = Figure(
        float(curve[-1]) * it.scale, happened, among, 0, units=among, curve=tuple(map(float, curve)),
    )  # fmt: skip
    replicates = _curves(it.estimator, cells.values, total - cells.counts, days)[-1] * it.scale
    return with_interval(made, replicates, int(np.count_nonzero(units)))


def by_group(it: Definition, cells: Counts) -> np.ndarray:
    """float64[64]: the incidence of each group alone; NaN where nobody is watched until the age `by_age`."""
    days = clock.parse_duration(it.by_age) // clock.DAY
    return _curves(it.estimator, cells.values, cells.counts, days)[-1] * it.scale


def _read(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcome, day of entry and day of exit."""
    return cells // (AGES * AGES), cells // AGES % AGES, cells % AGES


def _curves(estimator: str, cells: np.ndarray, counts: np.ndarray, days: int) -> np.ndarray:
    """float64[days + 1, columns of counts]: the incidence by each day; NaN from where nobody is at risk any more."""
    outcome, enters, leaves = _read(cells)
    watched = (leaves > enters) | (enters == 0)
    if estimator == "closed":
        watched &= outcome != 0
    survival = np.ones(counts.shape[1])
    reached = np.zeros(counts.shape[1])
    curve = np.empty((days + 1, counts.shape[1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        for day in range(days + 1):
            at_risk = counts[watched & ((enters < day) | (enters == 0)) & (leaves >= day)].sum(axis=0)
            now = watched & (leaves == day)
            events = counts[now & (outcome == _EVENT)].sum(axis=0)
            lost = counts[now & (outcome == _COMPETING)].sum(axis=0)
            reached = reached + np.where(survival > 0, survival * events / at_risk, 0.0)
            leaving = events if estimator == "kaplan_meier" else events + lost
            survival = np.where(survival > 0, survival * (1 - leaving / at_risk), 0.0)
            curve[day] = reached
    return curve
