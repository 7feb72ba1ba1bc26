"""Errors from leaving out groups: the textbook's where units are independent, larger where they hang together."""

from __future__ import annotations

import math
import random
import statistics
from pathlib import Path

import numpy as np
import pytest

from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import compute
from billing_sim.metrics.jackknife import half_width, standard_error
from billing_sim.metrics.result import Result
from tests.facts_builder import USD, Row, build, failed, invoice

GROUPS = 64
PAID_SHARE = shipped()["payment_success_rate"]
COLLECTED = shipped()["collected"]
MEMBER_START = "2025-01-01"


def one(path: Path, metric: Definition, **facts: list[Row]) -> Result:
    """The result of one metric on these rows."""
    (result,) = compute(build(path, **facts), [metric])
    return result


def outcome(is_paid: bool, group: int) -> Row:
    """A renewal that was paid, or was not."""
    return (invoice if is_paid else failed)("2025-02-01", 10, group=group)


def naive_error(values: list[float]) -> float:
    """The formula of the delete-a-group jackknife."""
    mean = statistics.fmean(values)
    return math.sqrt((len(values) - 1) / len(values) * sum((value - mean) ** 2 for value in values))


def test_a_share_of_independent_units_has_the_textbooks_error(tmp_path):
    """With 6,400 independent units the error is near the root of p q / n."""
    luck = random.Random(1)
    rows = [outcome(luck.random() < 0.8, luck.randrange(GROUPS)) for _ in range(6400)]
    result = one(tmp_path, PAID_SHARE, invoices=rows)
    textbook = math.sqrt(result.value * (1 - result.value) / len(rows))
    assert result.standard_error == pytest.approx(textbook, rel=0.2)


def test_a_share_of_equal_groups_has_the_error_of_their_means(tmp_path):
    """With groups of one size it is exactly the deviation of the groups' rates by the root of their number."""
    rows = [outcome(number < group % 11, group) for group in range(GROUPS) for number in range(10)]
    rates = [min(group % 11, 10) / 10 for group in range(GROUPS)]
    result = one(tmp_path, PAID_SHARE, invoices=rows)
    assert result.value == pytest.approx(statistics.fmean(rates))
    assert result.standard_error == pytest.approx(statistics.stdev(rates) / math.sqrt(GROUPS), rel=1e-12)


def test_units_that_hang_together_count_as_one(tmp_path):
    """When all 25 renewals of a person have one outcome, the error is five times that of independent renewals."""
    luck = random.Random(2)
    fates = [luck.random() < 0.7 for _ in range(GROUPS)]
    alike = one(tmp_path / "alike", PAID_SHARE, invoices=[outcome(fates[i % GROUPS], i % GROUPS) for i in range(1600)])
    single = one(tmp_path / "single", PAID_SHARE, invoices=[outcome(fates[i], i) for i in range(GROUPS)])
    assert alike.standard_error == pytest.approx(single.standard_error, rel=1e-12)
    independent = math.sqrt(alike.value * (1 - alike.value) / 1600)
    assert alike.standard_error == pytest.approx(5 * independent, rel=0.02)


def test_a_total_in_which_every_member_pays_the_same_has_no_error(tmp_path):
    """How the members fell into groups is no luck of the business: 100 members who pay 10 each pay 1,000."""
    luck = random.Random(3)
    groups = [luck.randrange(GROUPS) for _ in range(100)]
    members = [{"started_by": "imported", "started_at": MEMBER_START, "group": group} for group in groups]
    paid = [invoice("2025-02-01", 10, group=group) for group in groups]
    fixed = one(tmp_path / "fixed", COLLECTED, invoices=paid, subscriptions=members)
    assert (fixed.value, fixed.standard_error) == (1000, pytest.approx(0, abs=1e-9))
    loose = one(tmp_path / "loose", COLLECTED, invoices=paid)
    assert loose.standard_error > 50


def test_a_total_of_independent_payments_has_the_textbooks_error(tmp_path):
    """Each of 6,400 members pays 10 or nothing: the error is near 10 times the root of n p q."""
    luck = random.Random(4)
    groups = [i % GROUPS for i in range(6400)]
    members = [{"started_by": "imported", "started_at": MEMBER_START, "group": group} for group in groups]
    paid = [invoice("2025-02-01", 10, group=group) for group in groups if luck.random() < 0.5]
    result = one(tmp_path, COLLECTED, invoices=paid, subscriptions=members)
    assert result.standard_error == pytest.approx(10 * math.sqrt(6400 * 0.25), rel=0.25)


@pytest.mark.parametrize("metric", ["payment_success_rate", "collected", "net_collected_rate"])
def test_the_error_is_that_of_the_formula(tmp_path, metric):
    """From the 64 replicates, each of which is the metric of the facts without that group."""
    luck = random.Random(5)
    rows = []
    for _ in range(640):
        hours = luck.choice([None, 24, 48, 100, 200, 300])
        rows.append(failed("2025-02-01", luck.randrange(1, 50), paid_after=hours, group=luck.randrange(6)))
    members = [{"started_by": "imported", "started_at": MEMBER_START, "group": i % GROUPS} for i in range(640)]
    whole = one(tmp_path / "all", shipped()[metric], invoices=rows, subscriptions=members)
    values = []
    for group in range(6):
        kept = [row for row in rows if row["group"] != group]
        values.append(one(tmp_path / str(group), shipped()[metric], invoices=kept).value)
    values += [whole.value] * (GROUPS - 6)
    values = [value * 64 / 63 if metric == "collected" else value for value in values]
    assert whole.replicates == pytest.approx(values, rel=1e-12)
    assert whole.standard_error == pytest.approx(naive_error(values), rel=1e-9)
    half = half_width(whole.standard_error, 6)
    if metric == "collected":
        assert (whole.low, whole.high) == pytest.approx((max(whole.value - half, 0), whole.value + half))
    else:
        assert 0 < whole.low < whole.value < whole.high < 1
        assert whole.high - whole.low == pytest.approx(2 * half, rel=0.1)


def test_replicates_that_are_not_there_give_no_error():
    """One replicate that cannot be computed leaves the error unknown."""
    replicates = np.full(GROUPS, 0.5)
    assert standard_error(replicates) == 0
    replicates[3] = np.nan
    assert standard_error(replicates) is None


@pytest.mark.parametrize(
    ("groups", "student"), [(2, 12.706), (3, 4.303), (11, 2.228), (31, 2.042), (61, 2.000), (64, 1.998)]
)
def test_the_interval_uses_students_t_with_one_degree_less_than_groups(groups, student):
    """Points of a printed table."""
    assert half_width(1.0, groups) == student


def test_units_in_one_group_give_no_interval(tmp_path):
    """With all units in one group nothing can be left out; with two groups there is an interval, a wide one."""
    rows = [outcome(number < 3, 7) for number in range(5)]
    lone = one(tmp_path / "lone", PAID_SHARE, invoices=rows)
    assert (lone.value, lone.standard_error, lone.low, lone.high, lone.replicates) == (0.6, None, None, None, None)
    pair = one(tmp_path / "pair", PAID_SHARE, invoices=[*rows, outcome(True, 8), outcome(False, 8)])
    assert pair.standard_error is not None
    assert 0 < pair.low < 0.1 < 0.9 < pair.high < 1


@pytest.mark.parametrize(
    ("paid", "units", "low", "high"), [(20, 20, 0.8389, 1.0), (0, 20, 0.0, 0.1611), (10, 20, 0.2993, 0.7007)]
)
def test_a_share_stays_between_0_and_1(tmp_path, paid, units, low, high):
    """Wilson's interval, here with Student's t of 19 degrees: all of 20 are no proof that it is always so."""
    rows = [outcome(number < paid, number) for number in range(units)]
    result = one(tmp_path, PAID_SHARE, invoices=rows)
    if 0 < paid < units:
        assert low - 0.02 < result.low < low + 0.02
        assert high - 0.02 < result.high < high + 0.02
    else:
        assert (result.low, result.high) == pytest.approx((low, high), abs=0.02)


def test_months_and_markets_have_their_own_intervals(tmp_path):
    """A slice is judged by its own units: BR's lie in one group, so only US has an interval."""
    rows = [outcome(group % 2 == 0, group) for group in range(10)]
    rows += [{"market": "BR"} | outcome(True, 5) for _ in range(4)]
    (result,) = compute(build(tmp_path, invoices=rows), [PAID_SHARE], by=["market"])
    assert {part.dims["market"]: part.standard_error is None for part in result.slices} == {"BR": True, "US": False}


def test_a_money_ratio_is_in_whole_units(tmp_path):
    """Errors are in the unit of the value: dollars, not millionths of them."""
    rows = [invoice("2025-02-01", 10 + group % 2, group=group) for group in range(GROUPS)]
    members = [{"started_by": "imported", "started_at": MEMBER_START, "group": group} for group in range(GROUPS)]
    result = one(tmp_path, COLLECTED, invoices=rows, subscriptions=members)
    assert result.numerator == 672 * USD
    assert result.standard_error == pytest.approx(64 * statistics.stdev([10, 11] * 32) / 8, rel=1e-9)


def test_the_interval_of_a_quantile_is_that_of_the_share_below_it(tmp_path):
    """Half of 6,400 failures are paid within 100 hours: the ends are where 50 % give or take 1.25 points lie."""
    luck = random.Random(6)
    rows = [failed("2025-02-01", 10, paid_after=luck.randrange(1, 200), group=i % GROUPS) for i in range(6400)]
    result = one(tmp_path, shipped()["time_to_recover_p50"], invoices=rows)
    half = half_width(math.sqrt(0.25 / 6400), GROUPS)
    assert result.low == pytest.approx(200 * (0.5 - half), abs=2)
    assert result.high == pytest.approx(200 * (0.5 + half), abs=2)
    assert result.replicates is None


def test_a_quantile_near_those_who_never_get_there_has_no_upper_end(tmp_path):
    """51 of 100 are paid: the median is known, and that it might as well be never is not hidden."""
    rows = [failed("2025-02-01", 10, paid_after=10 + i if i < 51 else None, group=i % GROUPS) for i in range(100)]
    result = one(tmp_path, shipped()["time_to_recover_p50"], invoices=rows)
    assert (result.value, result.high, result.standard_error) == (59, None, None)
    assert 45 < result.low < 59
