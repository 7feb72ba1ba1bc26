"""Facts the slow way: each one looked up in the whole life of a person, with no memory of what came before.

It shares no code with the fold: it reads the rows as dictionaries, groups them by invoice and by spell, and asks each
question of the group. Unknown or not-yet is None.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np

from tests.naive_refunds import Worth, dispute, on_attempt, on_invoice, refund
from tests.naive_saying import offer, on_notice, on_subscription, survey

Row = dict[str, Any]
Facts = dict[str, list[Row]]
OPENINGS = ("invoice.issued", "invoice.imported")
STARTS = ("subscription.imported", "subscription.created")
TRIES = (
    "payment_attempt.authorized", "payment_attempt.declined", "payment_attempt.outcome_unknown",
    "payment_attempt.pending", "payment_attempt.blocked",
)  # fmt: skip
PAUSES = ("subscription.paused", "pause.imported")
ENROLLED = "experiment.enrolled"
HARD = set("04 07 14 15 41 43 46 54 R0 R1 R3 AC04 MD01 VE carrier_barred balance_used blocked method_withdrawn".split())
WEEK = 7 * 86_400_000_000
EXPONENTS = {"JPY": 0, "KWD": 3}


class Naive:
    """What must be known of the world, read from the world events."""

    def __init__(self, told: Iterable[Row], vocabularies: dict[str, tuple[str, ...]], kinds: dict[int, str]) -> None:
        self.kinds, self.names = kinds, vocabularies
        self.region: dict[str, str] = {}
        self.currency: dict[str, str] = {}
        self.rates: dict[str, list[tuple[int, int]]] = {}
        self.interval: dict[str, str] = {}
        self.lasts: dict[str, tuple[bool, bool]] = {}
        self.share: dict[str, Fraction] = {}
        self.prices: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self.partner_keeps = 0
        self.launches: list[tuple[int, str, str]] = []
        for event in told:
            detail = json.loads(event.get("detail") or "{}")
            match event["kind"]:
                case "run.configured":
                    self.end = date.fromisoformat(detail["end"])
                case "market.opened":
                    self.region[event["market"]], self.currency[event["market"]] = detail["region"], event["currency"]
                case "exchange_rate.published":
                    self.rates.setdefault(event["currency"], []).append((event["occurred_at"], event["rate_nanos"]))
                case "partner_billing.agreed":
                    self.partner_keeps = event["share_ppm"] * (detail["booked"] == "net")
                case "plan.offered":
                    self.interval[event["plan"]] = detail["interval"]
                case "promotion.defined":
                    runs_out = bool(detail.get("cycles") or detail.get("free_months"))
                    lasts = detail.get("cycles", 2) > 1 and "free_months" not in detail
                    self.lasts[detail["coupon"]] = (lasts, runs_out)
                    self.share[detail["coupon"]] = Fraction(detail.get("percent", 0))
                case "market.launched":
                    self.launches.append((event["occurred_at"], event["market"], ""))
                case "payment_method.launched":
                    self.launches.append((event["occurred_at"], event["market"], detail["method"]))
                case "price.set":
                    net = event["amount_minor"] - detail["tax_minor"]
                    self.prices.setdefault((event["market"], event["plan"]), []).append((event["occurred_at"], net))

    def micros(self, amount_minor: int, currency: str, at: int) -> int:
        """Millionths of the reporting currency at the rate of a moment, rounded half up."""
        rates = self.rates[currency]
        rate = max((step for step in rates if step[0] <= at), default=rates[0])[1]
        exact = Fraction(amount_minor * rate, 10**9) * 10**6 / 10 ** EXPONENTS.get(currency, 2)
        return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)

    def launched(self, at: int, market: str = "") -> tuple[int, str, str] | None:
        """The last launch before a moment, of a method in this market or, without one, of a market."""
        found = [it for it in self.launches if it[0] <= at and bool(it[2]) == bool(market) and market in ("", it[1])]
        return max(found, key=lambda it: it[0]) if found else None

    def read(self, rows: np.ndarray) -> Row | list[Row]:
        """Rows as dictionaries, labels as text."""
        labels = {"market": "markets", "plan": "plans", "gateway": "gateways", "policy": "policies", "code": "codes",
                  "reason": "reasons", "method_kind": "method_kinds", "initiator": "initiators",
                  "network": "networks", "bin": "bins",
                  "coupon": "coupons", "channel": "channels", "arm": "arms"}  # fmt: skip
        found = []
        for values in rows.tolist():
            told = dict(zip(rows.dtype.names, values, strict=True))
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
            "refunds": [self.refund(life, row) for row in life if row["kind"] == "refund.issued"],
            "disputes": [self.dispute(life, row) for row in life if row["kind"] == "dispute.opened"],
            "contacts": [self.contact(life, row) for row in life if row["kind"] == "contact.opened"],
            "surveys": [self.about(life, row) | survey(life, row) for row in life if row["kind"] == "survey.sent"],
            "offers": [self.about(life, row) | offer(life, row) for row in life if row["kind"] == "offer.sent"],
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
            "arm": self.arm(life, row), "market": told["market"], "region": self.region[told["market"]],
            "plan": _plan(life, row, told), "interval": self.interval[_plan(life, row, told)],
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
        failures = [row for row in mine if _answer(row) in ("declined", "blocked")]
        first_failure = None if imported or not failures else failures[0]
        closing = [row for row in mine if row["kind"] in _STATUS]
        paid = closing[-1] if closing and closing[-1]["kind"] == "payment.captured" else None
        given_up = closing[-1] if closing and _STATUS[closing[-1]["kind"]] in ("void", "uncollectible") else None
        currency = self.money(life)
        dunning = [row for row in mine if row["kind"] in ("dunning.started", "invoice.imported")]
        first_try = next((row for row in tries if row["attempt"] == 1), None)
        return self.who(life, opened) | {
            "arm": self.arm(life, _enrolling(mine) or opened),
            # A change is paid for as the plan that it leads to.
            **({"plan": opened["plan"]} if opened["reason"] == "proration" else {}),
            "method": first_try["method_kind"] if first_try else _preferred(life, opened)["method_kind"],
            "invoice": number, "currency": currency,
            "policy": dunning[-1]["policy"] if dunning else None,
            "gateway": first_try["gateway"] if first_try and first_try["kind"] != TRIES[4] else None,
            "is_signup": not imported and (started is None or opened["reason"] == "proration"),
            "is_imported": imported,
            "issued_at": None if imported else opened["occurred_at"],
            "issued_recorded_at": None if imported else opened["recorded_at"],
            "spell_started_at": (started or opened)["occurred_at"],
            "period_start": opened["period_start"], "period_end": opened["period_end"],
            "amount_minor": opened["amount_minor"], "tax_minor": opened["tax_minor"],
            "amount_micros": self.micros(opened["amount_minor"], currency, 0 if imported else opened["occurred_at"]),
            "tax_micros": self.micros(opened["tax_minor"], currency, 0 if imported else opened["occurred_at"]),
            "first_outcome": _answer(firsts[-1]) if firsts else ("declined" if imported else "none"),
            "first_recorded_at": firsts[-1]["recorded_at"] if firsts else None,
            "first_code": first_failure["code"] if first_failure else "none",
            "first_decline_kind": _decline_kind(first_failure),
            "first_failed_at": first_failure["occurred_at"] if first_failure else None,
            "attempts": len(tries) + (opened["attempt"] if imported else 0),
            "mit_attempts": sum(row["initiator"] == "mit" for row in tries),
            "declines": len(failures),
            "notices": sum(row["kind"] == "notice.sent" for row in mine),
            "contacts_14d": 0 if imported else _contacts_soon(life, opened),
            "status": _STATUS[closing[-1]["kind"]] if closing else "open",
            "paid_at": paid["occurred_at"] if paid else None,
            "paid_recorded_at": paid["recorded_at"] if paid else None,
            "given_up_at": given_up["occurred_at"] if given_up else None,
            "given_up_recorded_at": given_up["recorded_at"] if given_up else None,
            "was_returned": any(row["kind"] == "payment.returned" for row in mine),
            "method_updated_at": _mended_at(life, opened, mine),
            "held_at": next((row["occurred_at"] for row in mine if row["kind"] == "subscription.put_on_hold"), None),
            "recovered_by": _recovery(life, opened, paid) if paid and failing_before(mine, paid, imported) else "none",
            "is_verification": opened["reason"] == "verification", "is_proration": opened["reason"] == "proration",
            "after_trial": _follows_trial(life, opened),
            "coupon": next((row["coupon"] for row in mine if row["kind"] == "discount.applied"), "none"),
            **{
                f"{name}_{unit}": sum(
                    row["amount_minor"] if unit == "minor"
                    else self.micros(row["amount_minor"], currency, row["occurred_at"])
                    for row in mine if row["kind"] == f"{name}.applied"
                )
                for name in ("discount", "credit") for unit in ("minor", "micros")
            },
        } | on_invoice(
            life, number, self.worth(life, number)(opened["amount_minor"]), self.partner_keeps, self.worth(life, number)
        )  # fmt: skip

    def worth(self, life: list[Row], number: int) -> Worth:
        """What minor units about an invoice are worth, at the rate of its issue."""
        opened = next(row for row in life if row["invoice"] == number and row["kind"] in OPENINGS)
        at = 0 if opened["kind"] == OPENINGS[1] else opened["occurred_at"]
        return lambda minor: self.micros(minor, self.money(life), at)

    def charge(self, life: list[Row], row: Row) -> Row:
        """What a refund or dispute takes from its invoice: who pays it, and when it was paid."""
        opened = next(r for r in life if r["invoice"] == row["invoice"] and r["kind"] in OPENINGS)
        paid = [r for r in life if r["invoice"] == row["invoice"] and r["kind"] == "payment.captured"]
        first = next(
            (r for r in life if r["invoice"] == row["invoice"] and r["kind"] in TRIES and r["attempt"] == 1), None
        )
        method = (first or _preferred(life, opened))["method_kind"]
        return self.who(life, opened) | {
            "method": method, "currency": self.money(life), "amount_minor": opened["amount_minor"],
            "charged_at": paid[-1]["occurred_at"],
        }  # fmt: skip

    def refund(self, life: list[Row], row: Row) -> Row:
        """One refund."""
        charge = self.charge(life, row)
        who = {name: value for name, value in charge.items() if name not in ("currency", "amount_minor", "charged_at")}
        return who | {"arm": self.arm(life, row)} | refund(row, charge, self.worth(life, row["invoice"]))

    def dispute(self, life: list[Row], row: Row) -> Row:
        """One dispute."""
        charge = self.charge(life, row)
        who = {name: value for name, value in charge.items() if name not in ("currency", "amount_minor", "charged_at")}
        return who | {"arm": self.arm(life, row)} | dispute(life, row, charge, self.worth(life, row["invoice"]))

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
            **({"plan": opened["plan"]} if opened["reason"] == "proration" else {}),
            "instrument": row["method"], "currency": currency,
            "gateway": None if row["kind"] == TRIES[4] else row["gateway"],
            "initiator": row["initiator"],
            "is_signup": opened["kind"] == "invoice.issued"
            and (_membership(life, opened) is None or opened["reason"] == "proration"),
            "occurred_at": row["occurred_at"], "recorded_at": row["recorded_at"],
            "issued_at": None if opened["kind"] == "invoice.imported" else opened["occurred_at"],
            "outcome": _answer(reconciled or row), "code": code, "decline_kind": _decline_kind({"code": code}),
            "latency_ms": row["latency_ms"],
            "failed_calls": sum(r["kind"] == "gateway_call.failed" for r in same),
            "was_unknown": row["kind"] == TRIES[2], "was_returned": returned is not None,
            "amount_minor": row["amount_minor"], "amount_micros": self.micros(row["amount_minor"], currency, issued),
            "authentication": _authentication(same),
            "score": row["score"], "bin": row["bin"], "is_pending": row["kind"] == TRIES[3],
            "was_reviewed": any(r["kind"] == "fraud_review.opened" for r in same),
            "review_seconds": _reviewed_for(same),
        } | on_attempt(same, self.partner_keeps, self.worth(life, row["invoice"]))  # fmt: skip

    def subscription(self, life: list[Row], start: Row) -> Row:
        """One spell."""
        mine = _spell(life, start)
        end = next((row for row in mine if row["kind"] == "subscription.canceled"), None)
        asked = [row for row in mine if row["kind"] == "subscription.cancel_requested"]
        kept = [row["sequence"] for row in mine if row["kind"] == "contact.resolved" and row["reason"] == "saved"]
        asked = [row for row in asked if row["sequence"] > max(kept, default=-1)]
        issued = [row["invoice"] for row in mine if row["kind"] == "invoice.issued" and row["reason"] != "proration"]
        trial = {row["kind"]: row for row in mine if row["kind"].startswith("trial.")}
        billed = [row["invoice"] for row in mine if row["kind"] == "invoice.issued" and _follows_trial(life, row)]
        moved = [row for row in life if row["invoice"] in billed and row["kind"].startswith("payment.")]
        failed = {row["invoice"] for row in mine if _answer(row) in ("declined", "blocked")}
        redeemed = [row for row in life if row["kind"] in ("coupon.redeemed", "coupon.imported")]
        coupons = [row for row in redeemed if row["spell"] == start["spell"]]
        return self.who(life, mine[-1]) | {
            "method": _preferred(life, mine[-1] if end is None else end)["method_kind"],
            "coupon": coupons[-1]["coupon"] if coupons else "none",
            "plan_changes": sum(row["kind"] == "subscription.plan_changed" for row in mine),
            "pauses": sum(row["kind"] in PAUSES for row in mine),
            "trial_started_at": _began(trial) if trial else None,
            "trial_ended_at": trial["trial.ended"]["occurred_at"] if "trial.ended" in trial else None,
            "trial_end": trial["trial.ended"]["reason"] if "trial.ended" in trial else "none",
            "trial_paid_at": moved[-1]["occurred_at"] if moved and moved[-1]["kind"] == "payment.captured" else None,
            "currency": self.money(life), "started_by": _started_by(start),
            "started_at": start["occurred_at"], "joined_on": start["period_start"],
            "cancel_requested_at": asked[-1]["occurred_at"] if asked else None,
            "ended_at": end["occurred_at"] if end else None,
            "ended_recorded_at": end["recorded_at"] if end else None,
            "end_reason": end["reason"] if end else "none",
            "status": "ended" if end else _standing(mine, asked, start),
            "renewals": len(issued), "failed_renewals": len(failed & set(issued)),
        } | on_subscription(life, start)  # fmt: skip

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
        seen = [row for row in mine if row["occurred_at"] < until or _enters(row, start)]
        past_due, on_hold = _trouble(seen, start)
        before = [row for row in mine if row["occurred_at"] < begun or (_enters(row, start) and there)]
        list_net, off, lasting, forever = self.price(life, start, until) if end is None else (0, 0, 0, 0)
        return self.who(life, end or seen[-1]) | {
            "method": _preferred(life, end or seen[-1])["method_kind"], "currency": self.money(life),
            "in_trial_at_start": there and _in_trial(before), "paused_at_start": there and _paused(before),
            "in_trial_at_end": end is None and _in_trial(seen), "paused_at_end": end is None and _paused(seen),
            "list_mrr_end_micros": self.mrr(life, start, list_net, until),
            "discounts_end_micros": self.mrr(life, start, off, until),
            "lasting_discounts_end_micros": self.mrr(life, start, lasting, until),
            "forever_discounts_end_micros": self.mrr(life, start, forever, until),
            "month": (begins - date(1970, 1, 1)).days, "joined_on": start["period_start"],
            "active_at_start": there, "active_at_end": end is None,
            "joined": "none" if there else _started_by(start), "ended": end["reason"] if end else "none",
            "ended_at": end["occurred_at"] if end else None,
            "ended_recorded_at": end["recorded_at"] if end else None,
            "past_due_at_end": past_due and end is None, "on_hold_at_end": on_hold and end is None,
            "member_seconds": (until - max(begun, start["occurred_at"])) // 10**6,
            "net_start_minor": self.net(life, start, begun) if there else 0,
            "net_end_minor": self.net(life, start, until) if end is None else 0,
            "mrr_start_micros": self.mrr(life, start, self.net(life, start, begun), begun) if there else 0,
            "mrr_end_micros": self.mrr(life, start, self.net(life, start, until), until) if end is None else 0,
        }  # fmt: skip

    def mrr(self, life: list[Row], start: Row, net: int, at: int) -> int:
        """What a price is worth per month, at the last rate before a moment."""
        before = [row for row in life if row["spell"] == start["spell"] and row["occurred_at"] < at]
        of_year, of_months = {"month": (1, 1), "year": (1, 12), "week": (52, 12)}[
            self.interval[_plan(life, before[-1] if before else start, start)]
        ]
        return self.micros(net, self.money(life), at - 1) * of_year // of_months

    def net(self, life: list[Row], start: Row, at: int) -> int:
        """What recurs: nothing in a trial or a pause, else the price less lasting discounts."""
        mine = [row for row in _spell(life, start) if row["occurred_at"] < at]
        if _in_trial(mine) or _paused(mine):
            return 0
        list_net, _, lasting, _ = self.price(life, start, at)
        return list_net - lasting

    def price(self, life: list[Row], start: Row, at: int) -> tuple[int, int, int, int]:
        """Net of tax: the price before discounts, all discounts, those that last, those that never run out.

        By the last invoice of a period or the last change of plan before a moment, or of the list for who has none.
        """
        kinds = ("invoice.issued", "invoice.imported", "subscription.plan_changed")
        bills = [
            row for row in life
            if row["kind"] in kinds and row["spell"] == start["spell"] and row["reason"] != "proration"
        ]  # fmt: skip
        # A member who enters with an open invoice is worth that invoice from the first instant on.
        entered = [
            row for row in bills if row["kind"] == "invoice.imported" and row["occurred_at"] == start["occurred_at"]
        ]
        seen = [row for row in bills if row["occurred_at"] < at or (row in entered and at == start["occurred_at"])]
        brought = [row for row in life if row["kind"] == "coupon.imported" and row["spell"] == start["spell"]]
        if not seen and brought:
            return self.listed(start), *self.off(brought[0])
        if not seen or seen[-1]["reason"] == "verification":
            return self.listed(start), 0, 0, 0
        if seen[-1]["kind"] == "subscription.plan_changed":
            return self.changed(life, start, seen[-1])
        net = _net(seen[-1])
        off = lasting = forever = 0
        if seen[-1]["kind"] == "invoice.issued":
            for row in life:
                if row["invoice"] == seen[-1]["invoice"] and row["kind"] in ("discount.applied", "credit.applied"):
                    net += _net(row)
                if row["invoice"] == seen[-1]["invoice"] and row["kind"] == "discount.applied":
                    off, lasting, forever = self.off(row)
        elif seen[-1] in entered and brought:
            off, lasting, forever = self.off(brought[0])
            net += off
        return net, off, lasting, forever

    def off(self, row: Row) -> tuple[int, int, int]:
        """What a coupon takes off, net of tax: all of it, what of it lasts, what of it never runs out."""
        return self.parts(row["coupon"], _net(row))

    def parts(self, coupon: str, net: int) -> tuple[int, int, int]:
        """A discount: all of it, what of it lasts, what of it never runs out."""
        lasts, runs_out = self.lasts[coupon]
        return net, net * lasts, net * (not runs_out)

    def changed(self, life: list[Row], start: Row, row: Row) -> tuple[int, int, int, int]:
        """The price of another plan; a discount that lasts is as large a share of it, or the same amount."""
        _, _, lasting, _ = self.price(life, start, row["occurred_at"])
        if not lasting:
            return _net(row), 0, 0, 0
        told = [r for r in life if r["kind"] in ("discount.applied", "coupon.imported") and r["spell"] == row["spell"]]
        coupon = [r["coupon"] for r in told if r["sequence"] < row["sequence"]][-1]
        share, due, tax = self.share[coupon], row["amount_minor"], row["tax_minor"]
        if not share:
            return _net(row), *self.parts(coupon, min(lasting, _net(row)))
        left = due - math.floor(due * share + Fraction(1, 2))
        return _net(row), *self.parts(coupon, _net(row) - (left - math.ceil(Fraction(tax * left, due))))

    def listed(self, start: Row) -> int:
        """The list price of a plan when a spell began, net of tax."""
        prices = self.prices[start["market"], start["plan"]]
        net = [price for since, price in prices if since <= start["occurred_at"]]
        return (net or [prices[0][1]])[-1]

    def signup(self, life: list[Row], start: Row) -> Row:
        """One person trying to sign up."""
        mine = [row for row in life if row["spell"] == start["spell"] and row["sequence"] >= start["sequence"]]
        done = next((row for row in mine if row["kind"] in ("subscription.created", "signup.abandoned")), None)
        upto = mine if done is None else mine[: mine.index(done) + 1]
        launch = self.launched(start["occurred_at"])
        return self.who(life, start) | {
            "weeks_since_launch": (start["occurred_at"] - launch[0]) // WEEK if launch else -1,
            "in_launched": launch is not None and launch[1] == start["market"],
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
        } | on_notice(life, row)  # fmt: skip

    def about(self, life: list[Row], row: Row) -> Row:
        """The person with their payment method of the moment."""
        return self.who(life, row) | {"method": _preferred(life, row)["method_kind"]}

    def contact(self, life: list[Row], row: Row) -> Row:
        """One contact with support: nobody has two under way, so what follows is about it until it is over."""
        later = [r for r in life[life.index(row) + 1 :] if r["kind"].startswith("contact.")]
        following = next((i for i, r in enumerate(later) if r["kind"] == "contact.opened"), len(later))
        told = {r["kind"].removeprefix("contact."): r for r in later[:following]}
        over = next((told[kind] for kind in _OVER if kind in told), None)
        handled = over if over and "abandoned" not in told else None
        waited = told.get("answered") or told.get("abandoned")
        same = [r for r in life if r["kind"] == "contact.opened" and r["reason"] == row["reason"]]
        place, week = same.index(row), 7 * 86_400_000_000
        currency = self.money(life)
        return self.who(life, row) | {
            "method": _preferred(life, row)["method_kind"], "invoice": row["invoice"], "currency": currency,
            "topic": row["reason"], "channel": row["channel"],
            "opened_at": row["occurred_at"], "recorded_at": row["recorded_at"],
            "answered_at": row["occurred_at"] + told["answered"]["latency_ms"] * 1000 if "answered" in told else None,
            "waited_seconds": waited["latency_ms"] // 1000 if waited
                              else (_instant(self.end) - row["occurred_at"]) // 10**6,
            "outcome": _OVER[over["kind"].removeprefix("contact.")] if over
                       else "answered" if "answered" in told else "open",
            "action": handled["reason"] if handled else "none",
            "closed_at": over["occurred_at"] if over else None,
            "closed_recorded_at": over["recorded_at"] if over else None,
            "is_repeat": place > 0 and row["occurred_at"] < same[place - 1]["occurred_at"] + week,
            "repeated_at": same[place + 1]["occurred_at"] if place + 1 < len(same) else None,
            "cost_minor": handled["fee_minor"] if handled else 0,
            "cost_micros": self.micros(handled["fee_minor"], currency, handled["occurred_at"]) if handled else 0,
        }  # fmt: skip

    def method(self, life: list[Row], row: Row) -> Row:
        """One payment method on file, until the next one takes its place."""
        later = [r for r in life[life.index(row) + 1 :] if r["kind"] == "payment_method.updated"]
        mine = [r for r in later if r["spell"] == row["spell"] and _is_backup(life, r) == _is_backup(life, row)]
        launch = self.launched(row["occurred_at"], self.who(life, row)["market"])
        return self.who(life, row) | {
            "weeks_since_launch": (row["occurred_at"] - launch[0]) // WEEK if launch else -1,
            "is_launched": launch is not None and launch[2] == row["method_kind"],
            "method": row["method_kind"], "instrument": row["method"], "added_at": row["occurred_at"],
            "added_by": row["reason"], "expires_on": row["period_end"] or None, "balance_minor": row["amount_minor"],
            "replaced_at": mine[0]["occurred_at"] if mine else None,
        }  # fmt: skip


_STATUS = {
    "payment.captured": "paid", "payment.returned": "open", "invoice.voided": "void",
    "invoice.marked_uncollectible": "uncollectible",
}  # fmt: skip


_OVER = {"abandoned": "abandoned", "resolved": "resolved", "closed_unresolved": "unresolved"}


def _contacts_soon(life: list[Row], opened: Row) -> int:
    """Contacts within a fortnight after an invoice was opened, and before the next one was."""
    found = 0
    for row in life[life.index(opened) + 1 :]:
        if row["kind"] in ("invoice.issued", "invoice.imported"):
            return found
        soon = row["occurred_at"] < opened["occurred_at"] + 14 * 86_400_000_000
        found += row["kind"] == "contact.opened" and soon
    return found


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
        case "payment_attempt.blocked":
            return "blocked"
        case "payment_attempt.outcome_unknown" | "payment_attempt.pending":
            return "unknown"
        case "payment_attempt.reconciled":
            return "authorized" if row["reason"] == "authorized" else "declined"
    return None


def _reviewed_for(same: list[Row]) -> int:
    """Whole seconds from the review of an attempt being asked for to its end."""
    asked = [row["occurred_at"] for row in same if row["kind"] == "fraud_review.opened"]
    decided = [row["occurred_at"] for row in same if row["kind"] == "fraud_review.closed"]
    return (decided[0] - asked[0]) // 1_000_000 if asked and decided else 0


def _authentication(rows: list[Row]) -> str:
    """How the customer authenticated before an attempt, of which these are all rows."""
    done = [row["reason"] for row in rows if row["kind"] == "authentication.completed"]
    return done[0].removeprefix("challenge_") if done else "none"


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


def _plan(life: list[Row], row: Row, told: Row) -> str:
    """The plan at a row: the one that the spell began with, or the last that it changed to."""
    changes = [
        r for r in life
        if r["kind"] == "subscription.plan_changed" and told["sequence"] <= r["sequence"] <= row["sequence"]
    ]  # fmt: skip
    return changes[-1]["plan"] if changes else told["plan"]


def _net(row: Row) -> int:
    return row["amount_minor"] - row["tax_minor"]


def _in_trial(seen: list[Row]) -> bool:
    told = [row["kind"] for row in seen if row["kind"].startswith("trial.")]
    return bool(told) and told[-1] != "trial.ended"


def _enters(row: Row, start: Row) -> bool:
    """Whether a row is a start, or tells what a member of the base brings along."""
    return row is start or (row["kind"].endswith(".imported") and row["occurred_at"] == start["occurred_at"])


def _began(trial: dict[str, Row]) -> int:
    """When a trial began: one of before the run at midnight of its day."""
    if "trial.imported" in trial:
        return trial["trial.imported"]["period_start"] * 86_400_000_000
    return trial["trial.started"]["occurred_at"]


def _paused(seen: list[Row]) -> bool:
    told = [row["kind"] for row in seen if row["kind"] in (*PAUSES, "subscription.resumed")]
    return bool(told) and told[-1] in PAUSES


def _follows_trial(life: list[Row], opened: Row) -> bool:
    """Whether an invoice is the first one after a trial of its spell."""
    told = [row for row in life if row["spell"] == opened["spell"] and row["sequence"] < opened["sequence"]]
    kinds = [row["kind"] for row in told if row["kind"] == "invoice.issued" or row["reason"] == "trial_converted"]
    return bool(kinds) and kinds[-1] == "trial.ended"


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
        if _answer(row) in ("declined", "blocked") or row["kind"] == "invoice.imported":
            past_due = True
        elif row["kind"] in ("payment.captured", "invoice.voided"):
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
    if asked or start["reason"] == "canceling":
        return "canceling"
    return "paused" if _paused(mine) else "in_trial" if _in_trial(mine) else "active"


def failing_before(mine: list[Row], paid: Row, imported: bool) -> bool:
    """Whether the invoice had failed before it was paid."""
    return imported or any(
        _answer(row) in ("declined", "blocked") and row["sequence"] < paid["sequence"] for row in mine
    )


def _changes(life: list[Row], opened: Row, until: Row | None) -> list[Row]:
    """Changes of the preferred method while the invoice of a member was failing."""
    found, failing, last = [], opened["kind"] == "invoice.imported", until["sequence"] if until else 10**9
    following = [r for r in life if r["sequence"] > opened["sequence"]]
    for row in following:
        if row["sequence"] >= last or row["kind"] in ("subscription.canceled", "invoice.issued"):
            break
        if _answer(row) in ("declined", "blocked") and _membership(life, row):
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
