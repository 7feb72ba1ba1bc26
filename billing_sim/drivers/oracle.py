"""What if: the fate of a single retry at other moments, for a subscriber as they were when a payment first failed.

It is asked by those who may know the truth, never by a run. Other attempts and the member's answers to payment trouble
are left out, and so is what the issuer would remember; what happens anyway is not: payment methods expire or are
lost, people change their mind.
"""

from __future__ import annotations

from numba import types

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import NEVER
from billing_sim.drivers.tuning import list_of, tune
from billing_sim.lifecycle.calendar import hour_of
from billing_sim.lifecycle.fates import choose_gateway, fate
from billing_sim.lifecycle.methods import ask_updater, ring_episode
from billing_sim.lifecycle.outstanding import fate_in_the_end, who_pays
from billing_sim.lifecycle.ring import ring_intent
from billing_sim.lifecycle.state import (
    ALARM_EPISODE,
    ALARM_INTENT,
    FIRST,
    SUBSCRIBED,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.rule import entry, rule

_Worlds = types.Array(World, 1, "C")
_States = types.Array(State, 1, "C")
_Pages = types.Array(Page, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")
_Table = types.Array(types.int64, 2, "C")

LEFT = -1
"""There is nothing to retry: the person has cancelled of their own accord."""


@rule(Nothing(World, State, Page, Int))
def live_on(world, state, page, at):
    """Let happen what comes by then whether or not a payment failed, in the order in which alarms ring."""
    while min(state.alarm[ALARM_EPISODE], state.alarm[ALARM_INTENT]) <= at:
        if state.alarm[ALARM_EPISODE] <= state.alarm[ALARM_INTENT]:
            ring_episode(world, state, page, state.alarm[ALARM_EPISODE])
        else:
            now = state.alarm[ALARM_INTENT]
            state.alarm[ALARM_INTENT] = NEVER
            ring_intent(world, state, page, now)


@rule(Int(World, State, Page, Int))
def fate_of_retry(world, state, page, at):
    """The latent cause for which a merchant-initiated retry at this moment fails, 0 if it succeeds, or `LEFT`.

    What is answered days later, a voucher or a bank's debit, is known here at once.
    """
    live_on(world, state, page, at)
    if state.phase != SUBSCRIBED:
        return LEFT
    ask_updater(world, state, page, FIRST, at)
    occasion = hour_of(at) * 2 + FIRST
    choose_gateway(world, state, page, FIRST, at, draws.draw(state.key, purpose.ROUTE, occasion))
    luck = draws.draw(state.method_key[FIRST], purpose.MACHINE, occasion)
    cause = fate(world, state, FIRST, who_pays(state, FIRST, events.MIT), at, luck)
    return fate_in_the_end(world, state, FIRST, events.MIT, at, cause, luck)


@entry(Nothing(_Worlds, _States, _Pages, _Numbers, _Numbers, _Numbers, _Numbers, _Table))
def fates_of_retry(worlds, states, pages, moments, causes, span, places, tables):
    """Fill in the latent cause of a retry at each moment, for the person in `states[0]`, who stays as they are.

    Each retry is tried by a copy of that person in `states[1]`, on a page that nobody reads. Where people share
    something, `places` and `tables` are those of the tape (`drivers.tape`), else empty.
    """
    for i in range(len(moments)):
        tune(worlds[states[0].lives_in], places, tables, list_of(span, moments[i]))
        states[1] = states[0]
        states[1].rows = 0
        states[1].truths = 0
        states[1].logging = 1
        causes[i] = fate_of_retry(worlds[states[1].lives_in], states[1], pages[0], moments[i])
