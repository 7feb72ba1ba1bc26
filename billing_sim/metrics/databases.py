"""Databases of DuckDB that show the files of a run, each for many connections to share, and how a table is shown.

Times become plain UTC timestamps on the way: with a zone, DuckDB would need its calendar for every row (measured: date
arithmetic 3 to 6 times as slow) and Python a time zone package to read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import duckdb

from billing_sim import clock
from billing_sim.events import WORLD_COLUMNS, Column
from billing_sim.facts.schema import FACTS
from billing_sim.metrics.rows import rows_of
from billing_sim.metrics.source import Others

_DATABASES = 16
"""Databases kept open: questions about one run name its facts in about so many combinations."""

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
    """A fact that a connection shows: the files that hold it, and columns besides its own as SQL."""

    name: str
    files: Files
    more: str

    @property
    def paths(self) -> list[Path]:
        """Where it lies."""
        return [path for path, _, _ in self.files]


@lru_cache(_DATABASES)
def database(
    config: tuple[tuple[str, Any], ...],
    shown: tuple[Shown, ...],
    foreign: tuple[tuple[str, Files], ...],
    world: World | None,
) -> duckdb.DuckDBPyConnection:
    """A database with a view for each of these facts, from which only their files are within reach, for many
    connections to share.

    Opening one, its views and closing it takes from 20 milliseconds to a fifth of a second: those who ask a little
    many times would mostly wait for it. It keeps nothing of what it has read, and nobody can change it.
    """
    connection = duckdb.connect(":memory:", config={**dict(config), "enable_external_file_cache": False})
    others = {name: [path for path, _, _ in files] for name, files in foreign}
    lock(connection, [path for files in (*(it.paths for it in shown), *others.values()) for path in files])
    if world is not None:
        write_world(connection, world)
    for it in shown:
        show(connection, it.name, COLUMNS[it.name], it.paths, it.more)
    _show_others(connection, others)
    return connection


@lru_cache(1)
def _unlocked() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:")


def world_events_in(file: Path) -> list[dict[str, Any]]:
    """A run's world events in order, as dictionaries of `WORLD_COLUMNS`, moments in integer microseconds."""
    columns = ", ".join(f"epoch_us({it.name})" if it.storage == "timestamp" else it.name for it in WORLD_COLUMNS)
    with _unlocked().cursor() as connection:
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
        rows = f"SELECT * FROM read_parquet([{', '.join(map(_quoted, files))}])"
        connection.execute(f'CREATE VIEW "{name}" AS {rows}')


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


def values_of(row: dict[str, Any]) -> tuple[Any, ...]:
    """A world event as the values of its columns."""
    return tuple(_value(column, row.get(column.name)) for column in WORLD_COLUMNS)


def _value(column: Column, value: Any) -> Any:
    return clock.moment_of(value).replace(tzinfo=None) if column.storage == "timestamp" and value is not None else value


def _quoted(file: Path) -> str:
    return "'" + str(file.absolute()).replace("'", "''") + "'"
