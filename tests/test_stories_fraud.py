"""Lives with exact endings: people who are challenged, screened, reviewed, attacked, or let down by a release."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import billing_sim
from billing_sim import clock, events, people
from billing_sim.world.announce import announcements
from billing_sim.world.record import REVIEW_DESK, TRIES
from tests.world_builder import (
    Log,
    behaviour,
    born,
    changed,
    digests,
    expected,
    happened,
    laid_over,
    log_of,
    renewals,
    world_of,
)
from tests.world_texts import BUSY, QUIET
from tests.world_texts_fraud import FRAUD, REVIEWERS
from tests.world_texts_support import CROWDED

SIGNUPS = "members: 64\nend: 2025-03-01\nmarkets: {US: {signups: {per_month: 100%}}}\n"
FEW = FRAUD.replace("members: 500", "members: 14\nend: 2025-04-05")
PLAIN = "from tests.test_stories_fraud import *; print(*digests(world_of(FEW, BUSY)))"
CERTAIN = "{passed: 0%, failed: 0%, abandoned: 100%}"


def newcomer(log: Log) -> int:
    """The first person of a world who signs up."""
    return log.find(lambda rows: rows["kind"][0] == events.SIGNUP_STARTED)


def day_of(log: Log, who: int) -> str:
    """The local day of a person's first row."""
    return f"{log.local(log.of(who)['occurred_at'][0]):%Y-%m-%d}"


def first_day(log: Log, who: int) -> list[str]:
    """What happened to a person on their first day, without dates."""
    day = day_of(log, who)
    return [line.removeprefix(f"{day} ") for line in log.story(who) if line.startswith(day)]


def test_who_need_not_authenticate_signs_up_as_before():
    """A rule under which nothing is required leaves no trace."""
    assert not changed(happened(SIGNUPS), happened(SIGNUPS + "authentication: {required: 0%}\n"))


def test_a_frictionless_sign_up():
    """The issuer asks for nothing, and a second or so later the attempt is made."""
    log = happened(SIGNUPS + "authentication: {frictionless: 100%}\n")
    who = newcomer(log)
    assert first_day(log, who) == [
        "signup.started new", "payment_method.added preferred", "invoice.issued",
        "authentication.completed frictionless", "payment_attempt.authorized cit", "payment.captured",
        "subscription.created new",
    ]  # fmt: skip
    rows = log.of(who)
    assert rows["occurred_at"][3] - rows["occurred_at"][2] == rows["latency_ms"][3] * 1000 > 0
    assert rows["attempt"][3] == rows["attempt"][4] == 1


def test_a_challenge_that_is_abandoned_ends_the_attempt():
    """Nothing is sent to the issuer; the sealed truth knows that the customer gave up."""
    log = happened(SIGNUPS + f"authentication: {{frictionless: 0%, challenge: {CERTAIN}}}\n")
    who = newcomer(log)
    assert first_day(log, who)[3:] == [
        "authentication.completed challenge_abandoned", "payment_attempt.declined cit authentication_abandoned",
        "invoice.voided", "signup.abandoned gave_up",
    ]  # fmt: skip
    assert [line.split()[1:] for line in log.secrets(who)] == [["decline.explained", "abandoned"]]


ASKED = "members: 64\nauthentication: {frictionless: 100%, renewals_asked: 100%}\n"


def test_who_does_not_come_is_lost_however_often_the_card_is_tried():
    """Once the issuer asks, every try of that month is refused."""
    log = happened(ASKED)
    who = log.member(5)
    lines = [" ".join(line.split()[:2]) for line in log.story(who, "2025-01-04", "2025-02")]
    assert lines == expected("""
        2025-01-05 invoice.issued
        2025-01-05 payment_attempt.declined
        2025-01-05 dunning.started
        2025-01-05 notice.sent
        2025-01-06 payment_attempt.declined
        2025-01-08 payment_attempt.declined
        2025-01-09 notice.sent
        2025-01-10 payment_attempt.declined
        2025-01-11 subscription.put_on_hold
        2025-01-11 notice.sent
        2025-01-12 payment_attempt.declined
        2025-01-15 invoice.marked_uncollectible
        2025-01-15 subscription.canceled
    """)
    causes = {line.split()[2] for line in log.secrets(who) if "explained" in line}
    assert causes == {"authentication"}
    codes = log.of(who)["code"]
    assert {events.VOCABULARIES["codes"][code] for code in codes[codes > 0]} == {"1A", "65"}


def test_only_the_customer_cures_what_the_issuer_asks_for():
    """A payment in person is enough, for that month: in the next the issuer asks again."""
    log = happened(ASKED + behaviour(attention="100%"))
    who = log.member(5)
    lines = [line.replace(" 1A", "").replace(" 65", "") for line in log.story(who, "2025-01-04", "2025-03")]
    assert lines == expected("""
        2025-01-05 invoice.issued
        2025-01-05 payment_attempt.declined mit
        2025-01-05 dunning.started
        2025-01-05 notice.sent payment_failed
        2025-01-05 authentication.completed frictionless
        2025-01-05 payment_attempt.authorized cit
        2025-01-05 payment.captured
        2025-02-05 invoice.issued
        2025-02-05 payment_attempt.declined mit
        2025-02-05 dunning.started
        2025-02-05 notice.sent payment_failed
        2025-02-05 authentication.completed frictionless
        2025-02-05 payment_attempt.authorized cit
        2025-02-05 payment.captured
    """)


def test_authentication_begins_on_the_day_of_its_rule():
    """Before the rule nobody is asked; from it on everybody who signs up is."""
    rule = "timeline: [{kind: authentication_rule, at: 2025-02-01, required: 100%}]\n"
    log = happened(SIGNUPS + rule)
    since = clock.day_number(log.world.scenario.timeline[0].at.date()) * clock.DAY
    asked = log.rows["kind"] == events.AUTHENTICATION_COMPLETED
    signed = log.rows["kind"] == events.SIGNUP_STARTED
    assert log.rows["occurred_at"][asked].min() >= since
    assert asked.sum() == (log.rows["occurred_at"][signed] >= since).sum() > 20


def test_the_screen_blocks_a_good_person():
    """Nothing is sent anywhere, and only the sealed truth knows that it was no fraud."""
    log = happened(SIGNUPS + "fraud: {signups: 0%, block_above: 0}\n")
    who = newcomer(log)
    assert first_day(log, who)[3:] == [
        "payment_attempt.blocked cit blocked", "invoice.voided", "signup.abandoned gave_up",
    ]  # fmt: skip
    told = log.truth_of(who)
    assert (log.secrets(who)[0].split()[1:], told["fraud"].tolist()) == (["decline.explained", "fraud_screen"], [0])
    assert log.of(who)["score"].max() > 0


def test_a_payment_waits_for_a_review_and_is_made_afterwards():
    """It is the first attempt all the same; the person becomes a member when it is paid."""
    wait = "review: {rejects_good: 0%, p50: 5 hours, p95: 5 hours}"
    log = happened(SIGNUPS + f"fraud: {{signups: 0%, review_above: 0, block_above: 1000, {wait}}}\n")
    who = newcomer(log)
    assert first_day(log, who)[3:] == [
        "fraud_review.opened", "fraud_review.closed approved", "payment_attempt.authorized cit", "payment.captured",
        "subscription.created new",
    ]  # fmt: skip
    assert log.of(who)["attempt"][3:7].tolist() == [1, 1, 1, 1]


TEAM = """
members: 64
end: 2025-03-01
fraud: {{signups: 0%, block_above: 1000, review_above: 0, screens: [renewal],
        review: {{rejects_good: 0%, team: {{shifts: [{{hours: {hours}, agents: {agents}}}], handling: {handling}}}}}}}
"""


def waits(log: Log) -> list[tuple[int, int, int, int]]:
    """For each review that was decided: who, when it was asked for, when somebody took it up, when it was decided."""
    found = []
    for who, rows in log.lives():
        asked = rows[rows["kind"] == events.REVIEW_OPENED]["occurred_at"].tolist()
        for row, at in zip(rows[rows["kind"] == events.REVIEW_CLOSED], asked, strict=False):
            found.append((who, at, at + int(row["latency_ms"]) * 1000, int(row["occurred_at"])))
    return sorted(found, key=lambda it: it[1])


def test_a_review_waits_for_the_shift_of_the_reviewers():
    """Renewals of the early morning wait until somebody is there; nine o'clock UTC is four in New York."""
    log = happened(TEAM.format(hours="[9, 17]", agents=9, handling="1 second"))
    who = log.member(5)
    assert log.story(who, "2025-01-05", "2025-01-06") == expected("""
        2025-01-05 invoice.issued
        2025-01-05 fraud_review.opened
        2025-01-05 fraud_review.closed approved
        2025-01-05 payment_attempt.authorized mit
        2025-01-05 payment.captured
    """)
    assert {f"{log.local(taken):%H:%M}" for _, _, taken, _ in waits(log)} == {"04:00"}
    # The desk answers at a barrier: the decision counts from the next full hour on.
    assert {f"{log.local(decided):%H:%M}" for _, _, _, decided in waits(log)} == {"05:00"}
    assert digests(log.world) == digests(log.world, "simpy")


def test_reviewers_are_a_queue_that_all_share():
    """One reviewer takes up one case after the other, in the order in which they came, and none while one is open."""
    log = happened(TEAM.format(hours="[0, 24]", agents=1, handling="3 hours"))
    found = waits(log)
    taken = [it[2] for it in found]
    assert len(found) > 100
    assert taken == sorted(taken)
    # Where a decision did not have to wait for a barrier it tells when the reviewer was free again.
    freed = [(it[3], after) for it, after in zip(found, taken[1:], strict=False) if it[3] % clock.HOUR]
    assert len(freed) > 50
    assert all(after >= done - 1000 for done, after in freed)
    assert sum(after - done < 1000 for done, after in freed) > 20
    assert max(at - asked for _, asked, at, _ in found) > 6 * clock.HOUR
    many = waits(happened(TEAM.format(hours="[0, 24]", agents=50, handling="3 hours")))
    assert all(at == asked for _, asked, at, _ in many)
    assert digests(log.world) == digests(log.world, "simpy")


HASTY = behaviour(
    voluntary_churn="60% per month",
    tenure_hazard="{months_1_3: 60%, months_4_12: 60%, year_2: 60%, year_3: 60%, year_4_on: 60%}",
)


def test_who_cancels_while_a_case_waits_goes_in_the_window_after_it():
    """Nobody looks for the case meanwhile; what waits for its outcome wakes up one window after the decision."""
    queue = TEAM.format(hours="[0, 24]", agents=1, handling="9 hours")
    log = happened(queue.replace("members: 64", "members: 300") + HASTY)
    waited = [events.REVIEW_OPENED, events.CANCEL_REQUESTED, events.REVIEW_CLOSED]
    found = 0
    for who, rows in log.lives():
        kinds = rows["kind"].tolist()
        if kinds[-1] != events.SUBSCRIPTION_CANCELED or kinds[-6:-3] != waited:
            continue
        assert [line.split(" ", 1)[1] for line in log.story(who)[-3:]] == [
            "payment_attempt.authorized mit", "payment.captured", "subscription.canceled voluntary"
        ]  # fmt: skip
        decided, left = int(rows["occurred_at"][-4]), int(rows["occurred_at"][-1])
        assert left == (decided // clock.HOUR + 1) * clock.HOUR
        # When they will be gone is the day of asking, or that of the end where the case has been taken up already.
        asked = rows[-5]
        ends = str(clock.date_of(int(asked["period_end"])))
        assert ends in [f"{log.local(at):%Y-%m-%d}" for at in (int(asked["occurred_at"]), left)]
        found += 1
    assert found > 20
    assert digests(log.world) == digests(log.world, "simpy")


def test_without_reviewers_on_shift_nobody_is_charged():
    """Renewals wait for good; until the run ends nothing fails and nobody is told anything."""
    log = happened(TEAM.format(hours="[0, 1]", agents=1, handling="3 days"))
    stuck = log.find(lambda rows: rows["kind"][-1] == events.REVIEW_OPENED and len(rows) == 4)
    assert [line.split(" ", 1)[1] for line in log.story(stuck)] == [
        "subscription.imported active", "payment_method.added preferred", "invoice.issued", "fraud_review.opened",
    ]  # fmt: skip


def test_reviewers_are_scaled_with_the_members():
    """Half the people, half the reviewers, rounded; never none where some are meant to be."""
    text = TEAM.format(hours="[9, 17]", agents=5, handling="1 hour")
    staff = [world_of(text, members=members).record.staff[0, 0, REVIEW_DESK] for members in (64, 32, 1)]
    assert [it[9] for it in staff] == [5, 3, 1]
    assert not any(it[8] for it in staff)


def test_reviewers_and_support_are_desks_of_their_own():
    """Both drivers agree on a world with both, and whoever has time at the one does not help at the other."""
    both = world_of(REVIEWERS.replace("members: 500", "members: 60") + CROWDED.replace("members: 500", ""), BUSY)
    assert both.is_coupled
    assert digests(both) == digests(both, "simpy")


def test_a_review_that_rejects_blocks_the_payment():
    """The screen had let it wait; the reviewer does not let it through."""
    log = happened(SIGNUPS + "fraud: {signups: 0%, review_above: 0, block_above: 1000, review: {rejects_good: 100%}}\n")
    who = newcomer(log)
    assert [line.split(" ", 1)[1] for line in log.story(who)[3:]] == [
        "fraud_review.opened", "fraud_review.closed rejected", "payment_attempt.blocked cit blocked",
        "invoice.voided", "signup.abandoned gave_up",
    ]  # fmt: skip


def test_a_stolen_card_that_is_blocked_already():
    """The fraudster gets no further than the first answer."""
    log = happened(SIGNUPS + "fraud: {signups: 100%, works: 0%, screens: []}\n")
    who = newcomer(log)
    assert [line.split(" ", 1)[1].rpartition(" ")[0] for line in log.story(who)[3:4]] == [
        "payment_attempt.declined cit"
    ]
    assert [line.split()[1:] for line in log.secrets(who)] == [["fraud.judged"], ["decline.explained", "stolen"]]


def test_a_fraudster_pays_until_the_owner_notices():
    """The owner has the card blocked after twenty days; nobody mends it, and nobody is wronged by the loss."""
    fraud = "fraud: {signups: 100%, works: 100%, screens: [], noticed: {p50: 20 days, p95: 20 days}}\n"
    log = happened(SIGNUPS.replace("2025-03-01", "2025-06-01") + fraud + "dunning: [{use: steady}]\n")
    who = newcomer(log)
    kinds = [line.split()[1] for line in log.story(who)]
    assert kinds[3:6] == ["payment_attempt.authorized", "payment.captured", "subscription.created"]
    assert kinds[-2:] == ["invoice.marked_uncollectible", "subscription.canceled"]
    assert kinds.count("payment.captured") == 1
    secrets = log.secrets(who)
    assert secrets[0].split()[1:] == ["fraud.judged"]
    assert secrets[-1].split()[1:] == ["loss.judged", "stay", "unable"]
    assert {line.split()[-1] for line in secrets[1:-1]} == {"stolen"}


def test_the_owner_of_a_stolen_card_disputes_a_charge_of_a_subscription_that_has_ended():
    """Charged on New Year, refused once the owner noticed, lost in February, disputed in March, decided in April."""
    log = happened(
        SIGNUPS.replace("2025-03-01", "2025-07-01")
        + """
fraud: {signups: 100%, works: 100%, screens: [], noticed: {p50: 20 days, p95: 20 days}}
dunning: [{use: steady}]
disputes:
  friendly_fraud: 0%
  service: 0%
  fraud: 100%
  fraud_reports: 100%
  delay: {least: 60 days, p50: 60 days, p99: 60 days, most: 60 days}
  respond_within: 10 days
  contested: 100%
  decided_after: 20 days
  wins: {fraud: 0%}
"""
    )
    who = newcomer(log)
    assert [log.line(row) for row in log.of(who) if row["invoice"] == 1] == expected("""
        2025-01-01 invoice.issued
        2025-01-01 payment_attempt.authorized cit
        2025-01-01 payment.captured
        2025-03-02 dispute.opened fraud
        2025-03-02 fraud.reported
        2025-03-12 dispute.represented fraud
        2025-04-01 dispute.lost fraud
    """)
    assert log.story(who, since="2025-02-11") == expected("""
        2025-02-11 invoice.marked_uncollectible
        2025-02-11 subscription.canceled nonpayment
        2025-03-02 dispute.opened fraud
        2025-03-02 fraud.reported
        2025-03-12 dispute.represented fraud
        2025-04-01 dispute.lost fraud
    """)
    assert log.secrets(who)[-2:] == ["2025-02-11 loss.judged stay unable", "2025-03-02 dispute.explained"]
    assert log.truth_of(who)["fraud"][-1] == 1
    assert digests(log.world) == digests(log.world, "simpy")


def test_a_stricter_rule_blocks_more_and_nobody_else():
    """The same people have the same scores: whom the loose rule blocks the strict one blocks too."""
    loose, strict = (happened(SIGNUPS + f"fraud: {{signups: 20%, block_above: {above}}}\n") for above in (900, 300))
    blocked = [set(log.rows["subscriber"][log.rows["kind"] == events.ATTEMPT_BLOCKED]) for log in (loose, strict)]
    assert blocked[0] < blocked[1]


RELEASE = "members: 64\ntimeline: [{{kind: deploy, at: 2025-03-05, duration: 26 hours, {harm}: 100%}}]\n"


def test_a_release_refuses_good_payments_until_it_is_rolled_back():
    """The next day's retry goes through."""
    log = happened(RELEASE.format(harm="declines"))
    who = log.member(5)
    assert log.story(who, "2025-03-04", "2025-03-20") == expected("""
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.declined mit processor_error
        2025-03-05 dunning.started
        2025-03-05 notice.sent payment_failed
        2025-03-06 payment_attempt.authorized mit
        2025-03-06 payment.captured
    """)
    assert log.secrets(who)[1].split()[1:] == ["decline.explained", "bad_release"]
    told = [row for row in announcements(log.world) if row["kind"].startswith("deploy.")]
    assert [row["kind"] for row in told] == ["deploy.released", "deploy.rolled_back"]
    assert told[1]["occurred_at"] - told[0]["occurred_at"] == 26 * clock.HOUR


def test_a_release_that_charges_twice():
    """The money of one attempt is taken twice; the second time is given back."""
    log = happened(RELEASE.format(harm="double_charges"))
    assert log.story(log.member(5), "2025-03-04", "2025-03-20") == expected("""
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.authorized mit
        2025-03-05 payment.captured
        2025-03-05 payment.duplicated duplicate
        2025-03-07 refund.issued duplicate
    """)


def test_a_release_takes_no_money_twice_that_it_cannot():
    """A debit that comes back, a voucher and a gift: each of them is taken once."""
    methods = "method_mix: {credit: 0%, direct_debit: 40%, voucher: 30%, gift_balance: 30%}"
    text = RELEASE.format(harm="double_charges").replace("members: 64", "members: 300")
    text += f"markets: {{US: {{behaviour: {{{methods}, first_attempt_failure: {{direct_debit: 50%}}}}}}}}\n"
    log = happened(text.replace("26 hours", "20 days"))
    doubled, returned = set(), set()
    for row in log.rows:
        if row["kind"] == events.PAYMENT_DUPLICATED:
            doubled.add((row["subscriber"], row["invoice"], row["attempt"]))
        elif row["kind"] == events.PAYMENT_RETURNED:
            returned.add((row["subscriber"], row["invoice"], row["attempt"]))
    kinds = {
        events.METHOD_KINDS[row["method_kind"]] for row in log.rows
        if row["kind"] == events.ATTEMPT_AUTHORIZED and (row["subscriber"], row["invoice"], row["attempt"]) in doubled
    }  # fmt: skip
    assert kinds == {"direct_debit"}
    assert len(returned) > 20
    assert not doubled & returned


def test_two_faults_at_once_charge_twice_and_no_more():
    """A release and another mistake on the same day: one charge too many, and one refund of it."""
    text = RELEASE.format(harm="double_charges").replace(
        "timeline: [", "timeline: [{kind: double_charging, at: 2025-03-05, duration: 26 hours, share: 100%}, "
    )
    log = happened(text + "charging_faults: {refunded: 100%, disputed: 0%}\n")
    assert log.story(log.member(5), "2025-03-04", "2025-03-20") == expected("""
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.authorized mit
        2025-03-05 payment.captured
        2025-03-05 payment.duplicated duplicate
        2025-03-07 refund.issued duplicate
    """)


ATTACK = (
    "members: 64\ntimeline: [{kind: card_testing, at: 2025-02-01 12:00, duration: 2 hours, attempts_per_member: 1, "
    "declined: 100%, learned_after: 1 hour, then_blocked: 100%, gateway: harborpay}]\n"
)


def test_bots_try_card_after_card_until_the_screen_knows_them():
    """Ten cards a session in the first hour; in the second the first try is blocked. No person lives otherwise."""
    log = happened(ATTACK)
    bots = [who for who in log.subscribers if who & ((1 << people.ARRIVAL_SHIFT) - 1) >= people.BOTS_FROM]
    assert changed(happened("members: 64"), log) == set(bots)
    assert len(bots) == 64 // TRIES
    early, late = (first_day(log, who)[3:] for who in (bots[0], bots[-1]))
    assert [line.rpartition(" ")[0] for line in early[:-2]] == ["payment_attempt.declined cit"] * TRIES
    assert early[-2:] == ["invoice.voided", "signup.abandoned gave_up"]
    assert late == ["payment_attempt.blocked cit blocked", "invoice.voided", "signup.abandoned gave_up"]
    assert {line.split()[1] for line in log.secrets(bots[0])} == {"fraud.judged", "decline.explained"}
    assert log.truth_of(bots[0])["fraud"].all()


BINS = behaviour(card_bins="{north: 50%, harbor: 30%, south: 20%}")
ON_ONE_BIN = ATTACK.replace("gateway: harborpay", "bin: harbor, bin_share: 60%, refused: 50%, refused_for: 30 days")


def bin_of(log: Log, rows: np.ndarray) -> set[str]:
    """The BIN ranges named by rows of attempts and methods."""
    return {log.world.names.bins[i] for i in rows["bin"]} - {"none"}


def test_an_attack_on_one_bin_range_makes_its_issuer_wary_of_good_cards():
    """A member whose card is of the range is refused until the issuer is calm again; nobody else notices anything."""
    quiet, log = happened("members: 64\n" + BINS), happened(ON_ONE_BIN + BINS)
    bots = {who for who in log.subscribers if who & ((1 << people.ARRIVAL_SHIFT) - 1) >= people.BOTS_FROM}
    hurt = changed(quiet, log) - bots
    owners = {who for who in quiet.subscribers if bin_of(quiet, quiet.of(who)) == {"harbor"}}
    assert hurt < owners
    assert abs(len(hurt) / len(owners) - 0.5) < 0.25
    who = min(hurt)
    assert log.story(who, "2025-01-15") == expected("""
        2025-01-17 invoice.issued
        2025-01-17 payment_attempt.authorized mit
        2025-01-17 payment.captured
        2025-02-17 invoice.issued
        2025-02-17 payment_attempt.declined mit 59
        2025-02-17 dunning.started
        2025-02-17 notice.sent payment_failed
        2025-02-18 payment_attempt.declined mit 59
        2025-02-20 payment_attempt.declined mit 59
        2025-02-21 notice.sent payment_reminder
        2025-02-22 payment_attempt.declined mit 59
        2025-02-23 subscription.put_on_hold
        2025-02-23 notice.sent hold_started
        2025-02-24 payment_attempt.declined mit 59
        2025-02-27 invoice.marked_uncollectible
        2025-02-27 subscription.canceled nonpayment
    """)
    assert {line.split(" ", 1)[1] for line in log.secrets(who)[1:6]} == {"decline.explained suspicion"}
    assert digests(log.world) == digests(log.world, "simpy")


def test_most_of_the_cards_tested_are_of_one_bin_range():
    """Six in ten, and three in ten of the others, who are like members' cards; each attempt names its own."""
    log = happened(ON_ONE_BIN.replace("members: 64", "members: 6400") + BINS)
    tried = log.rows[np.isin(log.rows["kind"], (events.ATTEMPT_DECLINED, events.ATTEMPT_BLOCKED))]
    tried = tried[tried["subscriber"] & ((1 << people.ARRIVAL_SHIFT) - 1) >= people.BOTS_FROM]
    share = (tried["bin"] == log.world.names.bins.index("harbor")).mean()
    assert abs(share - 0.72) < 4 * (0.72 * 0.28 / len(tried)) ** 0.5
    cards = log.rows[(log.rows["kind"] == events.METHOD_ADDED) & (log.rows["reason"] == events.PREFERRED)]
    cards = cards[cards["subscriber"] & ((1 << people.ARRIVAL_SHIFT) - 1) < people.BOTS_FROM]
    share = (cards["bin"] == log.world.names.bins.index("north")).mean()
    assert abs(share - 0.5) < 4 * (0.25 / len(cards)) ** 0.5


def test_bin_ranges_that_are_known_change_nobodys_life():
    """They only say what a card is; a reissued one is of the same issuer."""
    lives = [happened(text, BUSY) for text in ("members: 300\n", "members: 300\n" + KNOWN)]
    for rows in (lives[0].rows, lives[1].rows):
        assert rows["bin"].any() == (rows is lives[1].rows)
    without = lives[1].rows.copy()
    without["bin"] = 0
    assert without.tobytes() == lives[0].rows.tobytes()
    for _, rows in lives[1].lives():
        known = rows[(rows["bin"] > 0) & (rows["method"] > 0)]
        tokens = known[(known["kind"] == events.METHOD_UPDATED) & (known["reason"] == events.BY_TOKEN)]
        assert all(len(set(known["bin"][known["method"] == method])) == 1 for method in tokens["method"])


KNOWN = "market_defaults: {behaviour: {card_bins: {north: 50%, harbor: 30%, south: 20%}}}\n"


def vouchers(unpaid: str) -> str:
    """Everybody pays by voucher; this share never does, although there is money."""
    return (
        "members: 64\nlatent_causes: {voucher: {funds: 0%, restricted: 100%, technical: 0%}}\n"
        + behaviour(method_mix="{voucher: 100%, credit: null}", first_attempt_failure=f"{{voucher: {unpaid}}}")
    )  # fmt: skip


def test_a_voucher_is_paid_some_days_later():
    """Nothing is captured before; it can be paid for three days."""
    log = happened(vouchers("0%"))
    rows = log.of(log.subscribers[0])
    assert [line.split(" ", 1)[1] for line in log.story(log.subscribers[0], "2025-01-01", "2025-02-01")] == [
        "invoice.issued", "payment_attempt.pending mit", "payment_attempt.reconciled mit authorized",
        "payment.captured",
    ]  # fmt: skip
    pending, paid = (rows[rows["kind"] == kind] for kind in (events.ATTEMPT_PENDING, events.ATTEMPT_RECONCILED))
    assert (pending["period_end"] - pending["occurred_at"] // clock.DAY <= 3).all()
    waited = paid["occurred_at"] - pending["occurred_at"][: len(paid)]
    assert clock.HOUR // 60 < waited.min() <= waited.max() <= 3 * clock.DAY + clock.HOUR


def test_a_voucher_that_expires_starts_dunning():
    """Each retry is another voucher; the third ends with the subscription."""
    log = happened(vouchers("100%"))
    assert log.story(log.subscribers[0], "2025-01-01", "2025-02-01") == expected("""
        2025-01-04 invoice.issued
        2025-01-04 payment_attempt.pending mit
        2025-01-07 payment_attempt.reconciled mit voucher_expired failed
        2025-01-07 dunning.started
        2025-01-07 notice.sent payment_failed
        2025-01-08 payment_attempt.pending mit
        2025-01-11 payment_attempt.reconciled mit voucher_expired failed
        2025-01-11 notice.sent payment_reminder
        2025-01-12 payment_attempt.pending mit
        2025-01-13 subscription.put_on_hold
        2025-01-13 notice.sent hold_started
        2025-01-15 payment_attempt.reconciled mit voucher_expired failed
        2025-01-17 invoice.marked_uncollectible
        2025-01-17 subscription.canceled nonpayment
    """)


def mandates(debits: str, more: str = "") -> str:
    """Everybody pays by e-mandate, and banks answer debits late."""
    return f"members: 64\nmandate_debits: {debits}\n" + behaviour(
        method_mix="{a2a_emandate: 100%, credit: null}", first_attempt_failure=f"{{a2a_emandate: {more or '0%'}}}"
    )


SLOW = "{notice: 24 hours, p50: 6 hours, p95: 6 hours}"


def test_a_debit_by_mandate_is_pending_until_the_bank_has_answered():
    """The bank tells the payer, debits a day later, and answers some hours after that; nothing is captured before."""
    log = happened(mandates(SLOW))
    who = log.subscribers[0]
    assert [line.split(" ", 1)[1] for line in log.story(who, "2025-01-01", "2025-02-01")] == [
        "invoice.issued", "payment_attempt.pending mit", "payment_attempt.reconciled mit authorized",
        "payment.captured",
    ]  # fmt: skip
    rows = log.of(who)
    pending, answered = (rows[rows["kind"] == kind] for kind in (events.ATTEMPT_PENDING, events.ATTEMPT_RECONCILED))
    waited = answered["occurred_at"] - pending["occurred_at"][: len(answered)]
    assert 24 * clock.HOUR < waited.min() <= waited.max() <= 36 * clock.HOUR
    assert (pending["period_end"] - pending["occurred_at"] // clock.DAY <= 1).all()
    assert digests(log.world) == digests(log.world, "simpy")


def test_a_pending_debit_becomes_a_failure_and_dunning_starts_then():
    """The second try, a day after the answer, is a debit of its own that is answered late as well."""
    text = "latent_causes: {a2a_emandate: {funds: 0%, suspicion: 0%, lifecycle: 0%, restricted: 100%, technical: 0%}}\n"
    log = happened(text + mandates(SLOW, "100%"))
    who = log.subscribers[0]
    assert log.story(who, "2025-01-01", "2025-02-01") == expected("""
        2025-01-04 invoice.issued
        2025-01-04 payment_attempt.pending mit
        2025-01-05 payment_attempt.reconciled mit U16 failed
        2025-01-05 dunning.started
        2025-01-05 notice.sent payment_failed
        2025-01-06 payment_attempt.pending mit
        2025-01-07 payment_attempt.reconciled mit U16 failed
        2025-01-08 payment_attempt.pending mit
        2025-01-09 notice.sent payment_reminder
        2025-01-09 payment_attempt.reconciled mit U16 failed
        2025-01-10 payment_attempt.pending mit
        2025-01-11 subscription.put_on_hold
        2025-01-11 notice.sent hold_started
        2025-01-11 payment_attempt.reconciled mit U16 failed
        2025-01-12 payment_attempt.pending mit
        2025-01-13 payment_attempt.reconciled mit U16 failed
        2025-01-15 invoice.marked_uncollectible
        2025-01-15 subscription.canceled nonpayment
    """)


def test_a_debit_finds_the_money_that_is_there_a_day_later():
    """Who is billed on the eve of a payday is refused where banks answer at once, and pays where they tell first."""
    dry = (
        "latent_causes: {a2a_emandate: {funds: 100%, suspicion: 0%, lifecycle: 0%, restricted: 0%, technical: 0%}}\n"
        "markets: {US: {behaviour: {method_mix: {a2a_emandate: 100%, credit: null}, "
        "first_attempt_failure: {a2a_emandate: 90%}, paydays: [{days_of_month: [22], share: 100%}]}}}\n"
    )
    at_once, later = (happened(f"members: 64\n{it}\n{dry}") for it in ("", f"mandate_debits: {SLOW}"))
    who = at_once.find(lambda rows: born(rows).day == 21 and (rows["kind"][2:4] == FAILED_AT_ONCE).all())
    assert at_once.story(who, "2025-01-21", "2025-01-22")[1:3] == expected("""
        2025-01-21 payment_attempt.declined mit U30
        2025-01-21 dunning.started
    """)
    assert later.story(who, "2025-01-21", "2025-02-01") == expected("""
        2025-01-21 invoice.issued
        2025-01-21 payment_attempt.pending mit
        2025-01-22 payment_attempt.reconciled mit authorized
        2025-01-22 payment.captured
    """)


FAILED_AT_ONCE = (events.INVOICE_ISSUED, events.ATTEMPT_DECLINED)


def test_what_a_bank_answers_at_once_is_as_without_late_answers():
    """No debit is pending, and everybody lives as where nobody has heard of it."""
    assert not changed(happened(mandates("{pending: 0%}")), happened(mandates("null")))
    log = happened(mandates("{pending: 40%, p50: 1 hour, p95: 2 hours}"))
    tried = log.rows[(log.rows["initiator"] == events.MIT) & (log.rows["attempt"] == 1)]
    share = (tried["kind"] == events.ATTEMPT_PENDING).sum() / (tried["kind"] != events.ATTEMPT_RECONCILED).sum()
    assert abs(share - 0.4) < 4 * (0.24 / len(tried)) ** 0.5


def test_a_withdrawn_method_fails_until_the_member_brings_another():
    """New methods are of the kinds that are left."""
    changes = (
        "members: 64\ntimeline: [{kind: method_launch, at: 2025-01-01, method: debit, share: 10%},"
        " {kind: method_withdrawal, at: 2025-03-01, method: credit}]\n"
    )
    log = happened(changes + behaviour(attention="100%", has_other_means="100%"))
    who = log.member(5)
    assert log.story(who, "2025-03-04", "2025-04-01") == expected("""
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.declined mit method_withdrawn
        2025-03-05 dunning.started
        2025-03-05 notice.sent payment_failed
        2025-03-05 payment_method.updated subscriber
        2025-03-05 payment_attempt.authorized cit
        2025-03-05 payment.captured
    """)
    assert log.of(who)["method_kind"].max() == events.DEBIT
    assert len(renewals("2025-04-05")) == len(log.story(who, "2025-04-01", "2025-05-01"))


def test_a_method_that_was_withdrawn_can_be_launched_again():
    """Who did not bring another in the meantime pays with it again, and so do new people."""
    changes = (
        "members: 64\ntimeline: [{kind: method_withdrawal, at: 2025-03-01, method: debit},"
        " {kind: method_launch, at: 2025-03-07 00:00, method: debit, share: 50%}]\n"
    )
    methods = "method_mix: {credit: 50%, debit: 50%}"
    log = happened(changes + f"markets: {{US: {{signups: {{per_month: 50%}}, behaviour: {{{methods}}}}}}}\n")
    debit = [who for who, rows in log.lives() if born(rows).day == 5 and rows["method_kind"][0] == events.DEBIT]
    assert log.story(debit[0], "2025-03-04", "2025-05-01") == [
        *expected("""
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.declined mit method_withdrawn
        2025-03-05 dunning.started
        2025-03-05 notice.sent payment_failed
        2025-03-06 payment_attempt.declined mit method_withdrawn
        2025-03-08 payment_attempt.authorized mit
        2025-03-08 payment.captured
        """),
        *renewals("2025-04-05"),
    ]
    again = clock.micros(log.world.scenario.timeline[1].at)
    later = log.rows[(log.rows["kind"] == events.SIGNUP_STARTED) & (log.rows["occurred_at"] > again)]
    assert (later["method_kind"] == events.DEBIT).any()
    refused = log.rows[(log.rows["kind"] == events.ATTEMPT_DECLINED) & (log.rows["occurred_at"] > again)]
    assert not len(refused)


def test_a_launched_method_takes_its_share_of_new_methods():
    """Half of those who sign up after the launch have it, nobody before."""
    launch = "timeline: [{kind: method_launch, at: 2025-02-01, method: wallet, share: 50%}]\n"
    log = happened(SIGNUPS.replace("members: 64", "members: 400") + launch)
    rows = log.rows[log.rows["kind"] == events.SIGNUP_STARTED]
    is_later = rows["occurred_at"] >= clock.micros(log.world.scenario.timeline[0].at)
    share = (rows["method_kind"] == events.WALLET)[is_later].mean()
    assert not (rows["method_kind"] == events.WALLET)[~is_later].any()
    assert abs(share - 0.5) < 4 * (0.25 / is_later.sum()) ** 0.5


def test_a_market_opens_on_its_day():
    """Nobody signs up there before, and nobody elsewhere lives otherwise."""
    log, without = (
        happened(FRAUD, BUSY),
        happened(FRAUD.replace("market: [CA], signups: 5%", "market: [CA], signups: 0%"), BUSY),
    )
    newcomers = {who for who in log.subscribers if people.describe(who).startswith("CA-")}
    assert changed(log, without) == newcomers
    assert (
        min(log.of(who)["occurred_at"][0] for who in newcomers)
        >= clock.day_number(log.world.scenario.timeline[7].at.date()) * clock.DAY
    )


@pytest.mark.parametrize("feature", [
    "markets: {GB: {behaviour: {authentication: {renewals_asked: 5%}}}}",
    "fraud: {market: [GB], signups: 10%, screens: [signup, member, renewal], review_above: 500}",
])  # fmt: skip
def test_what_is_on_in_one_market_leaves_the_others_alone(feature):
    """To the byte."""
    touched = changed(happened("", BUSY), happened(feature, BUSY))
    assert touched
    assert {people.describe(who).partition("-")[0] for who in touched} == {"GB"}


def test_both_drivers_and_plain_python_agree():
    """Everything of this noun at once, digest for digest."""
    world = world_of(FRAUD, BUSY)
    assert digests(world) == digests(world, "simpy")
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", PLAIN],
        capture_output=True, check=False, timeout=240, cwd=Path(__file__).parent.parent,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert tuple(done.stdout.split()) == digests(world_of(FEW, BUSY))


@pytest.mark.parametrize("seed", range(1, 6))
def test_nobody_is_ever_charged_twice(seed):
    """What is captured of an invoice, less what came back, never exceeds its amount, however unknown outcomes ended."""
    text = (
        FRAUD.replace("double_charges: 30%", "declines: 30%")
        + f"seed: {seed}\ngateways: {{northpay: {{timeout: 30%}}}}\n"
    )
    rows = log_of(world_of(text, BUSY)).rows
    moved = rows[np.isin(rows["kind"], (events.PAYMENT_CAPTURED, events.PAYMENT_RETURNED))]
    sign = np.where(moved["kind"] == events.PAYMENT_CAPTURED, 1, -1)
    invoices = rows[np.isin(rows["kind"], (events.INVOICE_ISSUED, events.INVOICE_IMPORTED))]
    due = {(row["subscriber"], row["invoice"]): row["amount_minor"] for row in invoices}
    paid: dict[tuple[int, int], int] = {}
    for row, amount in zip(moved, sign * moved["amount_minor"], strict=True):
        key = (row["subscriber"], row["invoice"])
        paid[key] = paid.get(key, 0) + int(amount)
    assert len(paid) > 500
    assert all(amount <= due[key] for key, amount in paid.items() if key in due)


def test_what_another_voucher_brings_is_the_work_of_retries(tmp_path):
    """No member has done anything: the service issued the voucher that was paid, in the facts and in the truth."""
    scenario = tmp_path / "vouchers.yaml"
    scenario.write_text(laid_over(QUIET, vouchers("50%")))
    run = billing_sim.run(scenario, out=tmp_path / "run", members=300)
    recovered = run.sql(
        "SELECT recovered_by, count(*) AS invoices FROM invoices WHERE recovered_by <> 'none' GROUP BY ALL"
    )
    assert recovered["recovered_by"].tolist() == ["retry"]
    assert recovered["invoices"][0] > 50
    ways = {row.way: row.invoices.value for row in run.truth().recovered}
    assert ways["retry"] + ways["waiting"] == sum(ways.values()) > 50
