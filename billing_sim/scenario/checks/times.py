"""Dates, hours, zones and durations fit together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from billing_sim.clock import zone, zone_names
from billing_sim.errors import Problem
from billing_sim.scenario.checks.read import day, duration, markets, moment, whole
from billing_sim.scenario.layers import suggestion
from billing_sim.scenario.nodes import Entry, Mapping, Node, at, blame, entries, items, text
from billing_sim.scenario.parts import CAPACITY
from billing_sim.scenario.values import YEARS_MAX

OLDEST_PROMOTION = timedelta(days=365)
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2100, 12, 31)
LATENCY = ("p50", "p95", "p99")
RECORDING = ("p50", "p99", "max")


def days_are_in_order(tree: Mapping) -> Iterator[Problem]:
    """The start lies before the end, at most ten years before, and both between 1990 and 2100."""
    start, end = day(at(tree, "start")), day(at(tree, "end"))
    for key, found in (("start", start), ("end", end)):
        node = at(tree, key)
        if node is not None and found is not None and not FIRST_DAY <= found <= LAST_DAY:
            yield node.place.problem(f"{key}: {found} is not between 1990 and 2100.", "Write a year from 1990 to 2100.")
    node = at(tree, "end")
    if start is None or end is None or node is None:
        return
    if start >= end:
        yield node.place.problem(f"end: {end} is not after the start, {start}.", "Write a later date.")
    elif (end.year - start.year, end.month, end.day) > (YEARS_MAX, start.month, start.day):
        remedy = "Write an earlier end, or a later start."
        yield node.place.problem(f"end: {end} is more than {YEARS_MAX} years after the start, {start}.", remedy)


def zones_exist(tree: Mapping) -> Iterator[Problem]:
    """Every time zone is one of IANA's, and there are no more of them than the compiled world holds."""
    names = {}
    for market in markets(tree):
        name, node = text(market.value, "time_zone"), at(market.value, "time_zone")
        if name is None or node is None:
            continue
        names[name] = node
        if not _is_zone(name):
            near = suggestion(name, zone_names())
            remedy = near if near.startswith("Did") else "Write an IANA name, as in America/New_York."
            yield node.place.problem(f"time_zone: {name} is not a time zone.", remedy)
    limit = CAPACITY["zones"]
    for node in list(names.values())[limit:]:
        what = f"time_zone: there are more than {limit} different time zones."
        yield node.place.problem(what, "Let neighbouring markets share one.")


def timeline_is_in_range(tree: Mapping) -> Iterator[Problem]:
    """Everything on the timeline happens between the start and the end; a promotion may be up to a year older."""
    start, end = (_instant(day(at(tree, key))) for key in ("start", "end"))
    for item in items(tree, "timeline"):
        node, found = at(item, "at"), moment(at(item, "at"))
        if node is None or not start or not end or not found or start >= end:
            continue
        first = start - OLDEST_PROMOTION if text(item, "kind") == "promotion" else start
        if not first <= found < end:
            what = f"at: {found:%Y-%m-%d %H:%M} is outside the scenario, {start.date()} to {end.date()}."
            yield node.place.problem(what, "Move it inside, or move the start or the end.")


def billing_hours_ascend(tree: Mapping) -> Iterator[Problem]:
    """Billing begins at an earlier hour than it ends."""
    node = at(tree, "billing_hours")
    hours = [whole(item) for item in items(node)]
    if node is not None and len(hours) == 2 and None not in hours and hours[0] >= hours[1]:  # type: ignore[operator]
        what = f"billing_hours: {hours[0]} is not before {hours[1]}."
        yield node.place.problem(what, "Write the first hour and then a later one, as in [0, 6].")


def percentiles_ascend(tree: Mapping) -> Iterator[Problem]:
    """Percentiles of a delay do not fall: p50, p95, p99, max."""
    for gateway in entries(tree, "gateways"):
        yield from ascend(at(gateway.value, "latency"), LATENCY)
    yield from ascend(at(tree, "recording_delay"), RECORDING)


def windows_have_a_length(tree: Mapping) -> Iterator[Problem]:
    """Windows of time, and what can be paid for a while, are longer than nothing."""
    for path in (("window",), ("network_rules", "window"), ("issuer_memory", "window"), ("voucher_valid",)):
        node = at(tree, *path)
        if node is not None and duration(node) == 0:
            yield node.place.problem(f"{path[-1]}: it has no length.", "Write a longer duration, as in 1 hour.")


def _is_zone(name: str) -> bool:
    try:
        zone(name)
    except (ValueError, OSError):
        return False
    return True


def _instant(found: date | None) -> datetime | None:
    return datetime(found.year, found.month, found.day, tzinfo=UTC) if found else None


def ascend(owner: Node | None, keys: tuple[str, ...]) -> Iterator[Problem]:
    """Durations under these keys do not fall."""
    given: list[tuple[Entry, int]] = []
    by_key = {entry.key: entry for entry in entries(owner)}
    for key in keys:
        length = duration(by_key[key].value) if key in by_key else None
        if length is not None:
            given.append((by_key[key], length))
    for (lower, less), (upper, more) in pairwise(given):
        if less > more:
            what = f"{upper.key} is shorter than {lower.key}."
            yield blame(upper.value, lower.value).problem(what, f"Write a duration of at least that of {lower.key}.")
