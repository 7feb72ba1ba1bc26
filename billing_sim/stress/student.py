"""Student's t: how far chance alone goes, for any number of seeds."""

from __future__ import annotations

import math
from functools import lru_cache

_DEPTH = 80
"""Terms of the continued fraction; it has settled to the last digit long before, for the seeds that a lab can pay."""

_HALVINGS = 60


def tail(t: float, freedom: int) -> float:
    """P(T >= t), to a small relative error however far out.

    `freedom` is 1 at least. The tail is half of I_x(freedom / 2, 1 / 2) at x = freedom / (freedom + t^2) (Abramowitz
    and Stegun, 1964, 26.7.1).
    """
    if t < 0:
        return 1 - tail(-t, freedom)
    whole = freedom + t * t
    return _regularised_beta(freedom / whole, t * t / whole, freedom / 2, 0.5) / 2


@lru_cache(maxsize=256)
def quantile(share: float, freedom: int) -> float:
    """The t below which this share of chance lies; `share` is at least 1/2 and below 1."""
    low, high = 0.0, 1.0
    while tail(high, freedom) > 1 - share:
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle, freedom) > 1 - share else (low, middle)
    return (low + high) / 2


def _regularised_beta(x: float, rest: float, a: float, b: float) -> float:
    """I_x(a, b), with rest = 1 - x; by the fraction of DLMF 8.17.22, mirrored (8.17.4) where that one is slow."""
    if x == 0 or rest == 0:
        return float(rest == 0)
    if x > (a + 1) / (a + b + 2):
        return 1 - _regularised_beta(rest, x, b, a)
    beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return math.exp(a * math.log(x) + b * math.log(rest) - beta) / a / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1 / (1 + d2 / (1 + ...)), from the inside out."""
    value = 1.0
    for even, below_even, odd, below_odd in _coefficients(a, b):
        value = 1 + even * x / below_even / (1 + odd * x / below_odd / value)
    return 1 - (a + b) * x / (a + 1) / value


@lru_cache(maxsize=256)
def _coefficients(a: float, b: float) -> tuple[tuple[float, float, float, float], ...]:
    """What of d2m and of d2m+1 does not depend on x, each above and below the line; the innermost first."""
    return tuple(
        (m * (b - m), (a + 2 * m - 1) * (a + 2 * m), -(a + m) * (a + b + m), (a + 2 * m) * (a + 2 * m + 1))
        for m in range(_DEPTH, 0, -1)
    )
