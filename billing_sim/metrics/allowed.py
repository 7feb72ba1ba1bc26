"""What an expression of a definition may be made of: DuckDB parses it, and everything in the tree must be on a list.

Whatever is not named here is refused, so that a new release of DuckDB cannot add a way to read a file, to look at
another row or to be random.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

import duckdb

from billing_sim.metrics.names import unknown

Complaint = tuple[str, str]
"""What is wrong, and what to do about it."""

_CLASSES = frozenset("BETWEEN CASE CAST COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION OPERATOR TYPE".split())
_OPERATORS = frozenset(
    "OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL COMPARE_IN COMPARE_NOT_IN OPERATOR_COALESCE".split()
)
_SIGNS = frozenset("+ - * / // %".split())
_TYPES = frozenset(
    "TINYINT SMALLINT INTEGER INT BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT BOOLEAN BOOL DATE TIMESTAMP "
    "DATETIME INTERVAL".split()
)
FUNCTIONS = (
    *("abs", "sign", "floor", "ceil", "ceiling", "round", "trunc", "least", "greatest"),
    *("coalesce", "nullif", "if", "ifnull"),
    *("date_diff", "datediff", "date_trunc", "datetrunc", "date_part", "datepart", "extract", "epoch_us", "timezone"),
    *("year", "quarter", "month", "week", "day", "isodow", "dayofweek", "hour", "minute", "second"),
    *("to_years", "to_months", "to_weeks", "to_days", "to_hours", "to_minutes", "to_seconds"),
    *("to_milliseconds", "to_microseconds"),
)
"""What an expression may call, besides arithmetic, comparisons, AND, OR, NOT, CASE, CAST, BETWEEN, IN and IS NULL."""

_ONE_ROW = "an expression looks at one row only: no queries, windows or stars in it"
_OTHER_ROWS = frozenset("SUBQUERY WINDOW STAR LAMBDA".split())
_PATTERNS = {"~~": "LIKE", "!~~": "NOT LIKE", "~~*": "ILIKE", "!~~*": "NOT ILIKE", "~~~": "GLOB"}
_EITHER = {"max": "greatest", "min": "least"}
_EXTRAS = ("where_clause", "having", "qualify", "sample", "modifiers", "group_expressions")


def complaint(connection: duckdb.DuckDBPyConnection, sql: str, fact: str, columns: Collection[str]) -> Complaint | None:
    """Why a text is not one allowed expression over the columns of a fact; None when it is."""
    tree = _tree(connection, sql)
    if tree["error"]:
        return (
            f"this is not an SQL expression: {tree['error_message']}",
            "Write a condition or a sum's term over one row.",
        )
    if len(tree["statements"]) != 1 or _has_comment(sql):
        return "this is more than one expression", "Write one expression, without comments."
    node = tree["statements"][0]["node"]
    if not _is_bare(node):
        return "this is a query, not an expression", "Keep the part after SELECT; conditions go into `where`."
    if len(node["select_list"]) != 1 or node["select_list"][0].get("alias"):
        return "this is more than one expression", "Write one expression, without a comma or a name behind it."
    below_trunc = {id(it) for part in walk(node) if part.get("function_name") == "trunc" for it in walk(part)}
    found = (_refusal(it, id(it) in below_trunc) for it in walk(node["select_list"]))
    return next(filter(None, found), None) or _columns(node, fact, columns)


def columns_of(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    """The columns that an expression names, each once."""
    found = (it["column_names"][-1] for it in walk(_tree(connection, sql)) if it.get("class") == "COLUMN_REF")
    return list(dict.fromkeys(found))


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    row = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT {sql}"]).fetchone()
    assert row is not None
    tree: dict[str, Any] = json.loads(row[0])
    return tree


def _has_comment(sql: str) -> bool:
    return any(kind == duckdb.token_type.comment for _, kind in duckdb.tokenize(sql))


def _is_bare(node: dict[str, Any]) -> bool:
    is_select = node["type"] == "SELECT_NODE" and node["from_table"]["type"] == "EMPTY"
    return is_select and not any(node[extra] for extra in _EXTRAS)


def walk(tree: Any) -> Iterator[dict[str, Any]]:
    """Every mapping of a tree, in the order of the text."""
    pending = [tree]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            yield item
            pending.extend(reversed(item.values()))
        elif isinstance(item, list):
            pending.extend(reversed(item))


def _refusal(node: dict[str, Any], is_rounded: bool) -> Complaint | None:
    """Why a node of the tree is not allowed."""
    kind = node.get("class")
    if kind is None:
        return None
    if kind in _OTHER_ROWS:
        return _ONE_ROW, "Use the columns of the fact; a whole query goes into `sql`."
    if kind not in _CLASSES or (kind == "OPERATOR" and node["type"] not in _OPERATORS):
        said = node["type"].lower().replace("_", " ")
        return f"{said} is not among what an expression may hold", "Compare and compute with plain columns."
    if kind == "CAST":
        return _cast(node, is_rounded)
    return _call(node["function_name"].lower()) if kind == "FUNCTION" else None


def _cast(node: dict[str, Any], is_rounded: bool) -> Complaint | None:
    """INTERVAL 3 DAY is parsed as to_days(CAST(trunc(CAST(3 AS DOUBLE)) AS INTEGER)), so DOUBLE is allowed in there."""
    name = str(node["type_expr"]["type_name"] if "type_expr" in node else node["cast_type"]["id"]).upper()
    if name in _TYPES or (name == "DOUBLE" and is_rounded):
        return None
    return f"a cast to {name} is not allowed", "Cast to BIGINT, BOOLEAN, DATE or TIMESTAMP only."


def _call(name: str) -> Complaint | None:
    if name in FUNCTIONS or name in _SIGNS:
        return None
    if name in _aggregates():
        other = f" For one row, {_EITHER[name]}(a, b) takes several columns." if name in _EITHER else ""
        return f"`{name}` aggregates; write the term of the sum, the engine sums it once.", other.strip()
    if not name.isidentifier():
        return (
            f"{_PATTERNS.get(name, name)} is not allowed",
            "Compare with =, <, BETWEEN or IN; compute with + - * / //.",
        )
    return unknown("function", name, FUNCTIONS), f"Allowed are {', '.join(FUNCTIONS)}."


@cache
def _aggregates() -> frozenset[str]:
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        rows = connection.execute("SELECT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'")
        return frozenset(name for (name,) in rows.fetchall())


def _columns(node: dict[str, Any], fact: str, columns: Collection[str]) -> Complaint | None:
    for it in walk(node["select_list"]):
        if it.get("class") != "COLUMN_REF":
            continue
        *before, name = it["column_names"]
        if before and before != [fact]:
            return (
                f"`{'.'.join([*before, name])}` is not a column",
                f"Write a column of {fact} alone, such as `{name}`.",
            )
        if name not in columns:
            return unknown(f"column in {fact} called", name, columns), "All are listed by `billing-sim schema facts`."
    return None
