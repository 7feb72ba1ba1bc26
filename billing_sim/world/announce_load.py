"""World events about what gateways can take, and about issuers that cannot be reached."""

from __future__ import annotations

import json
from typing import Any

from billing_sim import clock
from billing_sim.scenario.gateway_load import IssuerOutage
from billing_sim.world.compile import CompiledWorld


def _each(markets: list[str]) -> list[str | None]:
    return [*markets] if markets else [None]


def capacities(world: CompiledWorld) -> list[dict[str, Any]]:
    """What each gateway takes in an hour, in attempts, for those of which anything is known."""
    rows: list[dict[str, Any]] = []
    for name, gateway in world.scenario.gateways.items():
        comfortable = gateway.load.comfortable if gateway.load else None
        known = {"capacity_per_hour": gateway.capacity, "comfortable_per_hour": comfortable}
        detail = {key: f"{value.normalize():f}" for key, value in known.items() if value is not None}
        if detail:
            rows.append({"kind": "gateway_capacity.set", "gateway": name, "detail": json.dumps(detail, sort_keys=True)})
    return rows


def issuer_outages(world: CompiledWorld) -> list[dict[str, Any]]:
    """One event for each market that an outage of issuers is about, or one for all."""
    rows: list[dict[str, Any]] = []
    for entry in world.scenario.timeline:
        if isinstance(entry, IssuerOutage):
            at = clock.micros(entry.at)
            rows += [
                {"kind": "issuer_outage.started", "occurred_at": at, "recorded_at": at, "market": market,
                 "share_ppm": int(entry.failing * 1_000_000), "until": at + entry.duration,
                 "detail": json.dumps({"method": list(entry.method)})}
                for market in _each(entry.market)
            ]  # fmt: skip
    return rows
