"""Gateways under load, and issuers that cannot be reached."""

from __future__ import annotations

from collections.abc import Iterator

from billing_sim.errors import Problem
from billing_sim.scenario.checks.read import interventions
from billing_sim.scenario.nodes import Mapping, at, items, text
from billing_sim.scenario.parts import CAPACITY


def exploration_has_a_reason(tree: Mapping) -> Iterator[Problem]:
    """Only routing by success rate explores."""
    for rule in items(tree, "routing"):
        node = at(rule, "explore")
        if node is not None and text(rule, "by") in (None, "weights"):
            what = "explore: this rule routes by weights, which explore everything."
            yield node.place.problem(what, "Write by: success_rate, or leave it out.")


def issuer_outages_fit(tree: Mapping) -> Iterator[Problem]:
    """The timeline holds no more issuer outages than the compiled world does."""
    count, limit = sum(1 for _ in interventions(tree, "issuer_outage")), CAPACITY["issuer_outages"]
    node = at(tree, "timeline")
    if node is not None and count > limit:
        what = f"timeline: there are {count} interventions of kind issuer_outage, more than the limit of {limit}."
        yield node.place.problem(what, "Leave some out.")
