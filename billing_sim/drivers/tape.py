"""The tape of a coupled run: what each barrier published, and what each desk answered to whom.

With it a life is again a matter of one person: whoever plays the tape sees in every window what everybody saw there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from billing_sim.drivers.requests import EFFECT
from billing_sim.world.record import PUBLISHED


@dataclass(frozen=True)
class Tape:
    """`tables` (int64, a row for each window): what stood at these `places` of `world.published`; 0 everywhere else.

    `effects` (`requests.EFFECT`) with the
    barriers that delivered them (`due`, microseconds UTC) in the order of subscribers, for each in that of delivery.
    """

    places: np.ndarray
    tables: np.ndarray
    effects: np.ndarray
    due: np.ndarray

    def row(self, k: int) -> np.ndarray:
        """What `world.published` was in window `k`."""
        row = np.zeros(PUBLISHED, np.int64)
        row[self.places] = self.tables[k]
        return row


class Recorder:
    """Fills a tape, a window at a time."""

    def __init__(self) -> None:
        self._rows: list[np.ndarray] = []
        self._effects: list[np.ndarray] = []
        self._due: list[np.ndarray] = []

    def add_effects(self, effects: np.ndarray, now: int) -> None:
        """What a barrier delivered, in that order."""
        if len(effects):
            self._effects.append(effects.copy())
            self._due.append(np.full(len(effects), now, np.int64))

    def add_row(self, row: np.ndarray) -> None:
        """What a barrier published."""
        self._rows.append(row)

    def tape(self) -> Tape:
        """The tape so far."""
        effects = np.concatenate([np.zeros(0, EFFECT), *self._effects])
        due = np.concatenate([np.zeros(0, np.int64), *self._due])
        order = np.argsort(effects["subscriber"], kind="stable")
        rows = np.stack(self._rows)
        places = np.flatnonzero(rows.any(axis=0))
        return Tape(places, np.ascontiguousarray(rows[:, places]), effects[order], due[order])
