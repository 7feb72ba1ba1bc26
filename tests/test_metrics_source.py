"""A finished run on the disk answers the same as the facts it was made of; anything else is refused in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from billing_sim.errors import RunError
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.connection import connect, query
from billing_sim.metrics.engine import compute
from billing_sim.metrics.source import RunFolder
from billing_sim.runs.manifest import FINISHED, RUNNING, Content, Environment, Identity, Manifest, write_manifest
from billing_sim.runs.world_log import write_world_log
from tests.facts_builder import HandMade, build, invoice

IDENTITY = Identity("first_month", "ab" * 32, 7, 3, "2025-01-01", "2025-07-01", "cd" * 32)
ENVIRONMENT = Environment("batch", 2, "billing-sim run first_month.yaml", "2025-11-21T12:00:00Z")


@pytest.fixture
def run(tmp_path: Path) -> tuple[HandMade, Manifest]:
    """A folder like one that a run leaves behind: two files of invoices, the world's events, a manifest."""
    made = build(tmp_path / "facts", parts=2, invoices=[invoice("2025-01-10", 10), invoice("2025-02-10", 20)])
    rows = [{"recorded_at": row["occurred_at"]} | row for row in made.world_events()]
    world = write_world_log(tmp_path, "world/events.parquet", rows)
    facts = [{"path": file.relative_to(tmp_path).as_posix()} for file in made.facts_files("invoices")]
    content = Content("11" * 32, "22" * 32, 3, 6, {}, segments=(*facts, world))
    manifest = Manifest(FINISHED, IDENTITY, ENVIRONMENT, {}, content)
    write_manifest(tmp_path, manifest)
    return made, manifest


def test_a_run_folder_answers_like_its_facts(run, tmp_path):
    """Every metric is the same, and the world events are what was written."""
    made, _ = run
    folder = RunFolder(tmp_path)
    answers = compute(folder, shipped(), by=["month"])
    assert [replace(it, data="") for it in answers] == compute(made, shipped(), by=["month"])
    assert {it.data for it in answers} == {"11" * 32}
    rows = query(connect(folder), "SELECT kind, occurred_at::VARCHAR, amount_minor FROM world_events").fetchall()
    assert rows == [("run.configured", "1970-01-01 00:00:00", None), ("price.set", "1970-01-02 00:00:00", 999)]


def test_a_file_that_the_manifest_does_not_list_is_no_part_of_the_run(run, tmp_path):
    """Leftovers of another run do not count, whatever their name."""
    build(tmp_path / "other", invoices=[invoice("2025-03-10", 40)])
    (tmp_path / "other/invoices/part-00.parquet").rename(tmp_path / "facts/invoices/part-15.parquet")
    (billed,) = compute(RunFolder(tmp_path), shipped().of(["billed"]))
    assert billed.value == 30


def test_a_missing_file_is_named(run, tmp_path):
    """A damaged run says which file is gone and what to do."""
    (tmp_path / "facts/invoices/part-01.parquet").unlink()
    with pytest.raises(RunError, match=r"run it again with --overwrite\nfacts/invoices/part-01.parquet is missing"):
        compute(RunFolder(tmp_path), shipped())


def test_an_unfinished_run_is_refused(run, tmp_path):
    """What is still being written cannot be judged."""
    write_manifest(tmp_path, replace(run[1], state=RUNNING, content=None))
    with pytest.raises(RunError, match="this run is incomplete"):
        compute(RunFolder(tmp_path), shipped())


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    """An empty folder holds no manifest."""
    with pytest.raises(RunError, match="is not a run"):
        compute(RunFolder(tmp_path), shipped())
