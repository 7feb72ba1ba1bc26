"""The DuckDB connection in which an export is made: the facts of one run, its calendar shifted, and the words of SQL.

Nothing is loaded whole: DuckDB reads the facts in passing, keeps to `MEMORY`, and puts what does not fit into files
beside the export.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb

from billing_sim import people
from billing_sim.errors import RunError
from billing_sim.events import COLUMNS, WORLD_COLUMNS, Column
from billing_sim.export import vocabulary
from billing_sim.facts.schema import FACTS
from billing_sim.metrics.rows import rows_of
from billing_sim.metrics.source import RunFolder
from billing_sim.runs import tables

MEMORY = "1GB"
THREADS = 2
EVENTS, WORLD_EVENTS = "events", "world_events"
_TYPES: Mapping[str, str] = {
    "i8": "BIGINT", "i4": "INTEGER", "i2": "SMALLINT", "u1": "UTINYINT", "bool": "BOOLEAN", "timestamp": "TIMESTAMP",
    "date": "DATE", "text": "VARCHAR",
}  # fmt: skip


def open_workshop(run: RunFolder, days: int, spill: Path) -> duckdb.DuckDBPyConnection:
    """A connection with a view for each fact, `world_events`, and `events` when the run kept them.

    Every moment and date lies `days` later than in the run. RunError when the facts cannot be read.
    """
    config = {"threads": THREADS, "memory_limit": MEMORY, "temp_directory": str(spill), "autoload_known_extensions": 0}
    workshop = duckdb.connect(":memory:", config=config)
    identity = run.manifest.identity
    for macro in [*vocabulary.macros(), *_words(identity.start, identity.end, days)]:
        workshop.execute(macro)
    try:
        for fact in FACTS:
            _view(workshop, fact.name, fact.columns, run.facts_files(fact.name), days)
        _view(workshop, WORLD_EVENTS, WORLD_COLUMNS, [run.path / tables.WORLD_EVENTS_FILE], days)
        if run.manifest.result.log != "none":
            _view(workshop, EVENTS, COLUMNS, run.events_files(), days)
    except duckdb.Error as error:
        workshop.close()
        raise RunError(f"{run.path}: the facts cannot be read: {str(error).splitlines()[0]}") from None
    return workshop


def shift_of(end: str, wanted: date | None) -> int:
    """By how many days the calendar moves so that a run that ends at `end` (ISO) ends at `wanted`; 0 for None."""
    return (wanted - date.fromisoformat(end)).days if wanted else 0


def type_of(column: Column) -> str:
    """The DuckDB type of a column of a fact or the log; labels are text."""
    return "VARCHAR" if column.vocabulary else _TYPES[column.storage]


def _view(
    workshop: duckdb.DuckDBPyConnection, name: str, columns: Sequence[Column], files: Sequence[Path], days: int
) -> None:
    rows = rows_of(workshop, columns, files)
    there = {row[0] for row in workshop.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()}
    # A run of an earlier version may lack a column that was added since.
    filled = [_moved(it, days) if it.name in there else f"CAST(NULL AS {type_of(it)})" for it in columns]
    shown = ", ".join(f"{sql} AS {_q(column.name)}" for sql, column in zip(filled, columns, strict=True))
    workshop.execute(f"CREATE VIEW {name} AS SELECT {shown} FROM {rows}")


def _moved(column: Column, days: int) -> str:
    """A column with its calendar shifted; times become plain UTC timestamps, labels plain text.

    The log writes the first day of 1970 where a payment method never expires: here that is null.
    """
    name = _q(column.name)
    if column.storage == "timestamp":
        return f"make_timestamp(epoch_us({name})) + to_days({days})"
    if column.storage == "date":
        return f"CAST(nullif({name}, DATE '1970-01-01') + {days} AS DATE)"
    if column.name == "detail" and days:
        ends = "json_object('start', strftime(run_start(), '%Y-%m-%d'), 'end', strftime(run_end(), '%Y-%m-%d'))"
        return (
            f"CASE WHEN kind = 'run.configured' THEN CAST(json_merge_patch({name}, {ends}) AS VARCHAR) ELSE {name} END"
        )
    return f"CAST({name} AS VARCHAR)" if column.vocabulary else name


def _words(start: str, end: str, days: int) -> list[str]:
    """Macros: the span of the run, ids in the vendors' styles, and the name of a person as people read it."""
    stripe_ids = {
        "customer_id": ("cus", "s", ""),
        "subscription_id": ("sub", "s, spell", "%05d"),
        "item_id": ("si", "s, spell", "%05d"),
        "invoice_id": ("in", "s, invoice", "%05d"),
        "line_id": ("il", "s, invoice", "%05d"),
        "credit_id": ("il", "s, invoice", "%05dc"),
        "discount_id": ("di", "s, invoice", "%05d"),
        "charge_id": ("ch", "s, invoice, attempt", "%05d%05d"),
        "payment_id": ("txn", "s, invoice, attempt", "%05d%05d1"),
        "reversal_id": ("txn", "s, invoice, attempt", "%05d%05d2"),
        "refund_id": ("re", "s, invoice, claim", "%05d%05d"),
        "dispute_id": ("dp", "s, invoice, claim", "%05d%05d"),
        "refunding_id": ("txn", "s, invoice, claim", "%05d%05d3"),
        "withdrawal_id": ("txn", "s, invoice, claim", "%05d%05d4"),
        "reinstatement_id": ("txn", "s, invoice, claim", "%05d%05d5"),
        "method_id": ("pm", "s, instrument", "%05d"),
    }
    return [
        f"CREATE MACRO run_start() AS TIMESTAMP '{start}' + to_days({days})",
        f"CREATE MACRO run_end() AS TIMESTAMP '{end}' + to_days({days})",
        f"CREATE MACRO run_shift() AS {days}",
        *(
            f"CREATE MACRO {name}({its}) AS printf('{prefix}_%d{form}', {its})"
            for name, (prefix, its, form) in stripe_ids.items()
        ),
        "CREATE MACRO bare(id) AS split_part(id, '_', 2)",
        "CREATE MACRO price_id(market, plan, net) AS concat('price_', market, '_', plan, '_', net)",
        "CREATE MACRO product_id(plan) AS concat('prod_', plan)",
        "CREATE MACRO seconds(moment) AS epoch_ms(moment) // 1000",
        *_person(),
    ]


def _person() -> list[str]:
    """`person(s)` is `billing_sim.people.describe` in SQL."""
    base = len(people.ALPHABET)
    letters = ", ".join(
        f"substr('{people.ALPHABET}', 1 + (s >> {people.MARKET_SHIFT}) // {base**place} % {base}, 1)"
        for place in (3, 2, 1, 0)
    )
    ordinal = (1 << people.KIND_SHIFT) - 1
    in_hour = (1 << people.ARRIVAL_SHIFT) - 1
    hour = f"TIMESTAMP '1970-01-01' + to_hours(CAST((s & {ordinal}) >> {people.ARRIVAL_SHIFT} AS INTEGER))"
    return [
        f"CREATE MACRO market_of(s) AS rtrim(concat({letters}))",
        f"CREATE MACRO person(s) AS concat(market_of(s), '-', CASE (s >> {people.KIND_SHIFT}) & 3 "
        f"WHEN {people.ARRIVAL} THEN concat(strftime({hour}, '%Y-%m-%dT%H'), '-', s & {in_hour}) "
        f"WHEN {people.FORMER} THEN concat('former-', s & {ordinal}) "
        f"WHEN {people.BORROWER} THEN concat(((s & {ordinal}) - 1) >> {people.HOST_SHIFT}, '-borrower-', "
        f"1 + (((s & {ordinal}) - 1) & {(1 << people.HOST_SHIFT) - 1})) ELSE CAST(s & {ordinal} AS VARCHAR) END)",
        "CREATE MACRO email(s) AS concat(lower(person(s)), '@example.invalid')",
    ]


def _q(name: str) -> str:
    return '"' + name + '"'
