"""Keeping the log: a whole run against a bare PyArrow write of the same columns."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq

from billing_sim.runs.left_out import whole
from billing_sim.runs.segment import ROWS_PER_GROUP, parquet_options
from billing_sim.runs.stored import StoredRun
from billing_sim.runs.tables import layouts
from billing_sim.simulate import simulate

ROUNDS = 2


def tables_of(run: StoredRun) -> list[tuple]:
    """(layout, table) of every segment that a shard or a part wrote, with all the columns that its readers see."""
    found = []
    for segment in run.content.segments:
        folder = str(Path(segment["path"]).parent.as_posix())
        if folder in layouts():
            found.append((layouts()[folder], whole(pq.read_table(run.directory / segment["path"]))))
    return found


def bare_write(tables: list[tuple], folder: Path, *, tuned: bool = False) -> float:
    """Seconds in which two threads write these tables with PyArrow and do nothing else.

    As `pyarrow.parquet.write_table` does it unless told otherwise, or `tuned` as runs are (compression, dictionaries,
    no statistics).
    """
    todo, lock = iter(enumerate(tables)), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                item = next(todo, None)
            if item is None:
                return
            number, (layout, table) = item
            options = parquet_options(layout) if tuned else {}
            pq.write_table(table, folder / f"{number}.parquet", row_group_size=ROWS_PER_GROUP, **options)

    threads = [threading.Thread(target=work) for _ in range(2)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def measure() -> list[str]:
    """Seconds of the main scenario with its log, without it, and of a bare write of what it wrote."""
    kept, without, bare, tuned = [], [], [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for log, seconds in (("none", without), ("all", kept)):
                run = simulate("scenarios/streaming.yaml", out=folder / log, log=log, workers=2).run
                seconds.append(run.manifest.environment.seconds)
            tables = tables_of(run)
            bare.append(bare_write(tables, folder))
            tuned.append(bare_write(tables, folder, tuned=True))
    plain, best = ([a / b for a, b in zip(kept, them, strict=True)] for them in (bare, tuned))
    events = run.content.events
    return [
        f"{events / 1e6:.1f} M events, two workers",
        f"the whole run: compile the world, simulate, digest, fold, write everything {median(kept):6.2f} s",
        f"the same without the log                                                   {median(without):6.2f} s",
        f"bare PyArrow write of the same log, facts and truth                        {median(bare):6.2f} s",
        f"the same with our compression, dictionaries and no statistics              {median(tuned):6.2f} s",
        f"log kept: {median(plain):.2f} times the bare write ({min(plain):.2f} to {max(plain):.2f}), "
        f"{median(best):.2f} times the tuned one ({min(best):.2f} to {max(best):.2f})",
    ]
