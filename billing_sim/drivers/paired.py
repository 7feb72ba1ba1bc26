"""The driver of what if: people live in one world until the start, and in another from then on.

Members of the base are those of the first world, with the tenure, methods and debts that it gave them; the second
decides what happens to them. So the same people can be followed under other rules, or with a cause of failure gone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numba import types

from billing_sim.drivers.block import Block, too_long
from billing_sim.drivers.tape import Tape
from billing_sim.lifecycle.life import step
from billing_sim.lifecycle.ring import MOST_ROWS, begin, next_alarm
from billing_sim.lifecycle.state import PAGE_ROWS, PAGE_TRUTHS, Int, Page, State, World, new_page, new_states
from billing_sim.rule import entry, records
from billing_sim.world.compile import CompiledWorld

_Worlds = types.Array(World, 1, "C")
_States = types.Array(State, 1, "C")
_Pages = types.Array(Page, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")


@entry(Int(_Worlds, _Worlds, _Numbers, _Numbers, Int, _States, _Pages, _Numbers), long="worlds to compare with")
def run_paired_lives(before, after, numbers, markets, first, states, pages, filled):
    """Run lives from `first` on until the page is full; return the first life that is not on it.

    `before` holds the world until the start, `after` the one from then on; the rest is as in the batch driver's loop.
    """
    page = pages[0]
    written = 0
    told = 0
    i = first
    while i < len(numbers):
        states[0] = states[1]
        state = states[0]
        state.rows = written
        state.truths = told
        begin(before[0], state, markets[i], numbers[i])
        at = next_alarm(state)
        while at < before[0].start:
            at = step(before, state, page)
        while at < after[0].end:
            if state.rows > PAGE_ROWS - MOST_ROWS or state.truths > PAGE_TRUTHS - MOST_ROWS:
                filled[0] = written
                filled[1] = told
                return i
            at = step(after, state, page)
            filled[2] += 1
        written = state.rows
        told = state.truths
        i += 1
    filled[0] = written
    filled[1] = told
    return i


def lives(
    before: CompiledWorld,
    after: CompiledWorld,
    numbers: np.ndarray,
    markets: np.ndarray,
    tape: Tape | None = None,
    page: np.ndarray | None = None,
) -> Iterator[Block]:
    """Simulate these people (numbers and market indices, int64, ascending) to the horizon, a page of rows at a time.

    Both worlds have the same start and the same markets; what they do not share holds from the start on. Where people
    share something in the first one, they live by a `tape`; without one by that of the first world, so that what is
    shared stays as it was and the difference is what the second world does to each directly. Who lives many worlds
    brings the `page` (`lifecycle.state.new_page`).
    """
    if before.is_coupled:
        from billing_sim.drivers import by_tape, coupled

        yield from by_tape.lives(before, after, numbers, markets, tape or coupled.direct_tape_of(before, after))
        return
    page = new_page() if page is None else page
    worlds, states, pages = (records(before.record), records(after.record)), records(new_states(2)), records(page)
    filled = np.zeros(3, np.int64)
    first = 0
    while first < len(numbers):
        rung = int(filled[2])
        following = int(run_paired_lives(*worlds, numbers, markets, first, states, pages, filled))
        if following == first:
            raise too_long(int(numbers[first]))
        rows, truths = page["rows"][0, : filled[0]], page["truths"][0, : filled[1]]
        yield Block(rows, truths, following - first, int(filled[2]) - rung)
        first = following
