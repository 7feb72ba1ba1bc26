"""Lives in which people say something, or something reaches them: notices, reasons, surveys, offers to come back."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from billing_sim import clock, events, people
from tests.world_builder import Log, behaviour, changed, digests, expected, happened, kinds_of, log_of, world_of
from tests.world_texts import BUSY, LONG_OUTAGE, OUTAGE
from tests.world_texts_saying import SAYING, TALKATIVE

REASONS = {"price": "0%", "content": "0%", "not_using": "100%", "other": "0%"}
NOBODY = "{month_1: 0%, month_6: 0%, month_12: 0%}"
SHORT_OUTAGE = OUTAGE.format(at="2025-03-01", duration="6 days")


def mapping(**values: str) -> str:
    """A mapping in one line."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in values.items()) + "}"


def channel(**values: str) -> str:
    """A channel by which everything arrives and is opened on the same day, but for what is said."""
    return mapping(**{"delivered": "100%", "opened": "100%"} | values)


def test_a_notice_arrives_is_opened_and_acted_on():
    """By e-mail in the night of the failure; opened in the morning; the member pays again, in vain, and once more."""
    log = happened(SHORT_OUTAGE + behaviour(channels=f"{{email: {channel()}}}"))
    assert log.story(log.member(5), "2025-03", "2025-04") == expected("""
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.declined mit 96
        2025-03-05 dunning.started
        2025-03-05 notice.sent payment_failed
        2025-03-05 notice.opened
        2025-03-05 payment_attempt.declined cit 96
        2025-03-06 payment_attempt.declined mit 96
        2025-03-06 payment_attempt.declined cit 96
        2025-03-07 payment_attempt.authorized cit
        2025-03-07 payment.captured
    """)


def test_a_notice_to_a_bad_address_is_never_seen():
    """Whatever is sent bounces, attention or not; a blocked door is noticed without any message."""
    log = happened(
        LONG_OUTAGE
        + behaviour(channels=f"{{email: {channel(delivered='0%')}}}", attention="100%", attention_on_hold="0%")
    )
    assert log.story(log.member(5), "2025-03", "2025-04") == expected("""
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.declined mit 96
        2025-03-05 dunning.started
        2025-03-05 notice.sent payment_failed
        2025-03-05 notice.undelivered
        2025-03-06 payment_attempt.declined mit 96
        2025-03-08 payment_attempt.declined mit 96
        2025-03-09 notice.sent payment_reminder
        2025-03-09 notice.undelivered
        2025-03-10 payment_attempt.declined mit 96
        2025-03-11 subscription.put_on_hold
        2025-03-11 notice.sent hold_started
        2025-03-11 notice.undelivered
        2025-03-12 payment_attempt.declined mit 96
        2025-03-15 invoice.marked_uncollectible
        2025-03-15 subscription.canceled nonpayment
    """)


def test_each_notice_travels_as_its_policy_says():
    """The first by e-mail, the second by push message; after one of them nobody wants more."""
    pushes = [f"{{after: {days} days, channel: push}}" for days in (2, 3)]
    log = happened(
        LONG_OUTAGE
        + f"dunning_policies: {{steady: {{notices: [1 hour, {', '.join(pushes)}]}}}}\n"
        + behaviour(
            channels=f"{{email: {channel(opened='0%')}, push: {channel(opened='0%', unsubscribed='100%')}}}",
        )
    )
    rows = log.of(log.member(5))
    told = rows[np.isin(rows["kind"], (events.NOTICE_SENT, events.NOTICE_UNDELIVERED))]
    assert [(kind, events.CHANNELS[row["channel"]]) for kind, row in zip(kinds_of(told), told, strict=True)] == [
        ("notice.sent", "email"),
        ("notice.sent", "push"),
        ("notice.sent", "push"),
        ("notice.undelivered", "push"),
        ("notice.sent", "email"),
    ]


def test_an_address_that_bounces_stays_bad_until_it_is_mended():
    """Where nothing is mended, an address answers the same all year; where everything is, two months bring another."""
    text = "members: 300\n" + OUTAGE.format(at="2025-01-02", duration="300 days")
    forever = happened(
        text + behaviour(channels=f"{{email: {channel(delivered='50%', mended='0% per month', opened='0%')}}}")
    )
    for _, rows in forever.lives():
        sent, lost = (
            np.count_nonzero(rows["kind"] == kind) for kind in (events.NOTICE_SENT, events.NOTICE_UNDELIVERED)
        )
        assert lost in (0, sent)
    bounced = np.count_nonzero(forever.rows["kind"] == events.NOTICE_UNDELIVERED)
    assert 0.35 < bounced / np.count_nonzero(forever.rows["kind"] == events.NOTICE_SENT) < 0.65


LEAVING = mapping(**REASONS)
EXIT = "{answered: 100%}"


def wishes(log: Log) -> list[tuple[str, str]]:
    """The month and the reason of every wish to go."""
    rows = log.truths[(log.truths["kind"] == events.INTENT_CHANGED) & (log.truths["intent"] == events.GO)]
    return [(f"{log.local(row['occurred_at']):%Y-%m}", events.WHYS[row["why"]]) for row in rows]


def test_who_leaves_because_of_a_price_rise_leaves_for_the_price():
    """Everybody else does not use it; in the month of the rise half of the rest go, and say so."""
    rise = """
timeline:
  - {kind: price_change, at: 2025-05-02, prices: {standard: 12.00 USD}, added_churn: {points: 50%, months: 1}}
"""
    text = "members: 400\n" + behaviour(voluntary_churn="5% per month", leaving_reasons=LEAVING, exit_survey=EXIT)
    log = happened(text + rise)
    told = wishes(log)
    assert {why for month, why in told if month != "2025-05"} == {"not_using"}
    before = happened(text)
    same = {why for month, why in told if month == "2025-05"}
    assert same == {"not_using", "price"}
    # Nobody who leaves anyway is counted as leaving for the price.
    assert [it for it in told if it == ("2025-05", "not_using")] == [it for it in wishes(before) if it[0] == "2025-05"]
    said = log.rows[log.rows["kind"] == events.EXIT_SURVEY_ANSWERED]["reason"]
    assert sorted({events.REASONS[reason] for reason in said}) == ["not_using", "price"]
    assert len(said) == np.count_nonzero(log.rows["kind"] == events.CANCEL_REQUESTED)


def test_payment_trouble_is_told_as_the_price():
    """Who cancels over a failing payment is none of the answers; here all say price. The truth knows."""
    log = happened(
        LONG_OUTAGE
        + behaviour(
            attention="100%",
            cancel_in_trouble="100%",
            leaving_reasons=LEAVING,
            exit_survey="{answered: 100%, trouble_says_price: 100%}",
        )
    )
    who = log.member(5)
    assert log.story(who, "2025-03")[-5:] == expected("""
        2025-03-05 notice.sent payment_failed
        2025-03-05 subscription.cancel_requested payment_trouble
        2025-03-05 exit_survey.answered price
        2025-03-05 invoice.voided
        2025-03-05 subscription.canceled payment_trouble
    """)
    judged = log.truth_of(who)[log.truth_of(who)["kind"] == events.LOSS_JUDGED]
    assert [events.WHYS[why] for why in judged["why"]] == ["payment_trouble"]


def test_misreported_reasons_are_never_the_true_one():
    """Everybody who answers wrongly ticks one of the three others."""
    log = happened(
        "members: 300\n"
        + behaviour(
            voluntary_churn="30% per month", leaving_reasons=LEAVING, exit_survey="{answered: 100%, misreported: 100%}"
        )
    )
    said = log.rows[log.rows["kind"] == events.EXIT_SURVEY_ANSWERED]["reason"]
    assert {events.REASONS[reason] for reason in said} == {"price", "content", "other"}


def surveyed(about: str, kind: str = "nps", **more: str) -> str:
    """Everybody is asked after one experience, and everybody answers."""
    asked = {about: f"{{kind: {kind}, share: 100%}}", "response": "{worst: 100%, best: 100%}"}
    return mapping(**asked | more)


def test_a_hold_is_asked_about_and_remembered():
    """A day later: a point of ten for every ten of contentment that the hold has cost; temper stays what it is."""
    calm = happened(LONG_OUTAGE + behaviour(surveys=surveyed("hold", mood="{decline: 0, hold: 0}")))
    angry = happened(LONG_OUTAGE + behaviour(surveys=surveyed("hold", mood="{decline: 0, hold: -100}")))
    who = angry.member(5)
    assert angry.story(who, "2025-03-11", "2025-03-14") == expected("""
        2025-03-11 subscription.put_on_hold
        2025-03-11 notice.sent hold_started
        2025-03-12 payment_attempt.declined mit 96
        2025-03-12 survey.sent hold_started
        2025-03-12 survey.answered nps
    """)
    for log, scores in ((calm, range(11)), (angry, range(1))):
        answers = log.rows[log.rows["kind"] == events.SURVEY_ANSWERED]["score"]
        assert set(answers.tolist()) <= {*scores}
        judged = log.truths[log.truths["kind"] == events.SURVEY_JUDGED]["verdict"]
        assert sorted(answers) == sorted(judged)
    assert len({*calm.rows[calm.rows["kind"] == events.SURVEY_ANSWERED]["score"].tolist()}) > 3


def test_who_signs_up_at_a_discount_feels_no_rise_while_it_lasts():
    """Asked months later about something else, they answer the same whatever a price rise would cost their mood."""
    promotion = """promotions: {half: {percent: 50%}}
timeline: [{kind: promotion, at: 2025-01-01, promotion: half, to: new, duration: 300 days, redeem: 100%}]
markets: {US: {signups: {per_month: 50%}, behaviour: {surveys: SURVEYS}}}
"""
    verdicts = []
    for points in (0, -100):
        asked = surveyed("recovered", mood=f"{{price_rise: {points}, decline: 0, hold: 0, recovered: 0, keeps: 100%}}")
        outage = OUTAGE.format(at="2025-06-01", duration="4 days").partition("[")[2]
        log = happened(promotion.replace("SURVEYS", asked).replace("timeline: [", "timeline: [" + outage[:-2] + ", "))
        told = log.truths[log.truths["kind"] == events.SURVEY_JUDGED]
        verdicts.append(dict(zip(told["subscriber"].tolist(), told["verdict"].tolist(), strict=True)))
    assert len(verdicts[0]) > 5
    assert verdicts[0] == verdicts[1]


def test_a_year_without_trouble_is_asked_about_on_its_anniversary():
    """Once, a day after the renewal of the month in which they joined."""
    log = happened("members: 100\n" + behaviour(surveys=surveyed("quiet_year", "csat")))
    for who, rows in log.lives():
        joined = clock.date_of(int(rows["period_start"][0]))
        asked = [line for line in log.story(who) if "survey.sent" in line]
        assert len(asked) == 1
        assert asked[0].endswith("survey.sent active")
        assert int(asked[0][5:7]) in (joined.month, joined.month % 12 + 1)


def test_nobody_is_asked_twice_within_the_wait():
    """Two experiences in ten days, one survey."""
    log = happened(
        LONG_OUTAGE
        + behaviour(surveys="{hold: {kind: nps, share: 100%}, recovered: {kind: nps, share: 100%}, wait: 300 days}")
    )
    for _, rows in log.lives():
        assert np.count_nonzero(rows["kind"] == events.SURVEY_SENT) <= 1
    assert np.count_nonzero(log.rows["kind"] == events.SURVEY_SENT) > 10


def offers(uplift: str, curve: str = NOBODY, share: str = "100%") -> str:
    """Everybody leaves within months, and is offered something two weeks after the end."""
    offer = f"{{after: 14 days, within: 20 days, uplift: {uplift}, share: {share}}}"
    leaving = behaviour(voluntary_churn="20% per month", win_back=f"{{voluntary: {curve}}}")
    return f"members: 300\nwin_back_offers: [{offer}]\n{leaving}"


def returns(log: Log) -> dict[tuple[int, int], int]:
    """When each person began each spell again."""
    rows = log.rows[(log.rows["kind"] == events.SIGNUP_STARTED) & (log.rows["reason"] == events.RETURNING)]
    return {(int(row["subscriber"]), int(row["spell"])): int(row["occurred_at"]) for row in rows}


def test_an_offer_that_works_for_all_brings_all_back_in_time():
    """Fourteen days after the end the offer is sent; within twenty more everybody is back."""
    log = happened(offers("100%"))
    for _, rows in log.lives():
        sent = rows[rows["kind"] == events.OFFER_SENT]
        for row in sent:
            end = rows[(rows["kind"] == events.SUBSCRIPTION_CANCELED) & (rows["spell"] == row["spell"])][0]
            assert row["occurred_at"] - end["occurred_at"] == 14 * clock.DAY
            assert events.REASONS[row["reason"]] == "win_back"
            until = row["occurred_at"] + 20 * clock.DAY
            back = rows[(rows["kind"] == events.SIGNUP_STARTED) & (rows["spell"] == row["spell"] + 1)]
            if until < log.world.record.end[0]:
                assert row["occurred_at"] < back["occurred_at"][0] <= until
    judged = log.truths[log.truths["kind"] == events.OFFER_JUDGED]
    assert len(judged) > 200
    assert set(judged["verdict"].tolist()) == {1}


def test_who_returns_to_an_offer_redeems_its_coupon():
    """The first invoice of the second spell is reduced by the coupon that the offer named."""
    offer = offers("100%").replace("share: 100%}", "share: 100%, coupon: half}").replace("members: 300", "members: 30")
    log = happened("promotions: {half: {percent: 50%, cycles: 1}}\n" + offer)
    redeemed = log.rows[log.rows["kind"] == events.COUPON_REDEEMED]
    assert len(redeemed) > 5
    assert len({int(row["subscriber"]) for row in redeemed}) == len(redeemed)
    back = returns(log)
    assert all((int(row["subscriber"]), int(row["spell"])) in back for row in redeemed)
    assert set(redeemed["coupon"].tolist()) == {1}


def test_an_offer_only_adds_returns():
    """Whoever would be back before the offer's end is back at the same moment; the first spell's others come sooner."""
    curve = "{month_1: 20%, month_6: 50%, month_12: 60%}"
    without, with_offer = returns(happened(offers("0%", curve))), returns(happened(offers("30%", curve)))
    first = {who: at for (who, spell), at in without.items() if spell == 2}
    then = {who: at for (who, spell), at in with_offer.items() if spell == 2}
    assert first.keys() <= then.keys()
    assert all(then[who] <= at for who, at in first.items())
    assert len(then) > len(first)


def test_an_offer_that_changes_nothing_claims_all_the_same():
    """With no uplift every life but for its offers is what it was."""
    curve = "{month_1: 20%, month_6: 50%, month_12: 60%}"
    idle, none = happened(offers("0%", curve)), happened(offers("0%", curve).replace("win_back_offers", "# none"))
    kept = idle.rows[idle.rows["kind"] != events.OFFER_SENT]
    names = [name for name in kept.dtype.names if name != "sequence"]
    assert len(kept) < len(idle.rows)
    assert all((kept[name] == none.rows[name]).all() for name in names)


def test_some_are_held_out():
    """Half of those who leave get no offer."""
    log = happened(offers("0%", share="50%"))
    ends = np.count_nonzero(log.rows["kind"] == events.SUBSCRIPTION_CANCELED)
    assert 0.4 < np.count_nonzero(log.rows["kind"] == events.OFFER_SENT) / ends < 0.6


def test_serial_churners_leave_more_and_come_back_sooner():
    """Whoever leaves once is back within a month, and nobody is kept from leaving."""
    calm = behaviour(voluntary_churn="4% per month")
    serial = behaviour(
        voluntary_churn="4% per month",
        serial_churners="{share: 100%, leave_factor: 8, returns: {month_1: 100%, month_6: 100%, month_12: 100%}}",
    )
    ordinary, restless = happened("members: 300\n" + calm), happened("members: 300\n" + serial)

    def firsts(log: Log) -> dict[int, int]:
        found = {}
        for who, rows in log.lives():
            ended = rows["occurred_at"][rows["kind"] == events.SUBSCRIPTION_CANCELED]
            if len(ended):
                found[who] = int(ended[0])
        return found

    before, after = firsts(ordinary), firsts(restless)
    assert before.keys() < after.keys()
    assert all(after[who] <= at for who, at in before.items())
    assert not returns(ordinary)
    for _, rows in restless.lives():
        ends = rows[rows["kind"] == events.SUBSCRIPTION_CANCELED]["occurred_at"]
        again = rows[rows["kind"] == events.SIGNUP_STARTED]["occurred_at"]
        assert all(at - end <= 31 * clock.DAY for end, at in zip(ends, again, strict=False))


def test_the_truth_of_a_survey_stands_beside_it():
    """At its moment, under its sequence; what is answered is what would have been."""
    log = talkative()
    rows, truths = log.rows, log.truths
    judged = {
        (int(row["subscriber"]), int(row["sequence"])): row for row in truths if row["kind"] == events.SURVEY_JUDGED
    }
    asked = rows[rows["kind"] == events.SURVEY_SENT]
    assert len(judged) == len(asked) > 100
    for row in asked:
        told = judged[int(row["subscriber"]), int(row["sequence"])]
        assert told["occurred_at"] == row["occurred_at"]
        later = rows[(rows["subscriber"] == row["subscriber"]) & (rows["sequence"] > row["sequence"])]
        answers = later[np.isin(later["kind"], (events.SURVEY_ANSWERED, events.SURVEY_SENT))][:1]
        for answer in answers[answers["kind"] == events.SURVEY_ANSWERED]:
            assert answer["score"] == told["verdict"]


@cache
def talkative() -> Log:
    """The busy world, in which everybody says what they think."""
    return log_of(world_of(TALKATIVE, BUSY))


def test_both_drivers_tell_the_same_story():
    """Rows and sealed truths, event for event, with all of it switched on."""
    world = world_of(TALKATIVE, BUSY)
    assert digests(world, "batch") == digests(world, "simpy")


def test_everything_is_said_in_the_talkative_world():
    """Every kind of event and truth of this noun happens there."""
    log = talkative()
    said = (events.NOTICE_OPENED, events.NOTICE_UNDELIVERED, events.OFFER_SENT, events.SURVEY_SENT,
            events.SURVEY_ANSWERED, events.EXIT_SURVEY_ANSWERED)  # fmt: skip
    assert set(said) <= set(log.rows["kind"].tolist())
    assert {events.SURVEY_JUDGED, events.OFFER_JUDGED} <= set(log.truths["kind"].tolist())
    assert set(log.truths["why"].tolist()) == {*range(len(events.WHYS))}


@pytest.mark.parametrize("key", ["leaving_reasons", "exit_survey", "serial_churners", "channels", "surveys"])
def test_one_market_that_speaks_leaves_the_others_alone(key):
    """Only people in Britain live otherwise, whatever is switched on there."""
    block = next(part for part in blocks(SAYING) if part.startswith(key))
    if key == "exit_survey":
        block += "\nleaving_reasons: " + LEAVING
    text = "markets:\n  GB:\n    behaviour:\n" + "".join(f"      {line}\n" for line in block.splitlines())
    where = {people.describe(who).partition("-")[0] for who in changed(happened("", BUSY), happened(text, BUSY))}
    assert where <= {"GB"}
    assert where or key == "leaving_reasons"


def blocks(text: str) -> list[str]:
    """The keys of a mapping with what is below each."""
    found: list[str] = []
    for line in text.strip().splitlines():
        if line.startswith(" "):
            found[-1] += f"\n{line}"
        else:
            found.append(line)
    return found
