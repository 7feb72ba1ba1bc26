"""New people by the hour: a Poisson process per market, thinned by nothing and monotone in its rate.

The intensity of an hour is an integer (`ONE_PERSON` = 1.0). Its arrivals are the points of a unit-rate process that
fall below it, with gaps drawn by (market, hour, k): so the count is Poisson, and a larger service only adds people.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from billing_sim import draws, people
from billing_sim import purposes as purpose
from billing_sim.clock import HOUR, MINUTE, day_number, micros, transitions
from billing_sim.errors import BillingSimError
from billing_sim.rule import entry
from billing_sim.scenario.fraud import MarketLaunch
from billing_sim.scenario.interventions import SignupSurge
from billing_sim.scenario.model import Market, Scenario
from billing_sim.world.quantiles import exponential

ONE_PERSON = 1 << 20
MOST_PER_HOUR = people.BOTS_FROM
_SLICES = 1024

# Assumed: relative sign-ups by local hour, midnight first; people subscribe in the evening.
_HOUR_WEIGHTS = (4, 2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 10, 11, 11, 11, 12, 13, 15, 18, 22, 24, 22, 16, 9)


@entry("void(int64[:, :], int64[:], int64[:], int64, int64[:, :])")
def count_arrivals(intensity, keys, gaps, first_hour, counts):
    """Fill `counts[market, hour]` with the number of gaps that fit under the hour's intensity."""
    for market in range(intensity.shape[0]):
        for hour in range(intensity.shape[1]):
            limit = intensity[market, hour]
            reached = 0
            k = 0
            while k < MOST_PER_HOUR:
                occasion = ((first_hour + hour) << 20) + k
                reached += gaps[draws.below(draws.draw(keys[market], purpose.ARRIVAL_GAP, occasion), _SLICES)]
                if reached > limit:
                    break
                k += 1
            counts[market, hour] = k


def _months(start_hour: int, hours: int) -> np.ndarray:
    days = (np.arange(start_hour, start_hour + hours) // 24).astype("datetime64[D]")
    return days.astype("datetime64[M]").astype(np.int64)


def _local_hours(market: Market, start_hour: int, hours: int) -> np.ndarray:
    local = np.arange(start_hour, start_hour + hours, dtype=np.int64) * 60
    edges = transitions(market.time_zone, start_hour * HOUR, (start_hour + hours) * HOUR)
    shift = np.zeros(hours, np.int64)
    for at, offset in edges:
        shift[max(0, at // HOUR - start_hour) :] = offset // MINUTE
    return (local + shift) // 60 % 24


def _surge(market: str, surges: list[SignupSurge], start_hour: int, hours: int) -> np.ndarray:
    permille = np.full(hours, 1000, np.int64)
    for surge in surges:
        if not surge.market or market in surge.market:
            begin = micros(surge.at) // HOUR - start_hour
            end = begin + surge.duration // HOUR
            permille[max(0, begin) : max(0, end)] += int(surge.increase * 1000)
    return np.maximum(permille, 0)


def _opened(scenario: Scenario, code: str, start_hour: int, hours: int) -> tuple[np.ndarray, Decimal]:
    """Since when a market takes sign-ups, 0 or 1 per hour, and the people per month whose share signs up in it."""
    market = scenario.markets[code]
    launches = [it for it in scenario.timeline if isinstance(it, MarketLaunch) and code in it.market]
    is_open = np.ones(hours, np.int64)
    if not launches:
        return is_open, scenario.members * market.members * market.signups.per_month
    launch = min(launches, key=lambda it: it.at)
    is_open[: max(0, micros(launch.at) // HOUR - start_hour)] = 0
    return is_open, scenario.members * launch.signups


def _intensity(scenario: Scenario, code: str, surges: list[SignupSurge]) -> np.ndarray:
    """Expected arrivals per hour of one market, in units of 1 / ONE_PERSON."""
    market = scenario.markets[code]
    start_hour = day_number(scenario.start) * 24
    hours = (scenario.end - scenario.start).days * 24
    month = _months(start_hour, hours)
    season = [weight * 12 / sum(market.signups.seasonality) for weight in market.signups.seasonality]
    is_open, monthly = _opened(scenario, code, start_hour, hours)
    per_hour = [int(monthly * factor / Decimal("730.5") * ONE_PERSON) for factor in season]
    weights = np.array(_HOUR_WEIGHTS, np.int64) * 24_000 // sum(_HOUR_WEIGHTS)
    years = np.arange(hours, dtype=np.int64) * 1_000 // 8_766
    growth = np.maximum(1000 + years * int(market.signups.growth_per_year * 1000) // 1000, 0)
    rate = np.array(per_hour, np.int64)[month % 12]
    for factor in (weights[_local_hours(market, start_hour, hours)], growth, _surge(code, surges, start_hour, hours)):
        rate = rate * factor // 1000
    rate = rate * is_open
    if int(rate.max(initial=0)) > MOST_PER_HOUR * ONE_PERSON // 2:
        raise BillingSimError(f"market {code} would have more than {MOST_PER_HOUR // 2:,} sign-ups in an hour")
    return rate


def expected_arrivals(scenario: Scenario) -> np.ndarray:
    """New people expected per market and hour since the start, in units of 1 / ONE_PERSON; no seed decides them."""
    surges = [entry for entry in scenario.timeline if isinstance(entry, SignupSurge)]
    return np.stack([_intensity(scenario, code, surges) for code in sorted(scenario.markets)])


def arrivals(scenario: Scenario, market_keys: np.ndarray, expected: np.ndarray | None = None) -> np.ndarray:
    """New people per market and hour since the start, int64 of shape (markets, hours)."""
    intensity = expected_arrivals(scenario) if expected is None else expected
    counts = np.zeros_like(intensity)
    gaps = np.array(exponential(_SLICES, ONE_PERSON), np.int64)
    count_arrivals(intensity, market_keys, gaps, day_number(scenario.start) * 24, counts)
    return counts
