"""The barrier again, in Python's own integers and lists: a witness for the compiled one, which must not overflow."""

from __future__ import annotations

from collections import deque

import numpy as np

from billing_sim import draws
from billing_sim.clock import DAY, HOUR
from billing_sim.drivers.publishing import ATTEMPTS, SUCCESSES
from billing_sim.world.load import PARTS, STEPS
from billing_sim.world.record import GATEWAYS, LOADS, PUBLISHED, RATE, REFUSED, SLOW, TIMEOUTS

_PRIOR_SUCCESSES, _PRIOR_ATTEMPTS = 9, 10
_MILLION = 1_000_000


class NaiveBarrier:
    """Publishes for one run, window after window, as `drivers.barrier.Barrier` does."""

    def __init__(self, record: np.recarray) -> None:
        record, records = record[0], record
        self._window = int(record.window)
        self._gateways = range(int(record.gateways))
        self._capacity = [int(it) for it in record.capacity]
        self._comfortable = [int(it) for it in record.comfortable]
        self._slow, self._timeouts = record.slow_at, record.timeout_at
        # An arm of an experiment may route by it alone.
        self._rates = bool(records.route_by.any())
        together = max(1, HOUR // self._window)
        self._span = together * self._window
        self._day: deque[np.ndarray] = deque(maxlen=max(1, DAY // self._window))
        self._of_day: np.ndarray = np.zeros((2, GATEWAYS), np.int64)
        self._hour: deque[np.ndarray] = deque(maxlen=together)
        self._admitted: deque[list[int]] = deque([[0] * GATEWAYS] * (together - 1), maxlen=together - 1)

    @property
    def needs_bookings(self) -> bool:
        """Whether any gateway has a capacity."""
        return any(self._capacity)

    def publish(self, bookings: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """What `world.published` is until the next barrier.

        `bookings` (int64, GATEWAYS squared) counts those who booked a gateway, by the one they would go on to;
        `counts` (int64, 2 x GATEWAYS) attempts and successes of the window before.
        """
        row = np.zeros(PUBLISHED, np.int64)
        if self.needs_bookings:
            row[REFUSED : REFUSED + GATEWAYS] = self._refused(bookings.reshape(GATEWAYS, GATEWAYS))
        self._hour.append(counts.copy())
        for g in self._gateways:
            if self._comfortable[g]:
                came = sum(int(window[ATTEMPTS, g]) for window in self._hour)
                step = came * PARTS * STEPS * HOUR // (self._comfortable[g] * self._span)
                row[SLOW + g] = self._slow[g, min(step, LOADS - 1)]
                row[TIMEOUTS + g] = self._timeouts[g, min(step, LOADS - 1)]
        if self._rates:
            row[RATE : RATE + GATEWAYS] = _success_rates(self._of_last_day(counts))
        return row

    def _of_last_day(self, counts: np.ndarray) -> np.ndarray:
        if len(self._day) == self._day.maxlen:
            self._of_day -= self._day[0]
        self._day.append(counts.copy())
        self._of_day += counts
        return self._of_day

    def _refused(self, bookings: np.ndarray) -> list[int]:
        """The share of attempts that each gateway refuses, as a threshold; what one refuses, another may get."""
        demand = [int(it) for it in bookings.sum(axis=1)]
        came, room = list(demand), [self._room(g) if self._capacity[g] else 0 for g in range(GATEWAYS)]
        for g in self._gateways:
            beyond = demand[g] * PARTS - room[g]
            if self._capacity[g] and beyond > 0:
                for other in self._gateways:
                    if other != g:
                        came[other] += int(bookings[g, other]) * beyond // (demand[g] * PARTS)
        self._admitted.append([min(came[g] * PARTS, room[g]) for g in range(GATEWAYS)])
        return [self._share_beyond(g, came[g], room[g]) for g in range(GATEWAYS)]

    def _room(self, gateway: int) -> int:
        """Attempts that a gateway takes in the window ahead, in parts."""
        taken = sum(window[gateway] for window in self._admitted)
        return max(0, self._capacity[gateway] * self._span // HOUR - taken)

    def _share_beyond(self, gateway: int, demand: int, room: int) -> int:
        if not self._capacity[gateway] or demand * PARTS <= room:
            return 0
        return draws.ONE - draws.ONE * room // (demand * PARTS)


def _success_rates(counts: np.ndarray) -> np.ndarray:
    """Successes per million attempts; a gateway of which little is known counts as good as most."""
    return (counts[SUCCESSES] + _PRIOR_SUCCESSES) * _MILLION // (counts[ATTEMPTS] + _PRIOR_ATTEMPTS)
