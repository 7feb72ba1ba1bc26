"""What every log promises, as a list of small checks over one life; adding a promise is adding a function.

A check gets the rows of a person as dictionaries with the kind as text (`read`), and yields what is wrong in words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from billing_sim import clock, events, people
from billing_sim.events import EVENTS, KIND_NAMES
from billing_sim.money import AMOUNT_LIMIT

Row = dict[str, Any]
Check = Callable[[list[Row]], Iterator[str]]

ANSWERS = (
    "payment_attempt.authorized", "payment_attempt.declined", "payment_attempt.outcome_unknown",
    "payment_attempt.pending", "payment_attempt.blocked",
)  # fmt: skip
OF_AN_INVOICE = ("payment.", "payment_attempt.", "dispute.opened", "fraud.reported")
FAILURES = ("payment_attempt.declined", "payment_attempt.reconciled", "payment.returned", "payment_attempt.blocked")
MEMBER = ("subscription.imported", "subscription.created")
MONEY_BACK = (
    "payment.duplicated", "refund.issued", "dispute.opened", "dispute.represented", "dispute.won", "dispute.lost",
    "fraud.reported",
)  # fmt: skip
"""What may happen to a charge at any time after it was made, also when the subscription has ended."""
SAID = (
    "contact.opened", "contact.answered", "contact.abandoned", "contact.resolved", "contact.closed_unresolved",
    "notice.opened", "notice.undelivered", "offer.sent", "survey.sent", "survey.answered", "exit_survey.answered",
)  # fmt: skip
"""What people and we say, whatever the state of an invoice."""

SAID_LATE = (
    "contact.answered", "contact.abandoned", "contact.resolved", "contact.closed_unresolved", "offer.sent",
    "survey.sent", "survey.answered", "exit_survey.answered", "notice.opened", "notice.undelivered",
    "campaign.reached", "campaign.shared", "campaign.replied", "campaign.landed", "campaign.email_left",
    "sharing.restricted", "coupon.redeemed",
)  # fmt: skip
"""What may still be said when the subscription has ended."""

INVOICE_MOVES = {
    ("", "invoice.issued"): "open", ("", "invoice.imported"): "open",
    ("open", "payment_attempt.authorized"): "open", ("open", "payment_attempt.declined"): "open",
    ("open", "payment_attempt.outcome_unknown"): "unknown", ("unknown", "payment_attempt.reconciled"): "open",
    # A member who is imported while an outcome is unknown, or somebody looks at it: the log has not seen the question.
    ("open", "payment_attempt.reconciled"): "open", ("open", "fraud_review.closed"): "open",
    ("open", "gateway_call.failed"): "open", ("open", "payment.captured"): "paid", ("paid", "payment.returned"): "open",
    ("open", "authentication.completed"): "open", ("open", "payment_attempt.blocked"): "open",
    ("open", "payment_attempt.pending"): "unknown",
    ("open", "fraud_review.opened"): "unknown", ("unknown", "fraud_review.closed"): "open",
    # The same for a payment of before the start.
    ("open", "payment.returned"): "open",
    ("open", "dunning.started"): "open", ("open", "notice.sent"): "open", ("unknown", "notice.sent"): "unknown",
    ("open", "experiment.enrolled"): "open", ("unknown", "experiment.enrolled"): "unknown",
    ("open", "subscription.put_on_hold"): "open", ("unknown", "subscription.put_on_hold"): "unknown",
    ("paid", "subscription.restored"): "paid",
    ("open", "invoice.voided"): "void", ("open", "invoice.marked_uncollectible"): "uncollectible",
    ("paid", "subscription.canceled"): "paid", ("void", "subscription.canceled"): "void",
    ("paid", "subscription.plan_changed"): "paid",
    ("open", "discount.applied"): "open", ("open", "credit.applied"): "open",
    ("uncollectible", "subscription.canceled"): "uncollectible", ("void", "signup.abandoned"): "void",
}  # fmt: skip
"""Legal moves of an invoice: (its state, an event about it) -> its state afterwards."""

PERSON_MOVES = {
    ("", "subscription.imported"): "member", ("", "signup.started"): "trying", ("out", "signup.started"): "trying",
    ("trying", "subscription.created"): "member", ("trying", "signup.abandoned"): "out",
    ("member", "subscription.cancel_requested"): "leaving", ("member", "subscription.canceled"): "out",
    # Who has cancelled may still be dunned for a payment that came back, and cancel for that.
    ("leaving", "subscription.cancel_requested"): "leaving", ("leaving", "subscription.canceled"): "out",
    ("member", "subscription.put_on_hold"): "held", ("leaving", "subscription.put_on_hold"): "held",
    ("held", "subscription.restored"): "member", ("held", "subscription.canceled"): "out",
    ("held", "subscription.cancel_requested"): "held",
}  # fmt: skip
"""Legal moves of a person, by the events that move one."""


def read(rows: np.ndarray) -> list[Row]:
    """The rows of a life as dictionaries."""
    names = rows.dtype.names
    life = [dict(zip(names, values, strict=True)) for values in rows.tolist()]
    for row in life:
        row.pop("filler", None)
        row["kind"] = KIND_NAMES[row["kind"]]
    return life


def sequences_have_no_gaps(life: list[Row]) -> Iterator[str]:
    """A life is numbered from 0, and all of it is one person's."""
    if [row["sequence"] for row in life] != list(range(len(life))) or len({row["subscriber"] for row in life}) != 1:
        yield "the sequence has gaps"


def time_runs_forward(life: list[Row]) -> Iterator[str]:
    """Nothing happens before what came before it, or is known before it happened."""
    moments = [row["occurred_at"] for row in life]
    if moments != sorted(moments):
        yield "time runs backwards"
    if any(row["recorded_at"] < row["occurred_at"] for row in life):
        yield "something was known before it happened"


_COLUMNS = {kind.name: {column.name for column in events.ENVELOPE} | set(kind.columns) for kind in EVENTS}


def rows_use_only_their_columns(life: list[Row]) -> Iterator[str]:
    """A column that a kind does not have stays empty."""
    for row in life:
        strange = [name for name, value in row.items() if value and name not in _COLUMNS[row["kind"]]]
        if strange:
            yield f"{row['kind']} has {strange}"


def invoices_move_legally(life: list[Row]) -> Iterator[str]:
    """Every event about an invoice is one that its state allows."""
    states: dict[int, str] = {}
    for row in life:
        if row["invoice"] and row["kind"] not in ("subscription.imported", *MONEY_BACK, *SAID):
            before = states.get(row["invoice"], "")
            after = INVOICE_MOVES.get((before, row["kind"]))
            if after is None:
                yield f"{row['kind']} on an invoice that is {before or 'unknown to the log'}"
            states[row["invoice"]] = after or before


def people_move_legally(life: list[Row]) -> Iterator[str]:
    """A person signs up, is a member, leaves, and comes back, in this order."""
    state = ""
    for row in life:
        if row["kind"] in {kind for _, kind in PERSON_MOVES}:
            start = "held" if row["kind"] == MEMBER[0] and row["reason"] == events.ON_HOLD else ""
            after = PERSON_MOVES.get((state, row["kind"]))
            if after is None:
                yield f"{row['kind']} of somebody who is {state or 'unknown'}"
            state = start or after or state


def one_invoice_is_open_at_a_time(life: list[Row]) -> Iterator[str]:
    """No new invoice while one waits to be paid."""
    is_open = False
    for row in life:
        if row["kind"] in ("invoice.issued", "invoice.imported"):
            if is_open:
                yield f"invoice {row['invoice']} while another is open"
            is_open = True
        elif row["kind"] in ("payment.captured", "invoice.voided", "invoice.marked_uncollectible"):
            is_open = False
        elif row["kind"] == "payment.returned":
            is_open = True


def amounts_agree(life: list[Row]) -> Iterator[str]:
    """Whatever is tried, taken or returned is the amount of its invoice; the tax lies within it."""
    due: dict[int, int] = {}
    for row in life:
        if row["kind"] in ("invoice.issued", "invoice.imported"):
            due[row["invoice"]] = row["amount_minor"]
            if not 0 <= row["tax_minor"] <= row["amount_minor"] <= AMOUNT_LIMIT:
                yield "a tax or an amount out of bounds"
        elif row["kind"].startswith(OF_AN_INVOICE) and row["amount_minor"] != due.get(row["invoice"]):
            yield f"{row['kind']} of another amount than its invoice"


def attempts_are_counted(life: list[Row]) -> Iterator[str]:
    """Attempts of an invoice are numbered from 1, or go on from those made before the start."""
    last: dict[int, int] = {}
    for row in life:
        if row["kind"] == "invoice.imported":
            last[row["invoice"]] = row["attempt"]
        elif row["kind"] in ANSWERS:
            if row["attempt"] != last.get(row["invoice"], 0) + 1:
                yield f"attempt {row['attempt']} after {last.get(row['invoice'], 0)}"
            last[row["invoice"]] = row["attempt"]


def captures_follow_a_yes(life: list[Row]) -> Iterator[str]:
    """Money is taken right after an authorized or reconciled attempt, and after every one of these; bots only test."""
    if life[0]["subscriber"] & ((1 << people.ARRIVAL_SHIFT) - 1) >= people.BOTS_FROM:
        life = []
    for before, row in zip([{"kind": ""}, *life], life, strict=False):
        yes = before["kind"] == ANSWERS[0] or (
            before["kind"] == "payment_attempt.reconciled" and before["reason"] == events.RESOLVED_AUTHORIZED
        )
        if row["kind"] == "payment.captured" and not row["attempt"] and not row["amount_minor"] and not yes:
            continue  # nothing was left to pay
        if yes != (row["kind"] == "payment.captured"):
            yield f"{row['kind']} after {before['kind']}"


def reductions_follow_their_invoice(life: list[Row]) -> Iterator[str]:
    """What a coupon or a credit takes off is told right after its invoice, and is never nothing."""
    kinds = ("invoice.issued", "discount.applied")
    for before, row in zip([{"kind": "", "invoice": 0}, *life], life, strict=False):
        is_right = before["kind"] in kinds and before["invoice"] == row["invoice"] and row["amount_minor"] > 0
        if row["kind"] in ("discount.applied", "credit.applied") and not is_right:
            yield f"{row['kind']} after {before['kind']}"


def credit_is_owed_before_it_is_used(life: list[Row]) -> Iterator[str]:
    """No more credit is used than credit notes have given, less what a void invoice gave back."""
    owed, used = 0, {}
    for row in life:
        if row["kind"] == "credit_note.issued":
            owed += row["amount_minor"]
        elif row["kind"] == "credit.applied":
            owed -= row["amount_minor"]
            used[row["invoice"]] = row["amount_minor"]
        elif row["kind"] == "invoice.voided":
            owed += used.get(row["invoice"], 0)
        if owed < 0:
            yield "more credit used than owed"


def methods_are_on_file(life: list[Row]) -> Iterator[str]:
    """An attempt is made with a method that was put on file before, and of the kind that was said."""
    on_file: dict[int, int] = {}
    for row in life:
        if row["kind"].startswith("payment_method."):
            on_file[row["method"]] = row["method_kind"]
        elif row["kind"] in ANSWERS and on_file.get(row["method"]) != row["method_kind"]:
            yield f"an attempt with method {row['method']}, which is not on file"


def dunning_begins_once_and_with_a_failure(life: list[Row]) -> Iterator[str]:
    """The first failure of a member's invoice starts it, at once, or once it has enrolled them in an experiment."""
    begun = Counter(row["invoice"] for row in life if row["kind"] == "dunning.started")
    if any(count > 1 for count in begun.values()):
        yield "dunning began twice"
    for before, row in pairwise(row for row in life if row["kind"] != "experiment.enrolled"):
        if row["kind"] == "dunning.started" and before["kind"] not in FAILURES:
            yield f"dunning after {before['kind']}"


def nothing_is_collected_after_the_end(life: list[Row]) -> Iterator[str]:
    """Whoever is gone is not charged: a payment may come back, and a new sign-up may begin."""
    allowed = {"payment.returned", "invoice.imported", "invoice.marked_uncollectible", "signup.started",
               "experiment.enrolled", *MONEY_BACK, *SAID_LATE}  # fmt: skip
    gone = False
    for row in life:
        if gone and row["kind"] not in allowed:
            yield f"{row['kind']} after the end"
        gone = row["kind"] == "subscription.canceled" or (gone and row["kind"] != "signup.started")


def money_goes_back_once(life: list[Row]) -> Iterator[str]:
    """Only of what was charged, no more than that, and a case is opened before it is won or lost."""
    charged: Counter[tuple[int, bool]] = Counter()
    open_cases: Counter[tuple[int, int]] = Counter()
    for row in life:
        is_surplus = row["kind"] == "payment.duplicated" or row["reason"] in (events.DUPLICATE, events.UNAUTHORISED)
        charge, case = (row["invoice"], is_surplus), (row["invoice"], row["reason"])
        if row["kind"] in ("payment.captured", "payment.duplicated"):
            charged[charge] += row["amount_minor"]
        elif row["kind"] in ("payment.returned", "refund.issued", "dispute.lost") and charged[charge] > 0:
            charged[charge] -= row["amount_minor"]
        elif row["kind"] in ("refund.issued", "dispute.lost") or (
            row["kind"] == "payment.returned" and charge in charged
        ):
            yield f"{row['kind']} of what was not charged"
        if charged[charge] < 0:
            yield f"{row['kind']} of more than was charged"
        open_cases[case] += row["kind"] == "dispute.opened"
        open_cases[case] -= row["kind"] in ("dispute.won", "dispute.lost")
        if open_cases[case] not in (0, 1):
            yield f"{row['kind']} in a case that is not open"


def only_what_was_asked_is_answered(life: list[Row]) -> Iterator[str]:
    """An answer follows its survey and fits its scale, what is opened has arrived, and only who is gone gets offers."""
    highest, unread, is_gone = 0, 0, False
    for row in life:
        match row["kind"]:
            case "survey.sent":
                highest = row["score"]
            case "survey.answered":
                lowest = 0 if highest == 10 else 1
                if not highest or not lowest <= row["score"] <= highest:
                    yield "an answer that was not asked for"
                highest = 0
            case "notice.sent":
                unread += 1
            case "notice.opened" | "notice.undelivered":
                unread -= 1
                if unread < 0:
                    yield "a notice opened that was never sent"
            case "offer.sent":
                if not is_gone:
                    yield "an offer to come back to somebody who is there"
        is_gone = row["kind"] == "subscription.canceled" or (is_gone and row["kind"] != "signup.started")


def periods_do_not_overlap(life: list[Row]) -> Iterator[str]:
    """Nobody pays twice for a day; days are left out only after an invoice that failed."""
    until: dict[int, int] = {}
    failed: set[int] = set()
    for row in life:
        if row["kind"] in (*FAILURES, "invoice.imported"):
            failed.add(row["spell"])
        if row["kind"] in ("subscription.paused", "pause.imported"):
            until[row["spell"]] = row["period_end"]
        if row["kind"] in ("invoice.issued", "invoice.imported") and row["reason"] != events.PRORATION:
            last = until.get(row["spell"], row["period_start"])
            if row["period_start"] < last or row["period_end"] <= row["period_start"]:
                yield "periods overlap"
            if row["period_start"] > last and row["spell"] not in failed:
                yield "days were left out"
            until[row["spell"]] = row["period_end"]


def unknown_outcomes_are_resolved(life: list[Row]) -> Iterator[str]:
    """No attempt on an invoice while another one's outcome is unknown; it is known within a day, or the log ends."""
    for i, row in enumerate(life):
        if row["kind"] == ANSWERS[2]:
            later = [r for r in life[i + 1 :] if r["invoice"] == row["invoice"] and "attempt" in r["kind"]]
            if later and (later[0]["kind"], later[0]["attempt"]) != ("payment_attempt.reconciled", row["attempt"]):
                yield "an attempt while an outcome is unknown"
            if not later and life[-1]["occurred_at"] - row["occurred_at"] > clock.DAY:
                yield "an unknown outcome that never became known"


def decisions_wait_for_their_window(life: list[Row]) -> Iterator[str]:
    """The reaction rule: no two merchant-initiated attempts in one hour, but for the backup's in the same decision."""
    tries = [row for row in life if row["kind"] in ANSWERS and row["initiator"] == events.MIT]
    for before, row in pairwise(tries):
        hours = [(r["occurred_at"] - r["latency_ms"] * 1000) // clock.HOUR for r in (before, row)]
        if before["invoice"] == row["invoice"] and hours[0] == hours[1] and before["method"] == row["method"]:
            yield "two attempts in one window"


def nobody_is_charged_twice(life: list[Row]) -> Iterator[str]:
    """An invoice is captured once, and again only when the money came back; a surplus charge is called one."""
    held: Counter[int] = Counter()
    for row in life:
        held[row["invoice"]] += (row["kind"] == "payment.captured") - (row["kind"] == "payment.returned")
        if row["kind"] == "payment.captured" and held[row["invoice"]] > 1:
            yield f"invoice {row['invoice']} is captured twice"


def nothing_is_billed_in_a_pause_or_trial(life: list[Row]) -> Iterator[str]:
    """No invoice between a pause and its end, nor between the start and the end of a trial."""
    begins = {
        "subscription.paused": "a pause", "trial.started": "a trial",
        "pause.imported": "a pause", "trial.imported": "a trial",
    }  # fmt: skip
    ends = {"subscription.resumed": "a pause", "trial.ended": "a trial"}
    under_way: set[str] = set()
    for row in life:
        if row["kind"] == "invoice.issued" and under_way:
            yield f"an invoice in {min(under_way)}"
        under_way |= {begins[row["kind"]]} if row["kind"] in begins else set()
        under_way -= {ends[row["kind"]]} if row["kind"] in ends else set()
        under_way = set() if row["kind"] == "subscription.canceled" else under_way


def coupons_are_redeemed_before_they_count(life: list[Row]) -> Iterator[str]:
    """A coupon is redeemed once in a life, and takes something off only in the spell in which it was."""
    redeemed: dict[int, int] = {}
    for row in life:
        if row["kind"] in ("coupon.redeemed", "coupon.imported"):
            if row["coupon"] in redeemed:
                yield f"coupon {row['coupon']} is redeemed again"
            redeemed[row["coupon"]] = row["spell"]
        elif row["kind"] == "discount.applied" and redeemed.get(row["coupon"]) != row["spell"]:
            yield f"coupon {row['coupon']} takes something off and was not redeemed"


def nobody_is_enrolled_twice(life: list[Row]) -> Iterator[str]:
    """Nobody is put into the same arm of an experiment again."""
    arms = [row["arm"] for row in life if row["kind"] == "experiment.enrolled"]
    if len(set(arms)) < len(arms) or 0 in arms:
        yield "enrolled twice"


CONTACT_MOVES = {
    ("", "contact.opened"): "waiting", ("waiting", "contact.abandoned"): "", ("waiting", "contact.answered"): "served",
    ("served", "contact.resolved"): "", ("served", "contact.closed_unresolved"): "",
}  # fmt: skip
"""Legal moves of a contact; nobody has two under way."""


def contacts_end_once(life: list[Row]) -> Iterator[str]:
    """A contact is opened, is answered or given up, and is closed once when it was answered."""
    state = ""
    for row in life:
        if row["kind"].startswith("contact."):
            after = CONTACT_MOVES.get((state, row["kind"]))
            if after is None:
                yield f"{row['kind']} of a contact that is {state or 'not open'}"
            state = state if after is None else after


def surveys_are_answered_once(life: list[Row]) -> Iterator[str]:
    """An answer belongs to a survey that was sent, and each is answered once."""
    waiting = 0
    for row in life:
        waiting += (row["kind"] == "survey.sent") - (row["kind"] == "survey.answered")
        if waiting < 0:
            yield "an answer that nobody asked for"
            waiting = 0


CHECKS: tuple[Check, ...] = (
    reductions_follow_their_invoice, credit_is_owed_before_it_is_used,
    sequences_have_no_gaps, time_runs_forward, rows_use_only_their_columns, invoices_move_legally, people_move_legally,
    one_invoice_is_open_at_a_time, amounts_agree, attempts_are_counted, captures_follow_a_yes, methods_are_on_file,
    dunning_begins_once_and_with_a_failure, nothing_is_collected_after_the_end, periods_do_not_overlap,
    unknown_outcomes_are_resolved, decisions_wait_for_their_window, money_goes_back_once,
    only_what_was_asked_is_answered,
    nobody_is_charged_twice, nothing_is_billed_in_a_pause_or_trial, coupons_are_redeemed_before_they_count,
    nobody_is_enrolled_twice, contacts_end_once, surveys_are_answered_once,
)  # fmt: skip
