"""Who would be in which arm: the keyed hash of an experiment, for many people at once and for splits that never ran."""

# mypy: disallow-untyped-defs=False, check-untyped-defs=False

from __future__ import annotations

import numpy as np
from numba import types

from billing_sim import draws
from billing_sim import purposes as purpose
from billing_sim.lifecycle.state import Int
from billing_sim.rule import entry

_Numbers = types.Array(types.int64, 1, "C")


@entry(types.void(Int, _Numbers, Int, _Numbers, _Numbers))
def deal(seed_key, subscribers, name, shares, arms):
    """Fill `arms` with the arm, from 0, of each person: the first whose cumulative share lies above their draw."""
    for i in range(len(subscribers)):
        u = draws.draw(draws.subject_key(seed_key, subscribers[i]), purpose.ENROL_ARM, name)
        arm = 0
        while arm < len(shares) - 1 and u >= shares[arm]:
            arm += 1
        arms[i] = arm


def dealt(seed_key: int, subscribers: np.ndarray, name: int, shares: np.ndarray) -> np.ndarray:
    """The arm of each person (int64), from cumulative shares (int64 thresholds) under the number of a name."""
    arms = np.zeros(len(subscribers), np.int64)
    deal(seed_key, np.ascontiguousarray(subscribers, np.int64), name, shares, arms)
    return arms
