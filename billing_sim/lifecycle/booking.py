"""Booking ahead: which gateway a person will ask in the window that begins, as far as that can be known.

Attempts are booked for whoever has a renewal, a retry, a sign-up or a payment of their own due in the window. Some
will not pay after all (they cancel instead), and a few pay without having booked; the share of attempts that a gateway
then refuses is worked out from bookings alone, and so is the same whoever comes first.
"""

from __future__ import annotations

from billing_sim import draws
from billing_sim import purposes as purpose
from billing_sim.clock import NEVER
from billing_sim.lifecycle.calendar import hour_of
from billing_sim.lifecycle.load import best_gateway
from billing_sim.lifecycle.methods import choose_kind
from billing_sim.lifecycle.networks import is_capped
from billing_sim.lifecycle.paths import gateway_fails, next_gateway, route
from billing_sim.lifecycle.state import (
    ALARM_MEMBER,
    ALARM_RENEWAL,
    ALARM_RETRY,
    ALARM_SIGNUP,
    FIRST,
    NOTHING_PENDING,
    SIGNING_UP,
    Int,
    State,
    World,
)
from billing_sim.lifecycle.trials import WITHOUT_METHOD
from billing_sim.rule import rule
from billing_sim.world.record import BY_SUCCESS_RATE, GATEWAYS

NO_BOOKING = -1


@rule(Int(World, State))
def payment_due(world, state):
    """When this person will next try to pay or be charged, as things stand; NEVER when nothing is due."""
    if state.pending != NOTHING_PENDING:
        return NEVER
    at = min(state.alarm[ALARM_SIGNUP], state.alarm[ALARM_RETRY])
    if state.open:
        at = min(at, state.alarm[ALARM_MEMBER])
    if state.alarm[ALARM_RENEWAL] < world.bills_until:
        at = min(at, state.alarm[ALARM_RENEWAL])
    if at == state.alarm[ALARM_RETRY] and state.phase != SIGNING_UP and is_capped(world, state, FIRST, at):
        return NEVER
    return at


@rule(Int(World, State, Int))
def kind_due(world, state, at):
    """The kind of method that will be used then: sign-ups choose one, a trial without one ends with
    one, everybody else has one on file."""
    if at == state.alarm[ALARM_SIGNUP]:
        return choose_kind(world, state, purpose.METHOD_KIND, hour_of(at))
    if state.phase == SIGNING_UP:
        return choose_kind(world, state, purpose.NEW_METHOD, hour_of(at))
    if state.trial == WITHOUT_METHOD:
        return choose_kind(world, state, purpose.TRIAL_METHOD_KIND, hour_of(at))
    return state.method_kind[FIRST]


@rule(Int(World, State, Int))
def booked(world, state, until):
    """What this person books before the end of the window: the gateway, times `GATEWAYS`, plus the one to which the
    attempt would go on from there (itself for none); `NO_BOOKING` when nothing is due."""
    at = payment_due(world, state)
    if at >= until:
        return NO_BOOKING
    own = state.method_kind[FIRST]
    # Routes are looked up for what is on file.
    state.method_kind[FIRST] = kind_due(world, state, at)
    occasion = hour_of(at) * 2 + FIRST
    gateway = route(world, state, FIRST, draws.draw(state.key, purpose.ROUTE, occasion))
    if world.route_by[state.market, state.method_kind[FIRST]] == BY_SUCCESS_RATE:
        gateway = best_gateway(world, state, FIRST, gateway, occasion)
    other = next_gateway(world, state, FIRST, gateway) if world.failover else gateway
    if other != gateway and gateway_fails(world, state, gateway, at, occasion):
        gateway = other
    state.method_kind[FIRST] = own
    return gateway * GATEWAYS + other
