"""What `billing-sim trace --find` can look for: whoever is found has lived it."""

from __future__ import annotations

import pytest

import billing_sim
from billing_sim import QueryError, trace
from billing_sim.scenario.emit import emit
from tests.random_worlds import content_of, switches

TELLING = {
    "recovered": "dunning.started payment.captured",
    "lost-involuntarily": "dunning.started subscription.canceled",
    "came-back": "signup.started subscription.created",
    "cancelled": "subscription.cancel_requested subscription.canceled",
    "cancelled-in-trouble": "dunning.started subscription.canceled",
    "self-fixed": "dunning.started payment.captured",
    "on-hold": "subscription.put_on_hold",
    "backup-saved": "payment_attempt.declined payment.captured",
    "updater-saved": "payment_method.updated payment.captured",
    "abandoned-signup": "signup.abandoned",
    "returned-debit": "payment.returned",
    "unknown-outcome": "payment_attempt.outcome_unknown",
    "long-dunning": "dunning.started",
    "trial": "trial.started",
    "changed-plan": "subscription.plan_changed",
    "paused": "subscription.paused",
    "discounted": "discount.applied",
    "credited": "credit.applied",
    "refunded": "refund.issued",
    "disputed": "dispute.opened",
    "charged-twice": "payment.duplicated",
    "blocked": "payment_attempt.blocked",
    "reviewed": "fraud_review.opened fraud_review.closed",
    "authenticated": "authentication.completed",
    "contacted-support": "contact.opened",
    "hung-up": "contact.abandoned",
    "won-back": "offer.sent subscription.created",
    "surveyed": "survey.answered",
    "campaigned": "campaign.reached",
    "enrolled": "experiment.enrolled",
}
"""What the log of somebody holds who is found."""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> billing_sim.Run:
    """A world in which everything happens that a scenario can switch on."""
    folder = tmp_path_factory.mktemp("everything")
    file = folder / "everything.yaml"
    file.write_text(emit(content_of(tuple(switches())) | {"members": 3000, "log": "all"}), encoding="utf-8")
    return billing_sim.run(file, out=folder / "run", workers=1)


def test_each_is_told_of():
    """Nothing can be looked for that is not tried here."""
    assert list(TELLING) == list(trace.FINDS)


@pytest.mark.parametrize("what", TELLING)
def test_whoever_is_found_has_lived_it(run, what):
    """The log of that person holds the events, and their story is told."""
    who = trace.find(run.stored, what)
    kinds = {entry.kind for entry in run.trace(who).entries}
    rows = run.sql(f"SELECT DISTINCT kind FROM events WHERE subscriber = {who}")["kind"]
    assert set(TELLING[what].split()) <= set(rows)
    assert kinds


def test_what_a_scenario_leaves_out_happened_to_nobody(tiny_run):
    """A run without campaigns has nobody to show, and says what was looked for."""
    with pytest.raises(QueryError, match=r"there is nobody for campaigned \(a campaign reached a person\)"):
        trace.find(tiny_run.stored, "campaigned")
