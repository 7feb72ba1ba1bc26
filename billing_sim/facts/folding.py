"""Folding blocks of the log into facts, in whatever process or thread the blocks pass by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from billing_sim import clock
from billing_sim.facts.context import context_of
from billing_sim.facts.fold import fold_rows, part_settled
from billing_sim.facts.record import BLOCK_ROWS, NAMES, PAGE, PERSON
from billing_sim.rule import records

Stretches: TypeAlias = np.ndarray
"""int64[n, 2]: rows [first, end) of whole lives, ascending."""


def settled_and_not(rows: np.ndarray, moment: int) -> tuple[Stretches, Stretches]:
    """Where the rows lie of people of whom nothing was recorded from a moment (microseconds UTC) on, and of the rest.

    `rows` are of `events.ROW`, whole lives.
    """
    edges = np.empty(len(rows) + 2, np.int64)
    found = edges[: part_settled(records(rows), moment, edges)]
    return _stretches(found), _stretches(found[1:])


def _stretches(edges: np.ndarray) -> Stretches:
    """Every other one of the stretches between these edges, from the first one on."""
    return np.ascontiguousarray(edges[: len(edges) // 2 * 2].reshape(-1, 2))


def new_page() -> np.ndarray:
    """Room for the facts of a block, as `record.PAGE`[1]."""
    return np.zeros(1, PAGE)


class Folder:
    """Folds the rows of whole lives, block by block; one for each thread.

    With `known_before` (microseconds UTC) it folds what had been recorded before that moment. Who wants no months is
    spared them (`tells_months`): they take a sixth of the time. Folders that take turns may share a `page`, of which
    more stays in the processor's cache than of one for each.

    >>> folder = Folder(world_events, vocabularies)       # doctest: +SKIP
    >>> facts = folder.fold(rows)                         # doctest: +SKIP
    """

    def __init__(
        self,
        world_events: Sequence[Mapping[str, Any]],
        vocabularies: Mapping[str, Sequence[str]],
        known_before: int = clock.NEVER,
        *,
        tells_months: bool = True,
        page: np.ndarray | None = None,
    ) -> None:
        context = context_of(world_events, vocabularies, known_before)
        context["tells_months"] = tells_months
        self._context = records(context)
        self._person = records(np.zeros(1, PERSON))
        self._page = new_page() if page is None else page
        self._pages = records(self._page)

    def fold(self, rows: np.ndarray, stretches: Stretches | None = None) -> dict[str, np.ndarray]:
        """Facts by name of at most BLOCK_ROWS rows of `events.ROW`, or of some `stretches` of them.

        The arrays are good until the next call.
        """
        if len(rows) > BLOCK_ROWS:
            raise ValueError(f"{len(rows)} rows are more than a block")
        meant = np.array([[0, len(rows)]]) if stretches is None else stretches
        if fold_rows(self._context, self._person, self._pages, records(rows), meant):
            return self._in_two(rows if stretches is None else np.concatenate([rows[a:b] for a, b in stretches]))
        counts = self._page["count"][0]
        return {name: self._page[name][0][: counts[i]] for i, name in enumerate(NAMES)}

    def _in_two(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Facts of a block with more months than a page has room for, which happens where ends of spells were lost."""
        starts = np.flatnonzero(np.diff(rows["subscriber"])) + 1
        if not len(starts):
            raise ValueError(f"subscriber {rows['subscriber'][0]} has more months than a page has room for")
        middle = starts[len(starts) // 2]
        first = {name: facts.copy() for name, facts in self.fold(rows[:middle]).items()}
        return {name: np.concatenate([first[name], facts]) for name, facts in self.fold(rows[middle:]).items()}
