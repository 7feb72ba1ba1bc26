"""Sums as they come out of the scans, at the finest split, and merged to any coarser one.

Totals are never computed beside the slices: they are merged from them, so the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import duckdb

from billing_sim.errors import QueryError
from billing_sim.metrics import measures as sql
from billing_sim.metrics import shapes
from billing_sim.metrics.histogram import bucket_of, merged
from billing_sim.metrics.measures import Measure

Key: TypeAlias = tuple[str, ...]
Sum: TypeAlias = int | dict[int, int]


@dataclass(frozen=True)
class Tally:
    """The sums of measures, each split by the dimensions of its fact's scan."""

    split: Mapping[str, Key]
    sums: Mapping[Measure, Mapping[Key, Sum]]

    def by(self, measure: Measure, dims: Key, month: str = "") -> dict[Key, Sum]:
        """The sums of a measure merged to these dimensions, of one month only when it is named."""
        split = self.split[measure.fact]
        places = [split.index(name) for name in dims]
        groups: dict[Key, list[Sum]] = {}
        for key, found in self.sums[measure].items():
            if not month or key[split.index("month")] == month:
                groups.setdefault(tuple(key[i] for i in places), []).append(found)
        return {key: _together(found) for key, found in groups.items()}


def scan(connection: duckdb.DuckDBPyConnection, measures: Collection[Measure], split: Mapping[str, Key]) -> Tally:
    """Compute all measures: one statement per fact (or per clock when months are told apart), one per histogram.

    QueryError when the facts cannot be read or a definition's SQL fails on them.
    """
    try:
        return _scan(connection, measures, split)
    except duckdb.Error as error:
        raise QueryError(f"The metrics cannot be computed: {error}") from None


def _scan(connection: duckdb.DuckDBPyConnection, measures: Collection[Measure], split: Mapping[str, Key]) -> Tally:
    sums: dict[Measure, Mapping[Key, Sum]] = {}
    is_condition = sql.condition_expressions(connection, measures)
    for fact in dict.fromkeys(measure.fact for measure in measures):
        own = [measure for measure in measures if measure.fact == fact and not measure.is_histogram]
        for statement in shapes.packed(own, split[fact], is_condition):
            sums |= _sums(connection, statement)
    for measure in measures:
        if measure.is_histogram:
            sums[measure] = _histogram(connection, measure, split[measure.fact])
    return Tally(split, sums)


def _sums(connection: duckdb.DuckDBPyConnection, statement: shapes.Shapes) -> dict[Measure, Mapping[Key, Sum]]:
    rows = connection.execute(statement.statement()).fetchall()
    width = len(statement.dims)
    columns = enumerate(statement.measures, start=width)
    return {measure: {row[:width]: int(row[i] or 0) for row in rows} for i, measure in columns}


def _histogram(connection: duckdb.DuckDBPyConnection, measure: Measure, dims: Key) -> dict[Key, Sum]:
    found: dict[Key, dict[int, int]] = {}
    for *key, value, count in connection.execute(shapes.counts(measure, dims)).fetchall():
        buckets = found.setdefault(tuple(key), {})
        bucket = bucket_of(value)
        buckets[bucket] = buckets.get(bucket, 0) + count
    return dict(found)


def _together(found: list[Sum]) -> Sum:
    if isinstance(found[0], dict):
        return merged(part for part in found if isinstance(part, dict))
    return sum(part for part in found if isinstance(part, int))
