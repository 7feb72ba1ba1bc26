"""Rows of one life, written by hand: what a sentence, a condensed line or an ending is made of."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from billing_sim import clock, events
from billing_sim.trace.context import Context

SCENARIOS = Path(__file__).parents[1] / "scenarios"

_SWITCHED = """
account_updater: off
network_rules: {never_retry: []}
dunning_policies:
  stubborn: {retries: [1 day, 3 days, 7 days, 14 days], notices: [20 days], grace: 25 days, end: 30 days}
dunning: [{use: stubborn}]
timeline:
  - {kind: account_updater, at: 2025-01-08 00:00, switched: on}
"""


def switched_scenario() -> str:
    """Two months in which every decline is retried and the account updater works from the second week on."""
    return (SCENARIOS / "first_month.yaml").read_text().replace("name: first_month", "name: switched") + _SWITCHED


CONTEXT = Context(
    market="United States",
    currency="USD",
    zone=clock.zone("America/New_York"),
    plans=("Standard", "Premium"),
    gateways=("northpay", "harborpay"),
    policies=("patient", "generic"),
    backups=frozenset({9}),
    coupons=("none", "half"),
    campaigns=("none", "amnesty"),
    bins=("none", "northbank"),
    arms=("none", "patience/hurried", "patience/patient"),
)


def instant(text: str) -> int:
    """Microseconds UTC of "2025-03-13 12:14"."""
    return clock.micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


def day(text: str) -> int:
    """The day number of an ISO date."""
    return clock.day_number(date.fromisoformat(text))


def row(kind: int, at: str = "2025-01-10 12:00", **values: Any) -> np.ndarray:
    """One public row; dates may be ISO texts."""
    return _fill(np.zeros(1, events.ROW), kind, at, values)[0]


def truth(kind: int, at: str = "2025-01-10 12:00", *, sequence: int = -1, **values: Any) -> np.ndarray:
    """One sealed row; it stands alone unless it names a sequence."""
    return _fill(np.zeros(1, events.TRUTH_ROW), kind, at, {"sequence": sequence, **values})[0]


def life(*rows: np.ndarray) -> np.ndarray:
    """Rows in their order, numbered from 0."""
    whole = np.array(list(rows), events.ROW)
    whole["sequence"] = np.arange(len(rows))
    return whole


def truths(*rows: np.ndarray) -> np.ndarray:
    """Sealed rows in their order."""
    return np.array(list(rows), events.TRUTH_ROW)


def renewal(at: str, invoice: int, amount_minor: int = 1799, kind: int = events.CREDIT) -> list[np.ndarray]:
    """The three rows of a renewal without trouble."""
    return [
        row(events.INVOICE_ISSUED, at, invoice=invoice, amount_minor=amount_minor),
        attempt(events.ATTEMPT_AUTHORIZED, at, invoice=invoice, method_kind=kind),
        row(events.PAYMENT_CAPTURED, at, invoice=invoice, attempt=1, amount_minor=amount_minor),
    ]


def attempt(kind: int, at: str = "2025-01-10 12:00", **values: Any) -> np.ndarray:
    """An attempt that the service makes with a credit card, unless told otherwise."""
    return row(kind, at, **{"attempt": 1, "initiator": events.MIT, "method_kind": events.CREDIT, **values})


def _fill(rows: np.ndarray, kind: int, at: str, values: dict[str, Any]) -> np.ndarray:
    rows["kind"], rows["occurred_at"] = kind, instant(at)
    for name, value in values.items():
        rows[name] = day(value) if isinstance(value, str) else value
    return rows
