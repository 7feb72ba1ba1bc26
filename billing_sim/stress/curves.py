"""Curves for the cards of a study: month by month what a definition says and what is so, with a case and without.

A month's reading is what the definition says at the end of that month's units, as anybody would read it then who asks
for months. A month's truth is that of the units begun in the 28 days before its end, as in a watch. Both are means over
a few seeds: they show when something moves, and verdicts come from many more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property

import numpy as np

from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import Question
from billing_sim.metrics.frame import Frame
from billing_sim.stress.case import Case
from billing_sim.stress.damages import Damage
from billing_sim.stress.kept import Kept, file_of
from billing_sim.stress.lab import WORKERS, Bench, Matrix
from billing_sim.stress.lives import Lives
from billing_sim.stress.looked import EVERYTHING, looked_at
from billing_sim.stress.readings import claimed
from billing_sim.stress.telling import Told
from billing_sim.stress.watched import of_truth
from billing_sim.stress.watching import Watch
from billing_sim.truth.estimands import Estimand

SEEDS = 4

Report = Callable[[int, int], None]
"""Told worlds done and worlds in all."""


@dataclass(frozen=True)
class Lines:
    """What a world says and what is so in it: float64[K] by definition's id and by estimand's name, NaN: undefined."""

    reading: Mapping[str, np.ndarray] = field(default_factory=dict)
    truth: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Curves:
    """The months as "2025-01", and by the name of each case the lines with it and without it.

    Where a case only looks, without it is what complete data say.
    """

    months: tuple[str, ...]
    with_case: Mapping[str, Lines]
    without: Mapping[str, Lines]


def curves_of(matrix: Matrix, on: Bench, report: Report | None = None) -> Curves | None:
    """The curves of every definition of a matrix in every case that was tried; None where no whole month is there."""
    ends = _month_ends(on.scenario.start, on.scenario.end)
    if not ends:
        return None
    tried = [_Tried(case, on, matrix) for case in matrix.cases if case.name not in matrix.misfits]
    lines = _lines(_worlds(tried, range(on.scenario.seed, on.scenario.seed + SEEDS)), ends, report)
    return Curves(
        tuple(f"{_first_of(end):%Y-%m}" for end in ends),
        {it.case.name: Lines(lines[it.with_case].reading, it.so(lines)) for it in tried},
        {it.case.name: lines[it.without] for it in tried},
    )


def _lines(worlds: Mapping[_Key, _World], ends: Sequence[datetime], report: Report | None) -> dict[_Key, Lines]:
    with ThreadPoolExecutor(WORKERS, "billing-sim-curves") as pool:
        tasks = {pool.submit(world.lines, ends): key for key, world in worlds.items()}
        found = {}
        for done, task in enumerate(as_completed(tasks), 1):
            found[tasks[task]] = task.result()
            if report:
                report(done, len(tasks))
    return found


_Key = tuple[str, str, bool]
"""A world by the digest of its scenario and that of the case's damages, and whether its data are complete."""


class _Tried:
    """A case, the definitions that were tried in it, and its worlds."""

    def __init__(self, case: Case, on: Bench, matrix: Matrix) -> None:
        self.case, self.asked = case, [cell.definition for cell in matrix.of(case)]
        self._base, self._own = Lives(on.beneath(case)), Lives(on.under(case))

    @property
    def without(self) -> _Key:
        return self._base.digest, "", not self.case.injects

    @property
    def clean(self) -> _Key:
        """The world of the case, with its log as it is."""
        return self._own.digest, "", False

    @property
    def with_case(self) -> _Key:
        return (self._own.digest, self.case.digest, False) if self.case.damages_log else self.clean

    def so(self, lines: Mapping[_Key, Lines]) -> dict[str, np.ndarray]:
        """What is so whatever the log says, and what is so about the log."""
        return {**lines[self.clean].truth, **lines[self.with_case].truth}

    def worlds(self, seeds: range) -> Iterator[tuple[_Key, _World]]:
        yield self.without, _World(self._base, seeds, is_complete=not self.case.injects)
        yield self.clean, _World(self._own, seeds)
        yield self.with_case, _World(self._own, seeds, self.case.damages)


def _worlds(tried: Iterable[_Tried], seeds: range) -> dict[_Key, _World]:
    """Every world once, with all that is read in it."""
    found: dict[_Key, _World] = {}
    for it in tried:
        for key, world in it.worlds(seeds):
            found.setdefault(key, world).asked |= {definition.id: definition for definition in it.asked}
    return found


@dataclass
class _World:
    """One world with its seeds, and the definitions that are read there."""

    lives: Lives
    seeds: range
    damages: Sequence[Damage] = ()
    is_complete: bool = False
    asked: dict[str, Definition] = field(default_factory=dict)

    def lines(self, ends: Sequence[datetime]) -> Lines:
        """All lines, from the cache where they are known; of a damaged log, of the truth only what is about it."""
        kept, asked = Kept(file_of(self.lives, self.seeds, self.damages)), list(self.asked.values())
        wanted = [it for it in claimed(asked) if it.worlds == "log" or not self.damages]
        names, so = {self._name(it): it for it in asked}, {of_truth(it): it for it in wanted}
        kept.complete(list(names), ends, lambda lacking, at: self._read({name: names[name] for name in lacking}, at))
        kept.complete(list(so), ends, lambda lacking, at: self._tell({name: so[name] for name in lacking}, at))
        kept.write()
        return Lines(
            {it.id: kept.at(self._name(it), ends)[:, 0] for it in asked},
            {it.name: _mean(kept.at(of_truth(it), ends)) for it in wanted},
        )

    def _name(self, it: Definition) -> str:
        return f"{'complete ' if self.is_complete else ''}months {it.digest}"

    @cached_property
    def _watch(self) -> Watch:
        asked = list(self.asked.values())
        # Beside a query its whole facts are needed, and members at the start.
        looked = EVERYTHING if any(it.sql for it in asked) else looked_at(asked, claimed(asked))
        return Watch(self.lives, self.seeds, self.damages, looked)

    def _read(self, asked: Mapping[str, Definition], ends: Sequence[datetime]) -> dict[str, np.ndarray]:
        it = self._watch.followed
        told, seen = (it.complete, it.later) if self.is_complete else (it.reading, it.now)
        found = by_month(list(asked.values()), told, seen, len(self.seeds))
        months = [f"{_first_of(end):%Y-%m}" for end in ends]
        return {
            name: np.array([[found[definition.id].get(month, np.nan)] for month in months])
            for name, definition in asked.items()
        }

    def _tell(self, asked: Mapping[str, Estimand], ends: Sequence[datetime]) -> dict[str, np.ndarray]:
        found = self._watch.truths(list(asked.values()), ends)
        return {name: found[it.name] for name, it in asked.items()}


def by_month(asked: Sequence[Definition], told: Told, seen: Frame, seeds: int) -> dict[str, dict[str, float]]:
    """What definitions say of the months of all seeds taken as one population, by id and month; undefined left out.

    Sums and stocks are those of one world: what all of them have, divided by their number.
    """
    results = Question(tuple(asked), (), seen, months=True).answer(told.source)
    return {
        it.definition.id: {
            part.dims["month"]: float(part.value) / (seeds if _adds_up(it.definition) else 1)
            for part in it.months
            if part.value is not None
        }
        for it in results
    }


def _adds_up(it: Definition) -> bool:
    return it.kind in ("sum", "stock") and it.unit in ("count", "money")


def _mean(values: np.ndarray) -> np.ndarray:
    """float64[K]: the mean over the seeds in which it is defined."""
    known = np.isfinite(values)
    counts = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def _month_ends(start: date, end: date) -> list[datetime]:
    """The end of every calendar month that lies wholly in a span (UTC, without zone)."""
    first = start if start.day == 1 else _next(start)
    ends = []
    while _next(first) <= end:
        first = _next(first)
        ends.append(datetime.combine(first, time()))
    return ends


def _next(day: date) -> date:
    """The first day of the month after that of a day."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _first_of(end: datetime) -> date:
    """The first day of the month that ends there."""
    last = date.fromordinal(end.date().toordinal() - 1)
    return last.replace(day=1)
