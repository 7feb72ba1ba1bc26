"""Fitting: known parameters are found again, what targets do not pin down is said, and mistakes are explained."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import billing_sim
from billing_sim.calibration.fitting.moments import value_of
from billing_sim.calibration.fitting.overlay import write_overlay
from billing_sim.calibration.fitting.parameters import change_for, parameter, read_like, said_like, tree_of
from billing_sim.calibration.fitting.pinned import GUESS, GUESSED, PINNED, luck_of, pinned
from billing_sim.calibration.fitting.targets import Target, read_amount
from billing_sim.calibration.worlds import ground, live
from billing_sim.errors import InputError, QueryError, RunError
from billing_sim.metrics.catalogue import shipped
from billing_sim.scenario import load
from tests.cli_caller import call
from tests.no_room import no_room

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
    errors = {it["path"]: it["standard_error"] for it in found.to_json()["parameters"]}
    assert all(abs(found.values[path] - truth[path]) < 3 * errors[path] for path in truth)
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
    assert "regions.LATAM.voluntary_churn alone can move" in " ".join(repr(found).split())
    assert max(map(len, repr(found).splitlines())) <= 80


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
    assert told["floor"] >= told["drowned_below"] > 0
    assert len(told["luck"]) == 2
    assert [it["share_of_guess"] < PINNED for it in told["parameters"]] == [True, True, False]


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


def test_intervals_with_luck_cover_the_truth():
    """Of a linear world with luck of five tolerances and two seeds; the tolerances alone would cover a third."""
    rng = np.random.default_rng(5)
    slope, luck, truth, draws = np.array([[200.0, 0.0], [60.0, 150.0]]), 5.0, np.array([0.4, 0.6]), 600
    jacobians = np.stack([slope, slope])
    covered = 0
    for _ in range(draws):
        said = slope @ truth + rng.normal(0, 1, 2)
        worlds = rng.normal(0, luck, (4, 2))
        found = np.linalg.solve(slope, said - worlds[:2].mean(axis=0))
        held = pinned(["a", "b"], jacobians, worlds)
        covered += int(np.sum(np.abs(found - truth) <= 2 * held.errors))
    assert 0.92 <= covered / (2 * draws) <= 0.99


def test_luck_shrinks_with_the_seeds_and_is_widened_for_few_worlds():
    """Of values that scatter by 2 the mean of four seeds has an error of 1; eight worlds leave t with 7."""
    worlds = np.array([[2.0], [-2.0]] * 4) * np.sqrt(7 / 8)
    assert luck_of(worlds, 4)[0, 0] == pytest.approx((2.3646 / 1.96) ** 2, rel=1e-3)


def test_one_seed_says_nothing_of_luck():
    """So nothing is called pinned, and the error is told as one without luck."""
    found = pinned(["a"], np.array([[[60.0]]]), np.array([[1.0], [3.0]]))
    assert (found.hold(0), found.luck_errors) == ("luck unknown", None)


def test_what_luck_drowns_has_the_error_of_the_bounds():
    """The verdict follows from the error, so both always agree."""
    rng = np.random.default_rng(3)
    jacobians = np.concatenate([rng.normal(15, 30, (3, 2, 1)), rng.normal(300, 1, (3, 2, 1))], axis=2)
    found = pinned(["drowned", "heard"], jacobians)
    assert found.singular[1] < found.drowned
    assert found.known(0) == pytest.approx(1, abs=0.05)
    assert found.hold(0) == "not pinned"


@pytest.mark.parametrize("seed", range(20))
def test_verdicts_follow_from_the_errors(seed):
    """Whatever the targets: pinned below one share of a guess, not pinned above another."""
    rng = np.random.default_rng(seed)
    jacobians = rng.normal(0, 20, (1, 3, 3)) + rng.normal(0, rng.uniform(0, 10), (3, 3, 3))
    found = pinned(["a", "b", "c"], jacobians, rng.normal(0, rng.uniform(0, 9), (6, 3)))
    for place in range(3):
        known = found.errors[place] * GUESS
        expected = "pinned" if known < PINNED else "not pinned" if known > GUESSED else "weakly"
        assert found.hold(place) == expected
        assert found.known(place) == pytest.approx(known)
        assert known <= 1 + 1e-9


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
        ("targets:\n  - {metric: voluntary_churn, value: 1.9, tolerance: 1%}", "Write 1.9%"),
        ("targets:\n  - {metric: voluntary_churn, value: 1.9%, tolerance: 3}", "Write 3%"),
        ("targets:\n  - {metric: voluntary_churn, value: 9 USD, tolerance: 1%}", "is a share"),
        ("targets:\n  - {metric: collected, value: 9 JPY, tolerance: 1}", "not in USD"),
        ("targets:\n  - {metric: holds_per_1000_renewals, value: 0.5%, tolerance: 1}", "Write 5 for 5 ‰"),
        ("targets:\n  - {metric: voluntary_churn, by: {gateway: nowhere}, value: 1%, tolerance: 1%}", "gateway"),
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


ONE = "targets:\n  - {metric: voluntary_churn, value: 1.9%, tolerance: 0.1%}"


@pytest.mark.parametrize("seed", [1, 2])
def test_a_target_within_reach_is_reached(seed, tmp_path):
    """Although so few members answer in stairs, on which small steps see nothing."""
    found = billing_sim.fit(FIRST_MONTH, targets(tmp_path, ONE), parameters=f"{CHURN}=0.5%..4%", members=1000,
                            seeds=1, seed=seed)  # fmt: skip
    assert found.error(found.after) <= 1
    assert not found.missed
    assert "One seed" in repr(found)
    assert "how much of these values is luck is unknown" in found.to_yaml()
    assert "pin down every" not in repr(found)


def test_a_target_out_of_reach_is_said_to_be_missed(tmp_path):
    """The bounds end far below it."""
    out = tmp_path / "fitted.yaml"
    found = billing_sim.fit(FIRST_MONTH, targets(tmp_path, ONE.replace("1.9%", "9%")), parameters=f"{CHURN}=0.5%..2%",
                            members=500, seeds=2, rounds=4, out=out)  # fmt: skip
    assert list(found.missed) == found.to_json()["missed"] == ["voluntary_churn"]
    assert "Missed: voluntary_churn is" in repr(found)
    assert "pin down every" not in repr(found)
    assert "Missed by" in out.read_text(encoding="utf-8")


def test_the_command_fits_the_shipped_example(call, tmp_path):
    """In one round, with few members: what it says and what it writes."""
    out = tmp_path / "fitted.yaml"
    answer = call("fit", FIRST_MONTH, EXAMPLE, "--members", 800, "--seeds", 1, "--rounds", 2, "--out", out, "-q")
    assert answer.code == 0
    assert "fresh seeds" in answer.out
    assert CHURN in answer.out
    assert load(out).scenario.members == load(FIRST_MONTH).scenario.members


def test_a_fitted_scenario_that_finds_no_room_leaves_the_old_one(tmp_path):
    """Whole, and alone in its folder."""
    file = tmp_path / "fitted.yaml"
    file.write_text("name: old\n")
    with no_room(), pytest.raises(RunError, match=r"cannot write .*fitted\.yaml: File too large\. Free some space"):
        write_overlay(file, FIRST_MONTH, "fitted", {"members": 10}, ["Fitted."])
    assert [it.read_text() for it in tmp_path.iterdir()] == ["name: old\n"]
