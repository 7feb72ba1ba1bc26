"""Disputes of a month over the payments of this month or the one before: whole months, and charges of one kind."""

from __future__ import annotations

import pytest

from tests.facts_builder import attempt, invoice
from tests.test_part_months import by_month

CHARGED = ("2025-01-20", "2025-02-05", "2025-02-06", "2025-03-05")
DISPUTED = ("2025-02-20", "2025-03-20", "2025-04-01")


@pytest.mark.parametrize("groups", [(1, 1), (1, 2)], ids=["same people", "others"])
@pytest.mark.parametrize("metric", ["dispute_rate@previous_month", "dispute_rate@mastercard_ecm"])
def test_disputes_are_over_the_payments_of_a_whole_month(tmp_path, metric, groups):
    """February has half a month before it, so March is the first; who disputes then need not have paid in February."""
    card = {"network": "mastercard", "group": groups[0]}
    found = by_month(
        tmp_path, metric,
        invoices=[invoice(day, 10, group=groups[0]) for day in CHARGED],
        attempts=[attempt(day, outcome="authorized", **card) for day in CHARGED],
        disputes=[
            {"opened_at": day, "network": "mastercard", "reason": "fraud", "group": groups[1]} for day in DISPUTED
        ],
    )  # fmt: skip
    assert found == {"2025-03": (1, 2)}


@pytest.mark.parametrize("clock", ["same_month", "previous_month", "with_reports"])
def test_a_dispute_of_a_duplicate_is_none_of_a_charge(tmp_path, clock):
    """Its charge is no invoice, so it is in neither part of the ratio, whichever month it is over."""
    found = by_month(
        tmp_path, f"dispute_rate@{clock}",
        invoices=[invoice("2025-02-05", 10), invoice("2025-03-05", 10)],
        disputes=[{"opened_at": "2025-03-20", "reason": reason} for reason in ("fraud", "duplicate", "unauthorised")],
    )  # fmt: skip
    assert found["2025-03"] == (1, 1)
