"""Goals judged by their own sheet: too easy, out of reach, too early, hidden by noise, beside the point, or good."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

import billing_sim
from billing_sim.goal_sheets.aims import Aim, read_aims
from billing_sim.goal_sheets.criteria import Evidence, attainable, beyond, criteria, measurable, wilson
from billing_sim.goal_sheets.judging import GoalSheets, Sheet
from billing_sim.goal_sheets.worlds import BEST, OWN, UPDATER, WEAKER, Reading, shocks, try_out
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.result import Figure
from billing_sim.scenario.model import Goal
from tests.cli_caller import call

__all__ = ["call"]
SCENARIOS = Path(__file__).parent.parent / "scenarios"
WORLDS = 20
GOALS = """
mission: Nobody who wants to stay is lost because of a payment.
goals:
  - {owner: support, goal: Nobody has to ask.}
  - owner: subscribers
    goal: My payment just works.
    metric: uninterrupted_renewal_rate
    baseline: 10%
    target: 50%
    deadline: 2025-06-30
    stage: growth
  - owner: finance
    goal: What we bill is what we get.
    metric: net_collected_rate
    segment: {plan: premium}
    baseline: 10%
    target: 101%
    period: 2025-02
    deadline: 2025-03-02
"""


def goal(**more):
    """Involuntary churn falls from 3 to 2 % in February, judged in May."""
    said = {
        "owner": "subscribers", "goal": "I am never lost.", "metric": "involuntary_churn", "baseline": "3%",
        "target": "2%", "period": "2025-02", "deadline": "2025-05-01",
    }  # fmt: skip
    return Goal.model_validate(said | more)


def aim(**more):
    """The same with its definition; outcomes are final after 36 days."""
    found = goal(**more)
    return Aim(found, shipped()[found.metric], date(2025, 1, 1), found.period, timedelta(days=36))


def figure(value, error=0.002):
    """A value with its standard error."""
    return None if value is None else Figure(value, 0, 1, 0, standard_error=error)


def sheet(periods, *, error=0.002, best=None, weaker=(-0.05, 0.02), updater=(0.0, 0.0), **more):
    """The sheet of a goal whose metric has these values over the seeds; a shock moves the estimand and the metric."""
    own = [Reading((figure(0.03, error),), (figure(it, error),), (figure(0.02),), 0.99) for it in periods]
    readings = {OWN: own}
    if best:
        readings[BEST] = [replace(own[0], period=(figure(it, error),)) for it in best]
    for name, (kept, moved) in ((WEAKER, weaker), (UPDATER, updater)):
        readings[name] = [replace(own[0], kept=0.99 + kept, whole=(figure(0.02 + moved),)) for _ in range(3)]
    it = aim(**more)
    return Sheet(it, criteria(Evidence(it, 0, readings)))


HALF = [0.019] * 10 + [0.021] * 10


def test_a_good_goal_passes():
    """Five standard errors, met in half of the worlds, moving with the estimand, judged three weeks before the end."""
    good = sheet(HALF)
    assert (good.passed, good.failed) == (True, ())
    assert good["measurable"].words == "3.00 % to 2.00 %, 5.0 standard errors of a month"
    assert good["attainable"].words == "met in 10 of 20 worlds under its own policy, 50 % (30 to 70 %)"
    assert good["time-bound"].figures["earliest"] == "2025-04-06"
    assert good.verdict == "A good goal: all five hold."
    assert "FAILS" not in repr(good)


def test_money_has_its_currency():
    """In the promise, in what is measured, and in what a shock does."""
    goal = Goal.model_validate({
        "owner": "finance", "goal": "Be paid.", "metric": "collected", "target": "20000", "deadline": "2025-05-01",
        "period": "2025-02",
    })  # fmt: skip
    it = Aim(goal, shipped()["collected"], date(2025, 1, 1), date(2025, 2, 1), timedelta(), "USD")
    own = [Reading((figure(14952, 50),), (figure(paid, 50),), (figure(30000),), 0.99) for paid in (19000, 21000)]
    shocks = {name: [replace(each, kept=0.9, whole=(figure(27526),)) for each in own] for name in (WEAKER, UPDATER)}
    told = repr(Sheet(it, criteria(Evidence(it, 0, {OWN: own, **shocks}))))
    for said in ("collected at least 20,000 USD", "14,952 USD to 20,000 USD", "gets worse by 2,474 USD"):
        assert said in " ".join(told.split())


@pytest.mark.parametrize(
    ("periods", "more", "failed", "said"),
    [
        ([0.019] * WORLDS, {}, ("attainable",), "sandbagged: met in 20 of 20 worlds under its own policy"),
        ([0.021] * WORLDS, {}, ("attainable",), "fantasy: met in 0 of 20 worlds under its own policy"),
        ([None] * WORLDS, {}, ("measurable", "attainable", "time-bound"), "there is no error of the metric"),
        (HALF, {"deadline": "2025-04-05"}, ("time-bound",), "too early: can be judged from 2025-04-06"),
        (HALF, {"error": 0.004}, ("measurable",), "2.5 standard errors of a month: noise hides it, 3 are needed"),
        (HALF, {"error": 0.01}, ("measurable", "time-bound"), "lag 84 d"),
        (HALF, {"target": "3.5%"}, ("measurable", "attainable"), "no improvement is promised"),
        (HALF, {"weaker": (-0.05, -0.02)}, ("relevant",), "not the same way"),
        (HALF, {"weaker": (-0.05, 0.0)}, ("relevant",), "not the same way"),
        (HALF, {"weaker": (0.0, 0.0)}, ("relevant",), "no shock moves the estimand here"),
        (HALF, {"updater": (-0.01, -0.01)}, ("relevant",), "not the same way"),
    ],
)  # fmt: skip
def test_a_goal_fails_its_sheet(periods, more, failed, said):
    """Exactly the letters that do not hold, and why."""
    found = sheet(periods, **more)
    assert found.failed == failed
    assert said in " ".join(it.words for it in found.criteria)
    assert found.verdict == f"Not a good goal yet: {', '.join(failed)}."


def test_two_worlds_are_little_evidence():
    """Changes of 2 and 4 points: three errors, which is luck in two worlds (14 are wanted) and not in ten (2.3)."""

    def shocked(worlds):
        own = [Reading((figure(0.03),), (figure(0.019),), (figure(0.02),), 0.99)] * worlds
        moved = [replace(it, kept=0.99 - by, whole=(figure(0.02 + by),)) for it, by in zip(own, CHANGES, strict=False)]
        it = aim()
        return Sheet(it, criteria(Evidence(it, 0, {OWN: own, WEAKER: moved, UPDATER: own})))["relevant"]

    assert beyond(10) == pytest.approx(2.32, abs=0.01)
    assert not shocked(2).holds
    assert shocked(10).holds


CHANGES = (0.02, 0.04) * 5


def test_that_all_of_a_few_have_paid_is_no_month_without_noise():
    """Thirty renewals that all went well have no spread, and an interval of 11 points below 100 % all the same."""
    whole = Figure(1.0, 30, 30, 0, units=30, standard_error=0.0, low=0.887, high=1.0)
    own = [Reading((whole,), (whole,), (whole,), 0.99)] * 2
    it = aim(metric="uninterrupted_renewal_rate", baseline="97.5%", target="99%")
    found = Evidence(it, 0, {OWN: own, WEAKER: own, UPDATER: own})
    assert found.noise == pytest.approx(0.113 / 1.96, abs=1e-4)
    assert not measurable(found).holds


def test_what_a_shock_does_is_said_in_words_that_cannot_be_turned_round():
    """More churn is worse, as fewer who are kept; the updater is switched to what it is not at the start."""
    found = sheet(HALF, weaker=(-0.312, 0.079), updater=(0.02, -0.01))
    assert found["relevant"].words == (
        "without retries and notices 31.20 pp fewer of the members are kept and the metric gets worse by 7.90 pp, the "
        "same way; with the account updater switched off 2.00 pp more of the members are kept and the metric gets "
        "better by 1.00 pp, the same way"
    )
    assert "and the metric does not move, not the same way" in sheet(HALF, weaker=(-0.05, 0.0))["relevant"].words
    assert shocks("off")[UPDATER] == "with the account updater switched on"


def test_the_best_policy_decides_what_is_attainable():
    """What no world of today reaches can be a good goal; what the best policy always reaches is not."""
    found = sheet([0.021] * WORLDS, best=HALF)
    assert found.passed
    assert "0 of 20 worlds under its own policy, 0 % (0 to 16 %); met in 10 of 20" in found["attainable"].words
    assert sheet(HALF, best=[0.01] * WORLDS)["attainable"].words.startswith("sandbagged: ")


def test_detection_lag_is_the_time_until_two_standard_errors():
    """28 days of February and an error as large as the promise: four times as many days are needed."""
    assert sheet(HALF, error=0.01)["time-bound"].figures["detection_lag_days"] == 28 * 4 - 28
    assert sheet(HALF, error=0.005)["time-bound"].figures["detection_lag_days"] == 0
    assert sheet(HALF, error=1.0)["time-bound"].words == "the promised change is not told from noise within ten years"


def test_wilsons_interval():
    """Of 10 trials, from the formula by hand; certain ends stay within 0 and 1."""
    assert [round(it, 4) for it in wilson(0, 10)] == [0.0, 0.2775]
    assert [round(it, 4) for it in wilson(5, 10)] == [0.2366, 0.7634]
    assert 1 - 1e-12 < wilson(10, 10)[1] <= 1


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A scenario and goals in a file of their own, with two regular failures among them."""
    folder = tmp_path_factory.mktemp("goals")
    (folder / "base.yaml").write_bytes((SCENARIOS / "first_month.yaml").read_bytes())
    (folder / "goals.yaml").write_text(GOALS, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def lived(home):
    """The goals of the file, and what three worlds of 250 members say of them."""
    aims = read_aims(home / "base.yaml", home / "goals.yaml", shipped())
    told = []
    readings = try_out(
        home / "base.yaml", aims, seeds=3, members=250, seed=11, report=lambda *done: told.append(done)
    )  # fmt: skip
    return aims, readings, told


def test_worlds_last_until_the_goals_are_settled(lived):
    """The period of a goal without one is the last month that is settled by its deadline; nothing stays unsettled."""
    aims, readings, told = lived
    easy, early = aims.aims
    assert (easy.period, early.period) == (date(2025, 4, 1), date(2025, 2, 1))
    assert easy.settled == datetime(2025, 5, 1) + easy.maturity < datetime(2025, 7, 1)
    assert aims.end == easy.settled.date() + timedelta(days=1)
    assert {name: len(found) for name, found in readings.items()} == {OWN: 3, WEAKER: 3, UPDATER: 3}
    assert told == [(i, 9) for i in range(10)]
    for reading in readings[OWN]:
        assert [it.immature for it in (*reading.baseline, *reading.period)] == [0, 0, 0, 0]
        assert 0.9 < reading.kept < 1


def test_without_dunning_more_are_lost(lived):
    """The weaker policy on the same people: fewer kept and a worse metric, in every world."""
    _, readings, _ = lived
    for own, weaker in zip(readings[OWN], readings[WEAKER], strict=True):
        assert weaker.kept < own.kept
        assert weaker.whole[0].value < own.whole[0].value


def test_simulated_goals_meet_their_verdicts(lived):
    """An easy one is sandbagged, an impossible one fantasy and too early; the median of the worlds is a good target."""
    aims, readings, _ = lived
    easy, early = (Sheet(it, criteria(Evidence(it, i, readings))) for i, it in enumerate(aims.aims))
    assert easy.failed == ("attainable",)
    assert easy["attainable"].words.startswith("sandbagged: met in 3 of 3 worlds")
    assert early.failed == ("attainable", "time-bound")
    assert early["attainable"].words.startswith("fantasy: met in 0 of 3 worlds")
    assert early["time-bound"].words.startswith("too early: ")
    values = sorted(it.period[0].value for it in readings[OWN])
    target = aims.aims[0].goal.model_copy(update={"target": values[1]})
    good = replace(aims.aims[0], goal=target)
    assert Sheet(good, criteria(Evidence(good, 0, readings))).passed


def test_the_command_exits_with_1_when_a_goal_fails(call, home):
    """Sheets in eighty columns; goals that are only words are named, and nothing is left behind."""
    before = sorted(home.iterdir())
    options = "--goals", home / "goals.yaml", "--seeds", 2, "--members", 60
    answer = call("goals", home / "base.yaml", *options)
    assert (answer.code, answer.err) == (1, "")
    assert 'support: "Nobody has to ask."' in answer.out
    assert "0 of 2 goals pass their own sheet, judged over 2 worlds." in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80
    assert sorted(home.iterdir()) == before


def test_python_judges_the_goals_of_a_scenario_itself(home, tmp_path):
    """With `best`, beside the scenario; JSON has the figures behind each verdict."""
    mine = tmp_path / "mine.yaml"
    body = GOALS.replace("mission", "extends: base.yaml\nname: mine\nbest: best.yaml\nmission")
    mine.write_text(body, encoding="utf-8")
    (tmp_path / "base.yaml").write_bytes((home / "base.yaml").read_bytes())
    best = "extends: base.yaml\nname: best\ndunning: [{use: smart}]\n"
    (tmp_path / "best.yaml").write_text(best, encoding="utf-8")
    assert billing_sim.check(mine) == []
    told = json.loads(json.dumps(billing_sim.goals(mine, seeds=2, members=60).to_json()))
    assert (told["passed"], told["seeds"]) == (False, 2)
    first = told["goals"][0]
    assert set(first["criteria"]) == {"specific", "measurable", "attainable", "relevant", "time-bound"}
    assert {name: first["criteria"]["attainable"][name]["worlds"] for name in (OWN, BEST)} == {OWN: 2, BEST: 2}
    assert first["stage"] == "growth"


def test_a_sheet_says_which_way_the_updater_is_switched(home, tmp_path):
    """On where the scenario starts without it."""
    (tmp_path / "base.yaml").write_bytes((home / "base.yaml").read_bytes())
    (tmp_path / "off.yaml").write_text(
        f"extends: base.yaml\nname: off\naccount_updater: 'off'{GOALS}", encoding="utf-8"
    )
    told = billing_sim.goals(tmp_path / "off.yaml", seeds=4, members=400).to_json()
    assert "with the account updater switched on " in told["goals"][0]["criteria"]["relevant"]["words"]


def test_the_command_exits_with_0_when_all_pass(call, home, monkeypatch):
    """Only then."""
    passing = GoalSheets("A mission.", (sheet(HALF),), (), WORLDS)
    monkeypatch.setattr("billing_sim.goal_sheets.judging.goals", lambda *_, **__: passing)
    answer = call("goals", home / "base.yaml", "--format", "json")
    assert (answer.code, json.loads(answer.out)["passed"]) == (0, True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("uninterrupted_renewal_rate", "uninterupted_renewal_rate"), "7:13  There is no metric `uninterupted_"),
        (("plan: premium", "plna: premium"), "15:15  There is no dimension of net_collected_rate `plna`"),
        (("plan: premium", "plan: premuim"), "15:21  There is no plan `premuim`; did you mean `premium`?"),
        (("plan: premium", "month: 2025-02"), "15:15  There is no dimension of net_collected_rate `month`"),
        (("period: 2025-02", "period: 2024-12"), "18:13  period: 2024-12 is before 2025-01."),
        (("deadline: 2025-06-30", "deadline: 2045-06-30"), "10:15  This goal is settled more than 10 years after"),
        (("target: 50%", "target: 99"), "9:13  target: 99 would be 9,900 % of a share."),
        (("metric: uninterrupted_renewal_rate", "metric: holds_per_1000_renewals"),
         "8:15  baseline: 10% is a percentage, but holds_per_1000_renewals is in ‰."),
        (("deadline: 2025-06-30", "deadline: 2024-06-30"), "10:15  deadline: 2024-06-30 is not after the start"),
        (("target: 101%", "target: much"), '17:13  target: "much" is not a number.'),
        (("    metric: net_collected_rate\n", ""), "14:14  segment: this goal has no metric."),
    ],
)  # fmt: skip
def test_mistakes_are_told_at_their_place(call, home, tmp_path, changed, said):
    """File, line and column, code 2, and nothing is simulated."""
    file = tmp_path / "goals.yaml"
    file.write_text(GOALS.replace(*changed), encoding="utf-8")
    answer = call("goals", home / "base.yaml", "--goals", file)
    assert (answer.code, answer.out) == (2, "")
    assert f"{file}:{said}" in answer.err


def test_a_file_of_goals_is_checked_like_a_scenario(call, home, tmp_path):
    """The same words in the same places; a good one is silent."""
    assert call("check", home / "goals.yaml").out == ""
    bad = tmp_path / "bad.yaml"
    bad.write_text(GOALS.replace("owner: finance", "owner: finanse").replace("mission", "misson"), encoding="utf-8")
    answer = call("check", bad)
    assert answer.code == 2
    assert [line for line in answer.out.splitlines() if line.startswith(str(bad))] == [
        f"{bad}:2:1  misson is not a known key here.",
        f'{bad}:12:12  owner: "finanse" is not one of subscribers, finance, support, product.',
    ]


def test_the_units_of_a_file_of_goals_are_checked_without_a_scenario(call, tmp_path):
    """With the words that say how to write it."""
    bad = tmp_path / "bad.yaml"
    bad.write_text(GOALS.replace("target: 50%", "target: 99"), encoding="utf-8")
    answer = call("check", bad)
    assert answer.code == 2
    assert (
        answer.out.split()
        == f"{bad}:9:13  target: 99 would be 9,900 % of a share. Write 99%, or 9900% where that is meant.".split()
    )


def test_the_best_policy_is_beside_the_file_that_names_it(home, tmp_path):
    """Also when that file is extended from another folder; a name that leads nowhere is told there."""
    shutil.copytree(home, tmp_path / "home", dirs_exist_ok=True)
    body = GOALS.replace("mission", "extends: base.yaml\nname: mine\nbest: best.yaml\nmission")
    (tmp_path / "home" / "mine.yaml").write_text(body.strip(), encoding="utf-8")
    (tmp_path / "home" / "best.yaml").write_text("extends: base.yaml\nname: best\ndunning: [{use: smart}]\n")
    child = tmp_path / "child.yaml"
    child.write_text("extends: home/mine.yaml\nname: child\n", encoding="utf-8")
    found = read_aims(child, None, shipped()).best
    assert found is not None
    assert found.resolve() == (tmp_path / "home" / "best.yaml").resolve()
    (tmp_path / "home" / "mine.yaml").write_text(body.strip().replace("best.yaml", "gone.yaml"), encoding="utf-8")
    with pytest.raises(billing_sim.InputError, match=r"mine\.yaml:3:7  best: there is no file"):
        read_aims(child, None, shipped())


def test_worlds_without_a_value_are_told_and_not_counted():
    """Three have one, and two of these meet the target; where none has, nothing is attainable."""
    goal = Goal(owner="product", goal="g", metric="payment_success_rate", target="50%", deadline="2025-06-30")
    aim = Aim(goal, shipped()["payment_success_rate"], date(2025, 1, 1), date(2025, 2, 1), timedelta())
    figures = [Figure(value, 1, 2, 0, 0.01) if value is not None else None for value in (0.6, 0.7, 0.4, None, None)]
    readings = {OWN: [Reading((it,), (it,), (it,), 0.9) for it in figures]}
    found = attainable(Evidence(aim, 0, readings))
    assert (found.figures[OWN]["met"], found.figures[OWN]["worlds"]) == (2, 3)
    assert found.figures[OWN]["undefined"] == 2
    assert "met in 2 of 3 worlds" in found.words
    assert "2 more have no value" in found.words
    none = attainable(Evidence(aim, 0, {OWN: readings[OWN][3:]}))
    assert not none.holds
    assert "no value in any of 2 worlds" in none.words


def test_goals_of_words_alone_cannot_be_judged(home):
    """And one world cannot tell luck from effect."""
    with pytest.raises(billing_sim.QueryError, match="names a metric: add metric, target and deadline to one"):
        billing_sim.goals(home / "base.yaml")
    with pytest.raises(billing_sim.QueryError, match="use 2 at least"):
        billing_sim.goals(home / "base.yaml", file=home / "goals.yaml", seeds=1)


def test_help_ends_with_an_example(call):
    """One that can be typed."""
    answer = call("goals", "--help")
    assert answer.out.splitlines()[-1].startswith("  Example:  billing-sim goals ")
    assert max(map(len, answer.out.splitlines())) <= 80
