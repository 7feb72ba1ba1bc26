"""Stories of people who contact support: why, what an agent does about it, and what becomes of them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from billing_sim import clock, events, people
from billing_sim.scenario.loading import check
from billing_sim.trace.context import context_of
from billing_sim.trace.sentences import SENTENCES
from tests.log_promises import money_goes_back_once, read
from tests.test_scenario_errors import GOOD
from tests.world_builder import behaviour, changed, digests, expected, happened, kinds_of, log_of, renewals, world_of
from tests.world_texts import BUSY, LIFECYCLE, LONG_OUTAGE, OUTAGE
from tests.world_texts_support import CROWDED, desk

FAILED = """
    2025-03-05 invoice.issued
    2025-03-05 payment_attempt.declined mit 96
    2025-03-05 dunning.started
    2025-03-05 notice.sent payment_failed"""


def test_an_agent_charges_again():
    """One call after the notice, and the invoice is paid days before the policy would have tried again."""
    log = happened(desk(action="retry") + OUTAGE.format(at="2025-03-05", duration="9 hours"))
    who = log.member(5)
    assert log.story(who, since="2025-03", until="2025-04-06") == expected(
        FAILED
        + """
        2025-03-05 contact.opened payment_failed
        2025-03-05 contact.answered payment_failed
        2025-03-05 contact.resolved retried
        2025-03-05 payment_attempt.authorized cit
        2025-03-05 payment.captured
        """
    ) + renewals("2025-04-05")
    opened, answered, resolved = (row for row in log.of(who) if row["kind"] in range(70, 75))
    assert {int(row["channel"]) for row in (opened, answered, resolved)} == {events.BY_PHONE}
    assert answered["latency_ms"] == 0
    assert answered["occurred_at"] == opened["occurred_at"]
    assert resolved["occurred_at"] > opened["occurred_at"]
    assert resolved["fee_minor"] == 700
    context = context_of(log.world, 0, log.of(who))
    assert [SENTENCES[int(row["kind"])](row, context) for row in log.of(who) if row["initiator"] == events.CIT] == [
        "The agent charged the credit card through northpay (attempt 2), authorized."
    ]


def test_an_agent_gives_more_time():
    """Hold and end come five days later than the policy has it; retries and notices are not moved."""
    log = happened(desk(action="grace") + LONG_OUTAGE)
    assert log.story(log.member(5), since="2025-03") == expected(
        FAILED
        + """
        2025-03-05 contact.opened payment_failed
        2025-03-05 contact.answered payment_failed
        2025-03-05 contact.resolved grace_extended
        2025-03-06 payment_attempt.declined mit 96
        2025-03-08 payment_attempt.declined mit 96
        2025-03-09 notice.sent payment_reminder
        2025-03-10 payment_attempt.declined mit 96
        2025-03-12 payment_attempt.declined mit 96
        2025-03-16 subscription.put_on_hold
        2025-03-16 notice.sent hold_started
        2025-03-20 invoice.marked_uncollectible
        2025-03-20 subscription.canceled nonpayment
        """
    )


def test_an_agent_sends_a_link_and_the_member_mends_the_card():
    """An expired card that nobody would have looked at: the link brings the new one, and the invoice is paid."""
    text = desk(action="link") + LIFECYCLE + behaviour(first_attempt_failure="{credit: 100%}", expiry_years="[1]",
                                                       account_updater_coverage="0%")  # fmt: skip
    log = happened(text)
    who = log.find(lambda rows: "payment_method.updated" in kinds_of(rows))
    lines = [line.partition(" ")[2] for line in log.story(who)]
    start = lines.index("payment_attempt.declined mit 54")
    assert lines[start - 1 : start + 9] == expected("""
        invoice.issued
        payment_attempt.declined mit 54
        dunning.started
        notice.sent payment_failed
        contact.opened payment_failed
        contact.answered payment_failed
        contact.resolved link_sent
        payment_method.updated subscriber
        payment_attempt.authorized cit
        payment.captured
    """)


def test_a_cancellation_is_undone():
    """The member regrets it within the hour; the subscription goes on as if nothing had been."""
    log = happened(desk("canceled_by_mistake") + behaviour(voluntary_churn="20% per month"))
    who = log.find(lambda rows: kinds_of(rows)[-1] == "payment.captured" and "contact.resolved" in kinds_of(rows))
    lines = [line.partition(" ")[2] for line in log.story(who)]
    place = lines.index("subscription.cancel_requested voluntary")
    assert lines[place : place + 7] == [
        "subscription.cancel_requested voluntary",
        "contact.opened canceled_by_mistake",
        "contact.answered canceled_by_mistake",
        "contact.resolved saved",
        "invoice.issued",
        "payment_attempt.authorized mit",
        "payment.captured",
    ]
    wishes = [line.partition(" ")[2] for line in log.secrets(who) if "intent" in line]
    assert wishes[:3] == ["intent.changed stay", "intent.changed go", "intent.changed stay"]


TWICE = "timeline: [{kind: double_charging, at: 2025-03-01, duration: 10 days, share: 100%}]\n"
DISPUTED = "charging_faults: {refunded: 0%, disputed: 100%}\n"


def test_a_double_charge_is_given_back_by_an_agent_and_never_disputed():
    """Everybody would turn to the bank; whoever calls first has the money back within the hour."""
    log = happened(desk("double_charge") + TWICE + DISPUTED)
    who = log.member(5)
    assert log.story(who, since="2025-03", until="2025-04-01") == expected("""
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.authorized mit
        2025-03-05 payment.captured
        2025-03-05 payment.duplicated duplicate
        2025-03-05 contact.opened double_charge
        2025-03-05 contact.answered double_charge
        2025-03-05 refund.issued duplicate
        2025-03-05 contact.resolved refunded
    """)
    assert events.DISPUTE_OPENED not in log.rows["kind"]


def test_whoever_is_not_given_the_money_back_turns_to_the_bank():
    """The contact settles nothing, and the dispute comes weeks later, after a contact."""
    log = happened(desk("double_charge", explain="0%", refund="0%") + TWICE + DISPUTED)
    kinds = [line.split()[1] for line in log.story(log.member(5))]
    assert "contact.closed_unresolved" in kinds
    assert kinds.index("contact.closed_unresolved") < kinds.index("dispute.opened")
    assert "refund.issued" not in kinds


def test_a_charge_that_nobody_can_place_may_go_back_out_of_goodwill():
    """The first renewal is asked about, and its whole amount goes back."""
    log = happened(desk("unknown_charge", goodwill="100%"))
    about = [line for line in log.story(log.member(5)) if "refund" in line or "resolved" in line][:2]
    assert [line.split()[1:] for line in about] == [["refund.issued", "goodwill"], ["contact.resolved", "refunded"]]


def test_a_debit_that_is_still_to_come_back_is_not_given_back_as_well():
    """Everybody asks about every renewal: who keeps a debit paid gets it back, of one that returns nobody gets more."""
    debits = behaviour(method_mix="{direct_debit: 100%, credit: 0%}", first_attempt_failure="{direct_debit: 40%}")
    log = happened(desk("unknown_charge", goodwill="100%") + debits + "members: 200\nend: 2025-04-01\n")
    returned = {(row["subscriber"], row["invoice"]) for row in log.rows if row["kind"] == events.PAYMENT_RETURNED}
    refunds = [row for row in log.rows if row["kind"] == events.REFUND_ISSUED]
    assert len(returned) > 50
    assert len(refunds) > 50
    for who, rows in log.lives():
        assert not list(money_goes_back_once(read(rows))), people.describe(who)
    kinds = [kinds_of(log.of(who)[log.of(who)["invoice"] == invoice]) for who, invoice in returned]
    assert [
        "invoice.issued", "payment_attempt.authorized", "payment.captured", "contact.opened", "contact.answered",
        "contact.resolved", "payment.returned", "dunning.started",
    ] in [of_one[:8] for of_one in kinds]  # fmt: skip


def test_some_are_asked_how_the_contact_was():
    """Everybody is, a day after the agent closed it, and answers."""
    asked = "{kind: csat, share: 100%}"
    surveys = behaviour(surveys=f"{{contact: {asked}, response: {{best: 100%, worst: 100%}}}}")
    log = happened(desk("double_charge") + TWICE + surveys)
    kinds = [line.split()[1:] for line in log.story(log.member(5), since="2025-03", until="2025-04-01")]
    assert kinds.index(["contact.resolved", "refunded"]) < kinds.index(["survey.sent", "service"])
    assert ["survey.answered", "csat"] in kinds


def test_a_dearer_renewal_makes_people_ask_why():
    """Once, at the first renewal at the new price; there is nothing to be done but to explain."""
    rise = "timeline: [{kind: price_change, at: 2025-03-01, prices: {standard: 12.00 USD}, notice: 10 days,"
    rise += " added_churn: {points: 0%, months: 1}}]\n"
    log = happened(desk("price_rise", explain="0%") + rise)
    for _, rows in log.lives():
        about = [line for line in map(log.line, rows) if "contact." in line]
        assert [line.partition(" ")[2] for line in about] == [
            "contact.opened price_rise", "contact.answered price_rise", "contact.closed_unresolved unresolved",
        ]  # fmt: skip


PLANS = """plans: {standard: {name: Standard}, premium: {name: Premium}}
markets: {US: {prices: {premium: 20.00 USD}, behaviour: {plan_habits: {HABIT}}}}
"""


@pytest.mark.parametrize(("habit", "sign"), [("goodwill: 30%", "goodwill"), ("upgrades: 10% per month", "upgrade")])
def test_who_pays_the_price_of_last_month_has_no_dearer_renewal(habit, sign):
    """Credit that was used, or the rest of a period in a dearer plan, made the last invoice smaller, not the price."""
    log = happened(desk("price_rise") + PLANS.replace("HABIT", habit))
    assert sum(events.REASONS[row["reason"]] == sign for row in log.rows) > 20
    assert not [kind for kind in kinds_of(log.rows) if kind.startswith("contact.")]


def test_a_discount_that_ends_makes_a_renewal_dearer():
    """Redeemed with the February invoice, it halves that one and the next; April costs what January did."""
    text = (
        "promotions: {half: {percent: 50%, cycles: 2}}\ntimeline: [{kind: promotion, at: 2025-02-01, promotion: half, "
    )
    log = happened(desk("price_rise") + text + "to: everyone, duration: 20 days, redeem: 100%}]\n")
    who = log.member(5)
    about = [line for line in log.story(who) if "contact.opened" in line]
    assert about == expected("2025-04-05 contact.opened price_rise")
    assert [int(row["amount_minor"]) for row in log.of(who) if row["kind"] == events.INVOICE_ISSUED][:4] == [
        1000, 500, 500, 1000,
    ]  # fmt: skip


def test_nobody_answers_and_the_member_leaves():
    """Two calls in vain; on the reminder the member cancels, who would have waited for the gateway otherwise."""
    busy = desk(agents=1, again="100%", cancels="100%").replace("phone: 8 min}", "phone: 300 days}")
    text = behaviour(attention="100%") + LONG_OUTAGE
    lost, kept = happened(busy + text), happened(desk() + text)
    given_up = [who for who, rows in lost.lives() if "contact.answered" not in kinds_of(rows)]
    assert len(given_up) > 20
    ends = Counter(line.partition(" ")[2] for who in given_up for line in lost.story(who))
    assert ends["subscription.canceled payment_trouble"] == len(given_up)
    assert {kept.story(who)[-1].partition(" ")[2] for who in given_up} == {"subscription.canceled nonpayment"}


def test_a_closed_desk_is_called_at_another_hour():
    """Agents are there from nine to ten: every call is opened within that hour, and answered at once."""
    log = happened(desk(hours="[9, 10]") + LONG_OUTAGE)
    opened = log.rows[log.rows["kind"] == events.CONTACT_OPENED]["occurred_at"]
    assert len(opened) > 20
    assert set((opened // clock.HOUR % 24).tolist()) == {9}
    assert (log.rows[log.rows["kind"] == events.CONTACT_ABANDONED]).size == 0


def on_mondays(text: str) -> str:
    """A desk of which nobody works on other days."""
    return text.replace("shifts: [{hours", "shifts: [{days: [monday], hours")


def test_a_contact_outlives_the_subscription_that_it_was_about():
    """Written on the hold, read on Monday, two days after the end: there is nothing left to charge or to mend."""
    log = happened(on_mondays(desk("hold_started", action="retry", channel="email", hours="[8, 9]")) + LONG_OUTAGE)
    who = log.member(5)
    assert log.story(who, since="2025-03-11") == expected("""
        2025-03-11 subscription.put_on_hold
        2025-03-11 notice.sent hold_started
        2025-03-11 contact.opened hold_started
        2025-03-12 payment_attempt.declined mit 96
        2025-03-15 invoice.marked_uncollectible
        2025-03-15 subscription.canceled nonpayment
        2025-03-17 contact.answered hold_started
        2025-03-17 contact.resolved explained
    """)
    answered, resolved = log.of(who)[-2:]
    assert f"{log.local(answered['occurred_at']):%H:%M}" == "04:00"  # eight o'clock UTC
    assert answered["latency_ms"] == 512_100_000
    assert resolved["fee_minor"] == 450
    assert log.secrets(who)[-1] == "2025-03-15 loss.judged stay able"
    assert digests(log.world) == digests(log.world, "simpy")


def test_a_regret_that_is_read_too_late_saves_nobody():
    """Agents undo every cancellation that they read of in time; this one they read of on the day after the end."""
    mistaken = desk("canceled_by_mistake", channel="email", hours="[8, 9]")
    log = happened(on_mondays(mistaken) + behaviour(voluntary_churn="20% per month"))
    endings = [log.story(who)[-5:] for who, rows in log.lives() if "contact.resolved" in kinds_of(rows)[-1]]
    assert [ending for ending in endings if ending[0].startswith("2025-02-12")] == [expected("""
        2025-02-12 subscription.cancel_requested voluntary
        2025-02-12 contact.opened canceled_by_mistake
        2025-02-16 subscription.canceled voluntary
        2025-02-17 contact.answered canceled_by_mistake
        2025-02-17 contact.resolved explained
    """)]  # fmt: skip


def test_an_email_waits_for_the_next_shift():
    """Nobody gives up on a mail; those of a day are answered from eight in the morning, first come first served."""
    log = happened(desk(channel="email", hours="[8, 9]", agents=1) + LONG_OUTAGE)
    rows = log.rows[np.isin(log.rows["kind"], (events.CONTACT_OPENED, events.CONTACT_ANSWERED))]
    opened, answered = (rows[rows["kind"] == kind] for kind in (events.CONTACT_OPENED, events.CONTACT_ANSWERED))
    assert len(opened) == len(answered) > 20
    came = {int(row["subscriber"]): int(row["occurred_at"]) for row in opened}
    reached = {int(row["subscriber"]): came[int(row["subscriber"])] + int(row["latency_ms"]) * 1000 for row in answered}
    assert {at // clock.HOUR % 24 for at in reached.values()} <= {7, 8}
    assert sorted(came, key=lambda who: reached[who]) == sorted(came, key=lambda who: (came[who], who))


def crowded(driver: str = "batch", more: str = ""):
    """A busy world with more contacts than agents."""
    return log_of(world_of(CROWDED + more, BUSY), driver)


def test_everybody_who_came_was_answered_gave_up_or_waits():
    """And whoever was answered was handled, but for those whom the end of the run interrupts."""
    log = crowded()
    kinds = Counter(kinds_of(log.rows))
    came, answered, gone = (kinds[f"contact.{name}"] for name in ("opened", "answered", "abandoned"))
    handled = kinds["contact.resolved"] + kinds["contact.closed_unresolved"]
    waiting = 0
    for _, rows in log.lives():
        own = [kind for kind in kinds_of(rows) if kind.startswith("contact.")]
        waiting += bool(own) and own[-1] == "contact.opened"
    assert came == answered + gone + waiting
    assert 0 <= answered - handled <= 3
    assert min(came, answered, gone) > 30


def test_both_drivers_tell_the_same_story_of_a_crowded_desk():
    """Event for event, sealed truths too, and so do windows of half an hour."""
    for more in ("", "window: 30 min\n"):
        world = world_of(CROWDED + more, BUSY)
        assert digests(world, "batch") == digests(world, "simpy")


def test_a_desk_of_one_market_leaves_the_others_alone():
    """Not a byte of anybody's life changes elsewhere."""
    one, none = crowded(more="  market: [GB]\n"), happened("members: 500", BUSY)
    markets = {people.describe(who).partition("-")[0] for who in changed(one, none)}
    assert markets == {"GB"}


def test_a_desk_that_nobody_contacts_changes_nothing():
    """It has no luck of its own to take away from anybody."""
    silent = "members: 500" + CROWDED.replace("members: 500", "").replace("70%", "0%").replace("40%", "0%")
    silent = silent.replace("3%,", "0%,").replace("50%}", "0%}").replace("20%", "0%")
    assert changed(log_of(world_of(silent, BUSY)), happened("members: 500", BUSY)) == set()


def test_half_the_window_changes_no_headline():
    """Contacts, those given up and those settled differ by less than their noise."""
    hour, half = (Counter(kinds_of(crowded(more=more).rows)) for more in ("", "window: 30 min\n"))
    for kind in ("contact.opened", "contact.answered", "contact.resolved", "subscription.canceled"):
        assert abs(hour[kind] - half[kind]) < 4 * max(hour[kind], 1) ** 0.5


def test_without_agents_nobody_is_answered():
    """While nobody is there; before and afterwards people are."""
    entry = "timeline: [{kind: support_staffing, at: 2025-03-01, duration: 30 days, agents: -100%}]\n"
    log = crowded(more=entry)
    answered = log.rows[log.rows["kind"] == events.CONTACT_ANSWERED]["occurred_at"]
    away = [clock.day_number(day) * clock.DAY for day in map(clock.date.fromisoformat, ("2025-03-01", "2025-03-31"))]
    assert not ((answered >= away[0]) & (answered < away[1])).any()
    assert ((answered < away[0]).sum(), (answered >= away[1]).sum()) > (10, 10)


DESK = "support: {desks: [{channels: [chat, phone, email], shifts: [{agents: 2}]}]"
WRONG = [
    ("support: {}", "support", "desks is missing", "Add it"),
    (
        DESK + ", contact_rate: {payment_faild: 3%}}",
        "payment_faild",
        "payment_faild is not a known key",
        "Did you mean",
    ),
    (DESK + ", contact_rate: {hold_started: 8}}", "8}}", "hold_started: 8 is not between 0 % and 100 %.", "Write 25%"),
    (DESK + ", channels: {chat: 50%, phone: 30%}}", "{chat", "channels add up to 80 %.", "Change them"),
    (DESK + ", channels: {fax: 100%}}", "fax", "fax is not a known key here.", "Keys here: chat, email, phone."),
    (DESK + ", actions: {retry: 100%}}", "{retry", "actions: some are left out.", "Write all of"),
    (DESK + ", success: {refund: 2}}", "2}}", "refund: 2 is not between 0 % and 100 %.", "Write 25%"),
    (DESK + ", success: {goodwill: often}}", "often", 'goodwill: "often" is not a share.', "Write 25%"),
    (DESK + ", success: {refunds: 20%}}", "refunds", "refunds is not a known key here.", "Did you mean refund?"),
    (DESK + ", patience: {phone: 3}}", "3}}", "phone: 3 is not a duration.", "Write it with its unit"),
    (DESK + ", market: [FR]}", "FR", "market: there is no market FR.", "Markets are: JP, US."),
    (DESK + ", by_market: {FR: {}}}", "FR", "by_market: there is no market FR.", "Markets are: JP, US."),
    (DESK + ", cost: {phone: 0}}", "0}}", "phone: 0 is not a number above 0", "Write one"),
    (DESK.replace("chat, phone, email", "chat") + "}", "[{channels", "desks: nobody answers phone.", "Add it"),
    (DESK.replace("chat", "chat, chat") + "}", "chat, phone", "channels: chat has two desks.", "Leave it out of one"),
    (DESK.replace("2}", "2, hours: [20, 8]}") + "}", "[20", "hours: 20 is not before 8.", "Write two shifts where"),
    (DESK.replace("2}", "2, days: [mon]}") + "}", "mon", 'days: "mon" is not one of', "Did you mean monday?"),
    (DESK.replace("2}", "none}") + "}", "none", 'agents: "none" is not a number above 0', "Write one"),
]


@pytest.mark.parametrize(("written", "at", "what", "remedy"), WRONG, ids=[wrong[2][:40] for wrong in WRONG])
def test_a_mistake_about_support_is_told_where_it_stands(tmp_path, written, at, what, remedy):
    """Line and column, what is wrong, and what to do."""
    file = tmp_path / "wrong.yaml"
    file.write_text(GOOD.replace("seed: 5", written))
    told = [(problem.line, problem.column, problem.what, problem.remedy) for problem in check(file)]
    assert {(line, column) for line, column, _, _ in told} == {(5, written.rindex(at) + 1)}, told
    assert any(found.startswith(what) for _, _, found, _ in told), told
    assert any(found.startswith(remedy) for _, _, _, found in told), told


def test_staffing_changes_only_where_there_is_a_desk(tmp_path):
    """A change of staffing without a desk, and more of them than the tables hold, are refused."""
    entry = "  - {kind: support_staffing, at: 2025-01-20, duration: 2 days, agents: -50%}\n"
    for text, what in (
        (GOOD.replace("timeline:\n", "timeline:\n" + entry), "kind: support_staffing changes a desk that this"),
        (GOOD.replace("timeline:\n", "timeline:\n" + 8 * entry).replace("seed: 5", DESK + "}"), "kind: there are more"),
    ):
        file = tmp_path / "wrong.yaml"
        file.write_text(text)
        assert [problem.what[: len(what)] for problem in check(file)] == [what]
