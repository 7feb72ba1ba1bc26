"""The metrics that exist: read from YAML files, the shipped ones first, checked whole before any is computed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from billing_sim.errors import InputError, Problem, QueryError
from billing_sim.metrics.definition import TIERS, VIEWS, Definition
from billing_sim.scenario import reader
from billing_sim.scenario.nodes import Mapping, Node, Place, Scalar, Sequence, at, items, plain, text

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
        found = [it for it in self.definitions if view in (it.view, *it.also_in)]
        return sorted(found, key=lambda it: TIERS.index(it.tier))

    def of(self, metrics: Iterable[str]) -> Catalogue:
        """Only these metrics, in the order named."""
        return Catalogue(tuple(self[metric] for metric in metrics), self.goals)


def unknown(noun: str, name: str, known: Iterable[str]) -> str:
    """A sentence for a name that is not there, with the likely one or with all there are."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"did you mean `{close[0]}`?" if close else f"there is: {', '.join(names)}."
    return f"There is no {noun} `{name}`; {hint}"


@cache
def shipped() -> Catalogue:
    """The metrics that come with the package, one file per view. Their SQL is checked by the tests, not again here."""
    files = [_SHIPPED / f"{view}.yaml" for view in VIEWS]
    return _merge([_read(file, f"metrics/{file.name}") for file in files])


def load(path: Path) -> Catalogue:
    """The metrics of a file of one's own: `view`, optionally `goal`, and a list `metrics`.

    Raises InputError with everything that is wrong in it, including SQL that its fact cannot answer.
    """
    from billing_sim.metrics.expressions import problems

    definitions, goals, nodes = _read(path, str(path))
    wrong = [
        _place(node, field).problem(f"{definition.id}, {field}: {what}", remedy)
        for definition, node in zip(definitions, nodes, strict=True)
        for field, what, remedy in problems(definition)
    ]
    if wrong:
        raise InputError(wrong)
    return _merge([(definitions, goals, nodes)])


_File = tuple[list[Definition], dict[str, str], list[Node]]


def _read(path: Path, name: str) -> _File:
    root = reader.parse(reader.read_bytes(path), name)
    view, goal = text(root, "view"), text(root, "goal")
    wrong = list(_misplaced(root, view))
    definitions: list[Definition] = []
    nodes = items(root, "metrics")
    for node in nodes:
        try:
            definitions.append(Definition.model_validate({"view": view, **_fields(node)}))
        except ValidationError as error:
            wrong += [_explain(node, each["loc"], each["msg"]) for each in error.errors()]
    if wrong:
        raise InputError(wrong)
    return definitions, {view: goal} if view and goal else {}, list(nodes)


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


def _fields(node: Node) -> dict[str, object]:
    value = plain(node)
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def _explain(node: Node, location: tuple[str | int, ...], message: str) -> Problem:
    key = str(location[-1]) if location else ""
    keys = [str(part) for part in location if isinstance(part, str)]
    if message == "Extra inputs are not permitted":
        message, remedy = unknown("key", key, Definition.model_fields), ""
    elif message == "Field required":
        message, remedy = f"`{key}` is missing.", Definition.model_fields[key].description or ""
    else:
        message, remedy = message.removeprefix("Value error, "), ""
    return _place(node, *keys).problem(f"{text(node, 'id') or 'a metric'}: {message}", remedy)


def _place(node: Node, *keys: str) -> Place:
    """Where the value below these keys stands, or else its nearest parent."""
    while keys and at(node, *keys) is None:
        keys = keys[:-1]
    found = at(node, *keys)
    assert isinstance(found, Scalar | Sequence | Mapping)
    return found.place


def _merge(files: list[_File]) -> Catalogue:
    definitions = [definition for found, _, _ in files for definition in found]
    nodes = [node for _, _, found in files for node in found]
    seen: set[str] = set()
    for definition, node in zip(definitions, nodes, strict=True):
        if definition.id in seen:
            what = f"{definition.id} is defined twice."
            raise InputError([_place(node, "id").problem(what, "Give one of them another id.")])
        seen.add(definition.id)
    order = sorted(definitions, key=lambda it: (VIEWS.index(it.view), TIERS.index(it.tier)))
    return Catalogue(tuple(order), {view: goal for _, goals, _ in files for view, goal in goals.items()})
