"""A DuckDB connection that sees the facts of one run and nothing else on the machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from billing_sim import events as log
from billing_sim.errors import QueryError
from billing_sim.facts.schema import FACTS, Fact
from billing_sim.metrics import constant
from billing_sim.metrics.databases import Shown, as_now, database, lock, show, values_of, write_world
from billing_sim.metrics.source import InMemory, Others, Source, WithTables
from billing_sim.metrics.unreadable import reading_facts

THREADS = 2
_READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


def connect(source: Source, events: Sequence[Path] = (), *, threads: int = THREADS) -> duckdb.DuckDBPyConnection:
    """A locked connection with a view for each fact, `world_events`, and `events` when the log's files are given.

    No other file can be read, no setting changed; the sealed truth is out of reach.
    """
    tables = [(fact.name, fact.columns, source.facts_files(fact.name)) for fact in FACTS]
    if events:
        tables.append(("events", log.COLUMNS, events))
    connection = duckdb.connect(":memory:", config={"threads": threads})
    write_world(connection, values_of(source.world_events()))
    with reading_facts():
        for name, columns, files in tables:
            show(connection, name, columns, files, "")
    lock(connection, (file for _, _, files in tables for file in files))
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
    """The same, opened faster, with a view for each of these facts; there may be views of others.

    `memory` bounds what a query may use, such as 2GB. With `with_constant` there is a column
    `x_constant` for every `x_micros`, at the rates of the run's start; with `with_world` a table `world_events`.
    """
    told = source.world_events() if with_constant or with_world else []
    wanted = list(facts)
    limits: dict[str, Any] = {"memory_limit": memory, "max_temp_directory_size": "0B"} if memory else {}
    config = tuple(sorted({"threads": threads, **limits}.items()))
    memory_only = source if isinstance(source, InMemory) else None
    others = source.more_tables if isinstance(source, WithTables) else {}
    with reading_facts():
        if memory_only:
            connection = database(config, (), (), None).cursor(())
            if with_world:
                write_world(connection, values_of(told), "TEMP TABLE")
            for fact in wanted:
                _show_memory(connection, memory_only, fact, told if with_constant else None)
            return connection
        more = {fact.name: constant.columns(fact, told) if with_constant else "" for fact in FACTS}
        shown = [Shown(fact.name, as_now(source.facts_files(fact.name)), more[fact.name]) for fact in FACTS]
        foreign = [Shown(name, as_now(files)) for name, files in others.items()]
        world = values_of(told) if with_world else None
        return database(config, tuple(shown), tuple(foreign), world).cursor(fact.name for fact in wanted)


def facts_named(*texts: str) -> list[Fact]:
    """The facts whose names occur in these statements: a view takes longer to be made than many are to be asked."""
    words = {word for text in texts for word in re.findall(r"\w+", text.lower())}
    return [fact for fact in FACTS if fact.name in words]


def _show_memory(
    connection: duckdb.DuckDBPyConnection, source: InMemory, fact: Fact, told: list[dict[str, Any]] | None
) -> None:
    """A view over a fact that lies in memory, for this connection alone; an empty table where there is none.

    With what was `told` of the world, also amounts at constant rates, as far as there are columns to value them.
    """
    table = source.tables.get(fact.name)
    known = None if table is None else table.column_names
    more = "" if told is None else constant.columns(fact, told, known)
    if table is None:
        show(connection, fact.name, fact.columns, [], more, "TEMP ")
        return
    connection.register(f"rows_of_{fact.name}", table)
    connection.execute(f"CREATE TEMP VIEW {fact.name} AS SELECT *{more} FROM rows_of_{fact.name}")


def empty_facts(others: Others | None = None) -> duckdb.DuckDBPyConnection:
    """A connection with every fact and `world_events` as tables without rows, and others: enough to see if SQL fits."""
    shown = tuple(Shown(fact.name, ()) for fact in FACTS)
    foreign = tuple(Shown(name, as_now(files)) for name, files in (others or {}).items())
    return database((("threads", 1),), shown, foreign, ()).cursor(fact.name for fact in FACTS)


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
