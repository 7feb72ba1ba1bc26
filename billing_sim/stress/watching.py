"""Worlds watched moment by moment: what each definition says then, and what is so.

Each seed is lived once. At every moment its log is folded anew, up to what had been recorded by then, so a reading is
what a reader of that day would have seen; the truth comes from the complete facts of the clean log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

import numpy as np

from billing_sim import clock
from billing_sim.facts.folding import Folder
from billing_sim.facts.record import BLOCK_ROWS, NAMES
from billing_sim.identity import vocabularies_of
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.frame import Frame, frame
from billing_sim.metrics.source import InMemory
from billing_sim.runs import tables
from billing_sim.stress.bundle import Bundle, bundle, without_friction
from billing_sim.stress.columns import Columns, renumbered
from billing_sim.stress.damage import damage_facts, damage_rows, whole_lives
from billing_sim.stress.damages import Damage
from billing_sim.stress.lives import Lives
from billing_sim.stress.looked import EVERYTHING, Looked
from billing_sim.stress.seeing import read, tell
from billing_sim.stress.telling import Part, Told
from billing_sim.stress.trailing import Floors, begun, floors, judged, looked_at, named, trailing
from billing_sim.truth.estimands import Estimand

EVERY = timedelta(days=7)
BEFORE = timedelta(days=21)
"""How long somebody has been watching when it begins."""

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Watched:
    """float64[K, S] by definition's id and by estimand's name, NaN where undefined: K moments, S seeds."""

    reading: dict[str, np.ndarray] = field(default_factory=dict)
    truth: dict[str, np.ndarray] = field(default_factory=dict)


def moments_of(lives: Lives, since: date, every: timedelta = EVERY, before: timedelta = BEFORE) -> list[datetime]:
    """The moments of a watch, ascending (UTC, without zone): counted back from the scenario's end to `before` `since`.

    Counted from the end they are the same for every case, and so are the worlds in which nothing happens.
    """
    start, end = (datetime.combine(day, time()) for day in (lives.scenario.start, lives.scenario.end))
    first = max(start, datetime.combine(since, time()) - before)
    steps = (end - first - _INSTANT) // every
    return [end - every * step for step in range(steps, -1, -1)]


@dataclass(frozen=True)
class Watch:
    """A world with these seeds (at most 64); it is lived when the first question is asked."""

    lives: Lives
    seeds: Sequence[int]
    damages: Sequence[Damage] = ()
    looked: Looked = EVERYTHING
    """What is kept of what is followed to the end."""

    def readings(self, definitions: Sequence[Definition], moments: Sequence[datetime]) -> dict[str, np.ndarray]:
        """What each definition says at each moment of its last countable units: float64[K, S] by id."""
        return _stacked([self._read(definitions, self._seen(moment)) for moment in moments])

    def truths(self, estimands: Sequence[Estimand], moments: Sequence[datetime]) -> dict[str, np.ndarray]:
        """What becomes of the units begun in the 28 days before each moment: float64[K, S] by estimand's name."""
        is_paired = any(it.worlds == "frictionless" for it in estimands)
        other = without_friction(self.lives, self.seeds) if is_paired else None
        return _stacked([self._tell(estimands, self._seen(moment), other) for moment in moments])

    def _seen(self, moment: datetime) -> Frame:
        return frame(InMemory({}, self.lives.told), moment)

    def _read(self, definitions: Sequence[Definition], seen: Frame) -> dict[str, np.ndarray]:
        told = self._known(seen, floors(definitions, seen))
        here = Bundle(tuple(self.seeds), told, told, told, Columns(tables.TRUTH, self._labels).table(), seen, seen)
        return read(here, [trailing(it, seen) for it in definitions])

    def _tell(self, estimands: Sequence[Estimand], seen: Frame, other: Told | None) -> dict[str, np.ndarray]:
        whole = self.followed
        of_log = [it.sql for it in estimands if it.worlds == "log"]
        # What is about the log is held against the clean facts, which it calls `clean_NAME`.
        clean = _begun(whole.clean, seen, [it.sql.replace("clean_", "") for it in estimands])
        complete = _begun(whole.complete, seen, of_log)
        here = replace(whole, clean=clean, complete=complete, truths=judged(whole.truths, seen), now=seen)
        return tell(here, estimands, other and _begun(other, seen, ["invoices"]))

    @cached_property
    def followed(self) -> Bundle:
        """All that happened and was told, to the end."""
        return bundle(self.lives, self.seeds, self.damages, self.looked)

    @cached_property
    def _lived(self) -> list[list[np.ndarray]]:
        """The rows of every seed, in blocks of whole lives."""
        return [[block.rows.copy() for block in self.lives.live(seed)] for seed in self.seeds]

    @cached_property
    def _labels(self) -> dict[str, tuple[str, ...]]:
        return {**tables.BUILT_IN, **vocabularies_of(self.lives.world)}

    def _known(self, seen: Frame, looked: Floors) -> Told:
        """The facts of every seed from what had been recorded, as far as they are looked at."""
        until = clock.micros(seen.as_of.replace(tzinfo=UTC))
        folder = Folder(self.lives.told, self._labels, until)
        columns = {name: Columns(tables.facts_folder(name), self._labels) for name in NAMES}
        for number in range(len(self.seeds)):
            for it in columns.values():
                it.next_seed()
            for rows in self._logged(number, until):
                facts = folder.fold(rows)
                for name in looked:
                    columns[name].append(self._numbered(name, looked_at(name, facts[name], looked), number))
        found = {name: it.table() for name, it in columns.items()}
        return Told((Part(found, {name: it.starts for name, it in columns.items()}),), self.lives.told)

    def _logged(self, number: int, until: int) -> Iterator[np.ndarray]:
        """A seed's log as it lies there at a moment, damage included."""
        for rows in self._lived[number]:
            if not self.damages:
                yield rows
                continue
            damaged = damage_rows(rows, self.damages, seed=self.seeds[number], end=until, labels=self._labels)
            yield from whole_lives(damaged, BLOCK_ROWS)

    def _numbered(self, name: str, facts: np.ndarray, number: int) -> np.ndarray:
        told = damage_facts(name, facts, self.damages)
        told["group"] = number
        told["subscriber"] = renumbered(told["subscriber"], number, self.lives.world.markets)
        return told


def _begun(told: Told, seen: Frame, asked: Sequence[str]) -> Told:
    """The units begun in the last 28 days, of the facts that these queries name."""
    return Told((Part(begun({name: told.tables[name] for name in named(asked)}, seen), {}),), told.world_events)


def _stacked(found: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.stack([it[name] for it in found]) for name in found[0]} if found else {}
