"""Opening, checking, reusing: which folder serves, which is refused, and what is never deleted."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from runs_samples import IDENTITY, files_in, finished_run, writer_for

import billing_sim
from billing_sim.errors import RunError
from billing_sim.runs.directory import covers, default_directory, open_run, plan_directory, share_of
from tests.conftest import SCENARIOS

SHARD = "events/shard-02.parquet"
OTHER = replace(IDENTITY, seed=8)


def test_the_default_folder_is_named_by_the_identity(tmp_path):
    """Scenario and the first ten digits of the digest, whoever runs it."""
    assert default_directory(tmp_path, IDENTITY) == tmp_path / "runs" / f"first_month-{IDENTITY.digest[:10]}"
    assert default_directory(tmp_path, OTHER) != default_directory(tmp_path, IDENTITY)


def damage_bit(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


@pytest.mark.parametrize("name", [SHARD, "truth/part-01.parquet", "facts/invoices/part-00.parquet", "scenario.yaml"])
def test_verify_names_each_damaged_file(tmp_path, name):
    """One flipped bit in any file of the run is reported by the file's name, and only that file."""
    run = finished_run(tmp_path / "run")
    damage_bit(run.directory / name)
    assert run.verify() == [f"{name} is damaged: its bytes are not those that were written"]
    assert open_run(run.directory).verify() == run.verify()


def test_verify_reports_all_damage_at_once(tmp_path):
    """A missing, a shortened and an altered file are three sentences."""
    run = finished_run(tmp_path / "run")
    (run.directory / "events/shard-00.parquet").unlink()
    damage_bit(run.directory / SHARD)
    (run.directory / "truth/part-00.parquet").write_bytes(b"PAR1")
    told = run.verify()
    assert [sentence.split(" ")[0] for sentence in told] == ["events/shard-00.parquet", SHARD, "truth/part-00.parquet"]
    assert told[2].startswith("truth/part-00.parquet has 4 bytes instead of ")


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda file: file.unlink(), f"{SHARD} is missing"),
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), f"{SHARD} has "),
        (lambda file: file.write_bytes(b""), f"{SHARD} has 0 bytes"),
    ],
)
def test_a_run_with_missing_or_shortened_files_is_refused(tmp_path, harm, reason):
    """A listed segment that is lost or cut is noticed on opening."""
    run = finished_run(tmp_path / "run")
    harm(run.directory / SHARD)
    with pytest.raises(RunError, match="is damaged: run it again with --overwrite\n" + reason):
        open_run(run.directory)


def test_files_outside_the_manifest_are_never_read(tmp_path):
    """A segment exists when the manifest says so, whatever lies in the folder."""
    run = finished_run(tmp_path / "run")
    known = run.events_files
    stray = run.directory / "events/shard-63.parquet"
    stray.write_bytes((run.directory / SHARD).read_bytes())
    (run.directory / "facts/invoices/part-09.parquet").write_bytes(b"rubbish")
    again = open_run(run.directory)
    assert (again.events_files, stray in again.events_files) == (known, False)
    assert [file.name for file in again.facts_files("invoices")] == ["part-00.parquet", "part-01.parquet"]
    assert again.verify() == []


@pytest.mark.parametrize("name", ["nowhere", "empty", "other"])
def test_a_folder_that_is_no_run_is_not_opened(tmp_path, name):
    """The message names the folder."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").write_text("a file")
    with pytest.raises(RunError, match=f"{name} is not a run"):
        open_run(tmp_path / name)


@pytest.mark.parametrize(
    ("kept", "asked", "enough"),
    [
        ("all", "all", True), ("all", "1/4", True), ("all", "none", True),
        ("1/4", "all", False), ("1/4", "1/4", True), ("1/4", "1/8", True), ("1/4", "1/2", False),
        ("1/4", "none", True), ("1/1", "all", True),
        ("none", "all", False), ("none", "1/1024", False), ("none", "none", True),
    ],
)  # fmt: skip
def test_a_kept_log_serves_whoever_asks_for_no_more(kept, asked, enough):
    """all >= 1/N >= none, and 1/N serves 1/M when M is a multiple of N."""
    assert covers(kept, asked) is enough


@pytest.mark.parametrize("log", ["some", "2/4", "1/0", "1/6", "1/x", "1/-4", "", "1/²"])
def test_a_log_that_is_none_is_refused(log):
    """The message says what can be written."""
    with pytest.raises(RunError, match="write all, none, or 1/N with N a power of two"):
        share_of(log)


# What is there (log kept, driver), what is asked (log, driver, fresh), and whether what is there serves.
REUSE = [
    ("all", "batch", "all", None, False, "reuse"),
    ("all", "batch", "1/16", None, False, "reuse"),
    ("1/16", "batch", "1/32", None, False, "reuse"),
    ("none", "simpy", "none", None, False, "reuse"),
    ("all", "simpy", "all", "simpy", False, "reuse"),
    ("all", "batch", "all", "simpy", False, "used the batch driver, and simpy is asked for"),
    ("none", "batch", "all", None, False, "kept the log none, and all is asked for"),
    ("1/16", "batch", "1/8", None, False, "kept the log 1/16, and 1/8 is asked for"),
    ("all", "batch", "all", None, True, "simulated afresh"),
]


@pytest.mark.parametrize("place", ["default", "out"])
@pytest.mark.parametrize(("kept", "used", "log", "driver", "fresh", "ending"), REUSE)
def test_a_finished_run_is_reused_when_it_serves(tmp_path, place, kept, used, log, driver, fresh, ending):
    """The same run is taken as it is, or simulated again with the reason said; either way nothing is refused."""
    out = tmp_path / "mine" if place == "out" else None
    directory = out or default_directory(tmp_path, IDENTITY)
    finished_run(directory, log=kept, driver=used)
    decision = plan_directory(out, tmp_path, IDENTITY, log, driver, fresh, False)
    assert (decision.directory, decision.reuse, decision.replace) == (directory, ending == "reuse", ending != "reuse")
    assert ending in decision.note


@pytest.mark.parametrize("place", ["absent", "empty"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_free_folder_is_simply_used(tmp_path, place, overwrite):
    """An absent or empty folder needs no permission and no remark."""
    if place == "empty":
        (tmp_path / "out").mkdir()
    decision = plan_directory(tmp_path / "out", tmp_path, IDENTITY, "all", None, False, overwrite)
    assert (decision.reuse, decision.replace, decision.note) == (False, False, "")


def interrupted(directory, identity=IDENTITY):
    writer_for(directory, identity).abort()


def damaged(directory):
    (finished_run(directory).directory / SHARD).unlink()


OCCUPIED = {
    "another run": (lambda d: finished_run(d, OTHER), r"another run is there \(first_month, seed 8, finished\)"),
    "another incomplete run": (lambda d: interrupted(d, OTHER), r"another run is there .*interrupted"),
    "an incomplete run": (interrupted, "the run there is incomplete"),
    "a killed run": (writer_for, "the run there is incomplete"),
    "a damaged run": (damaged, r"the run there cannot be read \(events/shard-02.parquet is missing\)"),
}


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("what", OCCUPIED)
def test_an_out_folder_is_given_up_only_with_overwrite(tmp_path, what, fresh):
    """A named folder with another, an incomplete or a damaged run is refused; --overwrite replaces it."""
    make, reason = OCCUPIED[what]
    make(tmp_path / "out")
    with pytest.raises(RunError, match=rf"out: {reason}.*\. Add --overwrite to replace it"):
        plan_directory(tmp_path / "out", tmp_path, IDENTITY, "all", None, fresh, False)
    decision = plan_directory(tmp_path / "out", tmp_path, IDENTITY, "all", None, fresh, True)
    assert (decision.reuse, decision.replace) == (False, True)
    assert finished_run(tmp_path / "out", replace=decision.replace).verify() == []


@pytest.mark.parametrize("what", ["an incomplete run", "a killed run", "a damaged run"])
def test_the_default_folder_is_redone_and_said_so(tmp_path, what):
    """In its own place an incomplete or damaged run of the same identity is simulated again, with a remark."""
    OCCUPIED[what][0](default_directory(tmp_path, IDENTITY))
    decision = plan_directory(None, tmp_path, IDENTITY, "all", None, False, False)
    assert (decision.reuse, decision.replace) == (False, True)
    assert decision.note.endswith("; simulated again")
    assert finished_run(decision.directory, replace=True).verify() == []


def test_another_run_in_the_default_folder_is_not_replaced_unasked(tmp_path):
    """A folder that was moved there by hand is somebody's."""
    finished_run(default_directory(tmp_path, IDENTITY), OTHER)
    with pytest.raises(RunError, match="another run is there"):
        plan_directory(None, tmp_path, IDENTITY, "all", None, True, False)


def test_overwrite_still_reuses_the_same_run(tmp_path):
    """Permission to replace is no order to; --fresh is."""
    finished_run(tmp_path / "out")
    assert plan_directory(tmp_path / "out", tmp_path, IDENTITY, "all", None, False, True).reuse
    assert plan_directory(tmp_path / "out", tmp_path, IDENTITY, "all", None, True, True).replace


def test_a_run_that_was_replaced_does_not_answer_for_the_new_one(tmp_path):
    """Numbers of one run under the digest of another would be believed."""
    older = billing_sim.run(SCENARIOS / "first_month.yaml", members=40, out=tmp_path / "run")
    billing_sim.run(SCENARIOS / "first_month.yaml", members=60, out=tmp_path / "run", overwrite=True)
    asked = [
        lambda: older.metric("members"), lambda: older.table("invoices"), lambda: older.table("world_events"),
        lambda: older.sql("SELECT count(*) FROM invoices"), lambda: older.trace("US-1"), older.truth, older.views,
    ]  # fmt: skip
    for question in asked:
        with pytest.raises(RunError, match="holds another run by now: open it again"):
            question()
    assert "40 members" in repr(older)


def test_a_run_that_is_gone_says_so(tmp_path):
    """Whatever is asked of it."""
    run = billing_sim.run(SCENARIOS / "first_month.yaml", members=40, out=tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    for question in (lambda: run.table("invoices"), run.views, lambda: run.views(as_of="2025-02-01"), run.truth):
        with pytest.raises(RunError, match=r"is gone|holds no manifest"):
            question()


@pytest.mark.parametrize("content", ["{}", "half a mani", None])
@pytest.mark.parametrize("flags", [(False, False), (True, True)])
def test_a_folder_without_a_manifest_of_ours_is_always_refused(tmp_path, content, flags):
    """No flag makes the program take a folder that it cannot recognise as its own."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    if content is not None:
        (tmp_path / "out" / "manifest.json").write_text(content)
    before = files_in(tmp_path)
    with pytest.raises(RunError, match="holds something that is not a run: name a new or empty folder"):
        plan_directory(tmp_path / "out", tmp_path, IDENTITY, "all", None, *flags)
    assert files_in(tmp_path) == before


def test_a_file_is_not_a_folder(tmp_path):
    """--out naming a file is refused like any other thing that is no run."""
    (tmp_path / "out").write_text("mine")
    with pytest.raises(RunError, match="holds something that is not a run"):
        plan_directory(tmp_path / "out", tmp_path, IDENTITY, "all", None, True, True)


def test_two_runs_of_one_identity_have_equal_files(tmp_path):
    """Within one set of locked versions the bytes are the same, so are the manifests' identity and content."""
    one, two = finished_run(tmp_path / "one"), finished_run(tmp_path / "two", driver="simpy")
    assert one.content == two.content
    assert one.manifest.identity == two.manifest.identity
    assert one.manifest.environment != two.manifest.environment


@pytest.mark.parametrize("odd", ["x" * 300, "loop/a", "\udcff odd"], ids=["long", "circle", "no text"])
def test_a_name_that_no_folder_can_have_is_refused_in_words(tmp_path, odd):
    """Each of these ended in a traceback."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(RunError, match=r"cannot be used: .*Name another folder with --out"):
        billing_sim.run(SCENARIOS / "first_month.yaml", members=10, out=tmp_path / odd)
