"""Records of many seeds in one Arrow table: where each seed's rows lie is remembered, and nobody has the same number.

A subscriber keeps who they are within a seed; the seed's number is put above it, so that a join by subscriber never
reaches into another world.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache

import numpy as np
import pyarrow as pa

from billing_sim import people
from billing_sim.runs import tables
from billing_sim.runs.columns import RowGroup, layout_of

_FEWEST, _MOST = 1 << 13, 1 << 17
"""Rows for which room is made at once, twice as many each time: fresh memory is cleared in large pages, and small facts
would pay for room that they never fill."""

_WITHIN_MARKET = (1 << people.MARKET_SHIFT) - 1
_SEED_SHIFT = people.MARKET_SHIFT + 8
"""Above 256 markets; 64 seeds fit."""


class Columns:
    """Records of one table, seed after seed, in all columns or `only` some; moments become plain UTC timestamps."""

    def __init__(
        self, table: str, vocabularies: Mapping[str, tuple[str, ...]], only: Collection[str] | None = None
    ) -> None:
        whole = tables.layouts()[table]
        kept = tuple(it for it in whole.columns if only is None or it.name in only)
        self.names = frozenset(it.name for it in kept)
        self._layout, self._vocabularies = layout_of(kept, whole.dtype, whole.kinds), vocabularies
        self._full: list[pa.RecordBatch] = []
        self._group = RowGroup(self._layout, vocabularies, _FEWEST)
        self.starts: list[int] = []

    @property
    def rows(self) -> int:
        """How many records there are."""
        return sum(batch.num_rows for batch in self._full) + self._group.rows

    def next_seed(self) -> None:
        """The records that follow are another seed's."""
        self.starts.append(self.rows)

    def append(self, rows: np.ndarray) -> None:
        """Take records of the table's dtype."""
        first = 0
        while first < len(rows):
            first += self._group.fill(rows, first)
            if self._group.is_full:
                self._full.append(self._group.batch())
                room = min(2 * self._group.capacity, _MOST)
                self._group = RowGroup(self._layout, self._vocabularies, room)

    def table(self) -> pa.Table:
        """All records."""
        batches = [*self._full, *([self._group.batch()] if self._group.rows else [])]
        whole = pa.Table.from_batches(batches, schema=self._layout.schema)
        return whole.cast(pa.schema([_plain(field) for field in whole.schema]))


def _plain(field: pa.Field) -> pa.Field:
    return pa.field(field.name, pa.timestamp("us")) if pa.types.is_timestamp(field.type) else field


def renumbered(subscribers: np.ndarray, seed_number: int, markets: tuple[str, ...]) -> np.ndarray:
    """The subscribers' numbers with the seed's above them; `markets` are the world's codes, ascending."""
    found: np.ndarray = _places(markets)[subscribers >> people.MARKET_SHIFT]
    found |= subscribers & _WITHIN_MARKET
    found |= seed_number << _SEED_SHIFT
    return found


@cache
def _places(markets: tuple[str, ...]) -> np.ndarray:
    """int64 by market number: the number of the market in this world, shifted to where it belongs.

    It is long (15 MB of addresses) and almost empty, so next to nothing of it is ever in memory.
    """
    codes = [people.market_number(code) for code in markets]
    places = np.zeros(max(codes) + 1, np.int64)
    places[codes] = np.arange(len(codes), dtype=np.int64) << people.MARKET_SHIFT
    return places
