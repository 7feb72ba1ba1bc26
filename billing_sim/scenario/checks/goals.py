"""Goals say enough to be judged, or are plainly words."""

from __future__ import annotations

from collections.abc import Iterator

from billing_sim.errors import Problem
from billing_sim.scenario.checks.read import day
from billing_sim.scenario.nodes import Mapping, Node, at, items

_MEASURES = ("segment", "target", "baseline", "period", "deadline")
"""Keys of a goal that mean nothing without a metric."""


def goals_can_be_judged(tree: Mapping) -> Iterator[Problem]:
    """A goal with a metric has a target and a deadline; one without a metric has neither."""
    for goal in items(tree, "goals"):
        yield from _whole(goal) if at(goal, "metric") is not None else _only_words(goal)


def _whole(goal: Node) -> Iterator[Problem]:
    metric = at(goal, "metric")
    assert metric is not None
    for key in ("target", "deadline"):
        if at(goal, key) is None:
            yield metric.place.problem(f"metric: this goal has no {key}.", f"Add {key}: to it, or delete the metric.")


def _only_words(goal: Node) -> Iterator[Problem]:
    for key in _MEASURES:
        node = at(goal, key)
        if node is not None:
            yield node.place.problem(f"{key}: this goal has no metric.", f"Add metric: to it, or delete {key}.")


def deadlines_come_after_the_start(tree: Mapping) -> Iterator[Problem]:
    """The deadline of a goal lies after the start."""
    start = day(at(tree, "start"))
    for goal in items(tree, "goals"):
        node, found = at(goal, "deadline"), day(at(goal, "deadline"))
        if node is not None and start and found and found <= start:
            yield node.place.problem(f"deadline: {found} is not after the start, {start}.", "Write a later day.")
