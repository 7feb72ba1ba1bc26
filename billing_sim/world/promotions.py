"""Promotions, and the windows in which people may redeem them, as tables by coupon and by offer."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from billing_sim import clock, draws
from billing_sim.errors import BillingSimError
from billing_sim.scenario.promotions import PromotionWindow
from billing_sim.scenario.values import price_minor
from billing_sim.world.names import Names
from billing_sim.world.record import FOR_EVERYONE, FOR_NEW, FOR_RETURNING, OFFERS

_TO = {"new": FOR_NEW, "returning": FOR_RETURNING, "everyone": FOR_EVERYONE}
_MILLION = 1_000_000


def fill_promotions(world: np.recarray, names: Names) -> None:
    """What each coupon takes off; coupon 0 is none."""
    world.promotions[0] = len(names.coupons)
    if names.scenario.promotions:
        world.reductions[0] = 1
    for i, promotion in enumerate(names.scenario.promotions.values(), start=1):
        world.promotion_share[0, i] = int((promotion.percent or 0) * _MILLION)
        world.promotion_cycles[0, i] = promotion.cycles or 0
        world.promotion_months[0, i] = promotion.free_months or 0
        for m, code in enumerate(names.markets):
            currency = names.scenario.markets[code].currency
            if promotion.amount and currency in promotion.amount:
                world.promotion_amount[0, i, m] = price_minor(promotion.amount[currency], currency)


def windows(names: Names) -> list[PromotionWindow]:
    """The windows of the timeline in the order in which they open."""
    found = [entry for entry in names.scenario.timeline if isinstance(entry, PromotionWindow)]
    return sorted(found, key=lambda entry: (entry.at, entry.promotion))


def fill_offers(world: np.recarray, names: Names) -> None:
    """When which promotion is open, where, for whom."""
    found = windows(names)
    if len(found) > OFFERS:
        raise BillingSimError(f"the timeline opens promotions more than {OFFERS} times")
    world.offers[0] = len(found)
    for i, window in enumerate(found):
        at = clock.micros(window.at)
        world.offer_promotion[0, i] = names.coupons.index(window.promotion)
        world.offer_from[0, i], world.offer_until[0, i] = at, at + window.duration
        world.offer_share[0, i] = draws.threshold(window.redeem)
        world.offer_to[0, i] = _TO[window.to]
        world.offer_in[0, i, names.places(list(window.market))] = 1


def announce_promotions(names: Names) -> list[dict[str, Any]]:
    """What promotions there are, and when people may redeem them; of before the start, those that are still open."""
    rows: list[dict[str, Any]] = []
    for coupon, promotion in names.scenario.promotions.items():
        detail = {"coupon": coupon, **promotion.model_dump(mode="json", exclude_none=True)}
        rows.append({"kind": "promotion.defined", "detail": json.dumps(detail, sort_keys=True, ensure_ascii=False)})
    for window in windows(names):
        at, until = max(clock.micros(window.at), names.start), clock.micros(window.at) + window.duration
        if until <= at:
            continue
        everywhere: list[str | None] = [None]
        for market in [*window.market] or everywhere:
            rows.append({
                "kind": "promotion.opened", "occurred_at": at, "recorded_at": at, "market": market,
                "share_ppm": int(window.redeem * _MILLION), "until": until,
                "detail": json.dumps({"coupon": window.promotion, "to": window.to}, sort_keys=True),
            })  # fmt: skip
    return rows
