"""A metric of each group on its own, from the same one scan.

Where groups are worlds and not parts of one (the lab numbers its seeds so), this gives a metric of every world at the
price of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from billing_sim.metrics import incidence
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.figures import MICROS
from billing_sim.metrics.histogram import middle_of, rank_of
from billing_sim.metrics.tally import GROUPS, NOTHING, Counts, Key


def values_by_group(it: Definition, sums: Mapping[str, Mapping[Key, Any]]) -> np.ndarray:
    """float64[64]: the value of a metric in each group, NaN where it is undefined.

    `sums` holds the parts of the metric (numerator, denominator, units) by key; a gap's keys end in what it compares.
    """
    if it.across:
        return np.array([_gap(it, sums, group) for group in range(GROUPS)])
    above, below, units = (sums.get(name, {}).get((), NOTHING) for name in ("numerator", "denominator", "units"))
    if it.kind in ("quantile", "incidence"):
        if not isinstance(above, Counts):  # nobody at all
            return np.full(GROUPS, np.nan)
        found = incidence.by_group(it, above) if it.kind == "incidence" else _quantiles(it, above, units)
        return np.where(units > 0, found, np.nan)
    unit = MICROS if it.unit == "money" else 1
    if it.denominator:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(below == 0, np.nan, above * float(it.scale) / (np.asarray(below, float) * unit))
    return above * float(it.scale) / unit


def _quantiles(it: Definition, cells: Counts, units: np.ndarray) -> np.ndarray:
    """float64[64]: the value that a share of each group's units do not exceed."""
    assert it.quantile is not None
    found = np.full(GROUPS, np.nan)
    for group, (among, below) in enumerate(zip(units.tolist(), cells.counts.cumsum(axis=0).T, strict=True)):
        at = int(np.searchsorted(below, rank_of(it.quantile, among)))
        if at < len(below):
            found[group] = middle_of(int(cells.values[at])) * it.scale
    return found


def _gap(it: Definition, sums: Mapping[str, Mapping[Key, Any]], group: int) -> float:
    """Highest less lowest ratio of one group, in percentage points, of those with units enough."""
    above, below = sums["numerator"], sums["denominator"]
    parts = [(int(above.get(key, NOTHING)[group]), int(below[key][group])) for key in below]
    rates = [n / d for n, d in parts if d >= it.at_least]
    return 100 * (max(rates) - min(rates)) if len(rates) > 1 else np.nan
