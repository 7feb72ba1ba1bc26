"""What a sentence needs beyond its row: the names behind numbers, the market's money and its clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np

from billing_sim import clock, declines, events
from billing_sim.money import format_minor
from billing_sim.world.compile import CompiledWorld

Row: TypeAlias = Any
"""One record of `events.ROW` or `events.TRUTH_ROW`; its fields are read by name."""

METHOD_WORDS = {
    "credit": "credit card",
    "debit": "debit card",
    "prepaid": "prepaid card",
    "wallet": "wallet",
    "direct_debit": "direct debit",
    "a2a_emandate": "bank mandate",
    "carrier_partner": "partner account",
    "gift_balance": "gift balance",
    "voucher": "voucher",
}
"""Kinds of payment methods as people say them."""


_TRIED = (events.ATTEMPT_AUTHORIZED, events.ATTEMPT_DECLINED, events.ATTEMPT_UNKNOWN)


@dataclass(frozen=True)
class Context:
    """The market and the scenario around one subscriber's rows; labels are tuples by number.

    `backups` are the numbers of the payment methods that were put on file as a backup, `own_kinds` the kinds of events
    that a user's own processes have written. `reviews` says when each review was asked for (microseconds UTC), by
    invoice and attempt. The payment of each invoice in `came_back` was captured before the start and came back.
    Attempts `by_agents` (invoice and attempt) were set off by an agent of the support desk.
    """

    market: str
    currency: str
    zone: ZoneInfo
    plans: tuple[str, ...]
    gateways: tuple[str, ...]
    policies: tuple[str, ...]
    backups: frozenset[int] = frozenset()
    arms: tuple[str, ...] = ()
    coupons: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    own_kinds: tuple[events.Kind, ...] = ()
    bins: tuple[str, ...] = ()
    reviews: Mapping[tuple[int, int], int] = field(default_factory=dict, hash=False)
    came_back: frozenset[int] = frozenset()
    by_agents: frozenset[tuple[int, int]] = frozenset()

    def money(self, amount_minor: int) -> str:
        """An amount in the market's currency."""
        return format_minor(int(amount_minor), self.currency)

    def local(self, instant: int) -> datetime:
        """A moment in the market's time zone."""
        return clock.moment_of(int(instant)).astimezone(self.zone)

    def plan(self, row: Row) -> str:
        """The plan's name."""
        return self.plans[row["plan"]]

    def gateway(self, row: Row) -> str:
        """The gateway's name."""
        return self.gateways[row["gateway"]]

    def method(self, row: Row) -> str:
        """The kind of payment method, whether it is the backup, and its BIN range if known: "backup debit card"."""
        words = f"{method_words(row)}{self.bin_words(row)}"
        return f"backup {words}" if int(row["method"]) in self.backups else words

    def bin_words(self, row: Row) -> str:
        """The BIN range of a card, where it is known: " of the BIN range northbank"."""
        return f" of the BIN range {self.bins[row['bin']]}" if row["bin"] else ""

    def coupon(self, row: Row) -> str:
        """The coupon's name."""
        return self.coupons[row["coupon"]]

    def policy(self, row: Row) -> str:
        """The dunning policy's name."""
        return self.policies[row["policy"]]


def context_of(world: CompiledWorld, m: int, rows: np.ndarray) -> Context:
    """The context of the public rows of somebody in market number `m`."""
    code = world.markets[m]
    market = world.scenario.markets[code]
    plans = tuple(plan.name or key for key, plan in world.scenario.plans.items())
    zone = clock.zone(market.time_zone)
    added = rows[(rows["kind"] == events.METHOD_ADDED) & (rows["reason"] == events.BY_BACKUP)]
    backups = frozenset(added["method"].tolist())
    asked = rows[rows["kind"] == events.REVIEW_OPENED]
    reviews = {(int(row["invoice"]), int(row["attempt"])): int(row["occurred_at"]) for row in asked}
    names = world.names
    return Context(
        market.name,
        market.currency,
        zone,
        plans,
        names.gateways,
        names.policies,
        backups,
        names.arms,
        names.coupons,
        names.campaigns,
        bins=names.bins,
        reviews=reviews,
        came_back=_returned_uncaptured(rows),
        by_agents=frozenset(_set_off_by_agents(rows, int(world.record["window"][0]))),
    )


def _returned_uncaptured(rows: np.ndarray) -> frozenset[int]:
    """Invoices whose money came back without ever having come."""
    captured: set[int] = set()
    found = set()
    for row in rows[np.isin(rows["kind"], (events.PAYMENT_CAPTURED, events.PAYMENT_RETURNED))]:
        if row["kind"] == events.PAYMENT_CAPTURED:
            captured.add(int(row["invoice"]))
        elif int(row["invoice"]) not in captured:
            found.add(int(row["invoice"]))
    return frozenset(found)


def _set_off_by_agents(rows: np.ndarray, window: int) -> Iterator[tuple[int, int]]:
    """The attempts that agents set going: each comes a window later, or little more where somebody authenticates."""
    attempts = rows[np.isin(rows["kind"], _TRIED) & (rows["initiator"] == events.CIT)]
    promised = rows[(rows["kind"] == events.CONTACT_RESOLVED) & (rows["reason"] == events.RETRIED)]
    for at in promised["occurred_at"].tolist():
        due = attempts[(attempts["occurred_at"] >= at + window) & (attempts["occurred_at"] < at + window + clock.HOUR)]
        yield from ((int(row["invoice"]), int(row["attempt"])) for row in due[:1])


def method_words(row: Row) -> str:
    """The kind of payment method: "debit card"."""
    return METHOD_WORDS[events.METHOD_KINDS[row["method_kind"]]]


def code_words(number: int) -> str:
    """A decline code with its meaning: "51 insufficient funds (soft)"."""
    code = declines.CODES[number]
    return f"{code.code} {code.meaning} ({code.kind})"


def day_words(day: int) -> str:
    """A day number as an ISO date."""
    return clock.date_of(int(day)).isoformat()
