"""Many seeds of one world in one set of tables: the facts' column `group` holds the number of the seed.

A bundle is told three times. The *reading* is what could be known at the scenario's end, from the log as it is after
any damage. The *complete* facts come from the same log with everything that is ever recorded, so no outcome is open.
The *clean* ones are the complete facts of the log without damage, for the truth alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from billing_sim import clock
from billing_sim.drivers.block import Block
from billing_sim.facts.folding import Folder
from billing_sim.facts.record import BLOCK_ROWS, NAMES
from billing_sim.metrics.frame import Frame, frame
from billing_sim.metrics.source import InMemory
from billing_sim.runs import tables
from billing_sim.simulate import vocabularies_of
from billing_sim.stress.columns import Columns, renumbered
from billing_sim.stress.damage import damage_facts, damage_rows, whole_lives
from billing_sim.stress.damages import Damage, Stale
from billing_sim.stress.lives import FOLLOWED_DAYS, Lives

MOST_SEEDS = 64

Wanted: TypeAlias = Mapping[str, Collection[str] | None]
"""The facts that are looked at, each with its columns; None for all."""

ALL: Wanted = dict.fromkeys(NAMES)


@dataclass(frozen=True)
class Told:
    """Facts of many seeds: Arrow tables by name, and where each seed's rows begin in each; with the world's events."""

    tables: dict[str, pa.Table]
    starts: dict[str, list[int]]
    world_events: list[dict[str, Any]]

    @property
    def source(self) -> InMemory:
        """All seeds, as a source of metrics."""
        return InMemory(self.tables, self.world_events)

    def of(self, name: str, number: int) -> pa.Table:
        """One seed's rows of a fact."""
        table, starts = self.tables[name], [*self.starts[name], self.tables[name].num_rows]
        return table.slice(starts[number], starts[number + 1] - starts[number])

    def since(self, moment: datetime) -> Told:
        """Only the units that began at a moment (UTC, without zone) or later, or lasted beyond it."""
        found, starts = {}, {}
        for name in self.tables:
            parts = [_since(self.of(name, number), name, moment) for number in range(len(self.starts[name]))]
            found[name] = pa.concat_tables(parts)
            starts[name] = [0, *accumulate(part.num_rows for part in parts[:-1])]
        return Told(found, starts, self.world_events)


BEGINS = {
    "invoices": "issued_at", "attempts": "occurred_at", "subscriptions": "started_at", "subscription_months": "month",
    "signups": "started_at", "notices": "sent_at", "payment_methods": "added_at", "contacts": "opened_at",
}  # fmt: skip
"""The moment at which a unit of each fact comes into the world."""

_ENDS = {"subscriptions": "ended_at", "payment_methods": "replaced_at"}
"""The moment at which those that last are over; null: not yet."""


@dataclass(frozen=True)
class Bundle:
    """The facts of many seeds of one world, and the frames in which they are read."""

    seeds: tuple[int, ...]
    reading: Told
    complete: Told
    clean: Told
    truths: pa.Table
    now: Frame
    later: Frame

    def since(self, moment: datetime) -> Bundle:
        """Only the units that began, and the truths that were so, at a moment or later."""
        complete = self.complete.since(moment)
        return replace(
            self,
            reading=self.reading.since(moment),
            complete=complete,
            clean=complete if self.clean is self.complete else self.clean.since(moment),
            truths=_since(self.truths, "truths", moment),
        )


@dataclass(frozen=True)
class _Teller:
    """One way of telling: which damages are in the log, what was known when, and the tables that fill up."""

    folder: Folder
    damages: tuple[Damage, ...]
    columns: dict[str, Columns]

    def next_seed(self) -> None:
        for columns in self.columns.values():
            columns.next_seed()

    def tell(self, lives: Lives, rows: np.ndarray, number: int, seed: int) -> None:
        for part in self._damaged(lives, rows, seed):
            for name, facts in self.folder.fold(part).items():
                if name not in self.columns:
                    continue
                told = damage_facts(name, facts, self.damages) if self.damages else facts
                told["group"] = number
                told["subscriber"] = renumbered(told["subscriber"], number, lives.world.markets)
                self.columns[name].append(told)

    def _damaged(self, lives: Lives, rows: np.ndarray, seed: int) -> Iterator[np.ndarray]:
        if not self.damages:
            yield rows
            return
        labels = vocabularies_of(lives.world)
        damaged = damage_rows(rows, self.damages, seed=seed, end=lives.end, labels=labels)
        yield from whole_lives(damaged, BLOCK_ROWS)

    def told(self, world_events: list[dict[str, Any]]) -> Told:
        found = {name: columns.table() for name, columns in self.columns.items()}
        return Told(found, {name: columns.starts for name, columns in self.columns.items()}, world_events)


def _since(table: pa.Table, name: str, moment: datetime) -> pa.Table:
    """A spell or a method on file lasts: it is left out only when it was over before."""
    lasts = _ENDS.get(name)
    column = table[lasts or BEGINS.get(name, "occurred_at")]
    first = pa.scalar(moment.date() if pa.types.is_date(column.type) else moment, column.type)
    return table.filter(pc.fill_null(pc.greater_equal(column, first), lasts is not None))


def bundle(lives: Lives, seeds: Sequence[int], damages: Sequence[Damage] = (), facts: Wanted = ALL) -> Bundle:
    """Live a world with every seed (at most 64), and tell what happened, in these columns of these facts.

    What is stale now is complete in time, so of the damages only staleness spares the complete facts.
    """
    labels = {**tables.BUILT_IN, **vocabularies_of(lives.world)}
    lasting = tuple(damage for damage in damages if not isinstance(damage, Stale))
    reading = _Teller(Folder(lives.told, labels, lives.end), tuple(damages), _columns(labels, facts))
    complete = _Teller(Folder(lives.told, labels), lasting, _columns(labels, facts))
    clean = _Teller(Folder(lives.told, labels), (), _columns(labels, facts)) if lasting else complete
    truths, groups = Columns(tables.TRUTH, labels), []
    tellers = [reading, complete, clean] if lasting else [reading, complete]
    for number, seed in enumerate(seeds):
        for teller in tellers:
            teller.next_seed()
        for block in lives.live(seed):
            for teller in tellers:
                teller.tell(lives, block.rows, number, seed)
            groups.append(_confide(truths, block, number, lives))
    now = frame(InMemory({}, lives.told))
    followed_until = clock.moment_of(lives.end + FOLLOWED_DAYS * clock.DAY).astimezone(UTC).replace(tzinfo=None)
    read, followed = (teller.told(lives.told) for teller in (reading, complete))
    spared = clean.told(lives.told) if lasting else followed
    sealed = truths.table().append_column("group", pa.array(np.concatenate(groups)))
    return Bundle(tuple(seeds), read, followed, spared, sealed, now, replace(now, followed_until=followed_until))


def without_friction(lives: Lives, seeds: Sequence[int]) -> Told:
    """The complete invoices of the same people in the frictionless world."""
    labels = {**tables.BUILT_IN, **vocabularies_of(lives.world)}
    teller = _Teller(Folder(lives.told, labels), (), _columns(labels, {"invoices": None}))
    for number, seed in enumerate(seeds):
        teller.next_seed()
        for block in lives.live(seed, without_friction=True):
            teller.tell(lives, block.rows, number, seed)
    return teller.told(lives.told)


def known_by(lives: Lives, seeds: Sequence[int], moment: int) -> Told:
    """The facts as they were known at a moment at or after the end (microseconds UTC), without damage."""
    labels = {**tables.BUILT_IN, **vocabularies_of(lives.world)}
    teller = _Teller(Folder(lives.told, labels, moment), (), _columns(labels, ALL))
    for number, seed in enumerate(seeds):
        teller.next_seed()
        for block in lives.live(seed):
            teller.tell(lives, block.rows, number, seed)
    return teller.told(lives.told)


def _columns(labels: dict[str, tuple[str, ...]], facts: Wanted) -> dict[str, Columns]:
    return {name: Columns(tables.facts_folder(name), labels, only) for name, only in facts.items()}


def _confide(truths: Columns, block: Block, number: int, lives: Lives) -> np.ndarray:
    told = block.truths.copy()
    told["subscriber"] = renumbered(told["subscriber"], number, lives.world.markets)
    truths.append(told)
    return np.full(len(told), number, np.uint8)
