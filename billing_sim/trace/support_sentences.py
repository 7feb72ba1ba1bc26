"""Sentences for contacts with support: what about, how long it took, and what came of it."""

from __future__ import annotations

from collections.abc import Callable

from billing_sim import events
from billing_sim.trace.context import Context, Row

_TOPICS = {
    events.NOTICE_FAILED: "the failed payment",
    events.NOTICE_HOLD: "the blocked access",
    events.DOUBLE_CHARGE: "a double charge",
    events.PRICE_RISE: "the higher price",
    events.UNKNOWN_CHARGE: "a charge that they could not place",
    events.CANCELED_BY_MISTAKE: "a cancellation that they regret",
}
_WAYS = {events.BY_CHAT: "by chat", events.BY_PHONE: "by phone", events.BY_EMAIL: "by e-mail"}
_ACTS = {
    events.RETRIED: "set another charge going",
    events.LINK_SENT: "sent a link to update the payment method",
    events.GRACE_EXTENDED: "gave the member more time",
    events.EXPLAINED_TO: "explained the matter",
    events.REFUNDED: "gave the money back",
    events.SAVED: "undid the cancellation",
}


def waiting_words(milliseconds: int) -> str:
    """How long somebody waited, to the second, minute or hour."""
    seconds = milliseconds // 1000
    if seconds < 1:
        return "at once"
    for length, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * length:
            return f"after {seconds // length} {name}s"
    return f"after {seconds} second{'s' if seconds != 1 else ''}"


def _opened(row: Row, _context: Context) -> str:
    return f"The member contacted support {_WAYS[row['channel']]} about {_TOPICS[row['reason']]}."


def _answered(row: Row, _context: Context) -> str:
    return f"An agent answered {waiting_words(row['latency_ms'])}."


def _abandoned(row: Row, _context: Context) -> str:
    return f"Nobody answered; the member gave up waiting {waiting_words(row['latency_ms'])}."


def _resolved(row: Row, _context: Context) -> str:
    return f"The agent {_ACTS[row['reason']]}, and closed the contact."


def _unresolved(_row: Row, _context: Context) -> str:
    return "The contact ended without having settled anything."


SUPPORT_SENTENCES: dict[int, Callable[[Row, Context], str]] = {
    events.CONTACT_OPENED: _opened,
    events.CONTACT_ANSWERED: _answered,
    events.CONTACT_ABANDONED: _abandoned,
    events.CONTACT_RESOLVED: _resolved,
    events.CONTACT_UNRESOLVED: _unresolved,
}
"""Kind of event -> what happened, as a sentence."""
