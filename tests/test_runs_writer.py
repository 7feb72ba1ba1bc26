"""A run is written part by part, is whole once its manifest says so, and never harms an older one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from runs_samples import (
    CONTENT,
    ENVIRONMENT,
    IDENTITY,
    SCENARIO,
    VOCABULARIES,
    WORLD,
    files_in,
    finished_run,
    log_rows,
    records,
    truth_rows,
    writer_for,
)

from billing_sim import events
from billing_sim.errors import QueryError, RunError
from billing_sim.facts import schema
from billing_sim.runs import segment, tables
from billing_sim.runs.directory import open_run
from billing_sim.runs.manifest import read_manifest

FIRST_FACTS = [f"facts/{name}/part-00.parquet" for name in tables.FACT_NAMES]
INCOMPLETE = r"this run is incomplete \(interrupted while simulating\): run it again with --overwrite"


def folders_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def rows_of(files: list[Path]) -> int:
    return sum(pq.read_metadata(file).num_rows for file in files)


def test_a_run_keeps_what_it_was_given(tmp_path):
    """Three shards with rows leave three logs, two parts, the first file of every fact, and a manifest of all that."""
    run = finished_run(tmp_path / "run")
    shards = ["events/shard-00.parquet", "events/shard-02.parquet", "events/shard-05.parquet"]
    parts = ["truth/part-00.parquet", "truth/part-01.parquet", "facts/invoices/part-01.parquet"]
    written = sorted([*shards, *parts, *FIRST_FACTS, "scenario.yaml", "world/events.parquet"])
    assert files_in(run.directory) == sorted([*written, "manifest.json"])
    assert [segment["path"] for segment in run.content.segments] == written
    assert run.events_files == [run.directory / name for name in shards]
    assert (rows_of(run.events_files), rows_of(run.truth_files)) == (67, 12)
    assert (run.content.facts["invoices"], run.content.facts["notices"]) == (3 + 5 + 8, 0)
    assert rows_of(run.facts_files("invoices")) == 16
    assert (run.log, run.scenario_source()) == ("all", b"name: first_month\n")
    assert run.verify() == []


def test_world_events_come_back_as_written(tmp_path):
    """Moments stay integers, kinds have names, and what was absent is null."""
    told = finished_run(tmp_path / "run").world_events()
    assert [{name: value for name, value in row.items() if value is not None} for row in told] == WORLD


def test_a_world_event_may_name_its_kind_by_number(tmp_path):
    """The number of a kind and its name are the same thing."""
    writer = writer_for(tmp_path / "run")
    writer.write_world_events([{**WORLD[1], "kind": 3}])
    writer.finish(CONTENT, ENVIRONMENT)
    assert open_run(tmp_path / "run").world_events()[0]["kind"] == "price.set"


@pytest.mark.parametrize("wrong", [{"colour": "red"}, {"kind": "price.guessed"}])
def test_a_world_event_outside_the_schema_is_refused(tmp_path, wrong):
    """An unknown column or kind is a defect, not a null."""
    writer = writer_for(tmp_path / "run")
    with pytest.raises(ValueError, match=r"colour|price\.guessed"):
        writer.write_world_events([{**WORLD[1], **wrong}])
    writer.abort()


def test_vocabularies_of_the_scenario_are_kept_with_the_run(tmp_path):
    """The manifest keeps the scenario's own labels; the built-in ones come with the program."""
    run = finished_run(tmp_path / "run")
    assert run.manifest.vocabularies == SCENARIO
    assert run.vocabularies == VOCABULARIES


def test_duckdb_reads_every_table(tmp_path):
    """A fact that stayed empty is a table without rows, with its columns; labels are text."""
    run = finished_run(tmp_path / "run")
    for name in tables.FACT_NAMES:
        told = duckdb.read_parquet([str(file) for file in run.facts_files(name)])
        assert told.columns == [column.name for fact in schema.FACTS if fact.name == name for column in fact.columns]
    log = duckdb.read_parquet([str(file) for file in run.events_files])
    told = log.filter("market is not null").aggregate("kind, count(*)", "kind").order("kind").fetchall()
    named = [kind.name for kind in events.EVENTS if "market" in kind.columns]
    rows = [kind for shard in (0, 2, 5) for kind in log_rows(20 + shard)["kind"].tolist()]
    assert told == sorted(
        (events.KIND_NAMES[kind], rows.count(kind)) for kind in set(rows) if events.KIND_NAMES[kind] in named
    )


def test_a_run_without_a_log_keeps_its_facts(tmp_path):
    """Nothing is written under events/, and asking for it says what to do."""
    run = finished_run(tmp_path / "run", log="none")
    assert not [name for name in files_in(run.directory) if name.startswith("events")]
    assert rows_of(run.facts_files("invoices")) == 16
    with pytest.raises(RunError, match="kept no log: run the scenario again with --log all"):
        _ = run.events_files


def test_unknown_facts_are_named(tmp_path):
    """A misspelt fact is answered with the ones there are."""
    with pytest.raises(QueryError, match="no facts called 'invoice'; there are invoices, attempts"):
        finished_run(tmp_path / "run").facts_path("invoice")


def test_threads_and_blocks_do_not_change_a_byte(tmp_path):
    """Parts written side by side in small blocks give the files that one thread gives at once."""
    shards = {shard: log_rows(300 + shard) for shard in range(64)}

    def fill(writer, part, block):
        part_writer = writer.part(part)
        for shard in range(part * 4, part * 4 + 4):
            for rows in np.array_split(shards[shard], block):
                part_writer.append(
                    shard, rows, truth_rows(2), {"notices": records(schema.NOTICES.dtype, 5)[: len(rows)]}
                )
        part_writer.close()

    told = []
    for name, threads, block in (("one", 1, 3), ("many", 4, 3)):
        writer = writer_for(tmp_path / name)
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(fill, writer, part, block) for part in reversed(range(16))]:
                done.result()
        told.append(writer.finish(CONTENT, ENVIRONMENT).result)
    assert told[0] == told[1]
    assert len(told[0].segments) == 2 + 64 + 16 + 16 + len(FIRST_FACTS) - 1


def test_shards_come_in_order(tmp_path):
    """A part takes its own four shards, each once, in ascending order."""
    writer = writer_for(tmp_path / "run")
    part = writer.part(1)
    part.append(5, log_rows(1), None, {})
    for shard in (4, 8, 3):
        with pytest.raises(ValueError, match=f"shard {shard} does not follow shard 5 in part 1"):
            part.append(shard, log_rows(1), None, {})
    with pytest.raises(ValueError, match="no part 16"):
        writer.part(16)
    writer.abort()


def test_a_run_that_is_being_written_is_not_opened(tmp_path):
    """Until the manifest says so, there is no run: not before `finish`, and not after `abort`."""
    writer = writer_for(tmp_path / "run")
    writer.part(3).append(12, log_rows(500), truth_rows(3), {})
    assert read_manifest(tmp_path / "run").state == "running"
    with pytest.raises(RunError, match="is being written by another process or thread"):
        open_run(tmp_path / "run")
    writer.abort()
    assert read_manifest(tmp_path / "run").state == "interrupted"
    assert files_in(tmp_path / "run") == ["manifest.json", "scenario.yaml"]
    with pytest.raises(RunError, match=INCOMPLETE):
        open_run(tmp_path / "run")


def test_nothing_is_appended_after_the_end(tmp_path):
    """A thread that did not notice the abort is refused, and a second close is harmless."""
    writer = writer_for(tmp_path / "run")
    part = writer.part(0)
    part.close()
    part.close()
    with pytest.raises(RunError, match="has been stopped"):
        part.append(0, log_rows(1), None, {})
    writer.abort()


def test_abort_after_the_end_is_harmless(tmp_path):
    """A finished run stays finished."""
    writer = writer_for(tmp_path / "run")
    writer.finish(CONTENT, ENVIRONMENT)
    writer.abort()
    assert open_run(tmp_path / "run").content.facts["invoices"] == 0


def test_an_error_while_syncing_is_raised_by_finish(tmp_path, monkeypatch):
    """A disk that fills up in the background is not overlooked."""
    writer = writer_for(tmp_path / "run")
    writer.part(2).append(8, log_rows(10), None, {})

    def fail(_sealed):
        raise RunError("cannot write it: no space")

    monkeypatch.setattr(segment.Sealed, "commit", fail)
    with pytest.raises(RunError, match="no space"):
        writer.finish(CONTENT, ENVIRONMENT)
    writer.abort()
    assert files_in(tmp_path / "run") == ["manifest.json", "scenario.yaml", "world/events.parquet"]
    assert read_manifest(tmp_path / "run").state == "interrupted"


def test_a_run_is_replaced_only_once_the_new_one_is_finished(tmp_path):
    """The older run can be read until the moment of the swap; afterwards nothing of it is left."""
    old = finished_run(tmp_path / "run")
    newer = replace(IDENTITY, seed=8)
    writer = writer_for(tmp_path / "run", newer, replace=True)
    writer.part(0).append(0, log_rows(5), None, {})
    assert old.verify() == []
    assert open_run(tmp_path / "run").manifest.identity == IDENTITY
    writer.finish(CONTENT, ENVIRONMENT)
    assert open_run(tmp_path / "run").manifest.identity == newer
    assert folders_in(tmp_path) == ["run"]


def test_an_aborted_replacement_leaves_the_older_run(tmp_path):
    """An interrupted --fresh costs nothing that was there."""
    old = finished_run(tmp_path / "run")
    before = files_in(tmp_path)
    writer = writer_for(tmp_path / "run", replace=True)
    writer.part(0).append(0, log_rows(5), None, {})
    writer.abort()
    assert files_in(tmp_path) == before
    assert (open_run(tmp_path / "run"), old.verify()) == (old, [])


def test_what_a_killed_replacement_left_is_cleared(tmp_path):
    """A process that was killed leaves a folder beside the run; the next writer removes it."""
    finished_run(tmp_path / "run")
    writer_for(tmp_path / "run", replace=True)
    assert folders_in(tmp_path) == [".run.lock", ".run.writing", "run"]
    finished_run(tmp_path / "run", replace=True)
    assert folders_in(tmp_path) == ["run"]


@pytest.mark.parametrize("options", [{}, {"replace": True}])
def test_a_folder_that_is_no_run_is_never_touched(tmp_path, options):
    """Somebody's files are safe, whatever is asked."""
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(RunError, match="is not empty: name another folder"):
        writer_for(tmp_path / "thesis", **options)
    assert files_in(tmp_path) == ["thesis/chapter.txt"]


def test_the_current_folder_may_be_named(tmp_path, monkeypatch):
    """An empty folder that the user stands in takes a run; to replace it, the user has to step out of it."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    finished_run(Path())
    with pytest.raises(RunError, match="is the folder you are in"):
        finished_run(Path(), replace=True)
    monkeypatch.chdir(tmp_path)
    assert finished_run(Path("here"), replace=True).verify() == []


def test_a_run_is_not_replaced_unasked(tmp_path):
    """Without `replace` a writer takes no folder that holds anything."""
    finished_run(tmp_path / "run")
    with pytest.raises(RunError, match="is not empty"):
        writer_for(tmp_path / "run")
    assert open_run(tmp_path / "run").verify() == []
