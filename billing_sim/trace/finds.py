"""Whose story is worth reading: for each name, the first subscriber to whom it happened.

The facts are asked, not the truth, so whoever is found is also found by someone who only has the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from billing_sim.errors import QueryError

if TYPE_CHECKING:
    from billing_sim.runs.stored import StoredRun


@dataclass(frozen=True)
class _Search:
    meaning: str
    fact: str
    condition: str = "true"


_SEARCHES = {
    "recovered": _Search(
        "a renewal failed and was paid later",
        "invoices",
        "first_failed_at IS NOT NULL AND status = 'paid' AND NOT is_signup",
    ),
    "lost-involuntarily": _Search(
        "a subscription ended because nobody paid", "subscriptions", "end_reason = 'nonpayment'"
    ),
    "came-back": _Search("a person who had left subscribed again", "subscriptions", "started_by = 'returning'"),
    "cancelled": _Search("a member cancelled of their own accord", "subscriptions", "end_reason = 'voluntary'"),
    "cancelled-in-trouble": _Search(
        "a member cancelled while a payment was failing", "subscriptions", "end_reason = 'payment_trouble'"
    ),
    "self-fixed": _Search(
        "the member mended a failed renewal", "invoices", "recovered_by = 'member' AND NOT is_signup"
    ),
    "on-hold": _Search("access was blocked for an unpaid invoice", "invoices", "held_at IS NOT NULL"),
    "backup-saved": _Search("the backup method paid a failed invoice", "invoices", "recovered_by = 'backup'"),
    "updater-saved": _Search("the account updater saved a failed invoice", "invoices", "recovered_by = 'updater'"),
    "abandoned-signup": _Search("a person gave up signing up", "signups", "outcome = 'abandoned'"),
    "returned-debit": _Search("a captured direct debit came back", "attempts", "was_returned"),
    "unknown-outcome": _Search("an attempt was not answered in time", "attempts", "was_unknown"),
    "long-dunning": _Search(
        "an invoice failed for two weeks or longer",
        "invoices",
        "coalesce(paid_at, given_up_at) - first_failed_at >= INTERVAL 14 DAY",
    ),
    # Plans and money.
    "trial": _Search(
        "a subscription began with a trial",
        "subscriptions",
        "trial_started_at IS NOT NULL AND started_by <> 'imported'",
    ),
    "changed-plan": _Search("a member went over to another plan", "subscriptions", "plan_changes > 0"),
    "paused": _Search("a member paused", "subscriptions", "pauses > 0"),
    "discounted": _Search("a coupon made an invoice cheaper", "invoices", "discount_minor > 0"),
    "credited": _Search("a credit note paid part of an invoice", "invoices", "credit_minor > 0"),
    "refunded": _Search("money went back to a member", "refunds"),
    "disputed": _Search("a payment was disputed", "disputes"),
    "charged-twice": _Search("a mistake of ours charged somebody once too often", "invoices", "surplus_charges > 0"),
    # Payments.
    "blocked": _Search("the fraud screen blocked an attempt", "attempts", "outcome = 'blocked'"),
    "reviewed": _Search("people looked at an attempt before it went on", "attempts", "was_reviewed"),
    "authenticated": _Search("a member was asked to prove who pays", "attempts", "authentication <> 'none'"),
    # People.
    "contacted-support": _Search("a member wrote to or called support", "contacts"),
    "hung-up": _Search("a member gave up waiting for support", "contacts", "outcome = 'abandoned'"),
    "won-back": _Search("a person who was sent an offer came back", "offers", "returned_at IS NOT NULL"),
    "surveyed": _Search("a person answered a survey", "surveys", "answered_at IS NOT NULL"),
    "campaigned": _Search("a campaign reached a person", "touches", "step = 'reached'"),
    "enrolled": _Search("a person took part in an experiment", "enrolments"),
}

FINDS: dict[str, str] = {name: search.meaning for name, search in _SEARCHES.items()}
"""What can be looked for: name and meaning."""


def find(run: StoredRun, what: str) -> int:
    """The lowest subscriber number to whom `what`, one of `FINDS`, happened in the run.

    Raises QueryError for another name, and when it happened to nobody.
    """
    if what not in _SEARCHES:
        close = get_close_matches(what, FINDS, 1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise QueryError(f"There is nothing called {what!r} to find.{hint} There are {', '.join(FINDS)}.")
    search = _SEARCHES[what]
    found = _lowest(run, search)
    if found is None:
        raise QueryError(f"In this run there is nobody for {what} ({search.meaning}).")
    return found


def _lowest(run: StoredRun, search: _Search) -> int | None:
    from billing_sim.facts.schema import FACTS
    from billing_sim.metrics.connection import connect_to  # DuckDB, which listing the names does not need
    from billing_sim.metrics.unreadable import reading_facts

    facts = [fact for fact in FACTS if fact.name == search.fact]
    with reading_facts(), connect_to(run, facts) as connection:
        row = connection.execute(f"SELECT min(subscriber) FROM {search.fact} WHERE {search.condition}").fetchone()
    return None if row is None or row[0] is None else int(row[0])
