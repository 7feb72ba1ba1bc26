"""Payments whose answer comes days later: vouchers, and debits for which a bank is asked.

What comes of them in the end is a path in time like any other fate, so the oracle reads it without an attempt.
"""

from __future__ import annotations

from billing_sim import declines, draws, events
from billing_sim import purposes as purpose
from billing_sim.lifecycle.calendar import hour_of
from billing_sim.lifecycle.fates import fails_late
from billing_sim.lifecycle.load import added_timeouts
from billing_sim.lifecycle.paths import funds_run_dry, payer_fate, times_out
from billing_sim.lifecycle.state import FIRST, Int, State, World
from billing_sim.rule import rule


@rule(Int(State, Int, Int), inline=True)
def who_pays(state, slot, initiator):
    """Who is behind a payment: whoever issued a voucher, its payer pays it in person."""
    return events.CIT if state.method_kind[slot] == events.VOUCHER else initiator


@rule(Int(State, Int, Int), inline=True)
def is_voucher(state, slot, cause):
    """Whether an attempt issues a voucher: what the payer's side would refuse now it may still accept later."""
    if state.method_kind[slot] != events.VOUCHER:
        return 0
    return 1 if cause in (declines.NO_CAUSE, declines.FUNDS, declines.RESTRICTED) else 0


@rule(Int(World, State, Int), inline=True)
def voucher_moment(world, state, now):
    """When the member goes to pay a voucher that is issued now, some time before it expires."""
    pick = draws.below(draws.draw(state.key, purpose.VOUCHER_MOMENT, hour_of(now)), 1024)
    return now + pick * (world.voucher_valid // 1024)


@rule(Int(World, State, Int, Int))
def voucher_fate(world, state, cause, now):
    """Why a voucher that is issued now expires, 0 where it is paid: if there is money then, and attention."""
    unpaid = cause == declines.RESTRICTED
    if not unpaid and not world.approves:
        unpaid = funds_run_dry(world, state, FIRST, voucher_moment(world, state, now))
    return declines.VOUCHER_UNPAID if unpaid else declines.NO_CAUSE


@rule(Int(World, State, Int, Int, Int, Int))
def answers_late(world, state, slot, initiator, now, cause):
    """Whether the bank behind an e-mandate keeps a debit pending; what our side could not send fails at once."""
    if world.mandate_pending == 0 or state.method_kind[slot] != events.A2A_EMANDATE or initiator != events.MIT:
        return 0
    if cause not in (declines.NO_CAUSE, declines.RESTRICTED) and not fails_late(cause):
        return 0
    occasion = hour_of(now) * 2 + slot
    return 1 if draws.draw(state.key, purpose.MANDATE_ANSWER, occasion) < world.mandate_pending else 0


@rule(Int(World, State, Int, Int, Int))
def debit_fate(world, state, slot, cause, debit):
    """Why the bank's debit fails, 0 where it does not: things are as they stand when it is made."""
    if cause == declines.RESTRICTED or world.approves:
        return cause
    return payer_fate(world, state, slot, debit, events.MIT)


@rule(Int(World, State, Int, Int, Int, Int, Int))
def fate_in_the_end(world, state, slot, initiator, at, cause, luck):
    """The cause for which an attempt fails once it is answered for good, 0 if it succeeds; `cause` is that of now."""
    if is_voucher(state, slot, cause):
        return voucher_fate(world, state, cause, at)
    if times_out(world, state.gateway, luck, added_timeouts(world, state.gateway)):
        return cause
    if answers_late(world, state, slot, initiator, at, cause):
        return debit_fate(world, state, slot, cause, at + world.mandate_notice)
    return cause
