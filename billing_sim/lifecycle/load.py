"""Gateways under load: what people share when they pay, read from what the last barrier published.

A gateway with a capacity refuses the share of attempts that it cannot take; one under load answers later, and more
often not at all; routing may follow the success rates of the last day. All of that is the same for everybody within a
window, so who pays first makes no difference. Issuers' outages, which nobody shares, are here as well.
"""

from __future__ import annotations

from billing_sim import draws
from billing_sim import purposes as purpose
from billing_sim.lifecycle.state import Int, State, World
from billing_sim.rule import rule
from billing_sim.world.record import GATEWAYS, ISSUER_OUTAGES, RATE, REFUSED, SLOW, TIMEOUTS

ONE_SLOWNESS = 1024
"""Response times as they are without load."""


@rule(Int(World, State, Int, Int), inline=True)
def is_refused(world, state, gateway, occasion):
    """Whether a gateway with too many attempts in this window refuses this one: who is above its share, by draw."""
    share = world.published[REFUSED + gateway]
    # A tape may be played in a world in which the gateway takes everything.
    if share == 0 or world.capacity[gateway] == 0:
        return 0
    u = draws.draw(state.key, purpose.ADMISSION, occasion * GATEWAYS + gateway)
    return 1 if u >= draws.ONE - share else 0


@rule(Int(World, Int, Int), inline=True)
def slowed(world, gateway, latency):
    """A response time under the load of the window before."""
    slowness = world.published[SLOW + gateway]
    return (latency * slowness) // ONE_SLOWNESS if slowness and world.comfortable[gateway] else latency


@rule(Int(World, Int), inline=True)
def added_timeouts(world, gateway):
    """The share of attempts, as a threshold, that load keeps from being answered in time."""
    share = world.published[TIMEOUTS + gateway]
    return share if world.comfortable[gateway] else 0


@rule(Int(World, Int, Int, Int), inline=True)
def takes(world, market, kind, gateway):
    """Whether a gateway has a share of this market and method."""
    before = world.route[market, kind, gateway - 1] if gateway > 0 else 0
    return 1 if world.route[market, kind, gateway] > before else 0


@rule(Int(World, State, Int, Int, Int))
def best_gateway(world, state, slot, chosen, occasion):
    """The gateway with the best success rate of late; a keyed share explores and goes where the weights say."""
    market = state.market
    kind = state.method_kind[slot]
    if draws.draw(state.key, purpose.EXPLORE, occasion) < world.route_explore[market, kind]:
        return chosen
    best = chosen
    for gateway in range(world.gateways):
        if takes(world, market, kind, gateway) and world.published[RATE + gateway] > world.published[RATE + best]:
            best = gateway
    return best


@rule(Int(World, State, Int, Int, Int))
def issuer_is_out(world, state, slot, at, occasion):
    """Whether an outage of the issuers in this market takes this attempt: below the failing share, by draw."""
    mask = 1 << state.method_kind[slot]
    for i in range(min(world.issuer_outages, ISSUER_OUTAGES)):
        if not world.issuer_out_start[i] <= at < world.issuer_out_end[i]:
            continue
        u = draws.draw(state.key, purpose.ISSUER_OUTAGE, occasion * ISSUER_OUTAGES + i)
        if world.issuer_out_kinds[i, state.market] & mask and u < world.issuer_out_share[i]:
            return 1
    return 0
