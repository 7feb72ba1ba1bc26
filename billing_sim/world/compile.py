"""From a scenario to a world: every name becomes a number, every probability a threshold, every date an instant."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from billing_sim import draws
from billing_sim.scenario.model import Scenario
from billing_sim.world.arrivals import arrivals, expected_arrivals
from billing_sim.world.calendars import fill_span, fill_zones
from billing_sim.world.names import Names
from billing_sim.world.paydays import PaydayCalendars
from billing_sim.world.payments import fill_codes, fill_gateways, fill_outages, fill_rules, fill_updater
from billing_sim.world.people import fill_people
from billing_sim.world.policies import fill_policies
from billing_sim.world.prices import fill_counts, fill_prices, fill_reactions
from billing_sim.world.record import new_world
from billing_sim.world.saying import fill_saying

FILLERS: tuple[Callable[[np.recarray, Names], None], ...] = (
    fill_span, fill_zones, fill_counts, fill_prices, fill_rules, fill_codes, fill_gateways, fill_outages,
    fill_policies, fill_updater,
    # Plans and money.
    # Refunds and disputes.
    # Fraud and authentication.
    # Gateways under load.
    # Support.
    # People and what they say.
    fill_saying,
    # Campaigns.
    # Experiments.
)  # fmt: skip
"""What fills a world, a table or two each. A new intervention adds a function here."""


@dataclass(frozen=True)
class CompiledWorld:
    """The record that rules read, the people still to come, and the names behind the numbers."""

    record: np.recarray
    arrivals: np.ndarray
    names: Names

    @property
    def scenario(self) -> Scenario:
        """What was compiled."""
        return self.names.scenario

    @property
    def markets(self) -> tuple[str, ...]:
        """Market codes by number."""
        return self.names.markets

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides what comes out: record, arrivals, what numbers stand for, and rates."""
        names = self.names
        rates = [[(str(day), f"{rate:f}") for day, rate in names.scenario.rates(code)] for code in names.currencies]
        labels = json.dumps([names.markets, names.plans, names.gateways, names.policies, names.currencies, rates])
        parts = (self.record.tobytes(), self.arrivals.tobytes(), labels.encode())
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()

    @property
    def members(self) -> int:
        """Members at the start."""
        return int(self.record.base_count[0].sum())


def compile_world(scenario: Scenario) -> CompiledWorld:
    """Compile a checked scenario; raises BillingSimError where a fixed capacity of the world is exceeded."""
    names, world = Names(scenario), new_world()
    world.markets[0] = len(names.markets)
    for fill in FILLERS:
        fill(world, names)
    calendars = PaydayCalendars(names.first_day)
    for m, code in enumerate(names.markets):
        fill_people(world, m, scenario.markets[code], scenario, calendars)
    world.income_last[0], world.income_next[0] = calendars.last, calendars.next
    return CompiledWorld(world, arrivals(scenario, _market_keys(names)), names)


def _market_keys(names: Names) -> np.ndarray:
    return np.array([names.market_key(code) for code in names.markets], np.int64)


class Reseeding:
    """A compiled world whose luck is exchanged, for those who want many seeds: what no seed decides is kept.


    >>> worlds = [Reseeding(world).world(seed) for seed in range(20)]       # doctest: +SKIP
    """

    def __init__(self, world: CompiledWorld) -> None:
        self._world = world
        self._expected = expected_arrivals(world.scenario)

    def world(self, seed: int) -> CompiledWorld:
        """The world with this seed: the same as its scenario with that seed, compiled."""
        names = Names(self._world.scenario.model_copy(update={"seed": seed}))
        record = self._world.record.copy().view(np.recarray)
        record.seed_key[0] = draws.run_key(seed)
        fill_reactions(record, names)
        return replace(
            self._world,
            record=record,
            names=names,
            arrivals=arrivals(names.scenario, _market_keys(names), self._expected),
        )
