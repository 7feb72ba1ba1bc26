"""Lives with exact endings of members of the base who are in the middle of something when the run begins.

A trial, a pause, a coupon, a wish for another plan: all in the quiet world of `world_texts.QUIET`.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from billing_sim import clock, events
from billing_sim.errors import InputError
from billing_sim.facts.folding import Folder
from billing_sim.facts.record import BLOCK_ROWS
from billing_sim.identity import vocabularies_of
from billing_sim.world.announce import announcements
from tests.test_stories_plans import PLANS, amounts, market
from tests.world_builder import Log, behaviour, changed, expected, happened, renewals, world_of

TRIALS = "signups: {per_month: 60%}, trial: {duration: 14 days, cancels: 0%}"
PEOPLE = "members: 60\nend: 2025-04-01"
YOUNG = "behaviour: {tenure_mix: {months_1_3: 100%, months_4_12: 0%, year_2: 0%, year_3: 0%, year_4_on: 0%}}"
"""A base that joined within the last 90 days."""


def day_of(log: Log, row: np.void, column: str = "") -> str:
    """The local day of a row, or one that it names."""
    return str(clock.date_of(int(row[column])) if column else log.local(row["occurred_at"]).date())


def brings(kind: int):
    """Whether somebody enters the log with this."""
    return lambda rows: kind in rows["kind"].tolist()


def brought(log: Log, who: int, kind: int) -> np.void:
    """The row that tells what somebody brings along."""
    rows = log.of(who)
    return rows[rows["kind"] == kind][0]


def members_with(log: Log, kind: int) -> list[int]:
    """Everybody who enters the log with this."""
    return [who for who, rows in log.lives() if brings(kind)(rows)]


def test_a_trial_that_runs_at_the_start_converts_on_its_last_day():
    """The member enters with it; its first invoice is the first of this life, and later ones count from its end."""
    log = happened(market(TRIALS, PEOPLE))
    who = log.find(
        lambda rows: brings(events.TRIAL_IMPORTED)(rows) and day_of(log, rows[0], "period_end") == "2025-01-09"
    )
    assert log.story(who, until="2025-03") == expected("""
        2024-12-31 subscription.imported in_trial
        2024-12-31 payment_method.added preferred
        2024-12-31 trial.imported
        2025-01-09 trial.ended trial_converted
    """) + renewals("2025-01-09", "2025-02-09")
    trial = brought(log, who, events.TRIAL_IMPORTED)
    assert (day_of(log, trial, "period_start"), day_of(log, trial, "period_end")) == ("2024-12-26", "2025-01-09")
    assert trial["method_kind"] == events.CREDIT
    assert amounts(log, who, events.INVOICE_ISSUED) == [1000, 1000, 1000]


def test_who_has_cancelled_in_a_trial_before_the_start_is_gone_when_it_ends():
    """They are there until then, as somebody who has cancelled, and pay nothing."""
    log = happened(market(TRIALS.replace("cancels: 0%", "cancels: 100%"), PEOPLE))
    who = log.find(lambda rows: rows["reason"][0] == events.CANCELING)
    ends = day_of(log, log.of(who)[0], "period_end")
    assert log.story(who) == [
        "2024-12-31 subscription.imported canceling", "2024-12-31 payment_method.added preferred",
        "2024-12-31 trial.imported", f"{ends} trial.ended trial_ended", f"{ends} subscription.canceled voluntary",
    ]  # fmt: skip
    later = log.find(lambda rows: rows["reason"][0] == events.IN_TRIAL)
    assert [line.split(maxsplit=1)[1] for line in log.story(later)[3:]] == [
        "subscription.cancel_requested voluntary", "trial.ended trial_ended", "subscription.canceled voluntary",
    ]  # fmt: skip


@pytest.mark.parametrize("left", [0, 100])
def test_a_running_trial_without_a_method_brings_none(left):
    """Nothing is on file until it ends; then a method is left and paid with, or it is over."""
    trial = f"trial: {{duration: 14 days, cancels: 0%, needs_method: false, leaves_method: {left}%}}"
    log = happened(market(f"signups: {{per_month: 60%}}, {trial}", PEOPLE))
    who = log.find(brings(events.TRIAL_IMPORTED))
    first = log.of(who)[0]
    ends = day_of(log, first, "period_end")
    assert (first["method"], first["method_kind"]) == (0, 0)
    begun = ["2024-12-31 subscription.imported in_trial", "2024-12-31 trial.imported"]
    paid = ["payment_method.added preferred", "invoice.issued", "payment_attempt.authorized cit", "payment.captured"]
    ended = [f"{ends} trial.ended trial_converted", *(f"{ends} {line}" for line in paid)]
    over = [f"{ends} trial.ended trial_without_method", f"{ends} subscription.canceled voluntary"]
    assert log.story(who, until="2025-01-31") == begun + (ended if left else over)
    if left:
        assert log.of(who)["method"][3] == 1


def test_nobody_else_of_the_base_is_younger_than_a_trial():
    """Where all new people begin with a trial, whoever is not in one any more joined before it."""
    log = happened(market(f"{TRIALS}, {YOUNG}", "members: 600\nend: 2025-02-01"))
    today = clock.day_number(log.world.scenario.start) - 1
    ages: dict[bool, set[int]] = {False: set(), True: set()}
    for _, rows in log.lives():
        if rows["kind"][0] == events.SUBSCRIPTION_IMPORTED:
            ages[brings(events.TRIAL_IMPORTED)(rows)].add(today - int(rows["period_start"][0]))
    assert ages[True] == set(range(14))
    assert (min(ages[False]), max(ages[False])) == (14, 90)


def test_a_pause_that_is_under_way_at_the_start_ends_on_its_billing_day():
    """No access and no charge until then; it may have begun before the weeks that members live unlogged."""
    log = happened("members: 200\nend: 2025-06-01\n" + behaviour(plan_habits="{pauses: 12% per month}"))
    paused = members_with(log, events.PAUSE_IMPORTED)
    begun = {who: brought(log, who, events.PAUSE_IMPORTED) for who in paused}
    assert min(row["period_start"] for row in begun.values()) < log.world.record.pre_roll[0] // clock.DAY
    who = next(it for it in paused if (log.of(it)["kind"] == events.SUBSCRIPTION_PAUSED).sum() == 0)
    ends = day_of(log, begun[who], "period_end")
    assert log.story(who)[:7] == [
        "2024-12-31 subscription.imported paused", "2024-12-31 payment_method.added preferred",
        "2024-12-31 pause.imported", f"{ends} subscription.resumed", *renewals(ends),
    ]  # fmt: skip
    for row in begun.values():
        begins, until = (clock.date_of(int(row[name])) for name in ("period_start", "period_end"))
        assert 1 <= (until.year - begins.year) * 12 + until.month - begins.month <= 3
        assert begins < log.world.scenario.start <= until


def test_who_pays_by_the_week_pauses_for_weeks():
    """A pause of before the start lasts four, eight or twelve of them."""
    weekly = "plans: {weekly: {name: Weekly, interval: week}}\nmembers: 200\nend: 2025-03-01"
    log = happened(market(
        "prices: {standard: null, weekly: 3.00 USD}, plan_mix: {standard: null, weekly: 100%}, "
        "behaviour: {plan_habits: {pauses: 12% per month}}",
        weekly.replace("{weekly:", "{standard: null, weekly:"),
    ))  # fmt: skip
    lengths = {
        int(row["period_end"] - row["period_start"]) for row in log.rows[log.rows["kind"] == events.PAUSE_IMPORTED]
    }
    assert lengths == {28, 56, 84}


COUPONS = """
members: 300
end: 2025-09-01
promotions:
  half: {percent: 50%, cycles: 4}
  tenth: {percent: 10%}
  once: {percent: 30%, cycles: 1}
timeline: [{kind: promotion, at: AT, duration: 31 days, promotion: NAMED, to: TO, redeem: 100%}]
"""


def coupons(named: str, at: str, to: str = "everyone") -> Log:
    """The quiet world with one window for one of these coupons."""
    return happened(COUPONS.replace("NAMED", named).replace("AT", at).replace("TO", to))


@pytest.mark.parametrize(("at", "left"), [("2024-10-01", 1), ("2024-11-01", 2), ("2024-12-01", 3)])
def test_a_coupon_of_before_the_start_has_what_is_left_of_it(at, left):
    """Four invoices are reduced in all: the member brings those that are left, and pays in full after them."""
    log = coupons("half", at)
    who = log.member(15)
    assert log.story(who, until="2025-01") == expected("""
        2024-12-31 subscription.imported active
        2024-12-31 payment_method.added preferred
        2024-12-31 coupon.imported
    """)
    row = brought(log, who, events.COUPON_IMPORTED)
    assert (row["score"], row["amount_minor"]) == (left, 500)
    assert amounts(log, who, events.INVOICE_ISSUED) == [500] * left + [1000] * (8 - left)


def test_a_coupon_of_long_ago_is_used_up_and_one_for_good_is_not():
    """A coupon of which nothing is left is not brought along; one that never runs out says so."""
    assert not members_with(coupons("half", "2024-08-01"), events.COUPON_IMPORTED)
    assert not members_with(coupons("once", "2024-12-01"), events.COUPON_IMPORTED)
    log = coupons("tenth", "2024-06-01")
    who = log.member(15)
    row = brought(log, who, events.COUPON_IMPORTED)
    assert (row["score"], row["amount_minor"]) == (0, 100)
    assert set(amounts(log, who, events.INVOICE_ISSUED)) == {900}


def test_an_offer_to_new_people_was_open_to_those_who_joined_in_it():
    """Members of the base have its coupon if they joined while it was open, and no others."""
    windows = COUPONS.replace("NAMED", "tenth").replace("AT", "2024-11-01").replace("TO", "new")
    log = happened(market(YOUNG, windows))
    for _, rows in log.lives():
        joined = day_of(log, rows[0], "period_start")
        if joined not in ("2024-10-31", "2024-12-02"):
            assert brings(events.COUPON_IMPORTED)(rows) == ("2024-11-01" <= joined <= "2024-12-01"), joined
    assert members_with(log, events.COUPON_IMPORTED)


def test_a_window_of_before_the_start_is_announced_while_it_is_open():
    """From the first moment of the run until it closes; one that has closed by then is not announced."""
    log = coupons("half", "2024-12-15")
    (told,) = (row for row in announcements(log.world) if row["kind"] == "promotion.opened")
    assert told["occurred_at"] == log.world.record.start[0]
    assert told["until"] == clock.day_number(date(2025, 1, 15)) * clock.DAY
    over = coupons("half", "2024-11-01")
    assert "promotion.opened" not in [row["kind"] for row in announcements(over.world)]


@pytest.mark.parametrize(("at", "is_refused"), [("2024-01-02", False), ("2024-01-01", True)])
def test_a_promotion_may_have_begun_a_year_before_the_start(at, is_refused):
    """Not longer before, and nothing else on the timeline may be older than the run."""
    text = COUPONS.replace("NAMED", "half").replace("AT", at).replace("TO", "everyone")
    if is_refused:
        with pytest.raises(InputError, match=f"at: {at} 00:00 is outside the scenario"):
            world_of(text)
    else:
        world_of(text)


def test_who_wished_for_a_cheaper_plan_before_the_start_gets_it_with_the_next_renewal():
    """Everybody wishes for it in every month, and so everybody of the dearer plan has the cheaper one at once."""
    log = happened(market(
        "prices: {premium: 15.50 USD}, plan_mix: {standard: 0%, premium: 100%}, "
        "behaviour: {plan_habits: {downgrades: 100% per month}}", f"{PLANS}\nend: 2025-03-01",
    ))  # fmt: skip
    early = [rows for _, rows in log.lives() if clock.date_of(int(rows["period_end"][0])).day in (1, 2)]
    assert len(early) > 1
    for rows in early:
        assert [line.split(maxsplit=1)[1] for line in map(log.line, rows[2:4])] == [
            "subscription.plan_changed downgrade", "invoice.issued",
        ]  # fmt: skip
        assert rows["amount_minor"][3] == 1000


def test_a_world_without_any_of_it_is_as_it_was():
    """Members who have nothing to bring are the same people, with the same luck, as where nobody has."""
    plain, with_trials = (
        happened(PEOPLE),
        happened(market("trial: {duration: 14 days}, signups: {per_month: 2%}", PEOPLE)),
    )
    others = {who for who in plain.subscribers if not brings(events.TRIAL_IMPORTED)(with_trials.of(who))}
    assert len(changed(plain, with_trials) & others) <= 3


def months_of(log: Log) -> np.ndarray:
    """The months of all spells, folded in blocks of whole lives."""
    folder = Folder(announcements(log.world), vocabularies_of(log.world))
    lives = [rows for _, rows in log.lives()]
    several = max(1, BLOCK_ROWS // max(map(len, lives)))
    blocks = [np.concatenate(lives[i : i + several]) for i in range(0, len(lives), several)]
    return np.concatenate([folder.fold(rows)["subscription_months"].copy() for rows in blocks])


def spell_of(log: Log, who: int) -> tuple[np.void, np.void]:
    """The spell and the first month of somebody."""
    facts = Folder(announcements(log.world), vocabularies_of(log.world)).fold(log.of(who))
    return facts["subscriptions"][0], facts["subscription_months"][0]


def test_what_a_member_brings_counts_from_the_first_month_on():
    """In the facts a trial, a pause and a discount are there when the first month begins, and cost what they cost."""
    log = happened(market(TRIALS, PEOPLE))
    who = log.find(brings(events.TRIAL_IMPORTED))
    spell, month = spell_of(log, who)
    assert spell["trial_started_at"] == int(brought(log, who, events.TRIAL_IMPORTED)["period_start"]) * clock.DAY
    assert spell["trial_ended_at"] > log.world.record.start[0]
    assert (month["in_trial_at_start"], month["active_at_start"], month["net_start_minor"]) == (1, 1, 0)
    assert (month["mrr_start_micros"], month["in_trial_at_end"], month["net_end_minor"]) == (0, 0, 1000)
    log = happened("members: 200\nend: 2025-06-01\n" + behaviour(plan_habits="{pauses: 12% per month}"))
    spell, month = spell_of(log, log.find(brings(events.PAUSE_IMPORTED)))
    paused = log.of(int(spell["subscriber"]))["kind"] == events.SUBSCRIPTION_PAUSED
    assert spell["pauses"] == 1 + paused.sum()
    assert (month["paused_at_start"], month["net_start_minor"], month["mrr_start_micros"]) == (1, 0, 0)
    log = coupons("half", "2024-10-01")
    spell, month = spell_of(log, log.member(15))
    assert spell["coupon"] == log.world.names.coupons.index("half")
    assert (month["net_start_minor"], month["net_end_minor"]) == (500, 500)
    assert month["lasting_discounts_end_micros"] == 5_000_000


STEADY = """
members: 8000
end: 2025-07-01
markets:
  US:
    signups: {per_month: 5%, seasonality: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}
    trial: {duration: 21 days, cancels: 40%}
    behaviour: {voluntary_churn: 3% per month, plan_habits: {pauses: 5% per month}}
"""


def test_as_many_are_in_a_trial_or_pause_on_the_first_day_as_half_a_year_later():
    """In a service that stays as large as it is, nothing has to warm up."""
    months = months_of(happened(STEADY))
    first, last = months[months["month"] == months["month"].min()], months[months["month"] == months["month"].max()]
    for name in ("in_trial_at_start", "paused_at_start"):
        then, later = int(first[name].sum()), int(last[name].sum())
        assert min(then, later) > 150
        assert abs(then - later) < 4 * (then + later) ** 0.5, (name, then, later)
