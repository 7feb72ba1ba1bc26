"""What the facts hold of one person, as things in lanes of time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from billing_sim import declines
from billing_sim.pictures import words
from billing_sim.pictures.asked import Asked
from billing_sim.pictures.charts import each

LANES = (
    "Member",
    "Payment failing",
    "Invoices",
    "Attempts",
    "Payment method",
    "Messages",
    "Support",
    "Money back",
    "In truth",
)
"""From top to bottom; those in which nothing lies are left out."""

COLUMNS = ("lane", "at", "end", "tone", "text")
"""A thing: its lane, when (UTC), until when (NaT for a moment), good, bad or quiet, and in words."""

_MEANING = {it.code: it.meaning for it in declines.CODES}
Thing = tuple[str, Any, Any, str, str]


def things(asked: Asked, subscriber: int) -> pd.DataFrame:
    """Everything that facts hold of a subscriber, one row each, by lane and time."""
    found = [
        *_spells(asked, subscriber), *_invoices(asked, subscriber), *_attempts(asked, subscriber),
        *_methods(asked, subscriber), *_messages(asked, subscriber), *_back(asked, subscriber),
    ]  # fmt: skip
    made = pd.DataFrame(found, columns=list(COLUMNS))
    made["at"], made["end"] = pd.to_datetime(made["at"], utc=True), pd.to_datetime(made["end"], utc=True)
    made["rank"] = made["lane"].map(LANES.index)
    return made.sort_values(["rank", "at"], kind="stable").drop(columns="rank").reset_index(drop=True)


def _of(asked: Asked, columns: str, fact: str, subscriber: int, order: str) -> Iterator[Any]:
    return each(asked.run.sql(f"SELECT {columns} FROM {fact} WHERE subscriber = {subscriber} ORDER BY {order}"))


def _spells(asked: Asked, subscriber: int) -> Iterator[Thing]:
    last = asked.frame.as_of
    for it in _of(asked, "started_at, ended_at, started_by, end_reason, plan", "subscriptions", subscriber, "spell"):
        how = {"imported": "a member when the run began", "new": "joined", "returning": "came back"}[it.started_by]
        ended = f", {words.plain(it.end_reason)} end on {words.day(it.ended_at)}" if it.ended_at else ""
        yield "Member", it.started_at, it.ended_at or last, "good", f"{words.plain(it.plan)}: {how}{ended}"


def _invoices(asked: Asked, subscriber: int) -> Iterator[Thing]:
    columns = "invoice, issued_at, first_failed_at, paid_at, given_up_at, status, attempts, recovered_by, is_imported"
    last, start = asked.frame.as_of, asked.frame.start
    for it in _of(asked, columns, "invoices", subscriber, "invoice"):
        closed = it.paid_at or it.given_up_at
        tries = f"{it.attempts} {'attempt' if it.attempts == 1 else 'attempts'}"
        text = f"invoice {it.invoice}: {it.status}, {tries}"
        if it.issued_at:
            clean = it.status == "paid" and not it.first_failed_at
            tone = "good" if clean else "mended" if it.status == "paid" else "bad"
            yield "Invoices", it.issued_at, None, tone, text
        if it.first_failed_at or it.is_imported:
            yield "Payment failing", it.first_failed_at or start, closed or last, "bad", f"{text}, payment failing"


def _attempts(asked: Asked, subscriber: int) -> Iterator[Thing]:
    columns = "occurred_at, outcome, code, invoice, attempt, was_returned"
    for it in _of(asked, columns, "attempts", subscriber, "occurred_at, attempt"):
        why = f": {_MEANING.get(it.code, it.code)}" if it.outcome == "declined" else ""
        went = "authorized, then returned" if it.was_returned else f"{it.outcome}{why}"
        tone = "good" if it.outcome == "authorized" and not it.was_returned else "bad"
        yield "Attempts", it.occurred_at, None, tone, f"attempt {it.attempt} on invoice {it.invoice}: {went}"


def _methods(asked: Asked, subscriber: int) -> Iterator[Thing]:
    for it in _of(asked, "added_at, method, added_by", "payment_methods", subscriber, "instrument"):
        yield "Payment method", it.added_at, None, "quiet", f"{words.plain(it.method)}, by {words.plain(it.added_by)}"


def _messages(asked: Asked, subscriber: int) -> Iterator[Thing]:
    for it in _of(asked, "sent_at, notice", "notices", subscriber, "sent_at"):
        yield "Messages", it.sent_at, None, "quiet", f"notice: {words.plain(it.notice)}"
    for it in _of(asked, "sent_at, offer", "offers", subscriber, "sent_at"):
        yield "Messages", it.sent_at, None, "quiet", f"offer: {words.plain(it.offer)}"
    for it in _of(asked, "opened_at, topic, outcome", "contacts", subscriber, "opened_at"):
        yield "Support", it.opened_at, None, "quiet", f"contact about {words.plain(it.topic)}: {it.outcome}"


def _back(asked: Asked, subscriber: int) -> Iterator[Thing]:
    for it in _of(asked, "refunded_at, reason", "refunds", subscriber, "refunded_at"):
        yield "Money back", it.refunded_at, None, "bad", f"refund: {words.plain(it.reason)}"
    for it in _of(asked, "opened_at, reason, outcome", "disputes", subscriber, "opened_at"):
        yield "Money back", it.opened_at, None, "bad", f"dispute ({words.plain(it.reason)}): {it.outcome}"
