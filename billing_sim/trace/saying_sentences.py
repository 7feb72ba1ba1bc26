"""Sentences about what people say, and what reaches them."""

from __future__ import annotations

from collections.abc import Callable

from billing_sim import events
from billing_sim.trace.context import Context, Row, day_words

_CHANNELS = {events.BY_EMAIL: " by e-mail", events.BY_PUSH: " by push message", events.BY_IN_APP: " in the app"}
_ABOUT = {
    events.NOTICE_FAILED: "the failed payment that was mended",
    events.NOTICE_HOLD: "the blocked access",
    events.SERVICE: "the contact with support",
    events.NEW: "signing up",
    events.ACTIVE: "a year without trouble",
}
_WHYS = {
    events.WHY_PRICE: "it costs too much",
    events.WHY_CONTENT: "there is nothing left to watch",
    events.WHY_NOT_USING: "they don't use it",
    events.WHY_OTHER: "other reasons",
}


def by_channel(row: Row) -> str:
    """How something travelled, where that is told."""
    return _CHANNELS.get(row["channel"], "")


def _notice_opened(row: Row, _context: Context) -> str:
    return f"The member opened the notice that came{by_channel(row)}."


def _notice_undelivered(row: Row, _context: Context) -> str:
    return f"The notice sent{by_channel(row)} did not arrive."


def _offer_sent(row: Row, _context: Context) -> str:
    return f"An offer to come back was sent{by_channel(row)}; it stands until {day_words(row['period_end'])}."


def _survey_sent(row: Row, _context: Context) -> str:
    return f"The member was asked about {_ABOUT[row['reason']]}, on a scale that ends at {row['score']}."


def _survey_answered(row: Row, _context: Context) -> str:
    return f"The member answered: {row['score']} ({events.REASONS[row['reason']]})."


def _exit_survey_answered(row: Row, _context: Context) -> str:
    return f"Asked why they leave, the member said: {_WHYS[row['reason']]}."


SAYING: dict[int, Callable[[Row, Context], str]] = {
    events.NOTICE_OPENED: _notice_opened,
    events.NOTICE_UNDELIVERED: _notice_undelivered,
    events.OFFER_SENT: _offer_sent,
    events.SURVEY_SENT: _survey_sent,
    events.SURVEY_ANSWERED: _survey_answered,
    events.EXIT_SURVEY_ANSWERED: _exit_survey_answered,
}
"""Kind of event -> what happened, as a sentence."""
