"""What came of a run, in a few numbers: for the first look, before anybody asks for a metric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from billing_sim.facts.schema import FACTS
from billing_sim.metrics.connection import connect_to
from billing_sim.metrics.figures import MICROS
from billing_sim.metrics.frame import frame
from billing_sim.metrics.source import Source
from billing_sim.metrics.unreadable import reading_facts

_MEMBERS = """
SELECT count(*) FILTER (ended_at IS NULL), count(*) FILTER (started_by <> 'imported'),
  count(*) FILTER (ended_at IS NOT NULL AND end_reason NOT IN ('nonpayment', 'payment_trouble')),
  count(*) FILTER (end_reason IN ('nonpayment', 'payment_trouble'))
FROM subscriptions
"""
_INVOICES = """
SELECT count(*), count(*) FILTER (status = 'paid'), count(*) FILTER (first_failed_at IS NOT NULL AND NOT is_signup),
  count(*) FILTER (first_failed_at IS NOT NULL AND NOT is_signup AND status = 'paid'),
  coalesce(sum(amount_micros - refunded_micros - chargeback_micros) FILTER (status = 'paid'), 0)
FROM invoices WHERE NOT is_imported AND amount_micros > 0
"""
"""Invoices of before the run are its past, and an invoice of nothing is no payment."""


@dataclass(frozen=True)
class Upshot:
    """Subscriptions at the end, begun and ended in the run; its invoices of more than nothing; what was kept of them.

    `failed` are renewals whose first payment failed or came back, `recovered` those of them that are paid.
    """

    members: int
    came: int
    left: int
    lost: int
    invoices: int
    paid: int
    failed: int
    recovered: int
    kept: float
    currency: str

    def lines(self) -> Iterator[tuple[str, str]]:
        """Labelled lines."""
        yield "members", f"{self.members:,} at the end: {self.came:,} came, {self.left:,} left of their own accord"
        yield "lost", f"{self.lost:,} through payment"
        if self.invoices:
            share = f"{100 * self.paid / self.invoices:.1f} %"
            yield "invoices", f"{self.invoices:,}, {share} paid"
            yield "renewals", f"{self.failed:,} failed at first, {self.recovered:,} of them were paid since"
            yield "kept", f"{self.kept:,.0f} {self.currency} of them with taxes, after refunds and disputes"


def upshot_of(source: Source) -> Upshot:
    """The upshot of a run from its facts; RunError where they cannot be read."""
    needed = [fact for fact in FACTS if fact.name in ("subscriptions", "invoices")]
    with reading_facts(), connect_to(source, needed) as connection:
        members = connection.execute(_MEMBERS).fetchall()[0]
        *invoices, micros = connection.execute(_INVOICES).fetchall()[0]
    still, came, gone, lost = members
    issued, paid, failed, recovered = invoices
    money = float(micros) / MICROS
    return Upshot(still, came, gone, lost, issued, paid, failed, recovered, money, frame(source).currency)
