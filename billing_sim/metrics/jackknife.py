"""How much a number depends on luck: leave out each of 64 groups of subscribers and see how far it moves.

Everything a person does stays in that person's group, so attempts of one invoice, and invoices of one member, may
depend on each other as they like. The delete-a-group jackknife with G groups has the variance (G - 1) / G times the sum
of squared deviations of the G values (Kott, 2001, "The delete-a-group jackknife"); the interval uses Student's t with
one degree of freedom fewer than there are groups with units.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from billing_sim.metrics.result import Figure

LEVEL = 0.95
_T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042, 2.040, 2.037,
    2.035, 2.032, 2.030, 2.028, 2.026, 2.024, 2.023, 2.021, 2.020, 2.018, 2.017, 2.015, 2.014, 2.013, 2.012, 2.011,
    2.010, 2.009, 2.008, 2.007, 2.006, 2.005, 2.004, 2.003, 2.002, 2.002, 2.001, 2.000, 2.000, 1.999, 1.998,
)  # fmt: skip
"""The 97.5 % point of Student's t for 1 to 63 degrees of freedom."""

AnyFigure = TypeVar("AnyFigure", bound=Figure)


def standard_error(replicates: np.ndarray) -> float | None:
    """The standard error of a value from its replicates; None where leaving out a group leaves nothing."""
    groups = len(replicates)
    if np.isnan(replicates).any():
        return None
    return float(np.sqrt((groups - 1) / groups * ((replicates - replicates.mean()) ** 2).sum()))


def half_width(error: float, groups: int) -> float:
    """Half of the 95 % interval, with so many groups that have units (2 at least)."""
    return _T_975[min(groups, len(_T_975) + 1) - 2] * error


def share_interval(share: float, error: float, units: int, groups: int) -> tuple[float, float]:
    """The ends for a share of units, between 0 and 1 however few they are.

    Wilson's score interval (1927) for as many independent units as would have this error (Korn and Graubard, 1998); for
    as many as there are when all are alike and the error is 0.
    """
    independent = share * (1 - share) / error**2 if error else float(units)
    z2 = half_width(1.0, groups) ** 2 / max(independent, 1e-9)
    middle = (share + z2 / 2) / (1 + z2)
    half = (z2 * share * (1 - share) + z2**2 / 4) ** 0.5 / (1 + z2)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def with_interval(figure: AnyFigure, replicates: np.ndarray, groups: int) -> AnyFigure:
    """The figure with its error and interval; `groups` have units. What is never negative has no negative low end."""
    if figure.value is None or groups < 2:
        return figure
    error = standard_error(replicates)
    if error is None:
        return replace(figure, replicates=replicates, groups=groups)
    half = half_width(error, groups)
    low, high = float(figure.value) - half, float(figure.value) + half
    if (replicates >= 0).all():
        low = max(low, 0.0)
    return replace(figure, standard_error=error, low=low, high=high, replicates=replicates, groups=groups)
