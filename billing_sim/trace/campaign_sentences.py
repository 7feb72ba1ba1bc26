"""Sentences for households that share, and for what people do in a campaign."""

from __future__ import annotations

from collections.abc import Callable

from billing_sim import events, people
from billing_sim.trace.context import Context, Row

_CARDS = {events.FOLLOWS_THE_RULES: "#IFollowTheRules", events.CRIMINAL: "#NetflixCriminal"}


def _reached(row: Row, context: Context) -> str:
    campaign = context.campaigns[row["campaign"]]
    if row["reason"] == events.CONTROL:
        return f"The campaign {campaign} found the person, and showed nothing: they are in its control group."
    return f"The campaign {campaign} reached the person."


def _shared(row: Row, _context: Context) -> str:
    return f"The person shared the card {_CARDS[row['reason']]}."


def _replied(row: Row, _context: Context) -> str:
    what = "they share their account" if row["reason"] == events.SHARES else "they share their account with nobody"
    return f"The person answered the automatic reply: {what}."


def _landed(_row: Row, _context: Context) -> str:
    return "The person opened the landing page of the campaign."


def _email_left(row: Row, _context: Context) -> str:
    if row["reason"] == events.HOST:
        return "The person left their e-mail address on the landing page, and those of who borrows from them."
    host = people.describe(people.host_of(int(row["subscriber"])))
    mistakes = f", with {row['score']} typing mistake{'s' if row['score'] > 1 else ''}" if row["score"] else ""
    return f"The e-mail address of this person, who uses the account of {host}, was left on the landing page{mistakes}."


def _restricted(_row: Row, _context: Context) -> str:
    return "The member was told that people outside the household have no access to the account any more."


CAMPAIGN_SENTENCES: dict[int, Callable[[Row, Context], str]] = {
    events.CAMPAIGN_REACHED: _reached,
    events.CAMPAIGN_SHARED: _shared,
    events.CAMPAIGN_REPLIED: _replied,
    events.CAMPAIGN_LANDED: _landed,
    events.CAMPAIGN_EMAIL_LEFT: _email_left,
    events.SHARING_RESTRICTED: _restricted,
}
"""Kind of event -> what happened, as a sentence."""


def _denied(_row: Row) -> str:
    return "In truth: the person does share their account."


def _would_join(_row: Row) -> str:
    return "In truth: the person would sign up without the campaign too, sooner or later."


CAMPAIGN_TRUTHS: dict[int, Callable[[Row], str]] = {
    events.SHARING_DENIED: _denied,
    events.WOULD_JOIN_ANYWAY: _would_join,
}
"""Kind of truth -> what was really so, as a sentence."""
