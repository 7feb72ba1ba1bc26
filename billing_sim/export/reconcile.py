"""Does an export say what the run says? Every table is read again from the disk and compared with the facts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import duckdb

from billing_sim.errors import RunError
from billing_sim.export.contract import Table, Total
from billing_sim.money import EXPONENTS

Sums: TypeAlias = dict[str, Decimal]
"""An amount in each currency that has one."""


@dataclass(frozen=True)
class Reconciled:
    """A table that agrees with the run: its rows, and in words what was compared."""

    table: str
    rows: int
    agrees: str


def reconcile(workshop: duckdb.DuckDBPyConnection, table: Table, written: str) -> Reconciled:
    """Compare a table as it was written (`written` is SQL after FROM) with the facts.

    RunError at the first number that differs, with both numbers.
    """
    rows, have = _read(workshop, [total.exported for total in table.totals], written)
    wanted = _number(workshop, table.rows)
    if rows != wanted:
        raise _differs(table, "rows", str(rows), str(wanted))
    currencies: set[str] = set()
    for total, ours in zip(table.totals, have, strict=True):
        currencies |= _agree(workshop, table, total, ours)
    return Reconciled(table.name, rows, _in_words(table, sorted(currencies)))


def _agree(workshop: duckdb.DuckDBPyConnection, table: Table, total: Total, have: Sums) -> set[str]:
    """The currencies in which a total was compared."""
    if total.is_major:
        have = {currency: _minor(amount, currency) for currency, amount in have.items()}
    _, (want,) = _read(workshop, [total.wanted], total.facts)
    for currency in sorted(have.keys() | want.keys()):
        ours, theirs = have.get(currency, 0), want.get(currency, 0)
        if ours != theirs:
            raise _differs(table, f"{total.name}, {currency} in minor units", str(ours), str(theirs))
    return {*have, *want}


def _read(workshop: duckdb.DuckDBPyConnection, amounts: list[str], source: str) -> tuple[int, list[Sums]]:
    """Rows, and the sums of each amount by currency, in one pass: some files are larger than the memory."""
    if not amounts:
        return _number(workshop, f"SELECT count(*) FROM {source}"), []
    summed = ", ".join(f"sum({amount})" for amount in amounts)
    query = f"SELECT upper(coalesce(currency, '')), count(*), {summed} FROM {source} GROUP BY 1"
    found = workshop.execute(query).fetchall()
    sums = [{row[0]: Decimal(row[i]) for row in found if row[i]} for i in range(2, len(amounts) + 2)]
    return sum(row[1] for row in found), sums


def _minor(amount: Decimal, currency: str) -> Decimal:
    """Major units as minor units by way of Python's decimals, not by the SQL that made them."""
    return amount.scaleb(EXPONENTS.get(currency, 0))


def _number(workshop: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = workshop.execute(sql).fetchone()
    assert row
    return int(row[0])


def _in_words(table: Table, currencies: list[str]) -> str:
    if not table.totals:
        return table.rows_are
    names = ", ".join(total.name for total in table.totals)
    shown = ", ".join(currencies[:4]) + (f" and {len(currencies) - 4} more" if len(currencies) > 4 else "")
    return f"{names}" + (f" ({shown})" if shown else "")


def _differs(table: Table, what: str, ours: str, theirs: str) -> RunError:
    return RunError(
        f"{table.name} does not agree with the run: {what}: {ours} exported, {theirs} in the facts. Nothing was "
        "written; this is a defect of the export, please report it."
    )
