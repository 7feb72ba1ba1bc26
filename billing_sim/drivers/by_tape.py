"""Lives that share something, one after the other: each runs by the tape of what all of them did together."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np

from billing_sim.drivers.block import Block, too_long
from billing_sim.drivers.tape import Tape, span_of, worlds_of
from billing_sim.drivers.together import run_by_tape
from billing_sim.lifecycle.state import new_page, new_states
from billing_sim.rule import records
from billing_sim.world.compile import CompiledWorld


def lives(
    before: CompiledWorld, after: CompiledWorld, numbers: np.ndarray, markets: np.ndarray, tape: Tape
) -> Iterator[Block]:
    """Simulate these people to the horizon, a page of rows at a time; `after` holds from the start on.

    `numbers` and `markets` (indices) are int64 and ascending.
    """
    if not len(numbers):
        return
    worlds, span = _own_worlds(before, after), span_of(before, after)
    states, page = records(new_states(2)), new_page()
    pages, filled, first = records(page), np.zeros(3, np.int64), 0
    effects = records(tape.effects)
    while first < len(numbers):
        rung = int(filled[2])
        # Somebody else may have played another tape here while this page was being looked at.
        worlds["published"][:] = 0
        following = int(
            run_by_tape(
                worlds,
                numbers,
                markets,
                first,
                span,
                states,
                pages,
                tape.places,
                tape.tables,
                effects,
                tape.due,
                filled,
            )
        )
        if following == first:
            raise too_long(int(numbers[first]))
        rows, truths = page["rows"][0, : filled[0]], page["truths"][0, : filled[1]]
        yield Block(rows, truths, following - first, int(filled[2]) - rung)
        first = following


_own = threading.local()


def _own_worlds(before: CompiledWorld, after: CompiledWorld) -> np.ndarray:
    """Copies that this thread may tune, kept from one shard to the next: each of its worlds takes ten megabytes."""
    if getattr(_own, "of", None) != (id(before), id(after)):
        _own.worlds, _own.of, _own.held = worlds_of(before, after), (id(before), id(after)), (before, after)
    return _own.worlds
