"""Stories of money that is late, comes back, runs out or is uncertain (see `test_stories`)."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from billing_sim import clock, events, people
from billing_sim.declines import CODES
from tests.log_promises import invoices_move_legally, read
from tests.world_builder import Log, behaviour, expected, happened, kinds_of, renewals
from tests.world_texts import OUTAGE

DEBIT_CAUSES = "latent_causes: {direct_debit: {funds: 60%, lifecycle: 40%, restricted: 0%, technical: 0%}}\n"
DEBITS = "members: 1500\n" + DEBIT_CAUSES
"""Direct debits of which many fail, for want of money or of a mandate."""


def debits(failing: str = "30%", **people_: str) -> str:
    """A world of direct debits of which so many fail."""
    return DEBITS + behaviour(
        method_mix="{direct_debit: 100%}", first_attempt_failure=f"{{direct_debit: {failing}}}", **people_
    )


def returns(rows) -> list[int]:
    """Places of the payments that came back."""
    return [i for i, row in enumerate(rows) if row["kind"] == events.PAYMENT_RETURNED]


def test_a_direct_debit_comes_back_days_after_it_was_captured_and_is_tried_again():
    """Paid on the day; two and a half to five days later the bank takes it back, and only now dunning begins."""
    log = happened(debits())

    def fits(rows):
        i = returns(rows)
        if len(i) != 1 or i[0] < 5 or CODES[rows["code"][i[0]]].code != "AM04":
            return False
        return kinds_of(rows)[i[0] + 3 : i[0] + 5] == ["payment_attempt.authorized", "payment.captured"]

    who = log.find(fits)
    i = returns(log.of(who))[0]
    story = [line.partition(" ")[2] for line in log.story(who)]
    assert story[i - 3 : i + 5] == expected("""
        invoice.issued
        payment_attempt.authorized mit
        payment.captured
        payment.returned AM04
        dunning.started
        notice.sent payment_failed
        payment_attempt.authorized mit
        payment.captured
    """)
    rows = log.of(who)
    lag = rows["occurred_at"][i] - rows["occurred_at"][i - 1]
    assert 2.5 * clock.DAY <= lag <= 5 * clock.DAY
    retried = rows["occurred_at"][i + 3] - rows["occurred_at"][i]
    assert abs(int(retried) - clock.DAY) < clock.SECOND
    assert set(rows["invoice"][i - 3 : i + 5]) == {rows["invoice"][i]}


def test_a_retry_that_comes_back_does_not_end_dunning():
    """A lapsed mandate: every debit is captured and returned, and on the tenth day at the latest the end comes."""
    log = happened(debits())
    lost = 0
    for _, rows in log.lives():
        begun = rows["invoice"][rows["kind"] == events.DUNNING_STARTED]
        failed = [i for i in returns(rows) if len(begun) and rows["invoice"][i] == begun[-1]]
        if len(failed) >= 2:
            later = kinds_of(rows[failed[-1] :])
            assert {"payment.captured", "subscription.canceled"} & set(later) or (
                rows["occurred_at"][failed[0]] > log.world.record.end[0] - 16 * clock.DAY
            )
            if later[-2:] == ["invoice.marked_uncollectible", "subscription.canceled"]:
                lost += 1
                window = rows["occurred_at"][-1] - rows["occurred_at"][failed[0]]
                assert window + clock.SECOND >= 10 * clock.DAY
                assert window <= 13 * clock.DAY
    assert lost > 50


def test_a_hold_that_was_lifted_too_early_comes_again():
    """A retry lifts the hold, comes back, and the hold is on again, each told once."""
    log = happened(debits().replace("members", "dunning_policies: {steady: {grace: 2 days}}\nmembers"))
    again = 0
    for _, rows in log.lives():
        holds = [kind for kind in kinds_of(rows) if kind in ("subscription.put_on_hold", "subscription.restored")]
        assert all(one != other for one, other in pairwise(holds))
        again += holds[:3] == ["subscription.put_on_hold", "subscription.restored", "subscription.put_on_hold"]
    assert again > 50


def test_a_payment_of_before_the_start_may_come_back_after_it():
    """The log has not seen its invoice: it is told first, then that its payment was returned."""
    log = happened(debits())
    told = ["invoice.imported", "payment.returned", "dunning.started"]
    who = log.find(lambda rows: kinds_of(rows)[2:5] == told and CODES[rows["code"][3]].code == "AM04")
    assert [line.partition(" ")[2] for line in log.story(who)[:5]] == expected("""
        subscription.imported active
        payment_method.added preferred
        invoice.imported
        payment.returned AM04
        dunning.started
    """)
    told = log.rows[log.rows["kind"] >= events.INVOICE_ISSUED]
    assert told["invoice"].min() == 1


def test_no_new_invoice_while_a_payment_can_come_back():
    """A retry late in the month is captured, and its return is awaited before the next period is charged."""
    log = happened(
        debits().replace("members", "dunning_policies: {steady: {retries: [24 days], end: 25 days}}\nmembers")
    )
    waited = 0
    for _, rows in log.lives():
        for i in returns(rows):
            assert rows["invoice"][i] == rows["invoice"][:i].max()
            before = rows[:i][rows["kind"][:i] == events.PAYMENT_CAPTURED]
            issued = rows[:i][rows["kind"][:i] == events.INVOICE_ISSUED]
            if len(before) and len(issued):
                due = int(issued["period_end"][-1]) * clock.DAY
                waited += before["occurred_at"][-1] < due + 5 * clock.HOUR < rows["occurred_at"][i] - clock.DAY
    assert waited > 0


def test_an_unknown_outcome_is_reconciled_and_charged_once():
    """No answer; within hours it turns out to be paid, or not; meanwhile nothing is tried."""
    log = happened("members: 300\ngateways: {northpay: {timeout: 30%}}\n")
    unknown = 0
    for _, rows in log.lives():
        for i in (rows["kind"] == events.ATTEMPT_UNKNOWN).nonzero()[0]:
            if i + 1 < len(rows):
                unknown += 1
                assert kinds_of(rows[i + 1 : i + 3]) in (
                    ["payment_attempt.reconciled", "payment.captured"], ["payment_attempt.reconciled"]
                )  # fmt: skip
                assert 0 < rows["occurred_at"][i + 1] - rows["occurred_at"][i] <= 7 * clock.HOUR
        captured = Counter(rows["invoice"][rows["kind"] == events.PAYMENT_CAPTURED].tolist())
        assert set(captured.values()) <= {1}
    assert unknown > 500


def test_an_unknown_outcome_that_failed_is_dunned_from_then_on():
    """The truth of the first attempt is known hours later; the retry comes a day after that."""
    log = happened(
        "members: 300\ngateways: {northpay: {timeout: 30%}}\n" + OUTAGE.format(at="2025-03-01", duration="5 days")
    )
    who = log.find(lambda rows: b"\x20\x21\x32" in rows["kind"].tobytes())
    i = kinds_of(log.of(who)).index("payment_attempt.outcome_unknown")
    while kinds_of(log.of(who))[i + 1 : i + 3] != ["payment_attempt.reconciled", "dunning.started"]:
        i += 1
    story = [line.partition(" ")[2] for line in log.story(who)]
    assert story[i - 1 : i + 4] == expected("""
        invoice.issued
        payment_attempt.outcome_unknown mit
        payment_attempt.reconciled mit 96 failed
        dunning.started
        notice.sent payment_failed
    """)


def test_a_gift_balance_runs_dry():
    """It pays for the sign-up and no more: the next charge finds it used up, and retrying does not fill it."""
    log = happened(
        "members: 500\n"
        + behaviour(method_mix="{gift_balance: 100%}", first_attempt_failure="{gift_balance: 100%}")
        + "    signups: {per_month: 60%}\n"
    )
    who = log.find(
        lambda rows: (
            (rows["subscriber"][0] >> people.KIND_SHIFT) & 3 == people.ARRIVAL
            and log.local(rows["occurred_at"][0]).strftime("%m-%d") == "09-05"
        )
    )
    assert log.story(who) == expected("""
        2025-09-05 signup.started new
        2025-09-05 payment_method.added preferred
        2025-09-05 invoice.issued
        2025-09-05 payment_attempt.authorized cit
        2025-09-05 payment.captured
        2025-09-05 subscription.created new
        2025-10-05 invoice.issued
        2025-10-05 payment_attempt.declined mit balance_used
        2025-10-05 dunning.started
        2025-10-05 notice.sent payment_failed
        2025-10-06 payment_attempt.declined mit balance_used
        2025-10-08 payment_attempt.declined mit balance_used
        2025-10-09 notice.sent payment_reminder
        2025-10-10 payment_attempt.declined mit balance_used
        2025-10-11 subscription.put_on_hold
        2025-10-11 notice.sent hold_started
        2025-10-12 payment_attempt.declined mit balance_used
        2025-10-15 invoice.marked_uncollectible
        2025-10-15 subscription.canceled nonpayment
    """)
    assert log.secrets(who)[-1] == "2025-10-15 loss.judged stay unable"


def test_doubling_the_price_doubles_amounts_and_nothing_else():
    """Money is counted: what people do here does not depend on it."""
    one, two = happened(), happened("markets: {US: {prices: {standard: 20.00 USD}}}")
    assert (one.rows["amount_minor"] * 2 == two.rows["amount_minor"]).all()
    kept = [name for name in one.rows.dtype.names if name not in ("amount_minor", "tax_minor")]
    assert (one.rows[kept] == two.rows[kept]).all()
    assert renewals("2025-01-05")[0] in one.story(one.member(5))


def test_who_has_cancelled_is_let_go_only_when_the_outcome_is_known():
    """A retry's answer takes weeks; the end of the period waits for it: nothing is captured from a void invoice."""
    log = happened(
        "resolution: 20 days\ngateways: {northpay: {timeout: 50%}}\n"
        "dunning_policies: {steady: {retries: [1 day, 10 days, 20 days, 24 days], grace: 39 days, end: 40 days}}\n"
        + debits(voluntary_churn="40% per month")
    )
    waited = 0
    for _, rows in log.lives():
        kinds = kinds_of(rows)
        assert not list(invoices_move_legally(read(rows)))
        if "subscription.canceled" in kinds and "subscription.cancel_requested" in kinds:
            asked = kinds.index("subscription.cancel_requested")
            due = int(rows["period_end"][asked]) * clock.DAY
            end = kinds.index("subscription.canceled")
            waited += "payment.returned" in kinds[asked:end] and rows["occurred_at"][end] > due + 2 * clock.DAY
    assert waited > 0


def test_coming_back_cancels_no_return_of_an_earlier_payment():
    """Whatever comes back from people who never return comes back from those who do; only then do they sign up."""
    longer = "return_lag: 60 days\n"
    leaving = {"voluntary_churn": "40% per month"}
    curve = "{voluntary: {month_1: 100%, month_6: 100%, month_12: 100%}}"
    gone, back = happened(longer + debits(**leaving)), happened(longer + debits(**leaving, win_back=curve))

    def returned(log: Log) -> set[tuple[int, int]]:
        rows = log.rows[(log.rows["kind"] == events.PAYMENT_RETURNED) & (log.rows["spell"] == 1)]
        return {(int(row["subscriber"]), int(row["invoice"])) for row in rows}

    assert returned(gone) == returned(back)
    late = [kinds_of(rows) for _, rows in back.lives()]
    assert sum("payment.returned invoice.marked_uncollectible signup.started" in " ".join(kinds) for kinds in late) > 20
