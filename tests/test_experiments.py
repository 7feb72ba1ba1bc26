"""Reading experiments: arms, differences, what can be told and when, and the true effect beside them."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import numpy as np
import pytest

import billing_sim
from billing_sim.errors import QueryError
from billing_sim.experiments import ratio_check
from billing_sim.experiments.contrast import comparable
from billing_sim.experiments.design import Design, design_of, designs
from billing_sim.experiments.power import Enrolment, power
from billing_sim.experiments.sample import facts_of, sample_of
from billing_sim.experiments.splits import distance_from_uniform, p_values, uniform_bound
from billing_sim.identity import world_of
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.frame import frame
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


def design(until: datetime | None = None) -> Design:
    """A fair test since March."""
    shares = {"a": 0.5, "b": 0.5}
    return Design("t", "", "renewal", shares, {"a": (), "b": ()}, 0.0, (), datetime(2025, 3, 1), until)


def test_the_day_of_decision_follows_from_enrolment_and_maturity():
    """With an error of 2 points by 400 mature people, 5 points need 519: the 52nd day and 30 days of waiting."""
    seen = Enrolment(datetime(2025, 3, 1), 1000, 400, 10.0, timedelta(days=30))
    found = power(0.02, 0.05, seen, design())
    assert found.detectable == pytest.approx(0.02 * (1.99834 + 0.84754), rel=1e-4)
    assert found.needed == 519
    assert found.decided_on == date(2025, 5, 21)
    assert power(0.02, 0.05, seen, design(until=datetime(2025, 4, 1))).decided_on is None
    assert power(None, 0.05, seen, design()).detectable is None
    assert power(0.02, 0.0001, seen, design()).decided_on is None


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
