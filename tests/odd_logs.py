"""A few fixed odd logs: facts that no simulated world holds, and that tell one definition from its near relative.

They begin and end amid a month, are shorter than a month or longer than a year; invoices are of 0, imported ones fail,
debits come back, people join and leave in one month, moments are the same, lie on a limit or a microsecond beside it,
and states contradict each other. Keys fit together, so that joins find something.

Every value follows from the name of its log, its row and its column alone: a new column changes none of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from billing_sim.facts.schema import FACTS
from tests.facts_builder import HandMade, Row, build
from tests.naive_metrics import World

DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)
SETTLEMENT, DUNNING = 2 * DAY, 30 * DAY
RATES = (("USD", 0, 10**9), ("BRL", 0, 180_000_001), ("BRL", 10**15, 90_000_000))
"""Currency, microseconds from which it holds, value of a unit in billionths of a US dollar."""

_SPANS = (timedelta(), timedelta(seconds=60), DAY, SETTLEMENT, 7 * DAY, 10 * DAY, 14 * DAY, DUNNING)
"""Lengths that definitions wait for."""

_LABELS = {
    "market": ("US", "BR"), "region": ("UCAN", "LATAM"), "plan": ("basic", "premium"), "interval": ("month", "year"),
    "method": ("credit", "debit"), "currency": ("USD", "BRL"), "policy": ("patient", None),
    "gateway": ("north", "south", None), "status": ("paid", "paid", "open", "void", "uncollectible"),
    "first_outcome": ("authorized", "authorized", "declined", "unknown", "none"), "first_code": ("51", "54"),
    "outcome": ("authorized", "authorized", "declined", "declined", "unknown"), "code": ("51", "54"),
    "first_decline_kind": ("soft", "hard", "none"), "decline_kind": ("soft", "hard", "none"),
    "recovered_by": ("none", "retry", "member", "member", "updater"), "initiator": ("cit", "mit", "mit"),
    "started_by": ("imported", "new", "returning"), "joined": ("none", "new", "returning", "imported"),
    "end_reason": ("none", "voluntary", "payment_trouble", "nonpayment"),
    "ended": ("none", "none", "voluntary", "payment_trouble", "nonpayment"),
    "notice": ("payment_failed", "payment_reminder", "hold_started"), "added_by": ("preferred", "backup"),
    "bin": ("none", "north", "north", "harbor"), "network": ("visa", "mastercard", "none"),
    "reason": ("complaint", "fraud", "service", "duplicate", "unauthorised"),
    "channel": ("none", "email", "email", "chat"), "topic": ("payment_failed", "hold_started", "price_rise"),
    "authentication": ("none", "none", "frictionless", "passed", "failed", "abandoned"),
    "about": ("payment_failed", "hold_started", "service", "new", "active"), "kind": ("nps", "csat"),
    "stated_reason": ("none", "price", "content", "other"),
    "arm": ("none", "waiting/short", "waiting/long"), "coupon": ("none", "none", "half_price"),
    "action": ("none", "retried", "refunded"), "offer": ("win_back",),
    "trial_end": ("none", "trial_converted", "trial_ended", "trial_without_method"),
}  # fmt: skip
_SCREENED = {
    "outcome": ("authorized", "declined", "declined", "blocked"),
    "first_outcome": ("authorized", "declined", "declined", "blocked"),
    **dict.fromkeys(("code", "first_code"), ("51", "1A", "65", "authentication_failed", "authentication_abandoned",
                                             "blocked", "throttled")),
}  # fmt: skip
_EVERY_WAY = {
    "method": ("credit", "voucher", "voucher", "carrier_partner", "direct_debit", "a2a_emandate", "gift_balance"),
    "outcome": ("authorized", "authorized", "declined", "unknown"), "interval": ("month", "year", "week"),
    "network": ("none", "none", "visa", "mastercard"), "first_outcome": ("authorized", "declined", "unknown"),
    "code": ("51", "voucher_expired", "carrier_limit"), "first_code": ("51", "voucher_expired", "carrier_limit"),
}  # fmt: skip
_STEPS = (
    ("reached", "none"), ("reached", "none"), ("reached", "control"), ("shared", "i_follow_the_rules"),
    ("shared", "netflix_criminal"), ("replied", "does_not_share"), ("replied", "shares"), ("landed", "none"),
    ("email_left", "host"), ("email_left", "borrower"), ("email_left", "borrower"), ("restricted", "host"),
)  # fmt: skip
"""Steps in a campaign, and what qualifies each."""
_NUMBERS = {
    "attempts": (0, 1, 1, 1, 2, 3, 4), "mit_attempts": (0, 1, 2, 14, 15, 16), "declines": (0, 1, 2),
    "notices": (0, 0, 1, 2, 3), "latency_ms": (80, 900, 9_999, 10_000, 10_001, 20_000), "failed_calls": (0, 0, 0, 1, 2),
    "renewals": (0, 1, 2, 3), "failed_renewals": (0, 1, 1, 2, 3), "instrument": (1, 2),
    "surplus_charges": (0, 0, 0, 1, 2), "score": (-1, 0, 1, 3, 4, 6, 7, 8, 9, 10),
    "plan_changes": (0, 0, 1, 2), "pauses": (0, 0, 1, 2), "weeks_since_launch": (-1, 0, 1, 4, 12),
    "contacts_14d": (0, 0, 1, 2), "mistakes": (0, 0, 1), **{f"{what}_{unit}": (0, 0, 0, 1, 90_000)
                                     for what in ("refunded", "chargeback") for unit in ("minor", "micros")},
}  # fmt: skip
_ODDS = {"is_signup": 0.25, "is_imported": 0.2, "active_at_start": 0.6, "active_at_end": 0.6}
_FOLLOWS = {"paid_at": "first_failed_at", "recorded_at": "occurred_at", "disputed_at": "paid_at"}
"""The moment from which definitions count on to another."""


@dataclass(frozen=True)
class OddLog:
    """One of the logs: its name, the run's first day and the day after its last, how many people and invoices of each.

    Of a log with `only` some facts the others are empty.
    """

    name: str
    start: str
    end: str
    people: int
    invoices: int = 4
    luck: int = 0
    only: tuple[str, ...] = tuple(fact.name for fact in FACTS)
    screened: bool = False
    """Some of its payments are blocked by our own screen, need authentication, or meet a gateway under load."""
    every_way: bool = False
    """Its people pay by voucher, through partners and by the week too, and a campaign touches them."""

    @property
    def world(self) -> World:
        """What the run says of itself: its span, and how long outcomes stay open."""
        return World(self._begins, self._ends, SETTLEMENT, DUNNING)

    @property
    def label(self) -> str:
        """Its name, and its luck where that is not the first."""
        return f"{self.name}_{self.luck}" if self.luck else self.name

    def source(self, folder: Path) -> HandMade:
        """The facts as a run's files."""
        return HandMade(build(folder, **self.facts).path, self.start, self.end, rates=RATES)

    @cached_property
    def facts(self) -> dict[str, list[Row]]:
        """The rows of every fact, each with all its columns."""
        keys = {
            "invoices": self._invoices, "attempts": self._attempts, "subscriptions": self._spells,
            "subscription_months": self._months, "notices": lambda: self._some(self._invoices(), "notice", 3),
            "signups": self._signups, "payment_methods": lambda: self._some(self._spells(), "method", 2),
            "refunds": lambda: self._some(self._invoices(), "refund", 2),
            "disputes": lambda: self._some(self._invoices(), "dispute", 2),
            "surveys": lambda: self._some(self._invoices(), "survey", 2),
            "offers": lambda: self._some(self._spells(), "offer", 2),
            "contacts": lambda: self._answered(self._some(self._invoices(), "contact", 2)),
            "enrolments": lambda: self._some(self._spells(), "enrolment", 2),
            "touches": self._touches,
        }  # fmt: skip
        made = {fact.name: list(keys[fact.name]()) if fact.name in self.only else [] for fact in FACTS}
        rows = {
            fact.name: [
                {it.name: key.get(it.name, _Values(self, f"{fact.name} {number}").of(it.name, it.storage))
                 for it in fact.columns}
                for number, key in enumerate(made[fact.name])
            ]
            for fact in FACTS
        }  # fmt: skip
        return rows | {"payment_methods": list(self._expiring(rows["payment_methods"], rows["attempts"]))}

    @property
    def _begins(self) -> datetime:
        return datetime.fromisoformat(self.start)

    @property
    def _ends(self) -> datetime:
        return datetime.fromisoformat(self.end)

    @cached_property
    def _calendar(self) -> list[tuple[datetime, datetime]]:
        """First day of every month of the run and of the one before, and of the month after each."""
        found, month = [], (self._begins.replace(day=1) - DAY).replace(day=1)
        while month < self._ends:
            after = (month + 31 * DAY).replace(day=1)
            found.append((month, after))
            month = after
        return found

    def chance(self, *names: object) -> float:
        """A number in [0, 1) that belongs to these names."""
        text = " ".join(map(str, (self.name, self.luck, *names)))
        return (int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big") >> 3) / 2**53

    def pick(self, options: Sequence[Any], *names: object) -> Any:
        """The option that belongs to these names."""
        return options[int(self.chance(*names) * len(options))]

    def anchor(self, *names: object) -> datetime:
        """A moment amid the run or before it; often the end, a limit before it or a month's first moment, or beside."""
        beside = self.pick((0, 0, 1, -1), *names, "beside") * MICROSECOND
        kind = self.chance(*names, "kind")
        if kind < 0.3:
            return self._ends - self.pick(_SPANS, *names, "span") + beside
        if kind < 0.5:
            return self.pick(self._calendar, *names, "month")[1] + beside
        since = self._begins - 5 * DAY
        return since + timedelta(seconds=int((self._ends - since).total_seconds() * self.chance(*names, "second")))

    def _spells(self) -> Iterator[Row]:
        for subscriber in range(1, self.people + 1):
            for spell in range(1, 1 + self.pick((1, 2), "spells", subscriber)):
                yield {"subscriber": subscriber, "spell": spell, "group": self.pick((0, 5, 63), "group", subscriber)}

    def _invoices(self) -> Iterator[Row]:
        for number, key in enumerate(self._some(self._spells(), "invoice", self.invoices), 1):
            yield key | {"invoice": number}

    def _attempts(self) -> Iterator[Row]:
        """A few on each invoice; the first two people have a card tried 15 and 16 times in a month."""
        yield from self._some(self._invoices(), "attempt", 4)
        for subscriber, tries in ((1, 15), (2, 16)):
            card = {
                "subscriber": subscriber,
                "spell": 1,
                "group": subscriber,
                "invoice": 1,
                "instrument": 9,
                "initiator": "mit",
            }
            for attempt in range(tries):
                yield card | {"attempt": attempt + 1, "occurred_at": self._begins + attempt * timedelta(hours=7)}

    def _months(self) -> Iterator[Row]:
        """Most months of every spell; the first and the last are cut where the run is."""
        for key in self._spells():
            for month, after in self._calendar:
                inside = min(after, self._ends) - max(month, self._begins)
                full = int(max(inside, 20 * DAY).total_seconds())
                seconds = self.pick((full, full, full - 1, full // 2, 0), "seconds", key, month)
                if self.chance("is there", key, month) < 0.8:
                    yield key | {"month": month.date(), "member_seconds": seconds}

    def _touches(self) -> Iterator[Row]:
        if not self.every_way:
            return
        for number, key in enumerate(self._some(self._spells(), "touch", 9)):
            step, reason = self.pick(_STEPS, "touch", number)
            yield key | {"step": step, "reason": reason, "campaign": "none" if step == "restricted" else "one_side"}

    def _signups(self) -> Iterator[Row]:
        for number, key in enumerate(self._some(self._spells(), "signup", 3)):
            yield key | {"outcome": self.pick(("open", "paid", "paid", "abandoned"), "signup", number)}

    def _answered(self, contacts: Iterable[Row]) -> Iterator[Row]:
        for number, key in enumerate(contacts):
            states = ("open", "answered", "abandoned", "resolved", "resolved", "unresolved")
            yield key | {"outcome": self.pick(states, "contact", number)}

    def _some(self, keys: Iterable[Row], what: str, most: int) -> Iterator[Row]:
        for key in keys:
            for number in range(self.pick(range(most + 1), "how many", what, key)):
                yield key | ({"attempt": number + 1} if what == "attempt" else {})

    def _expiring(self, methods: list[Row], attempts: list[Row]) -> Iterator[Row]:
        """Some methods are valid until the day of the last attempt, or the day before."""
        last = max((row["occurred_at"] for row in attempts if row["occurred_at"]), default=self._ends)
        for number, row in enumerate(methods):
            day = (last - self.pick((0, 1), "day", number) * DAY).date()
            yield row | ({"expires_on": day} if self.chance("expires", number) < 0.3 else {})


@dataclass(frozen=True)
class _Values:
    """The values of one row."""

    log: OddLog
    row: str

    def of(self, column: str, storage: str) -> Any:
        """What stands in a column."""
        if column in _LABELS or column in _NUMBERS:
            kinds = _SCREENED if self.log.screened else _EVERY_WAY if self.log.every_way else {}
            special = kinds.get(column)
            return self.log.pick(special or _LABELS.get(column) or _NUMBERS[column], self.row, column)
        if storage == "bool":
            return self.log.chance(self.row, column) < _ODDS.get(column, 0.35)
        if storage == "timestamp":
            return self._moment(column)
        if storage == "date":
            return self._day(column)
        some = int(self.log.chance(self.row, column, "some") * 10**8)
        return self.log.pick((0, 0, 1, 9_990_000, 10_000_000, some, some, some), self.row, column)

    def _moment(self, column: str) -> datetime | None:
        """A moment that hangs on the row's or on another of its moments; unknown; or any other."""
        kind = self.log.chance(self.row, column)
        if kind < 0.2 and column != "started_at":
            return None
        since = self.log.anchor(self.row)
        if kind < 0.6 and column in _FOLLOWS:
            since = self._moment(_FOLLOWS[column]) or since
        if kind < 0.75:
            beside = self.log.pick((0, 0, 0, 1, -1), self.row, column, "beside") * MICROSECOND
            return since + self.log.pick((*_SPANS, -DUNNING), self.row, column, "span") + beside
        if kind < 0.9:
            return since + timedelta(hours=int(930 * self.log.chance(self.row, column, "hours")) - 30)
        return self.log.anchor(self.row, column)

    def _day(self, column: str) -> date | None:
        if self.log.chance(self.row, column) < 0.2:
            return None
        ahead = 60 if column == "expires_on" else 0
        return (self.log.anchor(self.row) + (ahead - int(400 * self.log.chance(self.row, column, "days"))) * DAY).date()


_PAYING = ("invoices", "attempts")
_MONTHS = ("invoices", "subscription_months")
LOGS = (
    OddLog("amid_months", "2025-01-10", "2025-05-17", 25),
    OddLog("over_a_year", "2024-01-20", "2025-06-11", 25),
    OddLog("crowd", "2025-01-01", "2025-04-20", 150, invoices=8, luck=4, only=_MONTHS),
    OddLog("three_weeks", "2025-01-05", "2025-01-29", 4),
    OddLog("few", "2025-02-01", "2025-05-11", 4, luck=46),
    OddLog("few", "2025-02-01", "2025-05-11", 4, luck=72),
    OddLog("few", "2025-02-01", "2025-05-11", 4, luck=108),
    OddLog("screened", "2025-01-10", "2025-05-17", 25, only=_PAYING, screened=True),
    OddLog("every_way", "2025-01-10", "2025-09-17", 25, every_way=True),
)
"""The logs whose figures are pinned. Of a crowd, gaps between markets are large enough to count; of few people, months
and invoices are missing. Their luck is such that together they tell as many mutants from their originals as can be."""
