"""Facts and views against bare DuckDB: the same sums straight from the log, and the views' own sums from the facts."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import duckdb

from billing_sim.drivers import batch
from billing_sim.facts.folding import Folder
from billing_sim.identity import vocabularies_of
from billing_sim.metrics.views import views
from billing_sim.people import SHARDS
from billing_sim.runs.stored import StoredRun
from billing_sim.scenario import load
from billing_sim.simulate import simulate
from billing_sim.world.announce import announcements
from billing_sim.world.compile import CompiledWorld, compile_world

ROUNDS = 3
MEMBERS = 100_000

_FROM_LOG = """
WITH units AS (
  SELECT subscriber, invoice,
         max(amount_minor) FILTER (kind = 'invoice.issued') AS amount,
         min(period_start) AS period,
         count(*) FILTER (kind = 'payment.captured') AS captured,
         count(*) FILTER (kind = 'payment.returned') AS returned,
         count(*) FILTER (kind IN ('payment_attempt.authorized', 'payment_attempt.declined')) AS attempts,
         count(*) FILTER (kind = 'payment_attempt.declined') AS declines,
         count(*) FILTER (kind = 'payment_attempt.declined' AND attempt = 1) AS first_declines,
         count(*) FILTER (kind = 'invoice.marked_uncollectible') AS lost,
         count(*) FILTER (kind = 'subscription.put_on_hold') AS held,
         count(*) FILTER (kind = 'notice.sent') AS notices
  FROM events WHERE invoice IS NOT NULL GROUP BY ALL)
SELECT count(*), sum(amount), sum(captured - returned), sum(attempts), sum(declines), sum(first_declines), sum(lost),
       sum(held), sum(notices), sum(amount) FILTER (captured > returned)
FROM units
"""


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _duckdb(run: StoredRun) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 2})
    files = [str(path) for path in run.events_files]
    connection.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet({files!r})")
    return connection


def _fold(world: CompiledWorld) -> float:
    """Seconds of folding every shard's rows in one thread, the simulation that makes them not counted."""
    told, seconds = announcements(world), 0.0
    folder = Folder(told, vocabularies_of(world))
    for shard in range(SHARDS):
        for block in batch.lives(world, shard):
            began = time.perf_counter()
            folder.fold(block.rows)
            seconds += time.perf_counter() - began
    return seconds


def measure() -> list[str]:
    """Seconds of all four views, of the same sums from the log by DuckDB, and of the share that folding takes."""
    shown, folded, from_log = [], [], []
    world = compile_world(load("scenarios/streaming.yaml", members=MEMBERS).scenario)
    with tempfile.TemporaryDirectory() as name:
        run = simulate("scenarios/streaming.yaml", members=MEMBERS, out=Path(name) / "run", log="all", workers=2).run
        for _ in range(ROUNDS):
            folded.append(_fold(world))
            shown.append(_timed(lambda: views(run)))
            from_log.append(_timed(lambda: _duckdb(run).execute(_FROM_LOG).fetchall()))
    ratios = [(a + b) / c for a, b, c in zip(shown, folded, from_log, strict=True)]
    return [
        f"{run.content.events / 1e6:.1f} M events of {MEMBERS:,} members",
        f"folding the log into facts, one thread               {median(folded):6.2f} s",
        f"all four views from the facts                        {median(shown):6.2f} s",
        f"bare DuckDB: a dozen of the same sums, from the log  {median(from_log):6.2f} s",
        f"facts and views take {median(ratios):.2f} times the bare scan ({min(ratios):.2f} to {max(ratios):.2f})",
    ]
