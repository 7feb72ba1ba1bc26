"""What one person meets who goes on alone, by the tape of those with whom they would have shared something.

They see what barriers published for those others, and desks answer them as one more who came beside those others
(`drivers.lines`). Where people share nothing, nothing was published and nobody asks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from billing_sim.clock import NEVER
from billing_sim.drivers.lines import NO_LINES, Lines, answer, lines_of
from billing_sim.drivers.requests import EFFECT, REQUEST, Effect, Effects, Requests, queue_of
from billing_sim.drivers.tape import Tape, span_of
from billing_sim.drivers.tuning import END, START, WINDOW, list_of, tune
from billing_sim.drivers.windows import receive, write_request
from billing_sim.lifecycle.life import step
from billing_sim.lifecycle.reviews import REVIEW_QUEUE, is_awaited
from billing_sim.lifecycle.ring import next_alarm
from billing_sim.lifecycle.state import Int, Nothing, Page, State, World
from billing_sim.lifecycle.support import ANSWERED, SUPPORT_QUEUE
from billing_sim.rule import records, rule
from billing_sim.world.compile import CompiledWorld

_Worlds = types.Array(World, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")
_Table = types.Array(types.int64, 2, "C")
Others = types.Tuple((_Numbers, _Numbers, _Table, Lines))
"""Those beside whom somebody goes on: the span of their run (`drivers.tuning`), what was published (`drivers.tape`),
and their lines at desks."""
Answers = types.Tuple((Effects, Requests, _Numbers))
"""What desks will tell somebody, in the order of time; room for a request; and how many answers there are."""

_ROOM = 16
"""More answers than anybody waits for: two of support, one of reviewers, and those to a matter that is over."""


@rule(Int(_Numbers))
def last_barrier(span):
    """The end of the last window of a run."""
    return ((span[END] - 1) // span[WINDOW] + 1) * span[WINDOW]


@rule(Int(_Numbers, Answers))
def next_answer(span, answers):
    """The barrier at which the next answer is delivered, NEVER for none."""
    coming, _, count = answers
    return (coming[0].at // span[WINDOW] + 1) * span[WINDOW] if count[0] else NEVER


@rule(Nothing(Effect, Int, Int, Int, Int))
def write_answer(effect, at, queue, outcome, wait):
    """What a person learns of a desk's answer."""
    effect.at = at
    effect.queue = queue
    effect.outcome = outcome
    effect.wait = wait


@rule(Int(Effect, Effect))
def is_later(one, other):
    """Whether one answer is told after another."""
    return 1 if one.at > other.at or (one.at == other.at and one.queue > other.queue) else 0


@rule(Nothing(Answers, Int))
def put_in_order(answers, place):
    """Move the answer at a place before those that come later, and count it."""
    coming, _, count = answers
    count[0] += 1
    while place > 0 and is_later(coming[place - 1], coming[place]):
        one = coming[place - 1]
        other = coming[place]
        at, queue, outcome, wait = other.at, other.queue, other.outcome, other.wait
        write_answer(other, one.at, one.queue, one.outcome, one.wait)
        write_answer(one, at, queue, outcome, wait)
        place -= 1


@rule(Nothing(Answers))
def drop_first(answers):
    """The first answer has been delivered."""
    coming, _, count = answers
    count[0] -= 1
    for i in range(count[0]):
        following = coming[i + 1]
        write_answer(coming[i], following.at, following.queue, following.outcome, following.wait)


@rule(Nothing(State, Effects, Int, Answers))
def take_along(state, effects, first, answers):
    """What a person still waits for goes with them, of their own effects on the tape from place `first` on.

    A contact under way has one or two answers, the last of which ends it.
    """
    coming, _, count = answers
    count[0] = 0
    in_contact = state.contact_open
    e = first
    while e < len(effects) and effects[e].subscriber == state.subject:
        effect = effects[e]
        takes = False
        if effect.queue == SUPPORT_QUEUE and in_contact:
            takes = True
            in_contact = effect.outcome == ANSWERED
        elif effect.queue == REVIEW_QUEUE:
            takes = is_awaited(state, effect.at, effect.outcome, effect.wait) != 0
        if takes:
            write_answer(coming[count[0]], effect.at, effect.queue, effect.outcome, effect.wait)
            count[0] += 1
        e += 1


@rule(Nothing(World, State, Others, Answers))
def ask(world, state, others, answers):
    """Put what a person has asked for to its desk, and its answers among those to come."""
    span, _, _, lines = others
    coming, request, count = answers
    write_request(state, request[0], 0)
    told = answer(world, lines, request[0], coming[count[0] :], last_barrier(span))
    for _ in range(told):
        put_in_order(answers, count[0])


@rule(Int(_Worlds, State, Page, Others, Answers))
def go_on(worlds, state, page, others, answers):
    """Let happen what comes next, on a page that nobody keeps: an alarm or an answer. Returns when the one after comes.

    Answers come before what rings at the same barrier.
    """
    span, places, tables, _ = others
    coming, _, _ = answers
    state.rows = 0
    state.truths = 0
    at = next_alarm(state)
    barrier = next_answer(span, answers)
    world = worlds[state.lives_in]
    if barrier <= at:
        tune(world, places, tables, list_of(span, barrier) - 1)
        at = receive(world, state, page, barrier, coming[0])
        drop_first(answers)
    else:
        tune(world, places, tables, list_of(span, at))
        following = step(worlds, state, page)
        if state.asks and at >= span[START]:
            ask(worlds[0], state, others, answers)
        state.asks = 0
        at = following
    return min(at, next_answer(span, answers))


def others_of(world: CompiledWorld, tape: Tape, places: np.ndarray | None = None) -> tuple[Any, ...]:
    """Those of a run whose tape this is; with what was published at these places of `world.published`, if named.

    Who meets first these others and then those has to look at the same places of both.
    """
    span = span_of(world)
    lines = NO_LINES
    if queue_of(world) is not None:
        last = -(-int(span[END]) // int(span[WINDOW])) * int(span[WINDOW])
        lines = lines_of(world.record, tape.requests, last)
    seen = tape if places is None else tape.seen_at(places)
    return span, seen.places, seen.tables, lines


def in_a_room_of_their_own(others: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same others, with room to work in that no other thread uses."""
    *seen, (*line, busy) = others
    return (*seen, (*line, np.zeros_like(busy)))


def no_answers() -> tuple[Any, ...]:
    """Room for answers of desks, of which none is to come."""
    return records(np.zeros(_ROOM, EFFECT)), records(np.zeros(1, REQUEST)), np.zeros(1, np.int64)
