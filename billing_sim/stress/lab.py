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
from billing_sim.stress.case import BASE, Case
from billing_sim.stress.cells import Cell
from billing_sim.stress.discovery import printed
from billing_sim.stress.fitting import apply
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

Report = Callable[[int, int], None]
"""Told worlds done and worlds in all, both times seeds."""


@dataclass(frozen=True)
class Bench:
    """A scenario ready for the lab: its content, and what it is worth when a case is laid over it."""

    content: dict[str, Any]
    scenario: Scenario

    def under(self, case: Case) -> Scenario:
        """The scenario with a case laid over it; InputError where the two do not fit."""
        return self.scenario if not case.changes_world else made_of(apply(case, self.content))


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

    A case that does not fit the scenario is left out, with the reason in `misfits`. QueryError where a definition does
    not say what it measures, or its query fails.
    """
    matrix = Matrix(checked(definitions), tuple(cases), seeds=seeds)
    done = 0
    with Helpers() as helpers, _letting_go():
        if len(matrix.cases) >= _PLENTY and not is_kept(Lives(on.scenario), _seeds(Lives(on.scenario), (0, seeds))):
            helpers.call()
        worlds = _fitting(matrix, on)
        progress = _Progress(report, (len(worlds) + 1) * seeds)
        base = _Base(on, progress)
        open_cells = {case.name: matrix.definitions for case in matrix.cases if case.name in worlds}
        while open_cells and done < most:
            step = seeds if not done else min(done, most - done)
            _extend(matrix, worlds, open_cells, base, (done, step), progress, helpers)
            done += step
            open_cells = _still_open(matrix, open_cells, done)
            progress.total += (len(open_cells) + 1) * min(done, most - done) if open_cells and done < most else 0
    return matrix


@contextmanager
def _letting_go() -> Iterator[None]:
    try:
        yield
    finally:
        forget_lives()


class _Progress:
    def __init__(self, report: Report | None, total: int) -> None:
        self.done, self.total, self._report = 0, total, report

    def add(self, worlds: int) -> None:
        self.done += worlds
        if self._report:
            self._report(min(self.done, self.total), self.total)


class _Base:
    """The world without any case, read once for every batch of seeds and every span that cases look at."""

    def __init__(self, on: Bench, progress: _Progress) -> None:
        self.lives, self._progress = Lives(on.scenario, is_base=True), progress
        self._known: dict[int | None, Readings] = {}

    def readings(
        self, batch: tuple[int, int], definitions: Sequence[Definition], spans: Iterable[int | None]
    ) -> dict[int | None, Readings]:
        looked = list(dict.fromkeys(spans))
        for last, found in zip(
            looked, read_spans(self.lives, _seeds(self.lives, batch), definitions, looked), strict=True
        ):
            self._known[last] = self._known[last].followed_by(found) if last in self._known else found
        self._progress.add(batch[1])
        return self._known


def _seeds(lives: Lives, batch: tuple[int, int]) -> range:
    first = lives.scenario.seed + batch[0]
    return range(first, first + batch[1])


def _fitting(matrix: Matrix, on: Bench) -> dict[str, Lives]:
    """The world of each case; a case that does not fit is noted."""
    worlds = {}
    for case in matrix.cases:
        try:
            worlds[case.name] = Lives(on.under(case), is_base=not case.changes_world)
        except InputError as error:
            matrix.misfits[case.name] = error.problems[0].what
    return worlds


def _extend(
    matrix: Matrix, worlds: dict[str, Lives], asked: dict[str, tuple[Definition, ...]], base: _Base,
    batch: tuple[int, int], progress: _Progress, helpers: Helpers,
) -> None:  # fmt: skip
    """Live one more batch of seeds in the base and in every case that is still open, and put the cells together."""
    needed = tuple(it for it in matrix.definitions if any(it in found for found in asked.values()))
    known = base.readings(batch, needed, (case.last for case in matrix.cases if case.name in asked))
    cases = {case.name: case for case in matrix.cases if case.name in asked}
    tasks = {
        name: partial(_read_case, case, worlds[name], batch, asked[name], known[case.last])
        for name, case in cases.items()
    }
    for name, found in helpers.share(tasks):
        _put(matrix, cases[name], asked[name], known[cases[name].last], found)
        progress.add(batch[1])


def _read_case(
    case: Case, lives: Lives, batch: tuple[int, int], definitions: Sequence[Definition], base: Readings
) -> Readings:
    """What a case adds with these seeds; without injection nothing happens that did not happen in the base."""
    if not case.changes_world and not case.damages_log:
        return _last(base, batch[1])

    def is_accused(it: Definition, found: Readings) -> bool:
        return judge(Cell(it, case, _last(_of(it, base), batch[1]), _of(it, found)).changes).is_adverse

    seeds, truth = _seeds(lives, batch), {} if case.changes_world else _of_world(_last(base, batch[1]).truth)
    return read_world(lives, seeds, definitions, case.damages, case.last, is_accused, truth)


def _of_world(truth: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What is so whatever the log says."""
    return {name: values for name, values in truth.items() if estimands()[name].worlds != "log"}


def _last(found: Readings, seeds: int) -> Readings:
    """The seeds read last."""
    parts = (found.reading, found.complete, found.truth)
    return Readings(*({name: values[-seeds:] for name, values in part.items()} for part in parts))


def _put(matrix: Matrix, case: Case, asked: Sequence[Definition], base: Readings, found: Readings) -> None:
    for it in asked:
        before = matrix.cells.get((it.id, case.name))
        world = found if before is None else before.world.followed_by(_of(it, found))
        matrix.cells[it.id, case.name] = Cell(it, case, _of(it, base), _of(it, world))


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
