"""Tables of what people did in one world, one row per spell or payment, the rows of a person next to each other.

Questions are asked of many people at once: arrays of people (their place in the cohort) and moments go in, an array
comes out. Moments are microseconds UTC, money is in millionths of the reporting currency.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


def turns(owner: np.ndarray, person: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The first row of everybody asked for, then the second, and so on: places in `person` and rows of `owner`.

    `owner` ascends. People have few rows, so this loop is short however many people are asked for.
    """
    first, last = np.searchsorted(owner, person), np.searchsorted(owner, person, "right")
    for turn in range(int((last - first).max(initial=0))):
        asked = np.flatnonzero(first + turn < last)
        yield asked, first[asked] + turn


@dataclass(frozen=True)
class Spells:
    """Subscriptions: whose, which, from when until when (`clock.NEVER` where it goes on), how and with what it ended.

    `invoice` is the one that was open when it ended through payment; `intent` and `able` are what the sealed truth
    says of such an end.
    """

    person: np.ndarray
    number: np.ndarray
    first: np.ndarray
    last: np.ndarray
    reason: np.ndarray
    invoice: np.ndarray
    intent: np.ndarray
    able: np.ndarray

    def time_within(self, person: np.ndarray, since: np.ndarray, until: np.ndarray) -> np.ndarray:
        """Microseconds of being subscribed from `since` until `until`."""
        found = np.zeros(len(person), np.int64)
        for asked, row in turns(self.person, person):
            shared = np.minimum(self.last[row], until[asked]) - np.maximum(self.first[row], since[asked])
            found[asked] += np.maximum(shared, 0)
        return found

    def hold_at(self, person: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Whether they are subscribed at a moment; at the moment of an end they no longer are."""
        found = np.zeros(len(person), bool)
        for asked, row in turns(self.person, person):
            found[asked] |= (self.first[row] <= at[asked]) & (at[asked] < self.last[row])
        return found

    def ended_by(self, person: np.ndarray, at: np.ndarray) -> np.ndarray:
        """The latest end that is not later than a moment; -1 where there is none."""
        found = np.full(len(person), -1, np.int64)
        for asked, row in turns(self.person, person):
            ended = np.where(self.last[row] <= at[asked], self.last[row], -1)
            found[asked] = np.maximum(found[asked], ended)
        return found


@dataclass(frozen=True)
class Payments:
    """Money that came (positive) and went back (negative): whose, when, how much, and the row of the log."""

    person: np.ndarray
    at: np.ndarray
    micros: np.ndarray
    row: np.ndarray
    invoice: np.ndarray
    """The invoice as `key_of` names it."""

    def micros_within(self, person: np.ndarray, since: np.ndarray, until: np.ndarray) -> np.ndarray:
        """Money that came, less what went back, from `since` until `until`."""
        found = np.zeros(len(person), np.int64)
        for asked, row in turns(self.person, person):
            inside = (since[asked] <= self.at[row]) & (self.at[row] < until[asked])
            found[asked] += np.where(inside, self.micros[row], 0)
        return found


@dataclass(frozen=True)
class Invoices:
    """Invoices: whose, key, when issued, from which day on, how much, whether issued before the run, whether paid.

    Paid means captured, and by no debit that came back by the end of all that is known: what was refunded was paid.
    """

    person: np.ndarray
    key: np.ndarray
    issued_at: np.ndarray
    period_start: np.ndarray
    micros: np.ndarray
    is_imported: np.ndarray
    is_paid: np.ndarray
    is_signup: np.ndarray

    @property
    def period_key(self) -> np.ndarray:
        """The person and the first day of the period: what an invoice has in common with its twin in another world."""
        return (self.person << 32) | self.period_start


def key_of(person: np.ndarray, number: np.ndarray) -> np.ndarray:
    """A person and the number of something of theirs, as one number that ascends with both."""
    return (person.astype(np.int64) << 32) | number.astype(np.int64)


def places(of: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Where these keys are among ascending ones; -1 where they are not."""
    if not len(among):
        return np.full(len(of), -1, np.int64)
    found = np.minimum(np.searchsorted(among, of), len(among) - 1)
    return np.where(among[found] == of, found, -1)
