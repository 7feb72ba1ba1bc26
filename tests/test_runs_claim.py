"""Two who write the same run: the second is told so, and only a writer that has ended was interrupted."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import billing_sim
from billing_sim.errors import RunError
from billing_sim.runs.directory import open_run, plan_directory
from tests.conftest import SCENARIOS
from tests.runs_samples import IDENTITY, files_in, finished_run, writer_for

WRITING = """
import sys, time
from pathlib import Path
from tests.runs_samples import writer_for
writer = writer_for(Path(sys.argv[1]), replace=True)
print("begun", flush=True)
time.sleep(60)
"""
TOLD = "out is being written by another process or thread: wait until it has finished"


@pytest.fixture
def writing(tmp_path):
    """Another process that writes a run to `out`."""
    command = [sys.executable, "-c", WRITING, tmp_path / "out"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"begun\n"
        yield started
        started.kill()


def refusals(out: Path, overwrite: bool) -> list[str]:
    """What planning, writing and opening say."""
    told = []
    for ask in (
        lambda: plan_directory(out, out.parent, IDENTITY, "all", None, False, overwrite),
        lambda: writer_for(out, replace=overwrite),
        lambda: open_run(out),
    ):
        with pytest.raises(RunError) as caught:
            ask()
        told.append(str(caught.value))
    return told


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_run_that_another_process_writes_is_left_alone(tmp_path, writing, overwrite):
    assert writing.poll() is None
    before = files_in(tmp_path)
    assert all(TOLD in told for told in refusals(tmp_path / "out", overwrite))
    assert files_in(tmp_path) == before


def test_a_writer_that_was_killed_holds_nothing(tmp_path, writing):
    writing.kill()
    writing.wait()
    with pytest.raises(RunError, match="this run is incomplete"):
        open_run(tmp_path / "out")
    assert plan_directory(tmp_path / "out", tmp_path, IDENTITY, "all", None, False, True).replace
    finished_run(tmp_path / "out", replace=True)
    assert not (tmp_path / ".out.lock").exists()


def test_a_finished_run_is_read_while_it_is_replaced(tmp_path):
    """It stays whole until the other has finished."""
    finished_run(tmp_path / "out")
    writer = writer_for(tmp_path / "out", replace=True)
    assert open_run(tmp_path / "out").manifest.identity == IDENTITY
    assert plan_directory(tmp_path / "out", tmp_path, IDENTITY, "all", None, False, False).reuse
    with pytest.raises(RunError, match=TOLD):
        writer_for(tmp_path / "out", replace=True)
    writer.abort()
    assert not list(tmp_path.glob(".*"))
    writer_for(tmp_path / "out", replace=True).abort()


def test_a_folder_that_is_refused_is_free_again(tmp_path):
    """Also where it was not taken for another reason."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    for _ in range(2):
        with pytest.raises(RunError, match="is not empty"):
            writer_for(tmp_path / "out")
    assert files_in(tmp_path) == ["out/mine.txt"]


def test_threads_that_want_the_same_folder_do_not_disturb_each_other(tmp_path):
    """One writes; the others reuse what it wrote, or are told that it is being written, or just has been."""

    def made(_: int) -> str:
        try:
            return billing_sim.run(
                SCENARIOS / "first_month.yaml", members=50, out=tmp_path / "out", workers=1
            ).content_digest
        except RunError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(made, range(4)))
    digest = billing_sim.open(tmp_path / "out").content_digest
    assert digest in found
    assert all(told == digest or TOLD in told or "give the same command again" in told for told in found)
    assert [it.name for it in tmp_path.iterdir()] == ["out"]
