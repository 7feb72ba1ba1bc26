"""Faulty releases of our own: while one is live, it refuses good payments or takes money twice."""

from __future__ import annotations

from billing_sim import draws
from billing_sim import purposes as purpose
from billing_sim.lifecycle.calendar import hour_of
from billing_sim.lifecycle.state import Int, State, World
from billing_sim.rule import rule
from billing_sim.world.record import DEPLOYS


@rule(Int(World, State, Int, Int))
def is_live(world, state, i, at):
    """Whether a release reaches an attempt through the gateway just chosen."""
    if not world.deploy_market[i, state.market] or not world.deploy_from[i] <= at < world.deploy_until[i]:
        return 0
    gateway = world.deploy_gateway[i]
    return 1 if gateway in (-1, state.gateway) else 0


@rule(Int(World, State, Int, Int))
def release_refuses(world, state, slot, at):
    """Whether a release that is live refuses this attempt, by the draw of the hour."""
    for i in range(world.deploys):
        if is_live(world, state, i, at):
            occasion = (hour_of(at) * 2 + slot) * DEPLOYS + i
            if draws.draw(state.key, purpose.RELEASE, occasion) < world.deploy_declines[i]:
                return 1
    return 0


@rule(Int(World, State, Int, Int))
def release_charges_twice(world, state, slot, at):
    """Whether a release that is live takes the money of this attempt a second time."""
    for i in range(world.deploys):
        if is_live(world, state, i, at):
            occasion = (hour_of(at) * 2 + slot) * DEPLOYS + i
            if draws.draw(state.key, purpose.DOUBLE_CHARGE, occasion) < world.deploy_doubles[i]:
                return 1
    return 0
