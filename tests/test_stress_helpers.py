"""Processes that help the lab: the same comes out, whatever becomes of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from billing_sim.errors import QueryError
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.engine import checked
from billing_sim.stress import helpers, lab
from billing_sim.stress.case import find_cases
from billing_sim.stress.helpers import Helpers

PATIENT = 60.0
"""Seconds in which another process has started even where everything is slow."""


@pytest.fixture(autouse=True)
def two_processors(monkeypatch):
    """One process beside this one, on any machine."""
    monkeypatch.setattr(helpers, "usual_workers", lambda: 2)


def _with_help(tasks):
    with Helpers(patience=0) as found:
        return dict(found.share(tasks))


def _until(happened):
    """Wait for something that another process does, on a machine as busy as may be."""
    deadline = time.monotonic() + PATIENT
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _met(folder):
    """Wait until somebody else has come to the same place, and say who one is."""
    (folder / str(os.getpid())).touch()
    _until(lambda: len(list(folder.iterdir())) > 1)
    return os.getpid()


def test_another_process_does_its_part(tmp_path: Path):
    """Two tasks that wait for one another, and then two more, are done in two processes."""
    with Helpers(patience=0) as found:
        for name in "ab":
            (tmp_path / name).mkdir()
            done = dict(found.share({number: partial(_met, tmp_path / name) for number in range(2)}))
            assert done.keys() == {0, 1}
            assert os.getpid() in done.values()
            assert len(set(done.values())) == 2


def test_work_that_is_done_before_anybody_could_help_takes_no_help_from_the_next(tmp_path: Path):
    """Called, but not yet there while a first piece of work is done and over: it helps with the two that follow."""
    with Helpers(patience=0) as found:
        found.call()
        assert dict(found.share({number: partial(int, number) for number in range(3)})) == {0: 0, 1: 1, 2: 2}
        for name in "ab":
            (tmp_path / name).mkdir()
            done = dict(found.share({number: partial(_met, tmp_path / name) for number in range(2)}))
            assert len(set(done.values())) == 2


def _refused(taken):
    taken.touch()
    return checked(["nothing"], [shipped()["churn@stripe"]])


def test_what_fails_elsewhere_is_raised_here(tmp_path: Path):
    """The message is that of the task itself, not of a pipe."""
    taken = tmp_path / "taken"
    tasks = {"wait": partial(_until, taken.exists), "ask": partial(_refused, taken)}
    with pytest.raises(QueryError, match="nothing"):
        _with_help(tasks)


def test_what_cannot_be_told_to_another_process_is_done_here():
    """A function without a name cannot be sent."""
    tasks = {number: (lambda number=number: number) for number in range(4)}
    assert _with_help({"wait": partial(time.sleep, 1.5), **tasks}) == {"wait": None} | {it: it for it in range(4)}


def _dies_but_in(process, taken):
    if os.getpid() != process:
        taken.touch()
        os._exit(7)
    return "alive"


def test_a_helper_that_dies_leaves_its_work_to_us(tmp_path: Path):
    """In the middle of a task, and for good."""
    taken = tmp_path / "taken"
    dying = partial(_dies_but_in, os.getpid(), taken)
    assert _with_help({"wait": partial(_until, taken.exists), 1: dying, 2: dying}) == {
        "wait": None, 1: "alive", 2: "alive",
    }  # fmt: skip


def test_where_no_process_can_be_started_everything_is_done_here(monkeypatch):
    """Embedded interpreters have no program to start."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert set(_with_help({number: partial(os.getpid) for number in range(4)}).values()) == {os.getpid()}


def test_a_matrix_is_the_same_with_help_and_without(monkeypatch, tmp_path):
    """Every array of every cell, and the progress that was told."""
    asked, cases = list(shipped().of(["payment_success_rate"]))[:3], find_cases()[:6]
    found, told = [], []
    for patience in (0.0, 1e9):
        monkeypatch.setattr("billing_sim.stress.readings._folder", lambda patience=patience: tmp_path / str(patience))
        monkeypatch.setattr(lab, "Helpers", partial(Helpers, patience=patience))
        on, steps = lab.bench(members=300), []
        found.append(
            lab.stress(asked, cases, on, seeds=3, most=3, report=lambda *step, steps=steps: steps.append(step))
        )
        told.append(steps)
    assert told[0] == told[1]
    assert found[0].cells.keys() == found[1].cells.keys()
    for key, cell in found[0].cells.items():
        assert str(cell.world) == str(found[1].cells[key].world)


PROGRAM = """
import sys
from functools import partial
from billing_sim.stress import helpers
helpers.usual_workers = lambda: 2
task = f"import os, time; open({sys.argv[1]!r} + '/' + str(os.getpid()), 'w').close(); time.sleep(300)"
with helpers.Helpers(patience=0) as found:
    dict(found.share({number: partial(exec, task) for number in range(4)}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are told in another way there")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nobody_is_left_when_the_caller_is_gone(how, tmp_path: Path):
    """A script without a main guard, interrupted or killed while both processes are busy."""
    busy = tmp_path / "busy"
    busy.mkdir()
    script = tmp_path / "script.py"
    script.write_text(PROGRAM, encoding="utf-8")
    caller = subprocess.Popen([sys.executable, script, busy], stderr=subprocess.PIPE)
    _until(lambda: len(list(busy.iterdir())) == 2)
    helper = next(int(it.name) for it in busy.iterdir() if it.name != str(caller.pid))
    caller.send_signal(how)
    _, told = caller.communicate(timeout=PATIENT)
    assert (b"KeyboardInterrupt" in told) is (how == signal.SIGINT)
    _until(lambda: not _is_alive(helper))


def _is_alive(process: int) -> bool:
    """Whether it still does anything; one that is over may stay in the list until somebody asks for it."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return bool(told.stdout.strip()) and not told.stdout.startswith("Z")
