"""The fate of an attempt: which gateway it goes through, why it fails if it does, and what the bank says then.

The same attempt at the same moment has the same fate in every world, and the oracle asks for it without making an
attempt. Nothing is written but a call that a gateway did not answer.
"""

from __future__ import annotations

from billing_sim import declines, draws, events
from billing_sim import purposes as purpose
from billing_sim.lifecycle.authentication import issuer_asks
from billing_sim.lifecycle.calendar import hour_of
from billing_sim.lifecycle.load import best_gateway, is_refused, issuer_is_out, slowed
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.paths import (
    gateway_fails,
    machine_fate,
    next_gateway,
    payer_fate,
    route,
)
from billing_sim.lifecycle.releases import release_refuses
from billing_sim.lifecycle.state import (
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.rule import rule
from billing_sim.world.record import BY_SUCCESS_RATE, CODE_SLOTS, QUANTILES

_ISSUER_UNAVAILABLE = declines.CODE_NUMBER["91"]


@rule(Int(World, State, Int, Int, Int))
def observed_code(world, state, cause, kind, occasion):
    """The code that an issuer or partner answers for a latent cause, drawn by (subscriber, hour)."""
    if state.issuer_out and cause == declines.TECHNICAL and kind <= events.WALLET:
        return _ISSUER_UNAVAILABLE
    u = draws.draw(state.key, purpose.CODE, occasion)
    last = world.code_count[cause, kind] - 1
    i = 0
    while i < last and i < CODE_SLOTS - 1 and u >= world.code_mix[cause, kind, i]:
        i += 1
    return world.code_value[cause, kind, i]


@rule(Int(World, Int, Int), inline=True)
def latency_of(world, gateway, u):
    """Response time in milliseconds, from the gateway's quantiles and the low bits of the routing draw."""
    return slowed(world, gateway, world.latency[gateway, u & (QUANTILES - 1)])


@rule(Int(World, State, Int, Int, Int), inline=True)
def is_turned_away(world, state, gateway, at, occasion):
    """Whether a gateway does not process this attempt: it is failing, or it has too many."""
    return gateway_fails(world, state, gateway, at, occasion) or is_refused(world, state, gateway, occasion)


@rule(Nothing(World, State, Page, Int, Int, Int), inline=True)
def choose_gateway(world, state, page, slot, at, u):
    """Route the attempt, and fail over at once when its gateway is down or has no room."""
    occasion = hour_of(at) * 2 + slot
    gateway = route(world, state, slot, u)
    if world.route_by[state.market, state.method_kind[slot]] == BY_SUCCESS_RATE:
        gateway = best_gateway(world, state, slot, gateway, occasion)
    if world.failover and is_turned_away(world, state, gateway, at, occasion):
        other = next_gateway(world, state, slot, gateway)
        if other != gateway:
            row = page.rows[record(world, state, page, events.GATEWAY_CALL_FAILED, at)]
            row.invoice = state.invoice
            row.attempt = state.attempt
            row.method_kind = state.method_kind[slot]
            row.gateway = gateway
            row.latency_ms = latency_of(world, gateway, u)
            gateway = other
    state.gateway = gateway


@rule(Int(World, State, Int, Int))
def is_withdrawn(world, state, slot, at):
    """Whether we no longer accept the kind of method in a slot: it was withdrawn, and is not offered again."""
    market, kind = state.market, state.method_kind[slot]
    since = world.withdrawn_at[market, kind]
    if since == 0 or at < since:
        return 0
    i = world.mix_count[market] - 1
    while i > 0 and world.mix_from[market, i] > at:
        i -= 1
    return 1 if world.mix[market, i, kind] == world.mix[market, i, kind - 1] else 0


@rule(Nothing(World, State, Int, Int))
def heed_withdrawal(world, state, slot, at):
    """What we no longer accept is as good as no method, until we accept it again."""
    status = state.method_status[slot]
    if status == declines.NO_CAUSE and is_withdrawn(world, state, slot, at):
        state.method_status[slot] = declines.WITHDRAWN
    elif status == declines.WITHDRAWN and not is_withdrawn(world, state, slot, at):
        state.method_status[slot] = declines.NO_CAUSE


@rule(Int(World, State, Int, Int, Int, Int), inline=True)
def fate(world, state, slot, initiator, at, luck):
    """The latent cause for which this attempt fails, 0 if it succeeds; the first bad thing in a fixed order."""
    if world.approves:
        return declines.NO_CAUSE
    if world.withdrawals:
        heed_withdrawal(world, state, slot, at)
    cause = payer_fate(world, state, slot, at, initiator)
    if cause:
        return cause
    if initiator == events.MIT and world.sca_count[state.market] and issuer_asks(world, state, slot, at):
        return declines.AUTHENTICATION
    occasion = hour_of(at) * 2 + slot
    if gateway_fails(world, state, state.gateway, at, occasion):
        return declines.OUTAGE
    if is_refused(world, state, state.gateway, occasion):
        return declines.THROTTLED
    state.issuer_out = issuer_is_out(world, state, slot, at, occasion) if world.issuer_outages else 0
    if state.issuer_out:
        return declines.TECHNICAL
    if world.deploys and release_refuses(world, state, slot, at):
        return declines.BAD_RELEASE
    return machine_fate(world, state, slot, luck)


@rule(Int(Int))
def fails_late(cause):
    """Whether a direct debit's failure comes back days later: the payer's side refuses, not the machine."""
    return 1 if declines.NO_CAUSE < cause < declines.OUTAGE else 0
