"""One sentence for every kind of sealed truth: what the log cannot know."""

from __future__ import annotations

from collections.abc import Callable

from billing_sim import declines, events
from billing_sim.trace import fraud_sentences
from billing_sim.trace.campaign_sentences import CAMPAIGN_TRUTHS
from billing_sim.trace.context import Row
from billing_sim.trace.refunds_sentences import REFUND_TRUTHS

_WISHES = {events.STAY: "wants to stay", events.INERT: "stays only out of inertia", events.GO: "wants to go"}
_WISHED = {events.STAY: "wanted to stay", events.INERT: "stayed only out of inertia", events.GO: "wanted to go"}
_WHYS = {
    "none": "", "price": ", for the price", "content": ", finding nothing to watch", "not_using": ", not using it",
    "payment_trouble": ", tired of payment trouble", "other": ", for reasons of their own",
}  # fmt: skip


def cause_words(number: int) -> str:
    """What a latent cause means."""
    return declines.CAUSES[number][1]


def _explained(row: Row) -> str:
    return f"Really: {cause_words(row['cause'])}."


def _intent_changed(row: Row) -> str:
    return f"In truth: the person {_WISHES[row['intent']]}{_WHYS[events.WHYS[row['why']]]}."


def _episode_began(row: Row) -> str:
    return f"In truth: {cause_words(row['cause'])} (payment method {row['method']})."


def _loss_judged(row: Row) -> str:
    able = "could have paid" if row["able"] else "had no way to pay"
    joint = "but" if (row["intent"] == events.STAY) != bool(row["able"]) else "and"
    return f"In truth: the person {_WISHED[row['intent']]} {joint} {able}."


def _survey_judged(row: Row) -> str:
    return f"In truth: their answer is {row['verdict']}, given or not."


def _offer_judged(row: Row) -> str:
    if row["verdict"]:
        return "In truth: the offer brings them back; they would not have been back by its end."
    return "In truth: the offer changes nothing."


SEALED: dict[int, Callable[[Row], str]] = {
    events.EXPLAINED: _explained,
    events.INTENT_CHANGED: _intent_changed,
    events.EPISODE_BEGAN: _episode_began,
    events.LOSS_JUDGED: _loss_judged,
    # Plans and money.
    # Refunds and disputes.
    **REFUND_TRUTHS,
    # Fraud and authentication.
    events.FRAUD_JUDGED: fraud_sentences.fraud_judged,
    # Gateways under load.
    # Support.
    # People and what they say.
    events.SURVEY_JUDGED: _survey_judged,
    events.OFFER_JUDGED: _offer_judged,
    # Campaigns.
    **CAMPAIGN_TRUTHS,
    # Experiments.
}
"""Kind of truth -> what was really so, as a sentence."""
