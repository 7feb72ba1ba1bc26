"""The values that segments of a scenario can have, as far as the scenario itself names them all."""

from __future__ import annotations

from collections.abc import Mapping

from billing_sim.events import METHOD_KINDS
from billing_sim.scenario.model import Scenario


def segment_values(scenario: Scenario) -> Mapping[str, tuple[str, ...]]:
    """Dimension -> values; other dimensions have values that only a run knows."""
    return {
        "market": tuple(scenario.markets),
        "region": tuple(dict.fromkeys(market.region for market in scenario.markets.values())),
        "plan": tuple(scenario.plans),
        "gateway": tuple(scenario.gateways),
        "method": METHOD_KINDS[1:],
    }
