"""What currencies are worth in the reporting currency over time, read from the world events; light to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from billing_sim.money import EXPONENTS

DENOMINATOR = 10**9
"""Of every factor: micros = minor units * factor / DENOMINATOR, rounded half up."""


def schedules(world_events: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[int, int]]]:
    """For each currency, from when (microseconds UTC) which factor holds, in order; the first from the start on.

    A factor is millionths of the reporting currency per minor unit, times 10^9.
    """
    found: dict[str, dict[int, int]] = {}
    for event in world_events:
        if event["kind"] == "exchange_rate.published":
            currency = event["currency"]
            factor = int(Decimal(event["rate_nanos"]).scaleb(6 - EXPONENTS[currency]))
            found.setdefault(currency, {})[event["occurred_at"]] = factor
    return {currency: sorted(steps.items()) for currency, steps in found.items()}


def constant_rates(world_events: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """For each currency the rate that was in force when the run began, as a numerator and a denominator.

    An amount in millionths of the reporting currency is minor units * numerator / denominator, rounded half up: what
    the columns `*_micros` say as long as rates stand still.
    """
    return {currency: (steps[0][1], DENOMINATOR) for currency, steps in schedules(world_events).items()}
