"""Changes in how the support desk is manned, as world events."""

from __future__ import annotations

import json
from typing import Any

from billing_sim import clock
from billing_sim.scenario.support import SupportStaffing
from billing_sim.world.compile import CompiledWorld


def staffings(world: CompiledWorld) -> list[dict[str, Any]]:
    """One event for each time that agents come or go, or take longer."""
    rows = []
    for entry in world.scenario.timeline:
        if isinstance(entry, SupportStaffing):
            at = clock.micros(entry.at)
            rows.append({
                "kind": "support.staffed", "occurred_at": at, "recorded_at": at, "until": at + entry.duration,
                "share_ppm": int(entry.agents * 1_000_000),
                "detail": json.dumps({"handling_ppm": int(entry.handling * 1_000_000)}),
            })  # fmt: skip
    return rows
