"""Renewals without trouble: there are many, nothing happens in them, and one line is enough for all in a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from billing_sim import events
from billing_sim.trace.context import Context, method_words

_QUIET = [events.INVOICE_ISSUED, events.ATTEMPT_AUTHORIZED, events.PAYMENT_CAPTURED]


@dataclass(frozen=True)
class Renewal:
    """A renewal that was issued, authorized at the first try and captured: when it was issued, how much, by what."""

    at: int
    amount_minor: int
    method: str


def quiet_renewals(rows: np.ndarray) -> dict[int, Renewal]:
    """Renewals of a life's public rows that went without trouble then and later, by invoice."""
    places: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        # The end of a subscription names the last invoice, paid or not.
        if row["invoice"] and row["kind"] != events.SUBSCRIPTION_CANCELED:
            places.setdefault(int(row["invoice"]), []).append(place)
    return {invoice: _renewal(rows, held) for invoice, held in places.items() if _is_quiet(rows, held)}


def _is_quiet(rows: np.ndarray, places: list[int]) -> bool:
    """Whether an invoice has these three rows, one after the other, and the service tried."""
    if rows["kind"][places].tolist() != _QUIET or places[-1] - places[0] != 2:
        return False
    return bool(rows["initiator"][places[1]] == events.MIT)


def _renewal(rows: np.ndarray, places: list[int]) -> Renewal:
    issued, authorized = rows[places[0]], rows[places[1]]
    return Renewal(int(issued["occurred_at"]), int(issued["amount_minor"]), method_words(authorized))


def renewal_words(renewals: list[Renewal], context: Context) -> str:
    """One line for renewals in a row, all of the same amount and method."""
    first, last, number = renewals[0], renewals[-1], len(renewals)
    amount = context.money(first.amount_minor)
    if number == 1:
        return f"Renewed without trouble ({amount}, {first.method})."
    dates = f"{context.local(first.at):%Y-%m-%d} to {context.local(last.at):%Y-%m-%d}"
    return f"Renewed {number} times without trouble, {dates} ({amount} each, {first.method})."
