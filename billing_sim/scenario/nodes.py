"""A file as a small tree in which everything knows its place, so that whatever is wrong later can be pointed at.

The reader builds nodes, layers are laid over one another as nodes, checks look at nodes; only `plain` makes ordinary
Python values of them. Nothing changes a node after it was built.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from billing_sim.errors import Problem

SHIPPED = "billing_sim/scenario/"
"""How the names of files begin that come with the package."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; line and column count from 1, and 0 means no place inside the file."""

    file: str
    line: int
    column: int

    @property
    def is_shipped(self) -> bool:
        """Whether it stands in a file that comes with the package, for which no user is to blame."""
        return self.file.startswith(SHIPPED)

    def problem(self, what: str, remedy: str = "") -> Problem:
        """A problem at this place."""
        return Problem(self.file, self.line, self.column, what, remedy)

    def refusal(self, key: str, error: ValueError) -> Problem:
        """A problem from a reader's "what is wrong; what to do"."""
        what, _, remedy = str(error).partition("; ")
        return self.problem(f"{key}: {what}.", f"{remedy[:1].upper()}{remedy[1:]}." if remedy else "")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. Numbers come from their text: whole ones as int, others as Decimal, never as float."""

    value: str | int | Decimal | bool | None
    place: Place


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with its value; `place` is that of the key."""

    key: str
    place: Place
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys with values, in the order of the file; `removed` holds the keys that were set to null."""

    entries: dict[str, Entry]
    place: Place
    removed: dict[str, Place] = field(default_factory=dict)

    def with_entries(self, *changed: Entry) -> Mapping:
        """The same mapping with these entries added or replaced."""
        return Mapping(self.entries | {entry.key: entry for entry in changed}, self.place, self.removed)

    def without(self, *keys: str) -> Mapping:
        """The same mapping less these keys."""
        rest = {key: entry for key, entry in self.entries.items() if key not in keys}
        return Mapping(rest, self.place, self.removed)


Node: TypeAlias = Scalar | Sequence | Mapping
NOWHERE = Place("", 0, 0)


def blame(*parts: Node | Entry) -> Place:
    """Where to point when values do not fit each other: at the first that the user wrote, else at the first."""
    return next((part.place for part in parts if not part.place.is_shipped), parts[0].place)


def at(node: Node | None, *path: str) -> Node | None:
    """The node below `node` along these keys, or None when there is none."""
    for key in path:
        if not isinstance(node, Mapping) or key not in node.entries:
            return None
        node = node.entries[key].value
    return node


def entries(node: Node | None, *path: str) -> list[Entry]:
    """The entries of the mapping below `node` along these keys; none when there is no mapping."""
    found = at(node, *path)
    return list(found.entries.values()) if isinstance(found, Mapping) else []


def items(node: Node | None, *path: str) -> tuple[Node, ...]:
    """The items of the list below `node` along these keys; none when there is no list."""
    found = at(node, *path)
    return found.items if isinstance(found, Sequence) else ()


def text(node: Node | None, *path: str) -> str | None:
    """The text below `node` along these keys, or None when it is no text."""
    found = at(node, *path)
    return found.value if isinstance(found, Scalar) and isinstance(found.value, str) else None


def texts(node: Node | None, *path: str) -> Iterator[tuple[str, Place]]:
    """The texts with their places in the list below `node` along these keys."""
    for item in items(node, *path):
        if isinstance(item, Scalar) and isinstance(item.value, str):
            yield item.value, item.place


def spoken(node: Node) -> object:
    """The same as `plain`, with null where a key removes what lies below: a file that can be laid over the defaults."""
    if isinstance(node, Mapping):
        said = {key: spoken(entry.value) for key, entry in node.entries.items()}
        return said | {key: None for key in node.removed if key not in said}
    if isinstance(node, Sequence):
        return [spoken(item) for item in node.items]
    return node.value


def plain(node: Node) -> object:
    """Ordinary dicts, lists and values; as deep as the reader allows, so recursion is bounded."""
    if isinstance(node, Mapping):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value


def node_of(content: Any, place: Place = NOWHERE) -> Node:
    """Plain values as a tree, the way back from `spoken`: a key with None removes what lies below it."""
    if isinstance(content, dict):
        entries_ = {key: Entry(key, place, node_of(it, place)) for key, it in content.items() if it is not None}
        return Mapping(entries_, place, {key: place for key, it in content.items() if it is None})
    if isinstance(content, list | tuple):
        return Sequence(tuple(node_of(it, place) for it in content), place)
    return Scalar(content, place)
