"""Money is counted: what is written is what is meant, to the minor unit, and parts add up to the whole."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_sim.money import AMOUNT_LIMIT, EXPONENTS, Price, format_minor, parse_price, split, to_minor

CURRENCIES = st.sampled_from(sorted(EXPONENTS))
AMOUNTS = st.integers(-AMOUNT_LIMIT, AMOUNT_LIMIT)
WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any)


@given(AMOUNTS, CURRENCIES)
def test_what_is_written_reads_back(amount, currency):
    """An amount, written as people write it, is the same amount again; either order of number and code will do."""
    number, code = format_minor(amount, currency).replace(",", "").split()
    assert parse_price(f"{number} {code}") == parse_price(f"{code} {number}") == Price(amount, currency)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("9.99 USD", 999),
        ("JPY 980", 980),
        ("1.999 KWD", 1999),
        ("0 EUR", 0),
        ("-0.01 EUR", -1),
        ("1e3 USD", 100_000),
        ("1000000000000000 JPY", AMOUNT_LIMIT),
    ],
)
def test_exponents_are_those_of_iso_4217(text, amount):
    """Two decimals for most, none for yen, three for dinars."""
    assert parse_price(text).amount_minor == amount


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("9.99", "not an amount with its currency"),
        ("9.99 USD now", "not an amount with its currency"),
        ("9.99 XXX", "not a currency"),
        ("9.99 usd", "not a currency"),
        ("nine USD", "not a number"),
        ("NaN USD", "not a finite number"),
        ("Infinity USD", "not a finite number"),
        ("9.999 USD", "not a whole number of minor units"),
        ("9.5 JPY", "not a whole number of minor units"),
        ("1000000000000001 JPY", "beyond"),
    ],
)
def test_what_is_no_price_is_refused_in_words(text, complaint):
    """Each refusal says what is wrong."""
    with pytest.raises(ValueError, match=complaint):
        parse_price(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4), CURRENCIES)
def test_nothing_is_ever_rounded_into_minor_units(amount, currency):
    """An amount either is a whole number of minor units, and that one, or it is refused."""
    exact = amount * 10 ** EXPONENTS[currency]
    if exact == int(exact):
        assert to_minor(amount, currency) == int(exact)
    else:
        with pytest.raises(ValueError, match="whole number"):
            to_minor(amount, currency)


def test_thousands_and_signs_are_where_people_expect_them():
    """Groups of three, the sign in front, no decimals where a currency has none."""
    assert format_minor(123456789, "USD") == "1,234,567.89 USD"
    assert format_minor(-5, "USD") == "-0.05 USD"
    assert format_minor(1234567, "JPY") == "1,234,567 JPY"
    assert format_minor(-1999, "KWD") == "-1.999 KWD"


@given(AMOUNTS, WEIGHTS)
def test_parts_add_up_to_the_whole(total, weights):
    """Whatever is shared, nothing is lost and nothing made up."""
    assert sum(split(total, weights)) == total


@given(st.integers(0, AMOUNT_LIMIT), WEIGHTS)
def test_parts_lie_within_one_unit_of_their_share(total, weights):
    """Each part is its exact share rounded down or up; a weight of nothing gets nothing."""
    for part, weight in zip(split(total, weights), weights, strict=True):
        assert abs(Decimal(part) * sum(weights) - Decimal(total) * weight) < sum(weights)
        assert weight or part == 0


def test_equal_shares_differ_by_one_unit_and_earlier_ones_are_larger():
    """Ten dollars among three: 3.34, 3.33, 3.33."""
    assert split(1000, [1, 1, 1]) == [334, 333, 333]
    assert split(-1000, [1, 1, 1]) == [-333, -333, -334]


@pytest.mark.parametrize("weights", [[0, 0], [2, -1], [-1, -1]])
def test_weights_that_mean_nothing_are_refused(weights):
    """None at all, or less than nothing."""
    with pytest.raises(ValueError, match="weights"):
        split(1000, weights)
