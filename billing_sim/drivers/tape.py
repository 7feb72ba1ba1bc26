"""The tape of a coupled run: what each barrier published, and what each desk answered to whom.

With it a life is again a matter of one person: whoever plays the tape sees in every window what everybody saw there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from billing_sim.drivers.requests import EFFECT, REQUEST
from billing_sim.drivers.tuning import FIRST_WINDOW, WINDOW
from billing_sim.rule import records
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.record import PUBLISHED


@dataclass(frozen=True)
class Tape:
    """`tables` (int64, a row for each window): what stood at these `places` of `world.published`; 0 everywhere else.

    `effects` (`requests.EFFECT`) with the
    barriers that delivered them (`due`, microseconds UTC) in the order of subscribers, for each in that of delivery.
    `requests` (`requests.REQUEST`) are what was asked of desks, in the order of windows.
    """

    places: np.ndarray
    tables: np.ndarray
    effects: np.ndarray
    due: np.ndarray
    requests: np.ndarray

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return sum(part.nbytes for part in (self.places, self.tables, self.effects, self.due, self.requests))

    def row(self, k: int) -> np.ndarray:
        """What `world.published` was in window `k`; nothing, before the first one."""
        row = np.zeros(PUBLISHED, np.int64)
        if k >= 0:
            row[self.places] = self.tables[k]
        return row

    def seen_at(self, places: np.ndarray) -> Tape:
        """The same tape, with tables for these places, among which are its own."""
        tables = np.zeros((len(self.tables), len(places)), np.int64)
        tables[:, np.searchsorted(places, self.places)] = self.tables
        return replace(self, places=places, tables=tables)

    def asked(self, begin: int, end: int) -> np.ndarray:
        """What was asked of desks in the window [begin, end)."""
        first, last = np.searchsorted(self.requests["at"], (begin, end))
        return self.requests[first:last]


_NO_NUMBERS = np.zeros(0, np.int64)
NOTHING_SHARED = Tape(_NO_NUMBERS, np.zeros((0, 0), np.int64), np.zeros(0, EFFECT), _NO_NUMBERS, np.zeros(0, REQUEST))
"""The tape of a world in which nobody shares anything."""


def span_of(before: CompiledWorld, after: CompiledWorld | None = None) -> np.ndarray:
    """The span of a run as `drivers.tuning` describes it."""
    after = after or before
    start, end, window = (int(after.record[name][0]) for name in ("start", "end", "window"))
    assert start == int(before.record["start"][0])
    return np.array([start, end, window, start // window, int(before is not after)], np.int64)


def worlds_of(before: CompiledWorld, after: CompiledWorld | None = None) -> np.ndarray:
    """The worlds of a coupled run, as copies: one until the start if it is another, and those from then on."""
    after = after or before
    if before is after:
        return records(after.record.copy())
    return records(np.concatenate([before.record[:1], after.record]))


def window_of(span: np.ndarray, at: int) -> int:
    """The number of the window in which a moment lies, from 0 for that of the start."""
    return at // int(span[WINDOW]) - int(span[FIRST_WINDOW])


class Recorder:
    """Fills a tape, a window at a time."""

    def __init__(self) -> None:
        self._rows: list[np.ndarray] = []
        self._effects: list[np.ndarray] = []
        self._due: list[np.ndarray] = []
        self._requests: list[np.ndarray] = []

    def add_effects(self, effects: np.ndarray, now: int) -> None:
        """What a barrier delivered, in that order."""
        if len(effects):
            self._effects.append(effects.copy())
            self._due.append(np.full(len(effects), now, np.int64))

    def add_requests(self, requests: np.ndarray) -> None:
        """What was asked of desks in a window."""
        if len(requests):
            self._requests.append(requests)

    def add_row(self, row: np.ndarray) -> None:
        """What a barrier published."""
        self._rows.append(row)

    def tape(self) -> Tape:
        """The tape so far."""
        effects = np.concatenate([np.zeros(0, EFFECT), *self._effects])
        due = np.concatenate([np.zeros(0, np.int64), *self._due])
        requests = np.concatenate([np.zeros(0, REQUEST), *self._requests])
        return tape_from(np.stack(self._rows), effects, due, requests)


def tape_from(rows: np.ndarray, effects: np.ndarray, due: np.ndarray, requests: np.ndarray) -> Tape:
    """A tape of what each barrier published (a row each) and delivered, and of what was asked, in the order of time."""
    order = np.argsort(effects["subscriber"], kind="stable")
    places = np.flatnonzero(rows.any(axis=0))
    return Tape(places, np.ascontiguousarray(rows[:, places]), effects[order], due[order], requests)
