"""The fit: least squares within bounds, the residuals in tolerances, the parameters in widths of their bounds.

What a few thousand members do is a stair, not a slope: lives change one by one. Steps are wide beside its stairs, and
where least squares gives up before the targets are met, a search from wide to narrow steps goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from billing_sim.calibration.fitting.moments import Moments

STEP = 0.08
"""The half step of the derivatives while fitting, in widths of the bounds.

So large that a step moves more lives than luck does, so small that curves are still straight (judgement)."""

WIDE_STEP = 0.15
"""The half step, in widths of the bounds, by which the derivatives at the optimum are taken."""

SEARCHED = (0.25, 0.12, 0.06, 0.03, 0.015, 0.0075)
"""Steps of the search, in widths of the bounds, which are also the least that are tried."""

NEAR = 1.0
"""Tolerances within which a target counts as met, so that nothing is searched for."""

Residuals = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Optimum:
    """Where the fit ended: values, float64[P], after so many rounds, and why it stopped."""

    values: np.ndarray
    rounds: int
    why: str


def fit(moments: Moments, rounds: int) -> Optimum:
    """Minimise the sum of squared distances from the targets, each in tolerances, in at most so many rounds.

    Where a target is missed afterwards, a search may take as many rounds again.
    """
    from scipy.optimize import least_squares

    parameters = moments.parameters
    wanted = np.array([it.value for it in moments.targets])
    tolerances = np.array([it.tolerance for it in moments.targets])

    def residuals(units: np.ndarray) -> np.ndarray:
        return (moments(_values(moments, units)) - wanted) / tolerances

    def jacobian(units: np.ndarray) -> np.ndarray:
        return _slopes(residuals, units)

    start = np.array([np.clip(it.unit(it.start), 1e-3, 1 - 1e-3) for it in parameters])
    found = least_squares(residuals, start, jac=jacobian, bounds=(0.0, 1.0), max_nfev=rounds, xtol=1e-3, ftol=1e-3)
    units, taken, gave_up = found.x, int(found.nfev), found.status > 0
    if np.max(np.abs(residuals(units))) > NEAR:
        units, more, gave_up = _search(residuals, units, rounds)
        taken += more
    return Optimum(_values(moments, units), taken, "no further step helped" if gave_up else "the rounds were used up")


def _slopes(residuals: Residuals, units: np.ndarray) -> np.ndarray:
    """float64[T, P]: the residuals' slopes, by steps to both sides as bounds allow."""
    columns = []
    for place, unit in enumerate(units):
        low, high = units.copy(), units.copy()
        low[place], high[place] = max(unit - STEP, 0.0), min(unit + STEP, 1.0)
        columns.append((residuals(high) - residuals(low)) / (high[place] - low[place]))
    return np.column_stack(columns)


def _search(residuals: Residuals, units: np.ndarray, rounds: int) -> tuple[np.ndarray, int, bool]:
    """Go on from a place by steps of single parameters, wide ones first, each taken while it helps.

    Returned are the place, the rounds taken, each through all parameters, and whether no further step helped.
    """
    missed = _squares(residuals, units)
    steps, taken = list(SEARCHED), 0
    while steps and taken < rounds:
        taken += 1
        nearest, least = units, missed
        for place in range(len(units)):
            for step in (steps[0], -steps[0]):
                there = nearest.copy()
                there[place] = np.clip(there[place] + step, 0.0, 1.0)
                if (squares := _squares(residuals, there)) < least:
                    nearest, least = there, squares
                    break
        if least < missed:
            units, missed = nearest, least
        else:
            steps.pop(0)
        if np.max(np.abs(residuals(units))) <= NEAR / 2:
            return units, taken, True
    return units, taken, not steps


def _squares(residuals: Residuals, units: np.ndarray) -> float:
    return float(np.sum(residuals(units) ** 2))


def _values(moments: Moments, units: np.ndarray) -> np.ndarray:
    return np.array([it.value(float(unit)) for it, unit in zip(moments.parameters, units, strict=True)])


def jacobians(moments: Moments, values: np.ndarray) -> np.ndarray:
    """float64[S, T, P]: per seed, tolerances per width of the bounds, by wide steps to both sides as bounds allow."""
    tolerances = np.array([it.tolerance for it in moments.targets])
    columns = []
    for place, it in enumerate(moments.parameters):
        unit = it.unit(values[place])
        low, high = max(unit - WIDE_STEP, 0.0), min(unit + WIDE_STEP, 1.0)
        sides = []
        for end in (low, high):
            there = values.copy()
            there[place] = it.value(end)
            sides.append(moments.by_seed(there))
        columns.append((sides[1] - sides[0]) / (high - low) / tolerances)
    return np.stack(columns, axis=2)
