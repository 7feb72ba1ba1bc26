"""Sums as they come out of the scans, at the finest split, and merged to any coarser one.

Totals are never computed beside the slices: they are merged from them, so the two cannot disagree. Everything is kept
apart for the 64 groups of subscribers, of which each may be left out to see how much the number depends on luck.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, TypeAlias

import duckdb
import numpy as np
import pyarrow as pa

from billing_sim.errors import QueryError, RunError
from billing_sim.metrics import measures as sql
from billing_sim.metrics import shapes
from billing_sim.metrics.measures import Measure
from billing_sim.metrics.unreadable import is_about_files, unreadable

GROUPS = 64
Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Counts:
    """Units by value: `values` int64[n] ascending, `counts` int64[n, 64] by group (n may hold values of nobody)."""

    values: np.ndarray
    counts: np.ndarray


Sum: TypeAlias = np.ndarray | Counts
"""int64[64]: a sum by group of subscribers, or counts by value."""

NOTHING = np.zeros(GROUPS, np.int64)


def of_parts(found: Sum, parts: Sequence[int]) -> Sum:
    """A sum of some parts of a population together, where part i has the groups from 64 i on."""
    if isinstance(found, Counts):
        return Counts(found.values, _together(found.counts, parts))
    return _together(found, parts)


def _together(sums: np.ndarray, parts: Sequence[int]) -> np.ndarray:
    apart = sums.reshape(*sums.shape[:-1], sums.shape[-1] // GROUPS, GROUPS)
    whole: np.ndarray = apart[..., list(parts), :].sum(axis=-2)
    return whole


@dataclass(frozen=True)
class _Rows:
    """What one statement answered: a key for each row, its group, and a column for each measure or value."""

    keys: list[Key]
    codes: np.ndarray
    group: np.ndarray
    columns: dict[Measure, np.ndarray]
    groups: int

    def total(self, measure: Measure, places: list[int], only: tuple[int, str] | None) -> dict[Key, np.ndarray]:
        """Sums by the parts of the keys at `places`, of the keys with a given part only when asked."""
        names, target = _coarser(self.keys, places, only)
        sums = np.zeros((len(names), self.groups), np.int64)
        rows = target[self.codes]
        kept = rows >= 0
        np.add.at(sums, (rows[kept], self.group[kept]), self.columns[measure][kept])
        return dict(zip(names, sums, strict=True))


@dataclass(frozen=True)
class _Values:
    """What a statement that counts values answered."""

    keys: list[Key]
    codes: np.ndarray
    group: np.ndarray
    values: np.ndarray
    count: np.ndarray
    groups: int

    def total(self, places: list[int], only: tuple[int, str] | None) -> dict[Key, Counts]:
        names, target = _coarser(self.keys, places, only)
        rows = target[self.codes]
        found = {}
        for i, name in enumerate(names):
            here = rows == i
            values, at = np.unique(self.values[here], return_inverse=True)
            counts = np.zeros((len(values), self.groups), np.int64)
            np.add.at(counts, (at, self.group[here]), self.count[here])
            found[name] = Counts(values, counts)
        return found


Wanted: TypeAlias = tuple[Measure, Key]
"""A measure and the dimensions by which it is split."""


@dataclass(frozen=True)
class Tally:
    """The sums of measures, each split by the dimensions of its scan."""

    rows: Mapping[Wanted, _Rows | _Values]

    def by(self, measure: Measure, split: Key, dims: Key, month: str = "") -> dict[Key, Any]:
        """The sums of a measure, of its scan split so, merged to some of the dimensions; of one month when named."""
        places = [split.index(name) for name in dims]
        only = (split.index("month"), month) if month else None
        rows = self.rows[measure, split]
        return rows.total(places, only) if isinstance(rows, _Values) else rows.total(measure, places, only)


class Scan:
    """The scans of some measures on their way: one per fact and split, and one per histogram, several at once.

    While the database answers one, Python puts another together (measured: a sixth of the time of all views).

    >>> with Scan(connection, wanted, at_once=2) as scanning:  # doctest: +SKIP
    ...     tally = scanning.tally()
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, wanted: Collection[Wanted], at_once: int, groups: int = GROUPS
    ) -> None:
        # What a connection alone can see, its cursors cannot.
        ask = connection.cursor if at_once > 1 else lambda: connection
        self._pool = ThreadPoolExecutor(at_once, "billing-sim-scan")
        try:
            self._scans = [self._pool.submit(look, ask()) for look in _looks(connection, wanted, groups)]
        except duckdb.Error as error:
            raise _failed(error) from None

    def __enter__(self) -> Scan:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def tally(self) -> Tally:
        """All sums; RunError when the facts cannot be read, QueryError when a definition's SQL fails on them."""
        found: dict[Wanted, _Rows | _Values] = {}
        try:
            for it in self._scans:
                found |= it.result()
        except duckdb.Error as error:
            raise _failed(error) from None
        return Tally(found)


def _failed(error: duckdb.Error) -> QueryError | RunError:
    if is_about_files(error):
        return unreadable(error)
    return QueryError(f"The metrics cannot be computed: {error}")


_Look: TypeAlias = Callable[[duckdb.DuckDBPyConnection], dict[Wanted, _Rows | _Values]]


def _looks(connection: duckdb.DuckDBPyConnection, wanted: Collection[Wanted], groups: int) -> Iterator[_Look]:
    """What has to be asked, the scans of whole facts first."""
    is_condition = sql.condition_expressions(connection, [measure for measure, _ in wanted])
    summed: dict[tuple[str, Key], list[Measure]] = {}
    for measure, split in wanted:
        if measure.form == "sum":
            summed.setdefault((measure.fact, split), []).append(measure)
    for (fact, split), measures in summed.items():
        plan = shapes.Shapes(fact, split, is_condition)
        plan.add(measures)
        yield partial(_summed, plan, split, groups)
    for measure, split in wanted:
        if measure.form != "sum":
            yield partial(_counted, measure, split, groups)


def _summed(
    plan: shapes.Shapes, split: Key, groups: int, connection: duckdb.DuckDBPyConnection
) -> dict[Wanted, _Rows | _Values]:
    table = _named(connection, plan.statement)
    found: dict[Wanted, _Rows | _Values] = {}
    for clock in plan.clocks:
        rows = _totals(plan, table, clock, groups)
        found |= {(measure, split): rows for measure in rows.columns}
    return found


def _counted(
    measure: Measure, split: Key, groups: int, connection: duckdb.DuckDBPyConnection
) -> dict[Wanted, _Rows | _Values]:
    return {(measure, split): _values(connection, shapes.counts(measure, split), len(split), groups)}


def _totals(plan: shapes.Shapes, table: Mapping[str, pa.ChunkedArray], clock: str, groups: int) -> _Rows:
    """The sums of the measures with this clock, by dimensions and group.

    Hundreds of filtered sums over a few thousand shapes: the database takes longer to plan them than they take here.
    """
    numbers = {name: _whole(name, column) for name, column in table.items() if name[0] in "bsu"}
    group = _numbers(table["of_group"]).astype(np.int64)
    keys, codes = _keyed([table[name] for name in plan.keys(clock)], len(group))
    order = np.argsort(codes * groups + group, kind="stable")
    codes, group = codes[order], group[order]
    firsts = np.flatnonzero(np.diff(codes * groups + group, prepend=-1))
    numbers = {name: values[order] for name, values in numbers.items()}
    found = {}
    for measure in plan.of(clock):
        values = numbers[plan.column(measure)]
        for word, places, wanted in plan.tests(measure):
            values = np.where(numbers[word] & places == wanted, values, 0)
        found[measure] = np.add.reduceat(values, firsts)
    return _Rows(keys, codes[firsts], group[firsts], found, groups)


def _values(connection: duckdb.DuckDBPyConnection, statement: str, width: int, groups: int) -> _Values:
    columns = _columns(connection, statement)
    keys, codes = _keyed(columns[:width], len(columns[width]))
    group, values, count = map(_numbers, columns[width:])
    return _Values(keys, codes, group.astype(np.int64), values, count, groups)


def _columns(connection: duckdb.DuckDBPyConnection, statement: str) -> list[pa.ChunkedArray]:
    """The answer by position: two columns may have the same name."""
    return list(connection.sql(statement).to_arrow_table().columns)


def _named(connection: duckdb.DuckDBPyConnection, statement: str) -> dict[str, pa.ChunkedArray]:
    """The answer by the names of its columns."""
    table = connection.sql(statement).to_arrow_table()
    return dict(zip(table.column_names, table.columns, strict=True))


def _whole(name: str, column: pa.ChunkedArray) -> np.ndarray:
    """A column of shapes as int64; QueryError where a sum over all of them might not fit into that."""
    values = _numbers(column).astype(np.int64)
    if name[0] == "s" and np.abs(values, dtype=np.float64).sum() >= 2.0**63:
        raise QueryError("The metrics cannot be computed: a sum has more than 64 bits.")
    return values


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    """Whole numbers without nulls, read only. Arrow's own `to_numpy` imports pandas first (0.2 s), and so does its
    `combine_chunks` where there are no chunks."""
    return np.from_dlpack(column.combine_chunks()) if len(column) else np.zeros(0, np.int64)


def _keyed(columns: list[pa.ChunkedArray], rows: int) -> tuple[list[Key], np.ndarray]:
    """The different keys, as text, and for each row the number of its key."""
    codes: np.ndarray = np.zeros(rows, np.int64)
    if not rows:
        return [] if columns else [()], codes
    keys: list[Key] = [()]
    for column in columns:
        encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
        names = [_word(value) for value in encoded.dictionary.to_pylist()]
        joint = codes * len(names) + np.from_dlpack(encoded.indices)
        found = np.flatnonzero(np.bincount(joint, minlength=1))
        codes = np.searchsorted(found, joint)
        keys = [(*keys[code // len(names)], names[code % len(names)]) for code in found.tolist()]
    return keys, codes


def _word(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, date):
        return f"{value:%Y-%m}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _coarser(keys: list[Key], places: list[int], only: tuple[int, str] | None) -> tuple[list[Key], np.ndarray]:
    """The keys cut down to these places, and for each full key the number of its coarser one, -1 where left out."""
    names: dict[Key, int] = {}
    target = np.full(len(keys), -1, np.int64)
    for i, key in enumerate(keys):
        name = names.setdefault(tuple(key[place] for place in places), len(names))
        if only is None or key[only[0]] == only[1]:
            target[i] = name
    return list(names), target
