"""Sentences about money that goes back."""

from __future__ import annotations

from collections.abc import Callable

from billing_sim import events
from billing_sim.trace.context import Context, Row

_REFUNDED = {
    events.COMPLAINT: "after a complaint",
    events.GOODWILL: "as goodwill",
    events.DUPLICATE: "since it had been charged twice",
    events.UNAUTHORISED: "since it had been charged after the end",
    events.TRUE_FRAUD: "since somebody else had paid with the method",
    events.SERVICE: "for the service",
}
_DISPUTED = {
    events.TRUE_FRAUD: "as fraud",
    events.SERVICE: "for the service",
    events.DUPLICATE: "as charged twice",
    events.UNAUTHORISED: "as charged after the end",
}


def _duplicated(row: Row, context: Context) -> str:
    when = "after the subscription had ended" if row["reason"] == events.UNAUTHORISED else "a second time"
    return f"By mistake {context.money(row['amount_minor'])} was charged for invoice {row['invoice']} {when}."


def _refunded(row: Row, context: Context) -> str:
    return f"{context.money(row['amount_minor'])} of invoice {row['invoice']} went back {_REFUNDED[row['reason']]}."


def _opened(row: Row, context: Context) -> str:
    taken, how = context.money(row["amount_minor"]), _DISPUTED[row["reason"]]
    return f"The payer's bank took {taken} of invoice {row['invoice']} back: disputed {how}."


def _represented(row: Row, _context: Context) -> str:
    return f"The service contested the dispute of invoice {row['invoice']}."


def _won(row: Row, context: Context) -> str:
    return f"The dispute of invoice {row['invoice']} was won: {context.money(row['amount_minor'])} came back."


def _lost(row: Row, context: Context) -> str:
    return f"The dispute of invoice {row['invoice']} was lost: {context.money(row['amount_minor'])} is gone."


def _reported(row: Row, _context: Context) -> str:
    return f"The payer's bank reported the charge of invoice {row['invoice']} to its network as fraud."


def _explained(row: Row) -> str:
    who = "somebody else made the disputed charge" if row["fraud"] else "the member made the disputed charge"
    return f"In truth: {who}."


def says_it_all(row: Row, truth: Row) -> bool:
    """Whether the row of a dispute leaves nothing to tell: a charge that was never owed was made by us."""
    return truth["kind"] == events.DISPUTE_EXPLAINED and row["reason"] in (events.DUPLICATE, events.UNAUTHORISED)


REFUND_SENTENCES: dict[int, Callable[[Row, Context], str]] = {
    events.PAYMENT_DUPLICATED: _duplicated,
    events.REFUND_ISSUED: _refunded,
    events.DISPUTE_OPENED: _opened,
    events.DISPUTE_REPRESENTED: _represented,
    events.DISPUTE_WON: _won,
    events.DISPUTE_LOST: _lost,
    events.FRAUD_REPORTED: _reported,
}
REFUND_TRUTHS: dict[int, Callable[[Row], str]] = {events.DISPUTE_EXPLAINED: _explained}
