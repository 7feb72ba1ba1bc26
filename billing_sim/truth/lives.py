"""The lives of some people in one world, read into tables that can be laid beside those of another world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from billing_sim import events
from billing_sim.clock import NEVER
from billing_sim.drivers import paired
from billing_sim.drivers.block import Block
from billing_sim.drivers.tape import Tape
from billing_sim.events import ROW, TRUTH_ROW
from billing_sim.truth.tables import Invoices, Payments, Spells, key_of, places
from billing_sim.truth.worth import Worth
from billing_sim.world.compile import CompiledWorld

LOSSES = (events.NONPAYMENT, events.PAYMENT_TROUBLE)
"""Ends of a subscription through payment: given up after dunning, or cancelled while a payment was failing."""

_CAME = (events.PAYMENT_CAPTURED, events.PAYMENT_DUPLICATED, events.DISPUTE_WON)
_WENT_BACK = (events.PAYMENT_RETURNED, events.REFUND_ISSUED, events.DISPUTE_OPENED)
_BEFORE = -NEVER
"""When an invoice of before the run counts as issued, as in the facts: at the first rate."""


@dataclass(frozen=True)
class Cohort:
    """People by their numbers (ascending) and the places of their markets."""

    numbers: np.ndarray
    markets: np.ndarray

    def of(self, chosen: np.ndarray) -> Cohort:
        """Some of them, by a mask."""
        return Cohort(self.numbers[chosen], self.markets[chosen])

    def __len__(self) -> int:
        return len(self.numbers)


class Shelf:
    """Room for the rows of one world after the other: taking it anew for every shard costs more than filling it."""

    def __init__(self) -> None:
        self._rows, self._truths = np.zeros(0, ROW), np.zeros(0, TRUTH_ROW)

    def filled(self, blocks: Iterator[Block]) -> tuple[np.ndarray, np.ndarray]:
        """All rows and truths of the blocks, good until the shelf is filled again."""
        rows = truths = 0
        for block in blocks:
            self._rows = _put(self._rows, rows, block.rows)
            self._truths = _put(self._truths, truths, block.truths)
            rows, truths = rows + len(block.rows), truths + len(block.truths)
        return self._rows[:rows], self._truths[:truths]


def _put(room: np.ndarray, at: int, more: np.ndarray) -> np.ndarray:
    if at + len(more) > len(room):
        larger = np.zeros((at + len(more)) * 3 // 2, room.dtype)
        larger[:at] = room[:at]
        room = larger
    room[at : at + len(more)] = more
    return room


def live(
    before: CompiledWorld,
    after: CompiledWorld,
    cohort: Cohort,
    worth: Worth,
    only: np.ndarray | None = None,
    shelf: Shelf | None = None,
    tape: Tape | None = None,
) -> Lives:
    """Let people live in one world until the start and in another from then on, to the horizon.

    With `only`, a mask, the others of the cohort leave no rows. With a `shelf` the lives are good until it is filled
    again. Where people share something, what they meet is on the `tape`: by default what the first world has it.
    """
    chosen = cohort if only is None else cohort.of(only)
    blocks = paired.lives(before, after, chosen.numbers, chosen.markets, tape)
    return Lives(*(shelf or Shelf()).filled(blocks), cohort, worth)


@dataclass(frozen=True)
class Lives:
    """Rows and sealed truths of a cohort in one world; tables of them are made when asked for.

    Everywhere a person is their place in the cohort.
    """

    rows: np.ndarray
    truths: np.ndarray
    cohort: Cohort
    worth: Worth

    @cached_property
    def kinds(self) -> np.ndarray:
        """The kind of every row."""
        return np.ascontiguousarray(self.rows["kind"])

    @cached_property
    def person(self) -> np.ndarray:
        """Whose row each is."""
        return _places_of(self.rows["subscriber"], self.cohort.numbers)

    @cached_property
    def truth_person(self) -> np.ndarray:
        """Whom each sealed truth is about."""
        return _places_of(self.truths["subscriber"], self.cohort.numbers)

    @cached_property
    def group(self) -> np.ndarray:
        """Everybody's jackknife group, which their first row tells; 0 for those without rows."""
        found = np.zeros(len(self.cohort), np.int64)
        first = np.flatnonzero(self.rows["sequence"] == 0)
        found[self.person[first]] = self.rows["group"][first]
        return found

    def where(self, *kinds: int) -> np.ndarray:
        """The rows of these kinds, in order."""
        asked = np.zeros(256, bool)
        asked[list(kinds)] = True
        return np.flatnonzero(asked[self.kinds])

    def told(self, kind: int) -> np.ndarray:
        """The sealed truths of a kind, in order."""
        return np.flatnonzero(self.truths["kind"] == kind)

    @cached_property
    def spells(self) -> Spells:
        """Everybody's subscriptions."""
        begins = self.where(events.SUBSCRIPTION_CREATED, events.SUBSCRIPTION_IMPORTED)
        ends, judged = self.where(events.SUBSCRIPTION_CANCELED), self.told(events.LOSS_JUDGED)
        person, number = self.person[begins], self.rows["spell"][begins].astype(np.int64)
        key = key_of(person, number)
        last, reason, invoice, intent, able = (np.full(len(key), value, np.int64) for value in (NEVER, 0, 0, 0, 0))
        place = places(key_of(self.person[ends], self.rows["spell"][ends]), key)
        last[place], reason[place] = self.rows["occurred_at"][ends], self.rows["reason"][ends]
        invoice[place] = self.rows["invoice"][ends]
        place = places(key_of(self.truth_person[judged], self.truths["spell"][judged]), key)
        intent[place], able[place] = self.truths["intent"][judged], self.truths["able"][judged]
        return Spells(person, number, self.rows["occurred_at"][begins], last, reason, invoice, intent, able)

    def losses(self, end: int) -> np.ndarray:
        """The places of spells that ended through payment before a moment."""
        through_payment = np.isin(self.spells.reason, LOSSES, kind="table")
        return np.flatnonzero(through_payment & (self.spells.last < end))

    @cached_property
    def _bills(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows that open invoices, and the invoices' keys."""
        rows = self.where(events.INVOICE_ISSUED, events.INVOICE_IMPORTED)
        return rows, key_of(self.person[rows], self.rows["invoice"][rows])

    @cached_property
    def _billed_at(self) -> np.ndarray:
        """The moment of each bill, at whose rate all its money is worth what it is."""
        rows, _ = self._bills
        return np.where(self.kinds[rows] == events.INVOICE_IMPORTED, _BEFORE, self.rows["occurred_at"][rows])

    @cached_property
    def _bill_micros(self) -> np.ndarray:
        return self._worth(self._bills[0], self._billed_at)

    def _worth(self, rows: np.ndarray, at: np.ndarray) -> np.ndarray:
        return self.worth.micros(self.cohort.markets[self.person[rows]], self.rows["amount_minor"][rows], at)

    @cached_property
    def payments(self) -> Payments:
        """All money that came and went back, at the rate of its invoice: debits that return, refunds and disputes."""
        rows = self.where(*_CAME, *_WENT_BACK)
        person = self.person[rows]
        invoice = key_of(person, self.rows["invoice"][rows])
        sign = np.where(np.isin(self.kinds[rows], _CAME), 1, -1)
        micros = sign * self._worth(rows, self._billed_at[places(invoice, self._bills[1])])
        return Payments(person, self.rows["occurred_at"][rows], micros, rows, invoice)

    @cached_property
    def invoices(self) -> Invoices:
        """All invoices, with what became of them."""
        rows, key = self._bills
        net = np.zeros(len(key), np.int64)
        paid = self.where(events.PAYMENT_CAPTURED, events.PAYMENT_RETURNED)
        of = places(key_of(self.person[paid], self.rows["invoice"][paid]), key)
        np.add.at(net, of, np.where(self.kinds[paid] == events.PAYMENT_CAPTURED, 1, -1))
        signups = self.where(events.SIGNUP_STARTED)
        started = key_of(self.person[signups], self.rows["spell"][signups])
        spell = key_of(self.person[rows], self.rows["spell"][rows])
        first_of_spell = np.concatenate([[True], spell[1:] != spell[:-1]])[: len(rows)]
        return Invoices(
            self.person[rows], key, self.rows["occurred_at"][rows], self.rows["period_start"][rows].astype(np.int64),
            self._bill_micros, self.kinds[rows] == events.INVOICE_IMPORTED, net > 0,
            first_of_spell & (places(spell, started) >= 0),
        )  # fmt: skip


def _places_of(subscribers: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Where the subscriber of each row is among ascending numbers; the rows of a person lie together."""
    changes = np.flatnonzero(np.diff(subscribers)) + 1
    first = np.concatenate([np.zeros(min(len(subscribers), 1), np.int64), changes])
    return np.repeat(np.searchsorted(numbers, subscribers[first]), np.diff(np.append(first, len(subscribers))))
