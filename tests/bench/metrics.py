"""Every metric and variant over the main scenario, against bare DuckDB with the same aggregates and no groups."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from billing_sim.facts.schema import FACTS
from billing_sim.metrics import measures as sql
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.connection import connect_to
from billing_sim.metrics.engine import compute
from billing_sim.metrics.frame import frame
from billing_sim.metrics.source import RunFolder
from billing_sim.metrics.views import views
from billing_sim.simulate import simulate

ROUNDS = 3


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def bare(source: RunFolder) -> None:
    """One statement per fact, each sum as a filtered aggregate over its rows."""
    span = frame(source)
    needed = dict.fromkeys(part for it in shipped() if not it.sql for part in sql.parts(it, span, ()))
    with connect_to(source, FACTS, with_constant=True) as connection:
        is_condition = sql.condition_expressions(connection, needed)
        for fact in dict.fromkeys(part.fact for part in needed):
            own = [sql.aggregate(part, is_condition) for part in needed if part.fact == fact]
            connection.execute(f"SELECT {', '.join(own)} FROM {fact}").fetchall()


def measure() -> list[str]:
    """Seconds of all metrics with intervals, of the bare sums, and of the four views with months and reasons."""
    every = [it for it in shipped() if not it.sql]
    engine, plain, shown = [], [], []
    with tempfile.TemporaryDirectory() as name:
        simulate("scenarios/streaming.yaml", out=Path(name) / "run", log="none", workers=2)
        source = RunFolder(Path(name) / "run")
        for _ in range(ROUNDS):
            engine.append(_timed(lambda: compute(source, every)))
            plain.append(_timed(lambda: bare(source)))
            shown.append(_timed(lambda: views(source).events))
    ratios = [a / b for a, b in zip(engine, plain, strict=True)]
    return [
        f"{len(every)} metrics and variants with intervals           {median(engine):6.2f} s",
        f"bare DuckDB, the same aggregates without intervals  {median(plain):6.2f} s",
        f"four views, with months and what happened           {median(shown):6.2f} s",
        f"the engine takes {median(ratios):.2f} times the bare aggregates ({min(ratios):.2f} to {max(ratios):.2f})",
    ]
