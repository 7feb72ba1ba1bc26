"""Answers that come later: an outcome that was unknown, a debit that comes back, a payment that was looked at."""

from __future__ import annotations

from billing_sim import declines, events
from billing_sim.clock import NEVER
from billing_sim.lifecycle import dunning
from billing_sim.lifecycle.attempting import block, capture, explain, log_attempt, succeed
from billing_sim.lifecycle.authentication import note_customer
from billing_sim.lifecycle.base import log_open_invoice
from billing_sim.lifecycle.billing import log_invoice
from billing_sim.lifecycle.disputes import after_charge
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.reviews import close_review
from billing_sim.lifecycle.state import (
    ALARM_RENEWAL,
    FIRST,
    NOTHING_PENDING,
    PENDING_OUTCOME,
    PENDING_RETURN,
    SUBSCRIBED,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.rule import rule


@rule(Nothing(World, State, Page, Int))
def reconcile(world, state, page, now):
    """An unknown outcome becomes known: it was authorized after all, or it failed."""
    slot = state.pending_slot
    state.pending = NOTHING_PENDING
    sequence = state.sequence
    state.attempt_cost = 0
    i = log_attempt(world, state, page, events.ATTEMPT_RECONCILED, slot, state.pending_initiator, now, 0)
    if state.pending_cause == declines.NO_CAUSE:
        page.rows[i].reason = events.RESOLVED_AUTHORIZED
        capture(world, state, page, slot, now)
        if state.pending_initiator == events.CIT:
            note_customer(state, slot, now)
        if state.method_kind[slot] == events.GIFT_BALANCE:
            state.balance -= state.amount
        succeed(world, state, page, now)
        if world.claims:
            after_charge(world, state, page, now, slot)
        return
    page.rows[i].reason = events.RESOLVED_FAILED
    page.rows[i].code = state.pending_code
    explain(state, page, state.pending_cause, slot, sequence)
    state.failed_code = state.pending_code


@rule(Nothing(World, State, Page, Int))
def take_back(world, state, page, now):
    """A captured direct debit comes back: the invoice is open again, and dunning starts, or goes on, only now."""
    state.pending = NOTHING_PENDING
    if state.invoice == 0:
        if state.first_failed == NEVER:
            state.policy = dunning.policy_for(world, state, now, world.decline_kind[state.pending_code])
        state.invoice = 1
        log_open_invoice(world, state, page, now)
    sequence = state.sequence
    row = page.rows[record(world, state, page, events.PAYMENT_RETURNED, now)]
    row.invoice = state.invoice
    row.attempt = state.attempt
    row.amount_minor = state.amount
    row.code = state.pending_code
    explain(state, page, state.pending_cause, state.pending_slot, sequence)
    if state.phase != SUBSCRIBED:
        log_invoice(world, state, page, events.INVOICE_UNCOLLECTIBLE, now)
        return
    state.open = 1
    state.alarm[ALARM_RENEWAL] = NEVER
    state.failed_code = state.pending_code


@rule(Nothing(World, State, Page, Int))
def decide_review(world, state, page, now):
    """A payment that waited for a review is made now, or refused."""
    state.pending = NOTHING_PENDING
    if close_review(world, state, page, now):
        state.attempt -= 1
        state.cleared = 1
        state.collects = state.pending_initiator
    else:
        state.failed_code = block(world, state, page, FIRST, state.pending_initiator, now)


@rule(Nothing(World, State, Page, Int))
def ring_resolve(world, state, page, now):
    """What was outstanding is known now."""
    if state.reviewing:
        decide_review(world, state, page, now)
    elif state.pending == PENDING_OUTCOME:
        reconcile(world, state, page, now)
    elif state.pending == PENDING_RETURN:
        take_back(world, state, page, now)
