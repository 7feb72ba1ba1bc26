"""Names that refer to something: gateways, markets, policies, locales; and rules that leave nobody out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from billing_sim.errors import Problem
from billing_sim.scenario.checks.read import dunning_rules, fits, interventions, markets, methods_to_come
from billing_sim.scenario.layers import shipped, suggestion
from billing_sim.scenario.nodes import Mapping, Node, at, entries, items, text, texts
from billing_sim.scenario.parts import CAPACITY

DECLINES = ("soft", "hard")


def gateways_exist(tree: Mapping) -> Iterator[Problem]:
    """Routing and outages name gateways that exist."""
    known = [gateway.key for gateway in entries(tree, "gateways")]
    named = [(entry.key, entry.place) for rule in items(tree, "routing") for entry in entries(rule, "use")]
    for outage in interventions(tree, "gateway_outage"):
        name, node = text(outage, "gateway"), at(outage, "gateway")
        if name is not None and node is not None:
            named.append((name, node.place))
    for name, place in named:
        if name not in known:
            yield place.problem(f"There is no gateway {name}.", suggestion(name, known, "Gateways are"))


def markets_exist(tree: Mapping) -> Iterator[Problem]:
    """Rules and interventions name markets that exist."""
    known = [market.key for market in entries(tree, "markets")]
    rules = [rule for _, rules in dunning_rules(tree) for rule in rules]
    for owner in (*items(tree, "routing"), *items(tree, "timeline"), *rules):
        for name, place in texts(owner, "market"):
            if name not in known:
                yield place.problem(f"There is no market {name}.", suggestion(name, known, "Markets are"))


def policies_exist(tree: Mapping) -> Iterator[Problem]:
    """Dunning rules name policies of the scenario or shipped presets."""
    own = [policy.key for policy in entries(tree, "dunning_policies")]
    known = {*own, *shipped("dunning_presets.yaml").entries}
    for _, rules in dunning_rules(tree):
        for rule in rules:
            name, node = text(rule, "use"), at(rule, "use")
            if name is not None and node is not None and name not in known:
                what = f"use: there is no dunning policy {name}."
                yield node.place.problem(what, suggestion(name, known, "Policies are"))


def routing_covers_everyone(tree: Mapping) -> Iterator[Problem]:
    """Some routing rule takes every payment method that is used in a market."""
    node = at(tree, "routing")
    if node is not None and items(node):
        left_out = _left_out(tree, lambda market, method: _any_fits(items(node), market=market, method=method))
        if left_out:
            remedy = "Begin the list with a rule that has neither `market` nor `method`: it takes all the rest."
            yield node.place.problem(f"routing: no rule takes {left_out}.", remedy)


def dunning_covers_everyone(tree: Mapping) -> Iterator[Problem]:
    """Some dunning rule is for every payment method that is used in a market, whatever the decline."""
    for node, rules in dunning_rules(tree):
        left_out = rules and _left_out(tree, _covered_by(rules))
        if left_out:
            remedy = "Begin the list with a rule that has only `use`: it is for all the rest."
            yield node.place.problem(f"dunning: no rule is for {left_out}.", remedy)


def names_differ(tree: Mapping) -> Iterator[Problem]:
    """No two markets are called the same."""
    first: dict[str, str] = {}
    for market in markets(tree):
        name, node = text(market.value, "name"), at(market.value, "name")
        if name is None or node is None:
            continue
        if name in first:
            yield node.place.problem(
                f"name: {market.key} and {first[name]} are both called {name}.", "Rename one of them."
            )
        first.setdefault(name, market.key)


def locales_exist(tree: Mapping) -> Iterator[Problem]:
    """Every locale is one for which there are synthetic names."""
    for market in markets(tree):
        name, node = text(market.value, "locale"), at(market.value, "locale")
        if name is not None and node is not None and name not in locales():
            near = suggestion(name, locales())
            remedy = near if near.startswith("Did") else "Write a locale as Faker calls it, as in en_US."
            yield node.place.problem(f"locale: there are no synthetic names for {name}.", remedy)


def interventions_fit(tree: Mapping) -> Iterator[Problem]:
    """The timeline holds no more outages of a gateway, or changes of one kind, than the compiled world does."""
    outages = [text(outage, "gateway") or "" for outage in interventions(tree, "gateway_outage")]
    for gateway, count in Counter(outages).items():
        yield from _too_many(tree, f"outages of {gateway}", count, CAPACITY["outages"])
    changes = [text(change, "currency") or "" for change in interventions(tree, "exchange_rate")]
    for currency, count in Counter(changes).items():
        yield from _too_many(tree, f"exchange rates of {currency}", count, CAPACITY["rates"] - 1)
    for kind in ("price_change", "dunning_switch", "account_updater"):
        count = sum(1 for _ in interventions(tree, kind))
        yield from _too_many(tree, f"interventions of kind {kind}", count, CAPACITY["epochs"] - 1)


@cache
def locales() -> frozenset[str]:
    """The locales that Faker knows, read from its folders: importing it takes longer than a load."""
    spec = find_spec("faker")
    places = spec.submodule_search_locations if spec else None
    assert places, "Faker is a dependency"
    found = (Path(next(iter(places))) / "providers").glob("*/*/__init__.py")
    return frozenset(path.parent.name for path in found)


def _too_many(tree: Mapping, what: str, count: int, limit: int) -> Iterator[Problem]:
    node = at(tree, "timeline")
    if node is not None and count > limit:
        yield node.place.problem(
            f"timeline: there are {count} {what}, more than the limit of {limit}.", "Leave some out."
        )


def _any_fits(rules: tuple[Node, ...], **case: str) -> bool:
    return any(fits(rule, **case) for rule in rules)


def _covered_by(rules: tuple[Node, ...]) -> Callable[[str, str], bool]:
    return lambda market, method: all(
        _any_fits(rules, market=market, method=method, decline=decline) for decline in DECLINES
    )


def _left_out(tree: Mapping, is_covered: Callable[[str, str], bool]) -> str:
    """The first few uncovered cases in words: `direct_debit in DE, credit in US`."""
    cases = [
        f"{method} in {m.key}"
        for m in markets(tree)
        for method in methods_to_come(tree, m)
        if not is_covered(m.key, method)
    ]
    more = f" and {len(cases) - 3} more" if len(cases) > 3 else ""
    return ", ".join(cases[:3]) + more
