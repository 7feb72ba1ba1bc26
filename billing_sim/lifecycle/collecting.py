"""When money is tried for, and what a failure sets in motion: dunning, the backup, the next retry."""

from __future__ import annotations

from billing_sim import events
from billing_sim.clock import NEVER
from billing_sim.lifecycle import dunning
from billing_sim.lifecycle.attempting import log_capture, succeed, try_slot
from billing_sim.lifecycle.calendar import not_before_next_window
from billing_sim.lifecycle.changing import give_up_upgrade
from billing_sim.lifecycle.experiments import enrols_by_failing
from billing_sim.lifecycle.methods import ask_updater
from billing_sim.lifecycle.networks import is_capped
from billing_sim.lifecycle.spells import refuse_signup
from billing_sim.lifecycle.state import (
    ALARM_EXHAUST,
    ALARM_RESOLVE,
    ALARM_RETRY,
    BACKUP,
    FIRST,
    NOTHING_PENDING,
    PENDING_OUTCOME,
    SIGNING_UP,
    SUBSCRIBED,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.rule import rule


@rule(Nothing(World, State, Page, Int))
def settle_free(world, state, page, now):
    """Nothing is left of the invoice after coupons and credits, or to check: it is paid without an attempt."""
    state.free = 0
    state.attempt = 0
    state.charged_fee = 0
    log_capture(world, state, page, now)
    succeed(world, state, page, now)


@rule(Nothing(World, State, Page, Int, Int, Int))
def handle_failure(world, state, page, code, slot, now):
    """A first failure starts dunning, which may try the backup at once; any failure sets the next retry."""
    if state.phase == SIGNING_UP:
        refuse_signup(world, state, page, now)
        return
    if state.changing:
        give_up_upgrade(world, state, page, now)
        return
    if state.first_failed == NEVER:
        dunning.begin(world, state, page, now, code)
    elif state.alarm[ALARM_EXHAUST] == NEVER:
        dunning.go_on(world, state, now)
    if slot == FIRST:
        dunning.note_decline(world, state, code)
    if state.backup and slot == FIRST and world.use_backup[state.policy] and not is_capped(world, state, BACKUP, now):
        try_slot(world, state, page, BACKUP, events.MIT, now)
    if state.open and state.pending == NOTHING_PENDING:
        dunning.schedule_retry(world, state, now)


@rule(Nothing(World, State, Page, Int, Int))
def face_failure(world, state, page, slot, now):
    """What follows a try, or a failure that became known: dunning where it failed, and the member's next look."""
    if state.failed_code:
        handle_failure(world, state, page, state.failed_code, slot, now)
    if state.collects == events.CIT and state.phase == SUBSCRIBED and state.open and state.pending == NOTHING_PENDING:
        dunning.watch_again(world, state, now)
    state.collects = 0
    state.failed_code = 0


@rule(Nothing(World, State, Page, Int))
def collect(world, state, page, now):
    """What the rule that just rang asked for: try to collect the open invoice, and deal with a failure.

    Rules only ask (`state.collects` names the initiator, `state.failed_code` a failure that became known), so that
    there is one place in which money is tried for. A failure that enrols is left to `life.step`, which faces it in the
    world of the arm.
    """
    initiator = state.collects
    slot = state.pending_slot
    if initiator and (state.free or (state.verifying and state.method_kind[FIRST] == events.VOUCHER)):
        settle_free(world, state, page, now)
        initiator = 0
    if initiator:
        slot = FIRST
        if initiator == events.MIT:
            ask_updater(world, state, page, FIRST, now)
        state.failed_code = try_slot(world, state, page, FIRST, initiator, now)
    if world.enrolling and state.failed_code and enrols_by_failing(world, state, now):
        state.enrols = 1
        state.enrols_slot = slot
        return
    face_failure(world, state, page, slot, now)


@rule(Nothing(World, State, Int))
def ring_retry(world, state, now):
    """A retry is due; it waits for an unknown outcome, and is left out where the network's cap forbids it."""
    if state.pending == PENDING_OUTCOME:
        state.alarm[ALARM_RETRY] = not_before_next_window(world, state.alarm[ALARM_RESOLVE], 0)
        return
    state.next_retry += 1
    if is_capped(world, state, FIRST, now):
        dunning.schedule_retry(world, state, now)
        return
    state.collects = events.MIT
