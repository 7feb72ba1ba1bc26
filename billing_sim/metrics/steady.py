"""Whether a query says the same whenever it is asked: by chance or by the wall clock it does not.

Worlds are compared seed by seed and what was read is kept, so a number that is drawn anew, or that depends on the day
of asking, would be told as if it were one of the run. The clock of a run is years away from that of the wall.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from billing_sim.metrics.allowed import walk

_OF_CHANCE = frozenset("random setseed uuid gen_random_uuid uuidv4 uuidv7 nextval currval".split())
_OF_THE_CLOCK = frozenset(
    "now today current_date current_time current_timestamp localtime localtimestamp get_current_time "
    "get_current_timestamp transaction_timestamp txid_current".split()
)
_WITHOUT_BRACKETS = frozenset("current_date current_time current_timestamp localtime localtimestamp".split())

Complaint = tuple[str, str, str]
"""The word in the query, what is wrong with it, and what to do about it."""


def unsteady(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[Complaint]:
    """What in a SELECT makes it say something else each time; each once."""
    try:
        row = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    except duckdb.Error:  # DuckDB writes down most statements that read, and not all
        return
    assert row is not None
    yield from dict.fromkeys(filter(None, map(_complaint, walk(json.loads(row[0])))))


def _complaint(node: dict[str, Any]) -> Complaint | None:
    name = _called(node)
    if name in _OF_CHANCE:
        return name, f"`{name}` says something else each time.", "Choose by a column, such as hash(subscriber)."
    if name in _OF_THE_CLOCK:
        remedy = "Take a moment of the data, such as (SELECT max(issued_at) FROM invoices)."
        return name, f"`{name}` is the clock of this computer, not that of the run.", remedy
    sample = node.get("sample")
    if isinstance(sample, dict) and not sample.get("repeatable"):
        return "sample", "A sample is another one each time.", "Choose by a column, such as hash(subscriber)."
    return None


def _called(node: dict[str, Any]) -> str:
    """The function that a node calls; some of the clock are also written without brackets, as a column is."""
    if node.get("class") == "FUNCTION":
        return str(node["function_name"]).lower()
    names = node["column_names"] if node.get("class") == "COLUMN_REF" else []
    return str(names[0]).lower() if len(names) == 1 and str(names[0]).lower() in _WITHOUT_BRACKETS else ""
