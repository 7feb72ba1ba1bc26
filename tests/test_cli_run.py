"""`billing-sim run`: simulate, tell, reuse; and stop in good order."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from billing_sim.runs.manifest import INTERRUPTED, read_manifest
from tests.cli_caller import call, in_a_process
from tests.conftest import SCENARIOS
from tests.runs_samples import finished_run, writer_for

__all__ = ["call"]
FIRST_MONTH = SCENARIOS / "first_month.yaml"
KEYS = (
    "run", "members", "events", "seconds", "events_per_second", "content_digest", "driver", "workers", "seed",
    "reused", "identity", "log", "scenario",
)  # fmt: skip


def test_json_is_one_object_and_the_second_time_it_is_reused(tmp_path, tiny_run):
    """Only the flag differs: a reused run keeps its seconds."""
    first, second = (
        in_a_process("run", FIRST_MONTH, "--members", 200, "--workers", 1, "--format", "json", cwd=tmp_path)
        for _ in range(2)
    )
    assert (first.code, first.err, second.code, second.err) == (0, "", 0, "")
    told, again = json.loads(first.out), json.loads(second.out)
    assert set(KEYS) <= told.keys()
    assert again == {**told, "reused": True}
    assert told["reused"] is False
    assert told["content_digest"] == tiny_run.content_digest
    assert told["events"] == tiny_run.events
    assert (told["members"], told["seed"], told["driver"], told["workers"]) == (200, 1, "batch", 1)
    assert told["run"] == str(Path("runs") / f"first_month-{told['identity'][:10]}")
    assert (tmp_path / told["run"] / "manifest.json").is_file()


def test_the_story_comes_before_the_four_views(call, tiny_run):
    """In a pipe: no colours, no bar, 80 columns."""
    answer = call("run", FIRST_MONTH, "--members", 200, "--out", tiny_run.directory)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("first_month: 200 members, 2025-01-01 to 2025-03-01, seed 1\n")
    positions = [answer.out.index(f"\n{view}  ") for view in ("SUBSCRIBERS", "FINANCE", "SUPPORT", "PRODUCT")]
    assert positions == sorted(positions)
    assert "; reused\n" in answer.out
    assert "\x1b" not in answer.out
    tables = answer.out.split("Mission", 1)[1]
    assert max(map(len, tables.splitlines())) <= 80


def test_without_views_only_the_story(call, tiny_run):
    """What came of it, how it was made, and where it is."""
    answer = call("run", FIRST_MONTH, "--members", 200, "--out", tiny_run.directory, "--no-views")
    labels = [line.split()[0] for line in answer.out.splitlines()[1:]]
    assert labels == "members lost invoices renewals kept events digest made speed where".split()
    assert str(tiny_run.directory) in answer.out


def test_quiet_prints_the_folder_alone(call, tiny_run):
    """So that a script can go on with it."""
    answer = call("run", FIRST_MONTH, "--members", 200, "--out", tiny_run.directory, "-q")
    assert (answer.code, answer.out, answer.err) == (0, f"{tiny_run.directory}\n", "")


def test_csv_is_a_header_and_a_row(call, tiny_run):
    """The same numbers as in JSON."""
    answer = call("run", FIRST_MONTH, "--members", 200, "--out", tiny_run.directory, "--format", "csv")
    (row,) = csv.DictReader(answer.out.splitlines())
    assert set(KEYS) <= row.keys()
    assert (row["content_digest"], row["reused"]) == (tiny_run.content_digest, "True")


def test_a_scenario_with_mistakes_is_told_line_by_line(call, tmp_path):
    """Code 2, every problem, nothing simulated."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(FIRST_MONTH.read_text().replace("members: 2000", "membres: 2000").replace("USD}", "USDX}"))
    answer = call("run", wrong, "--out", tmp_path / "out")
    assert (answer.code, answer.out) == (2, "")
    assert [str(wrong) in line for line in answer.err.splitlines()].count(True) >= 3
    assert f"{wrong}:12:1  membres" in answer.err
    assert "USDX" in answer.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--log", "half"], "write all, none, or"),
        (["--workers", "1000"], "workers"),
        (["--seed", "5"], "--overwrite"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(call, tiny_run, options, said):
    """Code 2 and what to do instead; another run is not touched."""
    answer = call("run", FIRST_MONTH, "--members", 200, "--out", tiny_run.directory, *options)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert read_manifest(tiny_run.directory) == tiny_run.manifest


def test_a_missing_scenario(call):
    """The name is said."""
    answer = call("run", "nowhere.yaml")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("nowhere.yaml  There is no such file.")


def test_interrupted_while_it_counts_it_says_that_the_run_is_complete(call, tmp_path, monkeypatch):
    """Code 130, and the command that goes on from there."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("billing_sim.cli.viewing.show_views", interrupted)
    answer = call("run", FIRST_MONTH, "--members", 50, "--out", tmp_path / "run")
    assert answer.code == 130
    assert answer.err.splitlines()[-1].startswith("Interrupted, but the run is complete: `billing-sim views ")
    monkeypatch.undo()
    assert call("views", tmp_path / "run").code == 0


@pytest.mark.parametrize(
    ("before", "options", "said"),
    [
        ("nothing", [], "Interrupted before anything was written: give the same command again.\n"),
        (
            "unfinished",
            [],
            "this run is incomplete and cannot be read; give the same command again with --overwrite to",
        ),
        ("unfinished", ["--overwrite"], "this run is incomplete and cannot be read; give the same command again to"),
        ("finished", ["--overwrite"], "out holds a finished run, which can be read; give the same command again to"),
        ("finished", [], "out holds a finished run, which can be read; give the same command again with --overwrite"),
    ],
)
def test_interrupted_it_says_what_is_there(call, tmp_path, monkeypatch, before, options, said):
    """Nothing, a beginning, or the earlier run, which is replaced only at the end."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    if before == "unfinished":
        writer_for(tmp_path / "out").abort()
    elif before == "finished":
        finished_run(tmp_path / "out")
    monkeypatch.setattr("billing_sim.cli.running._simulate", interrupted)
    answer = call("run", FIRST_MONTH, "--out", tmp_path / "out", *options)
    assert (answer.code, answer.out) == (130, "")
    assert said in answer.err
    monkeypatch.chdir(tmp_path)
    assert "this run is not finished; give the same command again to" in call("run", FIRST_MONTH).err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_interrupted_it_says_that_the_run_is_incomplete_and_how_to_go_on(tmp_path, tiny_run):
    """Code 130, one sentence, and a folder that says the same."""
    out = tmp_path / "out"
    command = ["run", SCENARIOS / "streaming.yaml", "--members", "1000000", "--log", "none", "--out", out]
    running = subprocess.Popen(
        [sys.executable, "-m", "billing_sim", *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while not (out / "manifest.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=60)
    assert (running.returncode, stdout) == (130, b"")
    (sentence,) = stderr.decode().splitlines()
    assert sentence.startswith("Interrupted: this run is incomplete")
    assert "--overwrite" in sentence
    assert read_manifest(out).state == INTERRUPTED
