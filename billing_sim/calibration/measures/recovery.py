"""What becomes of renewals that failed at first."""

from __future__ import annotations

from collections.abc import Sequence

from billing_sim.calibration.measures.asking import RENEWALS, Measure, before_end, of_whom
from billing_sim.calibration.worlds import Lived

FOLLOWED = 31
"""Failures of the last so many days are left out, since what becomes of them is not known yet."""


def _failed(world: Lived, whom: str) -> str:
    return f"{RENEWALS} AND first_failed_at < {before_end(world, FOLLOWED)} AND {whom}"


def _paid_within(days: int) -> str:
    """Paid for good within so many days and half a day: a retry "after a day" comes seconds before or after it."""
    return f"status = 'paid' AND paid_at < first_failed_at + INTERVAL {24 * days + 12} HOUR"


def recovered_by_day(world: Lived, day: int, methods: Sequence[str] = ()) -> float | None:
    """Share of the failed renewals paid for good within so many days, to the nearest day."""
    return world.number(
        f"SELECT avg(({_paid_within(day)})::INT) FROM invoices WHERE {_failed(world, of_whom(methods=methods))}"
    )


def recovered(
    world: Lived, days: int, region: str = "", methods: Sequence[str] = (), by_amount: bool = False
) -> float | None:
    """Share of the failed renewals, or of their amount, paid for good within so many days."""
    weight = "amount_micros" if by_amount else "1"
    return world.number(
        f"SELECT sum({weight}) FILTER ({_paid_within(days)}) / sum({weight}) FROM invoices "
        f"WHERE {_failed(world, of_whom(region, methods=methods))}"
    )


def recovered_by_method(world: Lived, days: int, method: str) -> float | None:
    """The same of one method, by count; undefined where nobody pays with it."""
    return recovered(world, days, methods=[method])


def recovered_unnoticed(world: Lived) -> float | None:
    """Share of the failed renewals that were paid before any notice was sent."""
    return world.number(
        f"SELECT avg((status = 'paid' AND notices = 0)::INT) FROM invoices WHERE {_failed(world, 'true')}"
    )


def by_retry(world: Lived) -> float | None:
    """Share of the recovered renewals that a retry mended, and neither the member nor a card that was updated."""
    return world.number(
        f"SELECT avg((recovered_by = 'retry')::INT) FROM invoices WHERE {_failed(world, 'true')} AND status = 'paid'"
    )


def lost(world: Lived, region: str = "", method: str = "") -> float | None:
    """Renewals that failed and were not paid within 28 days / renewals."""
    return world.number(
        f"SELECT avg((first_failed_at IS NOT NULL AND NOT ({_paid_within(28)}))::INT) FROM invoices "
        f"WHERE {RENEWALS} AND first_outcome <> 'none' AND issued_at < {before_end(world, FOLLOWED + 14)} "
        f"AND {of_whom(region, method=method)}"
    )


MEASURES: dict[str, Measure] = {
    it.__name__: it for it in (recovered_by_day, recovered, recovered_by_method, recovered_unnoticed, by_retry, lost)
}
