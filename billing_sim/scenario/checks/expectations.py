"""Expectations say what is measured, and within which bounds."""

from __future__ import annotations

from collections.abc import Iterator

from billing_sim.errors import Problem
from billing_sim.events import EVENTS
from billing_sim.scenario.layers import suggestion
from billing_sim.scenario.nodes import Mapping, at, items, text

_OF_METRICS = ("segment", "period", "minus")


def expectations_measure_something(tree: Mapping) -> Iterator[Problem]:
    """An expectation names a metric or a kind of event, not both, and only a metric has segments and months."""
    known = [kind.name for kind in EVENTS]
    for node in items(tree, "expect"):
        metric, count = at(node, "metric"), at(node, "count")
        if (metric is None) == (count is None):
            yield node.place.problem(
                f"expect: this entry has {'both' if metric else 'neither'} metric {'and' if metric else 'nor'} count.",
                "Write one of them.",
            )
        kind = text(node, "count")
        if count is not None and kind is not None and kind not in known:
            yield count.place.problem(f"count: there is no event {kind}.", suggestion(kind, known, "Events are"))
        for key in _OF_METRICS:
            place = at(node, key)
            if place is not None and count is not None:
                yield place.place.problem(f"{key}: events are counted in the whole run.", f"Delete {key}.")


def expectations_have_bounds(tree: Mapping) -> Iterator[Problem]:
    """An expectation has a lower or an upper bound."""
    for node in items(tree, "expect"):
        if isinstance(node, Mapping) and at(node, "at_least") is None and at(node, "at_most") is None:
            yield node.place.problem("expect: this entry has no bound.", "Add at_least: or at_most: to it.")
