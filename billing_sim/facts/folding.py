"""Folding blocks of the log into facts, in whatever process or thread the blocks pass by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from billing_sim import clock
from billing_sim.facts.context import context_of
from billing_sim.facts.fold import EVERYBODY, fold_rows
from billing_sim.facts.record import BLOCK_ROWS, NAMES, PAGE, PERSON
from billing_sim.rule import records


class Folder:
    """Folds the rows of whole lives, block by block; one for each thread.

    With `known_before` (microseconds UTC) it folds what had been recorded before that moment. With `whom` only those of
    whom nothing was recorded from `settled_before` on are folded (`fold.SETTLED`), or only the others (`UNSETTLED`).


    >>> folder = Folder(world_events, vocabularies)       # doctest: +SKIP
    >>> facts = folder.fold(rows)                         # doctest: +SKIP
    """

    def __init__(
        self,
        world_events: Sequence[Mapping[str, Any]],
        vocabularies: Mapping[str, Sequence[str]],
        known_before: int = clock.NEVER,
        whom: int = EVERYBODY,
        settled_before: int = clock.NEVER,
    ) -> None:
        context = context_of(world_events, vocabularies, known_before)
        context["whom"], context["settled_before"] = whom, settled_before
        self._context = records(context)
        self._person = records(np.zeros(1, PERSON))
        self._page = np.zeros(1, PAGE)
        self._pages = records(self._page)

    def fold(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Facts by name for at most BLOCK_ROWS rows of `events.ROW`; the arrays are good until the next call."""
        if len(rows) > BLOCK_ROWS:
            raise ValueError(f"{len(rows)} rows are more than a block")
        if fold_rows(self._context, self._person, self._pages, records(rows), len(rows)):
            return self._in_two(rows)
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
