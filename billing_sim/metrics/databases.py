"""Databases of DuckDB that show the files of a run, each for many connections to share, and how a table is shown.

Times become plain UTC timestamps on the way: with a zone, DuckDB would need its calendar for every row (measured: date
arithmetic 3 to 6 times as slow) and Python a time zone package to read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias

import duckdb

from billing_sim import clock
from billing_sim.events import WORLD_COLUMNS, Column
from billing_sim.facts.schema import FACTS
from billing_sim.metrics.rows import rows_of
from billing_sim.metrics.source import Others
from billing_sim.metrics.unreadable import reading_facts

_DATABASES = 16
"""Databases kept open: a run has a few, by what is asked of it (constant rates, world events, limits)."""

World: TypeAlias = tuple[tuple[Any, ...], ...]
"""World events as the values of their columns."""

COLUMNS = {fact.name: fact.columns for fact in FACTS}
_TYPES = {
    "i8": "BIGINT", "i4": "INTEGER", "i2": "SMALLINT", "u1": "UTINYINT",
    "bool": "BOOLEAN", "timestamp": "TIMESTAMP", "date": "DATE", "text": "VARCHAR",
}  # fmt: skip

Files: TypeAlias = tuple[tuple[Path, int, int], ...]
"""Files as they are now: path, moment of the last change, and bytes."""


def as_now(files: Iterable[Path]) -> Files:
    """These files with what tells whether they have been written anew."""
    return tuple(_one_now(file.absolute()) for file in files)


def _one_now(file: Path) -> tuple[Path, int, int]:
    try:
        now = file.stat()
    except OSError:
        return file, 0, 0  # the database will say what is wrong with it
    return file, now.st_mtime_ns, now.st_size


@dataclass(frozen=True)
class Shown:
    """A table that a database can show: its files, and columns besides its own as SQL."""

    name: str
    files: Files
    more: str = ""

    @property
    def paths(self) -> list[Path]:
        """Where it lies."""
        return [path for path, _, _ in self.files]


class Database:
    """The facts of a run as views that come into being when somebody asks for them, for many connections to share.

    Only the files of the run are within reach. It keeps nothing of what it has read, and nobody can change it.
    """

    def __init__(
        self, config: Mapping[str, Any], facts: Iterable[Shown], foreign: Iterable[Shown], world: World | None
    ):
        self._connection = duckdb.connect(":memory:", config={**config, "enable_external_file_cache": False})
        self._facts = {it.name: it for it in facts}
        others = {it.name: it.paths for it in foreign}
        files = [it.paths for it in self._facts.values()] + list(others.values())
        lock(self._connection, [path for paths in files for path in paths])
        if world is not None:
            write_world(self._connection, world)
        _show_others(self._connection, others)
        self._are_shown: set[str] = set()
        self._one_at_a_time = Lock()

    def cursor(self, names: Iterable[str]) -> duckdb.DuckDBPyConnection:
        """A connection that sees these facts, and perhaps some that others have asked for."""
        with self._one_at_a_time:
            for it in [self._facts[name] for name in names if name not in self._are_shown]:
                show(self._connection, it.name, COLUMNS[it.name], it.paths, it.more)
                self._are_shown.add(it.name)
            return self._connection.cursor()


@lru_cache(_DATABASES)
def database(
    config: tuple[tuple[str, Any], ...], facts: tuple[Shown, ...], foreign: tuple[Shown, ...], world: World | None
) -> Database:
    """The database of these files as they are now.

    Opening one, its views and closing it takes from 20 milliseconds to a fifth of a second: those who ask a little
    many times would mostly wait for it.
    """
    return Database(dict(config), facts, foreign, world)


@lru_cache(1)
def _unlocked() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:")


def world_events_in(file: Path) -> list[dict[str, Any]]:
    """A run's world events in order, as dictionaries of `WORLD_COLUMNS`, moments in integer microseconds.

    RunError when they cannot be read.
    """
    columns = ", ".join(f"epoch_us({it.name})" if it.storage == "timestamp" else it.name for it in WORLD_COLUMNS)
    with reading_facts(), _unlocked().cursor() as connection:
        rows = connection.execute(f"SELECT {columns} FROM read_parquet(?) ORDER BY sequence", [str(file)]).fetchall()
    return [dict(zip([column.name for column in WORLD_COLUMNS], row, strict=True)) for row in rows]


def lock(connection: duckdb.DuckDBPyConnection, readable: Iterable[Path]) -> None:
    """From here on only these files can be read, and no setting changed."""
    allowed = ", ".join(map(_quoted, readable))
    connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _show_others(connection: duckdb.DuckDBPyConnection, others: Others) -> None:
    for name, files in others.items():
        as_name = name.replace('"', '""')
        rows = f"SELECT * FROM read_parquet([{', '.join(map(_quoted, files))}])"
        connection.execute(f'CREATE VIEW "{as_name}" AS {rows}')


def show(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: Sequence[Column],
    files: Sequence[Path],
    more: str,
    temporary: str = "",
) -> None:
    """A view over a table's files with further columns as SQL, or an empty table where it has no files.

    `temporary` is "TEMP " where it is for this connection alone.
    """
    if not files:
        connection.execute(_table("nothing_of_" + name if more else name, columns, f"{temporary}TABLE"))
        if more:
            connection.execute(f"CREATE {temporary}VIEW {name} AS SELECT *{more} FROM nothing_of_{name}")
        return
    moments = [column.name for column in columns if column.storage == "timestamp"]
    plain = ", ".join(f"make_timestamp(epoch_us({moment})) AS {moment}" for moment in moments)
    replaced = f"* REPLACE ({plain})" if plain else "*"
    rows = rows_of(connection, columns, files)
    connection.execute(f"CREATE {temporary}VIEW {name} AS SELECT {replaced}{more} FROM {rows}")


def _table(name: str, columns: Iterable[Column], kind: str = "TABLE") -> str:
    typed = ", ".join(
        f'"{column.name}" {"VARCHAR" if column.vocabulary else _TYPES[column.storage]}' for column in columns
    )
    return f"CREATE {kind} {name} ({typed})"


def write_world(connection: duckdb.DuckDBPyConnection, rows: World, kind: str = "TABLE") -> None:
    """Create the table `world_events` of these rows; `kind` is TEMP TABLE where it is for this connection alone."""
    connection.execute(_table("world_events", WORLD_COLUMNS, kind))
    if rows:
        marks = ", ".join(["(" + ", ".join("?" for _ in WORLD_COLUMNS) + ")"] * len(rows))
        connection.execute(f"INSERT INTO world_events VALUES {marks}", [value for row in rows for value in row])


def values_of(rows: Iterable[Mapping[str, Any]]) -> World:
    """World events, dictionaries of `WORLD_COLUMNS`, as the values of their columns."""
    return tuple(tuple(_value(column, row.get(column.name)) for column in WORLD_COLUMNS) for row in rows)


def _value(column: Column, value: Any) -> Any:
    return clock.moment_of(value).replace(tzinfo=None) if column.storage == "timestamp" and value is not None else value


def _quoted(file: Path) -> str:
    return "'" + str(file.absolute()).replace("'", "''") + "'"
