"""What charging costs, and the caps of card networks, as tables; and the cheapest gateway where that is what routes."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import cast

import numpy as np

from billing_sim import events
from billing_sim.draws import ONE
from billing_sim.money import EXPONENTS
from billing_sim.scenario.model import Routing, Scenario
from billing_sim.scenario.refunds import NetworkName
from billing_sim.scenario.values import price_minor
from billing_sim.world.names import Names, fits
from billing_sim.world.people import cumulative
from billing_sim.world.record import GATEWAYS, KINDS, NETWORKS

_PARTNER = events.METHOD_KINDS.index("carrier_partner")


def in_minor(scenario: Scenario, price: str | int, currency: str) -> int:
    """An amount of the reporting currency in minor units of another, at the rate of the start, rounded half up."""
    own = scenario.reporting_currency
    minor = Decimal(price_minor(price, own)).scaleb(EXPONENTS[currency] - EXPONENTS[own])
    return int((minor / scenario.rate(currency)).to_integral_value(ROUND_HALF_UP))


def fill_fees(world: np.recarray, names: Names) -> None:
    """Fees by market, method and gateway, and on top of them what partners keep."""
    scenario = names.scenario
    for rule in scenario.fees:
        kinds = [kind for kind in range(1, KINDS) if fits(list(rule.method), events.METHOD_KINDS[kind])]
        taken = [g for g, name in enumerate(names.gateways) if not rule.gateway or name in rule.gateway]
        for m in names.places(list(rule.market)):
            currency = scenario.markets[names.markets[m]].currency
            places = (0, m, *np.ix_(kinds, taken))
            world.fee_fixed[places] = in_minor(scenario, rule.fixed, currency)
            world.fee_attempt[places] = in_minor(scenario, rule.per_attempt, currency)
            world.fee_share[places] = int(rule.share * 1_000_000)
    if scenario.partner_billing:
        world.fee_share[0, : len(names.markets), _PARTNER] += int(scenario.partner_billing.commission * 1_000_000)
    world.fees[0] = int(bool(scenario.fees or scenario.partner_billing))


def fill_networks(world: np.recarray, names: Names) -> None:
    """Which networks cards belong to, their caps, and what an attempt too many costs."""
    scenario, rules = names.scenario, names.scenario.network_rules
    world.ignores_caps[0] = int(not rules.respect_caps)
    for m, code in enumerate(names.markets):
        mix = scenario.markets[code].behaviour.card_networks
        if mix:
            world.networks[0] = 1
            shares = [mix.get(cast(NetworkName, name), Decimal(0)) for name in events.NETWORKS]
            world.network_mix[0, m] = cumulative(shares, NETWORKS)
    for number, name in enumerate(events.NETWORKS):
        network = rules.networks.get(cast(NetworkName, name))
        world.network_cap[0, number, 0], world.network_window[0, number, 0] = rules.max_attempts, rules.window
        for i, cap in enumerate(network.caps if network else []):
            world.network_cap[0, number, i], world.network_window[0, number, i] = cap.attempts, cap.window
        for m, code in enumerate(names.markets):
            currency = scenario.markets[code].currency
            world.excess_fee[0, m, number] = in_minor(scenario, network.excess_fee, currency) if network else 0


def fill_cheapest(world: np.recarray, names: Names) -> None:
    """Routes by least cost: the last rule that fits decides, as it does for weights."""
    for m in range(len(names.markets)):
        for kind in range(1, KINDS):
            rule = _routing(names, m, events.METHOD_KINDS[kind])
            if rule and rule.by == "least_cost":
                world.route[0, m, kind] = _cheapest_first(world, names, rule, m, kind)


def _routing(names: Names, m: int, kind: str) -> Routing | None:
    """The routing rule in force for a market and method."""
    found = [
        rule
        for rule in names.scenario.routing
        if fits(list(rule.method), kind) and (not rule.market or names.markets[m] in rule.market)
    ]
    return found[-1] if found else None


def _cheapest_first(world: np.recarray, names: Names, rule: Routing, m: int, kind: int) -> np.ndarray:
    """All to the cheapest but one part in 2^62 to each of the others: they are there to fail over to."""
    named = [g for g, name in enumerate(names.gateways) if rule.use.get(name)]
    best = min(named, key=lambda g: (_cost(world, names, m, kind, g), g))
    table, reached = np.full(GATEWAYS, ONE, np.int64), 0
    for g in range(named[-1]):
        reached += 0 if g not in named else (ONE - len(named) if g == best else 1)
        table[g] = reached
    return table


def _cost(world: np.recarray, names: Names, m: int, kind: int, gateway: int) -> int:
    """What a charge at the first list prices costs here, over the plan mix, in millionths of a minor unit."""
    market = names.scenario.markets[names.markets[m]]
    due = sum(
        (share * int(world.price[0, m, names.plans.index(plan), 0]) for plan, share in market.plan_mix.items()),
        Decimal(0),
    )
    place = (0, m, kind, gateway)
    flat = int(world.fee_fixed[place]) + int(world.fee_attempt[place])
    return flat * 1_000_000 + int(due * int(world.fee_share[place]))
