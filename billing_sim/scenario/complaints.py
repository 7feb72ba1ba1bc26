"""What the types of a scenario refuse, said in plain words at the place in the file that is to blame.

Pydantic names a fault by a path into the data (`loc`) and a kind of error; the path is walked through the nodes for
the place, and through the types for what would have been right.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from billing_sim.errors import Problem
from billing_sim.scenario.dunning import DunningPolicy
from billing_sim.scenario.layers import FILE_ONLY_KEYS, nearest, suggestion
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import NOWHERE, Mapping, Node, Place, Sequence
from billing_sim.scenario.values import shown

_KEYS_OF_THE_FILE: dict[type, tuple[str, ...]] = {Scenario: FILE_ONLY_KEYS, DunningPolicy: ("preset",)}

_LOGS = "^(all|none|1/"
_PATTERNS = (
    (_LOGS, "Write all, none, or 1/N with N a power of two up to 1024."),
    ("^[a-z][a-z0-9_]{0,39}$", "Use lower-case letters, digits and _, at most 40, beginning with a letter."),
    ("^[A-Z][A-Z0-9]{1,3}$", "Use 2 to 4 capital letters or digits, as in US."),
    ("^([a-z]", "Use letters of one case, digits and _, beginning with a letter, as in north_america or EU."),
)
_TYPES = {
    "string_type": ("is not text", "Put it in quotes."),
    "int_type": ("is not a whole number", "Write it in digits only, as in 100000."),
    "bool_type": ("is neither true nor false", "Write true or false."),
    "list_type": ("is not a list", "Write it in brackets, as in [a, b], or as lines that begin with a dash."),
    "dict_type": ("is not a mapping", "Write keys with values below it."),
    "model_type": ("is not a mapping", "Write keys with values below it."),
    "model_attributes_type": ("is not a mapping", "Write keys with values below it."),
}
_BOUNDS = {
    "greater_than_equal": ("ge", "is below the limit of", "at least"),
    "greater_than": ("gt", "is not above the limit of", "more than"),
    "less_than_equal": ("le", "is above the limit of", "at most"),
    "less_than": ("lt", "is not below the limit of", "less than"),
}


def complaints(
    error: ValidationError, tree: Mapping, model: type[BaseModel], fixed: Collection[str] = ()
) -> Iterator[Problem]:
    """Every fault that `model` found in `tree`, once; `fixed` are keys of the model that nobody may write here."""
    absent: dict[Place, list[tuple[str, _Found]]] = {}
    for fault in error.errors(include_url=False):
        found = _locate(tree, model, fault["loc"])
        if fault["type"] == "missing":
            absent.setdefault(_place_of_absent(fault, found), []).append((str(fault["loc"][-1]), found))
        else:
            yield _problem(fault, found, fixed if found.owner is model else ())
    for place, missing in absent.items():
        if place != NOWHERE:
            yield _missing(place, missing)


@dataclass
class _Found:
    """Where a path leads: the last key on it, the value, the type expected there, the type that owns the key."""

    place: Place
    key: str
    node: Node
    expected: Any
    owner: Any = None
    is_about_key: bool = False


def _locate(tree: Mapping, model: type[BaseModel], loc: tuple[int | str, ...]) -> _Found:
    found = _Found(tree.place, "", tree, model)
    for step in loc:
        if step == "[key]":
            found.is_about_key = True
        elif (kind := _of_kind(found.expected, step)) is not None:
            # A kind stands in the path before its keys, one of which may be called as the kind is.
            found.expected = kind
        elif isinstance(found.node, Mapping) and step in found.node.entries:
            entry = found.node.entries[str(step)]
            found = _Found(entry.place, entry.key, entry.value, _below(found.expected, step), found.expected)
        elif isinstance(found.node, Sequence) and isinstance(step, int):
            item = found.node.items[step]
            found = _Found(item.place, found.key, item, _below(found.expected, step), found.expected)
    return found


def _of_kind(expected: Any, step: int | str) -> Any:
    """Which of several models has this kind; None where there is no choice, or none has it."""
    expected = _bare(expected)
    parts = get_args(expected) if _is_union(expected) else ()
    return next((part for part in parts if hasattr(part, "model_fields") and step in _tags(part)), None)


def _bare(expected: Any) -> Any:
    """A type without what `Annotated` and `| None` add to it."""
    while get_origin(expected) is Annotated:
        expected = get_args(expected)[0]
    some = [part for part in get_args(expected) if part is not type(None)]
    return some[0] if _is_union(expected) and len(some) == 1 else expected


def _is_union(expected: Any) -> bool:
    """Whether a type is `A | B`."""
    return get_origin(expected) is Union or type(expected).__name__ == "UnionType"


def _below(expected: Any, step: int | str) -> Any:
    """The type of what lies under one step of a path; None where the step names none."""
    expected = _bare(expected)
    if isinstance(expected, type) and issubclass(expected, BaseModel):
        field = expected.model_fields.get(str(step))
        return field.annotation if field else None
    arguments = get_args(expected)
    return arguments[-1] if arguments and get_origin(expected) in (dict, list) else None


def _tags(model: Any) -> tuple[Any, ...]:
    return get_args(model.model_fields["kind"].annotation)


def _problem(fault: ErrorDetails, found: _Found, fixed: Collection[str]) -> Problem:
    kind, context = fault["type"], fault.get("ctx", {})
    value = f"{found.key}: {shown(fault['input'])}"
    place = found.place if found.is_about_key else found.node.place
    if kind == "extra_forbidden":
        return _unknown_key(found, fixed)
    if found.is_about_key:
        return _bad_key(fault, found)
    if kind.startswith("union_tag"):
        return _bad_tag(kind, found)
    if kind == "value_error":
        return place.refusal(found.key, context["error"])
    if kind == "literal_error":
        choices = _choices(context["expected"])
        near = nearest(str(fault["input"]), choices)
        remedy = f"Did you mean {near}?" if near else "Write one of them."
        return place.problem(f"{value} is not one of {', '.join(choices)}.", remedy)
    if kind in _TYPES:
        what, remedy = _TYPES[kind]
        return place.problem(f"{value} {what}.", remedy)
    if kind in _BOUNDS:
        bound, what, remedy = _BOUNDS[kind]
        limit = f"{context[bound]:,}"
        return place.problem(f"{value} {what} {limit}.", f"Write a number of {remedy} {limit}.")
    return place.problem(*_other(kind, context, value, found))


def _other(kind: str, context: dict[str, Any], value: str, found: _Found) -> tuple[str, str]:
    if kind == "too_long":
        # Of keys nobody counts those beyond the limit.
        count, limit = context["actual_length"], context["max_length"]
        told = f"there are {count} entries, more than the limit of {limit}" if count else f"more entries than {limit}"
        return f"{found.key}: {told}.", "Leave some out."
    if kind == "too_short":
        count, limit = context["actual_length"], context["min_length"]
        return f"{found.key}: there are {count} entries, fewer than the {limit} needed.", "Add what is missing."
    if kind == "string_pattern_mismatch":
        what = "is no log to keep" if context["pattern"].startswith(_LOGS) else "cannot be used as a name"
        return f"{value} {what}.", _pattern_words(context["pattern"])
    return f"{value} cannot be used here.", "Look the key up with `billing-sim schema scenario`."


def _place_of_absent(fault: ErrorDetails, found: _Found) -> Place:
    """Where a key has no value, or the key under which it should be; nowhere when that was refused already."""
    removed = found.node.removed if isinstance(found.node, Mapping) else {}
    place = NOWHERE if found.node.place == NOWHERE else found.place
    return removed.get(str(fault["loc"][-1]), place)


def _missing(place: Place, missing: list[tuple[str, _Found]]) -> Problem:
    key, found = missing[0]
    if isinstance(found.node, Mapping) and found.node.removed.get(key) == place:
        return place.problem(f"{key} has no value.", _about(key, found, "Give it one"))
    where = f" in {found.key}" if found.key else ""
    if len(missing) == 1:
        return place.problem(f"{key} is missing{where}.", _about(key, found, "Add it"))
    keys = sorted({key for key, _ in missing})
    return place.problem(f"{', '.join(keys)} are missing{where}.", "Add them.")


def _about(key: str, found: _Found, remedy: str) -> str:
    field = _fields(found.expected).get(key)
    return f"{remedy}: {field.description}." if field and field.description else f"{remedy}."


def _fields(expected: Any) -> dict[str, Any]:
    expected = _bare(expected)
    return dict(expected.model_fields) if isinstance(expected, type) and issubclass(expected, BaseModel) else {}


def _unknown_key(found: _Found, fixed: Collection[str]) -> Problem:
    known = {*_fields(found.owner), *_KEYS_OF_THE_FILE.get(_bare(found.owner), ())} - {*fixed}
    return found.place.problem(f"{found.key} is not a known key here.", suggestion(found.key, known, "Keys here"))


def _bad_key(fault: ErrorDetails, found: _Found) -> Problem:
    context = fault.get("ctx", {})
    if fault["type"] == "literal_error":
        choices = _choices(context["expected"])
        return found.place.problem(f"{found.key} is not a known key here.", suggestion(found.key, choices, "Keys here"))
    return found.place.problem(f"{found.key} cannot be used as a name.", _pattern_words(context.get("pattern", "")))


def _bad_tag(kind: str, found: _Found) -> Problem:
    choices = [tag for part in get_args(_bare(found.expected)) for tag in _tags(part)]
    entry = found.node.entries.get("kind") if isinstance(found.node, Mapping) else None
    if kind == "union_tag_not_found" or entry is None:
        return found.place.problem("kind is missing.", suggestion("", choices, "Kinds are"))
    word = getattr(entry.value, "value", None)
    what = f"kind: {shown(word)} is not a kind of intervention."
    return entry.value.place.problem(what, suggestion(str(word), choices, "Kinds are"))


def _choices(expected: str) -> list[str]:
    return [word.strip("'") for word in re.findall(r"'[^']*'|True|False", expected)]


def _pattern_words(pattern: str) -> str:
    return next((words for start, words in _PATTERNS if pattern.startswith(start)), "Choose a plain name.")
