"""How many people each market begins with, what plans cost over time, and what a rise adds to the wish to leave."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from billing_sim import clock, draws, people
from billing_sim import purposes as purpose
from billing_sim.errors import BillingSimError
from billing_sim.money import EXPONENTS
from billing_sim.scenario.interventions import PriceChange
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.plans import PriceReversal
from billing_sim.scenario.values import price_minor
from billing_sim.world.apportion import apportion
from billing_sim.world.names import Names
from billing_sim.world.people import cumulative, exact
from billing_sim.world.record import EPOCHS, MONTHS, PLANS

MONTHS_OF = {"week": 0, "month": 1, "year": 12}
_ALWAYS = clock.micros(datetime(1970, 1, 2, tzinfo=UTC))


def fill_counts(world: np.recarray, names: Names) -> None:
    """Members and former members of every market."""
    scenario = names.scenario
    shares = [exact(scenario.markets[code].members) for code in names.markets]
    counts = apportion(scenario.members, shares)
    world.base_count[0, : len(counts)] = counts
    for m, code in enumerate(names.markets):
        world.code[0, m] = people.market_number(code)
        world.former_count[0, m] = int(scenario.markets[code].behaviour.former_members * counts[m])


def fill_prices(world: np.recarray, names: Names) -> None:
    """List prices at the start, then every change: new people pay it at once, members after the notice."""
    scenario = names.scenario
    for p, plan in enumerate(scenario.plans.values()):
        world.plan_months[0, p] = MONTHS_OF[plan.interval]
    for m, code in enumerate(names.markets):
        market = scenario.markets[code]
        world.currency[0, m] = names.currencies.index(market.currency)
        world.plan_mix[0, m] = cumulative([market.plan_mix.get(name, Decimal(0)) for name in names.plans], PLANS)
        for name, price in market.prices.items():
            _add_price(world, names, m, name, price, (_ALWAYS, _ALWAYS))
        for change, reverted in _in_order(scenario, code):
            if isinstance(change, PriceChange):
                _change(world, names, m, change)
            elif reverted is not None:
                _revert(world, names, m, change, reverted)
    fill_reactions(world, names)


def _in_order(scenario: Scenario, code: str) -> Iterator[tuple[PriceChange | PriceReversal, PriceChange | None]]:
    """What is done to a market's prices, day by day: each change, and each reversal with the change that it undoes,
    which is the last one not undone yet."""
    done = [entry for entry in scenario.timeline if isinstance(entry, PriceChange | PriceReversal)]
    standing: list[PriceChange] = []
    for entry in sorted(done, key=lambda entry: (entry.at, isinstance(entry, PriceChange))):
        if entry.market and code not in entry.market:
            continue
        if isinstance(entry, PriceChange):
            standing.append(entry)
            yield entry, None
        else:
            yield entry, standing.pop() if standing else None


def _change(world: np.recarray, names: Names, m: int, change: PriceChange) -> None:
    at = clock.day_number(change.at) * clock.DAY
    due = clock.NEVER if change.grandfathered else at + change.notice
    for name in _changed(names, m, change):
        _add_price(world, names, m, name, change.prices[name], (at, due))


def _changed(names: Names, m: int, change: PriceChange) -> list[str]:
    """The plans that the market has, of those whose price changes."""
    return [name for name in change.prices if name in names.scenario.markets[names.markets[m]].prices]


def _revert(world: np.recarray, names: Names, m: int, reversal: PriceReversal, reverted: PriceChange) -> None:
    """From this day on it is as if the change had never been: what everybody paid without it stands behind it again.

    Where an earlier change left members their price, that is theirs again, so more than one price may come back.
    """
    at = clock.day_number(reversal.at) * clock.DAY
    for name in _changed(names, m, reverted):
        p = names.plans.index(name)
        standing = _standing(world, m, p)[:-1]
        first = max(i for i, k in enumerate(standing) if world.price_members_from[0, m, p, k] <= at)
        for k in standing[first:]:
            since = int(world.price_new_from[0, m, p, k]), int(world.price_members_from[0, m, p, k])
            _add_price(world, names, m, name, int(world.price_listed[0, m, p, k]), since, at)


def _standing(world: np.recarray, m: int, p: int) -> list[int]:
    """The prices of a plan that stand: all, less what was undone, each reversal having copied some behind it."""
    standing: list[int] = []
    for i in range(int(world.price_count[0, m, p])):
        since, new_from = int(world.price_since[0, m, p, i]), int(world.price_new_from[0, m, p, i])
        if since > new_from:  # a copy: it takes the place of what it copies, and of all that came later
            standing = [k for k in standing if int(world.price_new_from[0, m, p, k]) < new_from]
        standing.append(i)
    return standing


def fill_reactions(world: np.recarray, names: Names) -> None:
    """How many more leave after each change of price; where nothing is stated the seed decides."""
    world.leave_added[0] = 0
    for change in names.scenario.timeline:
        if isinstance(change, PriceChange):
            _add_churn(world, names, change)


def _add_price(
    world: np.recarray, names: Names, m: int, plan: str, price: str | int, since: tuple[int, int], at: int | None = None
) -> None:
    """One price more, for new people and for members since these moments; of none before `at`, where it comes back."""
    market, p = names.scenario.markets[names.markets[m]], names.plans.index(plan)
    i = int(world.price_count[0, m, p])
    where = f"{plan} in market {names.markets[m]}"
    if i == EPOCHS:
        raise BillingSimError(f"more than {EPOCHS} prices of {where}")
    listed, rate = price_minor(price, market.currency), market.tax.rate
    exact_tax = listed * rate / (1 + rate) if market.tax.included else listed * rate
    tax = int(exact_tax.to_integral_value())
    due = listed if market.tax.included else listed + tax
    if reporting_factor(names.scenario, market.currency) * due >= 1 << 62:
        raise BillingSimError(f"the price of {where} is too large to be reported exactly")
    world.price_count[0, m, p] = i + 1
    world.price_listed[0, m, p, i] = listed
    world.price_new_from[0, m, p, i], world.price_members_from[0, m, p, i] = since
    world.price_since[0, m, p, i] = since[0] if at is None else at
    world.price[0, m, p, i], world.price_tax[0, m, p, i] = due, tax


def reporting_factor(scenario: Scenario, currency: str) -> int:
    """Millionths of the reporting currency per minor unit, times 10^9, at the highest rate there will be."""
    highest = max(rate for _, rate in scenario.rates(currency))
    return int(highest.scaleb(9 + 6 - EXPONENTS[currency]))


def _add_churn(world: np.recarray, names: Names, change: PriceChange) -> None:
    """What a rise adds to the hazard of leaving, from the month in which people are told, decaying by the month."""
    first = change.at.year * 12 + change.at.month - 1 - names.first_month
    months = change.added_churn.months
    for m in names.places(list(change.market)):
        until = _reverted_in(names, change, m) - names.first_month
        points = change.added_churn.points
        if points is None:
            points = _published_response(names.market_key(names.markets[m]), clock.day_number(change.at))
        for i in range(min(months, MONTHS - first, until - first)):
            world.leave_added[0, m, first + i] += draws.threshold(points * (months - i) / months)


def _reverted_in(names: Names, change: PriceChange, m: int) -> int:
    """The first month without what a change adds to the wish to leave: the one after it is reverted, if it is."""
    found = [entry.at for entry, undone in _in_order(names.scenario, names.markets[m]) if undone is change]
    if not found:
        return names.first_month + MONTHS
    day = found[0]
    return day.year * 12 + day.month - (1 if day.day == 1 else 0)


def _published_response(market_key: int, day: int) -> Decimal:
    """No effect in 60 % of rises, else 0.3 to 1.0 points: Antenna saw none in two of three US rises (2019-2022)."""
    share = Decimal(int(draws.draw(market_key, purpose.PRICE_RESPONSE, day))) / draws.ONE
    if share < Decimal("0.6"):
        return Decimal(0)
    return Decimal("0.003") + (share - Decimal("0.6")) / Decimal("0.4") * Decimal("0.007")
