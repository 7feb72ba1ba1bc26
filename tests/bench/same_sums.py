"""What the four views divide, as an analyst with DuckDB and the log alone would add it up (`same_sums.sql`)."""

from __future__ import annotations

import math
from pathlib import Path

import duckdb

from billing_sim import declines
from billing_sim.facts.rates import constant_rates
from billing_sim.metrics.frame import frame
from billing_sim.metrics.views import Views
from billing_sim.runs.stored import StoredRun

_SQL = Path(__file__).with_name("same_sums.sql").read_text(encoding="utf-8")
QUANTILES = ("time_to_recover_p50", "gateway_latency_p99")
"""What it gives by month instead of sums; the views have them over all months."""

Sums = dict[str, tuple[float, float]]
"""By metric, numerator and denominator over all months; money in units of the reporting currency."""


def connection_to(run: StoredRun) -> duckdb.DuckDBPyConnection:
    """Two threads over the log's files and what the query has to be told; what belongs to the run is read from it."""
    connection = duckdb.connect(config={"threads": 2})
    files = [str(path) for path in run.events_files]
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        f"CREATE VIEW events AS SELECT * REPLACE "
        f"(occurred_at::TIMESTAMP AS occurred_at, recorded_at::TIMESTAMP AS recorded_at) FROM read_parquet({files!r})"
    )
    connection.execute("CREATE TABLE rates (currency VARCHAR, micros DOUBLE)")
    rates = constant_rates(run.world_events())
    connection.executemany("INSERT INTO rates VALUES (?, ?)", [(it, n / d) for it, (n, d) in rates.items()])
    connection.execute("CREATE TABLE codes (code VARCHAR, is_soft BOOLEAN)")
    connection.executemany("INSERT INTO codes VALUES (?, ?)", [(it.code, it.kind == "soft") for it in declines.CODES])
    seen = frame(run)
    connection.execute(
        "CREATE TABLE span AS SELECT ?::TIMESTAMP AS as_of, ?::TIMESTAMP AS settled, ?::TIMESTAMP AS matured, "
        "?::TIMESTAMP AS first_whole, ?::TIMESTAMP AS after_whole",
        [seen.as_of, seen.as_of - seen.settlement, seen.as_of - seen.dunning, *seen.whole_months],
    )
    connection.execute(
        "CREATE TABLE months AS SELECT first, first + INTERVAL 1 MONTH AS after "
        "FROM range(date_trunc('month', ?::TIMESTAMP), ?::TIMESTAMP, INTERVAL 1 MONTH) AS it(first)",
        [seen.start, seen.as_of],
    )
    return connection


def add_up(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    """Rows of metric, month, numerator, denominator."""
    return connection.execute(_SQL).fetchall()


def totals(rows: list[tuple]) -> Sums:
    """The sums over all months."""
    found: Sums = {}
    for metric, _, numerator, denominator in rows:
        if metric not in QUANTILES:
            n, d = found.get(metric, (0.0, 0.0))
            found[metric] = (n + float(numerator or 0), d + float(denominator or 0))
    return found


def unlike(mine: Sums, theirs: Sums) -> list[str]:
    """Metrics whose sums differ by more than the rounding of amounts to millionths, one for each invoice, explains."""
    return [
        metric
        for metric in mine
        if not all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(mine[metric], theirs[metric], strict=True))
    ]


def shown(views: Views, metrics: Sums) -> Sums:
    """The same as the views show it; what they do not divide has a denominator of 0 here as there."""
    found = {}
    for metric, (_, denominator) in metrics.items():
        result = views[metric]
        found[metric] = (float(result.numerator), float(result.denominator) if denominator else 0.0)
    return found
