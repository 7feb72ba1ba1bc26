"""Facts written by hand: each row says only what matters to its story, everything else has a harmless default."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from billing_sim.events import Column
from billing_sim.facts.schema import FACTS, OPTIONAL_LABELS, Fact

Row = dict[str, Any]
START, END = "2025-01-01", "2025-07-01"
USD = 1_000_000
"""One unit of the reporting currency in micros."""

_TYPES = {
    "i8": pa.int64(), "i4": pa.int32(), "i2": pa.int16(), "u1": pa.uint8(),
    "bool": pa.bool_(), "timestamp": pa.timestamp("us", "UTC"),
}  # fmt: skip
_LABEL = pa.dictionary(pa.uint8(), pa.string())
_LABELS = {
    "market": "US", "region": "UCAN", "plan": "basic", "interval": "month", "method": "credit", "currency": "USD",
    "status": "paid", "first_outcome": "authorized", "outcome": "authorized", "started_by": "new",
}  # fmt: skip


@dataclass(frozen=True)
class HandMade:
    """A run's facts in a folder, and a world in which an outcome is final after 30 days, a payment after 2."""

    path: Path
    start: str = START
    end: str = END
    goals: tuple[dict[str, str], ...] = ()
    rates: tuple[tuple[str, int, int], ...] = ()
    """Exchange rates: currency, microseconds from which it holds, value of a unit in billionths of a US dollar."""

    def facts_files(self, name: str) -> list[Path]:
        """The files of a fact."""
        return sorted((self.path / name).glob("*.parquet"))

    def world_events(self) -> list[Row]:
        """The configuration of the run, and a price."""
        detail = {
            "start": self.start, "end": self.end, "reporting_currency": "USD", "members": 3,
            "dunning_horizon_seconds": 28 * 86_400, "return_lag_seconds": 42 * 3_600, "resolution_seconds": 6 * 3_600,
            "mission": "Nobody is lost through payment.", "goals": list(self.goals),
        }  # fmt: skip
        first = {"sequence": 0, "kind": "run.configured", "occurred_at": 0, "detail": json.dumps(detail)}
        price = {"sequence": 1, "kind": "price.set", "occurred_at": 86_400_000_000, "market": "US", "amount_minor": 999}
        told = [
            {
                "sequence": 2 + i,
                "kind": "exchange_rate.published",
                "currency": name,
                "occurred_at": since,
                "rate_nanos": nanos,
            }
            for i, (name, since, nanos) in enumerate(self.rates)
        ]
        return [first, price, *told]


def build(path: Path, *, parts: int = 1, **facts: list[Row]) -> HandMade:
    """Write the rows of each fact, spread over so many files, and give the source that reads them."""
    for fact in FACTS:
        rows = facts.get(fact.name, [])
        for part in range(parts if rows else 0):
            write(path, fact.name, rows[part::parts], part)
    return HandMade(path)


def write(path: Path, name: str, rows: list[Row], part: int = 0) -> None:
    """Write one file of a fact."""
    (fact,) = (fact for fact in FACTS if fact.name == name)
    folder = path / name
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table(fact, rows), folder / f"part-{part:02d}.parquet")


def table(fact: Fact, rows: list[Row]) -> pa.Table:
    """The rows as the store writes them: labels as dictionaries, moments in UTC."""
    names = {column.name for column in fact.columns}
    strange = {key for row in rows for key in row} - names
    assert not strange, f"{fact.name} has no columns {strange}"
    columns = {column.name: _array(column, [row.get(column.name) for row in rows]) for column in fact.columns}
    return pa.table(columns)


def at(text: str) -> datetime:
    """A moment in UTC: "2025-01-31" or "2025-01-31 08:00"."""
    return datetime.fromisoformat(f"{text}+00:00" if ":" in text else f"{text} 00:00+00:00")


def _array(column: Column, values: list[Any]) -> pa.Array:
    if column.vocabulary:
        default = None if column.name in OPTIONAL_LABELS else _LABELS.get(column.name, "none")
        return pa.array([default if value is None else value for value in values], _LABEL)
    if column.storage == "timestamp":
        return pa.array([at(value) if isinstance(value, str) else value for value in values], _TYPES["timestamp"])
    if column.storage == "date":
        return pa.array(
            [date.fromisoformat(value) if isinstance(value, str) else value for value in values], pa.date32()
        )
    empty = False if column.storage == "bool" else 0
    return pa.array([empty if value is None else value for value in values], _TYPES[column.storage])


def invoice(issued: str, usd: int, **more: Any) -> Row:
    """An invoice of so many US dollars, a tenth of it tax; paid at once by its first attempt unless told otherwise."""
    status = more.get("status", "paid")
    row = {"issued_at": issued, "amount_micros": usd * USD, "tax_micros": usd * USD // 10}
    row |= {"attempts": 1, "mit_attempts": 1}
    if status == "paid":
        row |= {"paid_at": issued}
    return row | more


def failed(issued: str, usd: int, *, paid_after: int | None = None, **more: Any) -> Row:
    """An invoice whose first attempt failed when it was issued; `paid_after` hours later it was paid, or never."""
    row = {"status": "open", "first_failed_at": issued, "first_outcome": "declined"}
    if paid_after is not None:
        moment = at(issued) + timedelta(hours=paid_after)
        row |= {"status": "paid", "paid_at": moment, "attempts": 2, "recovered_by": "retry"}
    return invoice(issued, usd, **(row | more))


def attempt(occurred: str, number: int = 1, *, usd: int = 10, late: int = 0, **more: Any) -> Row:
    """A payment attempt of so many US dollars, recorded `late` seconds after it was answered."""
    recorded = at(occurred) + timedelta(seconds=late)
    row = {"occurred_at": occurred, "recorded_at": recorded, "attempt": number, "latency_ms": 100}
    return row | {"amount_micros": usd * USD} | more


def member_month(month: str, *, start: int | None = None, end: int | None = None, **more: Any) -> Row:
    """A subscription in a month, worth so many US dollars per month at its start and end; None: not subscribed."""
    row = {
        "month": month, "active_at_start": start is not None, "active_at_end": end is not None,
        "mrr_start_micros": (start or 0) * USD, "mrr_end_micros": (end or 0) * USD,
    }  # fmt: skip
    return row | more


def signup(started: str, outcome: str, **more: Any) -> Row:
    """A person who tries to sign up."""
    return {"started_at": started, "outcome": outcome} | more
