"""Every log keeps its promises, and each promise can be seen to be broken in a damaged one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from billing_sim import clock, declines, events
from billing_sim.events import KIND_NAMES
from tests.log_promises import (
    CHECKS,
    INVOICE_MOVES,
    PERSON_MOVES,
    Row,
    amounts_agree,
    attempts_are_counted,
    captures_follow_a_yes,
    contacts_end_once,
    coupons_are_redeemed_before_they_count,
    credit_is_owed_before_it_is_used,
    decisions_wait_for_their_window,
    dunning_begins_once_and_with_a_failure,
    invoices_move_legally,
    methods_are_on_file,
    money_goes_back_once,
    nobody_is_charged_twice,
    nobody_is_enrolled_twice,
    nothing_is_billed_in_a_pause_or_trial,
    nothing_is_collected_after_the_end,
    one_invoice_is_open_at_a_time,
    only_what_was_asked_is_answered,
    people_move_legally,
    periods_do_not_overlap,
    read,
    reductions_follow_their_invoice,
    rows_use_only_their_columns,
    sequences_have_no_gaps,
    surveys_are_answered_once,
    time_runs_forward,
    unknown_outcomes_are_resolved,
)
from tests.world_builder import SCENARIOS, Log, happened, laid_over
from tests.world_texts import BUSY
from tests.world_texts_campaigns import SHARING
from tests.world_texts_experiments import MANY
from tests.world_texts_fraud import FRAUD
from tests.world_texts_plans import GENEROUS
from tests.world_texts_refunds import BUSY_FAULTS, CLAIMS
from tests.world_texts_saying import TALKATIVE
from tests.world_texts_support import CROWDED

MANDATES = """
members: 900
gateways: {northpay: {timeout: 25%}, harborpay: {timeout: 25%}}
failover: false
market_defaults: {signups: {per_month: 5%}}
markets: {GB: {behaviour: {voluntary_churn: 20% per month, bank_stop: {direct_debit: 30%}, attention: 60%,
          attention_on_hold: 70%, win_back: {voluntary: {month_1: 60%, month_6: 70%, month_12: 80%}}}}}
"""
"""Direct debits that come back, answers that are late, and people who leave and return meanwhile."""

WORLDS: dict[str, Callable[[], Log]] = {
    "busy": lambda: happened("members: 1200" + CLAIMS, BUSY_FAULTS),
    "mandates": lambda: happened(MANDATES, BUSY),
    "generous": lambda: happened(GENEROUS, BUSY),
    "campaigns": lambda: happened(SHARING, BUSY),
    "fraud": lambda: happened(FRAUD.replace("double_charges: 30%", "declines: 5%"), BUSY),
    "experiments": lambda: happened(f"members: 500\n{MANY}", BUSY),
    "talkative": lambda: happened(TALKATIVE, laid_over(BUSY, CROWDED)),
    "streaming": lambda: happened("members: 700", (SCENARIOS / "streaming.yaml").read_text()),
}


@cache
def lives(name: str) -> list[list[Row]]:
    """Everybody's rows as dictionaries."""
    return [read(rows) for _, rows in WORLDS[name]().lives()]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", WORLDS)
def test_every_log_keeps_the_promise(name, check):
    """Over every life of different worlds."""
    broken = [(life[0]["subscriber"], wrong) for life in lives(name) for wrong in check(life)]
    assert broken == []


TABLES = {"invoices": INVOICE_MOVES, "people": PERSON_MOVES}


@pytest.mark.parametrize("about", TABLES)
def test_every_legal_move_happens(about):
    """The tables hold no move that no world makes, but for some that need luck."""
    table = TABLES[about]
    made: set[tuple[str, str]] = set()
    for name in WORLDS:
        for life in lives(name):
            state: dict[int, str] = {}
            for row in life:
                key = row["invoice"] if about == "invoices" else 1
                move = (state.get(key, ""), row["kind"])
                if move in table and key:
                    made.add(move)
                    held = row["kind"] == "subscription.imported" and row["reason"] == events.ON_HOLD
                    state[key] = "held" if held and about == "people" else table[move]
    rare = {
        ("open", "payment_attempt.reconciled"), ("leaving", "subscription.cancel_requested"),
        ("unknown", "experiment.enrolled"), ("open", "fraud_review.closed"),
    }  # fmt: skip
    assert set(table) - made <= rare


@pytest.mark.parametrize("name", WORLDS)
def test_every_failure_is_explained_once_in_the_sealed_truth(name):
    """Declines, failed reconciliations and returns each have one latent cause; nothing else has one."""
    log = WORLDS[name]()
    failed = np.isin(log.rows["kind"], (events.ATTEMPT_DECLINED, events.PAYMENT_RETURNED, events.ATTEMPT_BLOCKED)) | (
        (log.rows["kind"] == events.ATTEMPT_RECONCILED) & (log.rows["reason"] == events.RESOLVED_FAILED)
    )
    told = log.truths[log.truths["kind"] == events.EXPLAINED]
    which = ["subscriber", "sequence", "invoice", "attempt"]
    assert sorted(told[which].tolist()) == sorted(log.rows[failed][which].tolist())
    assert (told["cause"] != declines.NO_CAUSE).all()


@pytest.mark.parametrize("name", WORLDS)
def test_every_loss_through_payment_is_judged_once(name):
    """Given up after dunning, or cancelled while a payment was failing; a voluntary end is not judged."""
    log = WORLDS[name]()
    ended = log.rows[log.rows["kind"] == events.SUBSCRIPTION_CANCELED]
    lost = ended[np.isin(ended["reason"], (events.NONPAYMENT, events.PAYMENT_TROUBLE))]
    judged = log.truths[log.truths["kind"] == events.LOSS_JUDGED]
    which = ["subscriber", "spell", "invoice"]
    assert judged[which].tolist() == lost[which].tolist()


def test_every_kind_of_event_happens():
    """No kind is documented that no world here ever writes."""
    kinds = {KIND_NAMES[int(kind)] for name in WORLDS for kind in np.unique(WORLDS[name]().rows["kind"])}
    assert kinds == set(KIND_NAMES.values())


def place(life: list[Row], kind: str, nth: int = 0) -> int:
    """Where the nth event of a kind stands."""
    return [i for i, row in enumerate(life) if row["kind"] == kind][nth]


def without(kind: str) -> Callable[[list[Row]], list[Row]]:
    """The damage of losing an event."""
    return lambda life: [row for i, row in enumerate(life) if i != place(life, kind)]


def twice(kind: str) -> Callable[[list[Row]], list[Row]]:
    """The damage of writing an event twice."""
    return lambda life: [*life[: place(life, kind)], life[place(life, kind)], *life[place(life, kind) :]]


def with_value(kind: str, nth: int = 0, **values: int) -> Callable[[list[Row]], list[Row]]:
    """The damage of another value in a row; `by_` adds to the one that is there."""

    def damaged(life: list[Row]) -> list[Row]:
        row = life[place(life, kind, nth)]
        for name, value in values.items():
            row[name.removeprefix("by_")] = value + (row[name[3:]] if name.startswith("by_") else 0)
        return life

    return damaged


def swapped(kind: str) -> Callable[[list[Row]], list[Row]]:
    """The damage of an event that changes places with the one before it, numbers aside."""

    def damaged(life: list[Row]) -> list[Row]:
        i = place(life, kind)
        return [*life[: i - 1], life[i], life[i - 1], *life[i + 1 :]]

    return damaged


DECLINED, AUTHORIZED = "payment_attempt.declined", "payment_attempt.authorized"


def at_once(life: list[Row]) -> list[Row]:
    """The damage of a retry at the moment of the decline before it."""
    return with_value(DECLINED, nth=1, occurred_at=life[place(life, DECLINED)]["occurred_at"])(life)


SABOTAGE = [
    (sequences_have_no_gaps, without("payment.captured")),
    (sequences_have_no_gaps, twice("invoice.issued")),
    (sequences_have_no_gaps, with_value("invoice.issued", subscriber=7)),
    (time_runs_forward, with_value("invoice.issued", nth=1, by_occurred_at=-60 * clock.DAY)),
    (time_runs_forward, with_value("payment.captured", by_recorded_at=-clock.HOUR * 24)),
    (time_runs_forward, with_value("payment_method.added", occurred_at=1 << 60)),
    (rows_use_only_their_columns, with_value("payment.captured", gateway=1)),
    (rows_use_only_their_columns, with_value("invoice.issued", code=1)),
    (invoices_move_legally, without("invoice.issued")),
    (invoices_move_legally, twice("payment.captured")),
    (invoices_move_legally, with_value("invoice.marked_uncollectible", by_invoice=-1)),
    (people_move_legally, twice("subscription.created")),
    (people_move_legally, without("subscription.canceled")),
    (people_move_legally, without("signup.started")),
    (one_invoice_is_open_at_a_time, without("payment.captured")),
    (one_invoice_is_open_at_a_time, twice("invoice.issued")),
    (amounts_agree, with_value("payment.captured", by_amount_minor=1)),
    (amounts_agree, with_value("invoice.issued", by_amount_minor=-1)),
    (amounts_agree, with_value("invoice.issued", tax_minor=10**9)),
    (amounts_agree, with_value(DECLINED, by_amount_minor=-1)),
    (attempts_are_counted, without(DECLINED)),
    (attempts_are_counted, twice(AUTHORIZED)),
    (attempts_are_counted, with_value(DECLINED, by_attempt=1)),
    (captures_follow_a_yes, without("payment.captured")),
    (captures_follow_a_yes, without(AUTHORIZED)),
    (captures_follow_a_yes, swapped("payment.captured")),
    (reductions_follow_their_invoice, swapped("discount.applied")),
    (reductions_follow_their_invoice, with_value("discount.applied", amount_minor=0)),
    (credit_is_owed_before_it_is_used, without("credit_note.issued")),
    (credit_is_owed_before_it_is_used, twice("credit.applied")),
    (methods_are_on_file, without("payment_method.added")),
    (methods_are_on_file, with_value(AUTHORIZED, method=9)),
    (methods_are_on_file, with_value(AUTHORIZED, by_method_kind=1)),
    (dunning_begins_once_and_with_a_failure, twice("dunning.started")),
    (dunning_begins_once_and_with_a_failure, without(DECLINED)),
    (dunning_begins_once_and_with_a_failure, swapped("dunning.started")),
    (nothing_is_collected_after_the_end, swapped("subscription.canceled")),
    (nothing_is_collected_after_the_end, without("signup.started")),
    (periods_do_not_overlap, with_value("invoice.issued", nth=1, by_period_start=-1)),
    (periods_do_not_overlap, with_value("invoice.issued", period_end=0)),
    (periods_do_not_overlap, with_value("invoice.issued", by_period_end=-1)),
    (unknown_outcomes_are_resolved, without("payment_attempt.reconciled")),
    (unknown_outcomes_are_resolved, with_value("payment_attempt.reconciled", by_attempt=1)),
    (decisions_wait_for_their_window, twice(DECLINED)),
    (money_goes_back_once, twice("refund.issued")),
    (money_goes_back_once, without("dispute.opened")),
    (money_goes_back_once, with_value("dispute.lost", by_amount_minor=1)),
    (decisions_wait_for_their_window, at_once),
    (only_what_was_asked_is_answered, without("survey.sent")),
    (only_what_was_asked_is_answered, with_value("survey.answered", score=11)),
    (only_what_was_asked_is_answered, without("notice.sent")),
    (only_what_was_asked_is_answered, swapped("offer.sent")),
    (nobody_is_charged_twice, twice("payment.captured")),
    (nobody_is_charged_twice, without("payment.returned")),
    (nothing_is_billed_in_a_pause_or_trial, without("subscription.resumed")),
    (nothing_is_billed_in_a_pause_or_trial, without("trial.ended")),
    (coupons_are_redeemed_before_they_count, without("coupon.redeemed")),
    (coupons_are_redeemed_before_they_count, twice("coupon.redeemed")),
    (coupons_are_redeemed_before_they_count, without("coupon.imported")),
    (nobody_is_enrolled_twice, twice("experiment.enrolled")),
    (nobody_is_enrolled_twice, with_value("experiment.enrolled", arm=0)),
    (contacts_end_once, without("contact.answered")),
    (contacts_end_once, twice("contact.resolved")),
    (surveys_are_answered_once, without("survey.sent")),
    (surveys_are_answered_once, twice("survey.answered")),
]  # fmt: skip


@pytest.mark.parametrize(("check", "damage"), SABOTAGE, ids=lambda value: getattr(value, "__name__", ""))
def test_a_damaged_log_is_rejected(check, damage):
    """For some life that the check accepts as it was written, it does not after the damage."""
    for life in [*lives("busy"), *lives("generous"), *lives("talkative"), *lives("experiments")]:
        try:
            damaged = damage([dict(row) for row in life])
        except IndexError:
            continue
        if any(check(damaged)):
            assert not any(check(life))
            return
    pytest.fail("no damaged life was rejected")


def test_every_check_is_shown_to_fail():
    """A check that cannot fail is worse than none: each has at least two damaged logs that it rejects."""
    shown = Counter(check for check, _ in SABOTAGE)
    assert all(shown[check] >= 2 for check in CHECKS)
