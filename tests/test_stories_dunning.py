"""Stories of payments that fail for a while: retries, notices, hold, and how it ends (see `test_stories`)."""

from __future__ import annotations

import pytest

from billing_sim import clock, declines, events
from tests.world_builder import behaviour, expected, happened, kinds_of, renewals
from tests.world_texts import LONG_OUTAGE, OUTAGE


def test_an_outage_longer_than_dunning_ends_the_subscription():
    """Retries on the policy's days, notices, hold; then the invoice is given up and the subscription ends."""
    log = happened(LONG_OUTAGE)
    who = log.member(5)
    assert log.story(who, since="2025-03-01") == expected("""
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.declined mit 96
        2025-03-05 dunning.started
        2025-03-05 notice.sent payment_failed
        2025-03-06 payment_attempt.declined mit 96
        2025-03-08 payment_attempt.declined mit 96
        2025-03-09 notice.sent payment_reminder
        2025-03-10 payment_attempt.declined mit 96
        2025-03-11 subscription.put_on_hold
        2025-03-11 notice.sent hold_started
        2025-03-12 payment_attempt.declined mit 96
        2025-03-15 invoice.marked_uncollectible
        2025-03-15 subscription.canceled nonpayment
    """)
    assert log.secrets(who)[1:] == expected("""
        2025-03-05 decline.explained outage
        2025-03-06 decline.explained outage
        2025-03-08 decline.explained outage
        2025-03-10 decline.explained outage
        2025-03-12 decline.explained outage
        2025-03-15 loss.judged stay able
    """)


def test_dunning_counts_whole_hours_from_the_first_failure():
    """A retry after a day comes 24 hours later, to the minute, whatever the clocks of the market do."""
    log = happened(LONG_OUTAGE)
    rows = log.of(log.member(5))
    charged = int(rows["occurred_at"][kinds_of(rows).index("dunning.started") - 2])
    after = [(int(row["occurred_at"]) - charged) // clock.MINUTE for row in rows if row["occurred_at"] >= charged]
    hours = [0, 0, 0, 1, 24, 72, 96, 120, 144, 144, 168, 240, 240]
    assert after == [hour * 60 for hour in hours]


def test_an_outage_shorter_than_dunning_is_recovered_by_the_first_retry_after_it():
    """The hold is lifted, and the next charge comes on the day on which it always comes."""
    log = happened(OUTAGE.format(at="2025-03-05", duration="4 days") + "dunning_policies: {steady: {grace: 2 days}}")
    who = log.member(5)
    assert log.story(who, since="2025-03-01", until="2025-05-01") == [
        *expected("""
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.declined mit 96
        2025-03-05 dunning.started
        2025-03-05 notice.sent payment_failed
        2025-03-06 payment_attempt.declined mit 96
        2025-03-07 subscription.put_on_hold
        2025-03-07 notice.sent hold_started
        2025-03-08 payment_attempt.declined mit 96
        2025-03-09 notice.sent payment_reminder
        2025-03-10 payment_attempt.authorized mit
        2025-03-10 payment.captured
        2025-03-10 subscription.restored
        """),
        *renewals("2025-04-05"),
    ]


def test_a_retry_hour_moves_retries_to_that_local_hour():
    """Retries a day or more away come at nine in the morning, local time, of their day; earlier ones stay."""
    log = happened(LONG_OUTAGE + "dunning_policies: {steady: {retries: [6 hours, 1 day, 5 days], retry_hour: 9}}")
    rows = log.of(log.member(5))
    tries = [log.local(row["occurred_at"]) for row in rows if row["kind"] == events.ATTEMPT_DECLINED]
    assert [f"{moment:%m-%d %H}" for moment in tries] == ["03-05 03", "03-05 09", "03-06 09", "03-10 09"]


def test_failing_over_to_another_gateway_saves_the_charge_in_the_same_decision():
    """The failed call is told, the other gateway answers at once, and nobody is dunned."""
    log = happened(LONG_OUTAGE + "failover: true\nrouting: [{use: {northpay: 50%, harborpay: 50%}}]")
    who = log.find(lambda rows: events.GATEWAY_CALL_FAILED in rows["kind"])
    saved = [line.partition(" ")[2] for line in log.story(who, since="2025-03", until="2025-04")]
    assert saved == ["invoice.issued", "gateway_call.failed", "payment_attempt.authorized mit", "payment.captured"]
    assert declines.OUTAGE not in log.truths["cause"]
    failed = log.rows[log.rows["kind"] == events.GATEWAY_CALL_FAILED]
    assert {log.world.names.gateways[gateway] for gateway in failed["gateway"]} == {"northpay"}


def test_a_backup_method_saves_the_charge_in_the_same_decision():
    """The card is declined, and the card behind it pays at the same moment; the first one stays preferred."""
    log = happened(
        "members: 1000\n"
        + LONG_OUTAGE
        + "routing: [{use: {northpay: 100%}}, {method: [debit], use: {harborpay: 100%}}]\n"
        + behaviour(method_mix="{credit: 50%, debit: 50%}", backup_method="100%")
    )

    def fits(rows):
        on_file = rows["method_kind"][1:3].tolist()
        return on_file == [events.CREDIT, events.DEBIT] and events.DUNNING_STARTED in rows["kind"]

    story = [line.partition(" ")[2] for line in log.story(log.find(fits), since="2025-03", until="2025-04")]
    assert story == expected("""
        invoice.issued
        payment_attempt.declined mit 96
        dunning.started
        payment_attempt.authorized mit
        payment.captured
    """)
    expired = {(row["subscriber"], row["method"]) for row in log.truths if row["kind"] == events.EPISODE_BEGAN}
    saved = [who for who, rows in log.lives() if fits(rows) and (who, 2) not in expired]
    assert len(saved) > 100
    assert not any(events.NOTICE_SENT in log.of(who)["kind"] for who in saved)


def test_without_its_use_a_backup_method_lies_idle():
    """A policy may leave the backup alone."""
    log = happened(
        LONG_OUTAGE
        + "dunning_policies: {steady: {use_backup: false}}\n"
        + "routing: [{use: {northpay: 100%}}, {method: [debit], use: {harborpay: 100%}}]\n"
        + behaviour(method_mix="{credit: 50%, debit: 50%}", backup_method="100%")
    )
    tried = log.rows[log.rows["kind"] == events.ATTEMPT_DECLINED]
    assert len(tried) > 50
    assert set(tried["method_kind"]) == {events.CREDIT}


def test_a_switch_of_policy_holds_for_failures_after_it():
    """Who failed before noon of the fifth keeps the old policy to its end; who fails after it gets the new one."""
    log = happened(
        "members: 200\n"
        "dunning_policies: {gentle: {retries: [2 days], notices: [3 days], grace: 4 days, end: 5 days}}\n"
        "timeline:\n"
        "  - {kind: gateway_outage, at: 2025-03-01, gateway: northpay, duration: 40 days, failing: 100%}\n"
        "  - {kind: dunning_switch, at: 2025-03-05 12:00, dunning: [{use: gentle}]}"
    )
    tries = [line for line in log.story(log.member(5), since="2025-03") if "declined" in line]
    assert [line[8:10] for line in tries] == ["05", "06", "08", "10", "12"]
    assert log.story(log.member(6), since="2025-03") == expected("""
        2025-03-06 invoice.issued
        2025-03-06 payment_attempt.declined mit 96
        2025-03-06 dunning.started
        2025-03-08 payment_attempt.declined mit 96
        2025-03-09 notice.sent payment_failed
        2025-03-10 subscription.put_on_hold
        2025-03-10 notice.sent hold_started
        2025-03-11 invoice.marked_uncollectible
        2025-03-11 subscription.canceled nonpayment
    """)


STOPS = {
    "the network forbids it": "network_rules: {never_retry: ['04']}\n",
    "the policy forbids it": "network_rules: {never_retry: []}\ndunning_policies: {steady: {stop_on: [hard]}}\n",
}


@pytest.mark.parametrize("rule", STOPS)
def test_some_declines_end_retrying(rule):
    """After "pick up card" nothing is tried again; notices, hold and end come as ever."""
    log = happened(LONG_OUTAGE + STOPS[rule] + "decline_codes: {outage: {'04': 100%, '96': null}}")
    assert log.story(log.member(5), since="2025-03") == expected("""
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.declined mit 04
        2025-03-05 dunning.started
        2025-03-05 notice.sent payment_failed
        2025-03-09 notice.sent payment_reminder
        2025-03-11 subscription.put_on_hold
        2025-03-11 notice.sent hold_started
        2025-03-15 invoice.marked_uncollectible
        2025-03-15 subscription.canceled nonpayment
    """)


def test_a_soft_decline_is_retried_by_a_policy_that_stops_on_hard_ones():
    """The same policy goes on after "system malfunction"."""
    log = happened(LONG_OUTAGE + "dunning_policies: {steady: {stop_on: [hard]}}")
    assert sum("declined" in line for line in log.story(log.member(5))) == 5


def test_retrying_resumes_when_the_method_changes():
    """Never retried with the card; once another method is on file, the policy's retries go on."""
    log = happened(
        "members: 500\n"
        + LONG_OUTAGE
        + "network_rules: {never_retry: ['04']}\n"
        + "decline_codes: {outage: {'04': 100%, '96': null}, outage@debit: {'96': 100%}}\n"
        + behaviour(
            method_mix="{credit: 50%, debit: 50%}", attention="50%", attention_on_hold="50%", has_other_means="100%"
        )
    )
    resumed = 0
    for _, rows in log.lives():
        stopped = False
        for row in rows:
            if row["kind"] == events.ATTEMPT_DECLINED:
                assert not (stopped and row["initiator"] == events.MIT)
                resumed += row["initiator"] == events.MIT and row["method"] > 1
                stopped = declines.CODES[row["code"]].code == "04"
            elif row["kind"] == events.METHOD_UPDATED:
                stopped = False
    assert resumed > 20


def test_the_networks_cap_leaves_retries_out():
    """Three attempts in thirty days: the charge and two retries, and then no more until the end."""
    outage = OUTAGE.format(at="2025-04-01", duration="30 days")
    log = happened(outage + "network_rules: {max_attempts: 3, window: 30 days}")
    tries = [line for line in log.story(log.member(5), since="2025-04") if "declined" in line]
    assert [line[:10] for line in tries] == ["2025-04-05", "2025-04-06", "2025-04-08"]
    assert log.story(log.member(5))[-1] == "2025-04-15 subscription.canceled nonpayment"


def test_the_issuer_remembers_for_a_while():
    """Two declines within a day make it refuse by reflex, though the gateway is well again; then it forgets."""
    log = happened(
        OUTAGE.format(at="2025-03-05 06:00", duration="4 hours")
        + "issuer_memory: {declines: 2, window: 24 hours}\n"
        + "decline_codes: {issuer_memory: {'65': 100%, '05': null, '59': null}}\n"
        + "dunning_policies: {steady: {retries: [1 hour, 4 hours, 8 hours, 30 hours]}}"
    )
    tries = [line for line in log.story(log.member(5), since="2025-03", until="2025-04") if "attempt" in line]
    assert tries == expected("""
        2025-03-05 payment_attempt.declined mit 96
        2025-03-05 payment_attempt.declined mit 96
        2025-03-05 payment_attempt.declined mit 65
        2025-03-05 payment_attempt.declined mit 65
        2025-03-06 payment_attempt.authorized mit
    """)


def test_a_member_who_pays_no_heed_to_notices_may_heed_the_hold():
    """Access is blocked on the eleventh; the member pays that day, the gateway being well again, and access is back."""
    log = happened(OUTAGE.format(at="2025-03-01", duration="10 days 12 hours") + behaviour(attention_on_hold="100%"))
    assert log.story(log.member(5), since="2025-03-10", until="2025-04") == expected("""
        2025-03-10 payment_attempt.declined mit 96
        2025-03-11 subscription.put_on_hold
        2025-03-11 notice.sent hold_started
        2025-03-11 payment_attempt.authorized cit
        2025-03-11 payment.captured
        2025-03-11 subscription.restored
    """)


def test_whom_no_notice_reaches_does_nothing():
    """The most attentive person does not see what was sent to an old address."""
    everything = {"attention": "100%", "attention_on_hold": "100%", "cancel_in_trouble": "100%"}
    log = happened(LONG_OUTAGE + behaviour(**everything, unreachable="100%"))
    assert log.story(log.member(5), since="2025-03") == happened(LONG_OUTAGE).story(log.member(5), since="2025-03")


def test_a_wish_within_the_window_waits_for_the_next():
    """A retry after five minutes comes in the next hour, one after seventy in the hour after that."""
    log = happened(LONG_OUTAGE + "dunning_policies: {steady: {retries: [5 min, 70 min, 3 hours], notices: [0 hours]}}")
    rows = log.of(log.member(5))
    tries = rows[rows["kind"] == events.ATTEMPT_DECLINED]["occurred_at"] // clock.HOUR
    assert (tries - tries[0]).tolist() == [0, 1, 2, 3]
    told = rows[rows["kind"] == events.NOTICE_SENT]["occurred_at"] // clock.HOUR
    assert (told[0] - tries[0]) == 1
