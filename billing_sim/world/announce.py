"""What readers must know of a world, as events of their own: prices, rates, policies, outages, switches."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from billing_sim import clock
from billing_sim.scenario.dunning import DunningRule
from billing_sim.scenario.interventions import AccountUpdaterSwitch, DunningSwitch, GatewayOutage, SignupSurge
from billing_sim.world.announce_fraud import fraud_announcements
from billing_sim.world.announce_load import capacities, issuer_outages
from billing_sim.world.announce_support import staffings
from billing_sim.world.campaigns import announce_campaigns
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.experiments import opened
from billing_sim.world.fraud import longest_pending
from billing_sim.world.plans import announce_plans
from billing_sim.world.promotions import announce_promotions
from billing_sim.world.refund_announcements import refund_announcements

Announcement = dict[str, Any]


def announcements(world: CompiledWorld) -> list[Announcement]:
    """World events in the order of their moments; keys as in `events.WORLD_COLUMNS`, moments in microseconds."""
    start = int(world.record.start[0])
    rows = [_configured(world), *_plans(world), *_markets(world), *_prices(world), *_rates(world), *_policies(world)]
    rows += _timeline(world)
    # Plans and money.
    rows += announce_plans(world.names)
    rows += announce_promotions(world.names)
    # Refunds and disputes.
    rows += refund_announcements(world)
    # Fraud and authentication.
    rows += fraud_announcements(world)
    # Gateways under load.
    rows += [*capacities(world), *issuer_outages(world)]
    # Support.
    rows += staffings(world)
    # People and what they say.
    rows += _win_back_offers(world)
    # Campaigns.
    rows += announce_campaigns(world.names)
    # Experiments.
    rows += opened(world)
    for row in rows:
        row.setdefault("occurred_at", start)
        row.setdefault("recorded_at", min(row["occurred_at"], start))
    rows.sort(key=lambda row: row["occurred_at"])
    return [{"sequence": i, **row} for i, row in enumerate(rows)]


def _detail(**values: Any) -> str:
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def _ppm(share: Decimal) -> int:
    return int(share * 1_000_000)


def _configured(world: CompiledWorld) -> Announcement:
    scenario = world.scenario
    horizon = max(policy.end for policy in scenario.dunning_policies.values())
    if scenario.support is not None:
        horizon += scenario.support.grace_extension
    pending = longest_pending(scenario)
    late = {"pending_seconds": pending // clock.SECOND} if pending > scenario.return_lag + scenario.resolution else {}
    detail = _detail(
        **late,
        start=scenario.start.isoformat(),
        end=scenario.end.isoformat(),
        reporting_currency=scenario.reporting_currency,
        dunning_horizon_seconds=horizon // clock.SECOND,
        return_lag_seconds=scenario.return_lag // clock.SECOND,
        resolution_seconds=scenario.resolution // clock.SECOND,
        mission=scenario.mission,
        goals=[{"owner": goal.owner, "goal": goal.goal} for goal in scenario.goals],
        members=world.members,
    )
    return {"kind": "run.configured", "currency": scenario.reporting_currency, "detail": detail}


def _plans(world: CompiledWorld) -> list[Announcement]:
    return [
        {"kind": "plan.offered", "plan": name, "detail": _detail(name=plan.name, interval=plan.interval)}
        for name, plan in world.scenario.plans.items()
    ]


def _markets(world: CompiledWorld) -> list[Announcement]:
    rows = []
    for code in world.markets:
        market = world.scenario.markets[code]
        detail = _detail(
            name=market.name, region=market.region, time_zone=market.time_zone, tax_included=market.tax.included
        )
        rows.append({
            "kind": "market.opened", "market": code, "currency": market.currency,
            "share_ppm": _ppm(market.tax.rate), "detail": detail,
        })  # fmt: skip
    return rows


def _prices(world: CompiledWorld) -> list[Announcement]:
    """Every list price with its tax; the first ones hold from the start, later ones for members after the notice."""
    rows = []
    start = int(world.record.start[0])
    for m, code in enumerate(world.markets):
        for plan in world.scenario.markets[code].prices:
            p = world.names.plans.index(plan)
            for i in range(int(world.record.price_count[0, m, p])):
                due, tax = int(world.record.price[0, m, p, i]), int(world.record.price_tax[0, m, p, i])
                announced = max(start, int(world.record.price_since[0, m, p, i]))
                members_from = int(world.record.price_members_from[0, m, p, i])
                kept = {"grandfathered": True} if members_from == clock.NEVER else {}
                rows.append({
                    "kind": "price.set", "market": code, "plan": plan,
                    "currency": world.scenario.markets[code].currency, "amount_minor": due,
                    "occurred_at": announced if kept else max(announced, members_from),
                    "recorded_at": announced, "detail": _detail(tax_minor=tax, **kept),
                })  # fmt: skip
    return rows


def _rates(world: CompiledWorld) -> list[Announcement]:
    """Every rate; those after the first become known on the day from which they hold."""
    rows: list[Announcement] = []
    for currency in world.names.currencies:
        for i, (first_day, rate) in enumerate(world.scenario.rates(currency)):
            row = {"kind": "exchange_rate.published", "currency": currency, "rate_nanos": int(rate * 10**9)}
            at = clock.day_number(first_day) * clock.DAY
            rows.append(row | {"occurred_at": at, "recorded_at": at} if i else row)
    return rows


def _rules(rules: list[DunningRule]) -> list[dict[str, Any]]:
    return [rule.model_dump(exclude_defaults=True) for rule in rules]


def _policies(world: CompiledWorld) -> list[Announcement]:
    scenario = world.scenario
    policies = {
        name: {
            "retries_hours": [retry // clock.HOUR for retry in policy.retries],
            "notices_hours": [notice.after // clock.HOUR for notice in policy.notices],
            "grace_hours": policy.grace // clock.HOUR,
            "end_hours": policy.end // clock.HOUR,
        }
        for name, policy in scenario.dunning_policies.items()
    }
    first = {
        "kind": "dunning_policy.put_in_force",
        "detail": _detail(policies=policies, rules=_rules(scenario.dunning)),
    }
    switches = [entry for entry in scenario.timeline if isinstance(entry, DunningSwitch)]
    return [first] + [
        {
            "kind": "dunning_policy.put_in_force",
            "occurred_at": clock.micros(switch.at),
            "detail": _detail(rules=_rules(switch.dunning)),
        }
        for switch in switches
    ]


def _each(markets: list[str]) -> list[str | None]:
    return [*markets] if markets else [None]


def _timeline(world: CompiledWorld) -> list[Announcement]:
    rows: list[Announcement] = []
    for entry in world.scenario.timeline:
        if isinstance(entry, GatewayOutage):
            at = clock.micros(entry.at)
            rows.append({
                "kind": "gateway_outage.started", "occurred_at": at, "recorded_at": at, "gateway": entry.gateway,
                "share_ppm": _ppm(entry.failing), "until": at + entry.duration,
            })  # fmt: skip
        elif isinstance(entry, AccountUpdaterSwitch):
            at = clock.micros(entry.at)
            rows += [
                {"kind": "account_updater.switched", "occurred_at": at, "recorded_at": at, "market": market,
                 "detail": _detail(switched=entry.switched)}
                for market in _each(entry.market)
            ]  # fmt: skip
        elif isinstance(entry, SignupSurge):
            at = clock.micros(entry.at)
            rows += [
                {"kind": "signup_surge.started", "occurred_at": at, "recorded_at": at, "market": market,
                 "share_ppm": _ppm(entry.increase), "until": at + entry.duration}
                for market in _each(entry.market)
            ]  # fmt: skip
    return rows


def _win_back_offers(world: CompiledWorld) -> list[Announcement]:
    """What is offered to people who left; what it does to them is told to nobody."""
    rows: list[Announcement] = []
    for offer in world.scenario.win_back_offers:
        detail = _detail(
            after_hours=offer.after // clock.HOUR, within_hours=offer.within // clock.HOUR, to=list(offer.to),
            coupon=offer.coupon, channel=offer.channel,
        )  # fmt: skip
        row = {"kind": "win_back_offer.planned", "share_ppm": _ppm(offer.share), "detail": detail}
        rows += [row | {"market": market} for market in _each(offer.market)]
    return rows
