"""Facts and views against bare DuckDB: the same sums straight from the log, and the views' own sums from the facts."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import same_sums

from billing_sim.drivers import batch
from billing_sim.facts.folding import Folder
from billing_sim.identity import vocabularies_of
from billing_sim.metrics.views import views
from billing_sim.people import SHARDS
from billing_sim.scenario import load
from billing_sim.simulate import simulate
from billing_sim.world.announce import announcements
from billing_sim.world.compile import CompiledWorld, compile_world

ROUNDS = 3
MEMBERS = 100_000


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


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
            from_log.append(_timed(lambda: same_sums.add_up(same_sums.connection_to(run))))
        summed = same_sums.totals(same_sums.add_up(same_sums.connection_to(run)))
        same = same_sums.shown(views(run), summed)
    assert not same_sums.unlike(same, summed), same_sums.unlike(same, summed)
    ratios = [(a + b) / c for a, b, c in zip(shown, folded, from_log, strict=True)]
    return [
        f"{run.content.events / 1e6:.1f} M events of {MEMBERS:,} members",
        f"folding the log into facts, one thread               {median(folded):6.2f} s",
        f"all four views from the facts                        {median(shown):6.2f} s",
        f"bare DuckDB: what {len(same)} of their metrics divide, by month  {median(from_log):6.2f} s; the same sums",
        f"facts and views take {median(ratios):.2f} times the bare scan ({min(ratios):.2f} to {max(ratios):.2f})",
    ]
