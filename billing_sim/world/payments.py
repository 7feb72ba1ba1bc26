"""How attempts travel and come back: gateways, routes, outages, decline codes, network rules, recording."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from billing_sim import clock, declines, draws, events
from billing_sim.errors import BillingSimError
from billing_sim.scenario.interventions import AccountUpdaterSwitch, GatewayOutage
from billing_sim.world.names import Names, fits
from billing_sim.world.people import cumulative
from billing_sim.world.quantiles import DRY_DAYS, STRAINED_DAYS, SUSPICION_HOURS, interpolated
from billing_sim.world.record import CODE_SLOTS, EPOCHS, GATEWAYS, KINDS, OUTAGES

_MILLISECOND = 1000


def fill_rules(world: np.recarray, names: Names) -> None:
    """Network rules, issuer memory, delays, and the shapes of bad times."""
    scenario = names.scenario
    rules, memory, delay = scenario.network_rules, scenario.issuer_memory, scenario.recording_delay
    world.return_lag[0], world.resolution[0] = scenario.return_lag, scenario.resolution
    world.failover[0] = int(scenario.failover)
    world.max_attempts[0], world.attempts_window[0] = rules.max_attempts, rules.window
    world.memory_declines[0], world.memory_window[0] = memory.declines, memory.window
    for code in rules.never_retry:
        world.never_retry[0, declines.CODE_NUMBER[code]] = 1
    for i, entry in enumerate(declines.CODES):
        world.decline_kind[0, i] = declines.DECLINE_KINDS.index(entry.kind)
    anchors = [(Decimal(0), delay.p50 // 4), (Decimal("0.5"), delay.p50), (Decimal("0.99"), delay.p99)]
    world.delay[0] = interpolated([*anchors, (Decimal(1), delay.max)])
    world.dry_days[0] = DRY_DAYS
    world.strained_days[0] = STRAINED_DAYS
    world.suspicion_hours[0] = SUSPICION_HOURS


def fill_codes(world: np.recarray, names: Names) -> None:
    """Observed codes for every latent cause and kind of method: the entry for that kind wins over the general one."""
    table = names.scenario.decline_codes
    for cause in range(1, len(declines.CAUSES)):
        name = declines.CAUSES[cause][0]
        for kind in range(1, KINDS):
            codes = table.get(f"{name}@{events.METHOD_KINDS[kind]}") or table.get(name)
            if codes:
                world.code_count[0, cause, kind] = len(codes)
                world.code_mix[0, cause, kind] = cumulative(list(codes.values()), CODE_SLOTS)
                numbers = [declines.CODE_NUMBER[code] for code in codes]
                world.code_value[0, cause, kind, : len(codes)] = numbers


def fill_gateways(world: np.recarray, names: Names) -> None:
    """Latency, time-outs and routes."""
    world.gateways[0] = len(names.gateways)
    for g, gateway in enumerate(names.scenario.gateways.values()):
        latency = gateway.latency
        p50, p95, p99 = (value // _MILLISECOND for value in (latency.p50, latency.p95, latency.p99))
        anchors = [(Decimal(0), p50 // 3), (Decimal("0.5"), p50), (Decimal("0.95"), p95), (Decimal("0.99"), p99)]
        world.latency[0, g] = interpolated([*anchors, (Decimal(1), p99 * 3 // 2)])
        world.timeout[0, g] = draws.threshold(gateway.timeout)
    for rule in names.scenario.routing:
        weights = cumulative([rule.use.get(name, Decimal(0)) for name in names.gateways], GATEWAYS)
        for m in names.places(list(rule.market)):
            for kind in range(1, KINDS):
                if fits(list(rule.method), events.METHOD_KINDS[kind]):
                    world.route[0, m, kind] = weights


def fill_outages(world: np.recarray, names: Names) -> None:
    """Outages as a chain per gateway and day; numbers are one more than the slot, 0 ends the chain."""
    last: dict[tuple[int, int], int] = {}
    slot = 0
    for outage in names.scenario.timeline:
        if not isinstance(outage, GatewayOutage):
            continue
        begin, gateway = clock.micros(outage.at), names.gateways.index(outage.gateway)
        for day in range(begin // clock.DAY, (begin + outage.duration - 1) // clock.DAY + 1):
            if slot == OUTAGES:
                raise BillingSimError(f"gateway outages cover more than {OUTAGES} days in all")
            place = (gateway, day - names.first_day)
            world.outage_next[0, slot] = last.get(place, 0)
            world.outage_first[0][place] = last[place] = slot + 1
            world.outage_start[0, slot] = begin
            world.outage_end[0, slot] = begin + outage.duration
            world.outage_share[0, slot] = draws.threshold(outage.failing)
            slot += 1


def fill_updater(world: np.recarray, names: Names) -> None:
    """Whether the account updater works, per market and over time."""
    markets = len(names.markets)
    world.updater_count[0, :markets] = 1
    world.updater_on[0, :markets, 0] = int(names.scenario.account_updater == "on")
    switches = [entry for entry in names.scenario.timeline if isinstance(entry, AccountUpdaterSwitch)]
    for switch in sorted(switches, key=lambda entry: entry.at):
        for m in names.places(list(switch.market)):
            i = int(world.updater_count[0, m])
            if i == EPOCHS:
                raise BillingSimError(f"more than {EPOCHS - 1} account updater switches in one market")
            world.updater_count[0, m] = i + 1
            world.updater_from[0, m, i] = clock.micros(switch.at)
            world.updater_on[0, m, i] = int(switch.switched == "on")
