"""The bar: on a terminal, when there is time to read it; and the one sentence about compiling."""

from __future__ import annotations

import io

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
