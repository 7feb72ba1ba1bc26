"""How a story ends: where the person stands at the horizon, and what became of their invoices."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from billing_sim import events
from billing_sim.trace.context import Context, Row

_STANDING = {
    events.ACTIVE: "a member",
    events.PAST_DUE: "a member with a payment that is failing",
    events.ON_HOLD: "a member without access",
    events.CANCELING: "a member who has cancelled",
    events.IN_TRIAL: "a member in a free trial",
    events.PAUSED: "a member on a pause",
    events.VOLUNTARY: "no longer a member, by choice",
    events.PAYMENT_TROUBLE: "no longer a member, having cancelled while a payment was failing",
    events.NONPAYMENT: "no longer a member, because nobody paid",
    events.GAVE_UP: "not a member: the sign-up was given up",
    events.NEW: "signing up",
    events.RETURNING: "signing up again",
    events.BORROWER: "not a member",
}
_OPEN, _PAID, _VOID, _GIVEN_UP = "open", "paid", "voided", "given up"


@dataclass
class Ending:
    """The last state of a life, read off its public rows.

    `standing` is one of `events.REASONS` by number; `status` maps invoices to "open", "paid", "voided" or "given up";
    `failed` holds the invoices that failed at least once, `captured` those whose money came. `paid_minor` is what came,
    charged twice or wrongly included, less debits that came back; `given_back_minor` is what refunds and disputes took
    of it. A payment waits for a review since `reviewed_since` (microseconds UTC), or none does. Who undoes a
    cancellation is what they were `before_canceling`.
    """

    standing: int = events.ACTIVE
    status: dict[int, str] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    captured: set[int] = field(default_factory=set)
    paid_minor: int = 0
    given_back_minor: int = 0
    before_canceling: int = events.ACTIVE
    reviewed_since: int | None = None

    def count(self, status: str) -> int:
        """How many invoices ended in this status."""
        return sum(found == status for found in self.status.values())

    @property
    def recovered(self) -> int:
        """How many invoices failed first and are paid now."""
        return sum(self.status[invoice] == _PAID for invoice in self.failed)

    def to_json(self) -> dict[str, object]:
        """The ending as plain values."""
        names = {status: status.replace(" ", "_") for status in (_PAID, _VOID, _GIVEN_UP, _OPEN)}
        counts = {name: self.count(status) for status, name in names.items()}
        invoices = {"issued": len(self.status), **counts, "failed": len(self.failed), "recovered": self.recovered}
        money = {"paid_minor": self.paid_minor, "given_back_minor": self.given_back_minor}
        return {"standing": events.REASONS[self.standing], "invoices": invoices, **money}


def ending_of(rows: np.ndarray) -> Ending:
    """Fold a life's public rows into its ending."""
    ending = Ending()
    for row in rows:
        _stand(ending, row)
        _settle(ending, row)
        _pay(ending, row)
        _wait(ending, row)
    return ending


def _wait(ending: Ending, row: Row) -> None:
    kind = int(row["kind"])
    if kind == events.REVIEW_OPENED:
        ending.reviewed_since = int(row["occurred_at"])
    elif kind in (events.REVIEW_CLOSED, events.SUBSCRIPTION_CANCELED, events.SIGNUP_ABANDONED):
        ending.reviewed_since = None


def _stand(ending: Ending, row: Row) -> None:
    kind = int(row["kind"])
    if kind in _TELLING:
        ending.standing = int(row["reason"])
    elif kind == events.CAMPAIGN_EMAIL_LEFT and not row["spell"]:
        ending.standing = events.BORROWER
    elif kind == events.CANCEL_REQUESTED:
        ending.before_canceling, ending.standing = ending.standing, events.CANCELING
    elif kind == events.CONTACT_RESOLVED and row["reason"] == events.SAVED:
        if ending.standing == events.CANCELING:
            ending.standing = ending.before_canceling
    elif kind in (events.SUBSCRIPTION_CREATED, events.SUBSCRIPTION_RESTORED, events.SUBSCRIPTION_RESUMED):
        ending.standing = events.ACTIVE
    elif kind == events.TRIAL_STARTED:
        ending.standing = events.IN_TRIAL
    elif kind == events.TRIAL_ENDED and ending.standing == events.IN_TRIAL:
        ending.standing = events.ACTIVE
    elif kind == events.SUBSCRIPTION_PAUSED:
        ending.standing = events.PAUSED
    elif kind == events.SUBSCRIPTION_HELD:
        ending.standing = events.ON_HOLD
    elif kind == events.DUNNING_STARTED and ending.standing == events.ACTIVE:
        ending.standing = events.PAST_DUE
    elif kind == events.PAYMENT_CAPTURED and ending.standing == events.PAST_DUE:
        ending.standing = events.ACTIVE


def _settle(ending: Ending, row: Row) -> None:
    kind, invoice = int(row["kind"]), int(row["invoice"])
    if kind in (events.INVOICE_ISSUED, events.INVOICE_IMPORTED):
        ending.status[invoice] = _OPEN
    if kind in _FAILURES or (kind == events.ATTEMPT_RECONCILED and row["reason"] == events.RESOLVED_FAILED):
        ending.failed.add(invoice)
    if kind in _SETTLED:
        ending.status[invoice] = _SETTLED[kind]


def _pay(ending: Ending, row: Row) -> None:
    kind, invoice, amount = int(row["kind"]), int(row["invoice"]), int(row["amount_minor"])
    if kind in (events.PAYMENT_CAPTURED, events.PAYMENT_DUPLICATED):
        ending.captured.add(invoice)
        ending.paid_minor += amount
    elif kind == events.PAYMENT_RETURNED and invoice in ending.captured:
        # What was captured before the start was never counted.
        ending.paid_minor -= amount
    elif kind in (events.REFUND_ISSUED, events.DISPUTE_OPENED):
        ending.given_back_minor += amount
    elif kind == events.DISPUTE_WON:
        ending.given_back_minor -= amount


_TELLING = (
    events.SIGNUP_STARTED,
    events.SIGNUP_ABANDONED,
    events.SUBSCRIPTION_IMPORTED,
    events.SUBSCRIPTION_CANCELED,
)
_FAILURES = (events.ATTEMPT_DECLINED, events.PAYMENT_RETURNED, events.INVOICE_IMPORTED)
_SETTLED = {
    events.PAYMENT_CAPTURED: _PAID,
    events.PAYMENT_RETURNED: _OPEN,
    events.INVOICE_VOIDED: _VOID,
    events.INVOICE_UNCOLLECTIBLE: _GIVEN_UP,
}


def ending_words(ending: Ending, context: Context, day: str) -> str:
    """The ending in two sentences, and one more where a payment still waits for a review."""
    parts = [f"{ending.count(status)} {status}" for status in (_PAID, _VOID, _GIVEN_UP, _OPEN) if ending.count(status)]
    if ending.recovered and parts:
        parts[0] += f" ({ending.recovered} after a failure)"
    number = len(ending.status)
    invoices = f"{number} invoice{'' if number == 1 else 's'}"
    detail = f": {', '.join(parts)}" if parts else ""
    back = f", {context.money(ending.given_back_minor)} of it given back" if ending.given_back_minor else ""
    return (
        f"At the end of the run ({day}): {_STANDING[ending.standing]}. "
        f"{invoices}{detail}; {context.money(ending.paid_minor)} paid in all{back}.{_review_words(ending, context)}"
    )


def _review_words(ending: Ending, context: Context) -> str:
    if ending.reviewed_since is None:
        return ""
    return f" A payment has waited for a review since {context.local(ending.reviewed_since):%Y-%m-%d %H:%M}."
