"""Trials, pauses, changes of plan and of taxes, as tables by market."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

from billing_sim import clock, draws
from billing_sim.errors import BillingSimError
from billing_sim.scenario.fraud import MarketLaunch
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.plans import PriceReversal, TaxChange, Trial, TrialsEnd
from billing_sim.scenario.values import price_minor
from billing_sim.world.names import Names
from billing_sim.world.people import cumulative
from billing_sim.world.record import TAXES

_MILLION = 1_000_000
_DAYS_A_MONTH = Decimal("30.4375")
_MOST_TRIALS = Decimal("0.5")
"""Of the members at the start, in a service that grows so fast that more would be in a trial (assumed)."""


def fill_plans(world: np.recarray, names: Names) -> None:
    """What members of each market do with their plans, and what is above and below each plan."""
    world.downgrades_at_once[0] = int(names.scenario.plan_changes.downgrades == "at_once")
    world.plan_above[0], world.plan_below[0] = -1, -1
    for p, plan in enumerate(names.scenario.plans.values()):
        world.plan_days[0, p] = 7 if plan.interval == "week" else 0
    for m, code in enumerate(names.markets):
        market = names.scenario.markets[code]
        habits = market.behaviour.plan_habits
        world.pauses[0, m] = draws.threshold(habits.pauses)
        world.pause_lengths[0, m] = cumulative(list(habits.pause_lengths), 3)
        world.upgrades[0, m] = draws.threshold(habits.upgrades)
        world.downgrades[0, m] = draws.threshold(habits.downgrades)
        world.goodwill[0, m] = draws.threshold(habits.goodwill)
        world.goodwill_share[0, m] = int(habits.goodwill_share * _MILLION)
        if market.trial or habits.upgrades or habits.downgrades or habits.goodwill:
            world.reductions[0] = 1
        _fill_ladder(world, names, m)


def _fill_ladder(world: np.recarray, names: Names, m: int) -> None:
    """Plans of one interval in the order of their first prices: the next dearer and the next cheaper of each."""
    market = names.scenario.markets[names.markets[m]]
    for interval in ("week", "month", "year"):
        sold = [name for name in market.prices if names.scenario.plans[name].interval == interval]
        steps = sorted((price_minor(market.prices[name], market.currency), names.plans.index(name)) for name in sold)
        for (low, under), (high, over) in pairwise(steps):
            if low < high:
                world.plan_above[0, m, under], world.plan_below[0, m, over] = over, under


def _days_before(start: date, days: int) -> list[date]:
    return [start - timedelta(days=back) for back in range(1, days + 1)]


def _running_trials(scenario: Scenario, code: str, trial: Trial) -> Decimal:
    """Trials that run at the start as a share of members: of those who signed up in the days before, as many as would.

    A market that is launched has none, and of who must pass a check some are refused for good, three times in a row.
    """
    market = scenario.markets[code]
    if any(isinstance(it, MarketLaunch) and code in it.market for it in scenario.timeline):
        return Decimal(0)
    weights = market.signups.seasonality
    days = _days_before(scenario.start, trial.duration // clock.DAY)
    season = sum((weights[day.month - 1] for day in days), Decimal(0)) * 12 / sum(weights)
    refused = market.behaviour.signup_first_payment_failure if trial.needs_method else Decimal(0)
    again = refused * market.behaviour.signup_try_again
    begun = (1 - refused) * (1 + again + again**2)
    return min(_MOST_TRIALS, market.signups.per_month * season / _DAYS_A_MONTH * trial.share * begun)


def fill_trials(world: np.recarray, names: Names) -> None:
    """Trials by market, until when there are any, and how many run at the start."""
    for m, code in enumerate(names.markets):
        trial = names.scenario.markets[code].trial
        if trial:
            world.trial_days[0, m] = trial.duration // clock.DAY
            world.trial_needs_method[0, m] = int(trial.needs_method)
            world.trial_share[0, m] = draws.threshold(trial.share)
            world.trial_running[0, m] = draws.threshold(_running_trials(names.scenario, code, trial))
            world.trial_leave[0, m] = draws.threshold(trial.cancels)
            world.trial_method_left[0, m] = draws.threshold(trial.leaves_method)
            world.trial_until[0, m] = clock.NEVER
    for end in names.scenario.timeline:
        if isinstance(end, TrialsEnd):
            for m in names.places(list(end.market)):
                world.trial_until[0, m] = min(int(world.trial_until[0, m]), clock.micros(end.at))


def tax_changes(names: Names) -> list[TaxChange]:
    """The changes of tax rates, in order."""
    found = [entry for entry in names.scenario.timeline if isinstance(entry, TaxChange)]
    return sorted(found, key=lambda entry: entry.at)


def fill_taxes(world: np.recarray, names: Names) -> None:
    """Tax rates after the first, in millionths."""
    for m, code in enumerate(names.markets):
        world.tax_included[0, m] = int(names.scenario.markets[code].tax.included)
    for change in tax_changes(names):
        for m in names.places(list(change.market)):
            i = int(world.tax_changes[0, m])
            if i == TAXES:
                raise BillingSimError(f"more than {TAXES} tax changes in market {names.markets[m]}")
            world.tax_changes[0, m] = i + 1
            world.tax_from[0, m, i] = clock.day_number(change.at) * clock.DAY
            world.tax_rate[0, m, i] = int(change.rate * _MILLION)


def _each(markets: list[str]) -> list[str | None]:
    return [*markets] if markets else [None]


def announce_plans(names: Names) -> list[dict[str, Any]]:
    """Trials that are offered or not any more, prices that return, and new tax rates."""
    rows: list[dict[str, Any]] = []
    for code in names.markets:
        trial = names.scenario.markets[code].trial
        if trial:
            detail = json.dumps({"days": trial.duration // clock.DAY, "needs_method": trial.needs_method})
            rows.append({"kind": "trial.offered", "market": code, "detail": detail})
    for entry in names.scenario.timeline:
        if isinstance(entry, TrialsEnd):
            told: dict[str, Any] = {"kind": "trial.withdrawn"}
            at = clock.micros(entry.at)
        elif isinstance(entry, PriceReversal):
            told, at = {"kind": "price_change.reverted"}, clock.day_number(entry.at) * clock.DAY
        elif isinstance(entry, TaxChange):
            told = {"kind": "tax.changed", "share_ppm": int(Decimal(entry.rate) * _MILLION)}
            at = clock.day_number(entry.at) * clock.DAY
        else:
            continue
        for market in _each(list(entry.market)):
            rows.append(told | {"occurred_at": at, "recorded_at": at, "market": market})
    return rows
