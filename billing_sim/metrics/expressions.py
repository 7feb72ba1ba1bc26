"""SQL of definitions, checked against the columns of its fact before it runs: one expression over one row, no more.

DuckDB itself parses and binds it, so what passes here is what will run. Queries inside an expression, aggregates and
windows are refused: a measure is a sum over rows of its own fact.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from billing_sim.facts.schema import FACTS, Fact
from billing_sim.metrics.catalogue import unknown
from billing_sim.metrics.connection import empty_facts
from billing_sim.metrics.definition import Definition, Population

_Complaint = tuple[str, str]
_SUMMABLE = ("BOOLEAN", "UTINYINT", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_BY_NAME = {fact.name: fact for fact in FACTS}


def problems(definition: Definition) -> list[tuple[str, str, str]]:
    """What is wrong with the SQL of a definition: (field, what, remedy) each; empty when it can be computed."""
    with empty_facts() as connection:
        own = list(_population(connection, definition))
        if definition.fact in _BY_NAME:
            own += _check(connection, definition, "numerator", definition.numerator, is_condition=False)
        over = definition.denominator_units
        if definition.over:
            own += [(f"over.{field}", what, remedy) for field, what, remedy in _population(connection, over)]
        if definition.denominator and over.fact in _BY_NAME:
            own += _check(connection, over, "denominator", definition.denominator, is_condition=False)
    return own


def _population(connection: duckdb.DuckDBPyConnection, units: Population) -> Iterator[tuple[str, str, str]]:
    fact = _BY_NAME.get(units.fact)
    if fact is None:
        yield "fact", unknown("fact", units.fact, _BY_NAME), ""
        return
    moments = [column.name for column in fact.columns if column.storage in ("timestamp", "date")]
    if units.clock not in moments:
        yield "clock", unknown(f"time in {fact.name} called", units.clock, moments), ""
    if units.where:
        yield from _check(connection, units, "where", units.where, is_condition=True)


def _check(
    connection: duckdb.DuckDBPyConnection, units: Population, field: str, sql: str, *, is_condition: bool
) -> list[tuple[str, str, str]]:
    complaint = _shape(connection, sql) or _columns(connection, _BY_NAME[units.fact], sql)
    complaint = complaint or _binding(connection, units.fact, sql, is_condition)
    return [(field, *complaint)] if complaint else []


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    row = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT {sql}"]).fetchone()
    assert row is not None
    tree: dict[str, Any] = json.loads(row[0])
    return tree


def _shape(connection: duckdb.DuckDBPyConnection, sql: str) -> _Complaint | None:
    """Refuse what is not exactly one expression."""
    tree = _tree(connection, sql)
    if tree["error"]:
        what = f"this is not an SQL expression: {tree['error_message']}"
        return what, "Write a condition or a sum's term over one row."
    if len(tree["statements"]) != 1 or "--" in sql or "/*" in sql:
        return "this is more than one expression", "Write one expression, without comments."
    node = tree["statements"][0]["node"]
    kinds = {item.get("class") for item in _walk(node["select_list"])}
    is_bare = node["type"] == "SELECT_NODE" and node["from_table"]["type"] == "EMPTY" and len(node["select_list"]) == 1
    extras = ("where_clause", "having", "qualify", "sample", "modifiers", "group_expressions")
    if not is_bare or any(node[extra] for extra in extras):
        return "this is a query, not an expression", "Keep the part after SELECT; conditions go into `where`."
    if kinds & {"SUBQUERY", "WINDOW", "STAR", "LAMBDA"}:
        return "an expression looks at one row only: no queries, windows or stars in it", "Use the columns of the fact."
    return None


def _walk(tree: Any) -> Iterator[dict[str, Any]]:
    pending = [tree]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            yield item
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)


def _columns(connection: duckdb.DuckDBPyConnection, fact: Fact, sql: str) -> _Complaint | None:
    known = [column.name for column in fact.columns]
    for item in _walk(_tree(connection, sql)):
        if item.get("class") == "COLUMN_REF" and item["column_names"][-1] not in known:
            return unknown(f"column in {fact.name} called", item["column_names"][-1], known), ""
    return None


def _binding(connection: duckdb.DuckDBPyConnection, fact: str, sql: str, is_condition: bool) -> _Complaint | None:
    """Let DuckDB bind it where aggregates are not allowed, and look at its type."""
    try:
        connection.execute(f"EXPLAIN SELECT 1 FROM {fact} WHERE ({sql}) IS NOT NULL")
        row = connection.execute(f"DESCRIBE SELECT ({sql}) FROM {fact}").fetchone()
    except duckdb.Error as error:
        return str(error).split("\n", 1)[0], "Look at the columns with `billing-sim schema facts`."
    assert row is not None
    if is_condition and row[1] != "BOOLEAN":
        return f"a condition is needed, this is {row[1]}", "Compare it with something."
    if not is_condition and row[1] not in _SUMMABLE:
        return (
            f"only conditions and whole numbers are summed, this is {row[1]}",
            "Cast or compare it.",
        )
    return None
