"""Dunning policies as tables, and which of them is for whom over time."""

from __future__ import annotations

import numpy as np

from billing_sim import clock, declines, events
from billing_sim.errors import BillingSimError
from billing_sim.scenario.dunning import DunningRule
from billing_sim.scenario.interventions import DunningSwitch
from billing_sim.world.names import Names, fits
from billing_sim.world.record import EPOCHS, KINDS


def fill_policies(world: np.recarray, names: Names) -> None:
    """Every policy, the rules of the start, and those of each switch."""
    for i, policy in enumerate(names.scenario.dunning_policies.values()):
        world.retry_count[0, i] = len(policy.retries)
        world.retry_after[0, i, : len(policy.retries)] = policy.retries
        world.retry_hour[0, i] = -1 if policy.retry_hour is None else policy.retry_hour
        world.notice_count[0, i] = len(policy.notices)
        world.notice_after[0, i, : len(policy.notices)] = [notice.after for notice in policy.notices]
        world.grace[0, i], world.dunning_end[0, i] = policy.grace, policy.end
        world.use_backup[0, i] = int(policy.use_backup)
        for kind in policy.stop_on:
            world.stop_on[0, i, declines.DECLINE_KINDS.index(kind)] = 1
    switches = [entry for entry in names.scenario.timeline if isinstance(entry, DunningSwitch)]
    epochs = [(0, names.scenario.dunning)]
    epochs += [(clock.micros(switch.at), switch.dunning) for switch in sorted(switches, key=lambda entry: entry.at)]
    if len(epochs) > EPOCHS:
        raise BillingSimError(f"more than {EPOCHS - 1} dunning switches in one scenario")
    world.policy_epochs[0] = len(epochs)
    for i, (at, rules) in enumerate(epochs):
        world.policy_from[0, i] = at
        if i:
            world.policy_for[0, i] = world.policy_for[0, i - 1]
        for rule in rules:
            _fill_rule(world, names, i, rule)


def _fill_rule(world: np.recarray, names: Names, epoch: int, rule: DunningRule) -> None:
    kinds = [kind for kind in range(1, KINDS) if fits(list(rule.method), events.METHOD_KINDS[kind])]
    asked = [i for i, name in enumerate(declines.DECLINE_KINDS) if not rule.decline or name in rule.decline]
    for m in names.places(list(rule.market)):
        for kind in kinds:
            world.policy_for[0, epoch, m, kind, asked] = names.policies.index(rule.use)
