"""Does the lab notice a mistake? Every mutant of every definition, tried in the cases until one of them shows it.

A mutant is *visible* where it reads anything else than its original in any seed: both see the same people and the same
log, so luck has no part in it. It is *noticed* where the difference matters: its level differs from the original's by
more than the margin of what both claim to measure, in every seed or on average beyond doubt (90 % t-interval of the
paired differences), in all, in a month amid the run or in its last one; or its verdict in a case is another one, both
being resolved; or only one of the two is defined; or it breaks what definitions of a catalogue promise each other. Once
noticed it is not tried again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

import numpy as np

from billing_sim.errors import InputError, QueryError
from billing_sim.metrics.catalogue import Catalogue, shipped
from billing_sim.metrics.definition import Definition, Population
from billing_sim.stress.bundle import Bundle, bundle, without_friction
from billing_sim.stress.case import Case
from billing_sim.stress.cells import Cell
from billing_sim.stress.changes import relative
from billing_sim.stress.damages import Damage
from billing_sim.stress.lab import Bench, checked
from billing_sim.stress.laws import broken_law
from billing_sim.stress.lives import Lives
from billing_sim.stress.mutants import Mutant, mutants
from billing_sim.stress.readings import Readings, claimed
from billing_sim.stress.seeing import read, tell
from billing_sim.stress.statistics import mean_of
from billing_sim.truth.estimands import estimands

SEEDS = 6
AT_ONCE = 150
"""Definitions read in one scan: beyond, the statement costs more than the scan that it saves."""

PLAIN, MIDDLE, LAST = "plain reading", "its middle month", "its last month"
"""Where a mutant is looked at before any case."""

LAWS = "laws of the catalogue"
"""Where it is looked at after all of them."""

How = Literal["level", "verdict", "undefined", "law"]
Report = Callable[[str, int], None]
"""Told where mutants have been looked at, and how many are left."""


@dataclass
class Trial:
    """What became of one mutant: where it was noticed and how, or by how many margins it went unnoticed.

    `visible_in` is where it read anything else than its original; `margins` is the largest mean difference of levels
    met, in margins.
    """

    mutant: Mutant
    noticed_in: str = ""
    how: How | None = None
    visible_in: list[str] = field(default_factory=list)
    margins: float = 0.0

    @property
    def is_noticed(self) -> bool:
        """Whether it was told from its original."""
        return self.how is not None

    def look(self, where: str, mine: np.ndarray, theirs: np.ndarray) -> None:
        """Compare what the original and the mutant read there, float64[S] each."""
        if np.array_equal(mine, theirs, equal_nan=True):
            return
        self.visible_in.append(where)
        there = np.isfinite(mine), np.isfinite(theirs)
        is_alone = any(one.all() and not other.any() for one, other in (there, there[::-1]))
        self._found(where, "undefined" if is_alone else self._by_level(mine, theirs))

    def judge(self, where: str, original: Cell, mutant: Cell) -> None:
        """Compare the verdicts on both in a case."""
        names = original.verdict.name, mutant.verdict.name
        self._found(where, "verdict" if "unresolved" not in names and names[0] != names[1] else None)

    def check(self, catalogue: Catalogue) -> None:
        """Put the mutant in its original's place among all definitions, and see whether it fits."""
        placed = self.mutant.definition.model_copy(update={"id": self.mutant.original.id})
        self._found(LAWS, "law" if broken_law(placed, catalogue) else None)

    def _by_level(self, mine: np.ndarray, theirs: np.ndarray) -> How | None:
        gaps, margin = _gaps(self.mutant.original, mine, theirs)
        both = gaps[np.isfinite(gaps)]
        if len(both) < 2:
            return None
        mean = mean_of(both)
        self.margins = max(self.margins, abs(mean.value) / margin)
        is_far = bool((np.abs(both) > margin).all()) or mean.move(margin) in ("up", "down")
        return "level" if is_far else None

    def _found(self, where: str, how: How | None) -> None:
        if how and not self.how:
            self.noticed_in, self.how = where, how


_OF_A_PROXY = 0.01
"""What a mutant of a proxy may read beyond its original, as a share, and count as the same. Judgement."""


def _gaps(it: Definition, mine: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, float]:
    """What a mutant reads beyond its original, and the margin of that: in the unit of both, or relative."""
    claim = estimands()[it.estimand]
    if it.unit != claim.unit or it.proxy:
        return relative(theirs - mine, mine), _OF_A_PROXY
    return (relative(theirs - mine, mine) if claim.relative else theirs - mine), claim.margin


@dataclass(frozen=True)
class Study:
    """All mutants of some definitions, and what became of each."""

    trials: tuple[Trial, ...]
    places: tuple[str, ...]
    seeds: int

    @property
    def survivors(self) -> list[Trial]:
        """Mutants that nothing noticed."""
        return [it for it in self.trials if not it.is_noticed]

    @property
    def share(self) -> float:
        """The share of mutants that were noticed."""
        return 1 - len(self.survivors) / len(self.trials)

    def by_kind(self) -> dict[str, tuple[int, int]]:
        """Mutants and noticed ones by the kind of the mistake."""
        made = Counter(it.mutant.kind for it in self.trials)
        noticed = Counter(it.mutant.kind for it in self.trials if it.is_noticed)
        return {kind: (count, noticed[kind]) for kind, count in made.most_common()}

    def by_place(self) -> dict[str, int]:
        """How many mutants each reading or case was the first to notice, in the order of trying."""
        first = Counter(it.noticed_in for it in self.trials)
        return {name: first[name] for name in self.places}


def study(
    definitions: Iterable[Definition], cases: Iterable[Case], on: Bench, *, seeds: int = SEEDS,
    report: Report | None = None,
) -> Study:  # fmt: skip
    """Make every mutant of the definitions, and try it in one case after the other until it is noticed.

    Cases that do not fit the scenario are left out. QueryError where a definition does not say what it measures.
    """
    trials = [Trial(mutant) for it in checked(definitions) for mutant in mutants(it)]
    base = _World(Lives(on.scenario), seeds)
    known = base.read(trials, complete=True)
    for trial in trials:
        trial.look(PLAIN, *_pair(trial, known.reading))
    scenario = base.lives.scenario
    middle = scenario.start + (scenario.end - scenario.start) / 2
    for where, day in ((MIDDLE, middle), (LAST, scenario.end - timedelta(days=1))):
        _look_at_a_month(trials, base, where, day.replace(day=1))
    tried = [PLAIN, MIDDLE, LAST]
    for case, lives in _fitting(cases, on):
        left = [it for it in trials if not it.is_noticed]
        compared = _World(Lives(on.beneath(case)), seeds).read(left, complete=True) if case.gives and left else known
        found = _World(lives, seeds, case.damages).read(left) if case.injects and left else compared
        for trial in left:
            _try(trial, case, compared, found)
        tried.append(case.name)
        if report:
            report(case.name, sum(not it.is_noticed for it in trials))
    for trial in trials:
        trial.check(shipped())
    return Study(tuple(trials), (*tried, LAWS), seeds)


def _fitting(cases: Iterable[Case], on: Bench) -> Iterator[tuple[Case, Lives]]:
    for case in cases:
        try:
            on.beneath(case)
            yield case, Lives(on.under(case))
        except InputError:
            continue


class _World:
    """One world with some seeds, lived once."""

    def __init__(self, lives: Lives, seeds: int, damages: Sequence[Damage] = ()) -> None:
        first = lives.scenario.seed
        self.lives = lives
        self._told: Bundle = bundle(lives, range(first, first + seeds), damages)

    def read(self, trials: Sequence[Trial], *, complete: bool = False) -> Readings:
        """What mutants and their originals say here; without complete data no verdict is *stale*."""
        asked = _definitions(trials)
        wanted = claimed(asked)
        is_paired = any(it.worlds == "frictionless" for it in wanted)
        other = without_friction(self.lives, self._told.seeds) if is_paired else None
        later = self.values(asked, complete=True) if complete else {}
        return Readings(self.values(asked), later, tell(self._told, wanted, other))

    def values(self, asked: Sequence[Definition], *, complete: bool = False) -> dict[str, np.ndarray]:
        """What definitions say here, by id: float64[S]."""
        queries = [it for it in asked if it.sql]
        summed = [it for it in asked if not it.sql]
        found = self._answers(queries, complete) if queries else {}
        for start in range(0, len(summed), AT_ONCE):
            found |= read(self._told, summed[start : start + AT_ONCE], complete=complete)
        return found

    def _answers(self, asked: Sequence[Definition], complete: bool) -> dict[str, np.ndarray]:
        """What queries say; nothing where one fails on real rows, which anybody would notice."""
        try:
            return read(self._told, asked, complete=complete)
        except QueryError:
            if len(asked) == 1:
                return {asked[0].id: np.full(len(self._told.seeds), np.nan)}
        half = len(asked) // 2
        return self._answers(asked[:half], complete) | self._answers(asked[half:], complete)


def _definitions(trials: Iterable[Trial]) -> list[Definition]:
    pairs = (it for trial in trials for it in (trial.mutant.original, trial.mutant.definition))
    return list({it.id: it for it in pairs}.values())


def _pair(trial: Trial, values: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return values[trial.mutant.original.id], values[trial.mutant.definition.id]


def _try(trial: Trial, case: Case, base: Readings, world: Readings) -> None:
    """Compare a mutant with its original in one case. What reads the same is judged the same, but for its direction."""
    one, other = trial.mutant.original, trial.mutant.definition
    trial.look(case.name, *_pair(trial, world.reading))
    if not trial.is_noticed and (trial.visible_in or one.direction != other.direction):
        trial.judge(case.name, Cell(one, case, base, world), Cell(other, case, base, world))


def _look_at_a_month(trials: Sequence[Trial], base: _World, where: str, month: date) -> None:
    """Compare what is left in one month of the base, for whoever moves units from month to month or counts early."""
    left = [it for it in trials if not it.is_noticed and _has_months(it.mutant.original)]
    found = base.values([_within(it, month) for it in _definitions(left)])
    for trial in left:
        trial.look(where, *_pair(trial, found))


def _has_months(it: Definition) -> bool:
    return it.kind != "stock" and it.has_months


def _within(it: Definition, month: date) -> Definition:
    """A definition of one month alone, above the line and below."""
    after = (month + timedelta(days=31)).replace(day=1)
    if it.sql:
        only = f"SELECT * FROM ({it.sql}) WHERE period >= DATE '{month}' AND period < DATE '{after}'"
        return it.model_copy(update={"sql": only})
    over = it.over.model_copy(update={"where": _placed(it.over, month, after)}) if it.over else None
    return it.model_copy(update={"where": _placed(it, month, after), "over": over})


def _placed(units: Population, month: date, after: date) -> str:
    when = f"{units.clock} >= DATE '{month}' AND {units.clock} < DATE '{after}'"
    return f"({units.where}) AND {when}" if units.where else when
