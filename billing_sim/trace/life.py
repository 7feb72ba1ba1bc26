"""One subscriber's rows, simulated again from the run's scenario: exact, and there even when no log was kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from billing_sim.clock import NEVER
from billing_sim.drivers.kernel import begin_life, ring_once
from billing_sim.drivers.tape import NOTHING_SHARED, Tape, span_of, window_of, worlds_of
from billing_sim.lifecycle.ring import MOST_ROWS
from billing_sim.lifecycle.state import PAGE_ROWS, PAGE_TRUTHS, new_page, new_states
from billing_sim.rule import records
from billing_sim.world.compile import CompiledWorld


@dataclass
class Life:
    """What one person's life left behind: public rows, sealed rows, and the person as they were at each failure.

    `rows` is an array of `events.ROW` in order of sequence, `truths` one of `events.TRUTH_ROW`. `failures` holds, for
    each invoice that went into dunning, a record of `lifecycle.state.STATE` as it was when that happened.
    """

    subscriber: int
    market: int
    rows: np.ndarray
    truths: np.ndarray
    failures: dict[int, np.ndarray] = field(default_factory=dict)


def relive(world: CompiledWorld, market: int, subscriber: int, tape: Tape = NOTHING_SHARED) -> Life:
    """Run one person's life to the horizon of the world; `market` is the number of their market there.

    Where people share something, `tape` is what everybody met there.
    """
    if world.is_coupled:
        return _relive_among_others(world, market, subscriber, tape)
    record, states, page = records(world.record), records(new_states(1)), new_page()
    pages, filled, notes = records(page), np.zeros(3, np.int64), _Notes()
    end = int(world.record["end"][0])
    at = int(begin_life(record, states, 0, market, subscriber))
    while at < end:
        if filled[0] > PAGE_ROWS - MOST_ROWS or filled[1] > PAGE_TRUTHS - MOST_ROWS:
            notes.turn(page, filled)
        at = int(ring_once(record, states, 0, pages, filled))
        notes.watch(states)
    notes.turn(page, filled)
    return Life(subscriber, market, np.concatenate(notes.rows), np.concatenate(notes.truths), notes.failures)


def _relive_among_others(world: CompiledWorld, market: int, subscriber: int, tape: Tape) -> Life:
    from billing_sim.drivers.together import receive_one  # compiled only where people share something

    worlds, states, page, span = worlds_of(world), records(new_states(1)), new_page(), span_of(world)
    pages, filled, notes = records(page), np.zeros(3, np.int64), _Notes()
    own = tape.effects["subscriber"] == subscriber
    effects, due = records(np.ascontiguousarray(tape.effects[own])), [*tape.due[own].tolist(), NEVER]
    at, end, e = int(begin_life(worlds, states, 0, market, subscriber)), int(world.record["end"][0]), 0
    while at < end or due[e] < NEVER:
        if filled[0] > PAGE_ROWS - MOST_ROWS or filled[1] > PAGE_TRUTHS - MOST_ROWS:
            notes.turn(page, filled)
        if due[e] <= at or at >= end:
            worlds["published"][:] = tape.row(window_of(span, due[e]) - 1)
            at = int(receive_one(worlds, span, states, 0, pages, effects, e, due[e], filled))
            e += 1
        else:
            worlds["published"][:] = tape.row(window_of(span, at))
            at = int(ring_once(worlds, states, 0, pages, filled))
            states["asks"][0] = 0
        notes.watch(states)
    notes.turn(page, filled)
    return Life(subscriber, market, np.concatenate(notes.rows), np.concatenate(notes.truths), notes.failures)


class _Notes:
    """What is kept while a life goes by: full pages, and the person at each first failure."""

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []
        self.truths: list[np.ndarray] = []
        self.failures: dict[int, np.ndarray] = {}
        self._failed_at = NEVER
        self._as_failed = np.empty(0)

    def turn(self, page: np.ndarray, filled: np.ndarray) -> None:
        """Take the rows of a page away and begin it anew."""
        self.rows.append(page["rows"][0, : filled[0]].copy())
        self.truths.append(page["truths"][0, : filled[1]].copy())
        filled[:2] = 0

    def watch(self, states: np.ndarray) -> None:
        """Keep the person when an invoice has just failed; one that failed before the run gets its number later."""
        failed_at = int(states["first_failed"][0])
        if failed_at in (0, NEVER):
            return
        if failed_at != self._failed_at:
            self._failed_at, self._as_failed = failed_at, states.copy()
        invoice = int(states["invoice"][0])
        if invoice and states["logging"][0]:
            self.failures.setdefault(invoice, self._as_failed)
