"""Definitions that say only how they differ: variants below their metric, and metrics made `like` another.

What is left out is taken from the parent. A child that names another fact, another kind or a query restates what hangs
on it: columns of one fact mean nothing to another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from billing_sim.errors import InputError
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.names import unknown
from billing_sim.scenario.nodes import Mapping as Tree
from billing_sim.scenario.nodes import Node, Place, at, items, plain

_OWN = ("id", "like", "variants", "also_in", "axis", "differs", "source", "retrieved", "shown", "once")
"""What a child never takes from its parent."""

_COLUMNS = ("where", "exclude", "numerator", "denominator", "clock", "window", "over", "weight")
_BY_KIND = ("quantile", "across", "at_least", "since", "event", "competing", "enters", "by_age", "estimator")
_KIND_NEEDS = ("numerator", "denominator", "scale")


@dataclass(frozen=True)
class Draft:
    """One definition as written: its fields, the parent's name, and where it stands."""

    id: str
    like: str
    fields: dict[str, Any]
    node: Node
    parent_node: Node | None = None

    def place(self, *keys: str) -> Place:
        """Where the value below these keys stands: in the definition, in its parent, or else at the definition."""
        if keys and at(self.node, *keys) is None and self.parent_node and at(self.parent_node, *keys) is not None:
            return _nearest(self.parent_node, *keys)
        return _nearest(self.node, *keys)


def drafts(root: Tree, view: str | None) -> Iterator[Draft]:
    """Every metric of a file with its variants behind it."""
    for node in items(root, "metrics"):
        fields = _fields(node)
        own = str(fields.get("id", ""))
        variants = fields.pop("variants", None)
        like = str(fields.pop("like", "") or "")
        yield Draft(own, like, {"view": view, **fields} if not like else fields, node)
        if variants is None:
            continue
        for inner in items(node, "variants"):
            found = _fields(inner)
            suffix = str(found.pop("id", ""))
            if "like" in found:
                raise InputError([_nearest(inner, "like").problem("A variant is like its metric; delete `like`.")])
            yield Draft(f"{own}@{suffix}", own, {**found, "id": f"{own}@{suffix}"}, inner, node)


def resolved(draft: Draft, written: Mapping[str, Draft], known: Mapping[str, Definition]) -> dict[str, Any]:
    """All fields of a draft, its ancestors' included; InputError for an unknown parent or a circle."""
    chain = [draft]
    while chain[-1].like:
        name = chain[-1].like
        if name in written:
            if any(step.id == name for step in chain):
                circle = " -> ".join([*(step.id for step in chain), name])
                raise InputError([draft.place("like").problem(f"{draft.id} is made like itself: {circle}.")])
            chain.append(written[name])
        elif name in known:
            return _merged([_given(known[name]), *(step.fields for step in reversed(chain))], draft)
        else:
            raise InputError([draft.place("like").problem(unknown("metric", name, [*written, *known]))])
    return _merged([step.fields for step in reversed(chain)], draft)


def _given(definition: Definition) -> dict[str, Any]:
    """A definition as if it had been written here, without what is at its default."""
    return definition.model_dump(exclude_defaults=True)


def _merged(steps: list[dict[str, Any]], draft: Draft) -> dict[str, Any]:
    merged = dict(steps[0])
    for child in steps[1:]:
        dropped = set(_OWN)
        if child.get("sql"):
            dropped |= {"fact", "matures", *_COLUMNS, *_BY_KIND}
        if child.get("fact", merged.get("fact")) != merged.get("fact"):
            dropped |= set(_COLUMNS)
        if child.get("kind", merged.get("kind")) != merged.get("kind"):
            dropped |= {*_BY_KIND, *_KIND_NEEDS}
        parent = {key: value for key, value in merged.items() if key not in dropped}
        merged = {**parent, **_worded(merged, child), **child}
    merged["id"] = draft.id
    return merged


def _worded(parent: Mapping[str, Any], child: Mapping[str, Any]) -> dict[str, Any]:
    """Title and formula of a child that states none, and whether views show it."""
    words: dict[str, Any] = {}
    if child.get("differs"):
        words["title"] = f"{parent.get('title', '')}, {str(child['id']).partition('@')[2].replace('_', ' ')}"
        words["formula"] = f"{parent.get('formula', '')}; but {child['differs']}"
    if "@" in str(child.get("id", "")):
        words["shown"] = False
    return words


def _fields(node: Node) -> dict[str, Any]:
    value = plain(node)
    fields = {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}
    axis = fields.get("axis")
    if isinstance(axis, str):
        fields["axis"] = (axis,)
    return fields


def _nearest(node: Node, *keys: str) -> Place:
    """Where the value below these keys stands, or else its nearest parent."""
    while keys and at(node, *keys) is None:
        keys = keys[:-1]
    found = at(node, *keys)
    assert found is not None
    return found.place
