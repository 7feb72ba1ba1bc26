"""Metrics that are queries: the SELECT that a team really runs, joins and mistakes included.

A query sees the facts (or tables exported from them) and returns `period`, `numerator` and `denominator`; further
columns are slices, and a column `group` (0 to 63, as every fact has it) gives the result an interval. What does not
add up over groups, such as the largest of several parts, says itself what it is without each: its column `without` is
null for the result and a group's number for the result without that group. It runs locked in: no files, no network, no
settings, nothing is written, and memory and time are bounded.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import numpy as np
from pydantic import ValidationError

from billing_sim.errors import InputError, Problem, QueryError
from billing_sim.metrics.connection import connect_to, empty_facts, facts_named, reading
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.figures import figure
from billing_sim.metrics.frame import Frame
from billing_sim.metrics.jackknife import with_interval
from billing_sim.metrics.names import unknown
from billing_sim.metrics.result import Figure, Result, Slice
from billing_sim.metrics.shapes import MONTH
from billing_sim.metrics.source import Others, Source
from billing_sim.metrics.steady import unsteady
from billing_sim.metrics.tally import GROUPS

SECONDS = 30.0
MEMORY = "2GB"
ROWS_MAX = 1_000_000
_NEEDED = ("period", "numerator", "denominator")
WITHOUT = "without"
"""The column that says which group a row leaves out; null: none."""


_BASE = """SELECT "group", count(*) FROM subscriptions WHERE started_by = 'imported' GROUP BY ALL"""
_Columns: TypeAlias = dict[str, np.ndarray]

_TOLD = ("id", "view", "tier", "title", "question", "formula", "kind", "unit", "direction", "estimand", "misleads")
"""What comments at the top of a `.sql` file may say."""

_EXAMPLE = "`-- unit: money`, `-- kind: sum` or `-- direction: up` at the top"


def definition_of(path: Path, others: Others | None = None) -> Definition:
    """The metric that a `.sql` file defines, named after the file, over the facts and `others`; InputError if wrong."""
    from billing_sim.scenario.reader import decoded, read_bytes

    text = decoded(read_bytes(path), str(path))
    name = "".join(letter if letter.isalnum() else "_" for letter in path.stem.lower()).strip("_")
    if not name or not name[0].isalpha():
        remedy = "Name it like success_rate.sql."
        raise InputError([Problem(str(path), 0, 0, "The file's name does not begin with a letter.", remedy)])
    if not text.strip():
        raise InputError([Problem(str(path), 1, 1, "The file holds no query.", "Write one SELECT.")])
    fields = {
        "id": name, "view": "product", "tier": "supporting", "title": name.replace("_", " "), "kind": "ratio",
        "question": f"What does {path.name} compute?", "formula": f"numerator / denominator of {path.name}",
        "direction": "neither", "unit": "share", "sql": text, "estimand": "unnamed",
        "misleads": "Nobody has said yet.",
    }  # fmt: skip
    try:
        made = Definition.model_validate(fields | dict(_said(text)))
    except ValidationError as error:
        told = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        remedy = f"Lines such as {_EXAMPLE} say it."
        raise InputError([Problem(str(path), 1, 1, what, remedy) for what in told]) from None
    wrong = [Problem(str(path), line, column, what, remedy) for line, column, what, remedy in _complaints(text, others)]
    if wrong:
        raise InputError(wrong)
    return made


def _said(text: str) -> Iterator[tuple[str, str]]:
    """What the comments at the top of a query say of it: `-- unit: money` and so on."""
    for line in filter(None, map(str.strip, text.splitlines())):
        if not line.startswith("--"):
            return
        key, colon, value = line.removeprefix("--").partition(":")
        if colon and key.strip() in _TOLD:
            yield key.strip(), value.strip()


def complaints(text: str, others: Others | None = None) -> Iterator[tuple[str, str]]:
    """What is wrong with a query, before any data is there: (what, remedy)."""
    for _, _, what, remedy in _complaints(text, others):
        yield what, remedy


def _complaints(text: str, others: Others | None) -> Iterator[tuple[int, int, str, str]]:
    """The same with line and column in front."""
    with empty_facts(others) as connection:
        try:
            bound = connection.sql(reading(connection, text))  # not run: it may be endless
            columns, types = bound.columns, bound.types
        except QueryError as error:
            yield 1, 1, str(error), ""
            return
        except duckdb.Error as error:
            yield *_place(connection, text), *_words(str(error))
            return
        for word, what, remedy in unsteady(connection, text):
            yield *_written(text, word), what, remedy
    for needed in _NEEDED:
        if needed not in columns:
            yield 1, 1, f"the query returns no column `{needed}`.", f"It returns {', '.join(columns)}."
    for name, kind in zip(columns, map(str, types), strict=True):
        if kind.endswith("WITH TIME ZONE"):
            remedy = f"Moments of facts are UTC and have none: cast it, for example CAST({name} AS DATE)."
            yield 1, 1, f"the column `{name}` has a time zone.", remedy


def _place(connection: duckdb.DuckDBPyConnection, text: str) -> tuple[int, int]:
    """Line and column of the excerpt that DuckDB shows of a wrong query; column 1 where it shows a line's middle."""
    try:
        connection.execute(f"EXPLAIN\n{text}")
    except duckdb.Error as error:
        if found := re.search(r"^LINE (\d+): (.*)\n( *)\^", str(error), re.MULTILINE):
            column = len(found[3]) - len(f"LINE {found[1]}: ") + 1
            return max(1, int(found[1]) - 1), 1 if found[2].startswith("...") else column
    return 1, 1


def _written(text: str, word: str) -> tuple[int, int]:
    """Line and column at which a word is first written outside of comments at the line's beginning."""
    for line, told in enumerate(text.splitlines(), 1):
        found = None if told.strip().startswith("--") else re.search(rf"\b{re.escape(word)}\b", told, re.IGNORECASE)
        if found:
            return line, found.start() + 1
    return 1, 1


def _words(message: str) -> tuple[str, str]:
    """The first line of DuckDB's message, and what it would rather have read."""
    first, *rest = message.splitlines()
    hint = next((line for line in rest if line.startswith(("Candidate", "Did you mean"))), "")
    hint += "." if hint and hint[-1] not in ".?!" else ""
    return first, f"{hint} Tables and columns are listed by `billing-sim schema facts`.".strip()


def answer(source: Source, it: Definition, by: Sequence[str], frame: Frame, data: str, *, strict: bool) -> Result:
    """The figure of a query in all, and by period or any other columns it returns.

    Without one of the columns it is given in all only, or refused with a QueryError when `strict`.
    """
    columns, base = _run(source, it)
    missing = next((name for name in by if _column(name) not in columns), None)
    if missing is not None and strict:
        raise QueryError(unknown(f"column in {it.id}", missing, [*columns]))
    by = () if missing is not None else by
    total = _figure(it, columns, np.ones(len(columns["numerator"]), bool), base, stock=it.kind == "stock")
    slices = tuple(_slices(it, columns, by, frame, base)) if by else ()
    months = tuple(_slices(it, columns, (MONTH,), frame, base))
    currency = frame.currency if it.unit == "money" else ""
    return Result(
        **vars(total), definition=it, currency=currency, slices=slices, months=months,
        as_of=frame.as_of.isoformat(), data=data,
    )  # fmt: skip


def _column(name: str) -> str:
    return "period" if name == "month" else name


def _run(source: Source, it: Definition) -> tuple[_Columns, np.ndarray]:
    """The query's columns by name, and the members at the start by group.

    QueryError when it fails, takes too long or returns something else.
    """
    with connect_to(source, facts_named(it.sql, _BASE), memory=MEMORY, with_world=True) as connection:
        columns = read(connection, it)
        members = connection.execute(_BASE).fetchall()
    base = np.zeros(GROUPS, np.int64)
    for group, count in members:
        base[group] = count
    return columns, base


def read(connection: duckdb.DuckDBPyConnection, it: Definition) -> dict[str, np.ndarray]:
    """The query's columns by name; QueryError when it fails, takes too long or returns something else."""
    try:
        with _time_limit(connection):
            told = connection.execute(reading(connection, it.sql))
            names = [column[0] for column in told.description or ()]
            rows = told.fetchmany(ROWS_MAX + 1)
    except duckdb.InterruptException:
        raise QueryError(f"{it.id} took longer than {SECONDS:g} s and was stopped.") from None
    except duckdb.Error as error:
        raise QueryError(f"{it.id}: {str(error).splitlines()[0]}") from None
    if len(rows) > ROWS_MAX:
        raise QueryError(f"{it.id} returns more than {ROWS_MAX:,} rows. Group them, for example by month.")
    for needed in _NEEDED:
        if needed not in names:
            raise QueryError(f"{it.id} returns no column `{needed}`; it returns {', '.join(names)}.")
    columns = {name: _values([row[place] for row in rows], name) for place, name in enumerate(names)}
    _check(it, columns)
    return columns


def value(it: Definition, columns: Mapping[str, np.ndarray], group: int | None = None) -> float:
    """What a query says in all, or of one group alone; NaN where it is undefined."""
    rows = np.ones(len(columns["numerator"]), bool) if group is None else columns["group"] == group
    rows = rows & _of_all(columns)
    alone = {name: column[rows] for name, column in columns.items() if name not in ("group", WITHOUT)}
    stock = it.kind == "stock"
    found = _figure(it, alone, np.ones(int(rows.sum()), bool), np.zeros(GROUPS, np.int64), stock=stock).value
    return math.nan if found is None else float(found)


def is_grouped(sql: str) -> bool:
    """Whether a query tells groups of subscribers apart."""
    return "group" in _columns_of(sql)


def leaves_out(sql: str) -> bool:
    """Whether a query says itself what its result is without each group."""
    return WITHOUT in _columns_of(sql)


@cache
def _columns_of(sql: str) -> frozenset[str]:
    with empty_facts() as connection:
        return frozenset(connection.sql(reading(connection, sql)).columns)


def _check(it: Definition, columns: dict[str, np.ndarray]) -> None:
    """QueryError when what should be a number is none, or a group does not exist."""
    is_split = "group" in columns
    for name in ("numerator", "denominator", *(["group"] if is_split else [])):
        wrong = next((value for value in columns[name] if not _is_number(value)), None)
        if wrong is not None:
            raise QueryError(f"{it.id} returns {wrong!r} as `{name}`; it must be a number.")
        broken = next((value for value in columns[name] if value % 1), None) if is_split else None
        if broken is not None:
            raise QueryError(f"{it.id} returns {broken} as `{name}`; beside a column `group` it must be whole.")
    for name in ("group", WITHOUT):
        numbers = [number for number in columns.get(name, ()) if name == "group" or number is not None]
        if not all(_is_number(number) and 0 <= number < GROUPS for number in numbers):
            raise QueryError(f"{it.id} returns a `{name}` that is not between 0 and {GROUPS - 1}.")
    if is_split and WITHOUT in columns:
        raise QueryError(f"{it.id} returns both `group` and `{WITHOUT}`; keep one of the two.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


@contextmanager
def _time_limit(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    timer = threading.Timer(SECONDS, connection.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _values(values: Sequence[Any], name: str) -> np.ndarray:
    """Numbers as they are, null as 0 in sums; anything else as text."""
    if name in ("numerator", "denominator", "group"):
        return np.array([_plain(value) for value in values], dtype=object)
    if name == WITHOUT:
        return np.array(values, dtype=object)
    return np.array([_text(value, name) for value in values], dtype=object)


def _plain(value: Any) -> Any:
    """Null as 0; sums of whole numbers come as decimals."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return 0 if value is None else value


def _text(value: Any, name: str) -> str:
    if value is None:
        return "none"
    return f"{value:%Y-%m}" if name == "period" and hasattr(value, "strftime") else str(value)


def _slices(it: Definition, columns: _Columns, by: Sequence[str], frame: Frame, base: np.ndarray) -> Iterator[Slice]:
    first, end = (f"{moment:%Y-%m}" for moment in frame.whole_months)
    keys = list(zip(*(columns[_column(name)] for name in by), strict=True))
    for key in sorted(set(keys)):
        here = np.array([found == key for found in keys])
        part = _figure(it, columns, here, base, stock=it.kind == "stock" and "period" not in map(_column, by))
        dims = dict(zip(by, key, strict=True))
        partial = MONTH in dims and not first <= dims[MONTH] < end
        yield Slice(**vars(part), dims=dims, partial=partial)


def _figure(it: Definition, columns: _Columns, rows: np.ndarray, base: np.ndarray, *, stock: bool = False) -> Figure:
    if stock:
        rows = rows & (columns["period"] == max((each for each in columns["period"] if each != "none"), default=""))
    if "group" in columns:
        sums = [_by_group(columns, name, rows) for name in ("numerator", "denominator")]
        made = figure(_as_ratio(it), sums[0], sums[1], sums[1], 0, base)
        return replace(made, units=0)  # it says sums, not whom they are about
    whole, above, below = _undivided(it, columns, rows & _of_all(columns))
    if WITHOUT not in columns:
        return whole
    left = [_undivided(it, columns, rows & (columns[WITHOUT] == group)) for group in range(GROUPS)]
    replicates = np.array([np.nan if found.value is None else float(found.value) for found, _, _ in left])
    return with_interval(whole, replicates, sum((a, b) != (above, below) for _, a, b in left))


def _of_all(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """The rows that leave nobody out."""
    rows = columns["numerator"]
    return np.array([group is None for group in columns.get(WITHOUT, [None] * len(rows))], bool)


def _undivided(it: Definition, columns: _Columns, rows: np.ndarray) -> tuple[Figure, Any, Any]:
    """The figure of some rows without an interval, and the two sums that it is made of."""
    above, below = (sum(columns[name][rows]) for name in ("numerator", "denominator"))
    return _made_of(it, above, below), above, below


def _made_of(it: Definition, above: Any, below: Any) -> Figure:
    if it.kind != "ratio":
        return Figure(_money(it, above * it.scale), round(above), 1, 0)
    if not below:
        return Figure(None, round(above), 0, 0, "nothing to divide by")
    return Figure(_money(it, float(above) * it.scale / float(below)), round(above), round(below), 0)


def _as_ratio(it: Definition) -> Definition:
    return it.model_copy(update={"denominator": "denominator"}) if it.kind == "ratio" else it


def _money(it: Definition, value: float) -> float:
    return value / 1_000_000 if it.unit == "money" else value


def _by_group(columns: dict[str, np.ndarray], name: str, rows: np.ndarray) -> np.ndarray:
    sums = np.zeros(GROUPS, np.int64)
    np.add.at(sums, columns["group"][rows].astype(np.int64), columns[name][rows].astype(np.int64))
    return sums
