"""Why a metric differs between two sides: which segments did better or worse, and which merely weigh more or less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from billing_sim.comparison.differences import answers
from billing_sim.comparison.sides import Pair, Side
from billing_sim.errors import QueryError
from billing_sim.metrics import decomposition
from billing_sim.metrics.decomposition import Decomposition, Term
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import checked, dimensions
from billing_sim.metrics.explaining import CAUSES, PLACES
from billing_sim.metrics.figures import MICROS

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("within", "mix", "interaction", "total")


@dataclass(frozen=True)
class Why:
    """The change of one metric by the segments of one dimension, in exact fractions."""

    definition: Definition
    terms: Decomposition

    @property
    def scale(self) -> Fraction:
        """What turns a term into the metric's unit."""
        return Fraction(self.definition.scale, MICROS if self.definition.unit == "money" else 1)

    @property
    def residual(self) -> Fraction:
        """The change less all terms; always 0."""
        return self.terms.change - sum((term.total for term in self.terms.terms), Fraction(0))

    @property
    def largest_first(self) -> list[Term]:
        """The terms, those that moved most first."""
        return sorted(self.terms.terms, key=lambda term: (-abs(term.total), term.segment))

    def in_unit(self, part: Fraction) -> float:
        """A term in the metric's unit."""
        return float(part * self.scale)

    def table(self) -> pd.DataFrame:
        """One row per segment: its share in A, within, mix, interaction and total in the metric's unit."""
        import pandas as pd

        return pd.DataFrame([self._row(term) for term in self.largest_first])

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "metric": self.definition.id,
            "dimension": self.terms.dimension,
            "difference": self.in_unit(self.terms.change),
            "residual": self.in_unit(self.residual),
            "terms": [self._row(term) for term in self.largest_first],
        }

    def _row(self, term: Term) -> dict[str, Any]:
        parts = {name: self.in_unit(getattr(term, name)) for name in PARTS}
        return {self.terms.dimension: term.segment, "share": float(term.share), **parts}

    def __repr__(self) -> str:
        from billing_sim.comparison.render import why_shown
        from billing_sim.metrics.plain import plain

        return plain(why_shown(self)).rstrip()


def why(pair: Pair, it: Definition, by: Sequence[str] = ()) -> list[Why]:
    """The change of a metric by each of these dimensions; without any, by the one in which a segment stands out most.

    QueryError for a metric that is no ratio or sum of facts, an unknown dimension, or nothing to divide by.
    """
    if it.sql or it.kind not in ("ratio", "sum", "stock"):
        what = "comes from a query" if it.sql else f"is of the kind {it.kind}"
        raise QueryError(f"`{it.id}` {what}; only ratios and sums of facts can be taken apart.")
    if by:
        return [_by(pair, it, name) for name in checked(by, [it])]
    known = dimensions(it)
    found = [_by(pair, it, name) for name in (*PLACES, *CAUSES) if name in known]
    return [max(found, key=lambda each: (len(each.terms.terms) > 1, each.terms.standing_out))]


def _by(pair: Pair, it: Definition, dimension: str) -> Why:
    before, after = (_sums(side, it, dimension) for side in (pair.before, pair.after))
    if not it.denominator:
        tops = [{name: above for name, (above, _) in side.items()} for side in (before, after)]
        return Why(it, decomposition.of_sum(dimension, *tops))
    made = decomposition.of_ratio(dimension, before, after)
    if made is None:
        raise QueryError(f"`{it.id}` has nothing to divide by on one side, so there is no change to take apart.")
    return Why(it, made)


def _sums(side: Side, it: Definition, dimension: str) -> dict[str, tuple[int, int]]:
    parts = answers(side, [it], [dimension])[it.id]
    return {key[0]: (figure.numerator, figure.denominator) for key, figure in parts.items()}
