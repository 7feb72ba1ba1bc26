"""The fit: least squares within bounds, the residuals in tolerances, the parameters in widths of their bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from billing_sim.calibration.fitting.moments import Moments

STEP = 0.04
"""Steps of the derivatives while fitting: a share of the value, and at least half of that share of the bounds' width.

So large that a step moves more lives than luck does, so small that curves are still straight (judgement)."""

WIDE_STEP = 0.15
"""The half step, in widths of the bounds, by which the derivatives at the optimum are taken."""


@dataclass(frozen=True)
class Optimum:
    """Where the fit ended: values, float64[P], after so many rounds, and why it stopped."""

    values: np.ndarray
    rounds: int
    why: str


def fit(moments: Moments, rounds: int) -> Optimum:
    """Minimise the sum of squared distances from the targets, each in tolerances, in at most so many rounds."""
    from scipy.optimize import least_squares

    parameters = moments.parameters
    wanted = np.array([it.value for it in moments.targets])
    tolerances = np.array([it.tolerance for it in moments.targets])

    def residuals(units: np.ndarray) -> np.ndarray:
        return (moments(_values(moments, units)) - wanted) / tolerances

    def jacobian(units: np.ndarray) -> np.ndarray:
        here = residuals(units)
        columns = []
        for place, step in enumerate(_steps(moments, units)):
            there = units.copy()
            there[place] += step
            columns.append((residuals(there) - here) / step)
        return np.column_stack(columns)

    start = np.array([np.clip(it.unit(it.start), 1e-3, 1 - 1e-3) for it in parameters])
    found = least_squares(residuals, start, jac=jacobian, bounds=(0.0, 1.0), max_nfev=rounds, xtol=1e-3, ftol=1e-3)
    why = "no further step helped" if found.status > 0 else "the rounds were used up"
    return Optimum(_values(moments, found.x), int(found.nfev), why)


def _values(moments: Moments, units: np.ndarray) -> np.ndarray:
    return np.array([it.value(float(unit)) for it, unit in zip(moments.parameters, units, strict=True)])


def _steps(moments: Moments, units: np.ndarray) -> list[float]:
    """How far each parameter is moved to see what it does, in widths; towards the middle, so within the bounds."""
    found = []
    for it, unit in zip(moments.parameters, units, strict=True):
        step = max(STEP * abs(it.value(float(unit))) / it.width, STEP / 2)
        found.append(min(step, 0.25) * (1 if unit < 0.5 else -1))
    return found


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
