"""Who is lost, for which reason, and after how long."""

from __future__ import annotations

from collections.abc import Sequence

from billing_sim.calibration.measures.asking import Measure, listed, months_of, of_whom
from billing_sim.calibration.worlds import Lived


def churn(world: Lived, region: str = "", market: str = "", reasons: Sequence[str] = ()) -> float | None:
    """Members of the start of a month whose subscription ended in it, for these reasons or any / those members."""
    ended = f"ended IN {listed(reasons)}" if reasons else "ended <> 'none'"
    return world.number(
        f"SELECT avg(({ended})::INT) FROM subscription_months WHERE active_at_start AND {months_of(world)} "
        f"AND {of_whom(region, market)}"
    )


def cancels_per_month(world: Lived, region: str = "", market: str = "", without: Sequence[str] = ()) -> float | None:
    """Acts of cancelling in whole months / members at their starts, summed over the months."""
    return _cancels(world, months_of(world), of_whom(region, market, without=without))


def cancels_in_month(
    world: Lived, number: int, region: str = "", market: str = "", without: Sequence[str] = ()
) -> float | None:
    """Acts of cancelling in one calendar month of the run, counted from 1 / members at its start."""
    first = f"DATE '{world.scenario.start:%Y-%m-01}'"
    return _cancels(world, f"month = {first} + INTERVAL {number - 1} MONTH", of_whom(region, market, without=without))


def _cancels(world: Lived, months: str, whom: str) -> float | None:
    return world.number(
        f"WITH cancels AS (SELECT count(*) AS n FROM (SELECT date_trunc('month', cancel_requested_at)::DATE AS month "
        f"FROM subscriptions WHERE cancel_requested_at IS NOT NULL AND {whom}) WHERE {months}), "
        f"members AS (SELECT count(*) AS n FROM subscription_months WHERE active_at_start AND {months} AND {whom}) "
        "SELECT cancels.n / nullif(members.n, 0) FROM cancels, members"
    )


def share_of_ends(world: Lived, reasons: Sequence[str], region: str = "", market: str = "") -> float | None:
    """Share of the subscriptions that ended in the run which ended for these reasons."""
    return world.number(
        f"SELECT avg((end_reason IN {listed(reasons)})::INT) FROM subscriptions "
        f"WHERE ended_at IS NOT NULL AND {of_whom(region, market)}"
    )


_TENURE = "datediff('month', joined_on, month) - (day(joined_on) > day(month))::INT"
"""Whole months since the person joined when a month begins."""


def churn_by_tenure(world: Lived, months: str, region: str = "", market: str = "") -> float | None:
    """Members of the start of a month with a tenure such as 3-12 (12 excluded) or 36+ who were lost in it / all."""
    low, _, high = months.removesuffix("+").partition("-")
    until = f"AND {_TENURE} < {int(high)}" if high else ""
    return world.number(
        f"SELECT avg((ended <> 'none')::INT) FROM subscription_months WHERE active_at_start AND {months_of(world)} "
        f"AND {of_whom(region, market)} AND {_TENURE} >= {int(low)} {until}"
    )


def tenure_ratio(world: Lived, region: str = "", market: str = "") -> float | None:
    """Churn of the first year of membership / churn of the second."""
    first, second = (churn_by_tenure(world, it, region, market) for it in ("0-12", "12-24"))
    return first / second if first is not None and second else None


def share_of_tenure(world: Lived, months: int, region: str = "", market: str = "") -> float | None:
    """Share of the members at the start who had joined so many months before, or more."""
    return world.number(
        f"SELECT avg((joined_on + INTERVAL {months} MONTH <= DATE '{world.scenario.start:%Y-%m-%d}')::INT) "
        f"FROM subscriptions WHERE started_by = 'imported' AND {of_whom(region, market)}"
    )


MEASURES: dict[str, Measure] = {
    it.__name__: it
    for it in (
        churn, cancels_per_month, cancels_in_month, share_of_ends, churn_by_tenure, tenure_ratio, share_of_tenure,
    )
}  # fmt: skip
