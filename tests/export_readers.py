"""What tests of exports share: one busy business with many currencies, and how to read what was written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import billing_sim
from tests.conftest import SCENARIOS


@pytest.fixture(scope="session")
def busy_run(tmp_path_factory: pytest.TempPathFactory) -> billing_sim.Run:
    """A year of few people in 29 markets: yen, dinars, direct debits that come back, sign-ups that are given up."""
    folder = tmp_path_factory.mktemp("busy") / "run"
    return billing_sim.run(SCENARIOS / "streaming.yaml", members=400, out=folder, workers=1, log="none")


def types(file: Path) -> dict[str, str]:
    """Column names and DuckDB types of a Parquet file, in order."""
    return {name: kind for name, kind, *_ in rows("DESCRIBE SELECT * FROM t", t=file)}


def rows(query: str, **tables: Path) -> list[tuple[Any, ...]]:
    """The answer to a query over Parquet files by name."""
    with duckdb.connect() as connection:
        for name, file in tables.items():
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{file}')")
        return connection.execute(query).fetchall()


def lines(file: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    with file.open(encoding="utf-8") as text:
        yield from map(json.loads, text)


def sums(run: billing_sim.Run, table: str, where: str = "true", amount: str = "amount_minor") -> dict[str, int]:
    """Totals of the run by currency."""
    query = f"SELECT currency, sum({amount}) AS total FROM {table} WHERE {where} GROUP BY ALL"
    return {row.currency: int(row.total) for row in run.sql(query).itertuples() if row.total}
