"""What happened: the month in which a metric moved beyond chance, and the segment that moved it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from billing_sim.metrics.decomposition import Decomposition, Term
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.frame import Frame
from billing_sim.metrics.jackknife import standard_error
from billing_sim.metrics.reasons import CAUSES, PLACES, Move, explain
from billing_sim.metrics.result import Figure, Result, Slice
from billing_sim.metrics.shapes import MONTH
from billing_sim.metrics.source import Source

BEYOND_NOISE = 2.0
"""Standard errors from which a change from one month to the next is called better or worse."""

BEYOND_CHANCE = 3.0
"""Standard errors of the difference from which a move is told."""

TELLING = 0.2
"""The part of a move that a segment explains if it is named at all."""

_OUTCOME = re.compile(
    r"\b(status|\w*outcome|\w*code|decline_kind|attempts|paid_at|recovered_by|notices|contacts\w*|held_at|was_unknown|"
    r"failed\w*)\b"
)


@dataclass(frozen=True)
class Change:
    """A difference between two figures of one metric, with its standard error; both None where either is undefined."""

    value: float | None
    standard_error: float | None

    @property
    def signal(self) -> float:
        """The difference in standard errors; 0 where there is none."""
        return abs(self.value / self.standard_error) if self.value is not None and self.standard_error else 0.0

    def mood(self, direction: str) -> str:
        """`better` or `worse` for a metric that should go one way; `noise` where it may be luck or no way is better."""
        better = {"up": 1, "down": -1, "neither": 0}[direction] * (self.value or 0)
        if self.signal < BEYOND_NOISE or not better:
            return "noise"
        return "better" if better > 0 else "worse"


def change(before: Figure, after: Figure) -> Change:
    """After minus before. The same people are in both, so the error is that of the paired difference."""
    if before.value is None or after.value is None:
        return Change(None, None)
    value = float(after.value) - float(before.value)
    if before.replicates is None or after.replicates is None:
        return Change(value, None)
    return Change(value, standard_error(after.replicates - before.replicates))


@dataclass(frozen=True)
class Event:
    """A month in which a metric moved beyond chance, and the exact terms of the move by each candidate dimension."""

    definition: Definition
    month: str
    before: str
    change: Change
    reasons: tuple[Decomposition, ...]

    @property
    def place(self) -> Decomposition | None:
        """The dimension, among places, whose largest term stands out most from its share of the whole.

        None where no place explains a fifth of the move.
        """
        return self._among(PLACES)

    @property
    def cause(self) -> Decomposition | None:
        """The same among causes: which decline codes became more or less frequent, where it is about payments."""
        return self._among(CAUSES) if is_about_payments(self.definition) else None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: when, by how much, and every term by dimension and segment."""
        return {
            "from": self.before,
            "to": self.month,
            "change": self.change.value,
            "standard_error": self.change.standard_error,
            "terms": {found.dimension: [_plain(term) for term in found.terms] for found in self.reasons},
        }

    def _among(self, dims: Sequence[str]) -> Decomposition | None:
        telling = (it for it in self.reasons if it.dimension in dims and _explains(it))
        return max(telling, key=lambda it: it.standing_out, default=None)


def _explains(it: Decomposition) -> bool:
    return abs(it.largest.total) >= TELLING * abs(it.change)


def is_about_payments(it: Definition) -> bool:
    """Whether its numerator is about what came of payments, so that a decline may be why it moved."""
    return it.fact in ("attempts", "invoices") and _OUTCOME.search(it.numerator) is not None


def _plain(term: Term) -> dict[str, Any]:
    parts = {name: float(getattr(term, name)) for name in ("within", "mix", "interaction", "total")}
    return {"segment": term.segment, **parts}


def largest_move(months: Sequence[Slice], direction: str) -> tuple[Slice, Slice] | None:
    """The two neighbouring whole months between which a metric moved most, if beyond chance.

    Months in which it got worse come first: an incident is over when the number comes back.
    """
    whole = [it for it in months if not it.partial and it.value is not None]
    moves = [(pair, change(*pair)) for pair in pairwise(whole)]
    told = [(pair, moved) for pair, moved in moves if moved.signal >= BEYOND_CHANCE]
    worse = [(pair, moved) for pair, moved in told if _is_worse(moved, direction)]
    return max(worse or told, key=lambda it: it[1].signal)[0] if told else None


def _is_worse(moved: Change, direction: str) -> bool:
    return moved.value is not None and {"up": moved.value < 0, "down": moved.value > 0}.get(direction, False)


def happened(source: Source, found: Sequence[Result], frame: Frame) -> list[Event | None]:
    """For each result its largest move between two neighbouring months, if beyond chance, and what moved it."""
    pairs = [largest_move(it.months, it.definition.direction) for it in found]
    asked = [
        Move(it.definition, *(part.dims[MONTH] for part in pair))
        for it, pair in zip(found, pairs, strict=True)
        if pair is not None
    ]
    reasons = iter(zip(asked, explain(source, asked, frame), strict=True))
    return [None if pair is None else _event(*next(reasons), change(*pair)) for pair in pairs]


def _event(move: Move, reasons: tuple[Decomposition, ...], moved: Change) -> Event:
    return Event(move.definition, move.after, move.before, moved, reasons)
