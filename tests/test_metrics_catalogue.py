"""The shipped catalogue: whole, honest about itself, and computed on a real run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import billing_sim
from billing_sim.metrics.catalogue import shipped, shipped_files
from billing_sim.metrics.definition import AXES, TIERS, VIEWS
from billing_sim.metrics.engine import compute
from billing_sim.metrics.expressions import problems
from billing_sim.metrics.result import Result
from billing_sim.metrics.source import RunFolder
from billing_sim.scenario import reader
from billing_sim.scenario.nodes import plain
from billing_sim.truth.estimands import estimands

FOLDER = Path(billing_sim.__file__).parent / "metrics"
EVERY = [pytest.param(it, id=it.id) for it in shipped()]
VARIANTS = [pytest.param(it, id=it.id) for it in shipped() if it.is_variant]


@pytest.fixture(scope="module")
def results(tiny_run: billing_sim.Run) -> dict[str, Result]:
    """Every metric of the catalogue on the tiny run."""
    return {result.id: result for result in compute(RunFolder(tiny_run.directory), shipped())}


@pytest.mark.parametrize("definition", EVERY)
def test_its_sql_fits_its_fact(definition):
    """Every expression binds to the columns of its fact, conditions are conditions and sums are whole numbers."""
    assert problems(definition) == []


@pytest.mark.parametrize("definition", EVERY)
def test_its_words_are_there(definition):
    """Question, formula, estimand and how it misleads: full sentences where sentences are meant."""
    assert definition.question.endswith("?")
    assert definition.misleads.endswith(".")
    assert "\n" not in definition.misleads
    assert len(definition.formula) > 10
    assert definition.estimand in estimands()


@pytest.mark.parametrize("definition", VARIANTS)
def test_a_variant_says_on_which_axis_and_how(definition):
    """A phrase that goes on after "but", a known axis, and a canonical metric beside it."""
    assert definition.differs[0].islower()
    assert not definition.differs.endswith(".")
    assert definition.axis
    assert set(definition.axis) <= set(AXES)
    assert not shipped()[definition.name].is_variant
    assert definition.view == shipped()[definition.name].view


@pytest.mark.parametrize("definition", EVERY)
def test_a_published_rule_has_a_page_and_a_day(definition):
    """A variant named after a vendor cites where the rule is published, and when that was read."""
    assert bool(definition.source) == (definition.retrieved is not None)
    if definition.id.partition("@")[2] in PRESETS:
        assert definition.source.startswith("https://")


PRESETS = {
    "baremetrics", "chargebee", "chartmogul", "chartmogul_daily", "chartmogul_standard", "churn_buster", "maxio",
    "netflix", "profitwell", "recurly", "stripe",
}  # fmt: skip


def test_the_published_churn_rates_are_there():
    """One name, nine published rules."""
    presets = {it.id.partition("@")[2] for it in shipped().variants("churn") if it.source}
    assert presets == PRESETS - {"chartmogul", "churn_buster"}


def test_every_estimand_is_used():
    """A name that nothing stands for is not part of the vocabulary."""
    assert {it.estimand for it in shipped()} == set(estimands())


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_short_and_leads_with_what_matters(view):
    """5 to 14 lines, 1 to 4 core ones first, most of them divided by something, and a number not to be crossed."""
    shown = shipped().shown_in(view)
    assert shipped().goals[view]
    assert 5 <= len(shown) <= 14
    assert 1 <= sum(it.tier == "core" for it in shown) <= 4
    assert sum(bool(it.denominator) for it in shown) >= 5
    assert any(it.bound is not None for it in shown)
    assert [it.tier for it in shown] == sorted((it.tier for it in shown), key=TIERS.index)


def test_ids_are_given_once():
    """Files may not define the same metric, and nothing in them is cut off."""
    written = [name for file in shipped_files() for name in _written(file)]
    assert [name for name, count in Counter(written).items() if count > 1] == []
    assert sorted(written) == sorted(it.id for it in shipped())


def _written(file: Path) -> list[str]:
    """The ids that a file defines."""
    content = plain(reader.parse(file.read_bytes(), file.name))
    return [
        name
        for metric in content["metrics"]
        for name in (metric["id"], *(f"{metric['id']}@{it['id']}" for it in metric.get("variants", [])))
    ]


def test_only_a_published_rule_may_repeat_another():
    """A preset that agrees with the canonical definition says so; any other variant computes something else."""
    seen: dict[str, str] = {}
    for it in sorted(shipped(), key=lambda it: bool(it.source)):
        twin = seen.setdefault(it.digest, it.id)
        assert twin == it.id or (it.source and twin.partition("@")[0] == it.name), (it.id, twin)


def test_the_gap_compares_what_the_core_metric_counts():
    """`worst_market_gap` repeats the definition of the rate that it compares, and must not drift from it."""
    gap, rate = shipped()["worst_market_gap"], shipped()["uninterrupted_renewal_rate"]
    for field in ("fact", "where", "exclude", "numerator", "denominator", "clock", "matures"):
        assert getattr(gap, field) == getattr(rate, field)


@pytest.mark.parametrize("definition", EVERY)
def test_it_is_computed_on_a_real_run(results, definition):
    """A number of its unit, or a reason why there is none."""
    result = results[definition.id]
    if result.value is None:
        assert result.reason
        return
    assert result.value >= 0
    if definition.unit == "share" and definition.id not in ABOVE_ONE:
        assert result.value <= 1
    assert result.denominator > 0


ABOVE_ONE = {"net_revenue_retention", "net_revenue_retention@with_reactivation", "recovery_rate@event_ratio"}
"""Shares that can exceed 100 %."""

UNDEFINED = {
    "worst_market_gap", "worst_market_gap@method", "worst_market_gap@with_small",
    "dispute_rate", "dispute_rate@visa_vamp", "dispute_rate@mastercard_ecm", "retry_cap_compliance@by_network",
}  # fmt: skip
"""One country, methods with fewer than 100 renewals, no charge 120 days old, and cards of unknown networks."""


NOTHING_OF_THE_KIND = {
    "blocked_then_paid", "blocked_then_paid@reviewed_and_approved", "first_attempt_authentication_loss@of_challenged",
    "change_failure_rate", "time_to_restore", "time_to_restore@affected_charges", "new_method_adoption",
    "pending_failure_rate", "pending_failure_rate@mandates", "pending_failure_rate@undecided_too", "review_wait_p90",
    "review_wait_p90@median", "review_wait_p90@mean",
    "top_bin_share_of_failures", "top_bin_share_of_failures@signup", "top_bin_share_of_failures@herfindahl",
    "new_method_adoption@of_signups", "new_method_adoption@of_all", "new_market_share", "new_market_share@paid",
    "trial_conversion", "trial_conversion@billed", "trial_conversion@as_of", "trial_conversion@of_uncancelled",
    "disputes_without_contact", "disputes_without_contact@without_fraud",
    *(it.id for it in shipped() if it.fact == "touches" or it.name.startswith(("campaign_", "crackdown_", "left_"))),
}  # fmt: skip
"""Nobody is screened or challenged there, nothing is released or launched, no BIN range is known, and there are no
trials and disputes."""

NOBODY_ASKED = ("nps_after_payment", "csat", "survey_response_rate", "notice_open_rate", "leavers_blaming_price",
                "offers_claimed")  # fmt: skip
"""There are no surveys, channels and offers there."""


def test_hardly_anything_is_undefined(results):
    """Two months of 200 members are enough for all metrics but the comparison of markets and what is switched off."""
    undefined = {
        it for it, result in results.items() if result.value is None and it.partition("@")[0] not in NOBODY_ASKED
    }
    assert undefined <= UNDEFINED | NOTHING_OF_THE_KIND | {it.id for it in shipped() if it.fact == "contacts"}


def test_published_churn_rates_keep_their_order(results):
    """More below the line, less churn; whoever came back within the month is no loss."""
    rate = {name: results[f"churn@{name}"].value for name in PRESETS if f"churn@{name}" in results}
    assert rate["chartmogul_standard"] <= rate["profitwell"] <= rate["baremetrics"]
    assert rate["stripe"] <= rate["baremetrics"]
    assert rate["profitwell"] == rate["chargebee"] == results["churn"].value
    assert rate["recurly"] == rate["baremetrics"]


def test_maturity_only_moves_units(results):
    """What is not final yet is left out or counted at once; it never disappears."""
    names = ("uninterrupted_renewal_rate", "payment_success_rate", "recovery_rate@count")
    for name in names:
        it = results[name]
        at_once = results["recovery_rate@to_date" if name.startswith("recovery") else f"{name}@as_of"]
        assert at_once.units == it.units + it.immature


def test_parts_of_the_leak_add_up(results):
    """What was given up is either uncollectible or void."""
    for name in ("collection_leakage", "leakage_share"):
        parts = [results[f"{name}@{part}"] for part in ("uncollected", "voided")]
        assert sum(part.numerator for part in parts) == results[name].numerator


def test_gross_retention_never_exceeds_net(results):
    """Nobody's rise makes up for another's loss, except in the least of the totals."""
    gross, net = results["gross_revenue_retention"], results["net_revenue_retention"]
    assert gross.denominator == net.denominator
    assert gross.numerator <= results["gross_revenue_retention@min_of_totals"].numerator <= net.numerator
    assert net.numerator <= results["net_revenue_retention@with_reactivation"].numerator


def test_competing_losses_are_not_recoveries(results):
    """Taking losses for censored, leaving out those who wait, and taking losses for recoveries all read higher."""
    value = {name: results[f"recovery_by_day@{name}"].value for name in ("kaplan_meier", "closed", "loss_as_recovery")}
    assert min(value.values()) >= results["recovery_by_day"].value
