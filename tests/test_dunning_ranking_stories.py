"""Policies ranked in worlds so small that every score is known on paper, and what the command says of them."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import billing_sim
from billing_sim.cli.output import Format
from billing_sim.dunning_ranking import asking
from billing_sim.dunning_ranking.ranking import OWN_RULES, Ranking
from billing_sim.dunning_ranking.render import lead, text
from billing_sim.dunning_ranking.scores import GROUPS, NET, SCORES, Gap, Sums, figure, gap, interval_across
from billing_sim.scenario.layers import shipped
from tests.cli_caller import call
from tests.world_texts import LIFECYCLE, QUIET

__all__ = ["call"]

OUTAGE = """
end: 2025-03-20
members: 2000
timeline: [{kind: gateway_outage, at: 2025-03-05, gateway: northpay, duration: 3 days, failing: 100%}]
"""
"""Whoever is billed on March 5 fails until the 8th, midnight UTC; those of the 6th and 7th as well."""

POLICIES = """
dunning_policies:
  early: {retries: [1 day, 2 days], notices: [], grace: 10 days, end: 10 days}
  late: {retries: [4 days], notices: [], grace: 10 days, end: 10 days}
  twice: {retries: [1 day, 4 days], notices: [1 hour], grace: 10 days, end: 10 days}
"""
MENDED = f"""
end: 2025-06-30
members: 2000
{LIFECYCLE}
markets:
  US:
    behaviour:
      first_attempt_failure: {{credit: 100%}}
      account_updater_coverage: 0%
      expiry_years: [1]
      attention: 100%
"""
"""Cards expire, no updater knows the new ones, and everybody reads what they are told."""

MESSAGES = """
told: {retries: [], notices: [1 hour], grace: 20 days, end: 20 days}
untold: {retries: [1 day, 9 days], notices: [], grace: 20 days, end: 20 days}
"""


def files(folder: Path, story: str, policies: str = POLICIES) -> tuple[Path, Path]:
    """A scenario laid over the quiet world, and a file of policies."""
    (folder / "base.yaml").write_text(QUIET)
    scenario, file = folder / "story.yaml", folder / "policies.yaml"
    scenario.write_text(f"extends: base.yaml\nname: story\n{story}")
    file.write_text(policies)
    return scenario, file


@pytest.fixture(scope="module")
def outage(tmp_path_factory) -> Ranking:
    """Three days without a gateway."""
    scenario, file = files(tmp_path_factory.mktemp("outage"), OUTAGE)
    return billing_sim.dunning(scenario, policies=file)


@pytest.fixture(scope="module")
def mended(tmp_path_factory) -> Ranking:
    """Half a year in which cards expire."""
    scenario, file = files(tmp_path_factory.mktemp("mended"), MENDED, MESSAGES)
    return billing_sim.dunning(scenario, policies=file, attempt_cost=0, notice_cost=0)


def by_day(found: Ranking, policy: str) -> dict[int, tuple[set[str], set[float], set[float]]]:
    """By the day of the first failure: how invoices ended, after how many hours, and the oracle's hours, rounded up."""
    rows = found.outcomes()
    rows = rows[rows["policy"] == policy]
    parts = rows.groupby(rows["first_failed_at"].dt.day)
    return {
        int(day): (set(part["ended_by"]), set(part["collected_hours"].round()), set(np.ceil(part["oracle_hours"])))
        for day, part in parts
    }


def test_an_outage_of_three_days_is_outlived_by_a_retry_on_day_four(outage):
    """Everybody is collected 96 hours later; two quick retries lose all who failed on the first day, and only them."""
    late, early = by_day(outage, "late"), by_day(outage, "early")
    assert {day: ways for day, (ways, _, _) in late.items()} == {5: {"retry"}, 6: {"retry"}, 7: {"retry"}}
    assert {hours for _, waits, _ in late.values() for hours in waits} == {96.0}
    assert {day: ways for day, (ways, _, _) in early.items()} == {5: {"given_up"}, 6: {"retry"}, 7: {"retry"}}
    assert [early[6][1], early[7][1]] == [{48.0}, {24.0}]


def test_the_oracle_waits_for_the_end_of_the_outage(outage):
    """Billed at three in the morning in New York, 8:00 UTC: 64, 40 and 16 hours before it is over."""
    assert {day: hours for day, (_, _, hours) in by_day(outage, "late").items()} == {5: {64.0}, 6: {40.0}, 7: {16.0}}


def test_counts_of_outcomes_can_be_multiplied_by_what_a_try_costs(outage):
    """Numbers of 16 bits would wrap around at the fourth attempt of a cent in millionths, without a word."""
    rows = outage.outcomes()
    own = rows[rows["policy"] == "late"]
    cost = (own["attempts"] * 50_000 + own["notices"] * 10_000).sum() / 1_000_000
    assert cost == 0.05 * outage["late"].sums["attempts"] + 0.01 * outage["late"].sums["notices"]
    assert {rows[name].dtype for name in ("invoice", "attempts", "notices", "amount_minor")} == {np.dtype("int64")}


def test_regret_is_what_was_lost_on_the_first_day(outage):
    """Ten dollars for each of them; the policy that waits regrets nothing, and nobody goes beyond the oracle."""
    rows = outage.outcomes()
    first = int(((rows["policy"] == "early") & (rows["first_failed_at"].dt.day == 5)).sum())
    early, late = outage["early"], outage["late"]
    assert 30 < first < outage.failed
    assert early["regret_rate"].value == first / outage.failed
    assert (early["regret_money_rate"].numerator, early.sums["money"]) == (first * 10**7, outage.failed * 10**7)
    assert early["wrongful_per_1000"].value == early["lost_per_1000"].value == 1000 * first / outage.failed
    assert early.endings["given_up"] == first
    assert (late["regret_rate"].value, late["collected_rate"].value) == (0, 1)
    assert late["days_to_collect"].value == pytest.approx(4, abs=1e-6), "a gateway answers within a millisecond"
    assert outage.oracle["oracle_rate"].value == 1
    assert all(it["beyond_rate"].value == 0 for it in outage.standings)


def test_cost_decides_between_policies_that_collect_alike(outage):
    """One retry costs 0.05, two and a message cost 0.11: both collect all, the cheaper is ahead and told apart."""
    late, twice, rows = outage["late"], outage["twice"], outage.outcomes()
    on_last_day = int(((rows["policy"] == "twice") & (rows["first_failed_at"].dt.day == 7)).sum())
    assert (twice["collected_rate"].value, twice["notices_per_failure"].value) == (1, 1)
    assert twice.sums["attempts"] == 2 * outage.failed - on_last_day, "theirs worked on the first day"
    assert late["net_per_failure"].value == 10 - 0.05
    assert twice.sums["cost"] == twice.sums["attempts"] * 50_000 + outage.failed * 10_000
    assert [it.name for it in outage.standings] == ["late", OWN_RULES, "twice", "early"]
    assert outage.gap(OWN_RULES, "twice").is_nothing, "as many tries and messages, a day earlier"
    assert not outage.alike(OWN_RULES, "twice")
    assert "0  the same net money" in repr(outage)
    assert "one for one" not in repr(outage)
    for width in (34, 60):
        assert max(map(len, text(outage, width).splitlines())) <= width
        assert "shown from 80" in " ".join(text(outage, width).split())
    found = outage.gap("late", "twice")
    assert found.value == pytest.approx((twice.sums["cost"] - late.sums["cost"]) / 10**6 / outage.failed)
    assert found.is_told


def test_own_rules_are_ranked_among_them(outage):
    """The quiet world retries after 1, 3, 5 and 7 days and tells twice."""
    own = outage[OWN_RULES]
    assert own["collected_rate"].value == 1
    assert by_day(outage, OWN_RULES)[5][1] == {72.0}


def test_what_members_mend_lies_beyond_the_oracle(mended):
    """Expired cards never work again by themselves: who is told pays, who is not told is lost for nothing."""
    told, untold = mended["told"], mended["untold"]
    assert mended.failed > 100
    assert (mended.oracle["oracle_rate"].value, mended.oracle["oracle_money_rate"].value) == (0, 0)
    assert (told["collected_rate"].value, told["beyond_rate"].value, told["regret_rate"].value) == (1, 1, 0)
    assert (told.endings["member"], untold.endings["given_up"]) == (mended.failed, mended.failed)
    assert (untold["collected_rate"].value, untold["wrongful_per_1000"].value) == (0, 1000)
    assert (told["attempts_per_failure"].value, untold["attempts_per_failure"].value) == (0, 2)
    assert untold["days_to_collect"].value is None
    assert untold["days_to_collect"].reason == "nothing was collected"


def test_the_balance_of_every_policy_adds_up(outage, mended):
    """Collected = what the oracle collects - regret + beyond, in invoices and in money, to the unit."""
    for it in (*outage.standings, *mended.standings):
        assert it.sums["collected"] == it.sums["oracle"] - it.sums["regret"] + it.sums["beyond"]
        money = it.sums["oracle_money"] - it.sums["regret_money"] + it.sums["beyond_money"]
        assert it.sums["collected_money"] == money
        assert it.sums["net"] == it.sums["collected_money"] - it.sums["cost"]


def test_a_single_policy_needs_no_neighbours(tmp_path):
    """The table stands alone, without an empty list below it."""
    told = repr(billing_sim.dunning(files(tmp_path, OUTAGE)[0], presets=[]))
    assert "\n 1 own rules           100 %  100 %" in told
    assert "Net money per failed invoice, each less the next" not in told
    assert "\n\n\n" not in told


def test_a_retry_beyond_the_oracles_horizon_is_beyond(tmp_path):
    """A horizon of two days is over before the outage for those of the first day."""
    scenario, file = files(tmp_path, OUTAGE)
    found = billing_sim.dunning(scenario, policies=[file], oracle_days=2)
    rows = found.outcomes()
    first = int(((rows["policy"] == "late") & (rows["first_failed_at"].dt.day == 5)).sum())
    assert found["late"]["beyond_rate"].numerator == first


def test_a_policy_of_the_scenario_does_what_its_rules_do(outage, tmp_path):
    """By its name; where every rule chooses it, the two are the same, one for one, and cannot be told apart."""
    found = billing_sim.dunning(files(tmp_path, OUTAGE)[0], policies="steady")
    gap = found.gap("steady", OWN_RULES)
    assert (gap.value, gap.is_nothing, gap.is_told) == (0, True, False)
    assert found["steady"].sums["net"] == outage[OWN_RULES].sums["net"]
    assert "the same, one for one" in repr(found)


def test_seeds_are_added_up(tmp_path):
    """Two seeds hold the failed invoices of both, with 128 groups, and say how each went."""
    scenario, file = files(tmp_path, OUTAGE.replace("2000", "300"))
    both = billing_sim.dunning(scenario, policies=file, seed=4, seeds=2)
    alone = [billing_sim.dunning(scenario, policies=file, seed=seed) for seed in (4, 5)]
    assert both.seeds == (4, 5)
    assert both.failed == sum(it.failed for it in alone)
    assert both["early"].sums["net"] == sum(it["early"].sums["net"] for it in alone)
    found = both.gap("late", "early")
    each = tuple(it.gap("late", "early").value for it in alone)
    assert (found.by_seed, found.seeds_ahead) == (each, 2)
    assert len(both["early"]["net_per_failure"].replicates) == 2 * GROUPS
    assert found.across_seeds == interval_across(each)
    assert "2/2" in repr(both)


def test_without_a_failed_invoice_nothing_is_ranked(tmp_path, call):
    """Every score is undefined, with its reason, and the command says so."""
    scenario, _ = files(tmp_path, "end: 2025-02-10")
    found = billing_sim.dunning(scenario, presets="generic")
    assert found.failed == 0
    assert {(it.value, it.reason.partition(" ")[0]) for it in found["generic"].scores.values()} == {
        (None, "no"), (None, "nothing"),
    }  # fmt: skip
    assert found.oracle["oracle_rate"].reason == "no invoice failed"
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert told["policies"][0]["scores"]["net_per_failure"]["reason"] == "no invoice failed"
    answer = call("dunning", scenario, "--presets", "generic")
    assert answer.code == 0
    assert answer.out.startswith("story, 64 members, seed 1: no invoice failed, so there is nothing to rank.")


def sums(net: np.ndarray, failed: np.ndarray) -> Sums:
    """Sums of one seed that hold what a net amount per failure needs."""
    return Sums({"net": net, "failed": failed})


def test_intervals_are_those_of_the_jackknife():
    """Leaving out each group in turn: 63/64 of the squared deviations, and Student's t with 63 degrees of freedom."""
    failed = np.arange(1, 65)
    one, other = sums(failed**2 * 10**6, failed), sums(failed * 10**6, failed)
    values = [((failed**2).sum() - i**2) / (failed.sum() - i) for i in failed]
    error = (63 / 64 * ((np.array(values) - np.mean(values)) ** 2).sum()) ** 0.5
    found = figure(NET, one)
    assert found.value == 43
    assert found.standard_error == pytest.approx(error)
    assert found.high == pytest.approx(43 + 1.998 * error)
    ahead = gap(NET, one, other)
    assert (ahead.value, ahead.by_seed) == (42, (42,))
    assert (ahead.standard_error, ahead.low) == (pytest.approx(error), pytest.approx(42 - 1.998 * error))


def test_a_seed_in_which_nothing_failed_is_no_seed_behind():
    """Ahead in both that had failures; the third says nothing."""
    found = Gap(0.5, 0.4, 0.6, 0.05, (0.5, 0.5))
    assert lead(found, 3).endswith(" 2/2")
    assert lead(Gap(0.5, 0.4, 0.6, 0.05, (0.5,)), 3).endswith("+0.60)")


def test_one_person_in_all_gives_no_interval():
    """A single group cannot be left out."""
    failed = np.zeros(GROUPS, np.int64)
    failed[7] = 3
    ahead = gap(NET, sums(failed * 10**6, failed), sums(failed * 0, failed))
    assert (ahead.value, ahead.low, ahead.is_told) == (1, None, False)


def test_the_interval_across_seeds_is_students():
    """For 1, 2 and 3: a mean of 2, a standard error of 0.577, and t = 4.303."""
    assert interval_across((1.0, 2.0, 3.0)) == pytest.approx((2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5))
    assert interval_across((1.0,)) is None


# What is asked, and what is answered.


def test_all_presets_are_ranked_by_default(call, tmp_path):
    """With the own rules; every line fits on a terminal, best first."""
    scenario, _ = files(tmp_path, OUTAGE.replace("2000", "300"))
    answer = call("dunning", scenario, "--quiet")
    names = [line[3:20].strip() for line in answer.out.splitlines() if line[:2].strip().isdecimal() and "%" in line]
    assert (answer.code, answer.err) == (0, "")
    assert sorted(names) == sorted([OWN_RULES, *shipped("dunning_presets.yaml").entries])
    assert max(map(len, answer.out.splitlines())) <= 80


def test_all_may_stand_beside_names(tmp_path):
    """They are among all already."""
    scenario, _ = files(tmp_path, OUTAGE.replace("2000", "50"))
    found = billing_sim.dunning(scenario, presets="generic,all")
    assert list(found.policies) == list(shipped("dunning_presets.yaml").entries)


def test_json_and_csv_hold_everything(call, tmp_path):
    """As the table, with every score, sum and interval."""
    scenario, file = files(tmp_path, OUTAGE.replace("2000", "300"))
    args = ("dunning", scenario, "--policy", file, "--presets", "smart", "--attempt-cost", "0.2", "--format")
    told = json.loads(call(*args, Format.JSON.value).out)
    assert [it["rank"] for it in told["policies"]] == [1, 2, 3, 4, 5]
    assert set(told["policies"][0]["scores"]) == set(told["scores"]) - {"oracle_rate", "oracle_money_rate"}
    assert told["costs"] == {
        "attempt": {"amount": 0.2, "assumed": False}, "notice": {"amount": 0.01, "assumed": True},
    }  # fmt: skip
    assert sum(told["policies"][0]["ended_by"].values()) == told["failed"]
    ranked = [it["policy"] for it in told["policies"]]
    assert [(it["ahead"], it["behind"]) for it in told["neighbours"]] == [*pairwise(ranked)]
    rows = list(csv.DictReader(io.StringIO(call(*args, Format.CSV.value).out)))
    assert [it["policy"] for it in rows] == [it["policy"] for it in told["policies"]]
    assert float(rows[0]["net_per_failure_low"]) == told["policies"][0]["scores"]["net_per_failure"]["low"]
    assert len(rows[0]) == 2 + 3 * len(SCORES)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--presets", "generics"], "There is no dunning preset generics. Did you mean generic?"),
        (["--presets", "all,generics"], "There is no dunning preset generics. Did you mean generic?"),
        (["--presets", "none,smart"], "Presets are none, or all, or names such as "),
        (["--policy", "stedy"], "There is no dunning policy stedy, and no such file. Did you mean steady?"),
        (["--attempt-cost", "cheap"], "cheap is no cost; write an amount of the reporting currency, as in 0.05."),
        (
            ["--attempt-cost", "0.0000001"],
            "0.0000001 has too many decimals: costs count in millionths. Write 0.000001,",
        ),
        (["--notice-cost", "-1"], "-1 is no cost; write an amount from 0 to 1,000,000"),
        (["--policy", "lost.yaml"], "lost.yaml  There is no such file."),
    ],
)
def test_what_cannot_be_ranked_is_refused_in_words(call, tmp_path, args, told):
    """With what was probably meant; nothing is simulated."""
    scenario, _ = files(tmp_path, OUTAGE)
    answer = call("dunning", scenario, *args)
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err


@pytest.mark.parametrize(
    ("policies", "place", "told"),
    [
        ("dunning_policies:\n  mine: {retries: [1 dy], notices: [], grace: 1 day, end: 2 days}", "2:20", "1 dy"),
        ("mine: {retrys: [1 day], notices: [], grace: 1 day, end: 2 days}", "1:8", "Did you mean retries?"),
        ("mine: {retries: [3 days, 1 day], notices: [], grace: 1 day, end: 4 days}", "1:26", "does not come after"),
        ("mine: {retries: [9 days], notices: [], grace: 1 day, end: 4 days}", "1:18", "is after the end of mine"),
        ("mine: {preset: genric}", "1:16", "Did you mean generic?"),
        ("My Own: {preset: generic}", "1:1", "cannot be used as a name"),
        ("name: story\nmembers: 9", "1:1", "This scenario has no policies of its own."),
        ("note: story\ndunning_policies: {mine: {preset: generic}}", "1:1", "note is not a known key here."),
        ("dunning_policies: {}", "1:1", "There is no policy in this file."),
        ("mine: [1, 2", "1:12", "A list in brackets is not closed"),
    ],
)
def test_a_bad_policy_file_is_told_by_line_and_column(tmp_path, policies, place, told):
    """Every problem at its place."""
    scenario, file = files(tmp_path, OUTAGE, policies)
    with pytest.raises(billing_sim.InputError) as refused:
        billing_sim.dunning(scenario, policies=file)
    assert f"{file}:{place}" in str(refused.value)
    assert told in str(refused.value)


def test_a_policy_over_a_preset_takes_the_rest_from_it(tmp_path):
    """As in a scenario."""
    scenario, file = files(tmp_path, OUTAGE.replace("2000", "64"), "mine: {preset: generic, end: 40 days}")
    mine = billing_sim.dunning(scenario, policies=file).policies["mine"]
    generic = billing_sim.dunning(scenario, presets="generic").policies["generic"]
    assert (mine.retries, mine.end) == (generic.retries, 40 * 24 * 3600 * 10**6)


def test_a_scenario_is_a_file_of_policies_too(tmp_path):
    """Its own are taken, those that it inherits included, and nothing else of it."""
    scenario, _ = files(tmp_path, OUTAGE.replace("2000", "64"))
    parent, child = tmp_path / "parent.yaml", tmp_path / "child.yaml"
    parent.write_text("name: parent\ndunning_policies: {mine: {preset: generic}}\n")
    child.write_text("extends: parent.yaml\nname: child\n")
    for file in (parent, child):
        assert list(billing_sim.dunning(scenario, policies=file).policies) == ["mine"]


def test_a_policy_may_be_called_anything(tmp_path):
    """Also `nothing`: it does what its keys say, as the same policy of another name does."""
    late = "{retries: [4 days], notices: [], grace: 10 days, end: 10 days}"
    scenario, file = files(tmp_path, OUTAGE.replace("2000", "300"), f"nothing: {late}\nlate: {late}\n")
    found = billing_sim.dunning(scenario, policies=file)
    assert found["nothing"].endings == found["late"].endings
    assert found["nothing"]["collected_rate"].value == 1


def test_long_names_can_be_told_apart(tmp_path):
    """By their ends, or by their ranks and the list of names in full; no line is wider than a terminal."""
    one, other = (f"retries_for_people_in_{it}_at_weekends" for it in ("europe", "africa"))
    third = "retries_for_everybody_else"
    keys = "{retries: [4 days], notices: [], grace: 10 days, end: 10 days}"
    scenario, file = files(
        tmp_path, OUTAGE.replace("2000", "300"), "".join(f"{name}: {keys}\n" for name in (one, other, third))
    )
    shown = repr(billing_sim.dunning(scenario, policies=file))
    assert max(map(len, shown.splitlines())) <= 80
    assert " 1 retries_…weekends " in shown
    assert "retries_…weekends - retries_…ody_else" in shown
    assert f"Names in full: 1 {one}, 2 {other}, 3 {third}." in " ".join(shown.split())


def test_none_leaves_the_own_rules_alone(tmp_path):
    """No preset, no gap, and no sign explained that is not there."""
    scenario, _ = files(tmp_path, OUTAGE.replace("2000", "300"))
    alone = billing_sim.dunning(scenario, presets="none")
    assert [it.name for it in alone.standings] == [OWN_RULES]
    assert "~" not in repr(alone)
    several = repr(billing_sim.dunning(scenario, presets="generic,smart"))
    assert several.count("~ cannot be told apart") == (") ~" in several)
    assert "net USD" in several
    assert "Net money per failed invoice, USD, each less the next" in several


def test_json_has_money_in_units_of_the_currency(tmp_path):
    """Sums, numerators and gaps alike; days in days."""
    found = billing_sim.dunning(files(tmp_path, OUTAGE.replace("2000", "300"))[0], presets="generic")
    told, best = found.to_json(), found.standings[0]
    net = told["policies"][0]["scores"]["net_per_failure"]
    assert net["value"] == pytest.approx(net["numerator"] / net["denominator"])
    assert told["policies"][0]["sums"]["net"] == net["numerator"] == best.sums["net"] / 1e6
    days = told["policies"][0]["scores"]["days_to_collect"]
    assert days["value"] == pytest.approx(days["numerator"] / days["denominator"])
    assert told["money"] == best.sums["money"] / 1e6 == 10 * found.failed
    (pair,) = told["neighbours"]
    assert pair["difference_in_all"] == pytest.approx(pair["difference"] * found.failed)


@pytest.mark.parametrize(
    ("currency", "rates", "costs"),
    [
        ("USD", "{}", (50_000, 10_000)),
        ("JPY", "{JPY: 1, USD: 150.5}", (7_525_000, 1_505_000)),
        ("GBP", "{GBP: 1, USD: 0.8}", (40_000, 8_000)),
    ],
)
def test_assumed_costs_are_dollars_in_every_currency(tmp_path, currency, rates, costs):
    """Five cents are five cents, whatever is reported in."""
    story = f"{OUTAGE.replace('2000', '50')}reporting_currency: {currency}\nexchange_rates: {rates}\n"
    setting = billing_sim.dunning(files(tmp_path, story)[0], presets="smart").setting
    assert (setting.attempt.micros, setting.notice.micros) == costs
    assert setting.attempt.is_assumed


def test_without_a_rate_of_the_dollar_costs_must_be_told(tmp_path):
    """Nothing can be assumed then; with both named the ranking is made, and says what it counts."""
    story = f"{OUTAGE.replace('2000', '300')}reporting_currency: JPY\nexchange_rates: {{JPY: 1, USD: 1}}\n"
    scenario, _ = files(tmp_path, story)
    with pytest.raises(
        billing_sim.QueryError, match=r"no exchange rate to JPY\. Say what an attempt and a message cost"
    ):
        billing_sim.dunning(scenario, presets="smart", attempt_cost=7)
    told = " ".join(repr(billing_sim.dunning(scenario, presets="smart", attempt_cost="7.50", notice_cost=10)).split())
    assert "less 7.5 JPY per try and 10 JPY per message." in told


def test_two_policies_of_one_name_are_refused(tmp_path):
    """Nobody could tell them apart in the table."""
    scenario, file = files(tmp_path, OUTAGE, "generic: {preset: smart}")
    with pytest.raises(billing_sim.QueryError, match="Two policies are called generic: rename the one of"):
        billing_sim.dunning(scenario, presets="all", policies=file)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"seeds": 0}, "0 seeds are none"),
        ({"oracle_days": 91}, "cannot look 91 days ahead"),
        ({"workers": 0}, "0 workers are none"),
        ({"seeds": 2.5}, "seeds=2.5 is no whole number: write one"),
        ({"policies": {"mine": 1}}, "policies={'mine': 1} is no path: write one in quotes, or several in brackets"),
        ({"presets": 3}, "presets=3 is no name: write one in quotes"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path, asked, told):
    """From Python, where no option is checked before."""
    with pytest.raises(billing_sim.QueryError, match=told):
        billing_sim.dunning(files(tmp_path, OUTAGE)[0], **asked)


def test_unknown_policies_and_scores_get_a_suggestion(outage):
    """When a ranking is asked for what it does not hold."""
    with pytest.raises(billing_sim.QueryError, match="early"):
        _ = outage["earl"]
    with pytest.raises(billing_sim.QueryError, match="regret_rate"):
        _ = outage["early"]["regret_rat"]


def test_too_many_policies_are_refused(tmp_path):
    """The world's table has 32 rows."""
    many = "\n".join(f"mine_{i}: {{preset: generic}}" for i in range(32))
    scenario, file = files(tmp_path, OUTAGE, many)
    with pytest.raises(billing_sim.QueryError, match="32 policies are more than the 31"):
        billing_sim.dunning(scenario, policies=file)


def test_what_outlasts_the_calendars_is_refused(tmp_path):
    """Ten years of simulation leave room for a policy of months, not of years."""
    scenario, file = files(tmp_path, "end: 2035-01-01", "mine: {preset: generic, end: 1000 days}")
    with pytest.raises(
        billing_sim.QueryError, match="3,652 days, and the last failure may have to be followed for 1,0"
    ):
        billing_sim.dunning(scenario, policies=file)


def test_the_command_explains_itself(call):
    """With an example, on a terminal of 80 columns; its defaults are those of Python."""
    answer = call("dunning", "--help")
    assert answer.code == 0
    assert max(map(len, answer.out.splitlines())) <= 80
    assert answer.out.splitlines()[-1].startswith("  Example:  billing-sim dunning ")
    words = " ".join(answer.out.split())
    assert f"currency; {asking.ATTEMPT_COST} {asking.COSTS_IN} assumed" in words
    assert f"currency; {asking.NOTICE_COST} {asking.COSTS_IN} assumed" in words
    assert f"[default: {asking.ORACLE_DAYS}; 1<=x<={asking.MOST_ORACLE_DAYS}]" in words.replace("in that ", "")
