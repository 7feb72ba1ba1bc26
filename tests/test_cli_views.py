"""`billing-sim views`: the four views of a run that is there, or help to find one."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.cli_caller import call, in_a_process

__all__ = ["call"]


def test_json_holds_views_of_metrics(tiny_run):
    """{view: {metric: {...}}}, with the numbers that Python gives."""
    answer = in_a_process("views", tiny_run.directory, "--format", "json", "--by", "plan,month")
    assert (answer.code, answer.err) == (0, "")
    told = json.loads(answer.out)
    assert list(told) == ["subscribers", "finance", "support", "product"]
    assert told == json.loads(json.dumps(tiny_run.views(by=["plan", "month"]).to_json()))
    assert {tuple(it["dims"]) for it in told["finance"]["collected"]["slices"]} == {("plan", "month")}


def test_one_view_alone(call, tiny_run):
    """Nothing of the others."""
    answer = call("views", tiny_run.directory, "--view", "finance", "--format", "json")
    assert list(json.loads(answer.out)) == ["finance"]


def test_csv_has_a_line_per_number(call, tiny_run):
    """Totals without dimensions, then slices."""
    answer = call("views", tiny_run.directory, "--view", "finance", "--by", "plan", "--format", "csv")
    lines = [line for line in csv.DictReader(answer.out.splitlines()) if line["metric"] == "collected"]
    assert [line["plan"] for line in lines] == ["", "premium", "standard"]


def test_tables_fit_eighty_columns_in_any_encoding(tiny_run):
    """A console that knows ASCII only gets question marks, not an error."""
    answer = in_a_process("views", tiny_run.directory, "--by", "plan", PYTHONIOENCODING="ascii", COLUMNS="80")
    assert (answer.code, answer.err) == (0, "")
    assert "FINANCE" in answer.out
    assert answer.out.isascii()
    assert max(map(len, answer.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--by", "markt"], "There is no dimension `markt`; did you mean `market`?\n"),
        (["--view", "finanse"], "There is no view `finanse`; did you mean `finance`?\n"),
    ],
)
def test_unknown_names_get_a_suggestion(call, tiny_run, options, said):
    """Code 2, one sentence."""
    answer = call("views", tiny_run.directory, *options)
    assert (answer.code, answer.out, answer.err) == (2, "", said)


def test_a_name_that_is_no_run_leads_to_the_runs_that_are_there(call, tiny_run, tmp_path, monkeypatch):
    """The nearest one, and all that are there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    try:
        (tmp_path / "runs" / "first_month-0123456789").symlink_to(tiny_run.directory, target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    (tmp_path / "runs" / "rubbish").mkdir()
    answer = call("views", "first_month")
    run = Path("runs") / "first_month-0123456789"
    said = f"there is no such folder. Did you mean {run}? Runs here, newest first: {run}.\n"
    assert (answer.code, answer.out, answer.err) == (2, "", f"first_month is not a run: {said}")
    assert call("views", "runs/rubbish").err.startswith("runs/rubbish is not a run: it holds no manifest.json. ")


@pytest.mark.parametrize(
    "command",
    [["views"], ["metrics"], ["plot", "all"], ["truth"], ["trace", "US-4"], ["report"], ["compare", "run"],
     ["export", "--as", "csv", "--to", "out"]],
)  # fmt: skip
def test_a_name_that_is_too_long_is_that_of_no_run(call, tmp_path, monkeypatch, command):
    """As any other name of nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    name, *options = command
    answer = call(name, f"runs/{'x' * 300}", *options)
    assert (answer.code, answer.out) == (2, "")
    assert "xxx is not a run: there is no such folder" in answer.err


def test_without_any_run_it_says_how_to_make_one(call, tmp_path, monkeypatch):
    """A scenario in its place is recognised."""
    monkeypatch.chdir(tmp_path)
    assert "billing-sim run SCENARIO" in call("views", "nothing").err
    (tmp_path / "mine.yaml").write_text("name: mine\n")
    assert "billing-sim run mine.yaml" in call("views", "mine.yaml").err
