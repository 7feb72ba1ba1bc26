"""A life becomes a page: days, quiet renewals in one line, truths beside what they explain, and an ending."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from billing_sim import declines, events, people
from billing_sim.trace.ending import ending_of, ending_words
from billing_sim.trace.entries import entries_of, truths_alone, truths_beside
from billing_sim.trace.story import Story
from tests.trace_rows import CONTEXT, attempt, instant, life, renewal, row, truth, truths

_FUNDS = declines.CODE_NUMBER["51"]
_DECLINED = "The service tried the credit card through northpay (attempt 1), declined: 51 insufficient funds (soft)."


def story(rows, sealed=None) -> Story:
    """The story of rows written by hand."""
    beside = {} if sealed is None else truths_beside(rows, sealed)
    alone = {} if sealed is None else truths_alone(rows, sealed)
    return Story(
        subscriber=people.subscriber_number("US", people.BASE, 17),
        scenario="small",
        seed=7,
        start=date(2025, 1, 1),
        end=date(2025, 7, 1),
        locale="en_US",
        context=CONTEXT,
        entries=tuple(entries_of(rows, CONTEXT, beside, alone)),
        ending=ending_of(rows) if len(rows) else None,
    )


def told(rows, sealed=None) -> list[str]:
    """The lines between the title and the summary."""
    return story(rows, sealed).lines(120)[2:-2]


def imported(at: str = "2025-01-01 00:00"):
    return row(
        events.SUBSCRIPTION_IMPORTED,
        at,
        method_kind=events.CREDIT,
        reason=events.ACTIVE,
        period_start="2024-01-14",
        period_end="2025-01-14",
    )


def failed(at: str, invoice: int):
    """A renewal that fails for want of money and comes into dunning."""
    return [
        row(
            events.INVOICE_ISSUED,
            at,
            invoice=invoice,
            amount_minor=1799,
            period_start="2025-02-14",
            period_end="2025-03-14",
        ),
        attempt(events.ATTEMPT_DECLINED, at, invoice=invoice, code=_FUNDS),
        row(events.DUNNING_STARTED, at, invoice=invoice),
    ]


def paid_at_last(at: str, invoice: int):
    """The retry that works."""
    return [
        attempt(events.ATTEMPT_AUTHORIZED, at, invoice=invoice, attempt=2),
        row(events.PAYMENT_CAPTURED, at, invoice=invoice, amount_minor=1799),
    ]


def monthly(first: int, last: int, amount_minor: int = 1799, kind: int = events.CREDIT):
    """Renewals without trouble in these months of 2025, numbered by month."""
    months = range(first, last + 1)
    return [piece for month in months for piece in renewal(f"2025-{month:02d}-14 08:00", month, amount_minor, kind)]


def test_quiet_renewals_in_a_row_are_one_line():
    assert told(life(*monthly(1, 5))) == [
        "Renewed 5 times without trouble, 2025-01-14 to 2025-05-14 (17.99 USD each, credit card)."
    ]


def test_another_amount_and_another_method_begin_another_line():
    rows = life(*monthly(1, 2), *monthly(3, 4, 1999), *monthly(5, 6, 1999, events.WALLET))
    assert told(rows) == [
        "Renewed 2 times without trouble, 2025-01-14 to 2025-02-14 (17.99 USD each, credit card).",
        "Renewed 2 times without trouble, 2025-03-14 to 2025-04-14 (19.99 USD each, credit card).",
        "Renewed 2 times without trouble, 2025-05-14 to 2025-06-14 (19.99 USD each, wallet).",
    ]


def test_a_failure_stands_between_quiet_renewals_day_by_day():
    rows = life(*monthly(1, 1), *failed("2025-02-14 08:00", 2), *paid_at_last("2025-02-17 08:00", 2), *monthly(3, 4))
    assert told(rows) == [
        "Tue 2025-01-14 (day 13)",
        "  03:00  Renewed without trouble (17.99 USD, credit card).",
        "Fri 2025-02-14 (day 44)",
        "  03:00  Invoice 2 was issued: 17.99 USD, for Standard from 2025-02-14 to 2025-03-14.",
        f"  03:00  {_DECLINED}",
        "  03:00  Dunning of invoice 2 began, by the policy patient.",
        "Mon 2025-02-17 (day 47)",
        "  03:00  The service tried the credit card through northpay (attempt 2), authorized.",
        "  03:00  17.99 USD was captured: invoice 2 is paid.",
        "Renewed 2 times without trouble, 2025-03-14 to 2025-04-14 (17.99 USD each, credit card).",
    ]


def test_a_payment_that_comes_back_later_was_not_without_trouble():
    returned = row(events.PAYMENT_RETURNED, "2025-01-16 08:00", invoice=1, amount_minor=1799, code=_FUNDS)
    lines = told(life(*monthly(1, 1), returned))
    assert [line[9:40] for line in lines if line.startswith("  ")] == [
        "Invoice 1 was issued: 17.99 USD",
        "The service tried the credit ca",
        "17.99 USD was captured: invoice",
        "The payment of 17.99 USD for in",
    ]


def test_the_first_payment_of_a_sign_up_is_told_in_full():
    rows = life(*monthly(1, 1))
    rows["initiator"][1] = events.CIT
    assert "The member paid with the credit card" in "".join(told(rows))


def test_the_end_of_a_subscription_is_told_though_it_names_a_quiet_invoice():
    rows = life(
        *monthly(1, 2), row(events.SUBSCRIPTION_CANCELED, "2025-03-14 08:00", invoice=2, reason=events.VOLUNTARY)
    )
    assert told(rows) == [
        "Renewed 2 times without trouble, 2025-01-14 to 2025-02-14 (17.99 USD each, credit card).",
        "Fri 2025-03-14 (day 72)",
        "  04:00  The subscription ended, as the member had wished.",
    ]


def test_days_are_those_of_the_market_and_the_eve_of_the_first_has_no_number():
    added = row(events.METHOD_ADDED, "2025-01-01 05:00", method_kind=events.CREDIT, reason=events.PREFERRED)
    lines = told(life(imported(), added))
    assert lines[0] == "Tue 2024-12-31 (the run begins)"
    assert lines[2:] == ["Wed 2025-01-01 (day 0)", "  00:00  A credit card was put on file."]


def test_truths_stand_beside_what_they_explain_and_alone_where_they_happened():
    rows = life(imported(), *failed("2025-02-14 08:00", 1), *paid_at_last("2025-02-17 08:00", 1), *monthly(3, 6))
    sealed = truths(
        truth(events.INTENT_CHANGED, "2025-01-01 00:00", intent=events.STAY),
        truth(events.EXPLAINED, "2025-02-14 08:00", sequence=2, cause=declines.FUNDS),
        truth(events.INTENT_CHANGED, "2025-04-20 08:00", intent=events.INERT),
    )
    lines = told(rows, sealed)
    assert lines[2] == "  19:00  In truth: the person wants to stay."
    assert lines[4:7] == [
        "  03:00  Invoice 1 was issued: 17.99 USD, for Standard from 2025-02-14 to 2025-03-14.",
        f"  03:00  {_DECLINED}",
        "         Really: the payer's money had run dry.",
    ]
    assert lines[-4:] == [
        "Renewed 2 times without trouble, 2025-03-14 to 2025-04-14 (17.99 USD each, credit card).",
        "Sun 2025-04-20 (day 109)",
        "  04:00  In truth: the person stays only out of inertia.",
        "Renewed 2 times without trouble, 2025-05-14 to 2025-06-14 (17.99 USD each, credit card).",
    ]


def test_of_a_charge_that_we_made_by_mistake_nobody_is_said_to_have_made_it():
    opened = {"invoice": 1, "amount_minor": 1799, "reason": events.UNAUTHORISED}
    rows = life(imported(), *monthly(2, 3), row(events.DISPUTE_OPENED, "2025-04-20 08:00", **opened))
    sealed = truths(truth(events.DISPUTE_EXPLAINED, "2025-04-20 08:00", sequence=int(rows["sequence"][-1])))
    assert told(rows, sealed)[-1] == (
        "  04:00  The payer's bank took 17.99 USD of invoice 1 back: disputed as charged after the end."
    )


def test_a_change_of_mind_at_the_moment_of_the_cancel_is_told_before_it():
    cancel = row(events.CANCEL_REQUESTED, "2025-02-01 08:00", reason=events.VOLUNTARY, period_end="2025-02-14")
    sealed = truths(truth(events.INTENT_CHANGED, "2025-02-01 08:00", intent=events.GO))
    assert told(life(imported(), cancel), sealed)[3:] == [
        "  03:00  In truth: the person wants to go.",
        "  03:00  The member cancelled, effective 2025-02-14.",
    ]


def test_the_whole_page_has_a_title_and_a_summary():
    lines = story(life(*monthly(1, 5))).lines(60)
    assert lines == [
        "US-17, United States, times of America/New_York. Run small,",
        "seed 7, 2025-01-01 to 2025-07-01.",
        "",
        "Renewed 5 times without trouble, 2025-01-14 to 2025-05-14",
        "(17.99 USD each, credit card).",
        "",
        "At the end of the run (2025-07-01): a member. 5 invoices: 5",
        "paid; 89.95 USD paid in all.",
    ]


def test_long_sentences_go_on_below_their_beginning():
    lines = story(life(*failed("2025-02-14 08:00", 2))).lines(60)
    assert lines[6:8] == [
        "  03:00  The service tried the credit card through northpay",
        "         (attempt 1), declined: 51 insufficient funds",
    ]
    assert max(map(len, lines)) <= 60


def test_someone_who_never_came_back_has_a_story_of_one_sentence():
    stranger = replace(story(life()), subscriber=people.subscriber_number("US", people.FORMER, 3))
    assert stranger.lines(200)[1:] == ["", "US-former-3 had left before the run began and did not come back within it."]
    assert stranger.to_json()["ending"] is None


def test_the_json_says_what_the_page_says_and_which_of_it_is_sealed():
    rows = life(*monthly(1, 2), *failed("2025-03-14 08:00", 3))
    sealed = truths(truth(events.EXPLAINED, "2025-03-14 08:00", sequence=7, cause=declines.FUNDS))
    plain = story(rows, sealed).to_json()
    assert (plain["subscriber"], plain["time_zone"], plain["currency"]) == ("US-17", "America/New_York", "USD")
    kinds = [(entry["kind"], entry["sealed"]) for entry in plain["entries"]]
    assert kinds == [
        ("renewals", False),
        ("invoice.issued", False),
        ("payment_attempt.declined", False),
        ("decline.explained", True),
        ("dunning.started", False),
    ]
    assert plain["entries"][0]["count"] == 2
    assert plain["entries"][1]["at"] == "2025-03-14T04:00:00-04:00"
    assert plain["ending"] == {
        "standing": "past_due",
        "invoices": {"issued": 3, "paid": 2, "voided": 0, "given_up": 0, "open": 1, "failed": 1, "recovered": 0},
        "paid_minor": 3598,
        "given_back_minor": 0,
    }


def words(*rows) -> str:
    """How a life that began as an active member ends."""
    return ending_words(ending_of(life(imported(), *rows)), CONTEXT, "2025-07-01")


def test_an_ending_counts_what_was_recovered_and_what_was_given_up():
    given_up = [*failed("2025-03-14 08:00", 3), row(events.SUBSCRIPTION_HELD, "2025-03-21 08:00", invoice=3)]
    given_up += [
        row(events.INVOICE_UNCOLLECTIBLE, "2025-04-14 08:00", invoice=3),
        row(events.SUBSCRIPTION_CANCELED, "2025-04-14 08:00", invoice=3, reason=events.NONPAYMENT),
    ]
    recovered = [*failed("2025-02-14 08:00", 2), *paid_at_last("2025-02-17 08:00", 2)]
    assert words(*monthly(1, 1), *recovered, *given_up) == (
        "At the end of the run (2025-07-01): no longer a member, because nobody paid. "
        "3 invoices: 2 paid (1 after a failure), 1 given up; 35.98 USD paid in all."
    )


def test_money_that_came_back_is_not_paid():
    returned = row(events.PAYMENT_RETURNED, "2025-01-16 08:00", invoice=1, amount_minor=1799, code=_FUNDS)
    assert words(*monthly(1, 1), returned, row(events.DUNNING_STARTED, "2025-01-16 08:00", invoice=1)) == (
        "At the end of the run (2025-07-01): a member with a payment that is failing. "
        "1 invoice: 1 open; 0.00 USD paid in all."
    )


def test_money_of_before_the_start_that_comes_back_was_never_counted():
    """The total once was negative, and an invoice that stood as paid was told as failing already."""
    came_back = [
        row(events.INVOICE_IMPORTED, "2025-01-16 08:00", invoice=1, attempt=1, amount_minor=1799),
        row(events.PAYMENT_RETURNED, "2025-01-16 08:00", invoice=1, amount_minor=1799, code=_FUNDS),
    ]
    assert words(*came_back, *monthly(2, 2)).endswith("2 invoices: 1 paid, 1 open; 17.99 USD paid in all.")


def test_an_ending_says_what_was_given_back():
    """A charge made twice counts twice; a refund, and a dispute that is not won, are money that is gone."""
    twice = row(events.PAYMENT_DUPLICATED, "2025-01-15 08:00", invoice=1, amount_minor=1799)
    refund = row(events.REFUND_ISSUED, "2025-01-20 08:00", invoice=1, amount_minor=1799)
    opened = row(events.DISPUTE_OPENED, "2025-01-25 08:00", invoice=1, amount_minor=1799)
    won = row(events.DISPUTE_WON, "2025-02-25 08:00", invoice=1, amount_minor=1799)
    paid = monthly(1, 1)
    assert words(*paid, twice, refund).endswith("35.98 USD paid in all, 17.99 USD of it given back.")
    assert words(*paid, opened).endswith("17.99 USD paid in all, 17.99 USD of it given back.")
    assert words(*paid, opened, won).endswith("17.99 USD paid in all.")


def test_who_undoes_a_cancellation_is_a_member_again():
    """They once stayed cancelled to the end of the story."""
    asked = row(events.CANCEL_REQUESTED, "2025-06-20 08:00", reason=events.VOLUNTARY)
    saved = row(events.CONTACT_RESOLVED, "2025-06-21 08:00", reason=events.SAVED)
    assert words(asked).startswith("At the end of the run (2025-07-01): a member who has cancelled.")
    assert words(asked, saved).startswith("At the end of the run (2025-07-01): a member.")


def test_an_ending_says_since_when_a_payment_waits_for_a_review():
    """Until somebody has looked at it, or the subscription is over."""
    asked = row(events.REVIEW_OPENED, "2025-06-20 08:00", invoice=3, attempt=1)
    decided = row(events.REVIEW_CLOSED, "2025-06-22 08:00", invoice=3, attempt=1, reason=events.REVIEW_APPROVED)
    over = row(events.SUBSCRIPTION_CANCELED, "2025-06-25 08:00", reason=events.VOLUNTARY)
    assert words(asked).endswith(" A payment has waited for a review since 2025-06-20 04:00.")
    assert "review" not in words(asked, decided) + words(asked, over)


def test_an_ending_says_who_is_about_to_leave_and_who_is_locked_out():
    cancel = row(events.CANCEL_REQUESTED, "2025-02-01 08:00", reason=events.VOLUNTARY, period_end="2025-02-14")
    held = row(events.SUBSCRIPTION_HELD, "2025-02-21 08:00", invoice=2)
    assert words(cancel).startswith("At the end of the run (2025-07-01): a member who has cancelled. 0 invoices;")
    assert "a member without access." in words(*failed("2025-02-14 08:00", 2), held)
    restored = row(events.SUBSCRIPTION_RESTORED, "2025-02-22 08:00", invoice=2)
    assert "(2025-07-01): a member." in words(held, *paid_at_last("2025-02-22 08:00", 2), restored)


def test_moments_are_kept_in_utc():
    assert story(life(imported())).entries[0].at == instant("2025-01-01 00:00")
