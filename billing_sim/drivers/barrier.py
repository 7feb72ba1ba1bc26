"""The barrier between two windows: what everybody may see from now on, worked out from integer sums.

Both drivers come here with the same sums (who booked which gateway for the window ahead, how many attempts each gateway
had in the one before) and leave with the same row, so who counted, and in what order, makes no difference.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from billing_sim.clock import DAY, HOUR
from billing_sim.drivers.publishing import ATTEMPTS, HAS_CAPACITY, HAS_RATES, HOURS, SPAN, SUCCESSES, publish_row
from billing_sim.rule import records
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.record import GATEWAYS, PUBLISHED

__all__ = ["ATTEMPTS", "SUCCESSES", "Barrier"]


class Barrier:
    """Publishes for one run, window after window.

    What a gateway can take in an hour is held against the last hour, or the last window where that is longer: shorter
    windows then refuse neither more nor fewer, only sooner.
    """

    def __init__(self, world: CompiledWorld) -> None:
        self._worlds = records(world.record)
        self.memory = memory_of(world)

    @property
    def needs_bookings(self) -> bool:
        """Whether any gateway has a capacity."""
        return bool(self.memory[0][HAS_CAPACITY])

    def publish(self, bookings: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """What `world.published` is until the next barrier.

        `bookings` (int64, GATEWAYS squared) counts those who booked a gateway, by the one they would go on to;
        `counts` (int64, 2 x GATEWAYS) attempts and successes of the window before.
        """
        row = np.zeros(PUBLISHED, np.int64)
        publish_row(self._worlds, self.memory, bookings, counts, row)
        return row


def memory_of(world: CompiledWorld) -> tuple[Any, ...]:
    """What the barriers of a run remember, before the first of them (`drivers.publishing.Memory`)."""
    record = world.record[0]
    window = int(record.window)
    together = max(1, HOUR // window)
    measure = math.gcd(together * window, HOUR)
    knows = np.zeros(5, np.int64)
    knows[SPAN], knows[HOURS] = together * window // measure, HOUR // measure
    # An arm of an experiment may route by success rates alone.
    knows[HAS_RATES], knows[HAS_CAPACITY] = world.record.route_by.any(), record.capacity.any()
    counted = [np.zeros((windows, 2, GATEWAYS), np.int64) for windows in (together, max(1, DAY // window))]
    sums = [np.zeros((size, GATEWAYS), np.int64) for size in (2, together - 1, 2)]
    return (knows, *counted, *sums)
