"""Sentences about plans and money."""

from __future__ import annotations

from collections.abc import Callable

from billing_sim import events
from billing_sim.trace.context import Context, Row, day_words, method_words

_TRIAL_ENDS = {
    events.TRIAL_CONVERTED: "The free trial is over: from now on the subscription is paid for.",
    events.TRIAL_OVER: "The free trial is over, and so is what the person wanted of it.",
    events.TRIAL_WITHOUT_METHOD: "The free trial is over, and no payment method was left.",
}
_OWED = {
    events.GOODWILL: "out of goodwill",
    events.DOWNGRADE: "for what was left of the dearer plan",
    events.PRORATION: "for what the rest of the old period was worth more than that of the new",
}


def _plan_changed(row: Row, context: Context) -> str:
    to = "up" if row["reason"] == events.UPGRADE else "down"
    price, due = context.money(row["amount_minor"]), day_words(row["period_end"])
    return f"Changed {to} to {context.plan(row)}; its price of {price} is next due on {due}."


def _paused(row: Row, _context: Context) -> str:
    return f"The member pauses until {day_words(row['period_end'])}: no access, no charge."


def _resumed(_row: Row, _context: Context) -> str:
    return "The pause is over."


def _coupon_redeemed(row: Row, context: Context) -> str:
    return f"Redeemed the coupon {context.coupon(row)}."


def _trial_started(row: Row, _context: Context) -> str:
    how = f"with a {method_words(row)} on file" if row["method_kind"] else "without a payment method"
    return f"A free trial began, {how}, until {day_words(row['period_end'])}."


def _trial_imported(row: Row, _context: Context) -> str:
    how = f"with a {method_words(row)} on file" if row["method_kind"] else "without a payment method"
    days = f"from {day_words(row['period_start'])} to {day_words(row['period_end'])}"
    return f"A free trial had begun before, {how}, {days}."


def _pause_imported(row: Row, _context: Context) -> str:
    days = f"from {day_words(row['period_start'])} to {day_words(row['period_end'])}"
    return f"A pause had begun before, {days}: no access, no charge."


def _coupon_imported(row: Row, context: Context) -> str:
    left = {0: "every invoice to come", 1: "one more invoice"}.get(int(row["score"]), f"{row['score']} more invoices")
    money = context.money(row["amount_minor"])
    return f"The coupon {context.coupon(row)} had been redeemed before: it takes {money} off {left}."


def _trial_ended(row: Row, _context: Context) -> str:
    return _TRIAL_ENDS[row["reason"]]


def _discount_applied(row: Row, context: Context) -> str:
    coupon, money = context.coupon(row), context.money(row["amount_minor"])
    return f"The coupon {coupon} took {money} off invoice {row['invoice']}."


def _credit_note_issued(row: Row, context: Context) -> str:
    return f"A credit note of {context.money(row['amount_minor'])} was issued {_OWED[row['reason']]}."


def _credit_applied(row: Row, context: Context) -> str:
    return f"Credit of {context.money(row['amount_minor'])} was used for invoice {row['invoice']}."


SENTENCES: dict[int, Callable[[Row, Context], str]] = {
    events.PLAN_CHANGED: _plan_changed,
    events.SUBSCRIPTION_PAUSED: _paused,
    events.SUBSCRIPTION_RESUMED: _resumed,
    events.COUPON_REDEEMED: _coupon_redeemed,
    events.TRIAL_STARTED: _trial_started,
    events.TRIAL_ENDED: _trial_ended,
    events.TRIAL_IMPORTED: _trial_imported,
    events.PAUSE_IMPORTED: _pause_imported,
    events.COUPON_IMPORTED: _coupon_imported,
    events.DISCOUNT_APPLIED: _discount_applied,
    events.CREDIT_NOTE_ISSUED: _credit_note_issued,
    events.CREDIT_APPLIED: _credit_applied,
}
"""Kind of event -> what happened, as a sentence."""
