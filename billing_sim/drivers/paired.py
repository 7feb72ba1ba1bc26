"""The driver of what if: people live in one world until the start, and in another from then on.

Members of the base are those of the first world, with the tenure, methods and debts that it gave them; the second
decides what happens to them. So the same people can be followed under other rules, or with a cause of failure gone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from billing_sim.drivers.block import Block, too_long
from billing_sim.drivers.kernel import run_paired_lives
from billing_sim.drivers.tape import Tape
from billing_sim.lifecycle.state import new_page, new_states
from billing_sim.rule import records
from billing_sim.world.compile import CompiledWorld


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
