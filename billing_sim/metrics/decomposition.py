"""Why a number moved: which segments did better or worse, and which merely became larger or smaller.

A ratio is the sum over segments of weight times rate. Its change is, exactly,

    within       sum of w0 (r1 - r0)            the segment itself got better or worse
    mix          sum of (w1 - w0) (r0 - R0)     it grew or shrank, being better or worse than the rest
    interaction  sum of (w1 - w0) (r1 - r0)     both at once

with weights w, rates r, the whole R, before 0 and after 1 (Kitagawa, 1955, in the form with interaction). A segment
that is there only once has no rate on the other side; its whole effect is mix. Terms are exact fractions, so they add
up to the change with nothing left over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

Sums: TypeAlias = Mapping[str, tuple[int, int]]
"""Numerator and denominator by segment."""


@dataclass(frozen=True)
class Term:
    """What one segment contributed, in the unit of the ratio; `share` is its weight before."""

    segment: str
    within: Fraction
    mix: Fraction
    interaction: Fraction
    share: Fraction

    @property
    def total(self) -> Fraction:
        """All three together."""
        return self.within + self.mix + self.interaction


@dataclass(frozen=True)
class Decomposition:
    """The change of a metric by the segments of one dimension."""

    dimension: str
    before: Fraction
    after: Fraction
    terms: tuple[Term, ...]

    @property
    def change(self) -> Fraction:
        """After minus before; always the sum of the terms."""
        return self.after - self.before

    @property
    def largest(self) -> Term:
        """The term that moved most; what has no name (no decline, no gateway) only when there is nothing else."""
        named = [term for term in self.terms if term.segment != "none"]
        return max(named or self.terms, key=lambda term: (abs(term.total), term.segment))

    @property
    def standing_out(self) -> Fraction:
        """How much more the largest term moved than its share of the whole would explain."""
        return abs(self.largest.total) - self.largest.share * abs(self.change)


def of_ratio(dimension: str, before: Sums, after: Sums) -> Decomposition | None:
    """The decomposition of a ratio's change; None when either side has nothing to divide by."""
    whole = [sum(d for _, d in side.values()) for side in (before, after)]
    if not all(whole):
        return None
    above = [sum(n for n, _ in side.values()) for side in (before, after)]
    first, second = (Fraction(n, d) for n, d in zip(above, whole, strict=True))
    return Decomposition(dimension, first, second, tuple(_terms(before, after, whole, first)))


def _terms(before: Sums, after: Sums, whole: Sequence[int], overall: Fraction) -> Iterator[Term]:
    for segment in sorted({*before, *after}):
        (n0, d0), (n1, d1) = before.get(segment, (0, 0)), after.get(segment, (0, 0))
        w0, w1 = Fraction(d0, whole[0]), Fraction(d1, whole[1])
        if not (d0 and d1):
            # The numerator of a segment without a denominator (money of one kind over units of another) stays within.
            only = Fraction(n1, whole[1]) - Fraction(n0, whole[0])
            mix = only - (w1 - w0) * overall
            yield Term(segment, Fraction(0), mix, Fraction(0), w0)
            continue
        r0, r1 = Fraction(n0, d0), Fraction(n1, d1)
        yield Term(segment, w0 * (r1 - r0), (w1 - w0) * (r0 - overall), (w1 - w0) * (r1 - r0), w0)


def of_sum(dimension: str, before: Mapping[str, int], after: Mapping[str, int]) -> Decomposition:
    """The decomposition of a sum's change: every segment adds its own."""
    first, second = (Fraction(sum(side.values())) for side in (before, after))
    terms = []
    for segment in sorted({*before, *after}):
        moved = Fraction(after.get(segment, 0) - before.get(segment, 0))
        share = Fraction(before.get(segment, 0)) / first if first else Fraction(0)
        terms.append(Term(segment, moved, Fraction(0), Fraction(0), share))
    return Decomposition(dimension, first, second, tuple(terms))
