"""Trials, habits, reversals and taxes: what their types cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from billing_sim import clock
from billing_sim.errors import Problem
from billing_sim.money import EXPONENTS
from billing_sim.scenario.checks.read import day, duration, interventions, markets, share
from billing_sim.scenario.nodes import Entry, Mapping, Node, Scalar, at, entries, items, text, texts
from billing_sim.scenario.parts import CAPACITY
from billing_sim.scenario.values import price_minor

PRICE_LIMIT = 2_000_000_000
"""The highest price, in minor units, of which parts are exact in 64 bits: its square, or a share in millionths."""

_LONGEST_TRIAL = 365
_PER_MONTH = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*per month\s*")


def trials_last_whole_days(tree: Mapping) -> Iterator[Problem]:
    """A trial lasts whole days, at least one and at most a year."""
    for market in markets(tree):
        node = at(market.value, "trial", "duration")
        found = duration(node)
        if node is not None and found is not None:
            days, rest = divmod(found, clock.DAY)
            if rest or not 1 <= days <= _LONGEST_TRIAL:
                what = f"trial: {clock.format_duration(found)} is not whole days from 1 to {_LONGEST_TRIAL}."
                yield node.place.problem(what, "Write days, as in 14 days.")


def trials_that_end_exist(tree: Mapping) -> Iterator[Problem]:
    """Where trials end, there are some."""
    for end in interventions(tree, "trials_end"):
        chosen = _chosen(tree, end)
        if chosen and all(at(market.value, "trial") is None for market in chosen):
            what = "trials_end: no market that it is for has trials."
            yield end.place.problem(what, "Add `trial` to a market, or leave the entry out.")


def habits_add_up(tree: Mapping) -> Iterator[Problem]:
    """Lengths of pauses add up to 100 %, and no more than all members of a month change plan."""
    for market in markets(tree):
        habits = at(market.value, "behaviour", "plan_habits")
        lengths = at(habits, "pause_lengths") if habits is not None else None
        shares = [share(item) for item in items(lengths)]
        if lengths is not None and len(shares) == 3 and None not in shares:
            total = sum((found for found in shares if found is not None), Decimal(0))
            if total != 1:
                what = f"pause_lengths: the shares add up to {(total * 100).normalize():f} %, not 100 %."
                yield lengths.place.problem(what, "Make them add up to 100 %.")
        wishes = [_hazard(at(habits, key)) for key in ("upgrades", "downgrades")] if habits is not None else []
        if habits is not None and sum(wishes) > 100:
            what = f"plan_habits: upgrades and downgrades add up to {sum(wishes):f} % per month."
            yield habits.place.problem(what, "Let them add up to at most 100 %.")


def reversals_have_a_change(tree: Mapping) -> Iterator[Problem]:
    """A price reversal undoes a change of prices in each of its markets, made before it and not undone yet."""
    changes = [
        (entry, moved, sign)
        for kind, sign in (("price_change", 1), ("price_reversal", -1))
        for entry in interventions(tree, kind)
        if (moved := day(at(entry, "at"))) is not None
    ]
    for reversal, moved, sign in changes:
        if sign > 0:
            continue
        for market in _chosen(tree, reversal):
            in_market = [(on, step) for entry, on, step in changes if market.key in _codes(tree, entry)]
            if sum(step for on, step in in_market if on < moved or (on == moved and step < 0)) < 0:
                what = f"price_reversal: no change of prices in {market.key} before {moved} is left to undo."
                yield reversal.place.problem(what, "Name the markets of the change, or move it after the change.")


def tax_changes_fit(tree: Mapping) -> Iterator[Problem]:
    """A tax rate has at most four decimals of a percent, and a market no more changes than fit."""
    counts: dict[str, int] = {}
    for change in interventions(tree, "tax_change"):
        node, rate = at(change, "rate"), share(at(change, "rate"))
        if node is not None and rate is not None and (rate * 1_000_000) % 1:
            what = f"rate: {(rate * 100).normalize():f} % has more than four decimals."
            yield node.place.problem(what, "Write a rate such as 8.2525%.")
        for code in _codes(tree, change):
            counts[code] = counts.get(code, 0) + 1
    node = at(tree, "timeline")
    for code, count in counts.items():
        if node is not None and count > CAPACITY["taxes"]:
            what = f"timeline: the tax of {code} changes {count} times, more than the limit of {CAPACITY['taxes']}."
            yield node.place.problem(what, "Leave some out.")


def divided_prices_are_exact(tree: Mapping) -> Iterator[Problem]:
    """Where prices are divided (coupons, changes of plan, new taxes), none is too large to be divided exactly."""
    if not (entries(tree, "promotions") or _uses_habits(tree) or any(True for _ in interventions(tree, "tax_change"))):
        return
    for market in markets(tree):
        for entry in entries(market.value, "prices"):
            minor = _minor(entry, text(market.value, "currency"))
            if minor > PRICE_LIMIT:
                what = f"price: parts of {minor:,} minor units cannot be counted exactly."
                yield entry.value.place.problem(what, f"Write a price of at most {PRICE_LIMIT:,} minor units.")


def _uses_habits(tree: Mapping) -> bool:
    return any(at(market.value, "behaviour", "plan_habits") is not None for market in markets(tree))


def _minor(entry: Entry, currency: str | None) -> int:
    value = entry.value.value if isinstance(entry.value, Scalar) else None
    try:
        if currency in EXPONENTS and isinstance(value, str | int) and not isinstance(value, bool):
            return price_minor(value, currency)
    except ValueError:
        pass
    return 0


def _hazard(node: Node | None) -> Decimal:
    found = _PER_MONTH.fullmatch(node.value) if isinstance(node, Scalar) and isinstance(node.value, str) else None
    return Decimal(found[1]) if found else Decimal(0)


def _codes(tree: Mapping, entry: Node) -> list[str]:
    return [market.key for market in _chosen(tree, entry)]


def _chosen(tree: Mapping, entry: Node) -> list[Entry]:
    chosen = [name for name, _ in texts(entry, "market")]
    return [market for market in markets(tree) if not chosen or market.key in chosen]
