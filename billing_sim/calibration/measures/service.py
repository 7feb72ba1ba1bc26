"""Charges that are taken back, and contacts with support."""

from __future__ import annotations

from collections.abc import Sequence

from billing_sim.calibration.measures.asking import RENEWALS, Measure, before_end, of_whom
from billing_sim.calibration.worlds import Lived

_DISPUTED_WITHIN = 120
_UNITS = {
    "payment_failed": f"{RENEWALS} AND first_failed_at IS NOT NULL AND notices > 0",
    "hold_started": f"{RENEWALS} AND held_at IS NOT NULL",
}
"""The invoices that may lead to a contact about a topic."""


def disputed(world: Lived, methods: Sequence[str]) -> float | None:
    """Charges disputed within 120 days / charges so old."""
    return world.number(
        f"SELECT avg((disputed_at IS NOT NULL AND disputed_at < paid_at + INTERVAL {_DISPUTED_WITHIN} DAY)::INT) "
        f"FROM invoices WHERE paid_at < {before_end(world, _DISPUTED_WITHIN)} AND amount_minor > 0 "
        f"AND {of_whom(methods=methods)}"
    )


def disputes_for(world: Lived, reason: str) -> float | None:
    """Share of the disputes that are opened for a reason."""
    return world.number(f"SELECT avg((reason = '{reason}')::INT) FROM disputes")


def disputes_won(world: Lived) -> float | None:
    """Share of the contested and decided disputes that were won."""
    return world.number(
        "SELECT avg((outcome = 'won')::INT) FROM disputes WHERE represented_at IS NOT NULL AND outcome <> 'open'"
    )


def contacts_per(world: Lived, topic: str) -> float | None:
    """First contacts about a failed payment or a hold / the renewals that may lead to one."""
    return world.number(
        f"SELECT (SELECT count(*) FROM contacts WHERE topic = '{topic}' AND NOT is_repeat) / nullif(count(*), 0) "
        f"FROM invoices WHERE {_UNITS[topic]}"
    )


def handling_minutes(world: Lived, channel: str) -> float | None:
    """Mean minutes from an agent's answer to the end of a contact."""
    return world.number(
        f"SELECT avg(epoch(closed_at) - epoch(answered_at)) / 60 FROM contacts WHERE channel = '{channel}' "
        "AND answered_at IS NOT NULL AND closed_at IS NOT NULL"
    )


def channel_share(world: Lived, channel: str) -> float | None:
    """Share of the contacts that come by a channel."""
    return world.number(f"SELECT avg((channel = '{channel}')::INT) FROM contacts")


MEASURES: dict[str, Measure] = {
    it.__name__: it for it in (disputed, disputes_for, disputes_won, contacts_per, handling_minutes, channel_share)
}
