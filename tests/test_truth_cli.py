"""`billing-sim truth` as a person calls it."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

import billing_sim
from billing_sim.errors import EXIT_BAD_INPUT, EXIT_CHECK_FAILED
from billing_sim.truth import reconciling
from billing_sim.truth.render import spillover, text
from tests.cli_caller import call, in_a_process
from tests.conftest import SCENARIOS

__all__ = ["call"]


@pytest.fixture(scope="module")
def truth(tiny_run):
    """What Python tells about the tiny run."""
    return tiny_run.truth()


def test_the_tables_are_those_of_python(tiny_run, truth):
    """The same text, nothing on stderr where nobody watches, and no log is needed."""
    answer = in_a_process("truth", tiny_run.directory)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == repr(truth) + "\n"
    assert max(map(len, answer.out.splitlines())) <= 80


def test_json_and_csv_hold_the_same_figures(call, tiny_run, truth):
    """Every figure with its standard error."""
    told = json.loads(call("truth", tiny_run.directory, "--format", "json").out)
    assert told == json.loads(json.dumps(truth.as_dict()))
    assert told["attribution"] is None
    rows = list(csv.DictReader(io.StringIO(call("truth", tiny_run.directory, "--format", "csv").out)))
    found = {(row["question"], row["item"], row["figure"]): row for row in rows}
    assert float(found["wrongful", "", "losses"]["value"]) == told["wrongful"]["losses"]["value"]
    assert float(found["worlds", "perfect", "totals losses"]["value"]) == told["worlds"][2]["totals"]["losses"]["value"]


def test_attribution_and_policy_are_added_when_asked_for(call, tiny_run):
    """A table per measure, and a world more."""
    told = json.loads(
        call("truth", tiny_run.directory, "--attribution", "--policy", "generic", "--format", "json").out
    )  # fmt: skip
    assert {it["cause"] for it in told["attribution"]["losses"]["causes"]} == {
        "funds", "expiry", "false_decline", "outage", "retry_cap", "unread_notice",
    }  # fmt: skip
    assert "policy generic" in [it["name"] for it in told["worlds"]]


def test_what_is_no_policy_and_no_run(call, tiny_run, tmp_path):
    """Both are told in a sentence."""
    answer = call("truth", tiny_run.directory, "--policy", "nothing_like_it")
    assert (answer.code, answer.out) == (EXIT_BAD_INPUT, "")
    assert "no dunning policy 'nothing_like_it'" in answer.err
    assert call("truth", tmp_path).code == EXIT_BAD_INPUT


def test_a_truth_that_does_not_agree_with_its_run_is_refused(call, tiny_run, monkeypatch):
    """Exit 1, what differs in a sentence, and nothing else."""
    monkeypatch.setattr(reconciling, "CHECKS", (lambda _: reconciling.Check("members", 200, 201),))
    answer = call("truth", tiny_run.directory)
    assert (answer.code, answer.out) == (EXIT_CHECK_FAILED, "")
    assert "do not agree" in answer.err
    assert "members: 200 here, 201 in the run" in answer.err


def test_what_spills_over_is_left_out_aloud():
    """The tables say whether effects are direct because nothing is shared, or because the rest is left out."""
    assert spillover([]) == "These people share nothing, so every effect is direct and none spills over to others."
    assert spillover(["gateways", "the support desk"]).startswith("These people share gateways and the support desk:")


def test_every_figure_is_in_the_long_table_where_gateways_are_shared(tmp_path):
    """The name of what is shared holds the name of a label, and once ended in a traceback."""
    run = billing_sim.run(SCENARIOS / "outage_on_payday.yaml", members=300, out=tmp_path / "run")
    truth = run.truth(attribution=True)
    assert truth.shared == ["gateways"]
    keys = [row[:3] for row in truth.rows()]
    assert len(set(keys)) == len(keys) > 100
    for width in (30, 45, 60, 80):
        shown = text(truth, width)
        assert max(map(len, shown.splitlines())) <= width
        assert _numbers(shown) - _numbers(repr(truth)) == set()


def _numbers(shown: str) -> set[str]:
    """Those of tables, without the widths from which on something is shown."""
    return set(re.findall(r"\d[\d,.]*\d", re.sub(r"Left out:.*? on\)", "", " ".join(shown.split()))))
