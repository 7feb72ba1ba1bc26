"""Computing metrics: one scan per fact, sums merged upwards, the division last.

Whatever is asked, a fact is read once, at the finest split that its metrics need; totals and coarser slices are sums
of those parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any

import duckdb
import numpy as np

from billing_sim.errors import QueryError
from billing_sim.facts.schema import FACTS, Fact
from billing_sim.metrics import constant, queries, shapes
from billing_sim.metrics import measures as sql
from billing_sim.metrics.by_group import values_by_group
from billing_sim.metrics.connection import THREADS, connect_to
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.figures import figure, gap
from billing_sim.metrics.frame import Frame, frame
from billing_sim.metrics.measures import ONE, Measure, Parts
from billing_sim.metrics.names import unknown
from billing_sim.metrics.result import Figure, Result, Slice
from billing_sim.metrics.source import InMemory, Source
from billing_sim.metrics.tally import GROUPS, NOTHING, Counts, Key, Scan, Tally, Wanted, of_parts

_BY_NAME = {fact.name: fact for fact in FACTS}
_NOT_SPLIT = ("subscriber", "group", "invoice", "instrument", "latency_ms", "renewals", "failed_renewals")
_BASE = Measure("subscriptions", "started_at", ("started_by = 'imported'",), ONE)
"""The members at the start of the run."""


def compute(
    source: Source, definitions: Iterable[Definition], by: Sequence[str] = (), as_of: datetime | None = None
) -> list[Result]:
    """The metrics of a run, in the order given, in all and for each combination of the dimensions `by`.

    A metric whose fact lacks one of the dimensions is given in all only. QueryError for a dimension that none has.
    """
    asked = tuple(definitions)
    return Question(asked, checked(by, asked), frame(source, as_of)).answer(source)


def dimensions(it: Definition) -> list[str]:
    """By what a metric can be split: labels, flags and small numbers of its fact, the month, and the cohort."""
    if it.sql:
        return []
    own = _dimensions(it.fact)
    return [name for name in own if name in _dimensions(it.denominator_units.fact)]


@cache
def _dimensions(name: str) -> tuple[str, ...]:
    fact: Fact = _BY_NAME[name]
    found = [
        column.name
        for column in fact.columns
        if (column.vocabulary or column.storage in ("bool", "i2", "u1")) and column.name not in _NOT_SPLIT
    ]
    joined = [shapes.COHORT] if shapes.has_cohort(fact.name) else []
    return (*found, shapes.MONTH, *joined)


def checked(by: Sequence[str], definitions: Iterable[Definition]) -> Key:
    """The dimensions, each once; QueryError when no metric can be split by one of them."""
    known = dict.fromkeys(name for it in definitions for name in dimensions(it))
    for name in by:
        if name not in known and any(not it.sql for it in definitions):
            raise QueryError(unknown("dimension", name, known))
    return tuple(dict.fromkeys(by))


@dataclass(frozen=True)
class Question:
    """Metrics, dimensions and a frame: everything but the data. With `months`, results hold their months as well."""

    definitions: tuple[Definition, ...]
    by: Key
    frame: Frame
    months: bool = False

    def answer(self, source: Source) -> list[Result]:
        """Scan the facts that the metrics need and put the results together."""
        summed = [it for it in self.definitions if not it.sql]
        wanted = dict.fromkeys(self.wanted)
        if any(not it.denominator for it in summed):
            wanted[_BASE, ()] = None
        data = getattr(source, "content_digest", "")
        with (
            _connection(source, [measure for measure, _ in wanted]) as connection,
            Scan(connection, wanted, _at_once(source)) as scanning,
        ):
            queried = {
                it: queries.answer(source, it, self.by, self.frame, data, strict=not summed)
                for it in self.definitions
                if it.sql
            }
            tally = scanning.tally()
        return [
            queried[it] if it.sql
            else _Answer(it, self._made_of[it.id], tally, self._by(it), self._split(it), self.frame).result(data)
            for it in self.definitions
        ]  # fmt: skip

    @property
    def wanted(self) -> list[Wanted]:
        """The measures that its metrics are made of, with what each is split by; queries have none."""
        summed = [it for it in self.definitions if not it.sql]
        return [(measure, self._split(it)) for it in summed for measure in self._made_of[it.id]]

    @cached_property
    def _made_of(self) -> dict[str, Parts]:
        """The measures of every metric that is no query, by its id."""
        return {it.id: sql.parts(it, self.frame, self._split(it)) for it in self.definitions if not it.sql}

    def values_by_group(self, tally: Tally, parts: Sequence[int]) -> dict[str, np.ndarray]:
        """The metrics that are no queries, by id: float64[64], of each group of some parts together."""
        found = {}
        for it in (it for it in self.definitions if not it.sql):
            split = self._split(it)
            named = self._made_of[it.id].named
            sums = {
                name: {key: of_parts(one, parts) for key, one in tally.by(measure, split, split).items()}
                for name, measure in named.items()
            }
            found[it.id] = values_by_group(it, sums)
        return found

    def sql(self, definition: Definition, source: Source) -> str:
        """The SQL of one metric alone: the same columns that `answer` puts into the statements of its facts."""
        if definition.sql:
            return definition.sql
        by = self._by(definition)
        named = sql.parts(definition, self.frame, by).named
        names = (*by, definition.across) if definition.across not in ("", *by) else by
        with _connection(source, named.values()) as connection:
            is_condition = sql.condition_expressions(connection, named.values())
        texts = []
        for fact, clock in dict.fromkeys((it.fact, it.clock) for it in named.values()):
            own = {name: it for name, it in named.items() if (it.fact, it.clock) == (fact, clock)}
            dims = {name: "" if name == shapes.MONTH else shapes.readable(fact, name) for name in names}
            rows = fact
            if any(it.is_constant for it in own.values()):
                rows = f"(SELECT *{constant.columns(_BY_NAME[fact], source.world_events())} FROM {fact})"
            texts.append(sql.statement(rows, dims, own, is_condition))
        return ";\n".join(texts)

    def _by(self, it: Definition) -> Key:
        """The dimensions asked for when the metric has them all, else none."""
        return self.by if self.by and set(self.by) <= set(dimensions(it)) else ()

    def _split(self, it: Definition) -> Key:
        """How finely a metric is looked at: by what was asked, by month when months are wanted, by what a gap compares.

        A gap has a scan of its own: compared by market, all other metrics of its fact would be looked at by market.
        """
        month = (shapes.MONTH,) if self.months else ()
        across = (it.across,) if it.across else ()
        return tuple(dict.fromkeys((*self._by(it), *month, *across)))


@dataclass(frozen=True)
class _Answer:
    """One metric on its way from sums to a result."""

    it: Definition
    made_of: Parts
    tally: Tally
    by: Key
    split: Key
    frame: Frame

    def result(self, data: str) -> Result:
        it, frame = self.it, self.frame
        currency = frame.currency if it.unit == "money" else ""
        total = self._figures((), self._last(())).get((), self._nothing())
        slices = self._slices(self.by) if self.by and it.across not in self.by else ()
        months = self._slices((shapes.MONTH,)) if shapes.MONTH in self.split and it.across != shapes.MONTH else ()
        return Result(
            **vars(total), definition=it, currency=currency, slices=slices, months=months,
            as_of=frame.as_of.isoformat(), data=data,
        )  # fmt: skip

    def _last(self, dims: Key) -> str:
        """The month at which a stock is taken when its months are told apart and are not asked for."""
        wanted = self.it.kind == "stock" and shapes.MONTH in self.split and shapes.MONTH not in dims
        return f"{self.frame.last_month:%Y-%m}" if wanted else ""

    def _slices(self, dims: Key) -> tuple[Slice, ...]:
        found = self._figures(dims, self._last(dims))
        return tuple(self._slice(dims, key, found[key]) for key in sorted(found) if self._has_begun(dims, key))

    def _figures(self, dims: Key, month: str = "") -> dict[Key, Figure]:
        """The figures of a metric for every combination of these dimensions that occurs."""
        within = (*dims, self.it.across) if self.it.across else dims
        sums = {name: self.tally.by(part, self.split, within, month) for name, part in self.made_of.named.items()}
        keys = dict.fromkeys(key for found in sums.values() for key in found)
        if self.it.across:
            return dict(self._gaps(sums, keys))
        return {key: self._figure(sums, key) for key in keys}

    def _figure(self, sums: dict[str, dict[Key, Any]], key: Key) -> Figure:
        counted = self.made_of.numerator.form != "sum"
        nothing: Any = Counts(np.zeros(0, np.int64), np.zeros((0, 64), np.int64)) if counted else NOTHING
        numerator = sums["numerator"].get(key, nothing)
        immature = int(sums.get("immature", {}).get(key, NOTHING).sum())
        base = NOTHING if self.it.denominator else self.tally.by(_BASE, (), ()).get((), NOTHING)
        below, units = (sums.get(name, {}).get(key, NOTHING) for name in ("denominator", "units"))
        return figure(self.it, numerator, below, units, immature, base)

    def _gaps(self, sums: dict[str, dict[Key, Any]], keys: Iterable[Key]) -> Iterator[tuple[Key, Figure]]:
        """The last part of a key is the dimension that is compared."""
        parts: dict[Key, dict[str, tuple[np.ndarray, np.ndarray]]] = {}
        others: dict[Key, list[int]] = {}
        for *rest, name in keys:
            key, full = tuple(rest), (*rest, name)
            above, below, units, waiting = (
                sums.get(part, {}).get(full, NOTHING) for part in ("numerator", "denominator", "units", "immature")
            )
            parts.setdefault(key, {})[name] = (above, below)
            counted = others.setdefault(key, [0, 0])
            counted[0] += int(units.sum())
            counted[1] += int(waiting.sum())
        for key, found in parts.items():
            yield key, gap(self.it, found, *others[key])

    def _nothing(self) -> Figure:
        """What a metric says of no rows at all."""
        return gap(self.it, {}, 0, 0) if self.it.across else self._figure({"numerator": {}}, ())

    def _has_begun(self, dims: Key, key: Key) -> bool:
        return shapes.MONTH not in dims or key[dims.index(shapes.MONTH)] <= f"{self.frame.last_month:%Y-%m}"

    def _slice(self, by: Key, key: Key, part: Figure) -> Slice:
        dims = dict(zip(by, key, strict=True))
        first, end = (f"{moment:%Y-%m}" for moment in self.frame.whole_months)
        partial = shapes.MONTH in dims and (part.immature > 0 or not first <= dims[shapes.MONTH] < end)
        return Slice(**vars(part), dims=dims, partial=partial)


def by_group(
    asked: Sequence[tuple[Question, Sequence[int]]], source: InMemory, parts: int = 1
) -> list[dict[str, np.ndarray]]:
    """What each question's metrics that are no queries say of every group alone, by id: float64[64], NaN where
    undefined.

    The facts are of several parts of a population, part i with the groups from 64 i on. Each question is about some of
    them, and all are answered by one scan.
    """
    wanted = dict.fromkeys(it for question, _ in asked for it in question.wanted)
    # Worlds are looked at by several processes at once, so each has one thread.
    with (
        _connection(source, [measure for measure, _ in wanted], threads=1) as connection,
        Scan(connection, wanted, at_once=1, groups=GROUPS * parts) as scanning,
    ):
        tally = scanning.tally()
    return [question.values_by_group(tally, those) for question, those in asked]


def _at_once(source: Source) -> int:
    """Scans that are asked at the same time; facts in memory are seen by one connection alone."""
    return 1 if isinstance(source, InMemory) else THREADS


def _connection(source: Source, measures: Iterable[Measure], threads: int = THREADS) -> duckdb.DuckDBPyConnection:
    wanted = list(measures)
    needed = {measure.fact for measure in wanted}
    is_constant = any(measure.is_constant for measure in wanted)
    facts = [fact for fact in FACTS if fact.name in needed]
    return connect_to(source, facts, threads=threads, with_constant=is_constant)
