"""How many of the members live in each market: Sainte-Lague's method.

It adds up exactly and is house-monotone: more members never take one away from a market (largest remainders can),
so a bigger run only adds people. Source: Balinski and Young, "Fair Representation" (1982).
"""

from __future__ import annotations

from fractions import Fraction


def apportion(members: int, shares: list[Fraction]) -> list[int]:
    """Whole numbers that add up to `members`, as proportional to `shares` as can be; earlier shares win ties."""
    total = sum(shares, Fraction(0))
    exact = [members * share / total for share in shares]
    # Rounding is the method's answer for some total near `members`; from there seats move one by one.
    counts = [int(value + Fraction(1, 2)) for value in exact]
    while sum(counts) > members:
        worst = min(
            (share / (2 * count - 1), -i) for i, (share, count) in enumerate(zip(shares, counts, strict=True)) if count
        )
        counts[-worst[1]] -= 1
    while sum(counts) < members:
        best = max((share / (2 * count + 1), -i) for i, (share, count) in enumerate(zip(shares, counts, strict=True)))
        counts[-best[1]] += 1
    return counts
