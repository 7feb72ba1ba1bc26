"""From a file that nobody vouches for to a tree of nodes, or to the list of what is wrong with it.

YAML is read from its stream of events, one by one and without recursion, so that size, depth and count are refused
before they cost anything; what a plain word means is settled here, by the rules of version 1.2. libyaml reads (ten
times as fast); where it stops, ruamel.yaml reads again, because it says better what is wrong. Left out on purpose:
anchors and aliases (a file of 400 bytes can stand for a billion values), tags, several documents, keys that are not
text.
"""

from __future__ import annotations

import re
import stat
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from billing_sim.errors import InputError, Problem
from billing_sim.scenario.nodes import Entry, Mapping, Node, Place, Scalar, Sequence
from billing_sim.scenario.scalars import resolve

SIZE_MAX = 1 << 20
DEPTH_MAX = 24
NODES_MAX = 20_000

_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def read_bytes(path: Path) -> bytes:
    """The bytes of a file that may be read as YAML; InputError when there is none, or it is none, or too large."""
    name = str(path)
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise _refusal(Place(name, 0, 0), "This is a directory, not a file.", "Name a YAML file in it.")
        if not stat.S_ISREG(kind):
            raise _refusal(Place(name, 0, 0), "This is not an ordinary file.", "Name a YAML file.")
        with path.open("rb") as file:
            content = file.read(SIZE_MAX + 1)
    except FileNotFoundError:
        raise _refusal(Place(name, 0, 0), "There is no such file.", "Check the spelling of the path.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refusal(
            Place(name, 0, 0), f"The file cannot be read: {reason}.", "Check the path and its permissions."
        ) from None
    if len(content) > SIZE_MAX:
        raise _refusal(
            Place(name, 0, 0),
            "The file is larger than 1 MiB.",
            "Keep scenarios small; `extends` shares what they have in common.",
        )
    return content


def parse(content: bytes, file: str, faults: list[Problem] | None = None) -> Mapping:
    """The tree of a YAML file whose top level is a mapping; `file` is the name under which problems are reported.

    Raises InputError. Syntax stops at the first fault; duplicate keys, tags, anchors and bad numbers are collected. Who
    brings a list for these `faults` gets the tree all the same, without what cannot be used.
    """
    text = decoded(content, file)
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            builder.take(event)
    except yaml.YAMLError:
        builder = _read_slowly(text, file)
    except InputError as error:
        raise InputError([*builder.problems, *error.problems]) from None
    return builder.finish(faults)


def _read_slowly(text: str, file: str) -> _Builder:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    from billing_sim.scenario.yaml_words import explain

    builder = _Builder(file)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except MarkedYAMLError as error:
        line, column, what, remedy = explain(error)
        raise InputError([*builder.problems, Place(file, line, column).problem(what, remedy)]) from None
    except InputError as error:
        raise InputError([*builder.problems, *error.problems]) from None
    except YAMLError:
        raise _refusal(Place(file, 1, 1), "This is not a YAML file.", "Write `key: value` lines in UTF-8.") from None
    return builder


def decoded(content: bytes, file: str) -> str:
    """The text of a file without the mark that some editors put in front; InputError where it is not UTF-8."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refusal(Place(file, 1, 1), "The file is in UTF-16, not UTF-8.", "Save it as UTF-8.")
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place_of(content[: error.start].decode("utf-8"), file)
        raise _refusal(place, "The file is not UTF-8 text from here on.", "Save it as UTF-8.") from None
    bad = _NOT_TEXT.search(text)
    if bad:
        place = _place_of(text[: bad.start()], file)
        raise _refusal(place, f"There is a control character here (U+{ord(bad[0]):04X}).", "Delete it.")
    return text


def _place_of(before: str, file: str) -> Place:
    lines = re.split(r"\r\n|\r|\n", before)
    return Place(file, len(lines), len(lines[-1]) + 1)


def _refusal(place: Place, what: str, remedy: str = "") -> InputError:
    return InputError([place.problem(what, remedy)])


class _Open:
    """A list or mapping whose end has not come yet; `key` waits for its value."""

    __slots__ = ("content", "is_mapping", "key", "place", "values")

    def __init__(self, place: Place, is_mapping: bool) -> None:
        self.place, self.is_mapping = place, is_mapping
        self.content: dict[str, Entry] = {}
        self.values: list[Node] = []
        self.key: tuple[str | None, Place] | None = None


class _Builder:
    """Takes events one after the other and holds the containers that are still open on a stack of its own."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.open: list[_Open] = []
        self.root: Node | None = None
        self.documents = self.nodes = 0

    def take(self, event: Any) -> None:
        """One event of either library: their names for events are the same."""
        match type(event).__name__:
            case "ScalarEvent":
                self._count(event)
                self._scalar(event)
            case "MappingStartEvent" | "SequenceStartEvent":
                self._count(event)
                self._start(event)
            case "MappingEndEvent" | "SequenceEndEvent":
                self._end()
            case "AliasEvent":
                raise _refusal(
                    self._place(event),
                    f"Aliases such as *{event.anchor} are not read.",
                    "Write the value out, or share it with `extends`.",
                )
            case "DocumentStartEvent":
                self._document(event)
            case "DocumentEndEvent" if self.root is None:
                self.root = Scalar(None, self._place(event))

    def finish(self, faults: list[Problem] | None = None) -> Mapping:
        """The tree, once all events are in; InputError with everything collected, unless there is a list for it."""
        if isinstance(self.root, Mapping) and (faults is not None or not self.problems):
            (faults if faults is not None else []).extend(self.problems)
            return self.root
        place = Place(self.file, 1, 1)
        remedy = "Write `key: value` lines; `name:` is a good first one."
        if self.root is None or (isinstance(self.root, Scalar) and self.root.value is None):
            self.problems.append(place.problem("The file is empty.", remedy))
        elif not isinstance(self.root, Mapping):
            kind = "a list" if isinstance(self.root, Sequence) else "a single value"
            self.problems.append(self.root.place.problem(f"The file holds {kind}, not keys with values.", remedy))
        raise InputError(self.problems)

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            raise _refusal(
                self._place(event),
                "A second document begins here.",
                "Keep one document in a file; delete the line `---`.",
            )
        if event.tags or event.version not in (None, (1, 2)):
            raise _refusal(
                Place(self.file, 1, 1),
                "Lines that begin with % are not read here.",
                "Delete them: files are read as YAML 1.2.",
            )

    def _count(self, event: Any) -> None:
        self.nodes += 1
        if self.nodes > NODES_MAX:
            raise _refusal(
                self._place(event),
                f"The file has more than {NODES_MAX:,} values.",
                "Split it, and share the parts with `extends`.",
            )
        if event.anchor is not None:
            self.problems.append(
                self._place(event).problem(
                    f"Anchors such as &{event.anchor} are not read.",
                    "Delete it, and write the value out where it is needed.",
                )
            )
        if event.tag is not None:
            self.problems.append(
                self._place(event).problem(f"Tags such as {event.tag} are not read.", "Delete it; put text in quotes.")
            )

    def _scalar(self, event: Any) -> None:
        place = self._place(event)
        if not event.value and not event.style and self.open and self.open[-1].key:
            place = self.open[-1].key[1]  # a key without a value: the parser is lines ahead by now
        if event.style:
            self._add(Scalar(event.value, place))
            return
        try:
            self._add(Scalar(resolve(event.value), place))
        except ValueError as error:
            self.problems.append(place.problem(str(error), "Write an ordinary number, or put text in quotes."))
            self._add(Scalar(event.value, place))

    def _start(self, event: Any) -> None:
        place = self._place(event)
        if len(self.open) >= DEPTH_MAX:
            raise _refusal(
                place, f"Values are nested more than {DEPTH_MAX} deep.", "A scenario needs no more than ten levels."
            )
        is_mapping = type(event).__name__ == "MappingStartEvent"
        if self.open and self.open[-1].is_mapping and self.open[-1].key is None:
            raise _refusal(place, "A list or mapping cannot be a key.", "Put quotes around it if it is meant as text.")
        self.open.append(_Open(place, is_mapping))

    def _end(self) -> None:
        done = self.open.pop()
        self._add(Mapping(done.content, done.place) if done.is_mapping else Sequence(tuple(done.values), done.place))

    def _add(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        if not parent.is_mapping:
            parent.values.append(node)
        elif parent.key is None:
            parent.key = (self._key(parent, node), node.place)
        else:
            key, place = parent.key
            parent.key = None
            if key is not None:
                parent.content[key] = Entry(key, place, node)

    def _key(self, parent: _Open, node: Node) -> str | None:
        """The text of a key, or None when its value is to be dropped because the key cannot be used."""
        assert isinstance(node, Scalar)
        if not isinstance(node.value, str):
            shown = "null" if node.value is None else str(node.value).lower()
            remedy = f'Put it in quotes: "{shown}".'
            if _is_number(node) and any(_is_number(it.value) for it in list(parent.content.values())[-1:]):
                remedy = "Write a number without commas, 3000 for 3,000: within brackets a comma begins the next entry."
            self.problems.append(node.place.problem(f"The key {shown} is not text.", remedy))
            return None
        if node.value in parent.content:
            first = parent.content[node.value].place.line
            self.problems.append(
                node.place.problem(
                    f"{node.value} is given twice; the first is in line {first}.", "Keep one of the two."
                )
            )
            return None
        return node.value


def _is_number(node: Node) -> bool:
    return (
        isinstance(node, Scalar) and isinstance(node.value, int | float | Decimal) and not isinstance(node.value, bool)
    )
