"""`billing-sim plot`: pictures as files, and what cannot be drawn said in a sentence."""

from __future__ import annotations

import pytest

from billing_sim.pictures import PICTURES
from tests.cli_caller import call
from tests.no_room import no_room

__all__ = ["call"]


def test_a_picture_is_written_and_its_finding_said(call, tiny_run, tmp_path):
    """One line: where, and the title."""
    place = tmp_path / "bridge.svg"
    answer = call("plot", tiny_run.directory, "mrr_bridge", "--out", place)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == f"{place}  {tiny_run.plot('mrr_bridge').title}.\n"
    assert place.read_text("utf-8") == tiny_run.plot("mrr_bridge").to_svg()


def test_all_go_to_a_folder_and_those_that_cannot_be_made_are_named(call, tiny_run, tmp_path):
    """A dark one says so in its name; a run of two months is too short for one of them."""
    answer = call("plot", tiny_run.directory, "all", "--theme", "dark", "--as", "svg", "--out", tmp_path)
    assert answer.code == 0
    left_out = {line.split()[2].rstrip(".") for line in answer.err.splitlines()}
    assert left_out == {"paired_difference", "maturity"}
    written = {it.name for it in tmp_path.iterdir()}
    assert written == {f"{name}_dark.svg" for name in PICTURES if name not in left_out}
    assert len(answer.out.splitlines()) == len(written)


def test_where_nothing_can_be_written_all_is_a_failure(call, tiny_run, tmp_path):
    """Code 2 and why: that is no property of the run, as being too short is."""
    with no_room():
        answer = call("plot", tiny_run.directory, "all", "--as", "svg", "--out", tmp_path)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.splitlines()[-1].endswith("File too large. Free some space there, or name another file.")
    assert list(tmp_path.iterdir()) == []


def test_another_run_and_a_metric_reach_the_picture(call, tiny_run, tmp_path):
    """The same run differs from itself in nothing."""
    options = ("--other", tiny_run.directory, "--metric", "churn", "--out", tmp_path / "it.png")
    answer = call("plot", tiny_run.directory, "paired_difference", *options)
    assert answer.code == 0
    assert "nothing differs beyond chance" in answer.out
    assert (tmp_path / "it.png").read_bytes().startswith(b"\x89PNG")


def test_the_list_needs_no_run(call):
    """Every name with what it shows."""
    answer = call("plot", "--list")
    assert [line.split()[0] for line in answer.out.splitlines() if line[0] != " "] == list(PICTURES)
    assert max(map(len, answer.out.splitlines())) <= 80


def test_the_list_wraps_on_a_narrow_terminal(call, monkeypatch):
    """Each name stands alone above what the picture is about."""
    monkeypatch.setenv("COLUMNS", "40")
    lines = call("plot", "--list").out.splitlines()
    assert max(map(len, lines)) <= 40
    assert [line for line in lines if line[0] != " "] == list(PICTURES)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cohort"], "There is no picture `cohort`; did you mean `cohorts`?\n"),
        (["cohorts", "--metric", "churn"], "None of these pictures has a use for --metric; these have: maturity, "),
        (["cohorts", "mrr_bridge", "--out", "it.png"], "it.png is one file, and several pictures were asked for"),
        (["cohorts", "--out", "it.gif"], "it.gif is no picture's file: name one that ends in .png, .svg or .html"),
        (["paired_difference"], "needs another run to compare with"),
        ([], "name pictures, or say all"),
    ],
)
def test_mistakes_are_said_in_a_sentence(call, tiny_run, arguments, said):
    """Code 2, nothing written."""
    answer = call("plot", tiny_run.directory, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
