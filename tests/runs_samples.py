"""Small runs for the tests of the store: rows of every kind, a writer, and a finished run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from billing_sim import events
from billing_sim.facts import schema
from billing_sim.runs.directory import RunWriter, StoredRun, open_run
from billing_sim.runs.manifest import Content, Environment, Identity

SCENARIO = {
    "markets": ("US", "DE", "NO"),
    "plans": ("basic", "premium"),
    "gateways": ("none", "alpha", "beta"),
    "policies": ("none", "patient"),
    "currencies": ("USD", "EUR", "NOK"),
    "regions": ("UCAN", "EMEA"),
    "arms": ("none", "test/one", "test/two"),
    "coupons": ("none", "spring"),
    "campaigns": ("none", "amnesty"),
    "bins": ("none", "northbank"),
}
VOCABULARIES = {**SCENARIO, **events.VOCABULARIES, **schema.VOCABULARIES}
IDENTITY = Identity("first_month", "ab" * 32, 7, 1000, "2025-01-01", "2025-07-01", "cd" * 32)
ENVIRONMENT = Environment("batch", 2, "billing-sim run scenarios/first_month.yaml", "2025-11-21T12:00:00Z")
CONTENT = Content("11" * 32, "22" * 32, 1000, 6, {"invoice.issued": 6})
WORLD = [
    {"sequence": 0, "kind": "run.configured", "occurred_at": 5, "recorded_at": 5, "currency": "USD", "detail": "{}"},
    {"sequence": 1, "kind": "price.set", "occurred_at": 5, "recorded_at": 4, "market": "NO", "amount_minor": 12900},
]


def records(dtype: np.dtype, count: int, seed: int = 1) -> np.ndarray:
    """Records whose every field holds some small number, and whose padding is zero."""
    luck = np.random.default_rng(seed)
    rows = np.zeros(count, dtype)
    for name in (name for name in dtype.names or () if name != "filler"):
        rows[name] = luck.integers(0, 2, count)
    if "subscriber" in (dtype.names or ()):
        rows["subscriber"] = np.arange(count) // 3 * 1_000_003
    return rows


def log_rows(count: int, kinds: tuple[events.Kind, ...] = events.EVENTS, dtype: np.dtype = events.ROW) -> np.ndarray:
    """Rows of all kinds in turn."""
    rows = records(dtype, count)
    rows["kind"] = np.resize([kind.number for kind in kinds], count)
    rows["occurred_at"] = 1_735_689_600_000_000 + np.arange(count) * 977_000_003
    return rows


def truth_rows(count: int) -> np.ndarray:
    """Sealed rows of all kinds in turn."""
    return log_rows(count, events.TRUTH, events.TRUTH_ROW)


def writer_for(directory: Path, identity: Identity = IDENTITY, log: str = "all", **options: bool) -> RunWriter:
    """A run that has begun."""
    return RunWriter(directory, identity, VOCABULARIES, log, b"name: first_month\n", ENVIRONMENT, **options)


def finished_run(
    directory: Path, identity: Identity = IDENTITY, log: str = "all", driver: str = "batch", **options: bool
) -> StoredRun:
    """A run of three shards in two parts that has finished, opened."""
    writer = writer_for(directory, identity, log, **options)
    writer.write_world_events(WORLD)
    for shard, part in ((0, 0), (2, 0), (5, 1)):
        invoices = records(schema.INVOICES.dtype, 3 + shard)
        writer.part(part).append(shard, log_rows(20 + shard), truth_rows(4), {"invoices": invoices})
    writer.finish(CONTENT, replace(ENVIRONMENT, driver=driver, seconds=1.5))
    return open_run(directory)


def files_in(folder: Path) -> list[str]:
    """Every file below a folder, hidden ones included."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
