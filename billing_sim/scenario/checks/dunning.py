"""Dunning policies run forward: retries, notices and grace lie before the end."""

from __future__ import annotations

from collections.abc import Iterator

from billing_sim.clock import format_duration
from billing_sim.errors import Problem
from billing_sim.scenario.checks.read import duration
from billing_sim.scenario.nodes import Mapping, Node, Sequence, at, blame, entries, items


def when(step: Node) -> Node | None:
    """The moment of a step: a notice may name its channel beside it."""
    return at(step, "after") if isinstance(step, Mapping) else step


def steps_ascend(tree: Mapping) -> Iterator[Problem]:
    """Retries follow one another, and so do notices."""
    for policy in entries(tree, "dunning_policies"):
        for key in ("retries", "notices"):
            last: int | None = None
            for item in items(policy.value, key):
                found = duration(when(item))
                if found is not None and last is not None and found <= last:
                    what = f"{key}: {format_duration(found)} does not come after {format_duration(last)}."
                    yield item.place.problem(what, "Durations count from the first failure; write them in order.")
                last = found if found is not None else last


def nothing_comes_after_the_end(tree: Mapping) -> Iterator[Problem]:
    """No retry, no notice and no grace lies beyond the end of its policy."""
    for policy in entries(tree, "dunning_policies"):
        end = at(policy.value, "end")
        for key in ("retries", "notices", "grace"):
            late = max(_steps(policy.value, key), key=lambda step: step[0], default=None)
            last = duration(end)
            if end is not None and late is not None and last is not None and late[0] > last:
                what = f"{key}: {format_duration(late[0])} is after the end of {policy.key}, {format_duration(last)}."
                yield blame(late[1], end).problem(what, "Write a shorter duration, or a later end.")


def _steps(policy: Node, key: str) -> list[tuple[int, Node]]:
    """The durations under a key, one or many, with their nodes."""
    own = at(policy, key)
    nodes = own.items if isinstance(own, Sequence) else (own,)
    return [(found, node) for node in nodes if node is not None and (found := duration(when(node))) is not None]
