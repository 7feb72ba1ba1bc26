"""Manual review: a payment waits until somebody has looked at it, and is then made, or blocked.

Without a team every case takes a time of its own. With one it joins the queue of the reviewers (`drivers.desk`): first
come first served, by whoever is on shift, and the answer of the desk says when it was taken up. Before the start there
is no queue. While a case waits nobody looks for it: whatever waits for its outcome is put off to `IN_QUEUE`, and woken
when somebody takes it up.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import NEVER
from billing_sim.lifecycle import agenda
from billing_sim.lifecycle.calendar import hour_of, not_before_next_window
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.state import (
    ALARM_RESOLVE,
    ALARMS,
    FIRST,
    PENDING_OUTCOME,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.lifecycle.support import ANSWERED
from billing_sim.rule import rule
from billing_sim.world.record import QUANTILES

REVIEW_QUEUE = 2
"""The number of the reviewers among the queues that people share."""

_ALONE, _QUEUED = 1, 2
"""What `state.reviewing` says: the case takes a time of its own, or it is in the queue."""

IN_QUEUE = NEVER // 2
"""When that is due which waits for a case that nobody has taken up: beyond any run, and unlike `NEVER` it comes."""

_TAIL = QUANTILES - 1
_MILLISECOND = 1000
_LONGEST_MS = (1 << 31) - 1


@rule(Int(World, State, Page, Int, Int))
def log_review(world, state, page, event, now):
    """Write that a review begins or ends; returns the place of the row."""
    i = record(world, state, page, event, now)
    row = page.rows[i]
    row.invoice = state.invoice
    row.attempt = state.attempt
    row.method = state.method_number[FIRST]
    row.method_kind = state.method_kind[FIRST]
    row.amount_minor = state.amount
    row.score = state.score
    return i


@rule(Int(World, State, Int))
def handling_time(world, state, at):
    """How long a reviewer is busy with the case that was opened at a moment."""
    return world.review_handling[draws.draw(state.key, purpose.REVIEW_TIME, hour_of(at)) & _TAIL]


@rule(Nothing(World, State, Int))
def join_reviews(world, state, now):
    """Put the case into the queue of the reviewers; it waits without end."""
    state.reviewing = _QUEUED
    state.review_at = now
    state.asks = REVIEW_QUEUE
    state.asks_at = now
    state.asks_detail = 0
    state.asks_patience = NEVER
    state.asks_service = handling_time(world, state, now)
    state.alarm[ALARM_RESOLVE] = IN_QUEUE


@rule(Nothing(World, State, Page, Int, Int))
def open_review(world, state, page, initiator, now):
    """A payment waits for somebody to look at it, as it would for an answer; the attempt is made only afterwards."""
    log_review(world, state, page, events.REVIEW_OPENED, now)
    state.attempt -= 1
    state.pending = PENDING_OUTCOME
    state.pending_slot = FIRST
    state.pending_initiator = initiator
    state.review_waited = 0
    if world.review_team and state.logging:
        join_reviews(world, state, now)
        return
    state.reviewing = _ALONE
    after = world.review_time[draws.draw(state.key, purpose.REVIEW_TIME, hour_of(now)) & _TAIL]
    state.alarm[ALARM_RESOLVE] = not_before_next_window(world, now, now + after)


@rule(Nothing(World, State, Int))
def wake_waiting(world, state, at):
    """What waits for the outcome is due in the window after it, as with any other answer that is still to come."""
    due = not_before_next_window(world, at, 0)
    for k in range(ALARMS):
        if IN_QUEUE <= state.alarm[k] < NEVER:
            state.alarm[k] = due
    agenda.wake(state, IN_QUEUE, due)
    state.alarm[ALARM_RESOLVE] = at


@rule(Int(State, Int, Int, Int))
def is_awaited(state, at, outcome, wait):
    """Whether a reviewer has taken up the case that the person waits for, and not one that is over."""
    return 1 if outcome == ANSWERED and state.reviewing == _QUEUED and at - wait == state.review_at else 0


@rule(Nothing(World, State, Int, Int, Int, Int))
def deliver_review(world, state, now, at, outcome, wait):
    """At the barrier `now` the desk tells that a reviewer took up a case `at`; one that nobody waits for is ignored."""
    if not is_awaited(state, at, outcome, wait):
        return
    state.review_waited = wait
    wake_waiting(world, state, max(now, at + handling_time(world, state, state.review_at)))


@rule(Int(World, State, Page, Int))
def close_review(world, state, page, now):
    """Somebody has looked at the payment; returns whether they let it through."""
    state.reviewing = 0
    who = 1 if state.fraudster else 0
    rejected = draws.draw(state.key, purpose.REVIEW, hour_of(now)) < world.review_rejects[who]
    state.attempt += 1
    i = log_review(world, state, page, events.REVIEW_CLOSED, now)
    page.rows[i].reason = events.REVIEW_REJECTED if rejected else events.REVIEW_APPROVED
    page.rows[i].latency_ms = min(state.review_waited // _MILLISECOND, _LONGEST_MS)
    return 0 if rejected else 1
