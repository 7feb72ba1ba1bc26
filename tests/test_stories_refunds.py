"""Stories of money that goes back: refunds, disputes, charges made twice, fees and caps (see `test_stories`)."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

import billing_sim
from billing_sim import clock, events
from billing_sim.events import KIND_NAMES
from billing_sim.lifecycle.ring import MOST_ROWS
from billing_sim.world.announce import announcements
from tests.log_promises import CHECKS, read
from tests.world_builder import Log, behaviour, changed, digests, expected, happened, kinds_of, laid_over, world_of
from tests.world_texts import BUSY, QUIET
from tests.world_texts_refunds import BUSY_FAULTS, CLAIMS

TWO_MONTHS = "end: 2025-05-01\n"
ALL_COMPLAIN = TWO_MONTHS + (
    "refunds: {complaints: 100%, full: 100%, delay: {least: 5 days, p50: 5 days, p99: 5 days, most: 5 days}}\n"
)
EXACT = "delay: {least: 30 days, p50: 30 days, p99: 30 days, most: 30 days}, respond_within: 10 days"
CLAIM_KINDS = range(events.PAYMENT_DUPLICATED, events.FRAUD_REPORTED + 1)


def friendly(contested: str = "100%", won: str = "100%", reported: str = "0%") -> str:
    """A world in which every charge is denied thirty days later."""
    return (
        TWO_MONTHS + f"disputes: {{friendly_fraud: 100%, service: 0%, fraud: 0%, {EXACT}, decided_after: 20 days, "
        f"contested: {contested}, wins: {{friendly_fraud: {won}}}, fraud_reports: {reported}}}\n"
    )


def about(log: Log, who: int, invoice: int) -> list[str]:
    """What happened to one invoice of a life."""
    return [log.line(row) for row in log.of(who) if row["invoice"] == invoice]


def test_a_complaint_is_met_with_a_refund_days_later():
    """Charged on the fifth, all of it given back on the tenth; the subscription goes on."""
    log = happened(ALL_COMPLAIN)
    who = log.member(5)
    assert about(log, who, 1) == expected("""
        2025-01-05 invoice.issued
        2025-01-05 payment_attempt.authorized mit
        2025-01-05 payment.captured
        2025-01-10 refund.issued complaint
    """)
    refunds = log.rows[log.rows["kind"] == events.REFUND_ISSUED]
    assert set(refunds["amount_minor"]) == {1000}
    assert "subscription.canceled" not in kinds_of(log.rows)


def test_some_get_back_a_part():
    """A third of it, to the minor unit."""
    log = happened(ALL_COMPLAIN.replace("full: 100%", "full: 0%, partial: 33.3%"))
    assert set(log.rows["amount_minor"][log.rows["kind"] == events.REFUND_ISSUED]) == {333}


def test_a_dispute_is_contested_and_won():
    """Denied after thirty days, answered after ten more, decided after twenty more; the truth knows who charged."""
    log = happened(friendly())
    who = log.member(5)
    assert about(log, who, 1) == expected("""
        2025-01-05 invoice.issued
        2025-01-05 payment_attempt.authorized mit
        2025-01-05 payment.captured
        2025-02-04 dispute.opened fraud
        2025-02-14 dispute.represented fraud
        2025-03-06 dispute.won fraud
    """)
    opened = log.rows[log.rows["kind"] == events.DISPUTE_OPENED]
    assert set(opened["fee_minor"]) == {1500}
    told = log.truths[log.truths["kind"] == events.DISPUTE_EXPLAINED]
    assert len(told) == len(opened)
    assert not told["fraud"].any()


def test_a_dispute_that_nobody_contests_is_lost_when_the_time_is_up():
    """And the bank reports it as fraud in the same hour."""
    log = happened(friendly(contested="0%", reported="100%"))
    who = log.member(5)
    assert about(log, who, 1)[3:] == expected("""
        2025-02-04 dispute.opened fraud
        2025-02-04 fraud.reported
        2025-02-14 dispute.lost fraud
    """)


def test_evidence_may_not_help():
    """Contested and lost."""
    log = happened(friendly(won="0%"))
    assert about(log, log.member(5), 1)[-1] == "2025-03-06 dispute.lost fraud"


def test_a_refund_that_comes_first_leaves_nothing_to_dispute():
    """Everybody complains and everybody would deny the charge: the refund is there first."""
    log = happened(ALL_COMPLAIN + friendly().removeprefix(TWO_MONTHS))
    kinds = kinds_of(log.rows)
    assert "dispute.opened" not in kinds
    assert kinds.count("refund.issued") > 100


def test_a_dispute_that_comes_first_leaves_nothing_to_refund():
    """The complaint would be met after two months, the bank acts after one."""
    late = ALL_COMPLAIN.replace("5 days", "60 days")
    kinds = kinds_of(happened(late + friendly().removeprefix(TWO_MONTHS)).rows)
    assert "refund.issued" not in kinds
    assert kinds.count("dispute.opened") > 100


def test_whoever_asks_first_is_refunded_instead():
    """The same people as would have gone to the bank."""
    plain = happened(friendly())
    asked = happened(friendly() + "refunds: {complaints: 0%, instead_of_dispute: 100%, delay: {most: 90 days}}\n")
    assert "dispute.opened" not in kinds_of(asked.rows)
    refunded = {row["subscriber"] for row in asked.rows[asked.rows["kind"] == events.REFUND_ISSUED]}
    disputed = {row["subscriber"] for row in plain.rows[plain.rows["kind"] == events.DISPUTE_OPENED]}
    assert refunded >= disputed


def test_a_case_goes_on_after_the_subscription_has_ended():
    """Cancelled in January, disputed in February, decided in March."""
    log = happened(friendly() + behaviour(voluntary_churn="60% per month"))

    def fits(rows):
        kinds = kinds_of(rows)
        ended = kinds.index("subscription.canceled") if "subscription.canceled" in kinds else len(kinds)
        return kinds[ended + 1 :] == ["dispute.opened", "dispute.represented", "dispute.won"]

    assert log.find(fits)


DOUBLE = TWO_MONTHS + "timeline: [{kind: double_charging, at: 2025-02-01, duration: 10 days, share: 100%}]\n"


def test_a_release_charges_twice_until_it_is_rolled_back():
    """Billed on the fifth: January and March once, February twice; noticed, and the second one given back."""
    log = happened(DOUBLE + "charging_faults: {refunded: 100%, disputed: 0%}\n")
    who = log.member(5)
    doubled = [line for line in log.story(who) if "duplicate" in line or "captured" in line]
    assert [line for line in doubled if "refund" not in line] == expected("""
        2025-01-05 payment.captured
        2025-02-05 payment.captured
        2025-02-05 payment.duplicated duplicate
        2025-03-05 payment.captured
        2025-04-05 payment.captured
    """)
    refund = next(row for row in log.of(who) if row["kind"] == events.REFUND_ISSUED)
    charged = next(row for row in log.of(who) if row["kind"] == events.PAYMENT_DUPLICATED)
    assert (refund["invoice"], refund["amount_minor"]) == (charged["invoice"], charged["amount_minor"]) == (2, 1000)
    assert clock.DAY <= refund["occurred_at"] - charged["occurred_at"] <= 46 * clock.DAY


def test_a_double_charge_that_is_not_refunded_is_disputed():
    """The bank's reason is public."""
    log = happened(DOUBLE + "charging_faults: {refunded: 0%, disputed: 100%}\n")
    reasons = {events.REASONS[row["reason"]] for row in log.rows[log.rows["kind"] == events.DISPUTE_OPENED]}
    assert reasons == {"duplicate"}


def test_some_are_charged_again_four_weeks_after_their_end():
    """Whoever leaves while cancels are not obeyed; the end itself is as it was."""
    leaving = TWO_MONTHS + behaviour(voluntary_churn="30% per month")
    fault = "timeline: [{kind: charging_after_end, at: 2025-01-15, duration: 30 days, share: 100%}]\n"
    log = happened(leaving + fault + "charging_faults: {refunded: 100%, disputed: 0%}\n")
    charged = log.rows[log.rows["kind"] == events.PAYMENT_DUPLICATED]
    assert len(charged) > 5
    for row in charged:
        life = log.of(row["subscriber"])
        ended = life["occurred_at"][life["kind"] == events.SUBSCRIPTION_CANCELED][0]
        assert events.REASONS[row["reason"]] == "unauthorised"
        assert 0 <= row["occurred_at"] - ended - 28 * clock.DAY < clock.HOUR


def test_what_is_paid_by_hand_or_given_is_not_charged_again_by_mistake():
    """A voucher's payer goes to pay it, and a gift balance is ours: neither is charged twice nor after the end."""
    faults = """timeline:
  - {kind: double_charging, at: 2025-01-10, duration: 100 days, share: 100%}
  - {kind: charging_after_end, at: 2025-01-10, duration: 100 days, share: 100%}
"""
    by_hand = behaviour(method_mix="{credit: 0%, voucher: 50%, gift_balance: 50%}", voluntary_churn="30% per month")
    kinds = kinds_of(happened(TWO_MONTHS + by_hand + faults).rows)
    assert kinds.count("payment.captured") > 50
    assert "payment.duplicated" not in kinds


def test_what_is_switched_off_leaves_no_trace():
    """With every rate at nothing, the rows are those of a world without the keys."""
    nothing = (
        "refunds: {complaints: 0%}\ndisputes: {friendly_fraud: 0%, service: 0%, fraud: 0%}\nfees: [{share: 0%}]\n"
        "timeline: [{kind: double_charging, at: 2025-02-01, duration: 10 days, share: 0%}]\n"
    )
    assert not changed(happened(nothing), happened())


@cache
def busy(text: str = "", base: str = BUSY) -> Log:
    """The busy world, with something laid over it."""
    return happened("name: busy\n" + text, base)


def test_one_market_leaves_the_others_alone():
    """Refunds, disputes, fees and networks in Britain only: no other life changes by a byte."""
    text = """
refunds: {market: [GB], complaints: 30%, instead_of_dispute: 30%}
disputes: {market: [GB], friendly_fraud: 20%, service: 10%}
fees: [{market: [GB], share: 2%, fixed: 0.10 USD, per_attempt: 0.05 USD}]
markets: {GB: {behaviour: {card_networks: {visa: 50%, mastercard: 50%}}}}
"""
    one, other = busy(text), busy()
    who = changed(one, other)
    market = one.world.markets.index("GB")
    assert len(who) > 100
    assert {subscriber >> 48 for subscriber in who} == {next(iter(who)) >> 48}
    first = one.of(next(iter(who)))
    assert first["market"][0] == market


def test_claims_move_nobody_s_luck():
    """Without the rows about money that goes back, and the new columns, every life is as it was."""
    one, other = busy(CLAIMS.partition("network_rules")[0]), busy()
    kept = one.rows[~np.isin(one.rows["kind"], CLAIM_KINDS)].copy()
    for name in ("fee_minor", "sequence"):
        kept[name] = 0
    plain = other.rows.copy()
    plain["sequence"] = 0
    assert (kept == plain).all()


def test_no_charge_is_given_back_twice():
    """Refunds and lost disputes of an invoice never exceed what was charged, duplicates by themselves."""
    log = busy(CLAIMS, BUSY_FAULTS)
    surplus = (events.DUPLICATE, events.UNAUTHORISED)
    seen = 0
    for _, rows in log.lives():
        for invoice in {*rows["invoice"][np.isin(rows["kind"], CLAIM_KINDS)]}:
            mine = rows[rows["invoice"] == invoice]
            back = mine[np.isin(mine["kind"], (events.REFUND_ISSUED, events.DISPUTE_LOST))]
            about_surplus = np.isin(back["reason"], surplus)
            charged = mine["amount_minor"][mine["kind"] == events.PAYMENT_CAPTURED].max(initial=0)
            doubled = mine["amount_minor"][mine["kind"] == events.PAYMENT_DUPLICATED].sum()
            assert back["amount_minor"][~about_surplus].sum() <= charged
            assert back["amount_minor"][about_surplus].sum() <= doubled
            seen += len(back)
    assert seen > 200


def test_the_log_keeps_its_promises():
    """With everything on, every life is one that the promises allow."""
    log = busy(CLAIMS, BUSY_FAULTS)
    assert {KIND_NAMES[kind] for kind in CLAIM_KINDS} <= set(kinds_of(log.rows))
    lives = [read(rows) for _, rows in log.lives()]
    assert [fault for check in CHECKS for life in lives for fault in check(life)] == []


def test_both_drivers_tell_the_same_story_of_money_that_goes_back():
    """Event for event, sealed truths included."""
    world = world_of("name: busy\n" + CLAIMS, BUSY_FAULTS)
    assert digests(world, "batch") == digests(world, "simpy")


def test_no_alarm_writes_too_much():
    """Rows of one life within one hour are fewer than a page of the promise."""
    log = busy(CLAIMS, BUSY_FAULTS)
    hours = np.stack([log.rows["subscriber"], log.rows["occurred_at"] // clock.HOUR])
    assert np.unique(hours, axis=1, return_counts=True)[1].max() <= MOST_ROWS


FEES = """
fees:
  - {share: 2%, fixed: 0.30 USD, per_attempt: 0.05 USD}
  - {gateway: [harborpay], share: 1%}
"""


def test_a_charge_costs_its_share_and_an_attempt_its_price():
    """10 USD through Northpay: 20 cents and 30, and 5 for the attempt."""
    log = happened(TWO_MONTHS + FEES)
    captured = log.rows[log.rows["kind"] == events.PAYMENT_CAPTURED]
    tried = log.rows[log.rows["kind"] == events.ATTEMPT_AUTHORIZED]
    assert set(captured["fee_minor"]) == {50}
    assert set(tried["fee_minor"]) == {5}


def test_least_cost_takes_the_cheapest_gateway():
    """Harborpay takes 10 cents of 10 USD, Northpay 55: everything goes through Harborpay, whatever the weights say."""
    routing = "routing: [{use: {northpay: 90%, harborpay: 10%}, by: least_cost}]\n"
    log = happened(TWO_MONTHS + FEES + routing)
    tried = log.rows[log.rows["kind"] == events.ATTEMPT_AUTHORIZED]
    assert set(tried["gateway"]) == {log.world.names.gateways.index("harborpay")}


def test_the_dearer_gateway_is_there_to_fail_over_to():
    """While Harborpay is down, attempts go on to Northpay in the same decision."""
    routing = "routing: [{use: {northpay: 90%, harborpay: 10%}, by: least_cost}]\nfailover: true\n"
    outage = "timeline: [{kind: gateway_outage, at: 2025-02-01, gateway: harborpay, duration: 9 days, failing: 100%}]\n"
    log = happened(TWO_MONTHS + FEES + routing + outage)
    tried = log.rows[log.rows["kind"] == events.ATTEMPT_AUTHORIZED]
    assert {log.world.names.gateways[gateway] for gateway in tried["gateway"]} == {"northpay", "harborpay"}
    assert "payment_attempt.declined" not in kinds_of(log.rows)


def test_fees_are_in_the_currency_of_the_market():
    """0.30 USD at 0.00636 USD a yen are 47 yen."""
    japan = 'markets: {US: {currency: JPY, prices: {standard: 1000 JPY}}}\nfees: [{fixed: "0.30 USD"}]\n'
    log = happened(TWO_MONTHS + japan)
    assert set(log.rows["fee_minor"][log.rows["kind"] == events.PAYMENT_CAPTURED]) == {47}


@pytest.mark.parametrize("booked", ["gross", "net"])
def test_a_partner_keeps_its_commission(booked):
    """15 % of 10 USD, and readers are told how it is booked."""
    partner = f"partner_billing: {{commission: 15%, booked: {booked}}}\n"
    log = happened(TWO_MONTHS + partner + behaviour(method_mix="{carrier_partner: 100%}"))
    assert set(log.rows["fee_minor"][log.rows["kind"] == events.PAYMENT_CAPTURED]) == {150}
    told = next(row for row in announcements(log.world) if row["kind"] == "partner_billing.agreed")
    assert told["share_ppm"] == 150_000
    assert json.loads(told["detail"]) == {"booked": booked}


def test_what_a_partner_keeps_is_less_revenue_and_our_own_fees_are_costs(tmp_path):
    """Of 10 USD by a carrier 1.50 are the partner's; the 0.10 of the gateway are a cost, also of nothing charged."""
    text = 'partner_billing: {commission: 15%, booked: net}\nfees: [{fixed: "0.10 USD"}]\n'
    scenario = tmp_path / "partner.yaml"
    scenario.write_text(laid_over(QUIET, TWO_MONTHS + text + behaviour(method_mix="{carrier_partner: 100%}")))
    run = billing_sim.run(scenario, out=tmp_path / "run")
    booked = run.sql(
        "SELECT DISTINCT amount_micros, booked_micros, fee_micros FROM invoices WHERE status = 'paid' AND attempts > 0"
    )
    assert booked.to_numpy().tolist() == [[10_000_000, 8_500_000, 100_000]]
    cost = run.sql("SELECT DISTINCT fee_micros FROM attempts WHERE outcome = 'authorized'")
    assert cost["fee_micros"].tolist() == [100_000]


STUBBORN = """
end: 2025-05-01
dunning_policies:
  steady: {retries: [1 day, 2 days, 3 days, 4 days, 5 days, 6 days, 7 days], notices: [1 hour], grace: 8 days,
           end: 10 days}
"""
BROKE = behaviour(
    card_networks="{visa: 100%}", first_attempt_failure="{credit: 100%}", paydays="[{days_of_month: [28], share: 100%}]"
)
CAUSES = """
latent_causes: {credit: {lifecycle: 0%, funds: 0%, suspicion: 0%, lost_stolen: 0%, restricted: 100%, technical: 0%}}
"""
CAPS = "network_rules: {{networks: {{visa: {{caps: {caps}, excess_fee: 0.10 USD}}}}, respect_caps: {respected}}}\n"
THREE_IN_MONTH = "[{attempts: 3, window: 30 days}]"
TWO_A_DAY_TOO = "[{attempts: 1, window: 36 hours}, {attempts: 3, window: 30 days}]"


def tries(log: Log, who: int) -> list[str]:
    """The days on which a member's second invoice was tried, with what that cost."""
    rows = [row for row in log.of(who) if row["kind"] == events.ATTEMPT_DECLINED]
    first = rows[0]["invoice"]
    return [f"{log.local(row['occurred_at']):%d} {row['fee_minor']}" for row in rows if row["invoice"] == first]


def test_a_cap_of_the_network_stops_retries():
    """Three tries of a Visa card within thirty days, and no fourth."""
    log = happened(STUBBORN + CAUSES + CAPS.format(caps=THREE_IN_MONTH, respected="true") + BROKE)
    assert tries(log, log.member(5)) == ["05 0", "06 0", "07 0"]


def test_two_windows_hold_together():
    """One try in 36 hours and three in thirty days: every second day, three times."""
    log = happened(STUBBORN + CAUSES + CAPS.format(caps=TWO_A_DAY_TOO, respected="true") + BROKE)
    assert tries(log, log.member(5)) == ["05 0", "07 0", "09 0"]


def test_who_does_not_respect_caps_pays_for_each_try_too_many():
    """All eight tries are made; from the fourth on each costs ten cents."""
    log = happened(STUBBORN + CAUSES + CAPS.format(caps=THREE_IN_MONTH, respected="false") + BROKE)
    assert tries(log, log.member(5)) == ["05 0", "06 0", "07 0", "08 10", "09 10", "10 10", "11 10", "12 10"]


def test_a_card_keeps_its_network_when_it_is_reissued():
    """Updater, token and the member's new details are of the same bank; another method may be of any network."""
    expiring = "{expiry_years: [1], network_tokens: 50%, card_networks: {visa: 60%, mastercard: 40%}}"
    log = happened(f"markets: {{US: {{behaviour: {expiring}}}}}\n")
    seen = 0
    for _, rows in log.lives():
        of_cards = rows["network"][np.isin(rows["kind"], (events.METHOD_ADDED, events.METHOD_UPDATED))]
        assert len(set(of_cards)) == 1
        seen += len(of_cards) > 1
    assert seen > 20
    shares = np.bincount(log.rows["network"][log.rows["kind"] == events.METHOD_ADDED], minlength=4)
    assert shares[0] == shares[3] == 0
    assert shares[1] > shares[2] > 5
