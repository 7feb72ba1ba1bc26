"""Card networks: which one a card belongs to, how often a card may be tried, and what a try and a charge cost.

A network counts merchant-initiated tries per card, from the first of a window on; some networks have two windows.
Where nobody draws networks, one general cap holds for every method.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.lifecycle.state import Int, Nothing, State, World
from billing_sim.rule import rule
from billing_sim.world.record import NETWORKS


@rule(Nothing(World, State, Int, Int))
def draw_network(world, state, slot, hour):
    """A card just put on file belongs to a network, by the market's shares; to none where they are not given."""
    state.network[slot] = 0
    if world.network_mix[state.market, NETWORKS - 1] == 0:
        return
    u = draws.draw(state.method_key[slot], purpose.NETWORK, hour)
    network = 1
    while network < NETWORKS - 1 and u >= world.network_mix[state.market, network]:
        network += 1
    state.network[slot] = network


@rule(Nothing(World, State, Int, Int))
def count(world, state, slot, at):
    """Count a merchant-initiated attempt for the cap, in both windows of the card's network."""
    network = state.network[slot]
    window = world.network_window[network, 0] if network else world.attempts_window
    if at - state.counted_since[slot] >= window or state.counted[slot] == 0:
        state.counted_since[slot] = at
        state.counted[slot] = 0
    state.counted[slot] += 1
    if network and world.network_cap[network, 1]:
        if at - state.recounted_since[slot] >= world.network_window[network, 1] or state.recounted[slot] == 0:
            state.recounted_since[slot] = at
            state.recounted[slot] = 0
        state.recounted[slot] += 1


@rule(Int(World, State, Int, Int))
def exceeds_cap(world, state, slot, at):
    """Whether another merchant-initiated attempt on this card now would be one too many."""
    network = state.network[slot]
    cap = world.network_cap[network, 0] if network else world.max_attempts
    window = world.network_window[network, 0] if network else world.attempts_window
    if state.counted[slot] >= cap and at - state.counted_since[slot] < window:
        return 1
    if network == 0 or world.network_cap[network, 1] == 0 or state.recounted[slot] < world.network_cap[network, 1]:
        return 0
    return 1 if at - state.recounted_since[slot] < world.network_window[network, 1] else 0


@rule(Int(World, State, Int, Int))
def is_capped(world, state, slot, at):
    """Whether an attempt is left out because of the cap; who does not respect caps makes it and pays."""
    return 0 if world.ignores_caps else exceeds_cap(world, state, slot, at)


@rule(Nothing(World, State, Int, Int, Int))
def price_attempt(world, state, slot, initiator, at):
    """What the attempt that is about to be made costs: the gateway's fee, and the network's for one too many."""
    cost = world.fee_attempt[state.market, state.method_kind[slot], state.gateway]
    if world.ignores_caps and initiator == events.MIT and exceeds_cap(world, state, slot, at):
        cost += world.excess_fee[state.market, state.network[slot]]
    state.attempt_cost = cost


@rule(Nothing(World, State, Int))
def price_charge(world, state, slot):
    """What the charge that was just made costs, rounded half up to the minor unit; remembered with its network."""
    market = state.market
    kind = state.method_kind[slot]
    share = world.fee_share[market, kind, state.gateway]
    state.charged_fee = world.fee_fixed[market, kind, state.gateway] + (state.amount * share + 500_000) // 1_000_000
    state.charged_network = state.network[slot]
