"""Gaming: which action a metric rewards, and what becomes of the truth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from billing_sim.errors import InputError, QueryError
from billing_sim.metrics.catalogue import shipped
from billing_sim.stress.case import Case
from billing_sim.stress.gaming import ACTIONS, Game, Played, find_actions, play
from billing_sim.stress.gaming_text import text
from billing_sim.stress.lab import bench
from billing_sim.stress.readings import Readings
from tests.cli_caller import call

__all__ = ["call"]
RATE, CHURN = shipped()["payment_success_rate"], shipped()["involuntary_churn"]
WOBBLE = np.array([-1.0, 1.0, -1.0, 1.0]) * 1e-4
MINE = """\
case: mine
title: Nobody is tried again
inject:
  scenario:
    markets: {US: {behaviour: {attention: 2%}}}
moral: Look.
"""


def world(reading: float, paid: float, *, it=RATE, wobble: np.ndarray = WOBBLE) -> Readings:
    """Four worlds in which a metric reads so, and these are the truths."""
    flat = np.zeros(4)
    truth = {"payment_success": flat + paid, "wrongful_loss": flat + (1 - paid), "collected_revenue": flat + 200 * paid,
             "members": flat + 1000}  # fmt: skip
    return Readings({it.id: flat + reading + wobble}, {it.id: flat + reading}, truth)


def game(base: Readings, it=RATE, **worlds: Readings) -> Game:
    """A game with these actions."""
    return Game(it, base, worlds)


def close(found, value: float) -> bool:
    """Whether a mean is this value."""
    return found.value == pytest.approx(value, abs=1e-12)


def test_the_action_that_moves_the_reading_most_is_chosen_and_its_truth_told():
    """Cutting reads +4 and costs 5; adding reads +1 and brings 2: chosen, exposure 5, regret 7."""
    it = game(world(0.90, 0.95, wobble=0 * WOBBLE), cut=world(0.94, 0.90), add=world(0.91, 0.97))
    assert (it.chosen, it.best) == ("cut", "add")
    assert close(it.rewards["cut"], 0.04)
    assert close(it.exposure, 0.05)
    assert close(it.regret, 0.07)
    assert close(it.gain("wrongful_loss"), -0.05)
    assert close(it.gain("collected_revenue"), -10 / 190)
    assert close(it.gain("members"), 0.0)


def test_less_is_rewarded_where_less_is_better():
    """Involuntary churn: the action after which it reads less is chosen."""
    base = world(0.03, 0.95, it=CHURN, wobble=0 * WOBBLE)
    it = game(base, CHURN, hide=world(0.01, 0.95, it=CHURN), harm=world(0.05, 0.90, it=CHURN))
    assert it.chosen == "hide"
    assert close(it.rewards["hide"], 0.02)
    assert close(it.exposure, 0.0)
    assert it.best is None


def test_none_is_chosen_when_luck_may_have_done_it():
    """A rise of a fifth of a standard deviation is no reason to act; the best there is is missed, and that is told."""
    it = game(world(0.9, 0.9), maybe=world(0.9 + 2e-5, 0.95, wobble=-WOBBLE))
    assert it.chosen is None
    assert close(it.exposure, 0.0)
    assert close(it.regret, 0.05)


def test_the_best_of_many_has_to_be_surer_than_the_best_of_one():
    """One-sided p = 1.5 %: enough for one action, not when it is the best of four."""
    base, luck = world(0.9, 0.9, wobble=np.zeros(4)), np.array([0.0, 1.0, 2.0, 3.0]) * 1e-3
    good = {"good": world(0.901, 0.9, wobble=luck)}
    others = {f"dull_{n}": world(0.9, 0.9, wobble=np.zeros(4)) for n in range(3)}
    alone = game(base, **good)
    assert alone.rewards["good"].p_above(0.0) == pytest.approx(0.01523, abs=1e-5)
    assert alone.chosen == "good"
    assert game(base, **good, **others).chosen is None


def test_an_action_after_which_nothing_can_be_read_is_not_chosen():
    """No retries, no recovery rate: half of the worlds without a value are no sample."""
    gone = world(0.99, 0.5, wobble=np.array([0.0, np.nan, np.nan, 0.0]))
    it = game(world(0.9, 0.9), gone=gone)
    assert it.rewards == {}
    assert it.chosen is None


def test_luck_that_made_an_action_look_best_is_not_its_merit():
    """Two actions that are best in every other world: by the others' choice each is credited where it is not best."""
    base = world(0.9, 0.9, wobble=0 * WOBBLE)
    odd, even = world(0.9, 0.9), world(0.9, 0.9)
    luck = np.array([0.01, -0.01, 0.01, -0.01])
    odd.truth["payment_success"] = 0.9 + luck
    even.truth["payment_success"] = 0.9 - luck
    it = game(base, odd=odd, even=even)
    assert close(it.regret, -0.01)


def test_the_shipped_actions_are_files_of_the_same_kind_as_cases():
    """Each fits the lab's base, and does something to the world or its log."""
    actions, on = find_actions(), bench(members=50)
    assert [it.name for it in actions] == sorted(file.stem for file in ACTIONS.glob("*.yaml"))
    assert {"cut_retries", "add_retries", "void_early", "relabel_losses", "pause_the_unpayable", "drop_weak_market",
            "end_dunning_early", "stop_first_notices", "push_annual_plans"} < {it.name for it in actions}  # fmt: skip
    for it in actions:
        assert it.changes_world or it.damages_log
        on.under(it)


def test_an_action_of_ones_own_comes_besides_or_instead(tmp_path):
    """A new name is added, a known one replaced."""
    mine, other = tmp_path / "mine.yaml", tmp_path / "cut_retries.yaml"
    mine.write_text(MINE)
    other.write_text(MINE.replace("case: mine", "case: cut_retries"))
    found = {it.name: it for it in find_actions([mine, other])}
    assert len(found) == len(find_actions()) + 1
    assert found["mine"].path == mine
    assert found["cut_retries"].path == other
    other.write_text("case: wrong")
    with pytest.raises(InputError, match="wrong is not the name of this file"):
        find_actions([other])


def _two(*names: str) -> tuple[Case, ...]:
    return tuple(it for it in find_actions() if it.name in names)


@pytest.fixture(scope="module")
def played() -> Played:
    """Two metrics, three actions, few people."""
    actions = _two("cut_retries", "relabel_losses", "drop_weak_market")
    asked = shipped().of(["payment_success_rate", "payment_success_rate@attempt"])
    return play(asked, actions, bench(members=500), seeds=6)


def test_cutting_retries_is_what_a_rate_by_attempt_rewards(played):
    """It rises by more than a point while fewer invoices are paid; relabelling does nothing to any truth."""
    it = played.games[1]
    assert it.chosen == "cut_retries"
    assert it.rewards["cut_retries"].low > 0.01
    assert it.exposure is not None
    assert it.exposure.low > 0.002
    assert {name: it._gains("relabel_losses", name).any() for name in it.base.truth} == dict.fromkeys(
        it.base.truth, False
    )


def test_a_rate_by_invoice_does_not_reward_it(played):
    """Paid in the end: cutting reads less, so it is not chosen."""
    it = played.games[0]
    assert it.rewards["cut_retries"].high < 0
    assert it.chosen != "cut_retries"


def test_it_is_told_in_words_and_as_json(played):
    """The table names the action with its truth; JSON is plain and complete."""
    told = text(played)
    assert "payment_success_rate@attempt  (higher is better)\n  would choose  cut_retries: One retry" in told
    assert "of payment_success\n" in told
    assert max(map(len, told.splitlines())) <= 80
    found = json.loads(json.dumps(played.as_dict()))
    assert found["metrics"]["payment_success_rate@attempt"]["chosen"] == "cut_retries"
    assert set(found["metrics"]["payment_success_rate"]["rewards"]) == {
        "cut_retries", "relabel_losses", "drop_weak_market"
    }  # fmt: skip
    assert found["seeds"] == 6


def test_a_metric_without_a_direction_rewards_nothing():
    """Nobody can be rewarded by a number that is neither good nor bad."""
    it = game(world(0.9, 0.9), up=world(0.95, 0.8))
    neutral = replace(it, definition=RATE.model_copy(update={"direction": "neither"}))
    assert neutral.chosen is None
    shown = text(Played((neutral,), (), {"weak": "BR is no market of this scenario."}, 4))
    assert "would choose  none: no direction of it can be rewarded" in shown
    assert "weak          BR is no market of this scenario." in shown


def test_no_regret_is_told_when_nothing_is_better_than_doing_nothing():
    """Nothing is chosen, and what the luck of others made look best does no good: no regret below 0."""
    base, odd, even = world(0.9, 0.9), world(0.9, 0.9), world(0.9, 0.9)
    luck = np.array([0.01, -0.01, 0.01, -0.01])
    odd.truth["payment_success"], even.truth["payment_success"] = 0.9 + luck, 0.9 - luck
    it = game(base, odd=odd, even=even)
    long = {"an_action_of_my_own": "there is no such market in this scenario, and whatever is done to it is not done."}
    lines = text(Played((it,), find_actions()[:1], long, 4)).splitlines()
    assert "  regret        none is surely better than doing nothing" in lines
    at = next(i for i, line in enumerate(lines) if line.startswith("  an_action_of_my_own: "))
    assert lines[at + 1].startswith(" " * 16)


def test_a_truth_that_is_unknown_is_not_made_up():
    """The chosen action leaves its own estimand undefined: neither exposure nor regret, and the words say why."""
    base, gone = world(0.9, 0.9), world(0.95, np.nan)
    it = game(base, gone=gone)
    assert (it.chosen, it.exposure, it.regret) == ("gone", None, None)
    action = replace(find_actions()[0], name="gone")
    assert "truth lost    payment_success is undefined after this" in text(Played((it,), (action,), {}, 4))


def test_what_does_not_fit_is_left_out_or_refused():
    """One action fits a scenario with one market, the other does not; with none left there is no game."""
    on = bench(Path(__file__).parent.parent / "scenarios" / "first_month.yaml", members=60)
    found = play([RATE], _two("cut_retries", "drop_weak_market"), on, seeds=2)
    assert [it.name for it in found.actions] == ["cut_retries"]
    assert "BR is no market of this scenario" in found.misfits["drop_weak_market"]
    with pytest.raises(QueryError, match="No action fits this scenario"):
        play([RATE], _two("drop_weak_market"), on, seeds=2)
    with pytest.raises(QueryError, match="1 seeds cannot be used: name 2 to 64"):
        play([RATE], _two("cut_retries"), on, seeds=1)


def test_the_command_explains_a_slip(call):
    """Unknown metrics and files are answered in plain words, before anything is simulated."""
    answer = call("game", "payment_sucess_rate")
    assert answer.code == 2
    assert "payment_success_rate" in answer.err
    answer = call("game", "--action", "nowhere.yaml")
    assert answer.code == 2
    assert "There is no such file." in answer.err


def test_an_action_of_ones_own_has_to_fit(call, tmp_path):
    """As a case that is named has to."""
    mine = tmp_path / "mine.yaml"
    mine.write_text(MINE.replace("US", "XX"))
    answer = call("game", "billed", "--action", mine)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"{mine}:5:15  XX is no market of this scenario")


def test_an_unknown_name_leads_to_files(call):
    """A metric of one's own has a name that is known in its file alone."""
    answer = call("game", "my_rate")
    assert (answer.code, answer.out) == (2, "")
    assert "There is no metric `my_rate`" in answer.err
    assert "For a metric of your own, name its file in its place, which ends in .yaml or .sql." in answer.err
