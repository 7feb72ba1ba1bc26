"""The driver that you run: one compiled call simulates life after life until a page of the log is full."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from billing_sim.drivers.block import Block, too_long
from billing_sim.drivers.kernel import run_lives
from billing_sim.drivers.shards import people_of_shard
from billing_sim.drivers.tape import Tape
from billing_sim.lifecycle.state import new_page, new_states
from billing_sim.rule import records
from billing_sim.world.compile import CompiledWorld


def lives(world: CompiledWorld, shard: int, tape: Tape | None = None) -> Iterator[Block]:
    """Simulate a shard to the horizon, a page of rows at a time.

    Where people share something, by the `tape` of all of them, which is made when none is given.
    """
    yield from lives_of(world, *people_of_shard(world, shard), tape)


def lives_of(
    world: CompiledWorld, numbers: np.ndarray, markets: np.ndarray, tape: Tape | None = None
) -> Iterator[Block]:
    """The same of these people: numbers and market indices, int64, in the order in which they are to live."""
    if world.is_coupled:
        from billing_sim.drivers import by_tape, coupled

        yield from by_tape.lives(world, world, numbers, markets, tape or coupled.tape_of(world))
        return
    record, states, page = records(world.record), records(new_states(2)), new_page()
    pages = records(page)
    filled = np.zeros(3, np.int64)
    first = 0
    while first < len(numbers):
        rung = int(filled[2])
        following = int(run_lives(record, numbers, markets, first, states, pages, filled))
        if following == first:
            raise too_long(int(numbers[first]))
        rows, truths = page["rows"][0, : filled[0]], page["truths"][0, : filled[1]]
        yield Block(rows, truths, following - first, int(filled[2]) - rung)
        first = following
