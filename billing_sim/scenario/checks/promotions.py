"""Promotions: each says one thing, in currencies that are in use, and windows name one that exists."""

from __future__ import annotations

from collections.abc import Iterator

from billing_sim.errors import Problem
from billing_sim.money import EXPONENTS
from billing_sim.scenario.checks.read import interventions, markets
from billing_sim.scenario.layers import suggestion
from billing_sim.scenario.nodes import Mapping, Scalar, at, entries, text
from billing_sim.scenario.parts import CAPACITY
from billing_sim.scenario.values import price_minor

_TAKES_OFF = ("percent", "amount", "free_months")


def promotions_take_off_one_thing(tree: Mapping) -> Iterator[Problem]:
    """A promotion takes off a share, an amount or months: exactly one of them."""
    for entry in entries(tree, "promotions"):
        said = [key for key in _TAKES_OFF if at(entry.value, key) is not None]
        if isinstance(entry.value, Mapping) and len(said) != 1:
            found = " and ".join(said) or "nothing"
            what = f"promotions: {entry.key} takes off {found}."
            yield entry.place.problem(what, f"Write exactly one of {', '.join(_TAKES_OFF)}.")
        if "free_months" in said and at(entry.value, "cycles") is not None:
            what = f"promotions: {entry.key} has free_months and cycles."
            yield entry.place.problem(what, "Leave `cycles` out: free months say themselves how long they last.")
        if entry.key == "none":
            yield entry.place.problem("promotions: none is the name of having no coupon.", "Give it another name.")


def discounts_are_amounts(tree: Mapping) -> Iterator[Problem]:
    """An amount taken off is a whole number of minor units of a currency that some market has."""
    used = {code for market in markets(tree) if (code := text(market.value, "currency")) in EXPONENTS}
    for promotion in entries(tree, "promotions"):
        for entry in entries(promotion.value, "amount"):
            if entry.key not in used:
                what = f"promotions: no market has the currency {entry.key}."
                yield entry.place.problem(what, suggestion(entry.key, used, "Currencies are"))
                continue
            value = entry.value.value if isinstance(entry.value, Scalar) else None
            try:
                if isinstance(value, str | int) and not isinstance(value, bool):
                    price_minor(value, entry.key)
            except ValueError as error:
                yield entry.value.place.refusal("amount", error)


def promotions_exist(tree: Mapping) -> Iterator[Problem]:
    """Windows of the timeline name promotions of the scenario, and there are not too many of either."""
    known = [entry.key for entry in entries(tree, "promotions")]
    windows = list(interventions(tree, "promotion"))
    for window in windows:
        name, node = text(window, "promotion"), at(window, "promotion")
        if name is not None and node is not None and name not in known:
            yield node.place.problem(f"There is no promotion {name}.", suggestion(name, known, "Promotions are"))
    node = at(tree, "timeline")
    if node is not None and len(windows) > CAPACITY["offers"]:
        what = f"timeline: promotions open {len(windows)} times, more than the limit of {CAPACITY['offers']}."
        yield node.place.problem(what, "Leave some out.")
