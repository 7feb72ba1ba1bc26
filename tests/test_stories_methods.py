"""Stories of cards that expire and of what mends them (see `test_stories`)."""

from __future__ import annotations

from datetime import date

from billing_sim import clock, events
from tests.world_builder import Log, behaviour, born, expected, happened, kinds_of, renewals
from tests.world_texts import LIFECYCLE

EXPIRING = "members: 2000\naccount_updater: off\n" + LIFECYCLE
ONE_YEAR = {"expiry_years": "[1]", "first_attempt_failure": "{credit: 100%}"}
READERS = {"attention": "100%", "attention_on_hold": "100%"}
"""Cards that are valid for a year, nobody who mends them before they fail, and people who read every notice."""


def card_until(log: Log, last_day: str, anchor: int = 5) -> int:
    """A member billed on this day of the month whose card is valid to this day."""
    limit = clock.day_number(date.fromisoformat(last_day))
    return log.find(lambda rows: born(rows).day == anchor and rows["period_end"][1] == limit)


def test_the_account_updater_brings_the_new_card_before_it_is_charged():
    """The card expires in April; in May the updater knows the new one, and the charge goes through."""
    log = happened(EXPIRING.replace("off", "on") + behaviour(**ONE_YEAR))
    who = card_until(log, "2025-04-30")
    assert log.story(who, since="2025-04", until="2025-07") == [
        *renewals("2025-04-05"),
        *expected("""
        2025-05-05 invoice.issued
        2025-05-05 payment_method.updated account_updater
        2025-05-05 payment_attempt.authorized mit
        2025-05-05 payment.captured
        """),
        *renewals("2025-06-05"),
    ]
    assert log.secrets(who)[1:] == ["2025-04-30 episode.began expired"]


def test_without_the_updater_a_member_who_reads_notices_mends_it():
    """Declined as expired; the notice is seen the same day, and the member pays with the new card."""
    log = happened(EXPIRING + behaviour(**ONE_YEAR, **READERS))
    who = card_until(log, "2025-04-30")
    assert log.story(who, since="2025-05", until="2025-07") == [
        *expected("""
        2025-05-05 invoice.issued
        2025-05-05 payment_attempt.declined mit 54
        2025-05-05 dunning.started
        2025-05-05 notice.sent payment_failed
        2025-05-05 payment_method.updated subscriber
        2025-05-05 payment_attempt.authorized cit
        2025-05-05 payment.captured
        """),
        *renewals("2025-06-05"),
    ]


def test_without_the_updater_and_without_a_reader_the_card_is_the_end():
    """Nobody sees the notices: a willing member who could have paid is lost."""
    log = happened(EXPIRING + behaviour(**ONE_YEAR, **READERS, unreachable="100%"))
    who = card_until(log, "2025-04-30")
    assert log.story(who, since="2025-05")[-2:] == expected("""
        2025-05-15 invoice.marked_uncollectible
        2025-05-15 subscription.canceled nonpayment
    """)
    assert log.secrets(who)[-1] == "2025-05-15 loss.judged stay able"


def test_a_member_may_mend_the_card_before_anything_fails():
    """With a target of no failures everybody puts the new card on file in time; no charge ever fails."""
    log = happened("members: 400\n" + behaviour(expiry_years="[1]", account_updater_coverage="0%"))
    updated = log.rows[log.rows["kind"] == events.METHOD_UPDATED]
    assert len(updated) > 100
    assert set(updated["reason"]) == {events.BY_SUBSCRIBER}
    who = log.find(
        lambda rows: (
            born(rows).day == 28
            and events.METHOD_UPDATED in rows["kind"]
            and events.DUNNING_STARTED not in rows["kind"]
        )
    )
    assert set(kinds_of(log.of(who))[2:]) == {
        "payment_method.updated", "invoice.issued", "payment_attempt.authorized", "payment.captured",
    }  # fmt: skip


def test_a_network_token_follows_the_card():
    """At the end of April the token carries over to the new card, and nothing is declined."""
    log = happened("members: 2000\n" + behaviour(expiry_years="[1]", network_tokens="100%"))
    who = card_until(log, "2025-04-30")
    assert log.story(who, since="2025-04-10", until="2025-06") == [
        "2025-04-30 payment_method.updated network_token",
        *renewals("2025-05-05"),
    ]
    assert not (log.rows["kind"] == events.ATTEMPT_DECLINED).any()


def test_a_stop_at_the_bank_holds_for_the_next_card_too():
    """Who told the bank to stop is not charged because a token carried over to a new card."""
    log = happened(
        "members: 2000\n"
        + behaviour(
            expiry_years="[1]", network_tokens="100%", voluntary_churn="20% per month", bank_stop="{credit: 100%}"
        )
    )
    carried = 0
    for who, rows in log.lives():
        went = [row["occurred_at"] for row in log.truth_of(who) if row["intent"] == events.GO]
        if went:
            later = rows[rows["occurred_at"] > went[0]]
            carried += events.METHOD_UPDATED in later["kind"]
            assert events.ATTEMPT_AUTHORIZED not in later["kind"]
    assert carried > 20


def test_a_token_that_follows_the_backup_leaves_the_preferred_method_alone():
    """It keeps the number of the method behind the first one, and the next charge goes to the first one as ever."""
    log = happened(
        "members: 1000\n"
        + behaviour(
            method_mix="{credit: 50%, debit: 50%}", backup_method="100%", expiry_years="[1]", network_tokens="100%"
        )
    )
    updated = log.rows[log.rows["kind"] == events.METHOD_UPDATED]
    assert set(updated["method"]) == {1, 2}
    assert set(updated["reason"]) == {events.BY_TOKEN}
    for who, rows in log.lives():
        kinds = {number: set(rows["method_kind"][rows["method"] == number]) for number in (1, 2)}
        assert all(len(kind) == 1 for kind in kinds.values()), who
    charged = log.rows[log.rows["kind"] == events.ATTEMPT_AUTHORIZED]
    assert set(charged["method"]) == {1}
