"""Computing metrics: one scan per fact, sums merged upwards, the division last.

Whatever is asked, a fact is read once, at the finest split that its metrics need; totals and coarser slices are sums
of those parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import duckdb

from billing_sim.errors import QueryError
from billing_sim.facts.schema import FACTS
from billing_sim.metrics import measures as sql
from billing_sim.metrics.catalogue import unknown
from billing_sim.metrics.connection import connect_to
from billing_sim.metrics.definition import DIMENSIONS, Definition
from billing_sim.metrics.figures import figure, gap
from billing_sim.metrics.frame import Frame, frame
from billing_sim.metrics.measures import Measure, Parts
from billing_sim.metrics.result import Figure, Result, Slice
from billing_sim.metrics.source import Source
from billing_sim.metrics.tally import Key, Sum, Tally, scan

_Sums: TypeAlias = tuple[dict[Key, Sum], dict[Key, Sum], dict[Key, Sum]]
"""Of a metric's numerator, denominator and immature units."""


def compute(
    source: Source, definitions: Iterable[Definition], by: Sequence[str] = (), as_of: datetime | None = None
) -> list[Result]:
    """The metrics of a run, in the order given, in all and for each combination of the dimensions `by`.

    `as_of` judges at an earlier moment with the outcomes known today. QueryError names an unknown dimension.
    """
    return Question(tuple(definitions), checked(by), frame(source, as_of)).answer(source)


def checked(by: Sequence[str]) -> Key:
    """The dimensions, each once; QueryError when one is unknown."""
    for name in by:
        if name not in DIMENSIONS:
            raise QueryError(unknown("dimension", name, DIMENSIONS))
    return tuple(dict.fromkeys(by))


@dataclass(frozen=True)
class Question:
    """Metrics, dimensions and a frame: everything but the data."""

    definitions: tuple[Definition, ...]
    by: Key
    frame: Frame

    def answer(self, source: Source) -> list[Result]:
        """Scan the facts that the metrics need and put the results together."""
        made_of = {it.id: sql.parts(it, self.frame, self.by) for it in self.definitions}
        needed = list(dict.fromkeys(measure for found in made_of.values() for measure in found))
        with _connection(source, needed) as connection:
            tally = scan(connection, needed, {fact.name: self._split(fact.name) for fact in FACTS})
        return [self._result(it, made_of[it.id], tally) for it in self.definitions]

    def sql(self, definition: Definition, source: Source) -> str:
        """The SQL of one metric alone: the same columns that `answer` puts into the statements of its facts."""
        found = sql.parts(definition, self.frame, self.by)
        named = {"numerator": found.numerator, "denominator": found.denominator, "immature": found.immature}
        dims = (*self.by, definition.across) if definition.across not in ("", *self.by) else self.by
        with _connection(source, list(found)) as connection:
            is_condition = sql.condition_expressions(connection, list(found))
        texts = []
        for fact, clock in dict.fromkeys((measure.fact, measure.clock) for measure in found):
            own = {name: it for name, it in named.items() if it and (it.fact, it.clock) == (fact, clock)}
            texts.append(sql.statement(fact, dims, own, is_condition))
        return ";\n".join(texts)

    def _split(self, fact: str) -> Key:
        """The finest split of a fact: the dimensions asked for, and those that its gaps compare."""
        across = [it.across for it in self.definitions if it.across and it.fact == fact]
        return tuple(dict.fromkeys((*self.by, *across)))

    def _result(self, it: Definition, made_of: Parts, tally: Tally) -> Result:
        last = f"{self.frame.last_month:%Y-%m}" if it.kind == "stock" and "month" in self.by else ""
        total = _figures(it, made_of, tally, (), last).get((), _nothing(it))
        slices: tuple[Slice, ...] = ()
        if self.by and it.across not in self.by:
            found = _figures(it, made_of, tally, self.by)
            slices = tuple(self._slice(key, found[key]) for key in sorted(found) if self._has_begun(key))
        currency = self.frame.currency if it.unit == "money" else ""
        return Result(**vars(total), definition=it, currency=currency, slices=slices)

    def _has_begun(self, key: Key) -> bool:
        return "month" not in self.by or key[self.by.index("month")] <= f"{self.frame.last_month:%Y-%m}"

    def _slice(self, key: Key, part: Figure) -> Slice:
        dims = dict(zip(self.by, key, strict=True))
        first, end = (f"{moment:%Y-%m}" for moment in self.frame.whole_months)
        partial = "month" in dims and (part.immature > 0 or not first <= dims["month"] < end)
        return Slice(**vars(part), dims=dims, partial=partial)


def _connection(source: Source, measures: Iterable[Measure]) -> duckdb.DuckDBPyConnection:
    needed = {measure.fact for measure in measures}
    return connect_to(source, [fact for fact in FACTS if fact.name in needed])


def _figures(it: Definition, made_of: Parts, tally: Tally, dims: Key, month: str = "") -> dict[Key, Figure]:
    """The figures of a metric for every combination of these dimensions that occurs."""
    within = (*dims, it.across) if it.across else dims
    numerators, denominators, immature = (tally.by(part, within, month) if part else {} for part in made_of.all)
    keys = dict.fromkeys(key for found in (numerators, denominators, immature) for key in found)
    if it.across:
        return _gaps(it, (numerators, denominators, immature), keys)
    return {key: _figure(it, (numerators, denominators, immature), key) for key in keys}


def _nothing(it: Definition) -> Figure:
    """What a metric says of no rows at all."""
    return gap(it, {}, 0) if it.across else _figure(it, ({}, {}, {}), ())


def _gaps(it: Definition, sums: _Sums, keys: Iterable[Key]) -> dict[Key, Figure]:
    """The last part of a key is the dimension that is compared."""
    numerators, denominators, immature = sums
    rates: dict[Key, dict[str, tuple[int, int]]] = {}
    waiting: dict[Key, int] = {}
    for *rest, name in keys:
        key, part = tuple(rest), (*rest, name)
        rates.setdefault(key, {})[name] = (_whole(numerators, part), _whole(denominators, part))
        waiting[key] = waiting.get(key, 0) + _whole(immature, part)
    return {key: gap(it, parts, waiting[key]) for key, parts in rates.items()}


def _figure(it: Definition, sums: _Sums, key: Key) -> Figure:
    numerators, denominators, immature = sums
    numerator = numerators.get(key, {} if it.kind == "quantile" else 0)
    return figure(it, numerator, _whole(denominators, key), _whole(immature, key))


def _whole(sums: dict[Key, Sum], key: Key) -> int:
    found = sums.get(key, 0)
    assert isinstance(found, int)
    return found
