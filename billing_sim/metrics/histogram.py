"""Quantiles from fixed log-linear buckets, so that counts merge exactly over any split of the units.

Values below 256 have a bucket each; above, every doubling is cut into 128 equal buckets, so a bucket is at most 1/128
of its value wide and its middle is within 0.4 % of every value in it. The edges never depend on the data. Same layout
as HdrHistogram (Tene, 2012) with 7 bits of precision.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal

_BITS = 7


def bucket_of(value: int) -> int:
    """The bucket of a whole number; what is below zero counts as zero."""
    value = max(value, 0)
    shift = max(value.bit_length() - 1 - _BITS, 0)
    return (shift << _BITS) + (value >> shift)


def middle_of(bucket: int) -> float:
    """The middle of a bucket's values; the value itself where the bucket holds only one."""
    shift = max((bucket >> _BITS) - 1, 0)
    low = (bucket - (shift << _BITS)) << shift
    return low + ((1 << shift) - 1) / 2


def merged(parts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Counts by bucket of all parts together."""
    total: dict[int, int] = {}
    for part in parts:
        for bucket, count in part.items():
            total[bucket] = total.get(bucket, 0) + count
    return total


def rank_of(q: Decimal, units: int) -> int:
    """How many units lie at or below the value that covers the share `q` of so many, the smallest first."""
    return math.ceil(q * units)


def quantile(counts: Mapping[int, int], units: int, q: Decimal) -> tuple[float, int] | None:
    """(value, units at or below it) of the smallest bucket that covers the share `q` of `units`; None if none does.

    Units beyond those counted never happened and lie above every value.
    """
    rank = rank_of(q, units)
    below = 0
    for bucket in sorted(counts):
        below += counts[bucket]
        if below >= rank:
            return middle_of(bucket), below
    return None
