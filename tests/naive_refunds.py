"""Refunds, disputes and fees the slow way (see `naive_facts`): what each row of a life says about one invoice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
Worth = Callable[[int], int]
SURPLUS = ("duplicate", "unauthorised")
COLLECTING = ("payment_attempt.", "payment.", "dispute.")
"""What costs something about an invoice because of its money; a contact about it is a cost of the desk."""
OUTCOMES = {"dispute.won": "won", "dispute.lost": "lost"}


def on_invoice(life: list[Row], number: int, amount_micros: int, keeps: int, worth: Worth) -> Row:
    """The columns of an invoice."""
    mine = [row for row in life if row["invoice"] == number]
    partner = [row["attempt"] for row in mine if row["kind"].startswith("payment_attempt.") and _is_partner(row)]
    shared = [row for row in mine if row["kind"] == "payment.captured" and row["attempt"] in partner]
    refunds, lost = _of(mine, "refund.issued"), _of(mine, "dispute.lost")
    opened, doubled = _of(mine, "dispute.opened"), _of(mine, "payment.duplicated")
    owed = [row for row in (*refunds, *opened) if row["reason"] not in SURPLUS]
    costly = [row for row in mine if row["kind"].startswith(COLLECTING)]
    return {
        "refunded_at": _first(row for row in owed if row["kind"] == "refund.issued"),
        "disputed_at": _first(row for row in owed if row["kind"] == "dispute.opened"),
        "surplus_charges": len(doubled),
        "refunded_minor": _sum(int, (row for row in refunds if row["reason"] not in SURPLUS)),
        "chargeback_minor": _sum(int, (row for row in lost if row["reason"] not in SURPLUS)),
        "refunded_micros": _sum(worth, (row for row in refunds if row["reason"] not in SURPLUS)),
        "chargeback_micros": _sum(worth, (row for row in lost if row["reason"] not in SURPLUS)),
        "duplicated_micros": _sum(worth, doubled)
        - _sum(worth, (row for row in (*refunds, *lost) if row["reason"] in SURPLUS)),
        "fee_micros": sum(worth(row["fee_minor"] - (_kept(row, keeps) if row in shared else 0)) for row in costly),
        "booked_micros": amount_micros - sum(worth(_kept(row, keeps)) for row in shared),
    }


def _kept(row: Row, keeps: int) -> int:
    """A share in millionths of what was charged, rounded half up."""
    return (row["amount_minor"] * keeps + 500_000) // 1_000_000


def on_attempt(same: list[Row], keeps: int, worth: Worth) -> Row:
    """The columns of an attempt, from the rows about it."""
    tried = next(row for row in same if row["kind"].startswith("payment_attempt."))
    charges = _of(same, "payment.captured")
    keeps = keeps if _is_partner(tried) else 0
    costs = [row["fee_minor"] for row in same if row["kind"].startswith("payment_attempt.")]
    costs += [row["fee_minor"] - _kept(row, keeps) for row in charges]
    return {"network": tried["network"], "fee_micros": sum(map(worth, costs))}


def refund(row: Row, invoice: Row, worth: Worth) -> Row:
    """A refund, given the fact of its invoice and what its charge was worth."""
    return {
        "invoice": row["invoice"], "currency": invoice["currency"], "reason": row["reason"],
        "is_full": row["amount_minor"] == invoice["amount_minor"], "charged_at": invoice["charged_at"],
        "refunded_at": row["occurred_at"], "recorded_at": row["recorded_at"],
        "amount_minor": row["amount_minor"], "amount_micros": worth(row["amount_minor"]),
    }  # fmt: skip


def dispute(life: list[Row], row: Row, invoice: Row, worth: Worth) -> Row:
    """A dispute with what became of it."""
    later = [r for r in life if r["invoice"] == row["invoice"] and r["sequence"] > row["sequence"]]
    same = [r for r in later if r["kind"].startswith("dispute.") and r["reason"] == row["reason"]]
    ends = [r for r in same if r["kind"] in OUTCOMES]
    reports = [r for r in later if r["kind"] == "fraud.reported" and r["sequence"] == row["sequence"] + 1]
    return {
        "invoice": row["invoice"], "currency": invoice["currency"], "network": row["network"],
        "reason": row["reason"], "charged_at": invoice["charged_at"], "opened_at": row["occurred_at"],
        "recorded_at": row["recorded_at"], "represented_at": _first(_of(same, "dispute.represented")),
        "resolved_at": _first(ends), "resolved_recorded_at": ends[0]["recorded_at"] if ends else None,
        "outcome": OUTCOMES[ends[0]["kind"]] if ends else "open", "fraud_reported": bool(reports),
        "contacted_before": any(
            r["kind"] == "contact.opened" and r["invoice"] == row["invoice"] and r["sequence"] < row["sequence"]
            for r in life
        ), "amount_minor": row["amount_minor"],
        "amount_micros": worth(row["amount_minor"]), "fee_micros": worth(row["fee_minor"]),
    }  # fmt: skip


def _is_partner(row: Row) -> bool:
    return row["method_kind"] == "carrier_partner"


def _of(rows: list[Row], kind: str) -> list[Row]:
    return [row for row in rows if row["kind"] == kind]


def _first(rows: Any) -> int | None:
    return next((row["occurred_at"] for row in rows), None)


def _sum(worth: Worth, rows: Any) -> int:
    return sum(worth(row["amount_minor"]) for row in rows)
