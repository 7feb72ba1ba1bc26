"""From a scenario to a world: every name becomes a number, every probability a threshold, every date an instant."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np

from billing_sim import draws
from billing_sim.scenario.model import Scenario
from billing_sim.world.arrivals import arrivals, expected_arrivals
from billing_sim.world.bots import bots
from billing_sim.world.calendars import fill_span, fill_zones
from billing_sim.world.campaigns import fill_campaigns
from billing_sim.world.experiments import fill_experiments, scenarios_of
from billing_sim.world.fees import fill_cheapest, fill_fees, fill_networks
from billing_sim.world.fraud import fill_attacks, fill_authentication, fill_bins, fill_deploys, fill_fraud, fill_methods
from billing_sim.world.households import fill_sharing
from billing_sim.world.load import fill_issuer_outages, fill_load
from billing_sim.world.names import Names
from billing_sim.world.paydays import PaydayCalendars
from billing_sim.world.payments import fill_codes, fill_gateways, fill_outages, fill_rules, fill_updater
from billing_sim.world.people import fill_people
from billing_sim.world.plans import fill_plans, fill_taxes, fill_trials
from billing_sim.world.policies import fill_policies
from billing_sim.world.prices import fill_counts, fill_prices, fill_reactions
from billing_sim.world.promotions import fill_offers, fill_promotions
from billing_sim.world.record import Fields, new_world
from billing_sim.world.refunds import fill_claims, fill_faults
from billing_sim.world.saying import fill_saying
from billing_sim.world.support import fill_reviewers, fill_support

FILLERS: tuple[Callable[[np.recarray, Names], None], ...] = (
    fill_span, fill_zones, fill_counts, fill_prices, fill_rules, fill_codes, fill_gateways, fill_outages,
    fill_policies, fill_updater,
    # Plans and money.
    fill_plans, fill_trials, fill_taxes,
    fill_promotions, fill_offers,
    # Refunds and disputes.
    fill_claims, fill_faults, fill_fees, fill_networks, fill_cheapest,
    # Fraud and authentication.
    fill_authentication, fill_fraud, fill_attacks, fill_bins, fill_deploys, fill_methods,
    # Gateways under load.
    fill_load, fill_issuer_outages,
    # Support.
    fill_support, fill_reviewers,
    # People and what they say.
    fill_saying,
    # Campaigns.
    fill_sharing, fill_campaigns,
    # Experiments.
)  # fmt: skip
"""What fills a world, a table or two each. A new intervention adds a function here."""


@dataclass(frozen=True)
class CompiledWorld:
    """The records that rules read, the people still to come, and the names behind the numbers.

    `record` holds the scenario's own world first, then one for each arm of an experiment in which something differs.
    """

    record: np.recarray
    arrivals: np.ndarray
    names: Names
    bots: np.ndarray
    """Card-testing sessions per market and hour: people who only pose as such, numbered behind all others."""

    @property
    def scenario(self) -> Scenario:
        """What was compiled."""
        return self.names.scenario

    @property
    def markets(self) -> tuple[str, ...]:
        """Market codes by number."""
        return self.names.markets

    @property
    def is_coupled(self) -> bool:
        """Whether people share something, so that windows and barriers are kept."""
        return bool(self.record.shared.any())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that decides what comes out: record, arrivals, what numbers stand for, and rates.

        Taken once: a world does not change, and every shard of a coupled run asks for it.
        """
        names = self.names
        rates = [[(str(day), f"{rate:f}") for day, rate in names.scenario.rates(code)] for code in names.currencies]
        named = (names.markets, names.plans, names.gateways, names.policies, names.currencies, names.arms)
        labels = json.dumps([*named, rates, *_labels(names)])
        digests = [hashlib.sha256(_bytes(part)).digest() for part in (self.record, self.arrivals, self.bots)]
        return hashlib.sha256(b"".join([*digests, hashlib.sha256(labels.encode()).digest()])).hexdigest()

    @property
    def members(self) -> int:
        """Members at the start."""
        return int(self.record.base_count[0].sum())


def _bytes(array: np.ndarray) -> memoryview:
    return np.ascontiguousarray(array).view(np.ndarray).view(np.uint8).data


def compile_world(scenario: Scenario) -> CompiledWorld:
    """Compile a checked scenario; raises BillingSimError where a fixed capacity of the world is exceeded."""
    names = Names(scenario)
    calendars = PaydayCalendars(names.first_day)
    lived = scenarios_of(scenario)
    record = new_world(len(lived))
    for i, each in enumerate(lived):
        _fill(record[i : i + 1].view(np.recarray), Names(each), calendars)
    fill_experiments(record, names)
    record.income_last[:], record.income_next[:] = calendars.last, calendars.next
    return CompiledWorld(record, arrivals(scenario, _market_keys(names)), names, bots(scenario))


def _fill(record: np.recarray, names: Names, calendars: PaydayCalendars) -> None:
    """Fill an empty record; income calendars are numbered alike in all of them."""
    world = cast("np.recarray", Fields(record))
    world.markets[0] = len(names.markets)
    for fill in FILLERS:
        fill(world, names)
    for m, code in enumerate(names.markets):
        fill_people(world, m, names.scenario.markets[code], names.scenario, calendars)


def _labels(names: Names) -> list[list[object]]:
    """What only the log repeats of promotions and campaigns; nothing where there are none."""
    promotions: list[list[object]] = [[name, part.campaign] for name, part in names.scenario.promotions.items()]
    campaigns: list[list[object]] = [[name] for name in names.scenario.campaigns]
    return [*promotions, *campaigns]


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
        return next(self.worlds([seed]))

    def worlds(self, seeds: Iterable[int]) -> Iterator[CompiledWorld]:
        """The world with one seed after the other, all in one record: each is good until the next is asked for."""
        record = self._world.record.copy().view(np.recarray)
        for seed in seeds:
            names = Names(self._world.scenario.model_copy(update={"seed": seed}))
            record.seed_key[:] = draws.run_key(seed)
            for i, scenario in enumerate(scenarios_of(names.scenario)):
                fill_reactions(record[i : i + 1].view(np.recarray), Names(scenario))
            people = arrivals(names.scenario, _market_keys(names), self._expected)
            yield replace(self._world, record=record, names=names, arrivals=people, bots=self._world.bots.copy())
