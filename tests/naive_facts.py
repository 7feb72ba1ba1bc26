"""Facts the slow way: each one looked up in the whole life of a person, with no memory of what came before.

It shares no code with the fold: it reads the rows as dictionaries, groups them by invoice and by spell, and asks each
question of the group. Unknown or not-yet is None.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np

Row = dict[str, Any]
Facts = dict[str, list[Row]]
STARTS = ("subscription.imported", "subscription.created")
TRIES = ("payment_attempt.authorized", "payment_attempt.declined", "payment_attempt.outcome_unknown")
ENROLLED = "experiment.enrolled"
HARD = set("04 07 14 15 41 43 46 54 R0 R1 R3 AC04 MD01 VE carrier_barred balance_used".split())
EXPONENTS = {"JPY": 0, "KWD": 3}


class Naive:
    """What must be known of the world, read from the world events."""

    def __init__(self, told: Iterable[Row], vocabularies: dict[str, tuple[str, ...]], kinds: dict[int, str]) -> None:
        self.kinds, self.names = kinds, vocabularies
        self.region: dict[str, str] = {}
        self.currency: dict[str, str] = {}
        self.rates: dict[str, list[tuple[int, int]]] = {}
        self.months: dict[str, int] = {}
        self.prices: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for event in told:
            detail = json.loads(event.get("detail") or "{}")
            match event["kind"]:
                case "run.configured":
                    self.end = date.fromisoformat(detail["end"])
                case "market.opened":
                    self.region[event["market"]], self.currency[event["market"]] = detail["region"], event["currency"]
                case "exchange_rate.published":
                    self.rates.setdefault(event["currency"], []).append((event["occurred_at"], event["rate_nanos"]))
                case "plan.offered":
                    self.months[event["plan"]] = 12 if detail["interval"] == "year" else 1
                case "price.set":
                    net = event["amount_minor"] - detail["tax_minor"]
                    self.prices.setdefault((event["market"], event["plan"]), []).append((event["occurred_at"], net))

    def micros(self, amount_minor: int, currency: str, at: int) -> int:
        """Millionths of the reporting currency at the rate of a moment, rounded half up."""
        rates = self.rates[currency]
        rate = max((step for step in rates if step[0] <= at), default=rates[0])[1]
        exact = Fraction(amount_minor * rate, 10**9) * 10**6 / 10 ** EXPONENTS.get(currency, 2)
        return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)

    def read(self, rows: np.ndarray) -> Row | list[Row]:
        """Rows as dictionaries, labels as text."""
        labels = {"market": "markets", "plan": "plans", "gateway": "gateways", "policy": "policies", "code": "codes",
                  "reason": "reasons", "method_kind": "method_kinds", "initiator": "initiators",
                  "arm": "arms"}  # fmt: skip
        found = []
        for row in rows:
            told = {name: int(row[name]) for name in rows.dtype.names if name != "filler"}
            told |= {name: self.names[words][told[name]] for name, words in labels.items()}
            found.append(told | {"kind": self.kinds[told["kind"]]})
        return found

    def facts_of(self, life: list[Row]) -> Facts:
        """Every fact about one person."""
        return {
            "invoices": [self.invoice(life, number) for number in _in_order(life, "invoice", "invoice.")],
            "attempts": [self.attempt(life, row) for row in life if row["kind"] in TRIES],
            "subscriptions": [self.subscription(life, row) for row in life if row["kind"] in STARTS],
            "subscription_months": [
                fact for row in life if row["kind"] in STARTS for fact in self.months_of(life, row)
            ],
            "signups": [self.signup(life, row) for row in life if row["kind"] == "signup.started"],
            "notices": [self.notice(life, row) for row in life if row["kind"] == "notice.sent"],
            "enrolments": [self.enrolment(row) for row in life if row["kind"] == ENROLLED],
            "payment_methods": [self.method(life, row) for row in life if row["kind"].startswith("payment_method.")],
        }

    def arm(self, life: list[Row], row: Row) -> str:
        """The arms that rows up to this one put the person in, in the order of the experiments."""
        seen = [r["arm"] for r in life if r["kind"] == ENROLLED and r["sequence"] <= row["sequence"]]
        return "+".join(sorted(seen, key=self.names["arms"].index)) or "none"

    def enrolment(self, row: Row) -> Row:
        """One enrolment."""
        own = {name: row[name] for name in ("subscriber", "spell", "group", "arm", "market", "invoice", "recorded_at")}
        return own | {"region": self.region[row["market"]], "enrolled_at": row["occurred_at"]}

    def who(self, life: list[Row], row: Row) -> Row:
        """The person, and the spell of a row as the last row that introduced it says."""
        told = _last(life, row, *STARTS, "signup.started")
        return {
            "subscriber": row["subscriber"], "spell": told["spell"], "group": told["group"],
            "arm": self.arm(life, row),
            "market": told["market"], "region": self.region[told["market"]], "plan": told["plan"],
            "interval": "year" if self.months[told["plan"]] == 12 else "month",
        }  # fmt: skip

    def money(self, life: list[Row]) -> str:
        """The currency of a person's market."""
        return self.currency[next(row["market"] for row in life if row["kind"] in (*STARTS, "signup.started"))]

    def invoice(self, life: list[Row], number: int) -> Row:
        """One invoice."""
        mine = [row for row in life if row["invoice"] == number]
        opened = next(row for row in mine if row["kind"] in ("invoice.issued", "invoice.imported"))
        imported = opened["kind"] == "invoice.imported"
        started = _membership(life, opened)
        tries = [row for row in mine if row["kind"] in TRIES]
        firsts = [row for row in mine if row["attempt"] == 1 and _answer(row)]
        failures = [row for row in mine if _answer(row) == "declined"]
        first_failure = None if imported or not failures else failures[0]
        closing = [row for row in mine if row["kind"] in _STATUS]
        paid = closing[-1] if closing and closing[-1]["kind"] == "payment.captured" else None
        given_up = closing[-1] if closing and _STATUS[closing[-1]["kind"]] in ("void", "uncollectible") else None
        currency = self.money(life)
        dunning = [row for row in mine if row["kind"] in ("dunning.started", "invoice.imported")]
        first_try = next((row for row in tries if row["attempt"] == 1), None)
        return self.who(life, opened) | {
            "arm": self.arm(life, _enrolling(mine) or opened),
            "method": first_try["method_kind"] if first_try else _preferred(life, opened)["method_kind"],
            "invoice": number, "currency": currency,
            "policy": dunning[-1]["policy"] if dunning else None,
            "gateway": first_try["gateway"] if first_try else None,
            "is_signup": not imported and started is None, "is_imported": imported,
            "issued_at": None if imported else opened["occurred_at"],
            "issued_recorded_at": None if imported else opened["recorded_at"],
            "spell_started_at": (started or opened)["occurred_at"],
            "period_start": opened["period_start"], "period_end": opened["period_end"],
            "amount_minor": opened["amount_minor"], "tax_minor": opened["tax_minor"],
            "amount_micros": self.micros(opened["amount_minor"], currency, 0 if imported else opened["occurred_at"]),
            "tax_micros": self.micros(opened["tax_minor"], currency, 0 if imported else opened["occurred_at"]),
            "first_outcome": _answer(firsts[-1]) if firsts else "declined",
            "first_recorded_at": firsts[-1]["recorded_at"] if firsts else None,
            "first_code": first_failure["code"] if first_failure else "none",
            "first_decline_kind": _decline_kind(first_failure),
            "first_failed_at": first_failure["occurred_at"] if first_failure else None,
            "attempts": len(tries) + (opened["attempt"] if imported else 0),
            "mit_attempts": sum(row["initiator"] == "mit" for row in tries),
            "declines": len(failures),
            "notices": sum(row["kind"] == "notice.sent" for row in mine),
            "status": _STATUS[closing[-1]["kind"]] if closing else "open",
            "paid_at": paid["occurred_at"] if paid else None,
            "paid_recorded_at": paid["recorded_at"] if paid else None,
            "given_up_at": given_up["occurred_at"] if given_up else None,
            "given_up_recorded_at": given_up["recorded_at"] if given_up else None,
            "was_returned": any(row["kind"] == "payment.returned" for row in mine),
            "method_updated_at": _mended_at(life, opened, mine),
            "held_at": next((row["occurred_at"] for row in mine if row["kind"] == "subscription.put_on_hold"), None),
            "recovered_by": _recovery(life, opened, paid) if paid and failing_before(mine, paid, imported) else "none",
        }  # fmt: skip

    def attempt(self, life: list[Row], row: Row) -> Row:
        """One attempt; what became known later belongs to it."""
        mine = [r for r in life if r["invoice"] == row["invoice"]]
        opened = next(r for r in mine if r["kind"] in ("invoice.issued", "invoice.imported"))
        same = [r for r in mine if r["attempt"] == row["attempt"]]
        reconciled = next((r for r in same if r["kind"] == "payment_attempt.reconciled"), None)
        returned = next((r for r in same if r["kind"] == "payment.returned"), None)
        code = (returned or reconciled or row)["code"]
        currency, issued = self.money(life), opened["occurred_at"] if opened["kind"] == "invoice.issued" else 0
        return self.who(life, row) | {
            "method": row["method_kind"], "invoice": row["invoice"], "attempt": row["attempt"],
            "instrument": row["method"], "currency": currency, "gateway": row["gateway"],
            "initiator": row["initiator"],
            "is_signup": opened["kind"] == "invoice.issued" and _membership(life, opened) is None,
            "occurred_at": row["occurred_at"], "recorded_at": row["recorded_at"],
            "issued_at": None if opened["kind"] == "invoice.imported" else opened["occurred_at"],
            "outcome": _answer(reconciled or row), "code": code, "decline_kind": _decline_kind({"code": code}),
            "latency_ms": row["latency_ms"],
            "failed_calls": sum(r["kind"] == "gateway_call.failed" for r in same),
            "was_unknown": row["kind"] == TRIES[2], "was_returned": returned is not None,
            "amount_minor": row["amount_minor"], "amount_micros": self.micros(row["amount_minor"], currency, issued),
        }  # fmt: skip

    def subscription(self, life: list[Row], start: Row) -> Row:
        """One spell."""
        mine = _spell(life, start)
        end = next((row for row in mine if row["kind"] == "subscription.canceled"), None)
        asked = [row for row in mine if row["kind"] == "subscription.cancel_requested"]
        issued = [row["invoice"] for row in mine if row["kind"] == "invoice.issued"]
        failed = {row["invoice"] for row in mine if _answer(row) == "declined"}
        return self.who(life, start) | {
            "arm": self.arm(life, mine[-1]),
            "method": _preferred(life, mine[-1] if end is None else end)["method_kind"],
            "currency": self.money(life), "started_by": _started_by(start),
            "started_at": start["occurred_at"], "joined_on": start["period_start"],
            "cancel_requested_at": asked[-1]["occurred_at"] if asked else None,
            "ended_at": end["occurred_at"] if end else None,
            "ended_recorded_at": end["recorded_at"] if end else None,
            "end_reason": end["reason"] if end else "none",
            "status": "ended" if end else _standing(mine, asked, start),
            "renewals": len(issued), "failed_renewals": len(failed & set(issued)),
        }  # fmt: skip

    def months_of(self, life: list[Row], start: Row) -> list[Row]:
        """The spell cut into calendar months of the run."""
        mine = _spell(life, start)
        end = next((row for row in mine if row["kind"] == "subscription.canceled"), None)
        over = _instant(self.end)
        if start["occurred_at"] >= over or (end and end["occurred_at"] >= over):
            end = None
        facts, begins = [], _day(start["occurred_at"]).replace(day=1)
        while _instant(begins) < over and start["occurred_at"] < over:
            following = (begins + timedelta(days=32)).replace(day=1)
            closes = min(_instant(following), over)
            is_last = end is not None and end["occurred_at"] < closes
            facts.append(self.month(life, start, mine, begins, closes, end if is_last else None))
            if is_last:
                break
            begins = following
        return facts

    def month(self, life: list[Row], start: Row, mine: list[Row], begins: date, closes: int, end: Row | None) -> Row:
        """One month of a spell: it ends with the month, or with the spell."""
        until = end["occurred_at"] if end else closes
        begun = _instant(begins)
        there = start["occurred_at"] < begun or (start["occurred_at"] == begun and start["kind"] == STARTS[0])
        seen = [row for row in mine if row["occurred_at"] < until or row is start]
        past_due, on_hold = _trouble(seen, start)
        return self.who(life, start) | {
            "arm": self.arm(life, end or seen[-1]),
            "method": _preferred(life, end or seen[-1])["method_kind"], "currency": self.money(life),
            "month": (begins - date(1970, 1, 1)).days, "joined_on": start["period_start"],
            "active_at_start": there, "active_at_end": end is None,
            "joined": "none" if there else _started_by(start), "ended": end["reason"] if end else "none",
            "ended_at": end["occurred_at"] if end else None,
            "ended_recorded_at": end["recorded_at"] if end else None,
            "past_due_at_end": past_due and end is None, "on_hold_at_end": on_hold and end is None,
            "member_seconds": (until - max(begun, start["occurred_at"])) // 10**6,
            "net_start_minor": self.net(life, start, begun) if there else 0,
            "net_end_minor": self.net(life, start, until) if end is None else 0,
            "mrr_start_micros": self.mrr(life, start, begun) if there else 0,
            "mrr_end_micros": self.mrr(life, start, until) if end is None else 0,
        }  # fmt: skip

    def mrr(self, life: list[Row], start: Row, at: int) -> int:
        """What the price is worth per month, at the last rate before a moment."""
        return self.micros(self.net(life, start, at), self.money(life), at - 1) // self.months[start["plan"]]

    def net(self, life: list[Row], start: Row, at: int) -> int:
        """The price net of tax of the last invoice before a moment, or of the list for whoever has none."""
        bills = [row for row in life if row["kind"].startswith("invoice.i") and row["spell"] == start["spell"]]
        # A member who enters with an open invoice is worth that invoice from the first instant on.
        entered = [
            row for row in bills if row["kind"] == "invoice.imported" and row["occurred_at"] == start["occurred_at"]
        ]
        seen = [row for row in bills if row["occurred_at"] < at or (row in entered and at == start["occurred_at"])]
        if seen:
            return seen[-1]["amount_minor"] - seen[-1]["tax_minor"]
        prices = self.prices[start["market"], start["plan"]]
        net = [price for since, price in prices if since <= start["occurred_at"]]
        return (net or [prices[0][1]])[-1]

    def signup(self, life: list[Row], start: Row) -> Row:
        """One person trying to sign up."""
        mine = [row for row in life if row["spell"] == start["spell"] and row["sequence"] >= start["sequence"]]
        done = next((row for row in mine if row["kind"] in ("subscription.created", "signup.abandoned")), None)
        upto = mine if done is None else mine[: mine.index(done) + 1]
        return self.who(life, start) | {
            "method": start["method_kind"] if done is None else _preferred(life, done)["method_kind"],
            "started_at": start["occurred_at"], "recorded_at": start["recorded_at"],
            "started_by": start["reason"],
            "outcome": "open" if done is None else ("abandoned" if "abandoned" in done["kind"] else "paid"),
            "finished_at": done["occurred_at"] if done else None,
            "attempts": sum(row["kind"] in TRIES for row in upto) if done else 0,
        }  # fmt: skip

    def notice(self, life: list[Row], row: Row) -> Row:
        """One notice."""
        return self.who(life, row) | {
            "method": _preferred(life, row)["method_kind"], "invoice": row["invoice"],
            "sent_at": row["occurred_at"], "recorded_at": row["recorded_at"], "notice": row["reason"],
        }  # fmt: skip

    def method(self, life: list[Row], row: Row) -> Row:
        """One payment method on file, until the next one takes its place."""
        later = [r for r in life[life.index(row) + 1 :] if r["kind"] == "payment_method.updated"]
        mine = [r for r in later if r["spell"] == row["spell"] and _is_backup(life, r) == _is_backup(life, row)]
        return self.who(life, row) | {
            "method": row["method_kind"], "instrument": row["method"], "added_at": row["occurred_at"],
            "added_by": row["reason"], "expires_on": row["period_end"] or None,
            "replaced_at": mine[0]["occurred_at"] if mine else None,
        }  # fmt: skip


_STATUS = {
    "payment.captured": "paid", "payment.returned": "open", "invoice.voided": "void",
    "invoice.marked_uncollectible": "uncollectible",
}  # fmt: skip


def _enrolling(mine: list[Row]) -> Row | None:
    """The last row of an invoice that enrols the person while it is open."""
    found, is_open = None, True
    for row in mine:
        is_open = _STATUS[row["kind"]] == "open" if row["kind"] in _STATUS else is_open
        found = row if row["kind"] == ENROLLED and is_open else found
    return found


def _answer(row: Row) -> str | None:
    """What a row tells of an attempt."""
    match row["kind"]:
        case "payment_attempt.authorized":
            return "authorized"
        case "payment_attempt.declined" | "payment.returned":
            return "declined"
        case "payment_attempt.outcome_unknown":
            return "unknown"
        case "payment_attempt.reconciled":
            return "authorized" if row["reason"] == "authorized" else "declined"
    return None


def _decline_kind(row: Row | None) -> str:
    if row is None or row["code"] == "none":
        return "none"
    return "hard" if row["code"] in HARD else "soft"


def _in_order(life: list[Row], column: str, prefix: str) -> list[int]:
    return [row[column] for row in life if row["kind"] in (f"{prefix}issued", f"{prefix}imported")]


def _last(life: list[Row], row: Row, *kinds: str) -> Row:
    """The last row of these kinds up to a row."""
    return [r for r in life if r["kind"] in kinds and r["sequence"] <= row["sequence"]][-1]


def _membership(life: list[Row], row: Row) -> Row | None:
    """The start of the membership in which a row lies, if the person is a member then."""
    seen = [r for r in life if r["sequence"] < row["sequence"] and r["kind"] in (*STARTS, "subscription.canceled")]
    return seen[-1] if seen and seen[-1]["kind"] in STARTS else None


def _spell(life: list[Row], start: Row) -> list[Row]:
    """The rows of a spell from its start to its end; what comes back after the end is no part of it."""
    mine = [row for row in life if row["spell"] == start["spell"] and row["sequence"] >= start["sequence"]]
    ends = [i for i, row in enumerate(mine) if row["kind"] == "subscription.canceled"]
    return mine[: ends[0] + 1] if ends else mine


def _is_backup(life: list[Row], row: Row) -> bool:
    """Whether a row about a method means the one behind the preferred one."""
    backups = {r["method"] for r in life if r["reason"] == "backup" and r["kind"] == "payment_method.added"}
    return row["method"] in backups


def _preferred(life: list[Row], row: Row) -> Row:
    """The preferred method on file at a row (or at the spell's introduction, which names it)."""
    told = [r for r in life if r["sequence"] <= row["sequence"] and "method_kind" in r and _names_preferred(life, r)]
    return told[-1]


def _names_preferred(life: list[Row], row: Row) -> bool:
    if row["kind"].startswith("payment_method."):
        return not _is_backup(life, row)
    return row["kind"] in (*STARTS, "signup.started")


def _started_by(start: Row) -> str:
    if start["kind"] == STARTS[0]:
        return "imported"
    return "returning" if start["reason"] == "returning" else "new"


def _trouble(seen: list[Row], start: Row) -> tuple[bool, bool]:
    """Whether an invoice is failing and whether access is blocked after these rows of a spell."""
    past_due = start["reason"] in ("past_due", "on_hold")
    on_hold = start["reason"] == "on_hold"
    for row in seen:
        if _answer(row) == "declined" or row["kind"] == "invoice.imported":
            past_due = True
        elif row["kind"] == "payment.captured":
            past_due = False
        elif row["kind"] in ("subscription.put_on_hold", "subscription.restored"):
            on_hold = row["kind"] == "subscription.put_on_hold"
    return past_due, on_hold


def _standing(mine: list[Row], asked: list[Row], start: Row) -> str:
    past_due, on_hold = _trouble(mine, start)
    if on_hold:
        return "on_hold"
    if past_due:
        return "past_due"
    return "canceling" if asked or start["reason"] == "canceling" else "active"


def failing_before(mine: list[Row], paid: Row, imported: bool) -> bool:
    """Whether the invoice had failed before it was paid."""
    return imported or any(_answer(row) == "declined" and row["sequence"] < paid["sequence"] for row in mine)


def _changes(life: list[Row], opened: Row, until: Row | None) -> list[Row]:
    """Changes of the preferred method while the invoice of a member was failing."""
    found, failing, last = [], opened["kind"] == "invoice.imported", until["sequence"] if until else 10**9
    following = [r for r in life if r["sequence"] > opened["sequence"]]
    for row in following:
        if row["sequence"] >= last or row["kind"] in ("subscription.canceled", "invoice.issued"):
            break
        if _answer(row) == "declined" and _membership(life, row):
            failing = True
        elif row["kind"] == "payment.captured":
            failing = False
        elif failing and row["kind"] == "payment_method.updated" and not _is_backup(life, row):
            found.append(row)
    return found


def _mended_at(life: list[Row], opened: Row, mine: list[Row]) -> int | None:
    """The first change by the member after the first failure."""
    changes = [row for row in _changes(life, opened, None) if row["reason"] == "subscriber"]
    return changes[0]["occurred_at"] if changes else None


def _recovery(life: list[Row], opened: Row, paid: Row) -> str:
    """What preceded the success: the member's own attempt, the backup, new details, or a mere retry."""
    tries = [
        r for r in life if r["invoice"] == paid["invoice"] and r["kind"] in TRIES and r["sequence"] < paid["sequence"]
    ]
    if tries and tries[-1]["initiator"] == "cit":
        return "member"
    if tries and _is_backup(life, tries[-1]):
        return "backup"
    sources = [row["reason"] for row in _changes(life, opened, paid) if row["reason"] != "network_token"]
    return {"subscriber": "member", "account_updater": "updater"}.get(sources[-1] if sources else "", "retry")


def _day(instant: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)).date()


def _instant(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400_000_000
