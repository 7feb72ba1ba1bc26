"""Processes of a user's own: what they can do, to the event; what is refused, and why; and what errors say.

The world is the quiet one, with cards that are valid for a year and nobody who puts a new one on file: a charge then
fails, is tried again after 1, 3, 5 and 7 days, access is blocked after six, and after ten the subscription is lost.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from billing_sim import events, people
from billing_sim.drivers.extended import live
from billing_sim.drivers.extension import extension_of
from billing_sim.drivers.memory import check_room_extended
from billing_sim.errors import BillingSimError
from tests.world_builder import Log, behaviour, expected, log_of, renewals, world_of
from tests.world_texts import LIFECYCLE

LOST = (
    "members: 40\nend: 2025-04-01\naccount_updater: off\n"
    + LIFECYCLE
    + behaviour(expiry_years="[1]", first_attempt_failure="{credit: 100%}")
)
KINDS = {"x.call_made": "The member was called.", "x.mail_sent": "A mail was sent."}


class ExtendedLog(Log):
    """A log that knows kinds of a user's own."""

    def line(self, row):
        """One event, by the name that the user gave it."""
        if row["kind"] < events.FIRST_OWN_KIND:
            return super().line(row)
        return f"{self.local(row['occurred_at']):%Y-%m-%d} {list(KINDS)[row['kind'] - events.FIRST_OWN_KIND]}"


def lived(*processes, text=LOST, kinds=None):
    """The log of a world with these processes in it."""
    world = world_of(text)
    return ExtendedLog(world, *live(world, extension_of(processes, KINDS if kinds is None else kinds)))


def idle(service):
    """Do nothing, every day."""
    while True:
        yield service.until(days=1)


def call_on_hold(service):
    """Call everybody whose access is blocked, every day at noon UTC; they take out another card and pay with it."""
    yield service.at("2025-01-01T12:00+00:00")
    while True:
        for member in service.subscribers(where=lambda it: it.is_on_hold):
            assert service.emit("x.call_made", member, amount_minor=member.amount_minor)
            assert service.replace_method(member, "credit")
            assert service.retry(member)
        yield service.until(days=1)


def unlucky(log):
    """The first who is lost through payment within the first two months."""
    early = clock_of(datetime(2025, 3, 1, tzinfo=UTC))

    def is_lost(rows):
        ends = rows[(rows["kind"] == events.SUBSCRIPTION_CANCELED) & (rows["reason"] == events.NONPAYMENT)]
        return len(ends) and ends["occurred_at"][0] < early

    return log.find(is_lost)


def clock_of(moment):
    """A moment in microseconds."""
    return int(moment.timestamp()) * 1_000_000


def collected(told):
    """A process that hands what it finds to the test: `told` is called once, on 20 January."""

    def process(service):
        yield service.at(date(2025, 1, 20))
        told(service)

    return process


def test_a_process_that_does_nothing_changes_nothing():
    """The same rows and the same truths, to the byte: only what processes do makes a difference."""
    plain, extended = log_of(world_of(LOST)), lived(idle)
    assert extended.rows.tobytes() == plain.rows.tobytes()
    assert extended.truths.tobytes() == plain.truths.tobytes()


UNTIL_THE_HOLD = expected(
    """
    2025-01-02 invoice.issued
    2025-01-02 payment_attempt.declined mit 54
    2025-01-02 dunning.started
    2025-01-02 notice.sent payment_failed
    2025-01-03 payment_attempt.declined mit 54
    2025-01-05 payment_attempt.declined mit 54
    2025-01-06 notice.sent payment_reminder
    2025-01-07 payment_attempt.declined mit 54
    2025-01-08 subscription.put_on_hold
    2025-01-08 notice.sent hold_started
    """
)


def test_whoever_is_called_on_hold_stays():
    """Until the hold everything is as without the process; then a call, another card, and a payment: these events."""
    without, called = log_of(world_of(LOST)), lived(call_on_hold)
    who = unlucky(without)
    assert without.story(who, since="2025") == [
        *UNTIL_THE_HOLD,
        *expected(
            """
            2025-01-09 payment_attempt.declined mit 54
            2025-01-12 invoice.marked_uncollectible
            2025-01-12 subscription.canceled nonpayment
            """
        ),
    ]
    assert called.story(who, since="2025") == [
        *UNTIL_THE_HOLD,
        *expected(
            """
            2025-01-08 x.call_made
            2025-01-08 payment_method.updated subscriber
            2025-01-08 payment_attempt.authorized cit
            2025-01-08 payment.captured
            2025-01-08 subscription.restored
            """
        ),
        *renewals("2025-02-02", "2025-03-02"),
    ]
    lost = (without.rows["kind"] == events.SUBSCRIPTION_CANCELED).sum()
    calls = called.rows[called.rows["kind"] >= events.FIRST_OWN_KIND]
    assert not (called.rows["kind"] == events.SUBSCRIPTION_CANCELED).any()
    assert (lost, len(calls), set(calls["amount_minor"])) == (10, 10, {1000})


def test_who_is_not_called_lives_as_before():
    """People of another kind of life are not moved by what a process does to others."""
    without, called = log_of(world_of(LOST)), lived(call_on_hold)
    held = set(called.rows["subscriber"][called.rows["kind"] >= events.FIRST_OWN_KIND])
    others = [who for who in without.subscribers if who not in held]
    assert len(held) > 0 < len(others)
    assert all(called.of(who).tobytes() == without.of(who).tobytes() for who in others)


def test_the_same_process_twice_gives_the_same_log():
    """Luck of one's own is keyed by person, name and occasion: nothing is left to chance."""

    def moody(service):
        while True:
            for member in service.subscribers():
                if service.draw(member, "mood", service.now.date()) < 0.01:
                    service.cancel(member)
            yield service.until(days=1)

    one, other = lived(moody), lived(moody)
    assert one.rows.tobytes() == other.rows.tobytes()
    assert 0 < (one.rows["kind"] == events.CANCEL_REQUESTED).sum() < len(one.subscribers)


def test_luck_is_even_and_belongs_to_its_name():
    """From 0 to 1, the same at every asking, and another for another name, person or occasion."""
    found = []

    def asks(service):
        for member in service.subscribers():
            found.extend(service.draw(member, "reads", number) for number in range(50))
        one = service.subscribers()[0]
        assert (
            service.draw(one, "reads", 7) == service.draw(str(one), "reads", 7) == service.draw(one.number, "reads", 7)
        )
        assert service.draw(one, "reads", 7) != service.draw(one, "answers", 7)
        assert service.draw(one, "reads") == service.draw(one, "reads", service.now)

    lived(collected(asks))
    assert len(found) == len(set(found)) > 1000
    assert min(found) >= 0
    assert max(found) < 1
    assert abs(float(np.mean(found)) - 0.5) < 0.03


def test_members_are_shown_as_the_service_knows_them():
    """Market, plan, method, card, money and standing agree with the log."""
    seen = {}
    log = lived(collected(lambda service: seen.update({it.number: it for it in service.subscribers()})))
    assert sorted(seen) == list(seen)
    for number, member in seen.items():
        rows = log.of(number)
        before = rows[rows["occurred_at"] < clock_of(datetime(2025, 1, 20, tzinfo=UTC))]
        assert (member.market, member.plan, member.method_kind, member.currency) == ("US", "standard", "credit", "USD")
        assert (
            date_number(member.card_expires_on)
            == before[np.isin(before["kind"], (events.METHOD_ADDED, events.METHOD_UPDATED))]["period_end"][-1]
        )
        assert member.amount_minor == 1000
        kinds = set(before["kind"].tolist())
        assert member.is_past_due == (events.DUNNING_STARTED in kinds)
        assert member.is_on_hold == (events.SUBSCRIPTION_HELD in kinds)
        joined = date(1970, 1, 1).toordinal() + int(before["period_start"][0])
        months = (2025 - date.fromordinal(joined).year) * 12 + 1 - date.fromordinal(joined).month
        assert member.tenure_months in (months, months - 1)
    assert any(it.is_past_due for it in seen.values())


def date_number(day):
    """A day as the log counts it."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def test_what_the_state_does_not_allow_is_refused_with_a_reason():
    """Acts say no in words, and leave nothing in the log."""
    said = []

    def tries(service):
        fine = service.subscribers(where=lambda it: not it.is_past_due)[0]
        late = service.subscribers(where=lambda it: it.is_past_due)[0]
        said.append(service.retry(fine).reason)
        said.append(service.send_notice(fine).reason)
        said.append(service.replace_method(fine, "direct_debit").reason)
        said.append(service.refund(late, late.invoice, 100).reason)
        said.append(service.refund(fine, fine.invoice, 1001).reason)
        assert service.refund(fine, fine.invoice, 400)
        said.append(service.refund(fine, fine.invoice, 400).reason)
        assert service.cancel(fine)
        said.append(service.cancel(fine).reason)
        assert service.cancel(late)
        assert service.subscriber(late) is None
        said.append(service.cancel(late).reason)
        names.extend([str(fine), str(late)])

    names = []
    log = lived(collected(tries))
    fine, late = names
    assert said == [
        f"{fine} owes nothing.",
        f"{fine} owes nothing.",
        f"{fine} cannot have this kind of payment method, which is not offered in the market.",
        f"{late} has paid no such invoice last, or less than that for it.",
        f"{fine} has paid no such invoice last, or less than that for it.",
        f"{fine} had this charge refunded already, or their bank has the case.",
        f"{fine} has cancelled already.",
        f"{late} is no member now.",
    ]
    done = [log.line(row) for row in log.rows if row["kind"] in (events.REFUND_ISSUED, events.CANCEL_REQUESTED)]
    assert sorted(done) == [
        "2025-01-19 refund.issued goodwill",
        "2025-01-19 subscription.cancel_requested voluntary",
        "2025-01-19 subscription.cancel_requested voluntary",
    ]


def test_one_more_notice_is_seen_like_any_other():
    """In a world where notices are seen, a further one is sent at once and the member mends what failed."""
    notices = []

    def reminds(service):
        late = service.subscribers(where=lambda it: it.is_past_due)
        assert late
        notices.extend((it.number, bool(service.send_notice(it))) for it in late)

    log = lived(collected(reminds))
    for number, done in notices:
        rows = log.of(number)
        sent = rows[(rows["kind"] == events.NOTICE_SENT) & (rows["reason"] == events.NOTICE_REMINDER)]
        assert done
        assert clock_of(datetime(2025, 1, 20, tzinfo=UTC)) in sent["occurred_at"]


def test_a_coupon_reduces_the_next_invoice():
    """Who is given a coupon pays half of the next invoice, and cannot have it twice."""
    said = []

    def gives(service):
        member = service.subscribers(where=lambda it: not it.is_past_due)[0]
        assert service.grant(member, "half")
        said.extend([member.number, service.grant(member, "half").reason])

    log = lived(collected(gives), text=LOST + "promotions: {half: {percent: 50%, cycles: 1}}\n")
    number, reason = said
    assert reason.endswith("has had this coupon, or another one is at work.")
    rows = log.of(number)
    issued = rows[
        (rows["kind"] == events.INVOICE_ISSUED) & (rows["occurred_at"] > clock_of(datetime(2025, 1, 20, tzinfo=UTC)))
    ]
    assert issued["amount_minor"][:2].tolist() == [500, 1000]


def test_nobody_is_written_about_before_they_are_in_the_log():
    """People who had left before the start have no rows; an event about them is refused."""
    said = []

    def writes(service):
        said.append(service.emit("x.mail_sent", "US-former-0").reason)

    lived(
        collected(writes),
        text=LOST.replace("behaviour:\n", "behaviour:\n      former_members: 50%\n"),
    )
    assert said == ["US-former-0 is not in the log."]


WRONG = {
    "service.until(days=0)": "until takes a time to wait that is longer than nothing, such as until(days=3).",
    "service.until(fortnights=1)": "until knows no fortnights; write weeks, days, hours, minutes, seconds, as in",
    "service.cancel(999999999)": "there is no 999999999 in this run.",
    "service.at('2024-01-01')": "at(2024-01-01) is not still to come: it is 2025-01-20 00:00 UTC.",
    "service.at('soon')": "'soon' is no moment: give a day such as 2025-03-01, or a datetime.",
    "service.at(datetime(2025, 2, 1))": "2025-02-01 00:00:00 names no time zone: write datetime(..., tzinfo=UTC).",
    "service.subscribers('XX')": "there is no market 'XX'; there are: US.",
    "service.cancel('US-99999')": "there is no US-99999 in this run.",
    "service.cancel('nobody')": f"'nobody' is not a subscriber; they read like {people.EXAMPLES}.",
    "service.replace_method('US-1', 'shells')": "there is no method kind 'shells'; there are: credit, debit, prepaid",
    "service.grant('US-1', 'half')": "there is no coupon 'half'; there are: none.",
    "service.refund('US-1', 1, 100, 'whim')": "there is no reason of a refund 'whim'; there are: goodwill, complaint.",
    "service.emit('x.letter_sent', 'US-1')": "there is no event kind 'x.letter_sent'; there are: x.call_made,",
    "service.emit('x.mail_sent', 'US-1', score=1.5)": "x.mail_sent: amount_minor and score are whole numbers",
    "service.draw('US-1', 'reads', -1)": "the occasion of a draw is a moment, a day or a number from 0 on, not -1.",
    "1 / 0": "ZeroDivisionError: division by zero",
}


@pytest.mark.parametrize("call", WRONG)
def test_an_error_names_the_process_its_line_and_the_moment(call):
    """Whatever goes wrong in a process is told with where and when, and what to do."""

    def tells(service):
        eval(call, {"service": service, "datetime": datetime})

    line = tells.__code__.co_firstlineno + 1
    with pytest.raises(BillingSimError) as caught:
        lived(collected(tells))
    first, second = str(caught.value).splitlines()
    where = f"the process process failed on 2025-01-20 00:00 UTC ({__file__}, line "
    assert first.startswith(where)
    assert first.partition("): ")[2].startswith(WRONG[call])
    assert line > 0
    assert second.startswith("The run is incomplete: mend the process and run the scenario again, with --overwrite if")


def test_a_process_has_to_yield_what_can_be_waited_for():
    """A number is nothing to wait for; the error names the line of the yield."""

    def hasty(service):
        yield 3

    with pytest.raises(BillingSimError, match=r"3 is nothing to wait for: yield service\.until") as caught:
        lived(hasty)
    assert f"line {hasty.__code__.co_firstlineno + 1})" in str(caught.value)


def test_an_error_in_what_a_process_has_started_is_told_too():
    """SimPy processes of a process are the user's as well."""

    def helper(service):
        yield service.until(days=2)
        raise KeyError("lost")

    def starts(service):
        service.env.process(helper(service))
        yield service.until(days=30)

    with pytest.raises(
        BillingSimError, match=r"^a process that yours has started failed on 2025-01-03 .*KeyError: 'lost'"
    ):
        lived(starts)


BAD = {
    "not a generator": (([lambda service: None], None), r"<lambda> is no process: write a function"),
    "no x": (([idle], {"mail.sent": "A mail was sent."}), r"'mail\.sent' cannot be an event kind of your own"),
    "capital": (([idle], {"x.Mail": "A mail was sent."}), r"'x\.Mail' cannot be an event kind of your own"),
    "no meaning": (([idle], {"x.mail_sent": " "}), r"x\.mail_sent needs a sentence that says what happened"),
    "too many": (([idle], {f"x.kind_{i}": "It was." for i in range(57)}), r"57 event kinds are too many"),
    "no process": (([], {"x.mail_sent": "A mail was sent."}), r"need a process that writes them"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_extend_a_run_is_refused(name):
    """Before anything is simulated, in one sentence."""
    given, message = BAD[name]
    with pytest.raises(BillingSimError, match=message):
        extension_of(*given)


def test_own_kinds_are_numbered_in_their_order():
    """From 200 on, as they were given."""
    assert [kind.number for kind in extension_of([idle], KINDS).kinds] == [200, 201]
    assert all(kind.number < events.FIRST_OWN_KIND for kind in events.EVENTS)


def test_too_many_people_for_one_environment_are_refused():
    """Everybody is in memory at once; the message says how many members would fit."""
    with pytest.raises(BillingSimError, match=r"your processes may turn to anybody, so all 1,000,000 .* use --members"):
        check_room_extended(1_000_000, 900_000, available=1 << 30)
    check_room_extended(100_000, 90_000, available=1 << 30)
