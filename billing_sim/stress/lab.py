"""The lab: every definition in every case, with as many seeds as its verdict needs.

Worlds are shared by all definitions: the base is lived once for each seed, a case only where it changes the world or
its log, and more seeds only for the cells that are still unresolved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from billing_sim.errors import InputError, QueryError
from billing_sim.metrics.definition import Definition
from billing_sim.scenario.layers import read_chain
from billing_sim.scenario.loading import load, made_of
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import spoken
from billing_sim.scenario.reader import read_bytes
from billing_sim.scenario.scaling import write_scaled
from billing_sim.stress.bundle import MOST_SEEDS as AT_ONCE
from billing_sim.stress.case import BASE, Case
from billing_sim.stress.cells import Cell
from billing_sim.stress.discovery import printed
from billing_sim.stress.fitting import apply, beneath
from billing_sim.stress.helpers import Helpers
from billing_sim.stress.lives import Lives, forget_lives
from billing_sim.stress.looks import LOOKS, more_seeds
from billing_sim.stress.readings import Readings, is_kept, read_spans, read_world
from billing_sim.stress.verdicts import judge
from billing_sim.truth.estimands import estimands

MEMBERS = 2000
"""A larger scenario is tried with so many members: seeds tell more than people."""

WORKERS = 2
"""Threads of those who live worlds in threads."""

_PLENTY = 10
"""With so many cases helpers are called before the base is lived."""

_FEW = 40
"""Of so many definitions every error is split; of more, those of queries only where a verdict is adverse: a query of
complete data takes as long as one of the reading."""

Report = Callable[[int, int], None]
"""Told worlds done and worlds in all, both times seeds."""


@dataclass(frozen=True)
class Bench:
    """A scenario ready for the lab: its content, and what it is worth when a case is laid over it."""

    content: dict[str, Any]
    scenario: Scenario

    def under(self, case: Case) -> Scenario:
        """The scenario with a case laid over it; InputError where the two do not fit."""
        if case.changes_world:
            return made_of(apply(case, self.content))
        return self.beneath(case)

    def beneath(self, case: Case) -> Scenario:
        """The scenario that a case is compared with: with what it needs to be there, and nothing injected."""
        return made_of(beneath(case, self.content)) if case.gives else self.scenario


def bench(path: Path = BASE, *, members: int | None = None, seed: int | None = None) -> Bench:
    """Read a scenario for the lab, with at most `MEMBERS` members unless another number is asked for."""
    content: Any = spoken(read_chain(path, read_bytes(path)))
    content = {key: value for key, value in content.items() if key not in ("goals", "best", "extends")}
    own = load(path).scenario
    content["members"] = members or min(own.members, MEMBERS)
    write_scaled(content, load(path, members=content["members"]).scenario)
    content["seed"] = own.seed if seed is None else seed
    return Bench(content, made_of(content))


@dataclass
class Matrix:
    """Every definition in every case: cells by (definition id, case name), and the cases that do not fit."""

    definitions: tuple[Definition, ...]
    cases: tuple[Case, ...]
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    misfits: dict[str, str] = field(default_factory=dict)
    seeds: int = 0

    def of(self, case: Case) -> list[Cell]:
        """The cells of one case."""
        return [self.cells[it.id, case.name] for it in self.definitions if (it.id, case.name) in self.cells]


def checked(definitions: Iterable[Definition]) -> tuple[Definition, ...]:
    """The definitions; QueryError for one that claims to measure nothing that is known."""
    found = tuple(definitions)
    lost = next((it for it in found if it.estimand not in estimands()), None)
    if lost is not None:
        raise QueryError(
            f"{lost.id} does not say what it measures: its estimand is {lost.estimand!r}. In a query, a line such as "
            f"`-- estimand: payment_success` says it. There are {', '.join(estimands())}."
        )
    return found


def stress(
    definitions: Iterable[Definition],
    cases: Iterable[Case],
    on: Bench,
    *,
    seeds: int = LOOKS[0],
    most: int = LOOKS[-1],
    report: Report | None = None,
) -> Matrix:
    """Try every definition in every case, with `seeds` seeds and up to `most` while a verdict is unresolved.

    Worlds are lived in bundles of at most 64 seeds.

    A case that does not fit the scenario is left out, with the reason in `misfits`. QueryError where a definition does
    not say what it measures, or its query fails.
    """
    matrix = Matrix(checked(definitions), tuple(cases), seeds=seeds)
    done = 0
    with Helpers() as helpers, _letting_go():
        if len(matrix.cases) >= _PLENTY and not is_kept(
            Lives(on.scenario), _seeds(Lives(on.scenario), (0, min(seeds, AT_ONCE)))
        ):
            helpers.call()
        worlds = _fitting(matrix, on)
        progress = _Progress(report)
        bases = _Bases(on)
        open_cells = {case.name: matrix.definitions for case in matrix.cases if case.name in worlds}
        while open_cells and done < most:
            step = min(seeds - done, AT_ONCE) if done < seeds else min(done, most - done)
            tried = [
                _Tried(case, worlds[case.name], open_cells[case.name])
                for case in matrix.cases
                if case.name in open_cells
            ]
            compared = bases.of(tried)
            progress.total += (len(tried) + len(compared)) * step
            _extend(matrix, compared, (done, step), progress, helpers)
            done += step
            if done >= seeds:
                open_cells = _still_open(matrix, open_cells, done)
    return matrix


@contextmanager
def _letting_go() -> Iterator[None]:
    try:
        yield
    finally:
        forget_lives()


class _Progress:
    def __init__(self, report: Report | None) -> None:
        self.done, self.total, self._report = 0, 0, report

    def add(self, worlds: int) -> None:
        self.done += worlds
        if self._report:
            self._report(min(self.done, self.total), self.total)


@dataclass(frozen=True)
class _Tried:
    """A case that is still open: its world, and the definitions that are asked there."""

    case: Case
    lives: Lives
    asked: tuple[Definition, ...]

    @property
    def is_free(self) -> bool:
        """Whether it can be read before anybody knows the base: what is so comes from its own world, and of few
        definitions everything is read."""
        return self.case.changes_world and len(self.asked) <= _FEW


@dataclass
class _Base:
    """A world without any case, and what has been read of it, by the span that cases look at."""

    lives: Lives
    known: dict[int | None, Readings] = field(default_factory=dict)

    def add(self, found: dict[int | None, Readings]) -> None:
        """Take what was read with further seeds."""
        for last, readings in found.items():
            self.known[last] = self.known[last].followed_by(readings) if last in self.known else readings


class _Bases:
    """The worlds without any case: one, and another for cases that need something which the scenario lacks."""

    def __init__(self, on: Bench) -> None:
        self._on, self._plain = on, Lives(on.scenario, is_base=True)
        self._known: dict[str, _Base] = {}

    def of(self, tried: Iterable[_Tried]) -> list[tuple[_Base, list[_Tried]]]:
        """Each base with those that are compared with it; that of most cases first."""
        found: dict[str, tuple[_Base, list[_Tried]]] = {}
        for it in tried:
            lives = Lives(self._on.beneath(it.case)) if it.case.gives else self._plain
            lives = self._plain if lives.digest == self._plain.digest else lives
            base = self._known.setdefault(lives.digest, _Base(lives))
            found.setdefault(lives.digest, (base, []))[1].append(it)
        return sorted(found.values(), key=lambda pair: not pair[0].lives.is_base)


def _seeds(lives: Lives, batch: tuple[int, int]) -> range:
    first = lives.scenario.seed + batch[0]
    return range(first, first + batch[1])


def _fitting(matrix: Matrix, on: Bench) -> dict[str, Lives]:
    """The world of each case; a case that does not fit is noted."""
    worlds = {}
    for case in matrix.cases:
        try:
            on.beneath(case)
            worlds[case.name] = Lives(on.under(case), is_base=not case.changes_world and not case.gives)
        except InputError as error:
            matrix.misfits[case.name] = error.problems[0].what
    return worlds


def _extend(
    matrix: Matrix, compared: list[tuple[_Base, list[_Tried]]], batch: tuple[int, int], progress: _Progress,
    helpers: Helpers,
) -> None:  # fmt: skip
    """Live one more batch of seeds in every base and in every case that is still open, and put the cells together.

    The base of most cases is read once, while helpers read what need not wait for it; one that only a case or two are
    compared with is a task like a case.
    """
    alone = {base.lives.digest: (base, tried) for base, tried in compared if not base.lives.is_base}
    plain = next(((base, tried) for base, tried in compared if base.lives.is_base), None)
    # The base of most cases is one task among those that need not wait for it; the longest come first.
    tasks: dict[str, partial[Any]] = {}
    if plain:
        tasks[_BASE] = partial(_read_base, plain[0].lives, batch, plain[1])
    tasks |= {key: partial(_read_with_base, base.lives, tried, batch) for key, (base, tried) in alone.items()}
    waiting = {it.case.name: it for it in plain[1]} if plain else {}
    free = {name: waiting.pop(name) for name, it in list(waiting.items()) if it.is_free}
    tasks |= {name: partial(_read_case, it, batch, Readings()) for name, it in free.items()}
    read: dict[str, Readings] = {}
    for key, found in helpers.share(tasks):
        if key in alone:
            base, tried = alone[key]
            base.add(found[0])
            progress.add((1 + len(tried)) * batch[1])
            for it, world in zip(tried, found[1], strict=True):
                _put(matrix, it, base.known[it.case.last], world)
            continue
        progress.add(batch[1])
        if key == _BASE and plain:
            plain[0].add(found)
        else:
            read[key] = found
    if not plain:
        return
    for name, it in free.items():
        _put(matrix, it, plain[0].known[it.case.last], read[name])
    tasks = {name: partial(_read_case, it, batch, plain[0].known[it.case.last]) for name, it in waiting.items()}
    for key, found in helpers.share(tasks):
        _put(matrix, waiting[key], plain[0].known[waiting[key].case.last], found)
        progress.add(batch[1])


_BASE = ""
"""The task of reading the base of most cases; a case has a name."""


def _read_base(lives: Lives, batch: tuple[int, int], tried: Sequence[_Tried]) -> dict[int | None, Readings]:
    """What is read in a base by those that are compared with it, by the span that they look at."""
    needed = tuple({definition.id: definition for it in tried for definition in it.asked}.values())
    spans = list(dict.fromkeys(it.case.last for it in tried))
    return dict(zip(spans, read_spans(lives, _seeds(lives, batch), needed, spans), strict=True))


def _read_with_base(
    lives: Lives, tried: Sequence[_Tried], batch: tuple[int, int]
) -> tuple[dict[int | None, Readings], list[Readings]]:
    """A base, and the cases that are compared with it."""
    known = _read_base(lives, batch, tried)
    return known, [_read_case(it, batch, known[it.case.last]) for it in tried]


def _read_case(it: _Tried, batch: tuple[int, int], base: Readings) -> Readings:
    """What a case adds with these seeds; without injection nothing happens that did not happen in the base."""
    case, lives = it.case, it.lives
    if not case.injects:
        return _last(base, batch[1])

    def needs_complete(definition: Definition, found: Readings) -> bool:
        if len(it.asked) <= _FEW:
            return True
        before = _last(_of(definition, base), batch[1])
        return judge(Cell(definition, case, before, _of(definition, found)).changes).is_adverse

    seeds, truth = _seeds(lives, batch), {} if case.changes_world else _of_world(_last(base, batch[1]).truth)
    return read_world(lives, seeds, it.asked, case.damages, case.last, needs_complete, truth)


def _of_world(truth: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What is so whatever the log says."""
    return {name: values for name, values in truth.items() if estimands()[name].worlds != "log"}


def _last(found: Readings, seeds: int) -> Readings:
    """The seeds read last."""
    parts = (found.reading, found.complete, found.truth)
    return Readings(*({name: values[-seeds:] for name, values in part.items()} for part in parts))


def _put(matrix: Matrix, it: _Tried, base: Readings, found: Readings) -> None:
    for asked in it.asked:
        key = asked.id, it.case.name
        before = matrix.cells.get(key)
        world = found if before is None else before.world.followed_by(_of(asked, found))
        matrix.cells[key] = Cell(asked, it.case, _of(asked, base), _of(asked, world))


def _of(it: Definition, found: Readings) -> Readings:
    """What concerns one definition."""
    complete = {it.id: found.complete[it.id]} if it.id in found.complete else {}
    return Readings({it.id: found.reading[it.id]}, complete, {it.estimand: found.truth[it.estimand]})


def _still_open(
    matrix: Matrix, asked: dict[str, tuple[Definition, ...]], done: int
) -> dict[str, tuple[Definition, ...]]:
    """The definitions whose verdict in a case needs more seeds, also since it could not be printed yet."""
    found = {}
    verdicts = dict(zip(matrix.cells, printed([cell.verdict for cell in matrix.cells.values()]), strict=True))
    for name, definitions in asked.items():
        left = tuple(it for it in definitions if more_seeds(verdicts[it.id, name], done))
        if left:
            found[name] = left
    return found
