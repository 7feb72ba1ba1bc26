"""Campaigns against sharing, as tables by campaign; and what the log says of them and of crackdowns."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_EVEN
from typing import Any

import numpy as np

from billing_sim import clock, money
from billing_sim.draws import threshold
from billing_sim.scenario.campaigns import Campaign, Cards
from billing_sim.world.households import crackdowns
from billing_sim.world.names import Names
from billing_sim.world.people import cumulative
from billing_sim.world.quantiles import exponential
from billing_sim.world.record import QUANTILES

_SHARES = {
    "reach": "reach", "control": "control", "replies": "replies", "denies": "denies", "lands": "lands",
    "leaves": "leaves_emails", "mistypes": "mistyped", "accepts": "accepts",
}  # fmt: skip
"""Table of the world -> key of the scenario."""

COSTS = ("reach", "reply", "email")
"""What costs something each time, in the order of the table."""


def fill_campaigns(world: np.recarray, names: Names) -> None:
    """When and where each campaign is, who takes which step in it, and what that costs."""
    world.campaigns[0] = len(names.scenario.campaigns)
    for c, campaign in enumerate(names.scenario.campaigns.values()):
        at = clock.micros(campaign.at)
        world.campaign_from[0, c], world.campaign_until[0, c] = at, at + campaign.duration
        world.campaign_in[0, c, names.places(list(campaign.market))] = 1
        for table, key in _SHARES.items():
            world[f"campaign_{table}"][0, c] = threshold(getattr(campaign, key))
        world.campaign_cards[0, c] = [_cards(campaign.cards), _cards(campaign.cards_of_hosts or campaign.cards)]
        world.campaign_step[0, c] = exponential(QUANTILES, campaign.step_after)
        world.campaign_accepts_after[0, c] = exponential(QUANTILES, campaign.accepts_after)
        for table in ("free_month", "discount"):
            promotion = getattr(campaign, table)
            world[f"campaign_{table}"][0, c] = names.coupons.index(promotion) if promotion else 0
        _fill_costs(world, c, campaign, names)


def _cards(cards: Cards) -> np.ndarray:
    return cumulative([cards.i_follow_the_rules, cards.netflix_criminal], 3)[:2]


def _fill_costs(world: np.recarray, c: int, campaign: Campaign, names: Names) -> None:
    for m, code in enumerate(names.markets):
        currency = names.scenario.markets[code].currency
        minor = 10 ** money.EXPONENTS[currency] / names.scenario.rate(currency)
        amounts = [(getattr(campaign.cost, name) * minor).to_integral_value(ROUND_HALF_EVEN) for name in COSTS]
        world.campaign_cost[0, c, m] = [int(amount) for amount in amounts]


def _each(markets: list[str]) -> list[str | None]:
    return [*markets] if markets else [None]


def announce_campaigns(names: Names) -> list[dict[str, Any]]:
    """What readers know of campaigns and crackdowns: when, where and how much is spent; never who would do what."""
    rows: list[dict[str, Any]] = []
    for name, campaign in names.scenario.campaigns.items():
        at = clock.micros(campaign.at)
        detail = {
            "campaign": name, "about": campaign.about, "free_month": campaign.free_month,
            "discount": campaign.discount, "fixed_cost": f"{campaign.cost.fixed:f}",
        }  # fmt: skip
        for market in _each(list(campaign.market)):
            rows.append({
                "kind": "campaign.opened", "occurred_at": at, "recorded_at": at, "until": at + campaign.duration,
                "market": market, "share_ppm": int(campaign.control * 1_000_000),
                "detail": json.dumps(detail, sort_keys=True, ensure_ascii=False),
            })  # fmt: skip
    for crackdown in crackdowns(names)[::-1]:
        at = clock.micros(crackdown.at)
        for market in _each(list(crackdown.market)):
            rows.append({"kind": "sharing.forbidden", "occurred_at": at, "recorded_at": at, "market": market})
    return rows
