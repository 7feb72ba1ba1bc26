"""`billing-sim run --watch`: what was known on each day, and nothing else."""

from __future__ import annotations

import io
from collections import defaultdict
from datetime import datetime, timedelta

from rich.console import Console

from billing_sim.cli.watching import PICTURES, course, moments, picture
from tests.cli_caller import call

__all__ = ["call"]


def test_every_day_of_a_short_run_is_shown_and_the_last_always(tiny_run):
    """Days step evenly from the start to the end of the run."""
    days = list(moments(tiny_run))
    start, end = (datetime.fromisoformat(getattr(tiny_run.manifest.identity, name)) for name in ("start", "end"))
    assert days[-1] == end
    assert len(days) <= PICTURES + 1
    assert days[1] - days[0] == timedelta(days=-(-(end - start).days // PICTURES))


def test_a_picture_shows_what_metrics_say_for_that_day(tiny_run):
    """The numbers of a picture are those of the views as of its day."""
    day = list(moments(tiny_run))[len(list(moments(tiny_run))) // 2]
    found = tiny_run.views(as_of=day)
    out = io.StringIO()
    Console(file=out, width=100).print(picture(found, day, defaultdict(list), "picture 1 of 2"))
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert lines[0].startswith(f"As of {day:%Y-%m-%d} picture 1 of 2")
    rate = tiny_run.metric("first_attempt_success_rate", as_of=day)["value"].iloc[0]
    assert any(line.startswith(f"first_attempt_success_rate {100 * rate:.2f} %") for line in lines)


def test_the_course_runs_from_lowest_to_highest():
    """One bar for each picture so far; a single one says nothing."""
    assert course([1.0]) == ""
    assert course([1.0, 2.0, 3.0]) == "▁▅█"
    assert course([2.0, 2.0]) == "▁▁"


def test_without_a_terminal_there_is_nothing_to_watch(tmp_path, call):
    """The run is made and shown all the same, and a line says why nothing moves."""
    answer = call("run", "scenarios/first_month.yaml", "--members", "50", "--out", tmp_path / "r", "--watch", "--quiet")
    assert answer.code == 0
    assert "Nothing to watch: this is no terminal." in answer.err
