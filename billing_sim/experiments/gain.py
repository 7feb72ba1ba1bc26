"""The return on a change: what it brings, on the same people, over what it costs; and two usual ways of claiming more.

What a change brings is the paired difference: everybody enrolled in the arm less everybody in the first. Before and
after compares other months with other people in them; what a vendor reports as recovered would mostly have come anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from billing_sim.experiments.sample import ENROLMENTS, Sample
from billing_sim.experiments.truth import Effect, Worlds

_MICROS = 1_000_000


@dataclass(frozen=True)
class Gain:
    """For one arm, in the reporting currency: what the change really brings if all enrolled have it, what the
    experiment says that it brings, and what was recovered under it.

    `recovered` counts every failed invoice that was paid in the end. Each divided by `cost` is a return.
    """

    arm: str
    cost: float
    brought: float | None
    read: float | None
    recovered: float

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
        }

    def _over_cost(self, amount: float | None) -> float | None:
        return amount / self.cost if amount is not None and self.cost else None


def gain(effect: Effect, lived: Worlds, cost: float) -> Gain:
    """The return of an arm; `effect` is that of the money collected per person enrolled."""
    people = lived.mixed.tables[ENROLMENTS].num_rows
    scaled = [None if it.value is None else it.value * people for it in (effect.true, effect.mixed)]
    return Gain(effect.true.name, cost, scaled[0], scaled[1], _recovered(lived.forced[effect.true.name]))


def _recovered(sample: Sample) -> float:
    invoices = sample.tables["invoices"]
    is_paid = pc.equal(invoices["status"].cast("string"), "paid")
    failed = invoices.filter(pc.and_(is_paid, pc.is_valid(invoices["first_failed_at"])))
    return float(pc.sum(failed["amount_micros"]).as_py() or 0) / _MICROS
