"""Shares of a whole add up to the whole."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from billing_sim.errors import Problem
from billing_sim.scenario.checks.read import markets, share
from billing_sim.scenario.nodes import Mapping, Node, Place, at, entries, items


def mixes_add_up(tree: Mapping) -> Iterator[Problem]:
    """The mixes of every market (plans, methods, tenures) add up to 100 %."""
    for market in markets(tree):
        for path in (("plan_mix",), ("behaviour", "method_mix"), ("behaviour", "tenure_mix")):
            yield from mapping_adds_up(at(market.value, *path[:-1]), path[-1])


def paydays_add_up(tree: Mapping) -> Iterator[Problem]:
    """The shares of the income calendars of a market add up to 100 %."""
    for market in markets(tree):
        calendars = at(market.value, "behaviour", "paydays")
        shares = [at(calendar, "share") for calendar in items(calendars)]
        if calendars is not None and shares:
            yield from _adds_up("paydays", shares, calendars.place)


def markets_add_up(tree: Mapping) -> Iterator[Problem]:
    """The markets' shares of the members add up to 100 %."""
    shares = [at(market.value, "members") for market in markets(tree)]
    if shares and len(shares) == len(entries(tree, "markets")):
        place = next(entry.place for entry in entries(tree) if entry.key == "markets")
        yield from _adds_up("members of all markets", shares, place, "add up")


def causes_add_up(tree: Mapping) -> Iterator[Problem]:
    """The latent causes of each method, and the decline codes of each cause, add up to 100 %."""
    for key in ("latent_causes", "decline_codes"):
        for entry in entries(tree, key):
            yield from mapping_adds_up(at(tree, key), entry.key)


def routing_adds_up(tree: Mapping) -> Iterator[Problem]:
    """The weights of each routing rule add up to 100 %."""
    for rule in items(tree, "routing"):
        yield from mapping_adds_up(rule, "use")


def mapping_adds_up(owner: Node | None, key: str) -> Iterator[Problem]:
    found = next((entry for entry in entries(owner) if entry.key == key), None)
    if found is not None and isinstance(found.value, Mapping) and found.value.entries:
        yield from _adds_up(key, [entry.value for entry in found.value.entries.values()], found.place)


def _adds_up(name: str, nodes: list[Node | None], place: Place, verb: str = "adds up") -> Iterator[Problem]:
    shares = [share(node) for node in nodes]
    known = [value for value in shares if value is not None]
    total = sum(known, Decimal(0))
    if len(known) == len(shares) and total != 1:
        off = f"{_percent(abs(total - 1))}"
        remedy = f"Give {off} more." if total < 1 else f"Take {off} away."
        yield place.problem(f"{name} {verb} to {_percent(total)}, not 100 %.", remedy)


def _percent(part: Decimal) -> str:
    return f"{(part * 100).normalize():f} %"
