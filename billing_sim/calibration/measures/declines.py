"""How often attempts fail, and what the bank says."""

from __future__ import annotations

from collections.abc import Sequence

from billing_sim.calibration.measures.asking import RENEWALS, Measure, listed, of_whom
from billing_sim.calibration.worlds import Lived

REASONS: dict[str, tuple[str, ...]] = {
    "generic_or_hold": ("05",),
    "insufficient_funds": ("51",),
    "generic_or_funds": ("05", "51"),
    "fraud_or_stolen": ("41", "43", "59"),
    "invalid_card": ("14", "46", "54"),
}
"""Reasons of the published tables, and the codes of cards that say so."""

_RECURRING = "initiator = 'mit' AND NOT is_signup AND amount_minor > 0"


def first_failure(world: Lived, region: str = "", market: str = "", method: str = "") -> float | None:
    """Renewals whose first attempt was declined, or whose payment came back / renewals that were attempted."""
    return world.number(
        f"SELECT avg((first_outcome IN ('declined', 'blocked') OR was_returned)::INT) FROM invoices "
        f"WHERE {RENEWALS} AND first_outcome NOT IN ('none', 'unknown') AND {of_whom(region, market, method)}"
    )


def attempts_declined(world: Lived, region: str = "", market: str = "", method: str = "") -> float | None:
    """Recurring attempts that were declined / those that were answered, retries counted."""
    return world.number(
        f"SELECT avg((outcome = 'declined' OR was_returned)::INT) FROM attempts "
        f"WHERE {_RECURRING} AND outcome IN ('authorized', 'declined') AND {of_whom(region, market, method)}"
    )


def attempts_approved(world: Lived, region: str = "", market: str = "", method: str = "") -> float | None:
    """Recurring attempts that were approved / those that were answered, retries counted."""
    declined = attempts_declined(world, region, market, method)
    return None if declined is None else 1 - declined


def codes(world: Lived, methods: Sequence[str], reason: str, region: str = "", first: bool = False) -> float | None:
    """Share of the declined recurring attempts, or of the first ones of their invoice, whose code says a reason."""
    only = "AND attempt = 1" if first else ""
    return world.number(
        f"SELECT avg((code IN {listed(REASONS[reason])})::INT) FROM attempts "
        f"WHERE {_RECURRING} AND outcome = 'declined' {only} AND {of_whom(region, methods=methods)}"
    )


def first_codes(world: Lived, methods: Sequence[str], codes: Sequence[str], region: str = "") -> float | None:
    """Share of the renewals failed at first whose first failure had one of these codes."""
    return world.number(
        f"SELECT avg((first_code IN {listed(codes)})::INT) FROM invoices "
        f"WHERE {RENEWALS} AND first_failed_at IS NOT NULL AND {of_whom(region, methods=methods)}"
    )


def hidden_funds(world: Lived, methods: Sequence[str]) -> float | None:
    """Share of the declined recurring attempts with code 05 whose cause, by the sealed truth, was lack of money."""
    return world.number(
        "SELECT avg((t.cause = 'funds')::INT) FROM attempts a JOIN truth t ON t.kind = 'decline.explained' "
        "AND t.subscriber = a.subscriber AND t.invoice = a.invoice AND t.attempt = a.attempt "
        f"WHERE {_RECURRING} AND a.outcome = 'declined' AND a.code = '05' AND a.method IN {listed(methods)}"
    )


MEASURES: dict[str, Measure] = {
    it.__name__: it for it in (first_failure, attempts_declined, attempts_approved, codes, first_codes, hidden_funds)
}
