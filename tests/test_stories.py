"""Lives with exact endings: these events and no others, on these local days.

Every story is a small change to a world in which nothing goes wrong (`world_builder.QUIET`): one market, New York's
calendar, charges at three in the morning, and the dunning policy `steady` (retries after 1, 3, 5 and 7 days, notices
after an hour and four days, a hold after six days, the end after ten).
"""

from __future__ import annotations

import calendar
from datetime import date

import pytest

from billing_sim import clock, events
from tests.world_builder import Log, behaviour, born, expected, happened, kinds_of

OUTAGE = "timeline: [{{kind: gateway_outage, at: {at}, gateway: northpay, duration: {duration}, failing: 100%}}]\n"
LONG_OUTAGE = OUTAGE.format(at="2025-03-01", duration="40 days")
"""It covers all of the dunning of whoever is billed on the fifth of March."""

LIFECYCLE = """
latent_causes: {credit: {lifecycle: 100%, funds: 0%, suspicion: 0%, lost_stolen: 0%, restricted: 0%, technical: 0%}}
"""
"""With a target of 100 %, nobody mends a card before it is charged: whatever expires is declined."""


def renewals(*days: str) -> list[str]:
    """Renewals on these days, paid at once."""
    paid = ("invoice.issued", "payment_attempt.authorized mit", "payment.captured")
    return [f"{day} {event}" for day in days for event in paid]


def arrived(log: Log) -> int:
    """The first person who signs up."""
    return log.find(lambda rows: rows["kind"][0] == events.SIGNUP_STARTED)


def months(year: int, anchor: int) -> list[str]:
    """The billing days of a year for an anchor: it is clamped to the month's length and comes back."""
    return [str(date(year, month, min(anchor, calendar.monthrange(year, month)[1]))) for month in range(1, 13)]


@pytest.mark.parametrize("year", [2024, 2025])
@pytest.mark.parametrize("anchor", [1, 28, 29, 30, 31])
def test_a_clean_year(year, anchor):
    """A charge a month on the anchor, in a leap year too: 31 January, 29 February, 31 March."""
    log = happened(f"start: {year}-01-01\nend: {year + 1}-01-01\nmembers: 200")
    who = log.member(anchor)
    first = expected(f"{year - 1}-12-31 subscription.imported active\n{year - 1}-12-31 payment_method.added preferred")
    assert log.story(who) == first + renewals(*months(year, anchor))
    charged = [log.local(row["occurred_at"]) for row in log.of(who)[2:]]
    assert {moment.hour for moment in charged} == {3}
    assert len({moment.minute for moment in charged}) == 1


def test_periods_tile_the_year():
    """Each invoice is for the days from one billing day to the next."""
    log = happened("members: 200")
    rows = log.of(log.member(31))
    issued = rows[rows["kind"] == events.INVOICE_ISSUED]
    assert [str(clock.date_of(int(day))) for day in issued["period_start"]] == months(2025, 31)
    assert issued["period_end"][:-1].tolist() == issued["period_start"][1:].tolist()


def test_a_yearly_plan_renews_on_its_anniversary():
    """Everybody of the base is charged once in the year, on the day on which they joined years ago."""
    log = happened(
        "plans: {standard: {interval: year}}\n"
        + behaviour(tenure_mix="{months_1_3: 5%, months_4_12: 25%, year_2: 30%, year_3: 20%, year_4_on: 20%}")
    )
    for who, rows in log.lives():
        joined = born(rows)
        last = calendar.monthrange(2025, joined.month)[1]
        assert log.story(who)[2:] == renewals(f"2025-{joined:%m}-{min(joined.day, last):02d}")


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
    failed = rows["occurred_at"][rows["kind"] == events.DUNNING_STARTED][0]
    after = [(int(row["occurred_at"]) - int(failed)) // clock.MINUTE for row in rows if row["occurred_at"] >= failed]
    hours = [0, 0, 0, 1, 24, 72, 96, 120, 144, 144, 168, 240, 240]
    assert after == [hour * 60 for hour in hours]


def test_an_outage_shorter_than_dunning_is_recovered_by_the_first_retry_after_it():
    """The hold is lifted, and the next charge comes on the day on which it always comes."""
    log = happened(
        OUTAGE.format(at="2025-03-05", duration="4 days") + "dunning_policies: {steady: {grace: 2 days}}"
    )
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
    assert not (log.rows["kind"] == events.ATTEMPT_DECLINED).any()
    failed = log.rows[log.rows["kind"] == events.GATEWAY_CALL_FAILED]
    assert {log.world.gateways[gateway] for gateway in failed["gateway"]} == {"northpay"}


def card_until(log: Log, last_day: str, anchor: int = 5) -> int:
    """A member billed on this day of the month whose card is valid to this day."""
    limit = clock.day_number(date.fromisoformat(last_day))
    return log.find(lambda rows: born(rows).day == anchor and rows["period_end"][1] == limit)


def test_the_account_updater_brings_the_new_card_before_it_is_charged():
    """The card expires in April; in May the updater knows the new one, and the charge goes through."""
    log = happened("members: 2000\naccount_updater: on\n" + behaviour(expiry_years="[1]", first_attempt_failure="{credit: 100%}") + LIFECYCLE)
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
    log = happened(
        "members: 2000\n" + behaviour(expiry_years="[1]", first_attempt_failure="{credit: 100%}", attention="100%", attention_on_hold="100%") + LIFECYCLE
    )
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
    log = happened("members: 2000\n" + behaviour(expiry_years="[1]", first_attempt_failure="{credit: 100%}", attention="100%", attention_on_hold="100%", unreachable="100%") + LIFECYCLE)
    who = card_until(log, "2025-04-30")
    assert log.story(who, since="2025-05")[-2:] == expected("""
        2025-05-15 invoice.marked_uncollectible
        2025-05-15 subscription.canceled nonpayment
    """)
    assert log.secrets(who)[-1] == "2025-05-15 loss.judged stay able"


def test_a_member_may_mend_the_card_before_anything_fails():
    """With a target of no failures everybody puts the new card on file in time; no charge ever fails."""
    log = happened("members: 400\n" + behaviour(expiry_years="[1]"))
    updated = log.rows[log.rows["kind"] == events.METHOD_UPDATED]
    assert len(updated) > 100
    assert set(updated["reason"]) == {events.BY_SUBSCRIBER}
    who = log.find(
        lambda rows: born(rows).day == 28 and events.METHOD_UPDATED in rows["kind"] and events.DUNNING_STARTED not in rows["kind"]
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
    log = happened("members: 2000\n" + behaviour(expiry_years="[1]", network_tokens="100%", voluntary_churn="20% per month", bank_stop="{credit: 100%}"))
    carried = 0
    for who, rows in log.lives():
        went = [row["occurred_at"] for row in log.truth_of(who) if row["intent"] == events.GO]
        if went:
            later = rows[rows["occurred_at"] > went[0]]
            carried += events.METHOD_UPDATED in later["kind"]
            assert events.ATTEMPT_AUTHORIZED not in later["kind"]
    assert carried > 20


def test_who_cancels_stays_to_the_end_of_the_paid_period():
    """The cancel names the day, nothing is charged on it, and the subscription ends."""
    log = happened(behaviour(voluntary_churn="30% per month"))
    ended = 0
    for who, rows in log.lives():
        if events.CANCEL_REQUESTED in rows["kind"]:
            at = kinds_of(rows).index("subscription.cancel_requested")
            effective = clock.date_of(int(rows["period_end"][at]))
            wished = log.secrets(who)[-1]
            assert wished == f"{log.local(rows['occurred_at'][at]):%Y-%m-%d} intent.changed go"
            assert log.story(who)[at:] == [
                f"{wished[:10]} subscription.cancel_requested voluntary",
                f"{effective} subscription.canceled voluntary",
            ] or effective >= date(2026, 1, 1)
            assert effective.day == min(born(rows).day, calendar.monthrange(effective.year, effective.month)[1])
            ended += events.SUBSCRIPTION_CANCELED in rows["kind"]
    assert ended > 40


def test_who_cancels_because_of_payment_trouble_leaves_at_once():
    """The invoice is void, nothing is retried."""
    log = happened(LONG_OUTAGE + behaviour(attention="100%", attention_on_hold="100%", cancel_in_trouble="100%"))
    who = log.member(5)
    assert log.story(who, since="2025-03") == expected("""
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.declined mit 96
        2025-03-05 dunning.started
        2025-03-05 notice.sent payment_failed
        2025-03-05 subscription.cancel_requested payment_trouble
        2025-03-05 invoice.voided
        2025-03-05 subscription.canceled payment_trouble
    """)
    assert log.secrets(who)[1:] == ["2025-03-05 decline.explained outage"]


def test_who_wants_to_go_while_a_payment_fails_leaves_at_once():
    """A voluntary end in dunning: there is no paid period to wait for."""
    log = happened("members: 500\n" + LONG_OUTAGE + behaviour(voluntary_churn="50% per month"))

    def in_dunning(rows):
        kinds = kinds_of(rows)
        return "subscription.cancel_requested" in kinds[kinds.index("dunning.started") :] if "dunning.started" in kinds else 0

    story = log.story(log.find(in_dunning))
    today = story[-1][:10]
    assert story[-3:] == [
        f"{today} subscription.cancel_requested voluntary",
        f"{today} invoice.voided",
        f"{today} subscription.canceled voluntary",
    ]


def test_a_stop_at_the_bank_looks_like_nonpayment_and_the_truth_says_go():
    """No word to us: the next charge is declined until dunning ends, and nothing was ever wrong with the card."""
    log = happened(behaviour(voluntary_churn="30% per month", bank_stop="{credit: 100%}"))
    who = log.find(lambda rows: born(rows).day == 5 and events.SUBSCRIPTION_CANCELED in rows["kind"])
    story = log.story(who)
    first = next(i for i, line in enumerate(story) if "declined" in line)
    month = story[first][:8]
    assert story[first - 1 :] == expected(f"""
        {month}05 invoice.issued
        {month}05 payment_attempt.declined mit R0
        {month}05 dunning.started
        {month}05 notice.sent payment_failed
        {month}06 payment_attempt.declined mit R0
        {month}08 payment_attempt.declined mit R0
        {month}09 notice.sent payment_reminder
        {month}10 payment_attempt.declined mit R0
        {month}11 subscription.put_on_hold
        {month}11 notice.sent hold_started
        {month}12 payment_attempt.declined mit R0
        {month}15 invoice.marked_uncollectible
        {month}15 subscription.canceled nonpayment
    """)
    secrets = [secret.partition(" ")[2] for secret in log.secrets(who)]
    assert secrets == [
        "intent.changed stay", "intent.changed go", *["decline.explained bank_stop"] * 5, "loss.judged go unable",
    ]  # fmt: skip
    assert events.CANCEL_REQUESTED not in log.rows["kind"]
