"""Stories of signing up: paid, refused, tried again, given up (see `test_stories`)."""

from __future__ import annotations

from billing_sim import events
from tests.world_builder import Log, behaviour, expected, happened, renewals

MANY = "markets: {US: {signups: {per_month: 60%}}}\n"


def many(**people: str) -> str:
    """A world with many sign-ups whose people behave like this."""
    return behaviour(**people) + "    signups: {per_month: 60%}\n"


def arrived(log: Log, fits=lambda rows: True) -> int:
    """The first person who signs up and fits."""
    return log.find(lambda rows: rows["kind"][0] == events.SIGNUP_STARTED and fits(rows))


def deeds(log: Log, who: int) -> list[str]:
    """What they did, without the dates."""
    return [line.partition(" ")[2] for line in log.story(who)]


def test_a_sign_up_that_pays_becomes_a_subscription():
    """The first invoice is paid by the person; a month later the service charges it, on the same day of the month."""
    log = happened(MANY)
    who = arrived(log, lambda rows: log.local(rows["occurred_at"][0]).strftime("%m-%d") == "09-12")
    assert log.story(who) == [
        *expected("""
        2025-09-12 signup.started new
        2025-09-12 payment_method.added preferred
        2025-09-12 invoice.issued
        2025-09-12 payment_attempt.authorized cit
        2025-09-12 payment.captured
        2025-09-12 subscription.created new
        """),
        *renewals("2025-10-12", "2025-11-12", "2025-12-12"),
    ]


def test_refused_and_given_up():
    """Taken for a risk; without a second try the invoice is void and nobody becomes a member."""
    log = happened(many(signup_first_payment_failure="100%"))
    assert deeds(log, arrived(log)) == expected("""
        signup.started new
        payment_method.added preferred
        invoice.issued
        payment_attempt.declined cit 59
        invoice.voided
        signup.abandoned gave_up
    """)
    assert events.SUBSCRIPTION_CREATED not in log.rows["kind"]


def test_refused_three_times_is_enough():
    """Whoever always tries again stops after the third method, within two days."""
    log = happened(many(signup_first_payment_failure="100%", signup_try_again="100%"))
    who = arrived(log)
    assert deeds(log, who) == expected("""
        signup.started new
        payment_method.added preferred
        invoice.issued
        payment_attempt.declined cit 59
        payment_method.updated subscriber
        payment_attempt.declined cit 59
        payment_method.updated subscriber
        payment_attempt.declined cit 59
        invoice.voided
        signup.abandoned gave_up
    """)
    assert log.of(who)["attempt"].max() == 3


def test_refused_at_first_and_paid_with_another_method():
    """The card is taken for a risk, the mandate on the account is not; the period begins with the first try."""
    log = happened(
        many(
            signup_first_payment_failure="100%", signup_try_again="100%", method_mix="{credit: 50%, a2a_emandate: 50%}"
        )
    )
    who = arrived(log, lambda rows: rows["method_kind"][[0, 4]].tolist() == [events.CREDIT, events.A2A_EMANDATE])
    assert deeds(log, who)[:8] == expected("""
        signup.started new
        payment_method.added preferred
        invoice.issued
        payment_attempt.declined cit 59
        payment_method.updated subscriber
        payment_attempt.authorized cit
        payment.captured
        subscription.created new
    """)
    rows = log.of(who)
    assert rows["period_start"][2] == rows["period_start"][7]


def test_people_who_had_left_come_back_as_returning():
    """They are unknown to the log until they sign up again, with spell 2."""
    log = happened(
        "members: 500\n"
        + behaviour(
            former_members="40%",
            voluntary_churn="1% per month",
            win_back="{voluntary: {month_1: 10%, month_6: 60%, month_12: 90%}}",
        )
    )
    who = arrived(log, lambda rows: rows["reason"][0] == events.RETURNING)
    assert deeds(log, who)[0] == "signup.started returning"
    assert deeds(log, who)[5] == "subscription.created returning"
    assert set(log.of(who)["spell"]) == {2}
