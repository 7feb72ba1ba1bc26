"""How the log of many seeds is told: the facts of all of them in one set of tables.

Facts are told as they were known at some moment, from the log as it is after some damages, of everybody or of those of
whom something, or nothing, is recorded after the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from itertools import accumulate
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from billing_sim import clock
from billing_sim.facts.folding import Folder, Stretches, new_page, settled_and_not
from billing_sim.facts.record import BLOCK_ROWS
from billing_sim.identity import vocabularies_of
from billing_sim.metrics.source import InMemory
from billing_sim.metrics.tally import GROUPS
from billing_sim.runs import tables
from billing_sim.stress.columns import Columns, renumbered
from billing_sim.stress.damage import damage_facts, damage_rows, whole_lives
from billing_sim.stress.damages import Damage
from billing_sim.stress.lives import Lives
from billing_sim.stress.looked import BEGINS, ENDS, Looked, Wanted, joined

Keep = Callable[[pa.Table, str], pa.Table]
"""Which rows of a fact, whose name it is told, are kept."""


@dataclass(frozen=True, eq=False)
class Part:
    """Facts of some people of many seeds: Arrow tables by name, and where each seed's rows begin in each."""

    tables: dict[str, pa.Table]
    starts: dict[str, list[int]]

    def of(self, name: str, number: int) -> pa.Table:
        """One seed's rows of a fact."""
        table, starts = self.tables[name], [*self.starts[name], self.tables[name].num_rows]
        return table.slice(starts[number], starts[number + 1] - starts[number])

    def cut(self, keep: Keep) -> Part:
        """The rows that are kept of each fact and seed."""
        found, starts = {}, {}
        for name in self.tables:
            parts = [keep(self.of(name, number), name) for number in range(len(self.starts[name]))]
            found[name] = pa.concat_tables(parts)
            starts[name] = [0, *accumulate(part.num_rows for part in parts[:-1])]
        return Part(found, starts)


@dataclass(frozen=True)
class Told:
    """Facts of many seeds, in parts with different people; with the world's events."""

    parts: tuple[Part, ...]
    world_events: list[dict[str, Any]]

    @cached_property
    def tables(self) -> dict[str, pa.Table]:
        """Arrow tables by name, of everybody in all seeds."""
        if len(self.parts) == 1:
            return self.parts[0].tables
        return {name: pa.concat_tables([part.tables[name] for part in self.parts]) for name in self.parts[0].tables}

    @property
    def source(self) -> InMemory:
        """All seeds, as a source of metrics."""
        return InMemory(self.tables, self.world_events)

    def of(self, name: str, number: int) -> pa.Table:
        """One seed's rows of a fact."""
        return pa.concat_tables([part.of(name, number) for part in self.parts])

    def cut(self, keep: Keep) -> Told:
        """The rows that are kept of each fact and seed."""
        return self.with_parts(lambda part: part.cut(keep))

    def since(self, moment: datetime) -> Told:
        """Only the units that began at a moment (UTC, without zone) or later, or lasted beyond it."""
        return self.with_parts(since(moment))

    def with_parts(self, made: Callable[[Part], Part]) -> Told:
        """The same with something else made of every part."""
        return Told(tuple(map(made, self.parts)), self.world_events)


def since(moment: datetime) -> Callable[[Part], Part]:
    """What is left of a part: the units that began at a moment (UTC, without zone) or later, or lasted beyond it.

    A part that several know stays the same part for all of them.
    """
    return cache(lambda part: part.cut(lambda table, name: begun_since(table, name, moment)))


def side_by_side(parts: Sequence[Part], world_events: list[dict[str, Any]]) -> InMemory:
    """Several parts as one source of metrics, part i with the groups from 64 i on."""
    tables = {}
    for name in dict.fromkeys(name for part in parts for name in part.tables):
        found = [_moved(part.tables[name], GROUPS * i) for i, part in enumerate(parts) if name in part.tables]
        tables[name] = pa.concat_tables(found, promote_options="default")
    return InMemory(tables, world_events)


def _moved(table: pa.Table, by: int) -> pa.Table:
    """The same rows with groups so much higher."""
    place = table.schema.get_field_index("group")
    return table.set_column(place, table.schema.field(place), pc.add(table["group"], pa.scalar(by, pa.uint8())))


def begun_since(table: pa.Table, name: str, moment: datetime) -> pa.Table:
    """A spell or a method on file lasts: it is left out only when it was over before."""
    lasts = ENDS.get(name)
    column = table[lasts or BEGINS.get(name, "occurred_at")]
    first = pa.scalar(moment.date() if pa.types.is_date(column.type) else moment, column.type)
    return table.filter(pc.fill_null(pc.greater_equal(column, first), lasts is not None))


Whom = Literal["everybody", "settled", "unsettled"]
"""Of whom is told: of everybody, of those of whom nothing is recorded from the end on, or of the rest."""


class Heard:
    """Rows after some damages, in a piece of whole lives that can be folded."""

    def __init__(self, rows: np.ndarray, end: int) -> None:
        self.rows, self._end = rows, end

    def of(self, whom: Whom) -> Stretches | None:
        """Where their rows lie; None for all."""
        return None if whom == "everybody" else self._parted[whom == "unsettled"]

    @cached_property
    def _parted(self) -> tuple[Stretches, Stretches]:
        return settled_and_not(self.rows, self._end)


class Teller:
    """One way of telling: which damages are in the log, what was known when, of whom, and the tables that fill up."""

    def __init__(
        self, lives: Lives, facts: Wanted, damages: Sequence[Damage] = (), known_before: int = clock.NEVER,
        whom: Whom = "everybody", page: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        self.damages, self._lives, self._whom = tuple(damages), lives, whom
        self._vocabularies = vocabularies_of(lives.world)
        labels = {**tables.BUILT_IN, **self._vocabularies}
        tells_months = "subscription_months" in facts
        self._folder = Folder(lives.told, labels, known_before, tells_months=tells_months, page=page)
        self._columns = {name: Columns(tables.facts_folder(name), labels, only) for name, only in facts.items()}

    def next_seed(self) -> None:
        for columns in self._columns.values():
            columns.next_seed()

    def hear(self, rows: np.ndarray, seed: int) -> list[Heard]:
        """The rows after the damages, in pieces of whole lives that can be folded."""
        end, labels = self._lives.end, self._vocabularies
        damaged = damage_rows(rows, self.damages, seed=seed, end=end, labels=labels) if self.damages else rows
        return [Heard(piece, end) for piece in whole_lives(damaged, BLOCK_ROWS)]

    def tell(self, heard: Sequence[Heard], number: int) -> None:
        for piece in heard if self._columns else ():
            facts = self._folder.fold(piece.rows, piece.of(self._whom))
            for name, columns in self._columns.items():
                told = damage_facts(name, facts[name], self.damages)
                if not len(told):
                    continue
                told["group"] = number
                if "subscriber" in columns.names:
                    told["subscriber"] = renumbered(told["subscriber"], number, self._lives.world.markets)
                columns.append(told)

    @cached_property
    def part(self) -> Part:
        """What has been told, once everybody has lived."""
        found = {name: columns.table() for name, columns in self._columns.items()}
        return Part(found, {name: columns.starts for name, columns in self._columns.items()})

    @property
    def told(self) -> Told:
        return Told((self.part,), self._lives.told)


class Telling:
    """The reading and the complete facts of one log, and how they are told.

    Of most people nothing is recorded after the end, so both know the same about them: that is told once. What is stale
    at the end is complete in time, so with staleness the two come from different logs.
    """

    def __init__(self, lives: Lives, damages: Sequence[Damage], lasting: Sequence[Damage], looked: Looked) -> None:
        self._world_events, self._shared = lives.told, tuple(damages) == tuple(lasting)
        complete = looked.complete if lasting else looked.followed
        if self._shared:
            wanted = joined(looked.reading, complete)
            page = new_page()
            self.tellers = [
                Teller(lives, wanted, damages, clock.NEVER, "settled", page),
                Teller(lives, wanted, damages, lives.end, "unsettled", page),
                Teller(lives, wanted, damages, clock.NEVER, "unsettled", page),
            ]
        else:
            self.tellers = [Teller(lives, looked.reading, damages, lives.end), Teller(lives, complete, lasting)]

    @cached_property
    def reading(self) -> Told:
        """What could be known at the end."""
        return self._told(*self.tellers[:-1])

    @cached_property
    def complete(self) -> Told:
        """With everything that is ever recorded."""
        return self._told(*([self.tellers[0]] if self._shared else []), self.tellers[-1])

    def _told(self, *tellers: Teller) -> Told:
        return Told(tuple(teller.part for teller in tellers), self._world_events)
