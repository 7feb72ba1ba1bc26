"""The world as the log tells it: what the fold must know, read from the world events and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from billing_sim import clock
from billing_sim.events import METHOD_KINDS
from billing_sim.facts.arms import set_arms
from billing_sim.facts.rates import schedules
from billing_sim.facts.record import CONTEXT, LAUNCHES, RATES
from billing_sim.facts.schema import INTERVALS
from billing_sim.world.record import MONTHS


def context_of(
    world_events: Sequence[Mapping[str, Any]],
    vocabularies: Mapping[str, Sequence[str]],
    known_before: int = clock.NEVER,
) -> np.ndarray:
    """One context record, as an array of length 1; labels are numbered as in the run's vocabularies.

    Only rows recorded before `known_before` (microseconds UTC) are read, and the run is over then at the latest.
    """
    context = np.zeros(1, CONTEXT).view(np.recarray)
    for event in world_events:
        detail = json.loads(event.get("detail") or "{}")
        match event["kind"]:
            case "run.configured":
                _set_calendar(context, date.fromisoformat(detail["start"]), date.fromisoformat(detail["end"]))
            case "plan.offered":
                place = vocabularies["plans"].index(event["plan"])
                context.interval[0, place] = INTERVALS.index(detail["interval"])
            case "partner_billing.agreed":
                context.partner_keeps[0] = int(event["share_ppm"]) if detail["booked"] == "net" else 0
            case "promotion.defined":
                place = vocabularies["coupons"].index(detail["coupon"])
                context.coupon_lasts[0, place] = _lasts(detail)
                context.coupon_share[0, place] = int(Decimal(detail.get("percent", 0)) * 1_000_000)
            case "market.opened":
                _set_market(context, event, vocabularies)
            case "market.launched":
                _add_launch(context, event, vocabularies, 0)
            case "payment_method.launched":
                _add_launch(context, event, vocabularies, METHOD_KINDS.index(detail["method"]))
    for event in world_events:
        if event["kind"] == "price.set":
            _add_price(context, event, vocabularies)
    for currency, steps in schedules(world_events).items():
        _set_rates(context, vocabularies["currencies"].index(currency), steps)
    set_arms(context, vocabularies.get("arms", ()))
    context.known_before[0], context.end[0] = known_before, min(int(context.end[0]), known_before)
    return context.view(np.ndarray)


def _add_launch(
    context: np.recarray, event: Mapping[str, Any], vocabularies: Mapping[str, Sequence[str]], method: int
) -> None:
    i = int(context.launches[0])
    if i == LAUNCHES:
        raise ValueError(f"more than {LAUNCHES} launches")
    context.launches[0] = i + 1
    context.launch_at[0, i] = event["occurred_at"]
    context.launch_market[0, i] = vocabularies["markets"].index(event["market"])
    context.launch_method[0, i] = method


def _lasts(promotion: Mapping[str, Any]) -> int:
    if promotion.get("free_months") or promotion.get("cycles") == 1:
        return 0
    return 1 if promotion.get("cycles") else 2


def _set_calendar(context: np.recarray, start: date, end: date) -> None:
    context.start[0], context.end[0] = clock.day_number(start) * clock.DAY, clock.day_number(end) * clock.DAY
    context.first_month[0] = start.year * 12 + start.month - 1
    months = np.arange(MONTHS) + int(context.first_month[0]) - 1970 * 12
    context.month_start[0] = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _set_market(
    context: np.recarray,
    event: Mapping[str, Any],
    vocabularies: Mapping[str, Sequence[str]],
) -> None:
    m = vocabularies["markets"].index(event["market"])
    context.region[0, m] = vocabularies["regions"].index(json.loads(event["detail"])["region"])
    context.currency[0, m] = vocabularies["currencies"].index(event["currency"])


def _set_rates(context: np.recarray, currency: int, steps: Sequence[tuple[int, int]]) -> None:
    if len(steps) > RATES:
        raise ValueError(f"{len(steps)} rates of one currency are more than {RATES}")
    context.rate_count[0, currency] = len(steps)
    for i, step in enumerate(steps):
        context.rate_from[0, currency, i], context.factor[0, currency, i] = step


def _add_price(
    context: np.recarray,
    event: Mapping[str, Any],
    vocabularies: Mapping[str, Sequence[str]],
) -> None:
    m, p = vocabularies["markets"].index(event["market"]), vocabularies["plans"].index(event["plan"])
    i = int(context.net_count[0, m, p])
    context.net_count[0, m, p] = i + 1
    context.net_from[0, m, p, i] = event["occurred_at"]
    context.net[0, m, p, i] = event["amount_minor"] - json.loads(event["detail"])["tax_minor"]
