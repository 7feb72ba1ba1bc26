"""Reading experiments: arms, differences, what can be told and when, and the true effect beside them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest

import billing_sim
from billing_sim.errors import QueryError
from billing_sim.experiments import ratio_check
from billing_sim.experiments.contrast import Contrast, comparable
from billing_sim.experiments.design import design_of, designs
from billing_sim.experiments.power import NEVER, Enrolment, power
from billing_sim.experiments.sample import facts_of, sample_of
from billing_sim.experiments.splits import distance_from_uniform, p_values, uniform_bound
from billing_sim.identity import world_of
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.frame import frame
from billing_sim.metrics.jackknife import share_interval, with_interval
from billing_sim.metrics.result import Figure
from tests.cli_caller import call
from tests.world_builder import SCENARIOS
from tests.world_texts import BUSY
from tests.world_texts_experiments import MANY

__all__ = ["call"]

NAIVE = "recovery_rate@to_date"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> billing_sim.Run:
    """The shipped experiment, whole."""
    return billing_sim.run(SCENARIOS / "dunning_ab_test.yaml", out=tmp_path_factory.mktemp("runs") / "ab")


@pytest.fixture(scope="module")
def readout(run):
    """Its readout at the end, with the true effect and a cost."""
    return run.experiment(metrics=["recovery_rate", "involuntary_churn", "collected"], cost=1000.0)


def test_the_naive_read_after_ten_days_misleads(run):
    """By then the patient policy looks significantly worse, and nothing whose outcome is final is there to be read."""
    early = run.experiment(metrics=[NAIVE, "recovery_rate"], as_of="2025-03-11", truth=False)
    naive, mature = early[NAIVE], early["recovery_rate"]
    assert naive.contrasts[0].value < -0.05
    assert naive.contrasts[0].p < 0.05
    assert (naive.misleads, naive.enrolment.mature_share) == (True, 0.0)
    assert mature.contrasts[0].value is None
    assert mature.powers[0].decided_on is None
    assert early.as_of < early.mature_from == datetime(2025, 3, 11) + frame(run.stored).dunning


def test_a_few_people_in_an_arm_tell_little():
    """With six groups Student's t has five degrees of freedom (2.571, where many have 1.998), and luck is likelier."""
    definition, spread = shipped()["churn"], np.linspace(-0.01, 0.01, 64)
    before, after = (Figure(0.1, 1, 10, 0, replicates=np.full(64, 0.1), groups=64), Figure(0.2, 2, 10, 0))
    few, many = (
        Contrast(definition, "a", "b", before, replace(after, replicates=0.2 + spread, groups=n)) for n in (6, 64)
    )
    assert few.error == many.error
    assert few.half / few.error == pytest.approx(2.571)
    assert many.half / many.error == pytest.approx(1.998)
    assert few.p > many.p


def test_that_all_are_alike_in_a_few_people_is_no_certainty():
    """Three who paid and six who did not: leaving anybody out moves nothing, and yet luck may have done it."""
    definition = shipped()["churn"]

    def arm(units: int, all_of_them: bool) -> Figure:
        value, groups = float(all_of_them), np.arange(64) < units
        found = Figure(value, units * all_of_them, units, 0, units=units, groups=units)
        found = with_interval(found, np.full(64, value), int(groups.sum()))
        low, high = share_interval(value, 0.0, units, units)
        return replace(found, low=low, high=high)

    apart = Contrast(definition, "a", "b", arm(6, all_of_them=False), arm(3, all_of_them=True))
    assert apart.p == pytest.approx(2 * (1 - _t2_below(3.0)), rel=1e-6)  # pooled: a third, with an error of a third
    low, high = apart.interval
    assert low == pytest.approx(-0.0076, abs=1e-4)  # 0 is in it, as 5 % < p says
    assert high == 1
    alike = Contrast(definition, "a", "b", arm(6, all_of_them=True), arm(3, all_of_them=True))
    assert (alike.value, alike.p) == (0, 1)
    assert alike.interval[0] < -0.4
    assert alike.interval[1] > 0.3
    assert (alike.as_dict()["low"], alike.as_dict()["standard_error"]) == (alike.interval[0], None)


def _t2_below(t: float) -> float:
    """Student's t with two degrees of freedom has a closed form."""
    return 0.5 + t / (2 * (2 + t * t) ** 0.5)


def test_a_readout_is_a_table_too(readout):
    """A row for each metric and arm, the same numbers as in JSON, the true difference beside them."""
    table, told = readout.table(), readout.as_dict()["metrics"]
    assert list(table["metric"]) == [it["metric"] for it in told]
    for row, it in zip(table.itertuples(), told, strict=True):
        assert (row.against, row.arm) == ("hurried", "patient")
        assert row.value - row.value_against == pytest.approx(row.difference)
        assert (row.value_against, row.value) == tuple(arm["value"] for arm in it["arms"].values())
        assert (row.low, row.high, row.p) == tuple(it["contrasts"][0][name] for name in ("low", "high", "p"))
        assert row.true_difference == readout[it["metric"]].effects[0].true.value
    assert repr(readout).startswith("patience  enrolled at the first failure")


def test_the_mature_read_tells_the_truth(readout):
    """At the end it is significantly better, and the interval holds the true effect."""
    found = readout["recovery_rate"]
    contrast, effect = found.contrasts[0], found.effects[0]
    assert contrast.value > 0.02
    assert contrast.p < 0.05
    assert effect.true.value > 0.02
    assert abs(effect.gap) < contrast.half
    assert (found.misleads, readout.ratio.is_broken) == (False, False)


def test_where_nobody_shares_anything_the_gap_is_the_luck_of_the_draw(readout):
    """Who is in an arm lives the same when everybody is in it: interference is exactly 0 for every metric."""
    assert readout.shares_nothing
    for reading in readout.readings:
        effect = reading.effects[0]
        assert effect.interference == 0
        assert effect.gap == effect.sampling != 0
        assert effect.gap == pytest.approx(effect.mixed.value - effect.true.value)


def test_the_true_effect_is_that_of_scenarios_with_everybody_in_one_arm(readout, tmp_path):
    """Written as two scenarios with shares of 0 % and 100 %, the rates are those of the forced worlds, to the bit."""
    text = (SCENARIOS / "dunning_ab_test.yaml").read_text().replace("first_month.yaml", "base.yaml")
    (tmp_path / "base.yaml").write_text((SCENARIOS / "first_month.yaml").read_text())
    truth, rates = readout["recovery_rate"].effects[0].true, {}
    for arm, shares in {"hurried": ("100%", "0%"), "patient": ("0%", "100%")}.items():
        own = text.replace("hurried: {share: 50%}", f"hurried: {{share: {shares[0]}}}")
        own = own.replace("share: 50%", f"share: {shares[1]}")
        (tmp_path / f"{arm}.yaml").write_text(own)
        forced = billing_sim.run(tmp_path / f"{arm}.yaml", out=tmp_path / arm)
        table = forced.metric("recovery_rate", by="arm")
        rates[arm] = table[table["arm"] == f"patience/{arm}"]["value"].item()
    assert (truth.before.value, truth.after.value) == (rates["hurried"], rates["patient"])


def test_a_sum_is_compared_per_person_enrolled(readout):
    """Arms differ in size; the value is the money collected from an arm over its people."""
    found = readout["collected"]
    assert found.definition.id == "collected@per_enrolled"
    figure = found.by_arm["patient"]
    assert figure.denominator == readout.ratio.enrolled["patient"]
    assert figure.value == pytest.approx(figure.numerator / figure.denominator / 1_000_000)


def test_the_return_counts_what_would_have_come_anyway_out(readout):
    """What a vendor would claim as recovered is several times what the change brings to the same people."""
    gain = readout.gains[0].as_dict()
    people = sum(readout.ratio.enrolled.values())
    assert gain["brought"] == pytest.approx(readout["collected"].effects[0].true.value * people)
    assert gain["return"] == pytest.approx(gain["brought"] / 1000)
    assert gain["return_claimed"] > 2 * gain["return"] > 0


def test_before_and_after_credits_a_change_with_whatever_else_happened(run, readout):
    """As much time on both sides, counted by hand; a change that brings little is paid for many times over."""
    gain, paid = readout.gains[0].as_dict(), run.table("invoices")
    paid = paid[paid["status"] == "paid"]
    moments, amounts = paid["paid_at"].dt.tz_localize(None), paid["amount_micros"]
    since = datetime(2025, 3, 1)
    first, last = datetime(2025, 1, 1), since + (since - datetime(2025, 1, 1))
    after = amounts[(moments >= since) & (moments < last)].sum()
    before = amounts[(moments >= first) & (moments < since)].sum()
    assert gain["grew"] == pytest.approx((after - before) / 1_000_000)
    assert gain["return_before_after"] == pytest.approx(gain["grew"] / 1000)
    assert abs(gain["return_before_after"] - gain["return"]) > 2 * gain["return"]


def test_metrics_can_be_split_by_arm(run):
    """`arm` is a dimension like any other, with the names of the scenario."""
    table = run.metric("recovery_rate", by="arm")
    assert {"none", "patience/hurried", "patience/patient"} <= set(table["arm"].dropna())
    assert set(run.table("enrolments")["arm"].unique()) == {"patience/hurried", "patience/patient"}


def test_p_values_of_splits_between_which_nothing_differs_are_uniform(run):
    """Re-hashed splits of the same people: the error beside a difference is neither too small nor too large."""
    metric = comparable(shipped()["recovery_rate"])
    sample = sample_of(run.stored, "patience", facts_of([metric]))
    key = int(world_of(run.stored).record.seed_key[0])
    found = p_values(sample, metric, frame(run.stored), key, range(80))
    assert not np.isnan(found).any()
    assert distance_from_uniform(found) < uniform_bound(len(found))
    assert distance_from_uniform(found**3) > uniform_bound(len(found))
    assert distance_from_uniform(np.sqrt(np.sqrt(found))) > uniform_bound(len(found))


@pytest.mark.parametrize(
    ("x", "freedom", "share"),
    [(3.841459, 1, 0.05), (5.991465, 2, 0.05), (7.814728, 3, 0.05), (18.466827, 4, 0.001), (20.515006, 5, 0.001)],
)
def test_the_tail_of_chi_square_is_that_of_the_tables(x, freedom, share):
    """Points of printed tables."""
    assert ratio_check.chi_square_tail(x, freedom) == pytest.approx(share, rel=1e-5)


def test_a_sample_ratio_mismatch_is_flagged():
    """The published example: 821,588 against 815,482 of equal halves has p = 1.8e-6; a fair coin's counts pass."""
    broken = ratio_check.check({"a": 821_588, "b": 815_482}, {"a": 0.5, "b": 0.5})
    assert broken.p == pytest.approx(1.8e-6, rel=0.05)
    assert broken.is_broken
    assert not ratio_check.check({"a": 5_060, "b": 4_940}, {"a": 0.5, "b": 0.5}).is_broken
    assert ratio_check.check({"a": 10, "b": 1}, {"a": 1.0, "b": 0.0}).p == 0


MARCH = datetime(2025, 3, 1)


def enrolled(days: list[float], read: int, *, enrol: str = "first_failure", closes: int = 300, ends: int = 300):
    """People enrolled on these days of an experiment, read on the day `read`; outcomes take 30 days."""
    moments = np.array([MARCH + timedelta(days=day) for day in days], "datetime64[us]")
    at = [MARCH + timedelta(days=day) for day in (read, closes, ends)]
    return Enrolment(enrol, moments, *at, timedelta(days=30))


def day_of(seen: Enrolment, number: int) -> float | None:
    """The day of an experiment on which so many are enrolled; infinite for never."""
    found = seen.person(number)
    return None if found is None else float("inf") if found == NEVER else (found - MARCH) / timedelta(days=1)


def test_the_day_of_decision_follows_from_enrolment_and_maturity():
    """With an error of 2 points by 400 mature people 5 points need 519: ten a day since the first, the 52nd day."""
    everybody = [i / 10 for i in range(700)]
    seen = enrolled(everybody, 70 - 0.1)
    assert (seen.total, seen.mature) == (700, 400)
    found = power(0.02, 0.05, seen)
    assert found.detectable == pytest.approx(0.02 * (1.99834 + 0.84754), rel=1e-4)
    assert (found.needed, found.will_be) == (519, True)
    assert found.decided_on == date(2025, 5, 21)
    assert power(None, 0.05, seen).detectable is None
    longer = enrolled(everybody, 70 - 0.1, closes=400, ends=400)
    assert power(0.02, 0.02, longer).decided_on == (MARCH + timedelta(days=323.95 + 30)).date()
    hopeless = power(0.02, 0.0001, seen)
    assert (hopeless.decided_on, hopeless.will_be) == (None, False)


def test_a_metric_that_does_not_wait_needs_more_people_than_are_through():
    """Its error is that of all 700 who are enrolled: 5 points need 907 such people, not 519."""
    seen = enrolled([i / 10 for i in range(700)], 70 - 0.1, closes=400, ends=400)
    assert power(0.02, 0.05, seen).needed == 519
    assert power(0.02, 0.05, replace(seen, waits=False)).needed == 907


def test_what_would_be_noticed_by_now_is_wider_than_the_interval_of_few_groups():
    """With two groups Student's t has one degree of freedom: 12.7 errors to either side are no difference yet."""
    seen = enrolled([i / 10 for i in range(700)], 70 - 0.1)
    few = power(0.02, 0.05, seen, groups=2)
    assert few.detectable == pytest.approx(0.02 * (12.7062 + 1.37638), rel=1e-4)
    assert few.needed == 519
    assert power(0.02, 0.05, seen, groups=1).detectable is None


def test_a_readout_counts_those_whom_its_metric_reads(run):
    """Recovery to date counts who has just been enrolled too; the rate that waits does not."""
    early = run.experiment(metrics=[NAIVE, "recovery_rate"], as_of="2025-04-15", truth=False)
    seen = early[NAIVE].enrolment
    assert (seen.waits, seen.counted) == (False, seen.total)
    assert early["recovery_rate"].enrolment.counted == seen.mature < seen.total


def test_nobody_is_counted_who_cannot_be_enrolled():
    """Not after enrolment has closed or the run is over, and at the start only on the first day."""
    everybody = [i / 10 for i in range(700)]
    assert day_of(enrolled(everybody, 70), 1000) == pytest.approx(100, abs=0.2)
    assert day_of(enrolled(everybody, 70, closes=90), 1000) == float("inf")
    assert day_of(enrolled(everybody, 120, closes=70), 701) == float("inf")
    assert day_of(enrolled([0.0] * 700, 70, enrol="start"), 700) == 0
    assert day_of(enrolled([0.0] * 700, 70, enrol="start"), 701) == float("inf")
    short = power(0.02, 0.05, enrolled(everybody, 70 - 0.1, ends=81))
    assert (short.decided_on, short.will_be) == (None, False)
    assert power(0.02, 0.05, enrolled(everybody, 70 - 0.1, ends=82)).will_be


def test_enrolment_goes_on_as_it_went_lately():
    """The later half counts; at renewals those after the first month, who were not there when it began."""
    slower = [*(i / 20 for i in range(800)), *(40 + i for i in range(40))]
    assert day_of(enrolled(slower, 80), 850) == pytest.approx(90, abs=0.5)
    month = [*(i / 20 for i in range(620)), *(31 + i for i in range(14))]
    assert day_of(enrolled(month, 45, enrol="renewal"), 644) == pytest.approx(55, abs=0.5)


def test_in_the_first_month_of_renewals_the_pace_of_newcomers_is_unknown():
    """What the members who are there suffice for can be told, and what more than everybody would not."""
    month = [i / 20 for i in range(400)]
    assert day_of(enrolled(month, 20, enrol="renewal"), 600) == pytest.approx(30, abs=0.1)
    assert day_of(enrolled(month, 20, enrol="renewal"), 700) is None
    assert day_of(enrolled(month, 20, enrol="renewal", closes=25), 600) == float("inf")
    assert day_of(enrolled(month, 20, enrol="renewal"), 40_000) == float("inf")


def test_that_a_day_is_unknown_is_said(run):
    """In words, in place of a day."""
    found = run.experiment(metrics=["recovery_rate"], truth=False)
    reading = found["recovery_rate"]
    powers = [replace(reading.powers[0], decided_on=None, will_be=None)]
    told = repr(replace(found, readings=[replace(reading, powers=powers)]))
    assert "people, and when they will be there cannot be said yet." in " ".join(told.split())


def test_of_several_experiments_each_is_read_by_itself(tmp_path):
    """Who is in two experiments counts in both, whatever the label of their combination."""
    (tmp_path / "base.yaml").write_text(BUSY)
    (tmp_path / "many.yaml").write_text(f"extends: base.yaml\nmembers: 400\n{MANY}")
    found = billing_sim.run(tmp_path / "many.yaml", out=tmp_path / "run")
    assert list(designs(found.stored)) == ["price_test", "retry_test", "updater_test", "backup_test"]
    table = found.table("enrolments")
    for name in ("retry_test", "updater_test"):
        shown = found.experiment(name, metrics="recovery_rate", truth=False)
        own = table[table["arm"].astype(str).str.startswith(f"{name}/")]
        assert sum(shown.ratio.enrolled.values()) == len(own) > 50
        sample = sample_of(found.stored, name, ["invoices", "enrolments"])
        assert set(sample.tables["invoices"]["arm"].to_pylist()) == set(shown.design.arms)
    with pytest.raises(QueryError, match="name one of price_test, retry_test"):
        design_of(found.stored)
    with pytest.raises(QueryError, match="did you mean `retry_test`"):
        found.experiment("retry_tset")


def test_variants_of_a_sum_are_numbers_of_their_own(run):
    """Each is one per person enrolled, and found by the name that was asked for."""
    found = run.experiment(metrics=["billed", "billed@all"], truth=False)
    assert found["billed"].by_arm["patient"].value < found["billed@all"].by_arm["patient"].value


def test_what_arms_cannot_be_compared_by_is_refused(run):
    """Stocks count whole arms, and queries do not know them."""
    with pytest.raises(QueryError, match="members is a stock"):
        run.experiment(metrics="members", truth=False)
    with pytest.raises(QueryError, match="net_revenue_retention is a query"):
        run.experiment(metrics="net_revenue_retention", truth=False)
    with pytest.raises(QueryError, match="is not in this readout"):
        run.experiment(metrics="recovery_rate", truth=False)["churn"]


def test_the_command_prints_what_the_readout_says(call, run, readout):
    """JSON for programs, sentences for people."""
    asked = ("experiment", run.directory, "--metric", "recovery_rate")
    told = json.loads(call(*asked, "--format", "json").out)
    contrast = told["metrics"][0]["contrasts"][0]
    assert contrast["difference"] == readout["recovery_rate"].contrasts[0].value
    assert contrast["true_effect"] == readout["recovery_rate"].effects[0].true.value
    assert told["enrolled"] == readout.ratio.enrolled
    words = " ".join(call(*asked).out.split())
    assert "The shares are as designed" in words
    assert "Nobody shares anything, so the gap is the luck of the draw alone." in words
    assert "in truth" not in call(*asked, "--no-truth").out


def test_sentences_name_currencies_moments_and_days(run, readout):
    """Read at the end: what is past is past, a difference of money has a currency, before and after has its days."""
    words = " ".join(repr(readout).split())
    assert "7.02 pp could have been decided on 2025-05-" in words
    assert "by now a difference of 2.68 USD would be noticed; 4.07 USD could have been decided on" in words
    assert "+3.62 USD +1.73 to +5.50 USD" in words
    assert "brings 5,258.62 USD, a return of 5.26. The experiment says a return of 9.64;" in words
    assert "what came in during its first 59 days less what did in the 59 days before -48.41." in words
    assert "at the end of the run" not in words
    cheap = " ".join(repr(run.experiment(metrics="collected", cost=1.0)).split())
    assert "a return of 5,258.62. The experiment says a return of 9,6" in cheap
    assert max(map(len, repr(readout).splitlines())) <= 80


def test_an_early_read_says_that_the_truth_is_of_the_end(run, readout):
    """The truth, the mix beside it and the returns do not depend on when it is read, nor on what else is asked."""
    early = run.experiment(metrics="collected@by_attempt", as_of="2025-04-20", cost=1000.0)
    assert [it.definition.id for it in early.readings][1:] == ["collected@per_enrolled"]
    assert early["collected"].effects[0].true.value == readout["collected"].effects[0].true.value
    assert early.as_dict()["truth_as_of"] == readout.as_of.isoformat() == "2025-07-01T00:00:00"
    words = " ".join(repr(early).split())
    assert "patient in truth at the end of the run (2025-07-01): +1.97 USD" in words
    assert "patient for 1,000.00 USD at the end of the run (2025-07-01): brings 5,258.62 USD" in words


def test_later_bills_of_the_same_people_go_on_counting(run, readout):
    """When everybody enrolled is through, later invoices still move a sum: it never loses its mark."""
    through = run.experiment(metrics=["collected"], as_of="2025-06-30T12:00", truth=False)
    assert through.as_of >= through.mature_from == datetime(2025, 6, 1) + through.dunning
    assert (through["collected"].misleads, through["collected"].grows) == (False, True)
    assert through["collected"].by_arm["patient"].value < readout["collected"].by_arm["patient"].value
    words = " ".join(repr(through).split())
    assert "collected@per_enrolled every later bill counts too" in words
    assert "Outcomes of what was billed until 2025-06-01 are final. What the same people are billed later goes" in words
    early = " ".join(repr(run.experiment(metrics=[NAIVE], as_of="2025-03-11", truth=False)).split())
    assert (
        "Outcomes of what was billed until 2025-03-11 are final from 2025-04-10; until then a read may turn. What the "
        "same people are billed later goes on counting." in early
    )
    assert not readout["recovery_rate"].grows


SMALL = """
extends: base.yaml
name: small
members: 300
experiments:
  updater:
    enrol: {enrol}
    arms:
      with: {{share: 50%}}
      without: {{share: 50%, change: {{account_updater: "off"}}}}
"""


def small(folder, enrol: str) -> billing_sim.Run:
    """Three hundred people in an experiment that enrols at such a moment."""
    (folder / "base.yaml").write_text(BUSY)
    (folder / "small.yaml").write_text(SMALL.format(enrol=enrol))
    return billing_sim.run(folder / "small.yaml", out=folder / "run")


def test_who_is_enrolled_at_the_start_is_through_on_one_day(tmp_path):
    """The day does not recede as the run goes on, and nobody new is ever there to decide what they cannot."""
    run = small(tmp_path, "start")
    start, dunning = frame(run.stored).start, frame(run.stored).dunning
    for days in (10, 60, 90):
        found = run.experiment(metrics="first_attempt_success_rate", as_of=start + timedelta(days=days), truth=False)
        assert found.mature_from == start + timedelta(days=1) + dunning
    tiny = run.experiment(metrics="first_attempt_success_rate", effect=0.0001, truth=False)
    asked = tiny.readings[0].powers[0]
    assert (asked.decided_on, asked.will_be) == (None, False)
    assert asked.needed > sum(tiny.ratio.enrolled.values())
    assert f"will not be in this run, with {asked.needed:,} people needed" in " ".join(repr(tiny).split())


def test_nobody_enrolled_is_said(tmp_path):
    """Shares of nobody are not as designed."""
    (tmp_path / "base.yaml").write_text(BUSY)
    (tmp_path / "small.yaml").write_text(SMALL.format(enrol="renewal\n    from: 2025-03-01"))
    run = billing_sim.run(tmp_path / "small.yaml", out=tmp_path / "run")
    found = run.experiment(metrics="recovery_rate", as_of="2025-02-01", truth=False)
    assert (found.mature_from, found.as_dict()["everybody_mature_from"]) == (None, None)
    words = " ".join(repr(found).split())
    assert "Enrolled: with 0, without 0. Nobody is enrolled." in words
    assert "as designed" not in words


def test_where_an_arm_is_empty_there_is_no_gap(tmp_path):
    """An arm of no share has nobody in it: the truth is known, the mix says nothing."""
    file = tmp_path / "empty.yaml"
    (tmp_path / "first_month.yaml").write_bytes((SCENARIOS / "first_month.yaml").read_bytes())
    arms = "{all: {share: 100%}, none: {share: 0%, change: {account_updater: 'off'}}}"
    file.write_text(
        f"extends: first_month.yaml\nname: empty\nmembers: 60\nexperiments: {{t: {{enrol: start, arms: {arms}}}}}\n"
    )
    told = billing_sim.run(file, out=tmp_path / "run").experiment(metrics=["net_collected_rate"])
    assert (told["net_collected_rate"].effects[0].gap, "gap" in repr(told)) == (None, False)
    assert "the mix says nothing." in " ".join(repr(told).split())


@pytest.mark.parametrize("cost", ["inf", "nan", "-inf"])
def test_a_cost_without_an_amount_is_refused(call, run, cost):
    """Nothing can be reckoned with it."""
    assert call("experiment", run.directory, "--cost", cost).code == 2
    with pytest.raises(QueryError, match="is no number: write one"):
        run.experiment(metrics="recovery_rate", cost=float(cost))


def test_a_return_cannot_be_told_without_the_truth(call, run):
    """It is what the change really brings; the command says so before it reads anything."""
    answer = call("experiment", run.directory, "--no-truth", "--cost", 1000)
    assert (answer.code, answer.out) == (2, "")
    assert "The return on a cost is told from the true effect." in answer.err
    with pytest.raises(QueryError, match="Leave out the cost, or keep the truth"):
        run.experiment(metrics="recovery_rate", truth=False, cost=1000.0)


def test_the_command_refuses_in_plain_words(call, run, tmp_path):
    """No experiment, no such share, a seed for a run."""
    plain = tmp_path / "plain.yaml"
    plain.write_text((SCENARIOS / "first_month.yaml").read_text().replace("members: 2000", "members: 20"))
    billing_sim.run(plain, out=tmp_path / "plain")
    answer = call("experiment", tmp_path / "plain")
    assert (answer.code, "This run has no experiments" in answer.err) == (2, True)
    assert "--effect: " in call("experiment", run.directory, "--effect", "much").err
    assert "only scenarios can be given others" in call("experiment", run.directory, "--seed", "3").err


def test_moments_of_the_design_are_those_of_the_scenario(run):
    """Readers know who is enrolled when from the log alone."""
    found = design_of(run.stored)
    assert (found.since, found.until) == (datetime(2025, 3, 1), datetime(2025, 6, 1))
    assert (found.arms, found.enrol, found.holdout) == (("hurried", "patient"), "first_failure", 0.0)
    assert dict(found.changes) == {"hurried": (), "patient": ("dunning",)}
