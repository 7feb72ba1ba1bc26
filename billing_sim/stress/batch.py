"""One batch of seeds: read in every base, and in every case that is still open.

A base is a world without any case. Most cases share one, which is read once while helpers read what need not wait for
it; a base that only a case or two are compared with is a task like a case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeAlias

import numpy as np

from billing_sim.metrics.definition import Definition
from billing_sim.scenario.model import Scenario
from billing_sim.stress.case import Case
from billing_sim.stress.cells import Cell
from billing_sim.stress.helpers import Helpers
from billing_sim.stress.lives import Lives
from billing_sim.stress.readings import Readings, read_spans, read_world
from billing_sim.stress.verdicts import judge
from billing_sim.truth.estimands import estimands

FEW = 40
"""Of so many definitions every error is split; of more, those of queries only where a verdict is adverse: a query of
complete data takes as long as one of the reading."""

_BASE = ""
"""The task of reading the base of most cases; a case has a name."""


@dataclass(frozen=True)
class Tried:
    """A case that is still open: its world, and the definitions that are asked there."""

    case: Case
    lives: Lives
    asked: tuple[Definition, ...]

    @property
    def is_free(self) -> bool:
        """Whether it can be read before anybody knows the base: what is so comes from its own world, and of few
        definitions everything is read."""
        return self.case.changes_world and len(self.asked) <= FEW


@dataclass
class Base:
    """A world without any case, and what has been read of it, by the span that cases look at."""

    lives: Lives
    known: dict[int | None, Readings] = field(default_factory=dict)

    def add(self, found: dict[int | None, Readings]) -> None:
        """Take what was read with further seeds."""
        for last, readings in found.items():
            self.known[last] = self.known[last].followed_by(readings) if last in self.known else readings


class Bases:
    """The worlds without any case: one, and another for cases that need something which the scenario lacks."""

    def __init__(self, plain: Scenario, beneath: Callable[[Case], Scenario]) -> None:
        self._plain, self._beneath = Lives(plain, is_base=True), beneath
        self._known: dict[str, Base] = {}

    def of(self, tried: Iterable[Tried]) -> list[tuple[Base, list[Tried]]]:
        """Each base with those that are compared with it; that of most cases first."""
        found: dict[str, tuple[Base, list[Tried]]] = {}
        for it in tried:
            lives = Lives(self._beneath(it.case)) if it.case.gives else self._plain
            lives = self._plain if lives.digest == self._plain.digest else lives
            base = self._known.setdefault(lives.digest, Base(lives))
            found.setdefault(lives.digest, (base, []))[1].append(it)
        return sorted(found.values(), key=lambda pair: not pair[0].lives.is_base)


Seeds: TypeAlias = tuple[int, int]
"""The first seed of a batch, counted from the scenario's own, and how many there are."""


def seeds_of(lives: Lives, batch: Seeds) -> range:
    """The seeds of a batch in a world."""
    first = lives.scenario.seed + batch[0]
    return range(first, first + batch[1])


@dataclass(frozen=True)
class Batch:
    """Further seeds of all bases and of the cases that are compared with each."""

    compared: Sequence[tuple[Base, list[Tried]]]
    seeds: Seeds

    def read(self, helpers: Helpers) -> Iterator[tuple[int, list[tuple[Tried, Readings, Readings]]]]:
        """Live and read everything, here and in helpers.

        With everything that is ready it says how many worlds that were, and which cases can now be compared: each with
        all that is known of its base, and what these seeds say of the case.
        """
        early: dict[str, Readings] = {}
        for key, found in helpers.share(self._at_once):
            if key in self._alone:
                yield self._compared_alone(key, *found)
            elif key == _BASE:
                self._base.add(found)
                yield 1, []
            else:
                early[key] = found
                yield 1, []
        if self._plain is None:
            return
        yield 0, [(it, self._base.known[it.case.last], early[it.case.name]) for it in self._free]
        for key, found in helpers.share(self._afterwards):
            it = self._waiting[key]
            yield 1, [(it, self._base.known[it.case.last], found)]

    @cached_property
    def _plain(self) -> tuple[Base, list[Tried]] | None:
        return next((pair for pair in self.compared if pair[0].lives.is_base), None)

    @property
    def _base(self) -> Base:
        assert self._plain
        return self._plain[0]

    @cached_property
    def _alone(self) -> dict[str, tuple[Base, list[Tried]]]:
        return {base.lives.digest: (base, tried) for base, tried in self.compared if not base.lives.is_base}

    @cached_property
    def _free(self) -> list[Tried]:
        return [it for it in self._plain[1] if it.is_free] if self._plain else []

    @cached_property
    def _waiting(self) -> dict[str, Tried]:
        return {it.case.name: it for it in self._plain[1] if not it.is_free} if self._plain else {}

    @property
    def _at_once(self) -> dict[str, partial[Any]]:
        """What can be read before anybody knows the base of most cases, and that base; the longest come first."""
        tasks: dict[str, partial[Any]] = {}
        if self._plain:
            tasks[_BASE] = partial(_read_base, self._base.lives, self.seeds, self._plain[1])
        tasks |= {key: partial(_read_with_base, base.lives, it, self.seeds) for key, (base, it) in self._alone.items()}
        return tasks | {it.case.name: partial(_read_case, it, self.seeds, Readings()) for it in self._free}

    @property
    def _afterwards(self) -> dict[str, partial[Readings]]:
        known = self._base.known
        return {key: partial(_read_case, it, self.seeds, known[it.case.last]) for key, it in self._waiting.items()}

    def _compared_alone(
        self, key: str, own: dict[int | None, Readings], worlds: list[Readings]
    ) -> tuple[int, list[tuple[Tried, Readings, Readings]]]:
        base, tried = self._alone[key]
        base.add(own)
        found = [(it, base.known[it.case.last], world) for it, world in zip(tried, worlds, strict=True)]
        return 1 + len(tried), found


def _read_base(lives: Lives, batch: Seeds, tried: Sequence[Tried]) -> dict[int | None, Readings]:
    """What is read in a base by those that are compared with it, by the span that they look at."""
    needed = tuple({definition.id: definition for it in tried for definition in it.asked}.values())
    spans = list(dict.fromkeys(it.case.last for it in tried))
    return dict(zip(spans, read_spans(lives, seeds_of(lives, batch), needed, spans), strict=True))


def _read_with_base(
    lives: Lives, tried: Sequence[Tried], batch: Seeds
) -> tuple[dict[int | None, Readings], list[Readings]]:
    """A base, and the cases that are compared with it."""
    known = _read_base(lives, batch, tried)
    return known, [_read_case(it, batch, known[it.case.last]) for it in tried]


def _read_case(it: Tried, batch: Seeds, base: Readings) -> Readings:
    """What a case adds with these seeds; without injection nothing happens that did not happen in the base."""
    case, lives = it.case, it.lives
    if not case.injects:
        return _last(base, batch[1])

    def needs_complete(definition: Definition, found: Readings) -> bool:
        if len(it.asked) <= FEW:
            return True
        before = _last(of_definition(definition, base), batch[1])
        return judge(Cell(definition, case, before, of_definition(definition, found)).changes).is_adverse

    seeds, truth = seeds_of(lives, batch), {} if case.changes_world else _of_world(_last(base, batch[1]).truth)
    return read_world(lives, seeds, it.asked, case.damages, case.last, needs_complete, truth)


def _of_world(truth: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What is so whatever the log says."""
    return {name: values for name, values in truth.items() if estimands()[name].worlds != "log"}


def _last(found: Readings, seeds: int) -> Readings:
    """The seeds read last."""
    parts = (found.reading, found.complete, found.truth)
    return Readings(*({name: values[-seeds:] for name, values in part.items()} for part in parts))


def of_definition(it: Definition, found: Readings) -> Readings:
    """What concerns one definition."""
    complete = {it.id: found.complete[it.id]} if it.id in found.complete else {}
    return Readings({it.id: found.reading[it.id]}, complete, {it.estimand: found.truth[it.estimand]})
