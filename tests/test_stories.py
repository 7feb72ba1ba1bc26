"""Lives with exact endings: these events and no others, on these local days. Here: charges that go as they should.

Every story is a small change to a world in which nothing goes wrong (`world_texts.QUIET`): one market, New York's
calendar, charges at three in the morning, and the dunning policy `steady` (retries after 1, 3, 5 and 7 days, notices
after an hour and four days, a hold after six days, the end after ten).
"""

from __future__ import annotations

import calendar
from datetime import date

import numpy as np
import pytest

from billing_sim import clock, events
from tests.world_builder import behaviour, born, happened, renewals


def months(year: int, anchor: int) -> list[str]:
    """The billing days of a year for an anchor: it is clamped to the month's length and comes back."""
    return [str(date(year, month, min(anchor, calendar.monthrange(year, month)[1]))) for month in range(1, 13)]


@pytest.mark.parametrize("year", [2024, 2025])
@pytest.mark.parametrize("anchor", [1, 28, 29, 30, 31])
def test_a_clean_year(year, anchor):
    """A charge a month on the anchor, in a leap year too: 31 January, 29 February, 31 March."""
    log = happened(f"start: {year}-01-01\nend: {year + 1}-01-01\nmembers: 200")
    who = log.member(anchor)
    eve = f"{year - 1}-12-31"
    on_file = [f"{eve} subscription.imported active", f"{eve} payment_method.added preferred"]
    assert log.story(who) == on_file + renewals(*months(year, anchor))
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
        + behaviour(
            method_mix="{carrier_partner: 100%}",
            tenure_mix="{months_1_3: 5%, months_4_12: 25%, year_2: 30%, year_3: 20%, year_4_on: 20%}",
        )
    )
    for who, rows in log.lives():
        joined = born(rows)
        last = calendar.monthrange(2025, joined.month)[1]
        assert log.story(who)[2:] == renewals(f"2025-{joined:%m}-{min(joined.day, last):02d}")


PRICE_RISE = """
members: 300
timeline:
  - {kind: price_change, at: 2025-03-01, prices: {standard: 12.00 USD}, notice: 30 days, added_churn: {points: 0%}}
markets: {US: {tax: {rate: 20%, included: false}, signups: {per_month: 20%}}}
"""


def test_a_price_rise_reaches_members_after_the_notice_and_new_people_at_once():
    """From 1 March for who signs up, from 31 March for everybody else, with its tax."""
    log = happened(PRICE_RISE)
    issued = log.rows[log.rows["kind"] == events.INVOICE_ISSUED]
    told, due = (clock.day_number(date(2025, 3, day)) * clock.DAY for day in (1, 31))
    joined = {
        who for who, rows in log.lives() if rows["kind"][0] == events.SIGNUP_STARTED and rows["occurred_at"][0] >= told
    }
    assert len(joined) > 100
    for row in issued:
        is_new_price = row["occurred_at"] >= due or row["subscriber"] in joined
        assert (row["amount_minor"], row["tax_minor"]) == ((1440, 240) if is_new_price else (1200, 200))


def test_a_tax_within_the_price_leaves_the_price_alone():
    """20 % within 10.00 is 1.67 of it."""
    log = happened("markets: {US: {tax: {rate: 20%, included: true}}}")
    issued = log.rows[log.rows["kind"] == events.INVOICE_ISSUED]
    assert set(issued["amount_minor"]) == {1000}
    assert set(issued["tax_minor"]) == {167}


def test_the_calendar_is_the_markets_own():
    """In Sydney the charge of the 31st comes at three in the morning of Sydney's 31st, in summer time and out of it."""
    log = happened("members: 400\nmarkets: {US: {time_zone: Australia/Sydney}}")
    assert log.story(log.member(31))[2:] == renewals(*months(2025, 31))
    charged = log.rows[log.rows["kind"] == events.INVOICE_ISSUED]
    assert {log.local(row["occurred_at"]).hour for row in charged} == {3}


def test_rows_are_recorded_when_the_delay_says():
    """Never before they happened, and within the longest delay; all events of an hour are equally late."""
    log = happened("members: 400\nrecording_delay: {p50: 10 seconds, p99: 10 min, max: 2 hours}")
    late = log.rows["recorded_at"] - log.rows["occurred_at"]
    assert late.min() >= 0
    assert late.max() <= 2 * clock.HOUR
    assert abs(np.median(late) - 10 * clock.SECOND) < 2 * clock.SECOND
