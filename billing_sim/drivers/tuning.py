"""Playing a tape: a world is tuned to what was published for the window in which something happens."""

from __future__ import annotations

from numba import types

from billing_sim.lifecycle.state import Int, Nothing, World
from billing_sim.rule import rule

_Numbers = types.Array(types.int64, 1, "C")
_Table = types.Array(types.int64, 2, "C")

START, END, WINDOW, FIRST_WINDOW, FROM_START = range(5)
"""Places in a span: start and end of a run, length of a window, number of the first one, and the place of the first
world that holds from the start on."""


@rule(Int(_Numbers, Int), inline=True)
def list_of(span, at):
    """The window in which a moment lies, from 0."""
    return at // span[WINDOW] - span[FIRST_WINDOW]


@rule(Nothing(World, _Numbers, _Table, Int))
def tune(world, places, tables, k):
    """Let a world show what was published for window `k`; before the first one, nothing was."""
    for p in range(len(places)):
        world.published[places[p]] = tables[k, p] if k >= 0 else 0
