"""Who comes back, and when."""

from __future__ import annotations

from collections.abc import Sequence

from billing_sim.calibration.measures.asking import Measure, day, listed, of_whom
from billing_sim.calibration.worlds import Lived

MONTHS_FOLLOWED = 12


def rejoined(
    world: Lived, months: int, region: str = "", market: str = "", reasons: Sequence[str] = ()
) -> float | None:
    """Share of the subscriptions ended a year before the end whose person began another within so many months."""
    why = f"AND end_reason IN {listed(reasons)}" if reasons else ""
    return world.number(
        "SELECT avg((later.started_at IS NOT NULL)::INT) FROM subscriptions ended LEFT JOIN subscriptions later "
        "ON later.subscriber = ended.subscriber AND later.spell = ended.spell + 1 "
        f"AND later.started_at < ended.ended_at + INTERVAL {months} MONTH "
        f"WHERE ended.ended_at < {day(world.scenario.end)} - INTERVAL {MONTHS_FOLLOWED} MONTH "
        f"{why.replace('end_reason', 'ended.end_reason')} "
        f"AND {of_whom(region, market).replace('market =', 'ended.market =').replace('region =', 'ended.region =')}"
    )


MEASURES: dict[str, Measure] = {"rejoined": rejoined}
