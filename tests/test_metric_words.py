"""Numbers of metrics in words that people read."""

from __future__ import annotations

import pytest

from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.words import is_money


@pytest.mark.parametrize(
    ("expression", "money"),
    [
        ("fee_micros", True),
        ("amount_micros - refunded_micros", True),
        ("CASE WHEN status = 'paid' THEN booked_micros - refunded_micros ELSE 0 END", True),
        ("CASE WHEN status = 'paid' THEN booked_micros END", True),
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
