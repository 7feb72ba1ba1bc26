"""What readers must know of fees and caps: how partners are booked, and what card networks allow."""

from __future__ import annotations

import json
from typing import Any

from billing_sim import clock
from billing_sim.world.compile import CompiledWorld


def refund_announcements(world: CompiledWorld) -> list[dict[str, Any]]:
    """World events, where a scenario says something of the kind."""
    scenario, rows = world.scenario, []
    billing, rules = scenario.partner_billing, scenario.network_rules
    if billing:
        detail = json.dumps({"booked": billing.booked})
        share = int(billing.commission * 1_000_000)
        rows.append({"kind": "partner_billing.agreed", "share_ppm": share, "detail": detail})
    if rules.networks or not rules.respect_caps:
        caps = {
            name: [{"attempts": cap.attempts, "hours": cap.window // clock.HOUR} for cap in network.caps]
            for name, network in sorted(rules.networks.items())
        }
        detail = json.dumps({"caps": caps, "respected": rules.respect_caps}, sort_keys=True)
        rows.append({"kind": "network_rules.announced", "detail": detail})
    return rows
