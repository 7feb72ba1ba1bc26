"""What comes back from a desk that people share: each effect is handed to the rule of its noun."""

from __future__ import annotations

from billing_sim.lifecycle.reviews import REVIEW_QUEUE, deliver_review
from billing_sim.lifecycle.state import Int, Nothing, Page, State, World
from billing_sim.lifecycle.support import SUPPORT_QUEUE
from billing_sim.lifecycle.support_outcomes import deliver_contact
from billing_sim.rule import rule


@rule(Nothing(World, State, Page, Int, Int, Int, Int, Int))
def deliver(world, state, page, now, queue, at, outcome, wait):
    """At the barrier `now` a person learns what came of the request that was settled at `at`.

    The rule writes it down and schedules what follows; money is not collected here, since attempts are booked later.
    """
    # Fraud and authentication.
    if queue == REVIEW_QUEUE:
        deliver_review(world, state, now, at, outcome, wait)
    # Support.
    if queue == SUPPORT_QUEUE:
        deliver_contact(world, state, page, now, at, outcome, wait)
