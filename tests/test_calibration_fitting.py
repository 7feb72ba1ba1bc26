"""Fitting: known parameters are found again, what targets do not pin down is said, and mistakes are explained."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import billing_sim
from billing_sim.calibration.fitting.moments import value_of
from billing_sim.calibration.fitting.parameters import change_for, parameter, read_like, said_like, tree_of
from billing_sim.calibration.fitting.pinned import GUESS, pinned
from billing_sim.calibration.fitting.targets import Target, read_amount
from billing_sim.calibration.worlds import ground, live
from billing_sim.errors import InputError, QueryError
from billing_sim.metrics.catalogue import shipped
from billing_sim.scenario import load
from tests.cli_caller import call

__all__ = ["call"]
ROOT = Path(__file__).parent.parent
FIRST_MONTH = ROOT / "scenarios" / "first_month.yaml"
EXAMPLE = ROOT / "scenarios" / "targets" / "own_books.yaml"
CHURN = "regions.UCAN.voluntary_churn"
DEBIT = "regions.UCAN.first_attempt_failure.debit"


def targets(folder: Path, text: str) -> Path:
    """A file of targets."""
    file = folder / "targets.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def value(lived, metric: str, **segment: str) -> float:
    """What a metric comes to in a world."""
    found = value_of(lived, Target(shipped()[metric], segment, 0.0, 1.0))
    assert found is not None
    return found


# Recovering what is known.


@pytest.fixture(scope="module")
def refound(tmp_path_factory):
    """A fit to what other parameters gave with other luck."""
    on = ground(FIRST_MONTH, members=4000)
    truth = {CHURN: 0.03, DEBIT: 0.10}
    worlds = [live(on.scenario({**change_for(on, truth), "seed": seed})) for seed in (101, 102, 103)]
    churn = np.mean([value(it, "voluntary_churn") for it in worlds])
    debit = np.mean([value(it, "first_attempt_success_rate@renewal", method="debit") for it in worlds])
    folder = tmp_path_factory.mktemp("fit")
    file = targets(
        folder,
        f"""
targets:
  - {{metric: voluntary_churn, value: {churn:.6f}, tolerance: 0.1%}}
  - {{metric: first_attempt_success_rate@renewal, by: {{method: debit}}, value: {debit:.6f}, tolerance: 0.5%}}
parameters:
  - {{path: {CHURN}, low: 0.5% per month, high: 6% per month}}
  - {{path: {DEBIT}, low: 1%, high: 20%}}
  - {{path: regions.LATAM.voluntary_churn, low: 1% per month, high: 5% per month}}
""",
    )
    out = folder / "fitted.yaml"
    return truth, billing_sim.fit(FIRST_MONTH, file, members=3000, seeds=2, rounds=8, out=out), out


def test_known_parameters_are_found_again(refound):
    """From the aggregates that they gave, with another seed, within what luck allows."""
    truth, found, _ = refound
    assert found.values[CHURN] == pytest.approx(truth[CHURN], abs=0.003)
    assert found.values[DEBIT] == pytest.approx(truth[DEBIT], abs=0.015)
    assert found.error(found.after) < 0.3 < 5 < found.error(found.before)
    assert set(found.seeds).isdisjoint(found.fresh_seeds)
    assert found.error(found.fresh) < found.error(found.before) / 2


def test_a_parameter_that_nothing_depends_on_is_told(refound):
    """The scenario has nobody in Latin America."""
    _, found, _ = refound
    holds = {it.path: found.pinned.hold(place) for place, it in enumerate(found.parameters)}
    assert holds == {CHURN: "pinned", DEBIT: "pinned", "regions.LATAM.voluntary_churn": "moves nothing"}
    assert [list(it.parts) for it in found.pinned.combinations] == [["regions.LATAM.voluntary_churn"]]
    assert found.values["regions.LATAM.voluntary_churn"] == pytest.approx(0.026, abs=1e-4)
    assert found.is_short_of_targets
    assert "more parameters than targets" in repr(found)
    assert "regions.LATAM.voluntary_churn alone can move" in repr(found)


def test_the_fitted_scenario_can_be_run(refound):
    """It extends the one it was fitted from, and holds the fitted values only."""
    _, found, out = refound
    fitted = load(out).scenario
    behaviour = fitted.markets["US"].behaviour
    assert float(behaviour.voluntary_churn) == pytest.approx(found.values[CHURN], abs=1e-7)
    assert float(behaviour.first_attempt_failure["debit"]) == pytest.approx(found.values[DEBIT], abs=1e-7)
    assert (
        behaviour.first_attempt_failure["credit"]
        == load(FIRST_MONTH).scenario.markets["US"].behaviour.first_attempt_failure["credit"]
    )
    assert fitted.name == "first_month_fitted"
    assert "Not pinned down" in out.read_text(encoding="utf-8")


def test_the_fit_is_told_as_plain_values(refound):
    """For whoever goes on computing."""
    _, found, _ = refound
    told = json.loads(json.dumps(found.to_json()))
    assert [it["path"] for it in told["parameters"]] == [CHURN, DEBIT, "regions.LATAM.voluntary_churn"]
    assert told["targets"][0]["after_off"] == pytest.approx(
        (told["targets"][0]["after"] - told["targets"][0]["target"]) / 0.001
    )
    assert told["error"]["after"] < told["error"]["before"]


# What is pinned down: closed forms.


def test_independent_parameters_are_known_to_their_tolerance():
    """Of a diagonal Jacobian d the standard error is 1 / sqrt(d^2 + 12) of the width."""
    found = pinned(["a", "b"], np.array([[[20.0, 0.0], [0.0, 1.0]]]))
    assert found.errors == pytest.approx([1 / np.sqrt(400 + 12), 1 / np.sqrt(1 + 12)])
    assert [found.hold(0), found.hold(1)] == ["pinned", "not pinned"]
    assert [it.parts for it in found.combinations] == [{"b": pytest.approx(1.0)}]


def test_parameters_that_do_the_same_are_named_together():
    """Only their sum is known, so one can rise while the other falls."""
    found = pinned(["a", "b", "c"], np.array([[[30.0, 30.0, 0.0], [0.0, 0.0, 25.0], [15.0, 15.0, 5.0]]]))
    (loose,) = found.combinations
    assert set(loose.parts) == {"a", "b"}
    assert sum(loose.parts.values()) == pytest.approx(0.0, abs=1e-9)
    assert str(loose).startswith(("a up with b down", "b up with a down"))
    assert [found.hold(i) for i in range(3)] == ["weakly", "weakly", "pinned"]


def test_luck_pins_nothing_down():
    """A derivative that changes its sign with the seed is none, however large it is each time."""
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 20, (4, 3, 1))
    steady = np.full((4, 3, 1), 60.0) + rng.normal(0, 1, (4, 3, 1))
    found = pinned(["noise", "steady"], np.concatenate([noise, steady], axis=2))
    assert found.floor > GUESS
    assert [found.hold(0), found.hold(1)] == ["not pinned", "pinned"]


def test_more_parameters_than_targets_leave_a_combination():
    """One figure cannot know two numbers."""
    found = pinned(["a", "b"], np.array([[[30.0, 10.0]]]))
    assert found.singular == pytest.approx([np.hypot(30, 10), 0.0])
    assert len(found.combinations) == 1


# Numbers of a scenario.


@pytest.mark.parametrize(
    ("written", "value", "said"),
    [("1.36% per month", 0.02, "2% per month"), ("55%", 0.1234567, "12.34567%"), ("15.49 USD", 17.999, "18.00 USD"),
     ("6 hours", 7.5, "7.5 hours"), ("0.9", 0.25, "0.25"), ("1590 JPY", 1700.4, "1700 JPY")],
)  # fmt: skip
def test_a_number_keeps_the_way_it_is_written(written, value, said):
    """Read and written as the file has it."""
    assert said_like(written, value) == said
    assert read_like(said) == pytest.approx(value, rel=0.01)


@pytest.mark.parametrize(("text", "value"), [("1.4%", 0.014), ("12.5", 12.5), (3, 3.0), ("15.49 USD", 15.49)])
def test_amounts_of_targets(text, value):
    """As people write them."""
    assert read_amount(text) == pytest.approx(value)


def test_shares_of_a_whole_give_way_in_proportion():
    """They still add up to 100 % to the last digit, and keep their order among each other."""
    on = ground(FIRST_MONTH)
    before = {key: read_like(it) for key, it in tree_of(on)["markets"]["US"]["behaviour"]["method_mix"].items()}
    change = change_for(on, {"markets.US.behaviour.method_mix.debit": 0.4567})
    mix = change["markets"]["US"]["behaviour"]["method_mix"]
    assert sum(Decimal(it.rstrip("%")) for it in mix.values()) == 100
    assert read_like(mix["debit"]) == pytest.approx(0.4567)
    ratio = (1 - 0.4567) / (1 - before["debit"])
    assert read_like(mix["wallet"]) == pytest.approx(before["wallet"] * ratio, rel=1e-5)
    assert on.scenario(change).markets["US"].behaviour.method_mix["debit"] == Decimal("0.4567")


def test_an_entry_of_the_timeline_can_move():
    """Lists are replaced as a whole, so the rest of the list stays as it is."""
    on = ground(ROOT / "scenarios" / "streaming.yaml")
    place = next(i for i, it in enumerate(on.content["timeline"]) if it["kind"] == "signup_surge")
    change = change_for(on, {f"timeline.{place}.increase": 0.5})
    before, after = on.scenario().timeline, on.scenario(change).timeline
    assert [it for i, it in enumerate(after) if i != place] == [it for i, it in enumerate(before) if i != place]
    assert (float(before[place].increase), float(after[place].increase)) == (1.02, 0.5)


@pytest.mark.parametrize(
    ("path", "bounds", "said"),
    [
        ("regions.UCAN.voluntary_chrun", ("1%", "2%"), "voluntary_churn"),
        ("regions.UCAN", ("1%", "2%"), "a mapping"),
        ("name", ("1", "2"), "no number"),
        ("failover", ("0", "1"), "no number"),
        ("issuer_memory.declines", ("1", "9"), "whole number"),
        (CHURN, ("3%", "1%"), "the lower first"),
        (CHURN, ("low", "high"), "write two numbers"),
        (CHURN, ("2%", "3%"), "outside its bounds"),
    ],
)  # fmt: skip
def test_a_path_that_is_no_number_is_explained(path, bounds, said):
    """With the nearest key, or what stands there."""
    with pytest.raises(QueryError, match=said):
        parameter(ground(FIRST_MONTH), path, *bounds)


# Mistakes in a file of targets.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("targets: []", "targets"),
        ("parameters: []", "targets"),
        ("targets:\n  - {metric: voluntary_chrun, value: 1%, tolerance: 1%}", "voluntary_churn"),
        ("targets:\n  - {metric: voluntary_churn, value: much, tolerance: 1%}", "no amount"),
        ("targets:\n  - {metric: voluntary_churn, value: 1%, tolerance: 0}", "tolerance"),
        ("targets:\n  - {metric: voluntary_churn, by: {market: MARS}, value: 1%, tolerance: 1%}", "MARS"),
        ("targets:\n  - {metric: voluntary_churn, by: {marcket: US}, value: 1%, tolerance: 1%}", "market"),
        ("targets:\n  - {metric: voluntary_churn, worth: 1%, tolerance: 1%}", "worth"),
    ],
)  # fmt: skip
def test_mistakes_in_targets_are_told_with_their_place(text, said, tmp_path, call):
    """By the command, with file, line and column."""
    answer = call("fit", FIRST_MONTH, targets(tmp_path, text), "--members", 100, "-q")
    assert answer.code == 2
    assert "targets.yaml:" in answer.err
    assert said in answer.err


def test_a_fit_without_parameters_says_how_to_name_some(tmp_path):
    """In the file or on the command line."""
    file = targets(tmp_path, "targets:\n  - {metric: voluntary_churn, value: 1%, tolerance: 1%}")
    with pytest.raises(QueryError, match="--parameter"):
        billing_sim.fit(FIRST_MONTH, file, members=100)
    with pytest.raises(QueryError, match=r"PATH=LOW\.\.HIGH"):
        billing_sim.fit(FIRST_MONTH, file, members=100, parameters=CHURN)
    with pytest.raises(InputError):
        billing_sim.fit(FIRST_MONTH, tmp_path / "nothing.yaml", members=100)


def test_the_command_fits_the_shipped_example(call, tmp_path):
    """In one round, with few members: what it says and what it writes."""
    out = tmp_path / "fitted.yaml"
    answer = call("fit", FIRST_MONTH, EXAMPLE, "--members", 800, "--seeds", 1, "--rounds", 2, "--out", out, "-q")
    assert answer.code == 0
    assert "fresh seeds" in answer.out
    assert CHURN in answer.out
    assert load(out).scenario.members == load(FIRST_MONTH).scenario.members
