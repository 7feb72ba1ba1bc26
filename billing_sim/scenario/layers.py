"""From the file that was named to one tree in which every default is filled in, ready to be checked.

The layers, lowest first: the shipped defaults, the files of the `extends` chain, the file itself. Then each market is
laid over the `market_defaults`, its behaviour over that of its region, and each dunning policy over its `preset`.
Every value still knows the file and line it came from.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import takewhile
from os.path import realpath
from pathlib import Path, PurePosixPath, PureWindowsPath

from billing_sim.errors import InputError, Problem
from billing_sim.scenario.merge import overlay
from billing_sim.scenario.nodes import NOWHERE, SHIPPED, Entry, Mapping, Node, Place, Scalar, at, entries, items, text
from billing_sim.scenario.reader import parse, read_bytes

HERE = Path(__file__).parent
EXTENDS_MAX = 16
NAMES_SHOWN = 40
OTHER_REGION = "OTHER"
FILE_ONLY_KEYS = ("extends", "regions", "market_defaults")
"""Keys of a scenario file that are used up here and are no part of the finished scenario."""

OWN_KEY = "expect"
"""What a file says of itself only: who extends a story changes its ending."""


def suggestion(word: str, known: Iterable[str], what: str = "Known are") -> str:
    """A remedy for an unknown word: the nearest known one, or all of them."""
    names = sorted(known)
    near = nearest(word, names)
    if near:
        return f"Did you mean {near}?"
    shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
    return f"{what}: {shown}." if names else "There are none."


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, if any is; among equals the one that begins like it."""
    lowered = {name.lower(): name for name in known}
    word = word.lower()
    near = difflib.get_close_matches(word, lowered, n=8, cutoff=0.6)
    likeness = {name: difflib.SequenceMatcher(None, name, word).ratio() for name in near}
    best = max(near, key=lambda name: (likeness[name], _common_beginning(name, word)), default=None)
    return lowered[best] if best else None


def _common_beginning(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


@cache
def shipped(name: str) -> Mapping:
    """The tree of a file that comes with the package."""
    return parse(read_bytes(HERE / name), f"{SHIPPED}{name}")


def read_chain(path: Path, content: bytes, faults: list[Problem] | None = None) -> Mapping:
    """The tree of a file laid over all that it extends; InputError for a missing base, a cycle or bad syntax.

    With a list for `faults`, what `reader.parse` collects does not stop it.
    """
    top = parse(content, str(path), faults)
    layers, seen = [top], {realpath(path)}
    while (entry := layers[-1].entries.get("extends")) is not None:
        base = _base_path(Path(entry.value.place.file), entry.value)
        if realpath(base) in seen:
            raise _refused(
                entry.value, f"extends: {base.name} is extended in a circle.", "Remove one `extends` of the circle."
            )
        if len(layers) > EXTENDS_MAX:
            raise _refused(entry.value, f"extends: more than {EXTENDS_MAX} files extend one another.", "Extend fewer.")
        seen.add(realpath(base))
        layers.append(parse(_base_content(base, entry.value), str(base), faults))
    tree = Mapping({}, top.place)
    for layer in reversed(layers):
        below = layer if layer is top else layer.without(OWN_KEY)
        tree = overlay(tree, below.without("extends"))
    return tree


def _base_path(file: Path, node: Node) -> Path:
    written = node.value if isinstance(node, Scalar) else None
    if not isinstance(written, str) or not written.endswith((".yaml", ".yml")):
        raise _refused(
            node, "extends: this is not the name of a YAML file.", "Write the path of one, relative to this file."
        )
    if (
        PurePosixPath(written).is_absolute()
        or PureWindowsPath(written).anchor
        or written.startswith("~")
        or "\0" in written
    ):
        raise _refused(node, f"extends: {written} is not a relative path.", "Write a path relative to this file.")
    return file.parent / written


def _base_content(base: Path, node: Node) -> bytes:
    try:
        return read_bytes(base)
    except InputError as error:
        problem = error.problems[0]
        raise _refused(node, f"extends: {base} cannot be used. {problem.what}", problem.remedy) from None


def _refused(node: Node, what: str, remedy: str) -> InputError:
    return InputError([node.place.problem(what, remedy)])


class Composition:
    """The finished tree, the behaviour of every region on its own, and what went wrong on the way."""

    def __init__(self, file: Mapping) -> None:
        self.problems: list[Problem] = []
        whole = overlay(shipped("defaults.yaml"), file)
        for key in ("regions", "market_defaults"):
            node = at(whole, key)
            if node is not None and not isinstance(node, Mapping):
                self.problems.append(
                    node.place.problem(f"{key}: this is not a mapping.", "Write keys with values below it.")
                )
        self.regions = {entry.key: self._region(entry, whole) for entry in entries(whole, "regions")}
        tree = whole.without(*FILE_ONLY_KEYS)
        self.tree = tree.with_entries(*self._markets(whole), *self._policies(whole))

    def _region(self, entry: Entry, whole: Mapping) -> Node:
        """A region's behaviour; one that the defaults do not know begins as the region OTHER."""
        base = at(whole, "regions", OTHER_REGION)
        known = at(shipped("defaults.yaml"), "regions", entry.key)
        if known is None and isinstance(base, Mapping) and isinstance(entry.value, Mapping):
            return overlay(base, entry.value)
        return entry.value

    def _markets(self, whole: Mapping) -> Iterator[Entry]:
        markets = at(whole, "markets")
        if isinstance(markets, Mapping):
            finished = [self._market(entry, whole) for entry in markets.entries.values()]
            place = whole.entries["markets"].place
            yield Entry("markets", place, markets.with_entries(*finished))

    def _market(self, entry: Entry, whole: Mapping) -> Entry:
        """A market over the market defaults, with the behaviour of its region under its own."""
        if not isinstance(entry.value, Mapping):
            return entry
        defaults = at(whole, "market_defaults")
        market = overlay(defaults, entry.value) if isinstance(defaults, Mapping) else entry.value
        region = self.regions.get(text(market, "region") or OTHER_REGION, self.regions.get(OTHER_REGION))
        own = market.entries.get("behaviour")
        if isinstance(region, Mapping) and (own is None or isinstance(own.value, Mapping)):
            behaviour = overlay(region, own.value) if own and isinstance(own.value, Mapping) else region
            market = market.with_entries(Entry("behaviour", own.place if own else entry.place, behaviour))
        return Entry(entry.key, entry.place, market)

    def _policies(self, whole: Mapping) -> Iterator[Entry]:
        """The file's own policies, and those presets that a rule names."""
        own = at(whole, "dunning_policies")
        if own is not None and not isinstance(own, Mapping):
            return
        place = whole.entries["dunning_policies"].place if own else whole.place
        policies = {entry.key: self._policy(entry) for entry in entries(own)}
        for name in _policies_in_use(whole):
            preset = shipped("dunning_presets.yaml").entries.get(name)
            if preset and name not in policies:
                policies[name] = preset
        yield Entry("dunning_policies", place, Mapping(policies, own.place if own else place))

    def _policy(self, entry: Entry) -> Entry:
        preset = entry.value.entries.get("preset") if isinstance(entry.value, Mapping) else None
        if preset is None or not isinstance(entry.value, Mapping):
            return entry
        presets = shipped("dunning_presets.yaml")
        name = text(preset.value)
        base = at(presets, name) if name else None
        if not isinstance(base, Mapping):
            remedy = suggestion(name or "", presets.entries, "Presets are")
            self.problems.append(
                preset.value.place.problem(f"preset: there is no dunning preset {name or 'of this kind'}.", remedy)
            )
            return Entry(entry.key, entry.place, Mapping({}, NOWHERE))
        # What is said of a preset, and where it comes from, is not true of what somebody has made of it.
        return Entry(entry.key, entry.place, overlay(base.without("about", "source"), entry.value.without("preset")))


def _policies_in_use(whole: Mapping) -> list[str]:
    """Names of the policies in the `dunning` rules, also in those that the timeline switches to."""
    rules = [*items(whole, "dunning")]
    for intervention in items(whole, "timeline"):
        rules += items(intervention, "dunning")
    return sorted({name for rule in rules if (name := text(rule, "use"))})


def with_value(tree: Mapping, key: str, value: int, place: Place) -> Mapping:
    """The tree with one whole number that was given from outside the file."""
    return tree.with_entries(Entry(key, place, Scalar(value, place)))
