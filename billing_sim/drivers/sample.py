"""A keyed sample of people: the same ones in every world of a seed, and 1/8 of them among the 1/4."""

from __future__ import annotations

import numpy as np
from numba import types

from billing_sim import draws
from billing_sim import purposes as purpose
from billing_sim.events import ROW
from billing_sim.lifecycle.state import Int
from billing_sim.rule import entry

_Numbers = types.Array(types.int64, 1, "A")
_Flags = types.Array(types.boolean, 1, "C")


@entry(types.void(Int, _Numbers, Int, _Flags))
def choose(seed_key, subscribers, one_in, chosen):
    """Flag the rows of the people whose draw falls into the first of `one_in` equal parts."""
    limit = draws.ONE // one_in
    for i in range(len(subscribers)):
        if i > 0 and subscribers[i] == subscribers[i - 1]:
            chosen[i] = chosen[i - 1]
        else:
            key = draws.subject_key(seed_key, subscribers[i])
            chosen[i] = draws.draw(key, purpose.SAMPLE, 0) < limit


def sampled(seed_key: int, rows: np.ndarray, one_in: int) -> np.ndarray:
    """The rows of one person in `one_in` (a power of two), as a new array of `events.ROW`."""
    assert rows.dtype == ROW
    chosen = np.zeros(len(rows), bool)
    choose(seed_key, rows["subscriber"], one_in, chosen)
    return rows[chosen]
