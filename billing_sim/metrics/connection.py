"""A DuckDB connection that sees the facts of one run and nothing else on the machine.

Times become plain UTC timestamps on the way: with a zone, DuckDB would need its calendar for every row (measured: date
arithmetic 3 to 6 times as slow) and Python a time zone package to read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import duckdb

from billing_sim import clock
from billing_sim.errors import QueryError, RunError
from billing_sim.events import COLUMNS, WORLD_COLUMNS, Column
from billing_sim.facts.schema import FACTS, Fact
from billing_sim.metrics import constant
from billing_sim.metrics.rows import rows_of
from billing_sim.metrics.source import InMemory, Others, Source, WithTables

THREADS = 2
_DATABASES = 16
"""Databases kept open: questions about one run name its facts in about so many combinations."""

_Table: TypeAlias = tuple[str, Sequence[Column], Sequence[Path]]
_READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
_TYPES = {
    "i8": "BIGINT", "i4": "INTEGER", "i2": "SMALLINT", "u1": "UTINYINT",
    "bool": "BOOLEAN", "timestamp": "TIMESTAMP", "date": "DATE", "text": "VARCHAR",
}  # fmt: skip


def connect(source: Source, events: Sequence[Path] = (), *, threads: int = THREADS) -> duckdb.DuckDBPyConnection:
    """A locked connection with a view for each fact, `world_events`, and `events` when the log's files are given.

    No other file can be read, no setting changed; the sealed truth is out of reach.
    """
    tables = [(fact.name, fact.columns, source.facts_files(fact.name)) for fact in FACTS]
    if events:
        tables.append(("events", COLUMNS, events))
    connection = duckdb.connect(":memory:", config={"threads": threads})
    write_world_events(connection, source.world_events())
    try:
        for name, columns, files in tables:
            _view(connection, name, columns, files, "")
    except duckdb.Error as error:
        raise RunError(f"The facts cannot be read: {str(error).splitlines()[0]}") from None
    _lock(connection, (file for _, _, files in tables for file in files))
    return connection


def connect_to(
    source: Source,
    facts: Iterable[Fact],
    *,
    threads: int = THREADS,
    memory: str = "",
    with_constant: bool = False,
    with_world: bool = False,
) -> duckdb.DuckDBPyConnection:
    """The same with a view for each of these facts only; `memory` bounds what a query may use, such as 2GB.

    With `with_constant` there is a column `x_constant` for every `x_micros`, at the rates of the run's start; with
    `with_world` a table `world_events`.
    """
    wanted = list(facts)
    tables = [(fact.name, fact.columns, source.facts_files(fact.name)) for fact in wanted]
    told = source.world_events() if with_constant else []
    more = {fact.name: constant.columns(fact, told) for fact in wanted} if with_constant else {}
    limits: dict[str, Any] = {"memory_limit": memory, "max_temp_directory_size": "0B"} if memory else {}
    others = source.more_tables if isinstance(source, WithTables) else {}
    readable = [*(files for _, _, files in tables), *others.values()]
    config = tuple(sorted({"threads": threads, **limits}.items()))
    connection = _database(config, tuple(file.absolute() for files in readable for file in files)).cursor()
    if with_world:
        write_world_events(connection, source.world_events(), "TEMP TABLE")
    try:
        for name, columns, files in tables:
            if not (isinstance(source, InMemory) and _register(connection, source, name, more.get(name, ""))):
                _view(connection, name, columns, files, more.get(name, ""))
        _as_they_are(connection, others)
    except duckdb.Error as error:
        raise RunError(f"The facts cannot be read: {str(error).splitlines()[0]}") from None
    return connection


@lru_cache(_DATABASES)
def _database(config: tuple[tuple[str, Any], ...], readable: tuple[Path, ...]) -> duckdb.DuckDBPyConnection:
    """A database without anything in it, from which only these files are within reach, for many connections to share.

    What each has in it is temporary, and for it alone. A database takes 20 milliseconds to open and to close: those
    who ask a little many times would mostly wait for it. It keeps nothing of what it has read.
    """
    connection = duckdb.connect(":memory:", config={**dict(config), "enable_external_file_cache": False})
    _lock(connection, readable)
    return connection


def _register(connection: duckdb.DuckDBPyConnection, source: InMemory, name: str, more: str) -> bool:
    """Put a view over a fact that lies in memory; whether there is one."""
    if name not in source.tables:
        return False
    connection.register(f"rows_of_{name}", source.tables[name])
    connection.execute(f"CREATE TEMP VIEW {name} AS SELECT *{more} FROM rows_of_{name}")
    return True


def _lock(connection: duckdb.DuckDBPyConnection, readable: Iterable[Path]) -> None:
    """From here on only these files can be read, and no setting changed."""
    allowed = ", ".join(map(_quoted, readable))
    connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def empty_facts(others: Others | None = None) -> duckdb.DuckDBPyConnection:
    """A connection with every fact and `world_events` as tables without rows, and others: enough to see if SQL fits."""
    connection = duckdb.connect(":memory:", config={"threads": 1})
    write_world_events(connection, [])
    for fact in FACTS:
        connection.execute(_table(fact.name, fact.columns))
    _as_they_are(connection, others or {})
    _lock(connection, (file for files in (others or {}).values() for file in files))
    return connection


def _as_they_are(connection: duckdb.DuckDBPyConnection, others: Others) -> None:
    for name, files in others.items():
        rows = f"SELECT * FROM read_parquet([{', '.join(map(_quoted, files))}])"
        connection.execute(f'CREATE TEMP VIEW "{name}" AS {rows}')


def query(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyConnection:
    """Run one read-only query; QueryError when it is anything else or cannot be answered."""
    try:
        return connection.execute(reading(connection, sql))
    except duckdb.Error as error:
        raise QueryError(f"{error} Tables: {', '.join(tables(connection))}.") from None


def reading(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The one read-only statement of a text; QueryError when there is anything else, duckdb.Error when it is no SQL."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type not in _READING:
        raise QueryError("Only one SELECT is run at a time; nothing here can be changed.")
    return statements[0]


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The names that a query may use."""
    rows = connection.execute("SELECT table_name FROM information_schema.tables ORDER BY ALL").fetchall()
    return [name for (name,) in rows]


def _view(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Sequence[Column], files: Sequence[Path], more: str
) -> None:
    if not files:
        connection.execute(_table("nothing_of_" + name if more else name, columns, "TEMP TABLE"))
        if more:
            connection.execute(f"CREATE TEMP VIEW {name} AS SELECT *{more} FROM nothing_of_{name}")
        return
    moments = [column.name for column in columns if column.storage == "timestamp"]
    plain = ", ".join(f"make_timestamp(epoch_us({moment})) AS {moment}" for moment in moments)
    replaced = f"* REPLACE ({plain})" if plain else "*"
    rows = rows_of(connection, columns, files)
    connection.execute(f"CREATE TEMP VIEW {name} AS SELECT {replaced}{more} FROM {rows}")


def _table(name: str, columns: Iterable[Column], kind: str = "TABLE") -> str:
    typed = ", ".join(
        f'"{column.name}" {"VARCHAR" if column.vocabulary else _TYPES[column.storage]}' for column in columns
    )
    return f"CREATE {kind} {name} ({typed})"


def write_world_events(connection: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], kind: str = "TABLE") -> None:
    """Create the table `world_events` of these rows, in the current schema or for this connection alone."""
    connection.execute(_table("world_events", WORLD_COLUMNS, kind))
    if rows:
        values = [_value(column, row.get(column.name)) for row in rows for column in WORLD_COLUMNS]
        marks = ", ".join(["(" + ", ".join("?" for _ in WORLD_COLUMNS) + ")"] * len(rows))
        connection.execute(f"INSERT INTO world_events VALUES {marks}", values)


def _value(column: Column, value: Any) -> Any:
    return clock.moment_of(value).replace(tzinfo=None) if column.storage == "timestamp" and value is not None else value


def _quoted(file: Path) -> str:
    return "'" + str(file.absolute()).replace("'", "''") + "'"
