"""Households that share, and the day on which that ends: hosts are told, a few of them cancel over it.

Whether a member shares, and what they and their borrowers do once they may not, is decided by who they are and when the
crackdown is, by nothing else: so a borrower can work out what the host does.
"""

from __future__ import annotations

from billing_sim import draws, events, people
from billing_sim import purposes as purpose
from billing_sim.clock import DAY, NEVER, SECOND
from billing_sim.lifecycle.agenda import LEAVES_OVER_SHARING, SHARING_ENDS, put_down
from billing_sim.lifecycle.calendar import hour_of
from billing_sim.lifecycle.intent import set_intent
from billing_sim.lifecycle.leaving import leave
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.state import ALARM_INTENT, SUBSCRIBED, Int, Nothing, Page, State, World
from billing_sim.rule import rule
from billing_sim.world.households import household
from billing_sim.world.record import QUANTILES

_DAY_SECONDS = DAY // SECOND


@rule(Int(World, State))
def is_host(world, state):
    """Whether the person lets people outside the household use their account; only members of the start do."""
    if (state.subject >> people.KIND_SHIFT) & 3 != people.BASE:
        return 0
    one, two, three = world.household[0], world.household[1], world.household[2]
    return 1 if household(state.key, world.host_share[state.market], one, two, three) else 0


@rule(Int(World, State))
def joins_by_themselves(world, state):
    """Whether a borrower signs up once sharing is over, without being asked."""
    crackdown = world.crackdown_at[state.market]
    if crackdown == 0:
        return 0
    return 1 if draws.draw(state.key, purpose.JOINS, hour_of(crackdown)) < world.joins else 0


@rule(Int(World, State))
def moment_of_joining(world, state):
    """When a borrower does so; NEVER for those who don't."""
    if not joins_by_themselves(world, state):
        return NEVER
    crackdown = world.crackdown_at[state.market]
    slot = draws.below(draws.draw(state.key, purpose.JOINS_AFTER, hour_of(crackdown)), QUANTILES)
    return crackdown + world.joins_after[slot]


@rule(Nothing(World, State, Int))
def foresee_restriction(world, state, now):
    """A host will be told, some time on the day of the crackdown."""
    crackdown = world.crackdown_at[state.market]
    if crackdown == 0 or not is_host(world, state):
        return
    second = draws.below(draws.draw(state.key, purpose.RESTRICTED_MOMENT, hour_of(crackdown)), _DAY_SECONDS)
    put_down(world, state, now, crackdown + second * SECOND, SHARING_ENDS)


@rule(Nothing(World, State, Page, Int))
def end_sharing(world, state, page, now):
    """A host who is still a member is told that the borrowers have no access any more; some will cancel over it."""
    if state.phase != SUBSCRIBED:
        return
    row = page.rows[record(world, state, page, events.SHARING_RESTRICTED, now)]
    row.market = state.market
    row.group = state.group
    row.reason = events.HOST
    hour = hour_of(world.crackdown_at[state.market])
    if draws.draw(state.key, purpose.HOST_CANCELS, hour) < world.host_cancels:
        slot = draws.below(draws.draw(state.key, purpose.HOST_CANCELS_AFTER, hour), QUANTILES)
        put_down(world, state, now, now + world.host_cancels_after[slot], LEAVES_OVER_SHARING)


@rule(Nothing(World, State, Page, Int))
def leave_over_sharing(world, state, page, now):
    """A host goes because sharing is over, unless they are gone or going."""
    if state.phase != SUBSCRIBED or state.canceling:
        return
    if state.intent != events.GO:
        set_intent(state, page, events.GO, now)
        state.alarm[ALARM_INTENT] = NEVER
    leave(world, state, page, now)
