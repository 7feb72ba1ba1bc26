"""A run that begins amid a month: what a whole month takes over from the part of one before it."""

from __future__ import annotations

from pathlib import Path

from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.engine import compute
from tests.facts_builder import USD, HandMade, Row, build, invoice, member_month

START, END = "2025-01-15", "2025-04-01"
DAYS = {"2025-01-01": 17, "2025-02-01": 28, "2025-03-01": 31}
MONTHS = [member_month(month, start=10, end=10, member_seconds=86_400 * days) for month, days in DAYS.items()]


def by_month(folder: Path, metric: str, **facts: list[Row]) -> dict[str, tuple[int, int]]:
    """Numerator and denominator of every month, in a run of which January is a part only."""
    made = build(folder, subscription_months=MONTHS, **facts)
    (found,) = compute(HandMade(made.path, START, END), [shipped()[metric]], by=("month",))
    return {part.dims["month"]: (part.numerator, part.denominator) for part in found.slices}


LATE = [
    invoice("2025-01-20", 100, paid_at="2025-03-10"),
    invoice("2025-02-05", 200, status="open"),
    invoice("2025-03-05", 400),
]


def test_what_was_billed_before_the_first_whole_month_is_open_in_it(tmp_path):
    """At the end of February the invoice of January is unpaid too; its payment in March takes nothing else away."""
    found = by_month(tmp_path, "days_sales_outstanding", invoices=LATE)
    assert found == {"2025-02": (28 * 300 * USD, 200 * USD), "2025-03": (31 * 200 * USD, 400 * USD)}


def test_the_first_whole_month_begins_with_what_was_open(tmp_path):
    """On the first of February 100 were open, on the last day 300."""
    found = by_month(tmp_path, "days_sales_outstanding@average_receivables", invoices=LATE)
    assert found == {"2025-02": (28 * 200 * USD, 200 * USD), "2025-03": (31 * 250 * USD, 400 * USD)}
