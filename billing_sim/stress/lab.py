"""The lab: every definition in every case, with as many seeds as its verdict needs.

Worlds are shared by all definitions: the base is lived once for each seed, a case only where it changes the world or
its log, and more seeds only for the cells that are still unresolved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from billing_sim.errors import InputError, QueryError
from billing_sim.metrics.definition import Definition
from billing_sim.scenario.layers import read_chain
from billing_sim.scenario.loading import load, made_of
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import spoken
from billing_sim.scenario.reader import read_bytes
from billing_sim.scenario.scaling import write_scaled
from billing_sim.stress.batch import Bases, Batch, Tried, of_definition, seeds_of
from billing_sim.stress.bundle import MOST_SEEDS as AT_ONCE
from billing_sim.stress.case import BASE, Case
from billing_sim.stress.cells import Cell
from billing_sim.stress.discovery import printed
from billing_sim.stress.fitting import apply, beneath
from billing_sim.stress.helpers import Helpers
from billing_sim.stress.lives import Lives, forget_lives
from billing_sim.stress.looks import LOOKS, more_seeds
from billing_sim.stress.readings import Readings, is_kept
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
        content = apply(case, self.content)
        return made_of(content) if case.changes_world else self.beneath(case)

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
            Lives(on.scenario), seeds_of(Lives(on.scenario), (0, min(seeds, AT_ONCE)))
        ):
            helpers.call()
        worlds = _fitting(matrix, on)
        progress = _Progress(report)
        bases = Bases(on.scenario, on.beneath)
        open_cells = {case.name: matrix.definitions for case in matrix.cases if case.name in worlds}
        while open_cells and done < most:
            step = min(seeds - done, AT_ONCE) if done < seeds else min(done, most - done)
            tried = [
                Tried(case, worlds[case.name], open_cells[case.name])
                for case in matrix.cases
                if case.name in open_cells
            ]
            compared = bases.of(tried)
            progress.total += (len(tried) + len(compared)) * step
            for worlds_read, found in Batch(compared, (done, step)).read(helpers):
                for it, base, world in found:
                    _put(matrix, it, base, world)
                progress.add(worlds_read * step)
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


def _put(matrix: Matrix, it: Tried, base: Readings, found: Readings) -> None:
    for asked in it.asked:
        key = asked.id, it.case.name
        before = matrix.cells.get(key)
        world = found if before is None else before.world.followed_by(of_definition(asked, found))
        matrix.cells[key] = Cell(asked, it.case, of_definition(asked, base), of_definition(asked, world))


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
