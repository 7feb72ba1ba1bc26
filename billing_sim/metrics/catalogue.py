"""The metrics that exist: read from YAML files, the shipped ones first, checked whole before any is computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from billing_sim.errors import InputError, Problem, QueryError
from billing_sim.metrics.definition import TIERS, VIEWS, Definition
from billing_sim.metrics.deriving import Draft, drafts, resolved
from billing_sim.metrics.mistakes import explain
from billing_sim.metrics.names import unknown
from billing_sim.metrics.source import Others
from billing_sim.scenario import reader
from billing_sim.scenario.nodes import Mapping, Place, at, items, text

_SHIPPED = Path(__file__).parent
_KEYS = ("view", "goal", "metrics")


@dataclass(frozen=True)
class Catalogue:
    """Definitions in the order in which views show them, and each view's goal in the user's words."""

    definitions: tuple[Definition, ...]
    goals: dict[str, str]

    def __iter__(self) -> Iterator[Definition]:
        return iter(self.definitions)

    def __getitem__(self, metric: str) -> Definition:
        """The definition of this id; QueryError with a suggestion when there is none."""
        found = next((definition for definition in self.definitions if definition.id == metric), None)
        if found is None:
            raise QueryError(unknown("metric", metric, [definition.id for definition in self.definitions]))
        return found

    def shown_in(self, view: str) -> list[Definition]:
        """What a view shows, core first: its own metrics, and those of other views that belong there too."""
        found = [it for it in self.definitions if it.shown and view in (it.view, *it.also_in)]
        return sorted(found, key=lambda it: TIERS.index(it.tier))

    @property
    def shown(self) -> Catalogue:
        """Only what views show."""
        return Catalogue(tuple(it for it in self.definitions if it.shown), self.goals)

    def variants(self, metric: str) -> tuple[Definition, ...]:
        """The canonical definition of a metric and all its variants, canonical first."""
        return tuple(it for it in self.definitions if it.name == self[metric].name)

    def of(self, metrics: Iterable[str]) -> Catalogue:
        """Only these metrics, in the order named."""
        return Catalogue(tuple(self[metric] for metric in metrics), self.goals)

    def with_(self, more: Catalogue) -> Catalogue:
        """Both; where both define a metric, `more` wins."""
        ids = {it.id for it in more}
        kept = (it for it in self.definitions if it.id not in ids)
        return Catalogue((*kept, *more.definitions), self.goals | more.goals)


def shipped_files() -> list[Path]:
    """The files of every view, its main one first."""
    return [path for view in VIEWS for path in (_SHIPPED / f"{view}.yaml", *sorted(_SHIPPED.glob(f"{view}_*.yaml")))]


@cache
def shipped() -> Catalogue:
    """The metrics that come with the package: VIEW.yaml and VIEW_*.yaml. Their SQL is checked by tests, not here."""
    found: list[Definition] = []
    goals: dict[str, str] = {}
    for path in shipped_files():
        reading = _read(path, f"metrics/{path.name}", Catalogue((), {}))
        if reading.wrong:
            raise InputError(reading.wrong)
        found += [definition for _, definition in reading.made]
        goals |= reading.goals
    return Catalogue(_ordered(found), goals)


def load(path: Path, others: Others | None = None) -> Catalogue:
    """The metrics of a file of one's own: YAML with `view`, optionally `goal`, and a list `metrics`; or a `.sql` file.

    A metric may be `like` a shipped one. Raises InputError with everything that is wrong in it, including SQL that its
    fact cannot answer.
    """
    if path.suffix == ".sql":
        from billing_sim.metrics.queries import definition_of

        return Catalogue((definition_of(path, others),), {})
    reading = _read(path, str(path), shipped())
    wrong = [*reading.wrong, *_wrong_sql(reading.made, others)]
    if wrong:
        raise InputError(wrong)
    return Catalogue(_ordered(definition for _, definition in reading.made), reading.goals)


@dataclass(frozen=True)
class _Reading:
    """What came of a file: the definitions that could be made of their drafts, and what is wrong with the others."""

    made: list[tuple[Draft, Definition]]
    goals: dict[str, str]
    wrong: list[Problem]


def _read(path: Path, name: str, known: Catalogue) -> _Reading:
    root = reader.parse(reader.read_bytes(path), name)
    view, goal = text(root, "view"), text(root, "goal")
    wrong = list(_misplaced(root, view))
    try:
        written = list(drafts(root, view))
    except InputError as error:
        raise InputError([*wrong, *error.problems]) from None
    made, refused = _made(written, {it.id: it for it in known})
    return _Reading(made, {view: goal} if view and goal else {}, [*wrong, *_twice(written), *refused])


def _made(written: list[Draft], known: dict[str, Definition]) -> tuple[list[tuple[Draft, Definition]], list[Problem]]:
    """The definitions of a file; what a child only takes over from its parent is told once, of the parent."""
    by_id = {draft.id: draft for draft in written}
    made: list[tuple[Draft, Definition]] = []
    wrong: list[Problem] = []
    told: dict[str, list[tuple[Any, ...]]] = {}
    for draft in written:
        try:
            made.append((draft, Definition.model_validate(resolved(draft, by_id, known))))
        except ValidationError as error:
            told[draft.id] = [(each["loc"], each["msg"]) for each in error.errors()]
            wrong += [
                explain(draft, each)
                for each in error.errors()
                if (each["loc"], each["msg"]) not in told.get(draft.like, [])
            ]
        except InputError as error:
            wrong += error.problems if draft.like not in told else []
            told[draft.id] = []
    return made, wrong


def _wrong_sql(made: Iterable[tuple[Draft, Definition]], others: Others | None) -> Iterator[Problem]:
    """What is wrong with expressions and queries, each place told once although variants take it over."""
    from billing_sim.metrics.expressions import problems

    told = set()
    for draft, definition in made:
        for field, what, remedy in problems(definition, others):
            place = draft.place(*field.split("."))
            if (place, what) not in told:
                yield place.problem(f"{definition.id}, {field}: {what}", remedy)
            told.add((place, what))


def _twice(written: list[Draft]) -> Iterator[Problem]:
    seen: set[str] = set()
    for draft in written:
        if draft.id and draft.id in seen:
            yield draft.place("id").problem(f"{draft.id} is defined twice.", "Give one of them another id.")
        seen.add(draft.id)


def _misplaced(root: Mapping, view: str | None) -> Iterator[Problem]:
    for key, entry in root.entries.items():
        if key not in _KEYS:
            yield entry.place.problem(unknown("key", key, _KEYS))
    if view not in VIEWS:
        remedy = f"Write `view:` with one of {', '.join(VIEWS)}."
        yield _place(root, "view").problem("The file does not say whose view it is.", remedy)
    if not items(root, "metrics"):
        remedy = "List them under `metrics:`, each beginning with `- id:`."
        yield _place(root, "metrics").problem("The file defines no metric.", remedy)


def _place(root: Mapping, key: str) -> Place:
    found = at(root, key)
    return found.place if found else root.place


def _ordered(definitions: Iterable[Definition]) -> tuple[Definition, ...]:
    """By view and tier; a variant keeps its place behind its metric."""
    return tuple(sorted(definitions, key=lambda it: (VIEWS.index(it.view), TIERS.index(it.tier))))
