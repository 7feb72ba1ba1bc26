"""The bar: on a terminal, when there is time to read it; and the one sentence about compiling."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console
from rich.progress import Progress as Display
from rich.progress import TextColumn

from billing_sim import news, simulate
from billing_sim.cli import progress
from billing_sim.simulate import Progress
from tests.cli_caller import call
from tests.conftest import SCENARIOS

__all__ = ["call"]


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time that the bar sees, in seconds."""
    time = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: time[0])
    return time


def test_nothing_is_shown_in_the_first_second_then_people_and_speed(clock):
    """Short runs flicker otherwise."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80, color_system=None)
    display = Display(TextColumn("{task.description} {task.fields[news]}"), console=console, auto_refresh=False)
    shown = progress.Bar(display)
    clock[0] = 100.5
    shown(Progress(0, 10_000, 0, "simulating"))
    clock[0] = 101.0
    shown(Progress(1_000, 10_000, 40_000, "simulating"))
    assert screen.getvalue() == ""
    clock[0] = 102.5
    shown(Progress(5_000, 10_000, 200_000, "simulating"))
    display.stop()
    assert "simulating 5,000 of 10,000 people, 100,000 events/s" in screen.getvalue()


def test_where_nobody_looks_there_is_no_bar(monkeypatch):
    """A pipe or a file gets none."""
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with progress.bar() as report:
        assert not isinstance(report, progress.Bar)
        report(Progress(1, 2, 3, "simulating"))


def test_compiling_is_announced_unless_quiet(call, tiny_run, monkeypatch):
    """Whatever is compiled while a command runs is told before; nothing where all is to be quiet."""
    again = ("run", SCENARIOS / "first_month.yaml", "--members", 200, "--out", tiny_run.directory, "--no-views")
    monkeypatch.setattr(simulate, "compile_first", lambda _report: news.tell("Compiling it, once."))
    assert call(*again).err == "Compiling it, once.\n"
    assert call(*again, "--quiet").err == ""


@pytest.fixture
def screen(monkeypatch) -> io.StringIO:
    """What a terminal would show on stderr."""
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=80, color_system=None, force_interactive=True)
    monkeypatch.setattr(progress, "terminal", lambda stderr=False: console)
    return shown


def test_what_is_counted_has_a_rate_and_the_time_left(clock, screen):
    """Nothing in the first second; then how much of all, how fast, and how long still."""
    with progress.counting("worlds", quiet=False) as report:
        clock[0] += 0.9
        report(1, 40)
        assert screen.getvalue() == ""
        clock[0] += 1.1
        report(10, 40)
        clock[0] += 2
        report(30, 40)
    assert "worlds" in screen.getvalue()
    assert "30 of 40, 7.5/s" in screen.getvalue()


def test_what_cannot_be_counted_says_what_it_does(screen, monkeypatch):
    """A line with the seconds so far, after a while; nothing for a question that is answered at once."""
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 30.0)
    with progress.waiting("counting the views", quiet=False):
        pass
    assert screen.getvalue() == ""
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)
    with progress.waiting("counting the views", quiet=False):
        time.sleep(0.3)
    assert "counting the views" in screen.getvalue()


@pytest.mark.parametrize("quiet", [True, False])
def test_nobody_is_told_where_nobody_looks(quiet, monkeypatch):
    """Quiet, or no terminal."""
    if not quiet:
        monkeypatch.setattr("sys.stderr", io.StringIO())
    with progress.counting("worlds", quiet) as report:
        assert report is None
    with progress.waiting("counting", quiet):
        pass


def test_steps_are_told_as_they_are_done(tiny_run, tmp_path):
    """Tables of an export, each written and compared; sections of a report."""
    told: list[tuple[int, int]] = []
    tiny_run.export("csv", tmp_path / "csv", report=lambda done, total: told.append((done, total)))
    files = len(list((tmp_path / "csv").glob("*.csv")))
    assert told == [(step, 2 * files + 1) for step in range(1, 2 * files + 2)]
    told.clear()
    tiny_run.report(tmp_path / "report.html", report=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert {total for _, total in told} == {len(told) + 1}


@pytest.mark.parametrize(
    "asked",
    [
        ("trace", "RUN", "--find", "recovered"), ("views", "RUN"), ("metrics", "RUN", "--metric", "churn"),
        ("check", SCENARIOS / "first_month.yaml"), ("export", "RUN", "--as", "csv", "--to", "OUT"),
        ("plot", "RUN", "retry_yield", "--out", "OUT"), ("report", "RUN", "--out", "OUT.html"),
    ],
)  # fmt: skip
def test_every_command_that_may_take_a_while_can_be_quiet(call, tiny_run, tmp_path, asked):
    """Results are printed all the same, where there are any but a note of what was written."""
    places = {"RUN": tiny_run.directory, "OUT": tmp_path / "out", "OUT.html": tmp_path / "out.html"}
    answer = call(*(places.get(word, word) for word in asked), "--quiet")
    assert (answer.code, answer.err) == (0, "")
