"""What would have been: the money that the same people pay without retries, or without one of the incidents."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np

from billing_sim import clock
from billing_sim.challenges.truths import Answers
from billing_sim.drivers import paired
from billing_sim.drivers.shards import SHARDS, people_of_shards
from billing_sim.drivers.tape import Tape
from billing_sim.facts.folding import Folder
from billing_sim.facts.schema import INVOICE_STATUSES
from billing_sim.identity import vocabularies_of
from billing_sim.scenario.interventions import AccountUpdaterSwitch, DunningSwitch, GatewayOutage, Intervention
from billing_sim.scenario.model import Scenario
from billing_sim.world.announce import announcements
from billing_sim.world.compile import CompiledWorld, compile_world

Incidents: TypeAlias = dict[str, list[Intervention]]
"""By name, the entries of the timeline that make up an incident."""

_PAID = INVOICE_STATUSES.index("paid")
_MICROS = 1_000_000


def money_answers(scenario: Scenario) -> tuple[Answers, tuple[str, ...]]:
    """The answers that need other worlds, and the names of the incidents.

    An incident is asked for only where there are two at least and one of them cost money.
    """
    world = compile_world(scenario)
    came = collected(world, world)
    found: Answers = {"retry_increment": (came - collected(world, without_retries(world))) / _MICROS}
    incidents = incidents_of(scenario)
    costs = {name: collected(world, _without(scenario, gone)) - came for name, gone in incidents.items()}
    ranked = sorted(costs.items(), key=lambda it: -it[1])
    if len(ranked) > 1 and ranked[0][1] > max(ranked[1][1], 0):
        found["costliest_incident"] = ranked[0][0]
    return found, tuple(incidents)


def incidents_of(scenario: Scenario) -> Incidents:
    """Outages one by one; switches of the account updater and of the dunning rules together, with those back."""
    found: Incidents = {}
    for entry in scenario.timeline:
        if isinstance(entry, GatewayOutage):
            found.setdefault(f"outage_{entry.gateway}_{clock.moment_of(clock.micros(entry.at)):%Y-%m-%d}", []).append(
                entry
            )
        elif isinstance(entry, AccountUpdaterSwitch):
            found.setdefault("account_updater", []).append(entry)
        elif isinstance(entry, DunningSwitch):
            found.setdefault("dunning_switch", []).append(entry)
    return found


def without_retries(world: CompiledWorld) -> CompiledWorld:
    """The same world, in which no policy ever retries."""
    record = world.record.copy().view(np.recarray)
    record.retry_count[:] = 0
    return replace(world, record=record)


def _without(scenario: Scenario, gone: list[Intervention]) -> CompiledWorld:
    left = [entry for entry in scenario.timeline if not any(entry is it for it in gone)]
    return compile_world(scenario.model_copy(update={"timeline": left}))


def collected(before: CompiledWorld, after: CompiledWorld) -> int:
    """Millionths of the reporting currency over all invoices that are paid at the end, of people living in `after`.

    What people share is as those who live there make it: where an outage crowds another gateway, without it there is
    no crowd.
    """
    folder = Folder(announcements(after), vocabularies_of(after))
    blocks = paired.lives(before, after, *_everybody(before), _tape(before, after))
    folded = (folder.fold(block.rows)["invoices"] for block in blocks)
    return sum(int(invoices["amount_micros"][invoices["status"] == _PAID].sum()) for invoices in folded)


def _tape(before: CompiledWorld, after: CompiledWorld) -> Tape | None:
    if not before.is_coupled:
        return None
    from billing_sim.drivers.coupled import total_tape_of  # compiled only where people share something

    return total_tape_of(before, after)


def _everybody(world: CompiledWorld) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of all people, ascending, and the indices of their markets."""
    numbers, markets = people_of_shards(world, range(SHARDS))
    order = np.argsort(numbers)
    return numbers[order], markets[order]
