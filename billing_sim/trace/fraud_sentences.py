"""Sentences about authentication, the fraud screen and vouchers, and about who does not own what they pay with."""

from __future__ import annotations

from billing_sim import events
from billing_sim.trace.context import Context, Row, day_words
from billing_sim.trace.support_sentences import waiting_words

_SECOND = 1000
_LONGEST = (1 << 31) - 1

_AUTHENTICATED = {
    events.FRICTIONLESS: "The issuer authenticated the member without asking anything.",
    events.CHALLENGE_PASSED: "The issuer asked the member to authenticate, and the member did.",
    events.CHALLENGE_FAILED: "The issuer asked the member to authenticate, and the member could not.",
    events.CHALLENGE_ABANDONED: "The issuer asked the member to authenticate, and the member gave up.",
}


def attempt_pending(row: Row, context: Context) -> str:
    """A voucher is out, or a bank has been asked for a debit."""
    until = day_words(row["period_end"])
    if row["method_kind"] == events.A2A_EMANDATE:
        what = f"The bank was asked for {context.money(row['amount_minor'])} by {context.method(row)}"
        return f"{what} (attempt {row['attempt']}); it tells the member, debits on {until} and answers after that."
    amount, attempt = context.money(row["amount_minor"]), f"(attempt {row['attempt']})"
    asked = row["initiator"] == events.CIT
    what = f"The member asked for a voucher over {amount}" if asked else f"A voucher over {amount} was issued"
    return f"{what} {attempt}, payable until this time on {until}."


def attempt_blocked(row: Row, context: Context) -> str:
    """The screen says no."""
    what = f"the {context.method(row)} (attempt {row['attempt']}, score {row['score']})"
    return f"Our fraud screen refused {what}; it was sent nowhere."


def authentication_completed(row: Row, _context: Context) -> str:
    """How authentication ended."""
    return _AUTHENTICATED[row["reason"]]


def review_opened(row: Row, _context: Context) -> str:
    """A payment waits."""
    return f"Attempt {row['attempt']} waits for somebody to look at it (score {row['score']})."


def review_closed(row: Row, context: Context) -> str:
    """It waits no longer: how long it was in the queue, or, where it was in none, until somebody had decided."""
    decision = "approved" if row["reason"] == events.REVIEW_APPROVED else "rejected"
    waited = int(row["latency_ms"])
    asked = context.reviews.get((int(row["invoice"]), int(row["attempt"])))
    when = ""
    if waited >= _SECOND:
        # The column ends at 24 days; a review that was asked for in sight has waited as long as it has.
        if waited == _LONGEST and asked is not None:
            waited = (int(row["occurred_at"]) - asked) // 1000
        when = f" when a reviewer had time, {waiting_words(waited)},"
    elif asked is not None:
        when = f" {waiting_words((int(row['occurred_at']) - asked) // 1000)}"
    return f"Somebody looked at attempt {row['attempt']}{when} and {decision} it."


def fraud_judged(row: Row) -> str:
    """A fraudster."""
    return f"In truth: whoever pays does not own payment method {row['method']}."
