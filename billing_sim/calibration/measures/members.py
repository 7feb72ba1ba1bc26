"""How many members there are, what they pay, and who joins."""

from __future__ import annotations

from datetime import timedelta

from billing_sim import clock
from billing_sim.calibration.measures.asking import Measure, day, months_of, of_whom
from billing_sim.calibration.worlds import Lived
from billing_sim.scenario.interventions import SignupSurge

_PAID = "outcome = 'paid'"


def members_at_start(world: Lived, total: float, region: str = "") -> float | None:
    """Memberships that were there on the first day, in the unit of `total`, which all of them together are."""
    return world.number(
        f"SELECT {total} * count(*) FILTER ({of_whom(region)}) / count(*) FROM subscriptions "
        "WHERE started_by = 'imported'"
    )


def members_at_end(world: Lived, total: float, region: str = "") -> float | None:
    """Memberships when the last whole month ends, where those at the start are `total` together."""
    return world.number(
        f"SELECT {total} * count(*) FILTER (active_at_end AND month = (SELECT max(month) FROM subscription_months) "
        f"AND {of_whom(region)}) / count(*) FILTER (active_at_start AND month = (SELECT min(month) FROM "
        f"subscription_months) AND {of_whom(region)}) FROM subscription_months WHERE {months_of(world)}"
    )


def revenue_per_member(world: Lived, region: str = "", market: str = "") -> float | None:
    """Recurring revenue net of tax when the first month begins and ends / members then, reporting currency."""
    return world.number(
        "SELECT (sum(mrr_start_micros) + sum(mrr_end_micros)) / 1e6 / (count(*) FILTER (active_at_start) + "
        f"count(*) FILTER (active_at_end)) FROM subscription_months WHERE {of_whom(region, market)} "
        "AND month = (SELECT min(month) FROM subscription_months)"
    )


def returning_share(world: Lived, region: str = "", market: str = "") -> float | None:
    """Share of paid sign-ups by people who had been members before."""
    return world.number(
        f"SELECT avg((started_by = 'returning')::INT) FROM signups WHERE {_PAID} AND {of_whom(region, market)}"
    )


def share_of_quarter(world: Lived, quarter: int, region: str = "", market: str = "") -> float | None:
    """Share of the paid sign-ups that began in a quarter of the calendar; undefined when the run is not whole years."""
    start, end = world.scenario.start, world.scenario.end
    if (start.month, start.day) != (end.month, end.day):
        return None
    return world.number(
        f"SELECT avg((quarter(started_at) = {quarter})::INT) FROM signups WHERE {_PAID} AND {of_whom(region, market)}"
    )


def surge(world: Lived) -> float | None:
    """How much higher paid sign-ups per day are in the first surge of the timeline than in the 60 days before."""
    found = next((it for it in world.scenario.timeline if isinstance(it, SignupSurge)), None)
    if found is None or found.duration < clock.DAY:
        return None
    first, days = found.at.date(), found.duration // clock.DAY
    return world.number(
        f"SELECT count(*) FILTER (started_at >= {day(first)}) / {days} / (count(*) FILTER (started_at < {day(first)}) "
        f"/ 60) - 1 FROM signups WHERE {_PAID} AND started_at >= {day(first - timedelta(days=60))} "
        f"AND started_at < {day(first)} + INTERVAL {days} DAY"
    )


MEASURES: dict[str, Measure] = {
    it.__name__: it
    for it in (members_at_start, members_at_end, revenue_per_member, returning_share, share_of_quarter, surge)
}
