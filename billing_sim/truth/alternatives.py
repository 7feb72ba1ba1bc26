"""All worlds that a run is compared with: what is different in each, and how far people are followed.

Levers are what the service does about failures. Tokens on cards that were on file at the start cannot be taken away:
the base is always that of the actual world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from billing_sim import clock
from billing_sim.draws import ONE
from billing_sim.errors import QueryError
from billing_sim.scenario.dunning import DunningPolicy, DunningRule
from billing_sim.scenario.experiments import without_change
from billing_sim.scenario.interventions import DunningSwitch
from billing_sim.scenario.layers import shipped, suggestion
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import plain
from billing_sim.truth.worlds import frictionless, lengthened, perfect
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.record import POLICIES

FOLLOWED_DAYS = 90
"""How long the loss of a person counts."""

ACTUAL, FRICTIONLESS, PERFECT, NO_OUTAGE = "actual", "frictionless", "perfect", "no_outage"
LEVERS = ("retries", "member", "updater", "backup")
"""What recovers invoices: retries, the member (told by notices), account updater and tokens, the backup method."""


@dataclass(frozen=True)
class Alternatives:
    """The actual world, followed far enough, and by name those in which one thing is different."""

    actual: CompiledWorld
    others: Mapping[str, CompiledWorld]
    days: int
    """How many days beyond the end of the run people are followed."""


def alternatives(scenario: Scenario, policy: str = "") -> Alternatives:
    """The worlds of a scenario; with `policy`, also one in which that policy is for everybody from the start on.

    QueryError for a policy that is neither the scenario's nor shipped.
    """
    changed = with_policy(scenario, policy, _policy(scenario, policy)) if policy else None
    days = days_followed(changed or scenario)
    actual = lengthened(scenario, days)
    others = {FRICTIONLESS: frictionless(actual), PERFECT: perfect(actual), NO_OUTAGE: _without_incidents(actual)}
    if changed:
        others[policy_world(policy)] = lengthened(changed, days)
    return Alternatives(actual, others | {without_lever(lever): _without(actual, lever) for lever in LEVERS}, days)


def days_followed(scenario: Scenario) -> int:
    """Ninety days, the longest dunning, and what an answer or a return may take."""
    longest = max(policy.end for policy in scenario.dunning_policies.values())
    return FOLLOWED_DAYS + -(-(longest + scenario.return_lag + scenario.resolution) // clock.DAY)


def policy_world(policy: str) -> str:
    """The name of the world with another policy."""
    return f"policy {policy}"


def without_lever(lever: str) -> str:
    """The name of the world without a lever."""
    return f"without {lever}"


def _policy(scenario: Scenario, name: str) -> DunningPolicy:
    presets: Any = plain(shipped("dunning_presets.yaml"))
    if name in scenario.dunning_policies:
        return scenario.dunning_policies[name]
    if name not in presets:
        known = {*scenario.dunning_policies, *presets}
        raise QueryError(f"There is no dunning policy {name!r}. {suggestion(name, known, 'Policies are')}")
    return DunningPolicy.model_validate(presets[name])


def with_policy(scenario: Scenario, name: str, policy: DunningPolicy) -> Scenario:
    """The scenario in which this policy is for everybody from the start on, in every arm, and at every time.

    It is added behind those in use, so that invoices already in dunning at the start keep theirs. QueryError where
    there are as many already as a world has room for.
    """
    if name not in scenario.dunning_policies and len(scenario.dunning_policies) == POLICIES:
        raise QueryError(
            f"The scenario has {POLICIES} dunning policies, and there is no room for {name} beside them: leave out one "
            "that nothing uses."
        )
    policies = {**scenario.dunning_policies, name: policy}
    timeline = [entry for entry in scenario.timeline if not isinstance(entry, DunningSwitch)]
    rules = [DunningRule(use=name, market=[], method=[], decline=[])]
    arms = without_change(scenario.experiments, "dunning", "dunning_switch")
    changed = {"dunning_policies": policies, "dunning": rules, "timeline": timeline, "experiments": arms}
    return scenario.model_copy(update=changed)


def _without_incidents(world: CompiledWorld) -> CompiledWorld:
    record = world.record.copy().view(np.recarray)
    record.outage_first[:] = 0
    record.issuer_outages[:] = 0
    return replace(world, record=record)


def _without(world: CompiledWorld, lever: str) -> CompiledWorld:
    record = world.record.copy().view(np.recarray)
    if lever == "retries":
        record.retry_count[:] = 0
    elif lever == "member":
        record.attention[:] = record.attention_on_hold[:] = 0
        record.unreachable[:] = ONE
    elif lever == "updater":
        record.updater_on[:] = 0
        record.token_share[:] = 0
    else:
        record.use_backup[:] = 0
    return replace(world, record=record)
