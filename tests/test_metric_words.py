"""Numbers of metrics in words that people read."""

from __future__ import annotations

import pytest

from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.result import Figure, Result
from billing_sim.metrics.words import bound, half, is_money, parts, signed, value


@pytest.mark.parametrize(
    ("expression", "money"),
    [
        ("fee_micros", True),
        ("amount_micros - refunded_micros", True),
        ("CASE WHEN status = 'paid' THEN booked_micros - refunded_micros ELSE 0 END", True),
        ("CASE WHEN status = 'paid' THEN booked_micros END", True),
        ("greatest(mrr_start_micros, mrr_end_micros) * member_seconds // 2629800", True),
        ("CASE WHEN paused THEN list_mrr_end_micros - discount_micros ELSE mrr_end_micros END", True),
        ("CASE WHEN active THEN mrr_start_constant ELSE 0 END - mrr_end_constant", True),
        ("amount_micros > 0", False),
        ("CASE WHEN fee_micros > 0 THEN 1 ELSE 0 END", False),
        ("1", False),
    ],
)
def test_what_adds_up_money_is_told_in_units_of_it(expression: str, money: bool):
    """A sum of millionths is an amount; what only compares them is a count."""
    assert is_money(expression) == money


def test_both_sides_of_what_collecting_costs_are_money():
    """Its denominator once read a million times too large."""
    it = shipped()["cost_per_collected"]
    assert is_money(it.numerator)
    assert is_money(it.denominator)


def test_money_is_money_on_both_sides_of_every_share():
    """The numerators of expansion and contraction once read 13.29B of 514,890."""
    for it in shipped():
        if it.unit == "share" and it.denominator and not it.sql:
            assert is_money(it.numerator) == is_money(it.denominator), it.id


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [
        (0, "0 ms"), (9_999, "9,999 ms"), (42_991, "43.0 s"), (599_000, "599.0 s"), (1_025_507, "17.1 min"),
        (7_200_000, "2.0 hours"), (42_991_600, "11.9 hours"), (1_025_507_300, "11.9 days"),
    ],
)  # fmt: skip
def test_times_are_told_in_the_unit_that_people_would_use(milliseconds: int, told: str):
    """A wait of days once read 1025507.3 s."""
    assert value(shipped()["time_to_resolution_p90"], Figure(milliseconds, 0, 1, 0)) == told


def test_a_difference_and_half_an_interval_follow():
    """A change in its own size's unit, an interval in that of the value beside it."""
    it = shipped()["time_to_resolution_p90"]
    assert signed(it, 42_991_600) == "+11.9 h"
    assert signed(it, -300) == "-300 ms"
    assert half(it, 3_600_000, 172_800_000) == "0.042 d"
    assert half(it, 3_600_000, 7_200_000) == "1.0 h"


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        ("backlog_age_p90", "3 days"), ("recording_delay_p99", "24 hours"), ("contact_abandonment", "10 %"),
        ("worst_market_gap", "10 pp"),
    ],
)  # fmt: skip
def test_a_bound_is_told_in_its_unit(metric: str, told: str):
    """Three days once read 2.592e+08."""
    assert bound(Result(None, 0, 0, 0, definition=shipped()[metric])) == told


@pytest.mark.parametrize(
    ("metric", "sums", "told"),
    [
        ("unauthorised_charges", (3000, 51_693), "3,000 / 51,693"),
        ("csat", (92_170_000, 100_000_000), "92.17 / 100.00"),
        ("lifetime_value", (136_763_000_000, 1000), "136,763 / 1,000"),
        ("net_revenue_retention", (180_618_000_000, 166_558_000_000), "180,618 / 166,558"),
        ("days_sales_outstanding", (206_839_000_000, 819_803_000_000), "206,839 / 819,803"),
        ("monthly_recurring_revenue@baremetrics", (218_951_000_000, 1), "218,951"),
    ],
)
def test_what_a_query_sums_is_told_in_whole_units(metric: str, sums: tuple[int, int], told: str):
    """A column that is only compared is no money, and members below money are none either."""
    it = shipped()[metric]
    assert parts(Result(None, *sums, 0, definition=it), Figure(None, *sums, 0)) == told
