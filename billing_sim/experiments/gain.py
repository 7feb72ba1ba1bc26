"""The return on a change: what it brings, on the same people, over what it costs; and two usual ways of claiming more.

What a change brings is the paired difference: everybody enrolled in the arm less everybody in the first. Before and
after compares other months with other people in them; what a vendor reports as recovered would mostly have come anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow.compute as pc

from billing_sim.experiments.design import Design
from billing_sim.experiments.sample import ENROLMENTS, Sample
from billing_sim.experiments.truth import Effect, Worlds
from billing_sim.facts.schema import FACTS
from billing_sim.metrics.connection import connect_to
from billing_sim.metrics.frame import Frame
from billing_sim.metrics.source import Source
from billing_sim.metrics.unreadable import reading_facts

_MICROS = 1_000_000


@dataclass(frozen=True)
class Growth:
    """What a service collected, whoever paid it, in the first `days` of an experiment less in as many days before."""

    amount: float
    days: float


@dataclass(frozen=True)
class Gain:
    """For one arm, in the reporting currency: what the change really brings if all enrolled have it, what the
    experiment says that it brings, and what two usual ways of reading would say; all of it at the end of the run.

    `recovered` counts every failed invoice that was paid in the end under it; `growth` compares what the service
    collected since the experiment began with what it did before (None: it began with the run). Each by `cost` is a
    return.
    """

    arm: str
    cost: float
    brought: float | None
    read: float | None
    recovered: float
    growth: Growth | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "arm": self.arm,
            "cost": self.cost,
            "brought": self.brought,
            "return": self._over_cost(self.brought),
            "read": self.read,
            "return_read": self._over_cost(self.read),
            "recovered": self.recovered,
            "return_claimed": self._over_cost(self.recovered),
            "grew": self.growth.amount if self.growth else None,
            "before_after_days": self.growth.days if self.growth else None,
            "return_before_after": self._over_cost(self.growth.amount if self.growth else None),
        }

    def _over_cost(self, amount: float | None) -> float | None:
        return amount / self.cost if amount is not None and self.cost else None


def gain(effect: Effect, lived: Worlds, cost: float, growth: Growth | None) -> Gain:
    """The return of an arm; `effect` is that of the money collected per person enrolled."""
    people = lived.mixed.tables[ENROLMENTS].num_rows
    scaled = [None if it.value is None else it.value * people for it in (effect.true, effect.mixed)]
    return Gain(effect.true.name, cost, scaled[0], scaled[1], _recovered(lived.forced[effect.true.name]), growth)


def growth_of(source: Source, design: Design, seen: Frame) -> Growth | None:
    """As long on either side as the shorter of them lasted; None where there is no before.

    Nothing says what would have been: seasons, growth and other changes of those months are in it.
    """
    length = min(design.since - seen.start, seen.as_of - design.since)
    if not length:
        return None
    with reading_facts(), connect_to(source, [fact for fact in FACTS if fact.name == "invoices"]) as connection:
        found = connection.execute(
            """SELECT coalesce(sum(CASE WHEN paid_at >= $since THEN amount_micros ELSE -amount_micros END), 0)
            FROM invoices WHERE status = 'paid' AND paid_at >= $first AND paid_at < $last""",
            {"since": design.since, "first": design.since - length, "last": design.since + length},
        ).fetchone()
    return None if found is None else Growth(float(found[0]) / _MICROS, length / timedelta(days=1))


def _recovered(sample: Sample) -> float:
    invoices = sample.tables["invoices"]
    is_paid = pc.equal(invoices["status"].cast("string"), "paid")
    failed = invoices.filter(pc.and_(is_paid, pc.is_valid(invoices["first_failed_at"])))
    return float(pc.sum(failed["amount_micros"]).as_py() or 0) / _MICROS
