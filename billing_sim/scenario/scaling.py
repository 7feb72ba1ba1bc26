"""Another number of members: what people share grows and shrinks with them.

Capacities in a file are for the file's own `members`. Whoever runs it with fewer gets as much less room, so that a
small try-out is as crowded as the whole.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from billing_sim.scenario.model import Gateway, Scenario
from billing_sim.scenario.support import Shift

_LEAST = Decimal("0.000001")


def scaled(scenario: Scenario, own_members: int) -> Scenario:
    """The scenario with its capacities scaled from the members of its file to its own."""
    if scenario.members == own_members:
        return scenario
    factor = Decimal(scenario.members) / Decimal(own_members)
    gateways = {name: _gateway(gateway, factor) for name, gateway in scenario.gateways.items()}
    changed = scenario.model_copy(update={"gateways": gateways})
    # Fraud and authentication.
    if scenario.fraud is not None:
        changed = changed.model_copy(update={"fraud": scenario.fraud.scaled(factor)})
    # Support.
    if scenario.support is not None:
        changed = changed.model_copy(update={"support": scenario.support.scaled(factor)})
    # Campaigns.
    if scenario.campaigns:
        campaigns = {name: campaign.scaled(factor) for name, campaign in scenario.campaigns.items()}
        changed = changed.model_copy(update={"campaigns": campaigns})
    return changed


def _gateway(gateway: Gateway, factor: Decimal) -> Gateway:
    changed: dict[str, object] = {}
    if gateway.capacity is not None:
        changed["capacity"] = gateway.capacity * factor
    if gateway.load is not None:
        changed["load"] = gateway.load.model_copy(update={"comfortable": gateway.load.comfortable * factor})
    return gateway.model_copy(update=changed)


def write_scaled(content: dict[str, Any], scenario: Scenario) -> None:
    """Put the capacities of a scaled scenario into the content of its file, for those who write it anew."""
    for name, gateway in scenario.gateways.items():
        own = content.get("gateways", {}).get(name) or {}
        if gateway.capacity is not None and "capacity" in own:
            own["capacity"] = _spoken(gateway.capacity)
        if gateway.load is not None and "load" in own:
            own["load"]["comfortable"] = _spoken(gateway.load.comfortable)
    # Support.
    if scenario.support is not None:
        for written, desk in zip(content["support"]["desks"], scenario.support.desks, strict=True):
            _write_shifts(written, desk.shifts)
    # Fraud and authentication.
    if scenario.fraud is not None and scenario.fraud.review.team is not None:
        _write_shifts(content["fraud"]["review"]["team"], scenario.fraud.review.team.shifts)


def _write_shifts(written: dict[str, Any], shifts: list[Shift]) -> None:
    for own, shift in zip(written["shifts"], shifts, strict=True):
        own["agents"] = f"{max(shift.agents, _LEAST):.6f}"


def _spoken(per_hour: Decimal) -> str:
    return f"{max(per_hour, _LEAST):.6f} per hour"
