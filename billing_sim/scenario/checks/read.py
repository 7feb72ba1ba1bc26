"""Values and names out of the tree, as checks need them: what cannot be read is None or left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar, get_args

from billing_sim.scenario.nodes import Entry, Mapping, Node, Scalar, at, entries, items, text, texts
from billing_sim.scenario.parts import MethodKind
from billing_sim.scenario.values import read_day, read_duration, read_moment, read_share

T = TypeVar("T")
METHODS: tuple[str, ...] = get_args(MethodKind)


def _read(node: Node | None, reader: Callable[[object], T]) -> T | None:
    try:
        return reader(node.value) if isinstance(node, Scalar) else None
    except ValueError:
        return None


def share(node: Node | None) -> Decimal | None:
    """A share, or None."""
    return _read(node, read_share)


def duration(node: Node | None) -> int | None:
    """A duration in microseconds, or None."""
    return _read(node, read_duration)


def moment(node: Node | None) -> datetime | None:
    """A moment in UTC, or None."""
    return _read(node, read_moment)


def day(node: Node | None) -> date | None:
    """A date, or None."""
    return _read(node, read_day)


def whole(node: Node | None) -> int | None:
    """A whole number, or None."""
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def markets(tree: Mapping) -> list[Entry]:
    """The markets that are mappings."""
    return [entry for entry in entries(tree, "markets") if isinstance(entry.value, Mapping)]


def methods_in_use(market: Node) -> list[str]:
    """The payment methods of which a market's people have a share."""
    mix = entries(market, "behaviour", "method_mix")
    return [entry.key for entry in mix if entry.key in METHODS and (share(entry.value) or 0) > 0]


def methods_to_come(tree: Mapping, market: Entry) -> list[str]:
    """Those in use, and those that are launched there later."""
    launches = (it for it in interventions(tree, "method_launch") if fits(it, market=market.key))
    launched = {method for it in launches if (method := text(it, "method")) and method in METHODS}
    used = methods_in_use(market.value)
    return used + sorted(launched - {*used})


def interventions(tree: Mapping, kind: str) -> Iterator[Node]:
    """The entries of the timeline of one kind."""
    return (item for item in items(tree, "timeline") if text(item, "kind") == kind)


def dunning_rules(tree: Mapping) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """Every set of dunning rules with the node that holds it: those of the start, then those of the timeline."""
    start = at(tree, "dunning")
    if start is not None:
        yield start, items(start)
    for switch in interventions(tree, "dunning_switch"):
        rules = at(switch, "dunning")
        if rules is not None:
            yield rules, items(rules)


def fits(rule: Node, **case: str) -> bool:
    """Whether a rule's conditions, each a list that is empty when anything will do, allow this case."""
    for condition, value in case.items():
        allowed = [word for word, _ in texts(rule, condition)]
        if allowed and value not in allowed:
            return False
    return True
