"""The forms of an export: which tables each has, and how a table is written and read again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from billing_sim.errors import RunError
from billing_sim.export.cloud_events import cloud_events
from billing_sim.export.contract import Lines, Table
from billing_sim.export.plain_tables import FAILED_CHARGES, plain_tables
from billing_sim.export.recurly_tables import RECURLY
from billing_sim.export.stripe_json import STRIPE_JSON
from billing_sim.export.stripe_tables import STRIPE
from billing_sim.metrics.source import RunFolder

DATABASE = "run.duckdb"


@dataclass(frozen=True)
class Medium:
    """What tables are written into.

    `write` writes a table into a folder and returns the SQL after FROM that reads it again.
    """

    write: Callable[[duckdb.DuckDBPyConnection, Table, Path], str]
    open: Callable[[duckdb.DuckDBPyConnection, Path], object] = lambda *_: None
    close: Callable[[duckdb.DuckDBPyConnection], object] = lambda *_: None


@dataclass(frozen=True)
class Form:
    """A form of export: what it is in words, its tables for a run, and its medium."""

    about: str
    tables: Callable[[RunFolder], Sequence[Table]]
    medium: Medium


def _text(path: Path) -> str:
    return "'" + str(path.absolute()).replace("'", "''") + "'"


def _to_parquet(workshop: duckdb.DuckDBPyConnection, table: Table, folder: Path) -> str:
    file = _text(folder / f"{table.name}.parquet")
    workshop.execute(f"COPY ({table.select}) TO {file} (FORMAT parquet, COMPRESSION zstd)")
    return f"read_parquet({file})"


def _to_csv(workshop: duckdb.DuckDBPyConnection, table: Table, folder: Path) -> str:
    file = _text(folder / f"{table.name}.csv")
    # One form for all moments: those of whole seconds would be written without a fraction beside others.
    moments = "TIMESTAMPFORMAT '%Y-%m-%d %H:%M:%S.%f'"
    workshop.execute(f"COPY ({table.select}) TO {file} (FORMAT csv, HEADER, {moments})")
    return f"read_csv({file}, header = true, auto_detect = false, columns = {_typed(table)})"


def _to_lines(workshop: duckdb.DuckDBPyConnection, table: Table, folder: Path) -> str:
    file, staged = _text(folder / f"{table.name}.jsonl"), folder / ".staged.parquet"
    # Lines are long, and each thread holds thousands of them at once: one thread takes as long and half the memory.
    workshop.execute("SET threads = 1")
    if isinstance(table, Lines) and table.staged:
        workshop.execute(f"COPY ({table.staged}) TO {_text(staged)} (FORMAT parquet)")
        workshop.execute(f"CREATE OR REPLACE VIEW staged AS SELECT * FROM read_parquet({_text(staged)})")
    # Lines of JSON as they are: JSON holds no line breaks and no control characters, so nothing is quoted.
    as_is = "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER E'\\x01'"
    workshop.execute(f"COPY ({table.select}) TO {file} ({as_is})")
    staged.unlink(missing_ok=True)
    return f"read_json({file}, format = 'newline_delimited', columns = {_typed(table)})"


def _to_database(workshop: duckdb.DuckDBPyConnection, table: Table, folder: Path) -> str:  # noqa: ARG001
    workshop.execute(f"CREATE TABLE out.{table.name} AS {table.select}")
    return f"out.{table.name}"


def _attach(workshop: duckdb.DuckDBPyConnection, folder: Path) -> None:
    if "?" in str(folder.absolute()):
        # DuckDB takes what follows for options of the database.
        raise RunError("A database cannot be written to a folder with `?` in its path: name another folder with --to.")
    workshop.execute(f"ATTACH {_text(folder / DATABASE)} AS out")


def _detach(workshop: duckdb.DuckDBPyConnection) -> None:
    workshop.execute("DETACH out")


def _typed(table: Table) -> str:
    return "{" + ", ".join(f"'{column.name}': '{column.type}'" for column in table.all_columns) + "}"


def _has_log(run: RunFolder) -> bool:
    return run.manifest.result.log != "none"


def _log(run: RunFolder) -> Sequence[Table]:
    if not _has_log(run):
        raise RunError(f"{run.path} kept no log: run the scenario again with --log all.")
    return [cloud_events(run.manifest.identity.digest, run.manifest.result.log == "all", run.manifest.own_kinds)]


_PARQUET, _CSV, _LINES = Medium(_to_parquet), Medium(_to_csv), Medium(_to_lines)
FORMS: dict[str, Form] = {
    "stripe": Form("Stripe's tables as Parquet", lambda _: STRIPE, _PARQUET),
    "stripe-json": Form("Stripe's API objects and webhook events as JSON lines", lambda _: STRIPE_JSON, _LINES),
    "recurly": Form("Recurly's tables as Parquet", lambda _: RECURLY, _PARQUET),
    "csv": Form("every fact, the world events and failed_charges as CSV",
                lambda _: [*plain_tables(with_log=False), FAILED_CHARGES], _CSV),
    "duckdb": Form("one database with every fact, the world events and the log",
                   lambda run: plain_tables(_has_log(run)), Medium(_to_database, _attach, _detach)),
    "events": Form("the log as CloudEvents 1.0, in JSON lines", _log, _LINES),
}  # fmt: skip
"""Every form, by the word after `--as`."""
