"""Experiments: who is enrolled, in which arm, and from when on the rules of that arm hold for them.

Each arm is a compiled world of its own. A person lives in the first until they are enrolled, which a keyed hash of the
subscriber and the experiment's name decides: no other experiment, no policy and no moment moves anybody's arm.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import NEVER
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.state import PENDING_RETURN, SUBSCRIBED, Int, Nothing, Page, State, World
from billing_sim.rule import rule
from billing_sim.world.record import ARMS, EXPERIMENTS

AT_SIGN_UP, AT_RENEWAL, AT_FIRST_FAILURE, AT_START = 1, 2, 3, 4
"""The moments at which an experiment may enrol."""


@rule(Int(World, State, Int, Int, Int))
def arm_offered(world, state, experiment, moment, now):
    """The arm, from 1, in which this experiment enrols the person at this moment; 0 when it does not."""
    if world.enrol_at[experiment] != moment or (state.enrolled_in >> experiment) & 1:
        return 0
    if now < world.enrol_from[experiment] or now >= world.enrol_until[experiment]:
        return 0
    name = world.enrol_name[experiment]
    if not world.enrol_market[experiment, state.market]:
        return 0
    if draws.draw(state.key, purpose.ENROL_HOLDOUT, name) < world.enrol_holdout[experiment]:
        return 0
    u = draws.draw(state.key, purpose.ENROL_ARM, name)
    arm = 0
    while arm < ARMS - 1 and u >= world.enrol_share[experiment, arm]:
        arm += 1
    return arm + 1


@rule(Int(World, State, Int, Int))
def is_offered_any(world, state, moment, now):
    """Whether some experiment enrols the person at this moment."""
    if not state.logging:
        return 0
    for experiment in range(EXPERIMENTS):
        if arm_offered(world, state, experiment, moment, now):
            return 1
    return 0


@rule(Int(World, State, Int))
def enrols_by_failing(world, state, now):
    """Whether the failure that has just become known is the first of its invoice, and one that enrols."""
    if state.first_failed != NEVER or state.phase != SUBSCRIBED:
        return 0
    return is_offered_any(world, state, AT_FIRST_FAILURE, now)


@rule(Nothing(World, State, Page, Int, Int))
def enrol(world, state, page, moment, now):
    """Every experiment that enrols at this moment does so; the person lives in another world from now on."""
    if not state.logging:
        return
    for experiment in range(EXPERIMENTS):
        arm = arm_offered(world, state, experiment, moment, now)
        if arm:
            label = arm * world.enrol_step[experiment]
            state.enrolled_in |= 1 << experiment
            state.arm += label
            state.lives_in = world.enrol_world[state.arm]
            row = page.rows[record(world, state, page, events.EXPERIMENT_ENROLLED, now)]
            row.invoice = state.invoice if state.open else 0
            row.market = state.market
            row.group = state.group
            row.arm = label


@rule(Int(World, State, Int))
def is_billed_now(world, state, now):
    """Whether the billing day or sign-up that is due happens now; a payment that may come back puts it off."""
    return 1 if now < world.bills_until and state.pending != PENDING_RETURN else 0
