"""From merged sums to figures: the only place where anything is divided."""

from __future__ import annotations

from collections.abc import Mapping

from billing_sim.metrics.definition import Definition
from billing_sim.metrics.histogram import quantile
from billing_sim.metrics.result import Figure
from billing_sim.metrics.tally import Sum

MICROS = 1_000_000
"""Money is summed in millionths of the reporting currency."""


def figure(it: Definition, numerator: Sum, denominator: int, immature: int) -> Figure:
    """The figure of a sum, stock, ratio or quantile."""
    if isinstance(numerator, dict):
        return _quantile(it, numerator, denominator, immature)
    if not it.denominator:
        denominator = 1
    if denominator == 0:
        return Figure(None, numerator, 0, immature, _nothing(immature))
    unit = MICROS if it.unit == "money" else 1
    value: float | int = numerator * it.scale
    if it.denominator or unit != 1:
        value = value / (denominator * unit)
    return Figure(value, numerator, denominator, immature)


def _quantile(it: Definition, counts: Mapping[int, int], units: int, immature: int) -> Figure:
    assert it.quantile is not None
    happened = sum(counts.values())
    if units == 0:
        return Figure(None, 0, 0, immature, _nothing(immature))
    found = quantile(counts, units, it.quantile)
    if found is None:
        share = 100 * float(it.quantile)
        return Figure(None, happened, units, immature, f"fewer than {share:g} % of the units ever get there")
    value, below = found
    return Figure(value * it.scale, below, units, immature)


def gap(it: Definition, parts: Mapping[str, tuple[int, int]], immature: int) -> Figure:
    """Highest minus lowest ratio in percentage points; `parts` is name -> (numerator, denominator)."""
    rates = {name: n / d for name, (n, d) in parts.items() if d >= it.at_least}
    if len(rates) < 2:
        lone = next(iter(rates), "")
        numerator, denominator = parts.get(lone, (0, 0))
        return Figure(
            None, numerator, denominator, immature, f"fewer than two {it.across}s have {it.at_least} units or more"
        )
    low = min(rates, key=lambda name: (rates[name], name))
    high = max(rates, key=lambda name: (rates[name], name))
    note = f"lowest {low} {100 * rates[low]:.2f} %\nhighest {high} {100 * rates[high]:.2f} %"
    return Figure(100 * (rates[high] - rates[low]), *parts[low], immature, note=note)


def _nothing(immature: int) -> str:
    return f"nothing has matured yet, {immature:,} immature" if immature else "nothing to divide by"
