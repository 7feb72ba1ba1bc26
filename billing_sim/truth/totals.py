"""What a world comes to, person by person: the measures that worlds are compared by, and sums over jackknife groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from billing_sim import clock, events
from billing_sim.metrics.jackknife import half_width, standard_error
from billing_sim.people import SHARDS
from billing_sim.truth.lives import Lives

GROUPS = 64
assert GROUPS == SHARDS

MEASURES = (
    "members_at_end", "member_days", "losses", "wrongful_losses", "collected_micros", "uncollected_invoices",
    "uncollected_micros",
)  # fmt: skip
"""What a world comes to: members at the end of the run and days of membership in it (kept in microseconds until they
are shown); subscriptions lost through payment, and those of people who wanted to stay and could pay; money captured
less returned in it; and invoices issued in it that are never paid, however long one waits."""

DAYS = MEASURES.index("member_days")


def measures(lives: Lives, start: int, end: int) -> np.ndarray:
    """The measures of everybody from `start` until `end`: int64 of shape (measures, people)."""
    size = len(lives.cohort)
    found = np.zeros((len(MEASURES), size), np.int64)
    spells, everybody = lives.spells, np.arange(size)
    found[0] = spells.hold_at(everybody, np.full(size, end - 1))
    found[DAYS] = spells.time_within(everybody, np.full(size, start), np.full(size, end))
    lost = lives.losses(end)
    np.add.at(found[2], spells.person[lost], 1)
    np.add.at(found[3], spells.person[lost], is_wrongful(spells.intent[lost], spells.able[lost]))
    paid = lives.payments.at < end
    np.add.at(found[4], lives.payments.person[paid], lives.payments.micros[paid])
    open_ = uncollected(lives, end)
    np.add.at(found[5], lives.invoices.person[open_], 1)
    np.add.at(found[6], lives.invoices.person[open_], lives.invoices.micros[open_])
    return found


def is_wrongful(intent: np.ndarray, able: np.ndarray) -> np.ndarray:
    """Whether a loss is one that nobody wanted and nothing forced: willing and able."""
    return ((intent == events.STAY) & (able == 1)).astype(np.int64)


def uncollected(lives: Lives, end: int) -> np.ndarray:
    """Renewal invoices issued before a moment that are never paid; a refused sign-up owes nothing."""
    it = lives.invoices
    return np.flatnonzero(~it.is_paid & ~it.is_imported & ~it.is_signup & (it.issued_at < end))


def by_group(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Sums of values (…, n) over the groups of n units: int64 of shape (…, 64)."""
    found = np.zeros((GROUPS, *values.shape[:-1]), np.int64)
    np.add.at(found, group, np.moveaxis(values, -1, 0))
    return np.moveaxis(found, 0, -1)


@dataclass(frozen=True)
class Sum:
    """A sum over everybody with its jackknife standard error, from its sums over 64 groups.

    `peopled` counts the groups with anybody in them: the interval is Student's with one degree of freedom fewer.
    """

    value: int | float
    standard_error: float
    peopled: int = GROUPS

    @classmethod
    def of(cls, groups: np.ndarray, peopled: int, scale: float = 1) -> Sum:
        """From the sums over groups, divided by `scale` (such as microseconds in a day); 1 keeps it whole."""
        total = int(groups.sum())
        left_out = (total - groups.astype(float)) * GROUPS / (GROUPS - 1) / scale
        error = standard_error(left_out)
        return cls(total if scale == 1 else total / scale, error or 0.0, peopled)

    @property
    def is_nothing(self) -> bool:
        """Whether there is no interval to tell: nothing happened in any group, or a single group has people."""
        return (self.value == 0 and self.standard_error == 0) or self.peopled < 2

    @property
    def half(self) -> float:
        """Half of the 95 % interval."""
        return half_width(self.standard_error, max(self.peopled, 2))

    def as_dict(self) -> dict[str, Any]:
        """Value and standard error."""
        return {"value": self.value, "standard_error": round(self.standard_error, 6)}


def measure(groups: np.ndarray, name: str, peopled: int) -> Sum:
    """One of the measures from sums of shape (measures, 64); days in days."""
    at = MEASURES.index(name)
    return Sum.of(groups[at], peopled, clock.DAY if at == DAYS else 1)
