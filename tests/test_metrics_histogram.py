"""Quantiles come from buckets that never depend on the data."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_sim.metrics.histogram import bucket_of, merged, middle_of, quantile
from billing_sim.metrics.measures import Measure
from billing_sim.metrics.shapes import counts


@given(st.integers(0, 1 << 62))
def test_the_middle_of_a_bucket_is_close_to_its_values(value):
    """Within 0.4 %, and exact below 256."""
    middle = middle_of(bucket_of(value))
    assert middle == value if value < 256 else abs(middle - value) <= 0.004 * value


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 40))
def test_buckets_keep_the_order(one, other):
    """A larger value is never in a lower bucket."""
    assert (bucket_of(one) <= bucket_of(other)) or one > other


@pytest.mark.parametrize("bucket", [0, 127, 128, 255, 256, 383, 384, 5000])
def test_every_bucket_holds_its_own_middle(bucket):
    """The edges of doublings are where such tables go wrong."""
    assert bucket_of(int(middle_of(bucket))) == bucket


@given(st.lists(st.integers(0, 10_000), min_size=1), st.integers(0, 10))
def test_counts_merge_over_any_split(values, cut):
    """Two halves together are the whole."""
    halves = [Counter(map(bucket_of, values[:cut])), Counter(map(bucket_of, values[cut:]))]
    assert merged(halves) == Counter(map(bucket_of, values))


@pytest.mark.parametrize(
    ("q", "found"),
    [("0.25", (10, 1)), ("0.26", (20, 2)), ("0.5", (20, 2)), ("0.75", (30, 3)), ("0.76", None), ("0.99", None)],
)
def test_units_that_never_got_there_lie_above_all(q, found):
    """Values 10, 20 and 30 and one that never came: a quarter has 10, three quarters 30, and 99 % have nothing."""
    assert quantile({10: 1, 20: 1, 30: 1}, 4, Decimal(q)) == found


def test_sql_finds_the_same_buckets():
    """Around every power of two, and below zero, the statement that counts values agrees with `bucket_of`."""
    powers = [1 << bits for bits in range(62)]
    values = sorted({-5, 0, *(power + beside for power in powers for beside in (-1, 0, 1, power // 2))})
    with duckdb.connect() as connection:
        connection.execute('CREATE TABLE attempts (latency BIGINT, "group" UTINYINT)')
        connection.executemany("INSERT INTO attempts VALUES (?, 0)", [(value,) for value in values])
        statement = counts(Measure("attempts", "", (), "latency", form="histogram"), ())
        found = {bucket: count for _, bucket, count in connection.execute(statement).fetchall()}
    assert found == Counter(map(bucket_of, values))
