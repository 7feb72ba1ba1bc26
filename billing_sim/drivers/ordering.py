"""Requests and effects in their total order, for compiled loops (`drivers.requests.in_order` is that of NumPy)."""

from __future__ import annotations

import numpy as np
from numba import types

from billing_sim.drivers.requests import Effects, Requests
from billing_sim.lifecycle.state import Int, Nothing
from billing_sim.rule import rule

_Numbers = types.Array(types.int64, 1, "C")
_Table = types.Array(types.int64, 2, "C")


@rule(Int(_Table, Int, Int))
def comes_after(keys, a, b):
    """Whether row `a` belongs behind row `b`: the first number in which they differ decides."""
    for c in range(keys.shape[1]):
        if keys[a, c] != keys[b, c]:
            return 1 if keys[a, c] > keys[b, c] else 0
    return 0


@rule(_Numbers(_Table), allocates=True)
def order_of(keys):
    """The places of the rows in their order; equal ones stay as they are (merging runs twice as long in each pass)."""
    count = len(keys)
    order = np.arange(count)
    merged = np.empty(count, np.int64)
    width = 1
    while width < count:
        for begin in range(0, count, 2 * width):
            middle = min(begin + width, count)
            end = min(begin + 2 * width, count)
            left = begin
            right = middle
            for i in range(begin, end):
                if right == end or (left < middle and not comes_after(keys, order[left], order[right])):
                    merged[i] = order[left]
                    left += 1
                else:
                    merged[i] = order[right]
                    right += 1
        order, merged = merged, order
        width *= 2
    return order


@rule(Nothing(Requests, _Numbers), allocates=True)
def order_requests(requests, beside):
    """Put requests into their order, in place; where two are alike, those `beside` the others (1) come first."""
    count = len(requests)
    if count < 2:
        return
    keys = np.empty((count, 5), np.int64)
    for i in range(count):
        keys[i, 0] = requests[i].at
        keys[i, 1] = requests[i].subscriber
        keys[i, 2] = requests[i].queue
        keys[i, 3] = requests[i].detail
        keys[i, 4] = 1 - beside[i]
    order = order_of(keys)
    unordered = requests.copy()
    for i in range(count):
        requests[i] = unordered[order[i]]
        beside[i] = 1 - keys[order[i], 4]


@rule(Nothing(Effects), allocates=True)
def order_effects(effects):
    """Put effects into their order, in place."""
    count = len(effects)
    if count < 2:
        return
    keys = np.empty((count, 4), np.int64)
    for i in range(count):
        keys[i, 0] = effects[i].at
        keys[i, 1] = effects[i].subscriber
        keys[i, 2] = effects[i].queue
        keys[i, 3] = effects[i].detail
    order = order_of(keys)
    unordered = effects.copy()
    for i in range(count):
        effects[i] = unordered[order[i]]
