"""Whether people arrived in the arms as they should have: the first thing to look at, and often the last.

A sample ratio mismatch says that enrolment or its log is broken, whatever the metrics say (Fabijan and others,
"Diagnosing Sample Ratio Mismatch in Online Controlled Experiments", KDD 2019).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

ALARM = 0.001
"""Below this p the ratio is no accident: the usual bound, since every experiment is looked at many times."""


@dataclass(frozen=True)
class RatioCheck:
    """People by arm, how many were expected, and how easily luck gives this (Pearson's chi-square)."""

    enrolled: Mapping[str, int]
    expected: Mapping[str, float]
    p: float

    @property
    def is_broken(self) -> bool:
        """Whether the shares are not those of the design."""
        return self.p < ALARM


def check(enrolled: Mapping[str, int], shares: Mapping[str, float]) -> RatioCheck:
    """Compare counts by arm with the shares of the design; somebody in an arm of share 0 has p = 0."""
    total = sum(enrolled.values())
    expected = {arm: total * share for arm, share in shares.items()}
    counts = {arm: enrolled.get(arm, 0) for arm in shares}
    if any(counts[arm] for arm in shares if not expected[arm]):
        return RatioCheck(counts, expected, 0.0)
    open_arms = [arm for arm in shares if expected[arm]]
    distance = sum((counts[arm] - expected[arm]) ** 2 / expected[arm] for arm in open_arms)
    return RatioCheck(counts, expected, chi_square_tail(distance, len(open_arms) - 1))


def chi_square_tail(x: float, freedom: int) -> float:
    """P(X >= x) of a chi-square with so many degrees of freedom (Abramowitz and Stegun, 1964, 26.4.4 and 26.4.5)."""
    if freedom < 1 or x <= 0:
        return 1.0
    tail = math.erfc(math.sqrt(x / 2)) if freedom % 2 else math.exp(-x / 2)
    first = 1 if freedom % 2 else 2
    for k in range(first, freedom, 2):
        tail += math.exp(k / 2 * math.log(x / 2) - x / 2 - math.lgamma(k / 2 + 1))
    return min(tail, 1.0)
