"""When a case happens: within the scenario's span, and no window closes before it opens.

What lies outside hits nothing. Every metric would hold there, and for an alarm there would be nothing to watch.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from billing_sim.errors import Problem
from billing_sim.scenario.checks.read import day, moment
from billing_sim.scenario.nodes import Mapping, Node, at, items


def backwards(damage: Node) -> Iterator[Problem]:
    """What is wrong with a damage whose window is empty."""
    since, node = moment(at(damage, "since")), at(damage, "until")
    until = moment(node)
    if node is not None and since and until and until <= since:
        yield node.place.problem("until: the damage ends before it begins.", "Write a later moment than `since`.")


def outside(case: Mapping, scenario: Mapping) -> Iterator[Problem]:
    """What of a case lies outside the span of a scenario."""
    start, end = (day(at(scenario, key)) for key in ("start", "end"))
    if start is None or end is None:
        return
    node = at(case, "since")
    since = day(node)
    if node is not None and since and not start <= since < end:
        yield _told(node, f"since: {since}", start, end)
    for damage in items(case, "inject", "log"):
        for key in ("since", "until"):
            node = at(damage, key)
            when = moment(node)
            if node is not None and when and (when >= _midnight(end) if key == "since" else when <= _midnight(start)):
                yield _told(node, f"{key}: {when:%Y-%m-%d %H:%M}", start, end)


def _told(node: Node, what: str, start: date, end: date) -> Problem:
    return node.place.problem(f"{what} is outside the scenario, {start} to {end}.", "Move it inside.")


def _midnight(it: date) -> datetime:
    return datetime(it.year, it.month, it.day, tzinfo=UTC)
