"""What gateways can take and how they are chosen, and issuers' outages, in the world's tables."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from billing_sim import clock, draws, events
from billing_sim.scenario.gateway_load import IssuerOutage, Load
from billing_sim.world.names import Names, fits
from billing_sim.world.record import BY_SUCCESS_RATE, KINDS, LOADS

PARTS = 1024
"""Capacities are kept in parts of an attempt, since few members have small ones."""
STEPS = 8
"""Steps of the load tables up to the comfortable load."""
_MOST_TIMEOUTS = Decimal("0.4")
_ONE_SLOWNESS = 1024


def fill_load(world: np.recarray, names: Names) -> None:
    """Capacities, what load does to answers, and routing by success rate; whether anything at all is shared."""
    for g, gateway in enumerate(names.scenario.gateways.values()):
        if gateway.capacity is not None:
            world.capacity[0, g] = max(1, int(gateway.capacity * PARTS))
        if gateway.load is not None:
            _fill_answers(world, g, gateway.load)
    for rule in names.scenario.routing:
        by = BY_SUCCESS_RATE if rule.by == "success_rate" else 0
        for m in names.places(list(rule.market)):
            for kind in range(1, KINDS):
                if fits(list(rule.method), events.METHOD_KINDS[kind]):
                    world.route_by[0, m, kind] = by
                    world.route_explore[0, m, kind] = draws.threshold(rule.explore) if by else 0
    if world.capacity.any() or world.comfortable.any() or world.route_by.any():
        world.shared[0] = 1


_WITHOUT_ISSUER = (events.CARRIER_PARTNER, events.GIFT_BALANCE, events.VOUCHER)
"""Methods behind which there is no bank that could be out of reach."""


def _fill_answers(world: np.recarray, gateway: int, load: Load) -> None:
    world.comfortable[0, gateway] = max(1, int(load.comfortable * PARTS))
    for step in range(STEPS + 1, LOADS):
        beyond = Decimal(step - STEPS) / STEPS
        world.slow_at[0, gateway, step] = int(_ONE_SLOWNESS * (1 + (load.slowdown - 1) * beyond))
        world.timeout_at[0, gateway, step] = draws.threshold(min(_MOST_TIMEOUTS, load.timeouts * beyond))


def fill_issuer_outages(world: np.recarray, names: Names) -> None:
    """Outages of issuers, by market and by kinds of methods (a bit each)."""
    outages = [entry for entry in names.scenario.timeline if isinstance(entry, IssuerOutage)]
    world.issuer_outages[0] = len(outages)
    for i, outage in enumerate(outages):
        begin = clock.micros(outage.at)
        world.issuer_out_start[0, i], world.issuer_out_end[0, i] = begin, begin + outage.duration
        world.issuer_out_share[0, i] = draws.threshold(outage.failing)
        reached = (kind for kind in range(1, KINDS) if kind not in _WITHOUT_ISSUER)
        kinds = sum(1 << kind for kind in reached if fits(list(outage.method), events.METHOD_KINDS[kind]))
        for m in names.places(list(outage.market)):
            world.issuer_out_kinds[0, i, m] = kinds
