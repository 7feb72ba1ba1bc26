"""Quantile tables: how long things last, as integers that every platform agrees on.

A table has 256 entries, the values at the middles of 256 equally likely slices; a draw picks one. They are computed
with `decimal` (correctly rounded) because `exp` and `log` of NumPy and libm differ between processors.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import cache, lru_cache

from billing_sim.world.record import QUANTILES


def interpolated(anchors: list[tuple[Decimal, int]]) -> list[int]:
    """Quantiles between (probability, value) anchors that run from 0 to 1: straight lines on a logarithmic scale.

    Durations span decades: on a plain scale a median of seconds and a 99th percentile of minutes would put a quarter
    of the mass at minutes.
    """
    return list(_interpolated(tuple(anchors)))


@lru_cache(1024)
def _interpolated(anchors: tuple[tuple[Decimal, int], ...]) -> tuple[int, ...]:
    table, segment = [], 0
    points = [(p, Decimal(max(value, 1)).ln()) for p, value in anchors]
    for i in range(QUANTILES):
        p = (Decimal(i) + Decimal("0.5")) / QUANTILES
        while p > points[segment + 1][0]:
            segment += 1
        (p0, v0), (p1, v1) = points[segment], points[segment + 1]
        table.append(int((v0 + (v1 - v0) * (p - p0) / (p1 - p0)).exp()))
    return tuple(table)


@cache
def exponential(count: int, scale: int) -> tuple[int, ...]:
    """Quantiles of an exponential with mean `scale`, at the middles of `count` slices, rounded to integers."""
    with localcontext() as context:
        context.prec = 30
        return tuple(
            int((-(1 - (Decimal(i) + Decimal("0.5")) / count).ln() * scale).to_integral_value()) for i in range(count)
        )


def mixture(parts: list[tuple[Decimal, int, int]]) -> list[int]:
    """Quantiles of a mixture of ranges, given as (share, low, high): values in [low, high], as even as can be."""
    table, reached, part = [], Decimal(0), 0
    for i in range(QUANTILES):
        p = (Decimal(i) + Decimal("0.5")) / QUANTILES
        while p > reached + parts[part][0]:
            reached += parts[part][0]
            part += 1
        share, low, high = parts[part]
        table.append(low + int((high - low + 1) * (p - reached) / share))
    return table


# Assumed shapes, fitted to the recovery by day of the `netflix_like` profile (docs/background/assumptions.md).
DRY_DAYS = mixture([(Decimal("0.70"), 1, 2), (Decimal("0.20"), 3, 8), (Decimal("0.10"), 9, 20)])
"""Days before the next income day at which an ordinary pay cycle runs dry."""

STRAINED_DAYS = mixture([(Decimal("0.20"), 8, 16), (Decimal("0.80"), 17, 40)])
"""The same in a strained quarter."""

SUSPICION_HOURS = mixture([
    (Decimal("0.75"), 1, 12), (Decimal("0.15"), 13, 72), (Decimal("0.10"), 73, 336),
])  # fmt: skip
"""How long an issuer takes a good card for a risky one."""
