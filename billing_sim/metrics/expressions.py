"""SQL of definitions, checked against the columns of its fact before it runs: one expression over one row, no more.

DuckDB itself parses and binds it, so what passes here is what will run. What it may be made of is a list
(`billing_sim.metrics.allowed`); what it must come to depends on the field: a condition, a whole number, a moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from billing_sim import clock
from billing_sim.errors import QueryError
from billing_sim.facts.schema import FACTS, Fact
from billing_sim.metrics.allowed import Complaint, columns_of, complaint
from billing_sim.metrics.connection import empty_facts
from billing_sim.metrics.constant import twins
from billing_sim.metrics.definition import Definition, Population
from billing_sim.metrics.happening import names_table, rows_meant
from billing_sim.metrics.names import unknown
from billing_sim.metrics.source import Others

Wrong = tuple[str, str, str]
"""The field as in `window.of`, what is wrong with it, and what to do."""

_WHOLE = ("UTINYINT", "TINYINT", "USMALLINT", "SMALLINT", "UINTEGER", "INTEGER", "UBIGINT", "BIGINT", "HUGEINT")
_BY_NAME = {fact.name: fact for fact in FACTS}


@dataclass(frozen=True)
class _Need:
    """What the SQL of a field must come to."""

    types: tuple[str, ...]
    what: str
    remedy: str


_CONDITION = _Need(("BOOLEAN",), "a condition is needed", "Compare it with something.")
_NUMBER = _Need(_WHOLE, "a whole number is needed", "Name a column of whole numbers, or cast to BIGINT.")
_TERM = _Need(("BOOLEAN", *_WHOLE), "only conditions and whole numbers are summed", "Cast it to BIGINT or compare it.")
_MOMENT = _Need(("TIMESTAMP", "DATE"), "a moment is needed", "Name a column with a time, or shift one by an INTERVAL.")

_OVER_ROW: dict[str, _Need] = {
    "weight": _NUMBER,
    "window.of": _MOMENT,
    "window.since": _MOMENT,
    "since": _MOMENT,
    "event": _MOMENT,
    "competing": _MOMENT,
    "enters": _MOMENT,
}
"""Fields over one row of the definition's own fact, besides its population and its numerator."""


def problems(definition: Definition, others: Others | None = None) -> list[Wrong]:
    """What is wrong with the SQL of a definition: (field, what, remedy) each; empty when it can be computed.

    Queries may read `others` besides the facts.
    """
    if definition.sql:
        from billing_sim.metrics.queries import complaints

        found = [("sql", what, remedy) for what, remedy in complaints(definition.sql, others)]
        return [*found, *_of_a_table(definition.once)]
    with empty_facts() as connection:
        return list(_problems(connection, definition))


def _of_a_table(once: str) -> Iterator[Wrong]:
    """What is wrong with the table, and its condition, whose rows let views show a query."""
    from billing_sim.metrics.queries import complaints

    if not once:
        return
    try:
        asked = rows_meant(once)
    except QueryError as error:
        yield "once", str(error), ""
        return
    for what, _ in complaints(asked, None):
        yield "once", what, "Write a table, or `a_table WHERE condition`."


def _problems(connection: duckdb.DuckDBPyConnection, it: Definition) -> Iterator[Wrong]:
    yield from _population(connection, it, "")
    if it.over:
        yield from _population(connection, it.over, "over.")
    own, below = _BY_NAME.get(it.fact), _BY_NAME.get(it.denominator_units.fact)
    if own:
        yield from _check(connection, own, "numerator", it.numerator, _CONDITION if it.weight else _TERM)
        for field, need in _OVER_ROW.items():
            yield from _check(connection, own, field, _value(it, field), need)
        if names_table(it):
            yield from _of_a_table(it.once)
        else:
            yield from _check(connection, own, "once", it.once, _CONDITION)
        yield from _compared(it, own)
    if below:
        yield from _check(connection, below, "denominator", it.denominator, _TERM)
    if it.money == "constant":
        yield from _constant(connection, it)
    yield from _age(it)


def _population(connection: duckdb.DuckDBPyConnection, units: Population, prefix: str) -> Iterator[Wrong]:
    fact = _BY_NAME.get(units.fact)
    if fact is None:
        yield f"{prefix}fact", unknown("fact", units.fact, _BY_NAME), ""
        return
    moments = [column.name for column in fact.columns if column.storage in ("timestamp", "date")]
    if units.clock not in moments:
        yield f"{prefix}clock", unknown(f"time in {fact.name} called", units.clock, moments), ""
    yield from _check(connection, fact, f"{prefix}where", units.where, _CONDITION)
    for condition in units.exclude:
        for field, what, remedy in _check(connection, fact, f"{prefix}exclude", condition, _CONDITION):
            yield field, f"{condition}: {what}", remedy


def _value(it: Definition, field: str) -> str:
    """The SQL of a field; empty when there is none."""
    part, _, name = field.rpartition(".")
    holder = getattr(it, part) if part else it
    return getattr(holder, name) if holder else ""


def _check(connection: duckdb.DuckDBPyConnection, fact: Fact, field: str, sql: str, need: _Need) -> Iterator[Wrong]:
    if not sql:
        return
    columns = [column.name for column in fact.columns]
    wrong = complaint(connection, sql, fact.name, columns) or _binding(connection, fact.name, sql, need)
    if wrong:
        yield field, *wrong


def _binding(connection: duckdb.DuckDBPyConnection, fact: str, sql: str, need: _Need) -> Complaint | None:
    """Let DuckDB bind it where aggregates are not allowed, and look at its type."""
    try:
        connection.execute(f"EXPLAIN SELECT 1 FROM {fact} WHERE ({sql}) IS NOT NULL")
        row = connection.execute(f"DESCRIBE SELECT ({sql}) FROM {fact}").fetchone()
    except duckdb.Error as error:
        return str(error).split("\n", 1)[0], "Look at the columns with `billing-sim schema facts`."
    assert row is not None
    return None if row[1] in need.types else (f"{need.what}, this is {row[1]}", need.remedy)


def _compared(it: Definition, fact: Fact) -> Iterator[Wrong]:
    """The dimension of a gap must be a column of its fact."""
    if it.across and it.across != "month" and it.across not in [column.name for column in fact.columns]:
        labels = [column.name for column in fact.columns if column.vocabulary]
        yield "across", unknown(f"dimension in {fact.name} called", it.across, labels), ""


def _constant(connection: duckdb.DuckDBPyConnection, it: Definition) -> Iterator[Wrong]:
    """At constant rates every amount is replaced by its twin, which its fact must have."""
    below = it.denominator_units.fact
    for field, name in (("numerator", it.fact), ("weight", it.fact), ("where", it.fact), ("denominator", below)):
        fact, sql = _BY_NAME.get(name), _value(it, field)
        if fact is None or not sql or complaint(connection, sql, name, [column.name for column in fact.columns]):
            continue
        for column in columns_of(connection, sql):
            if column.endswith("_micros") and column.removesuffix("_micros") not in twins(fact):
                yield "money", f"{field}: `{column}` of {name} is known at the rates of its day only", "Write spot."


def _age(it: Definition) -> Iterator[Wrong]:
    try:
        if it.by_age:
            clock.parse_duration(it.by_age)
    except ValueError:
        yield "by_age", f"{it.by_age!r} is no duration", "Write one such as 14 days."
