"""Lives with exact endings: trials, coupons, pauses and changes of plan, in the quiet world of `world_texts.QUIET`."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

from billing_sim import clock, events
from billing_sim.world.announce import announcements
from tests.world_builder import Log, behaviour, changed, digests, expected, happened, renewals, world_of
from tests.world_texts import BUSY
from tests.world_texts_plans import GENEROUS

DEBIT = "method_mix: {credit: 0%, direct_debit: 100%}"


def market(text: str, more: str = "") -> str:
    """A story about the one market of the quiet world, and what stands at the top of the file."""
    return f"{more}\nmarkets:\n  US: {{{text}}}\n"


def amounts(log: Log, who: int, kind: int) -> list[int]:
    """The amounts of a person's events of a kind, in minor units."""
    rows = log.of(who)
    return rows["amount_minor"][rows["kind"] == kind].tolist()


def with_line(text: str):
    """Whether a story has a line that ends so."""

    def fits(log: Log) -> int:
        return log.find(lambda rows: any(log.line(row).endswith(text) for row in rows))

    return fits


PEOPLE = "members: 30\nend: 2025-04-01"
TRIAL = "signups: {per_month: 100%}, trial: {duration: 14 days, cancels: 0%}"


def test_a_trial_checks_the_method_with_nothing_and_is_billed_when_it_ends():
    """An invoice of 0, one attempt by the member, and the first real invoice by us, counted from the trial's end."""
    log = happened(market(TRIAL, PEOPLE))
    who = log.find(lambda rows: log.line(rows[0]).startswith("2025-01-04 signup.started"))
    assert log.story(who, until="2025-03") == expected("""
        2025-01-04 signup.started new
        2025-01-04 payment_method.added preferred
        2025-01-04 invoice.issued verification
        2025-01-04 payment_attempt.authorized cit
        2025-01-04 payment.captured
        2025-01-04 subscription.created new
        2025-01-04 trial.started
        2025-01-18 trial.ended trial_converted
    """) + renewals("2025-01-18", "2025-02-18")
    assert amounts(log, who, events.INVOICE_ISSUED) == [0, 1000, 1000, 1000]
    assert amounts(log, who, events.ATTEMPT_AUTHORIZED) == [0, 1000, 1000, 1000]


def test_who_cancels_in_a_trial_is_never_charged():
    """The trial runs to its end, and the subscription with it."""
    log = happened(market(TRIAL.replace("cancels: 0%", "cancels: 100%"), PEOPLE))
    who = log.find(lambda rows: {events.SIGNUP_STARTED, events.SUBSCRIPTION_CANCELED} <= set(rows["kind"].tolist()))
    lines = log.story(who)
    assert [line.split(maxsplit=1)[1] for line in lines[-4:]] == [
        "trial.started", "subscription.cancel_requested voluntary", "trial.ended trial_ended",
        "subscription.canceled voluntary",
    ]  # fmt: skip
    assert amounts(log, who, events.PAYMENT_CAPTURED) == [0]


@pytest.mark.parametrize("left", [0, 100])
def test_a_trial_without_a_method_charges_nobody_before_one_is_left(left):
    """All leave a method when it ends and pay with it themselves, or it is over."""
    trial = f"trial: {{duration: 14 days, cancels: 0%, needs_method: false, leaves_method: {left}%}}"
    log = happened(market(f"signups: {{per_month: 100%}}, {trial}", PEOPLE))
    who = log.find(lambda rows: log.line(rows[0]).startswith("2025-01-04 signup.started"))
    begun = expected("""
        2025-01-04 signup.started new
        2025-01-04 subscription.created new
        2025-01-04 trial.started
    """)
    ended = expected("""
        2025-01-18 trial.ended trial_converted
        2025-01-18 payment_method.added preferred
        2025-01-18 invoice.issued
        2025-01-18 payment_attempt.authorized cit
        2025-01-18 payment.captured
    """)
    over = ["2025-01-18 trial.ended trial_without_method", "2025-01-18 subscription.canceled voluntary"]
    assert log.story(who, until="2025-02") == begun + (ended if left else over)


def test_a_trial_comes_once_in_a_life_and_only_while_there_are_trials():
    """Whoever returns pays at once, and so does everybody after trials have ended."""
    back = "win_back: {voluntary: {month_1: 100%, month_6: 100%, month_12: 100%}}"
    text = market(
        f"signups: {{per_month: 100%}}, trial: {{duration: 7 days, cancels: 100%}}, behaviour: {{{back}}}",
        "members: 30\nend: 2025-05-01\ntimeline: [{kind: trials_end, at: 2025-03-01}]",
    )
    log = happened(text)
    for _, rows in log.lives():
        assert (rows["kind"] == events.TRIAL_STARTED).sum() <= 1
    begun = log.rows["occurred_at"][log.rows["kind"] == events.TRIAL_STARTED]
    assert len(begun) > 20
    assert begun.max() < clock.day_number(date(2025, 3, 2)) * clock.DAY
    again = log.find(lambda rows: rows["kind"][0] == events.SIGNUP_STARTED and rows["spell"].max() == 2)
    assert amounts(log, again, events.PAYMENT_CAPTURED)[:2] == [0, 1000]


def test_nobody_is_asked_for_money_that_a_trial_does_not_cost():
    """Who never has money can begin a trial; the first real charge then fails and goes through dunning."""
    poor = "first_attempt_failure: {credit: 100%}"
    causes = (
        "latent_causes: {credit: {funds: 100%, suspicion: 0%, lifecycle: 0%, lost_stolen: 0%, restricted: 0%, "
        "technical: 0%}}"
    )
    text = market(
        f"{TRIAL}, behaviour: {{{poor}, paydays: [{{days_of_month: [31], share: 100%}}]}}", f"{PEOPLE}\n{causes}"
    )
    log = happened(text)
    checks = log.rows[(log.rows["kind"] == events.INVOICE_ISSUED) & (log.rows["reason"] == events.VERIFICATION)]
    paid = log.rows[(log.rows["kind"] == events.PAYMENT_CAPTURED) & (log.rows["amount_minor"] == 0)]
    assert len(checks) == len(paid) > 20
    who = log.find(
        lambda rows: rows["kind"][0] == events.SIGNUP_STARTED and (rows["kind"] == events.DUNNING_STARTED).any()
    )
    assert "dunning.started" in " ".join(log.story(who))


COUPONS = """
members: 6
end: 2025-05-01
promotions:
  half: {percent: 50%, cycles: 2}
  three: {amount: {USD: 3.00 USD}, cycles: 1}
  month: {free_months: 1}
timeline: [{kind: promotion, at: 2025-01-02, duration: 31 days, promotion: NAMED, to: everyone, redeem: 100%}]
"""


@pytest.mark.parametrize(
    ("coupon", "due", "off"),
    [("half", [535, 535, 1070, 1070], [535, 535]), ("three", [770, 1070, 1070, 1070], [300]),
     ("month", [0, 1070, 1070, 1070], [1070])],
)  # fmt: skip
def test_a_coupon_reduces_as_many_invoices_as_it_says(coupon, due, off):
    """Half of two invoices, three dollars of one, or a whole month; the tax goes down with the amount."""
    log = happened(market("tax: {rate: 7%, included: false}", COUPONS.replace("NAMED", coupon)))
    who = with_line("coupon.redeemed")(log)
    assert amounts(log, who, events.INVOICE_ISSUED) == due
    assert amounts(log, who, events.DISCOUNT_APPLIED) == off
    rows = log.of(who)
    issued = rows[rows["kind"] == events.INVOICE_ISSUED]
    assert issued["tax_minor"].tolist() == [-(-70 * amount // 1070) for amount in due]


def test_a_free_month_is_paid_without_an_attempt():
    """Its invoice of 0 is paid at once, and the next one is charged as ever."""
    log = happened(COUPONS.replace("NAMED", "month"))
    who = with_line("coupon.redeemed")(log)
    day = str(log.local(log.of(who)["occurred_at"][2]).date())
    assert log.story(who, until="2025-02-02")[2:] == [
        f"{day} coupon.redeemed", f"{day} invoice.issued", f"{day} discount.applied", f"{day} payment.captured",
    ]  # fmt: skip
    rows = log.of(who)
    first = rows[rows["kind"] == events.PAYMENT_CAPTURED][0]
    assert (first["amount_minor"], first["attempt"]) == (0, 0)


def test_a_pause_comes_instead_of_a_renewal_and_leaving_it_takes_effect_at_once():
    """Everybody pauses every time; who leaves in a pause has nothing to wait for."""
    log = happened("end: 2025-09-01\n" + behaviour(
        voluntary_churn="20% per month", plan_habits="{pauses: 100% per month, pause_lengths: [0%, 100%, 0%]}"
    ))  # fmt: skip
    stays = log.find(lambda rows: (rows["kind"] == events.SUBSCRIPTION_PAUSED).sum() == 3)
    story = log.story(stays)
    first = next(i for i, line in enumerate(story) if line.endswith("subscription.paused"))
    paused = log.local(log.of(stays)["occurred_at"][first])
    quiet = [line.split(maxsplit=1) for line in story[first : first + 6]]
    assert [what for _, what in quiet] == [
        "subscription.paused", "subscription.resumed", "invoice.issued", "payment_attempt.authorized mit",
        "payment.captured", "subscription.paused",
    ]  # fmt: skip
    assert [when for when, _ in quiet][1:5] == [f"2025-{paused.month + 2:02d}-{paused.day:02d}"] * 4
    leaves = log.find(lambda rows: rows["kind"].tolist()[-3:] == [
        events.SUBSCRIPTION_PAUSED, events.CANCEL_REQUESTED, events.SUBSCRIPTION_CANCELED
    ])  # fmt: skip
    asked, ended = log.of(leaves)[-2:]
    assert asked["occurred_at"] == ended["occurred_at"]


PLANS = "plans: {premium: {name: Premium}}"
UP = "prices: {premium: 15.50 USD}, behaviour: {plan_habits: {upgrades: 100% per month}}"


DOWN = (
    "prices: {premium: 15.50 USD}, plan_mix: {standard: 0%, premium: 100%}, "
    "behaviour: {plan_habits: {downgrades: 100% per month}}"
)


def upgrades(log: Log) -> list[tuple[np.void, np.void]]:
    """Every invoice of an upgrade, with the last invoice of a whole period before it."""
    found = []
    for _, rows in log.lives():
        issued = rows[rows["kind"] == events.INVOICE_ISSUED]
        for i in range(1, len(issued)):
            if issued[i]["reason"] == events.PRORATION:
                found.append((issued[i - 1], issued[i]))
    return found


@pytest.mark.parametrize(
    ("currency", "old", "new"), [("USD", "10.00", "15.50"), ("JPY", "1001", "1489"), ("KWD", "3.125", "4.250")]
)
def test_an_upgrade_costs_the_rest_of_the_new_price_less_the_rest_of_the_old(currency, old, new):
    """Used and unused parts of a period add up to it, to the minor unit of each currency; paying changes the plan."""
    text = market(
        f"currency: {currency}, prices: {{standard: {old} {currency}, premium: {new} {currency}}}, "
        "behaviour: {plan_habits: {upgrades: 100% per month}}",
        f"{PLANS}\nend: 2025-04-01\nreporting_currency: USD\nexchange_rates: {{JPY: 0.01, KWD: 3}}",
    )
    log = happened(text)
    whole = {"USD": (1000, 1550), "JPY": (1001, 1489), "KWD": (3125, 4250)}[currency]
    pairs = upgrades(log)
    assert len(pairs) > 20
    for before, invoice in pairs:
        days = int(before["period_end"] - before["period_start"])
        used = int(invoice["period_start"] - before["period_start"])
        assert 0 <= used <= days
        assert invoice["period_end"] == before["period_end"]
        spent = [amount * used // days for amount in whole]
        left = [amount - part for amount, part in zip(whole, spent, strict=True)]
        assert invoice["amount_minor"] == left[1] - left[0]
        assert sum(spent) + sum(left) == sum(whole)
    story = log.story(with_line("plan_changed upgrade")(log))
    first = next(i for i, line in enumerate(story) if line.endswith("proration"))
    assert [line.split(maxsplit=1)[1] for line in story[first : first + 4]] == [
        "invoice.issued proration", "payment_attempt.authorized cit", "payment.captured",
        "subscription.plan_changed upgrade",
    ]  # fmt: skip


def test_a_declined_upgrade_changes_nothing():
    """Its invoice is void, nobody is dunned, and the next renewal is of the old plan."""
    outage = "timeline: [{kind: gateway_outage, at: 2025-01-01, gateway: northpay, duration: 20 days, failing: 100%}]"
    log = happened(market(UP, f"{PLANS}\nend: 2025-03-01\n{outage}"))
    late = log.find(lambda rows: born_late(log, rows) and (rows["kind"] == events.INVOICE_VOIDED).any())
    story = log.story(late)
    at = next(i for i, line in enumerate(story) if "invoice.voided" in line)
    assert [line.split(maxsplit=1)[1] for line in story[at - 2 : at + 1]] == [
        "invoice.issued proration", "payment_attempt.declined cit 96", "invoice.voided"
    ]  # fmt: skip
    assert not any("dunning" in line for line in story)
    issued = log.of(late)[log.of(late)["kind"] == events.INVOICE_ISSUED]
    assert issued["amount_minor"][1] == 1000


def test_an_upgrade_that_was_never_paid_is_not_charged_once_more_after_the_end():
    """The fault charges the last payment again, and of a void invoice there was none."""
    faults = (
        "{kind: gateway_outage, at: 2025-01-01, gateway: northpay, duration: 20 days, failing: 100%}",
        "{kind: charging_after_end, at: 2025-01-15, duration: 300 days, share: 100%}",
    )
    leaving = UP.replace("plan_habits", "voluntary_churn: 50% per month, plan_habits")
    log = happened(market(leaving, f"members: 400\n{PLANS}\nend: 2025-04-01\ntimeline: [{', '.join(faults)}]"))
    again = log.rows[log.rows["kind"] == events.PAYMENT_DUPLICATED]
    of_void = 0
    for who, invoice in zip(again["subscriber"].tolist(), again["invoice"].tolist(), strict=True):
        life = log.of(who)
        of_void += (life["invoice"][life["kind"] == events.INVOICE_VOIDED] == invoice).any()
    ended = [rows for _, rows in log.lives() if rows["kind"][-1] == events.SUBSCRIPTION_CANCELED]
    assert len(again) > 10
    assert sum((rows["kind"] == events.INVOICE_VOIDED).any() for rows in ended) > 10
    assert not of_void


def born_late(log: Log, rows: np.ndarray) -> bool:
    """Whether somebody is billed after the twentieth of the month."""
    return rows["kind"][0] == events.SUBSCRIPTION_IMPORTED and clock.date_of(int(rows["period_start"][0])).day > 21


def test_an_upgrade_whose_debit_comes_back_is_owed_like_any_invoice():
    """The plan has changed; what was returned goes through dunning, and no other invoice is open meanwhile."""
    log = happened(
        market(
            UP.replace("plan_habits", "method_mix: {credit: 0%, direct_debit: 100%}, first_attempt_failure: "
                       "{direct_debit: 40%}, plan_habits"),
            f"{PLANS}\nmembers: 300\nend: 2025-05-01",
        )
    )  # fmt: skip
    found = []
    for who, rows in log.lives():
        issued = rows[(rows["kind"] == events.INVOICE_ISSUED) & (rows["reason"] == events.PRORATION)]
        back = rows[rows["kind"] == events.PAYMENT_RETURNED]
        if set(issued["invoice"].tolist()) & set(back["invoice"].tolist()):
            found.append(who)
    assert len(found) > 5
    for who in found:
        rows = log.of(who)
        kinds = rows["kind"].tolist()
        assert events.DUNNING_STARTED in kinds
        assert events.PLAN_CHANGED in kinds


def test_a_downgrade_waits_for_the_renewal():
    """The change is written down as the next period begins, which is billed at the lower price."""
    log = happened(market(DOWN, f"{PLANS}\nend: 2025-04-01"))
    who = with_line("plan_changed downgrade")(log)
    story = [line.split(maxsplit=1)[1] for line in log.story(who)]
    at = story.index("subscription.plan_changed downgrade")
    assert story[at + 1 : at + 4] == ["invoice.issued", "payment_attempt.authorized mit", "payment.captured"]
    assert amounts(log, who, events.INVOICE_ISSUED)[-1] == 1000


def test_a_downgrade_at_once_leaves_a_credit_for_the_next_invoice():
    """The credit note is the rest of the dearer plan less the rest of the cheaper one."""
    log = happened(market(DOWN, f"{PLANS}\nend: 2025-04-01\nplan_changes: {{downgrades: at_once}}"))
    who = with_line("credit_note.issued downgrade")(log)
    rows = log.of(who)
    note = rows[rows["kind"] == events.CREDIT_NOTE_ISSUED][0]
    period = rows[rows["kind"] == events.INVOICE_ISSUED]
    before = period[period["occurred_at"] < note["occurred_at"]][-1]
    after = period[period["occurred_at"] > note["occurred_at"]][0]
    day = clock.day_number(log.local(note["occurred_at"]).date())
    used, days = day - int(before["period_start"]), int(before["period_end"] - before["period_start"])
    assert note["amount_minor"] == (1550 - 1550 * used // days) - (1000 - 1000 * used // days)
    assert after["amount_minor"] == 1000 - note["amount_minor"]


def test_a_charge_after_the_end_is_the_whole_last_invoice_whatever_was_credited_since():
    """Who changes to a cheaper plan in the middle of a month and then leaves is charged that price once more."""
    leaving = DOWN.replace("behaviour: {", "behaviour: {voluntary_churn: 60% per month, ")
    fault = "timeline: [{kind: charging_after_end, at: 2025-01-02, duration: 80 days, share: 100%}]"
    text = f"{PLANS}\nend: 2025-04-01\nplan_changes: {{downgrades: at_once}}\n{fault}"
    log = happened(market(leaving, text))
    charged = [rows for rows in (log.of(it) for it in log.subscribers) if events.PAYMENT_DUPLICATED in rows["kind"]]
    after_credit = 0
    for rows in charged:
        again = rows[rows["kind"] == events.PAYMENT_DUPLICATED][0]
        last = rows[rows["kind"] == events.INVOICE_ISSUED][-1]
        assert (again["invoice"], again["amount_minor"]) == (last["invoice"], last["amount_minor"])
        note = rows["occurred_at"][rows["kind"] == events.CREDIT_NOTE_ISSUED]
        after_credit += bool(len(note)) and last["occurred_at"] < note[-1] < again["occurred_at"]
    assert after_credit > 0


def test_a_goodwill_credit_reduces_the_next_invoice():
    """A quarter of the price is credited and used at once."""
    log = happened("end: 2025-02-01\n" + behaviour(plan_habits="{goodwill: 100%}"))
    who = log.subscribers[0]
    assert amounts(log, who, events.CREDIT_NOTE_ISSUED) == amounts(log, who, events.CREDIT_APPLIED) == [250]
    assert amounts(log, who, events.INVOICE_ISSUED) == [750]


def test_a_weekly_plan_is_billed_every_seven_days():
    """Periods of a week, one after the other, for members and for new people."""
    log = happened(market("signups: {per_month: 20%}", "end: 2025-04-01\nplans: {standard: {interval: week}}"))
    issued = log.rows[log.rows["kind"] == events.INVOICE_ISSUED]
    assert (issued["period_end"] - issued["period_start"] == 7).all()
    for _, rows in log.lives():
        mine = rows[rows["kind"] == events.INVOICE_ISSUED]
        assert (np.diff(mine["period_start"]) == 7).all()
    assert len(issued) > 64 * 12


RISE = "{kind: price_change, at: 2025-02-01, prices: {standard: 12.00 USD}, notice: 10 days, added_churn: {points: 0%}"

MORE = "{kind: price_change, at: 2025-03-05, prices: {standard: 15.00 USD}, notice: 0 days, added_churn: {points: 0%}"
TWO_BACK = "{kind: price_reversal, at: 2025-04-01}, {kind: price_reversal, at: 2025-05-01}"


@pytest.mark.parametrize(
    ("timeline", "due"),
    [(RISE + "}", [1000, 1200, 1200, 1200, 1200]),
     (RISE + ", grandfathered: true}", [1000] * 5),
     (RISE + "}, {kind: price_reversal, at: 2025-04-01}", [1000, 1200, 1200, 1000, 1000]),
     (RISE + "}, " + MORE + "}, " + TWO_BACK, [1000, 1200, 1500, 1200, 1000]),
     (RISE + ", grandfathered: true}, " + MORE + "}, " + TWO_BACK, [1000, 1000, 1500, 1000, 1000]),
     ("{kind: tax_change, at: 2025-03-01, rate: 12.5%}", [1000, 1000, 1125, 1125, 1125])],
    ids=["rise", "grandfathered", "reversal", "two reversals", "a kept price comes back", "tax"],
)  # fmt: skip
def test_what_members_pay_when_prices_and_taxes_change(timeline, due):
    """A member billed on the 20th: after notice, never, until the reversal, or with the tax of the day."""
    log = happened(f"members: 200\nend: 2025-06-01\ntimeline: [{timeline}]")
    assert amounts(log, log.member(20), events.INVOICE_ISSUED) == due


def test_a_tax_that_is_included_is_recomputed_within_the_price():
    """1000 with 7 % holds 65; with 19 % it holds 160."""
    change = "end: 2025-03-01\nmembers: 100\ntimeline: [{kind: tax_change, at: 2025-02-01, rate: 19%}]"
    log = happened(market("tax: {rate: 7%, included: true}", change))
    rows = log.of(log.member(15))
    issued = rows[rows["kind"] == events.INVOICE_ISSUED]
    assert issued[["amount_minor", "tax_minor"]].tolist() == [(1000, 65), (1000, 160)]


def test_the_world_tells_what_readers_must_know():
    """Promotions and their windows, trials, reversals and taxes are announced."""
    told = [row["kind"] for row in announcements(world_of(GENEROUS, BUSY))]
    for kind in ("promotion.defined", "promotion.opened", "trial.offered", "trial.withdrawn", "tax.changed",
                 "price_change.reverted"):  # fmt: skip
        assert kind in told
    kept = [row for row in announcements(world_of(GENEROUS, BUSY)) if "grandfathered" in (row.get("detail") or "")]
    assert [json.loads(row["detail"])["grandfathered"] for row in kept] == [True]
    assert all(row["occurred_at"] < clock.NEVER for row in kept)


def test_both_drivers_agree_with_everything_on():
    """Rows and sealed truths, event for event."""
    world = world_of(GENEROUS, BUSY)
    assert digests(world, "batch") == digests(world, "simpy")


def test_a_feature_of_one_market_leaves_the_others_alone():
    """Every event of everybody elsewhere is as it was."""
    plain = happened("members: 500", BUSY)
    habits = "{pauses: 20% per month, goodwill: 20%}"
    text = f"members: 500\nmarkets: {{BR: {{trial: {{duration: 7 days}}, behaviour: {{plan_habits: {habits}}}}}}}"
    moved = changed(plain, happened(text, BUSY))
    brazil = plain.world.markets.index("BR")
    markets = {int(rows["market"][0]) for who, rows in plain.lives() if who in moved}
    assert markets == {brazil}


VOUCHERS = "method_mix: {voucher: 100%, credit: null}, first_attempt_failure: {voucher: 0%}"


def test_an_upgrade_by_voucher_that_is_paid_after_the_billing_day_skips_no_month():
    """The renewal waits for the voucher and follows it; every day is billed once."""
    up = UP.replace("behaviour: {", f"behaviour: {{{VOUCHERS}, ")
    log = happened(market(up, f"{PEOPLE}\nplans: {{premium: {{name: Premium}}}}\nvoucher_valid: 6 days"))
    late = 0
    for _, rows in log.lives():
        issued = rows[(rows["kind"] == events.INVOICE_ISSUED) & (rows["reason"] != events.PRORATION)]
        assert (issued["period_start"][1:] == issued["period_end"][:-1]).all()
        late += (issued["occurred_at"] // clock.DAY > issued["period_start"] + 1).sum()
    assert late > 0


def test_a_trial_with_vouchers_begins_at_once():
    """There is nothing to check: the first voucher is for the first period that costs something."""
    log = happened(market(f"{TRIAL}, behaviour: {{{VOUCHERS}}}", PEOPLE))
    who = log.find(lambda rows: log.line(rows[0]).startswith("2025-01-04 signup.started"))
    assert log.story(who, until="2025-01-19") == expected("""
        2025-01-04 signup.started new
        2025-01-04 payment_method.added preferred
        2025-01-04 invoice.issued verification
        2025-01-04 payment.captured
        2025-01-04 subscription.created new
        2025-01-04 trial.started
        2025-01-18 trial.ended trial_converted
        2025-01-18 invoice.issued
        2025-01-18 payment_attempt.pending mit
        2025-01-18 payment_attempt.reconciled mit authorized
        2025-01-18 payment.captured
    """)


def test_a_reversal_ends_what_its_own_change_added_to_leaving():
    """The one in May undoes the change of March; that of February goes on driving people away."""
    rise = RISE.replace("points: 0%", "points: 4%, months: 8") + "}"
    back = "{kind: price_reversal, at: 2025-05-01}"
    alone, undone_other, undone = (
        world_of(f"members: 200\nend: 2025-09-01\ntimeline: [{timeline}]").record.leave_added[0, 0].tolist()
        for timeline in (rise, f"{rise}, {MORE}}}, {back}", f"{rise}, {back}")
    )
    assert undone_other == alone
    assert [len([it for it in added if it]) for added in (alone, undone)] == [8, 3]
    assert [it for it in undone if it] == [it for it in alone if it][:3]
