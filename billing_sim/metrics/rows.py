"""The rows of a fact's files as SQL, with columns that files left out: how every reader opens facts in DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from billing_sim.errors import RunError
from billing_sim.events import Column
from billing_sim.metrics.unreadable import reading_facts
from billing_sim.runs.left_out import IDLE_LABEL, KEY, LeftOut, read_left_out

_TYPES = {
    "i8": "BIGINT", "i4": "INTEGER", "i2": "SMALLINT", "u1": "UTINYINT", "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP WITH TIME ZONE", "date": "DATE",
}  # fmt: skip


def rows_of(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column], files: Sequence[Path]) -> str:
    """The rows of these files of one fact as SQL that stands after FROM, with every column that a file left out.

    The files must be within the connection's reach, now and whenever the SQL is used. RunError when they are damaged.
    """
    names = f"[{', '.join(map(_quoted, files))}]"
    said = _said(connection, names)
    missing = {name: sum(name in each for each in said) for each in said for name in each}
    if not missing:
        return f"read_parquet({names})"
    everywhere = {name for name, count in missing.items() if count == len(files)}
    shown = ", ".join(_shown(column, column.name in missing, column.name in everywhere) for column in columns)
    united = ", union_by_name = true" if len(everywhere) < len(missing) else ""
    return f"(SELECT {shown} FROM read_parquet({names}{united}))"


def _said(connection: duckdb.DuckDBPyConnection, names: str) -> list[LeftOut]:
    """What each of these files left out, of those that left out anything."""
    with reading_facts():
        kept = connection.execute(f"SELECT value FROM parquet_kv_metadata({names}) WHERE key = ?", [KEY.encode()])
        found = kept.fetchall()
    try:
        return [read_left_out(value) for (value,) in found]
    except ValueError as error:
        raise RunError(f"The facts cannot be read: of a file, {error}") from None


def _shown(column: Column, is_missing: bool, is_missing_everywhere: bool) -> str:
    """A column as SQL: as it is, as its idle value, or as either."""
    name = f'"{column.name}"'
    if not is_missing or (not is_missing_everywhere and column.storage in ("timestamp", "date")):
        return name
    if column.storage in ("timestamp", "date"):
        return f"CAST(NULL AS {_TYPES[column.storage]}) AS {name}"
    idle = f"'{IDLE_LABEL}'" if column.vocabulary else f"CAST(0 AS {_TYPES[column.storage]})"
    return f"{idle} AS {name}" if is_missing_everywhere else f"coalesce({name}, {idle}) AS {name}"


def _quoted(file: Path) -> str:
    return "'" + str(file.absolute()).replace("'", "''") + "'"
