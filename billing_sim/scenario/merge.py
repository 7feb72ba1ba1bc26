"""One layer of a scenario laid over another: mappings key by key, lists and shares of a whole in one piece.

Where two layers meet in a mapping, both speak; where they meet in anything else, the upper one does. A mapping whose
values add up to 100 % (every `*_mix`, and the `use` of a routing rule) and a calendar of `paydays` make no sense in
mixed parts, so the upper one replaces them whole. A key set to null removes what lies below it.
"""

from __future__ import annotations

from billing_sim.scenario.nodes import Entry, Mapping, Node, Scalar

WHOLE_KEYS = ("use", "paydays")
WHOLE_ENDING = "_mix"


def is_whole(key: str) -> bool:
    """Whether the value of this key is replaced in one piece."""
    return key in WHOLE_KEYS or key.endswith(WHOLE_ENDING)


def is_null(node: Node) -> bool:
    """Whether this is the value that removes a key."""
    return isinstance(node, Scalar) and node.value is None


def overlay(base: Mapping, top: Mapping) -> Mapping:
    """`top` laid over `base`: keys of the base come first, then new ones, in the order of their files."""
    merged = dict(base.entries)
    removed = base.removed | top.removed
    for key in top.removed:
        merged.pop(key, None)
    for key, entry in top.entries.items():
        if is_null(entry.value):
            merged.pop(key, None)
            removed[key] = entry.place
        else:
            below = merged.get(key)
            merged[key] = Entry(key, entry.place, _laid(below.value if below else None, entry))
            removed.pop(key, None)
    return Mapping(merged, top.place, removed)


def _laid(below: Node | None, entry: Entry) -> Node:
    value = entry.value
    if not isinstance(value, Mapping):
        return value
    if isinstance(below, Mapping) and not is_whole(entry.key):
        return overlay(below, value)
    return overlay(Mapping({}, value.place), value)
