"""Many seeds of one world in one set of tables: the facts' column `group` holds the number of the seed.

A bundle is told three times. The *reading* is what could be known at the scenario's end, from the log as it is after
any damage. The *complete* facts come from the same log with everything that is ever recorded, so no outcome is open.
The *clean* ones are the complete facts of the log without damage, for the truth alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from billing_sim import clock
from billing_sim.facts.folding import Folder
from billing_sim.facts.record import BLOCK_ROWS
from billing_sim.identity import vocabularies_of
from billing_sim.metrics.frame import Frame, frame
from billing_sim.metrics.source import InMemory
from billing_sim.runs import tables
from billing_sim.stress.columns import Columns, renumbered
from billing_sim.stress.damage import damage_facts, damage_rows, whole_lives
from billing_sim.stress.damages import Damage, Stale
from billing_sim.stress.lives import FOLLOWED_DAYS, Lives
from billing_sim.stress.looked import ALL, BEGINS, EVERYTHING, Looked, Wanted

MOST_SEEDS = 64


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


class _Teller:
    """One way of telling: which damages are in the log, what was known when, and the tables that fill up."""

    def __init__(
        self, lives: Lives, facts: Wanted, damages: Sequence[Damage] = (), known_before: int = clock.NEVER
    ) -> None:
        self.damages, self._lives = tuple(damages), lives
        self._vocabularies = vocabularies_of(lives.world)
        labels = {**tables.BUILT_IN, **self._vocabularies}
        self._folder = Folder(lives.told, labels, known_before)
        self._columns = {name: Columns(tables.facts_folder(name), labels, only) for name, only in facts.items()}

    def next_seed(self) -> None:
        for columns in self._columns.values():
            columns.next_seed()

    def hear(self, rows: np.ndarray, seed: int) -> list[np.ndarray]:
        """The rows after the damages, in pieces of whole lives that can be folded."""
        end, labels = self._lives.end, self._vocabularies
        return list(whole_lives(damage_rows(rows, self.damages, seed=seed, end=end, labels=labels), BLOCK_ROWS))

    def tell(self, heard: Sequence[np.ndarray], number: int) -> None:
        for rows in heard if self._columns else ():
            facts = self._folder.fold(rows)
            for name, columns in self._columns.items():
                told = damage_facts(name, facts[name], self.damages)
                if not len(told):
                    continue
                told["group"] = number
                told["subscriber"] = renumbered(told["subscriber"], number, self._lives.world.markets)
                columns.append(told)

    @property
    def told(self) -> Told:
        found = {name: columns.table() for name, columns in self._columns.items()}
        return Told(found, {name: columns.starts for name, columns in self._columns.items()}, self._lives.told)


class _Sealed:
    """The sealed truths of every seed, as they fill up."""

    def __init__(self, lives: Lives) -> None:
        self._truths = Columns(tables.TRUTH, {**tables.BUILT_IN, **vocabularies_of(lives.world)})
        self._groups, self._markets = [np.zeros(0, np.uint8)], lives.world.markets

    def confide(self, truths: np.ndarray, number: int) -> None:
        truths["subscriber"] = renumbered(truths["subscriber"], number, self._markets)
        self._truths.append(truths)
        self._groups.append(np.full(len(truths), number, np.uint8))

    @property
    def table(self) -> pa.Table:
        return self._truths.table().append_column("group", pa.array(np.concatenate(self._groups)))


def _since(table: pa.Table, name: str, moment: datetime) -> pa.Table:
    """A spell or a method on file lasts: it is left out only when it was over before."""
    lasts = _ENDS.get(name)
    column = table[lasts or BEGINS.get(name, "occurred_at")]
    first = pa.scalar(moment.date() if pa.types.is_date(column.type) else moment, column.type)
    return table.filter(pc.fill_null(pc.greater_equal(column, first), lasts is not None))


def bundle(lives: Lives, seeds: Sequence[int], damages: Sequence[Damage] = (), looked: Looked = EVERYTHING) -> Bundle:
    """Live a world with every seed (at most 64), and tell what happened, as far as it is looked at.

    What is stale now is complete in time, so of the damages only staleness spares the complete facts.
    """
    lasting = tuple(damage for damage in damages if not isinstance(damage, Stale))
    reading = _Teller(lives, looked.reading, damages, lives.end)
    complete = _Teller(lives, looked.complete if lasting else looked.followed, lasting)
    clean = _Teller(lives, looked.clean) if lasting else complete
    sealed = _Sealed(lives)
    _live(
        lives, seeds, [reading, complete, clean] if lasting else [reading, complete], sealed if looked.truths else None
    )
    now = frame(InMemory({}, lives.told))
    followed_until = clock.moment_of(lives.end + FOLLOWED_DAYS * clock.DAY).astimezone(UTC).replace(tzinfo=None)
    followed = complete.told
    return Bundle(
        tuple(seeds), reading.told, followed, clean.told if lasting else followed, sealed.table, now,
        replace(now, followed_until=followed_until),
    )  # fmt: skip


def without_friction(lives: Lives, seeds: Sequence[int], columns: Collection[str] | None = None) -> Told:
    """The complete invoices of the same people in the frictionless world, in these columns."""
    teller = _Teller(lives, {"invoices": columns})
    _live(lives, seeds, [teller], without_friction=True)
    return teller.told


def known_by(lives: Lives, seeds: Sequence[int], moment: int) -> Told:
    """The facts as they were known at a moment at or after the end (microseconds UTC), without damage."""
    teller = _Teller(lives, ALL, (), moment)
    _live(lives, seeds, [teller])
    return teller.told


def _live(
    lives: Lives, seeds: Sequence[int], tellers: Sequence[_Teller], sealed: _Sealed | None = None, *,
    without_friction: bool = False,
) -> None:  # fmt: skip
    """Live one seed after the other while others tell of it; those with the same damages hear the same."""
    worlds = lives.live_each(seeds, without_friction=without_friction)
    for number, (seed, blocks) in enumerate(zip(seeds, worlds, strict=True)):
        for teller in tellers:
            teller.next_seed()
        for block in blocks:
            heard: list[np.ndarray] = [block.rows]
            damages: tuple[Damage, ...] = ()
            for teller in tellers:
                if teller.damages != damages:
                    heard, damages = teller.hear(block.rows, seed), teller.damages
                teller.tell(heard, number)
            if sealed:
                sealed.confide(block.truths, number)
