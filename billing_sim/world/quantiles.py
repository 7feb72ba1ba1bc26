"""Quantile tables: how long things last, as integers that every platform agrees on.

A table has 256 entries, the values at the middles of 256 equally likely slices; a draw picks one. They are computed
with `decimal` (correctly rounded) because `exp` and `log` of NumPy and libm differ between processors.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

from billing_sim.world.record import QUANTILES


def interpolated(anchors: list[tuple[Decimal, int]]) -> list[int]:
    """Quantiles by straight lines between (probability, value) anchors that run from 0 to 1."""
    table, segment = [], 0
    for i in range(QUANTILES):
        p = (Decimal(i) + Decimal("0.5")) / QUANTILES
        while p > anchors[segment + 1][0]:
            segment += 1
        (p0, v0), (p1, v1) = anchors[segment], anchors[segment + 1]
        table.append(int(v0 + (v1 - v0) * (p - p0) / (p1 - p0)))
    return table


def exponential(count: int, scale: int) -> list[int]:
    """Quantiles of an exponential with mean `scale`, at the middles of `count` slices, rounded to integers."""
    with localcontext() as context:
        context.prec = 30
        return [int((-(1 - (Decimal(i) + Decimal("0.5")) / count).ln() * scale).to_integral_value()) for i in range(count)]


def mixture(parts: list[tuple[Decimal, int, int]]) -> list[int]:
    """Quantiles of a mixture of uniform ranges, given as (share, low, high) in ascending order."""
    anchors, reached = [(Decimal(0), parts[0][1])], Decimal(0)
    for share, _, high in parts:
        reached += share
        anchors.append((reached, high))
    return interpolated(anchors)


# Assumed shapes, fitted to the recovery by day of the `netflix_like` profile (docs/background/assumptions.md).
DRY_DAYS = mixture([(Decimal("0.45"), 1, 3), (Decimal("0.35"), 3, 8), (Decimal("0.20"), 8, 20)])
"""Days before the next income day at which an ordinary pay cycle runs dry."""

STRAINED_DAYS = mixture([(Decimal("0.25"), 8, 16), (Decimal("0.75"), 16, 40)])
"""The same in a strained quarter."""

SUSPICION_HOURS = mixture([
    (Decimal("0.55"), 1, 12), (Decimal("0.25"), 12, 72), (Decimal("0.20"), 72, 336),
])  # fmt: skip
"""How long an issuer takes a good card for a risky one."""
