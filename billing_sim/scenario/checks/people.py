"""People, their methods, and what their banks answer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from billing_sim.declines import CAUSE_NUMBER, CODE_NUMBER
from billing_sim.errors import Problem
from billing_sim.scenario.checks.read import (
    METHODS,
    fits,
    interventions,
    markets,
    methods_in_use,
    methods_to_come,
    share,
)
from billing_sim.scenario.layers import suggestion
from billing_sim.scenario.nodes import Entry, Mapping, Node, at, blame, entries, items, text, texts

CAUSES = [name for name in CAUSE_NUMBER if name != "none"]
CODES = [code for code in CODE_NUMBER if code != "none"]
CALENDARS = ("days_of_month", "last_business_day", "weekly", "every_two_weeks")


def methods_have_failures(tree: Mapping) -> Iterator[Problem]:
    """Every method that is used has a target for first-attempt failures, and causes for them."""
    causes = [entry.key for entry in entries(tree, "latent_causes")]
    for market in markets(tree):
        failing = [entry.key for entry in entries(market.value, "behaviour", "first_attempt_failure")]
        for entry in entries(market.value, "behaviour", "method_mix"):
            if entry.key not in methods_in_use(market.value):
                continue
            if entry.key not in failing:
                what = f"method_mix: {entry.key} is used in {market.key} but has no first_attempt_failure there."
                yield blame(entry, market).problem(what, f"Add {entry.key} to first_attempt_failure.")
            if entry.key not in causes:
                what = f"method_mix: {entry.key} is used but has no latent_causes."
                yield blame(entry, market).problem(what, f"Add {entry.key} to latent_causes.")


def launched_methods_have_failures(tree: Mapping) -> Iterator[Problem]:
    """The same of every method that is launched."""
    causes = [entry.key for entry in entries(tree, "latent_causes")]
    for launch in interventions(tree, "method_launch"):
        method = text(launch, "method")
        for market in (it for it in markets(tree) if method in METHODS and fits(launch, market=it.key)):
            failing = [entry.key for entry in entries(market.value, "behaviour", "first_attempt_failure")]
            if method not in failing:
                what = f"method_launch: {method} has no first_attempt_failure in {market.key}."
                yield launch.place.problem(what, f"Add {method} to first_attempt_failure.")
            if method not in causes:
                what = f"method_launch: {method} has no latent_causes."
                yield launch.place.problem(what, f"Add {method} to latent_causes.")


def attention_grows_on_hold(tree: Mapping) -> Iterator[Problem]:
    """People whose access is blocked react at least as often as before."""
    for market in markets(tree):
        before, on_hold = (at(market.value, "behaviour", key) for key in ("attention", "attention_on_hold"))
        if before is not None and on_hold is not None and (share(on_hold) or 1) < (share(before) or 0):
            what = "attention_on_hold is smaller than attention."
            yield blame(on_hold, before).problem(what, "Write a share at least as large as attention.")


def paydays_have_one_calendar(tree: Mapping) -> Iterator[Problem]:
    """Every entry of the paydays says in exactly one way when income arrives."""
    for market in markets(tree):
        for item in items(market.value, "behaviour", "paydays"):
            given = [entry.key for entry in entries(item) if entry.key in CALENDARS and at(item, entry.key) is not None]
            if isinstance(item, Mapping) and len(given) != 1:
                what = f"paydays: this entry has {' and '.join(given) or 'no calendar'}."
                yield item.place.problem(what, f"Write exactly one of {', '.join(CALENDARS)}.")


def returns_accumulate(tree: Mapping) -> Iterator[Problem]:
    """Of those who left, no fewer are back after 6 months than after 1, nor after 12 than after 6."""
    for market in markets(tree):
        for way in entries(market.value, "behaviour", "win_back"):
            yield from curve_ascends(way.value)


def curve_ascends(curve: Node) -> Iterator[Problem]:
    """What is wrong with a curve of returns."""
    months = [entry for entry in entries(curve) if share(entry.value) is not None]
    months.sort(key=lambda entry: int(entry.key.removeprefix("month_")) if _is_month(entry) else 0)
    for earlier, later in pairwise(months):
        if (share(later.value) or 0) < (share(earlier.value) or 0):
            what = f"{later.key} is smaller than {earlier.key}."
            yield blame(later.value, earlier.value).problem(
                what, "Write the share that has come back by then, earlier ones included."
            )


def decline_codes_are_known(tree: Mapping) -> Iterator[Problem]:
    """Decline codes are given for causes, or causes of one method, that exist; and so do the codes."""
    for entry in entries(tree, "decline_codes"):
        cause, at_sign, method = entry.key.partition("@")
        if cause not in CAUSES:
            what = f"decline_codes: {cause} is not a cause."
            yield entry.place.problem(what, suggestion(cause, CAUSES, "Causes are"))
        if at_sign and method not in METHODS:
            what = f"decline_codes: {method or 'nothing'} is not a payment method."
            yield entry.place.problem(what, suggestion(method, METHODS, "Methods are"))
        for code in entries(entry.value):
            if code.key not in CODES:
                yield code.place.problem(f"decline_codes: {code.key} is not a decline code.", _codes(code.key))
    for name, place in texts(tree, "network_rules", "never_retry"):
        if name not in CODES:
            yield place.problem(f"never_retry: {name} is not a decline code.", _codes(name))


def decline_codes_are_complete(tree: Mapping) -> Iterator[Problem]:
    """Every cause has codes for every method in use, of its own or shared by all methods."""
    found = next((entry for entry in entries(tree) if entry.key == "decline_codes"), None)
    if found is None or not isinstance(found.value, Mapping):
        return
    used = sorted({method for market in markets(tree) for method in methods_to_come(tree, market)})
    for cause in CAUSES:
        lacking = [method for method in used if f"{cause}@{method}" not in found.value.entries]
        if lacking and cause not in found.value.entries:
            what = f"decline_codes: there are none for the cause {cause} with {lacking[0]}."
            yield found.place.problem(what, f"Add {cause}, or {cause}@{lacking[0]}.")


def _is_month(entry: Entry) -> bool:
    return entry.key.removeprefix("month_").isdigit()


def _codes(code: str) -> str:
    return suggestion(code, CODES, "Codes are")
