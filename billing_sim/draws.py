"""Luck, asked for by name.

A draw is a pure function of *who* (the subject), *what for* (the purpose) and *when* (the occasion: an hour or a day
on the simulated calendar, never "the third time"). Nothing is taken from a shared stream, so the order of questions,
the number of workers and the driver cannot change an answer, and the same person at the same moment has the same
luck in every world.

The construction is SplitMix64 in counter mode with a keyed start: Steele, Lea and Flood, "Fast splittable
pseudorandom number generators" (2014), and Maiga's `mx3` finaliser (2020) for the two keys:

    k0 = mx3(seed + G)            one per run
    k1 = mx3(k0 + subject * G)    one per subject, kept in its state without the lowest bit
    u  = mix13(k1 + (occasion * 1024 + purpose + 1) * G)

A draw is the upper 62 bits of `u`, so it fits an `int64` and compares with a threshold in [0, `ONE`]; a probability of
1 is `ONE` itself and always holds. This is the one module that touches unsigned integers.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import numpy as np
from numba import config

from billing_sim.rule import entry, rule

ONE = 1 << 62
"""The threshold of certainty: `draw(...) < ONE` always holds."""

PURPOSES = 1024
"""Room for purposes inside one occasion."""

OCCASION_LIMIT = 1 << 50
"""Occasions are 0 <= occasion < OCCASION_LIMIT; hours and days since 1970 lie far below."""

_MASK = 0xFFFFFFFFFFFFFFFF
_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB
_MX3 = 0xBEA225F9EB34556D


if config.DISABLE_JIT:

    def _unsigned(value: int) -> int:
        return int(value) & _MASK
else:
    _unsigned = np.uint64  # type: ignore[assignment]


@rule("uint64(uint64)", inline=True)
def mix13(x):
    """Stafford's variant 13, the finaliser of SplitMix64."""
    x = ((x ^ (x >> 30)) * _MIX_1) & _MASK
    x = ((x ^ (x >> 27)) * _MIX_2) & _MASK
    return x ^ (x >> 31)


@rule("uint64(uint64)")
def mx3(x):
    """Maiga's mx3 (revision 2), stronger and slower: used once per run and once per subject."""
    x = ((x ^ (x >> 32)) * _MX3) & _MASK
    x = ((x ^ (x >> 29)) * _MX3) & _MASK
    x = ((x ^ (x >> 32)) * _MX3) & _MASK
    return x ^ (x >> 29)


@entry("int64(int64)")
def run_key(seed):
    """The key of a run, from its seed (0 <= seed < 2**63)."""
    return int(mx3((_unsigned(seed) + _GOLDEN) & _MASK) >> 1)


@entry("int64(int64, int64)")
def subject_key(key, subject):
    """The key of one subject of a run; a payment method of a subscriber is keyed once more by this."""
    return int(mx3((_unsigned(key) + _unsigned(subject) * _GOLDEN) & _MASK) >> 1)


@entry("int64(int64, int64, int64)", inline=True)
def draw(key, purpose, occasion):
    """An integer, uniform in [0, 2**62), for this subject, purpose and occasion."""
    name = _unsigned((occasion << 10) + purpose + 1)
    return int(mix13((_unsigned(key) + name * _GOLDEN) & _MASK) >> 2)


@entry("int64(int64, int64)", inline=True)
def below(u, n):
    """The draw `u` as an integer in [0, n), n < 2**31: its upper 32 bits times n."""
    return ((u >> 30) * n) >> 32


def threshold(probability: Decimal) -> int:
    """The integer that a draw lies below with this probability (0 to 1), computed from its decimal text."""
    if not 0 <= probability <= 1:
        raise ValueError(f"{probability} is not a probability")
    with localcontext() as context:
        context.prec = 60
        return int((probability * ONE).to_integral_value(ROUND_HALF_EVEN))
