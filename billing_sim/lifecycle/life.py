"""One step of a life: the next alarm rings in the world in which the person lives.

That world is the scenario's own, until an experiment enrols the person; then it is the one of their arm. Enrolment is
decided here, because a rule sees one world only: before a sign-up or renewal, at the start, or between a failed attempt
and what is done about it.
"""

from __future__ import annotations

from numba import types

from billing_sim.lifecycle.changing import foresee_change_anew
from billing_sim.lifecycle.collecting import face_failure
from billing_sim.lifecycle.experiments import AT_FIRST_FAILURE, AT_RENEWAL, AT_SIGN_UP, AT_START, enrol, is_billed_now
from billing_sim.lifecycle.intent import foresee_intent_anew
from billing_sim.lifecycle.methods import foresee_episodes_anew
from billing_sim.lifecycle.ring import next_alarm, ring
from billing_sim.lifecycle.state import (
    ALARM_IMPORT,
    ALARM_RENEWAL,
    ALARM_SIGNUP,
    SUBSCRIBED,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.rule import rule
from billing_sim.world.record import PUBLISHED

_Worlds = types.Array(World, 1, "C")


@rule(Nothing(World, World))
def show_the_same(source, target):
    """What people share looks the same from every arm: who moves within a step sees there what they saw before."""
    for p in range(PUBLISHED):
        target.published[p] = source.published[p]


@rule(Nothing(_Worlds, Int, State, Int, Int))
def settle_in(worlds, first, state, before, now):
    """Whoever moves to another world sees there what they saw before, and what they will meet follows its rules."""
    if state.lives_in == before:
        return
    world = worlds[first + state.lives_in]
    if worlds[first].shared or world.shared:
        show_the_same(worlds[first + before], world)
    if state.phase == SUBSCRIBED:
        foresee_intent_anew(world, state, now)
        foresee_episodes_anew(world, state, now)
        foresee_change_anew(world, state, now)


@rule(Int(_Worlds, Int, State, Page))
def step_enrolling(worlds, first, state, page):
    """One step where there are experiments; the scenario's own world is the `first`, its arms follow."""
    own = worlds[first]
    before = state.lives_in
    alarm = state.turn
    now = state.alarm[alarm]
    if alarm in (ALARM_RENEWAL, ALARM_SIGNUP) and is_billed_now(own, state, now):
        enrol(own, state, page, AT_RENEWAL if alarm == ALARM_RENEWAL else AT_SIGN_UP, now)
        settle_in(worlds, first, state, before, now)
        before = state.lives_in
    at = ring(worlds[first + state.lives_in], state, page)
    if alarm == ALARM_IMPORT:
        enrol(own, state, page, AT_START, now)
        settle_in(worlds, first, state, before, now)
        at = next_alarm(state)
    elif state.enrols:
        state.enrols = 0
        enrol(own, state, page, AT_FIRST_FAILURE, now)
        settle_in(worlds, first, state, before, now)
        face_failure(worlds[first + state.lives_in], state, page, state.enrols_slot, now)
        at = next_alarm(state)
    return at


@rule(Int(_Worlds, Int, State, Page), inline=True)
def step_from(worlds, first, state, page):
    """Ring the alarm whose turn it is, in the person's world among those from `first` on; return the next moment."""
    if worlds[first].enrolling:
        return step_enrolling(worlds, first, state, page)
    return ring(worlds[first], state, page)


@rule(Int(_Worlds, State, Page), inline=True)
def step(worlds, state, page):
    """The same where there are no worlds but those of one scenario."""
    return step_from(worlds, 0, state, page)
