"""Waiting times worked out with pencil and paper: losses compete, some are still waiting, others come late."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import compute
from billing_sim.metrics.result import Result
from tests.facts_builder import Row, at, build, invoice

ISSUED = "2025-02-01"
END = at("2025-07-01")
TEXT = dict.fromkeys(("title", "question", "formula", "estimand", "misleads"), "how soon")


def paid_by(age: str, **more: Any) -> Definition:
    """The share paid by an age, giving up competing."""
    fields = {
        "id": "paid_by", "view": "product", "tier": "core", "direction": "up", "unit": "share", "kind": "incidence",
        "fact": "invoices", "clock": "issued_at", "since": "issued_at", "event": "paid_at",
        "competing": "given_up_at", "by_age": age,
    }  # fmt: skip
    return Definition.model_validate({**TEXT, **fields, **more})


def unit(paid: float | None = None, lost: float | None = None, *, issued: str = ISSUED, **more: Any) -> Row:
    """An invoice paid or lost so many days after its issue, or neither."""
    row = invoice(issued, 10, status="open") | more
    for name, days in (("paid_at", paid), ("given_up_at", lost)):
        row |= {name: at(issued) + timedelta(days=days)} if days is not None else {}
    return row


def waiting(days: float, **more: Any) -> Row:
    """An invoice seen for so many days and still open."""
    return invoice(ISSUED, 10, status="open", **more) | {"issued_at": END - timedelta(days=days)}


def answer(path: Path, rows: list[Row], age: str, **more: Any) -> Result:
    """The incidence by an age."""
    (result,) = compute(build(path, invoices=rows), [paid_by(age, **more)])
    return result


STORY = [unit(1), unit(2), unit(2), unit(lost=2), waiting(2), unit(lost=3), unit(4), waiting(4.5), unit(9), waiting(20)]


def test_losses_compete_and_the_waiting_are_at_risk_until_last_seen(tmp_path):
    """Ten: 1 paid of 10; then 2 paid, 1 lost of 9; one no longer seen; 1 lost of 5; 1 paid of 4."""
    result = answer(tmp_path, STORY, "4 days")
    first, second = 1 / 10, 9 / 10 * 2 / 9
    left = 9 / 10 * 6 / 9 * 4 / 5
    expected = (0, first, first + second, first + second, first + second + left / 4)
    assert result.curve == pytest.approx(expected, rel=1e-12)
    assert result.value == pytest.approx(expected[-1], rel=1e-12)
    assert (result.numerator, result.denominator, result.units, result.immature) == (4, 10, 10, 0)


def test_taking_losses_for_censoring_reads_higher(tmp_path):
    """Kaplan and Meier answer what would be if nobody were lost: 1 - 9/10 x 7/9 x 3/4."""
    result = answer(tmp_path, STORY, "4 days", estimator="kaplan_meier")
    assert result.value == pytest.approx(1 - 9 / 10 * 7 / 9 * 3 / 4, rel=1e-12)


def test_looking_at_the_closed_only_forgets_those_who_wait(tmp_path):
    """Of seven closed, four are paid by day 4."""
    assert answer(tmp_path, STORY, "4 days", estimator="closed").value == pytest.approx(4 / 7, rel=1e-12)


def test_without_waiting_and_losses_all_estimators_are_the_plain_share(tmp_path):
    """Nobody censored, nobody lost: three of four by day 5, whatever the method."""
    for name in ("aalen_johansen", "kaplan_meier", "closed"):
        rows = [unit(0), unit(3), unit(5), unit(8)]
        assert answer(tmp_path / name, rows, "5 days", estimator=name).value == pytest.approx(3 / 4)


@pytest.mark.parametrize(("days", "day"), [(0, 0), (1e-9, 1), (1, 1), (1 + 1e-9, 2), (14, 14), (14 + 1e-9, 15)])
def test_what_happens_within_the_nth_day_its_end_included_is_on_day_n(tmp_path, days, day):
    """At once is day 0; a microsecond after a full day belongs to the next one."""
    moment = at(ISSUED) + timedelta(days=int(days), microseconds=round(days % 1 * 1e9))
    result = answer(tmp_path, [unit() | {"paid_at": moment}, unit(20)], "16 days")
    assert [result.curve.index(0.5)] == [day]


def test_those_who_come_late_are_at_risk_from_then_on(tmp_path):
    """Two are watched from the start, two from day 3 on: the first payment is one of two, the next one of three."""
    late = {"enters": "held_at"}
    held = {"held_at": at(ISSUED) + timedelta(days=3)}
    rows = [unit(2), unit(9), unit(5, **held), unit(9, **held)]
    result = answer(tmp_path, rows, "5 days", **late)
    assert result.curve == pytest.approx((0, 0, 1 / 2, 1 / 2, 1 / 2, 1 / 2 + 1 / 2 * 1 / 3), rel=1e-12)


def test_those_who_come_after_it_happened_are_never_at_risk(tmp_path):
    """Paid on day 2 and watched from day 3: it says nothing."""
    rows = [unit(2, held_at=at(ISSUED) + timedelta(days=3)), unit(4), unit(9)]
    assert answer(tmp_path, rows, "5 days", enters="held_at").value == pytest.approx(1 / 2)


def test_nobody_watched_that_long_is_undefined(tmp_path):
    """Everybody was seen for two days only: what happens by day 5 is unknown, and those paid are still counted."""
    result = answer(tmp_path, [unit(1), waiting(2), waiting(2)], "5 days")
    assert (result.value, result.reason) == (None, "nobody is watched until the age of 5 days")
    assert (result.numerator, result.denominator) == (1, 3)


def test_everybody_settled_early_is_defined(tmp_path):
    """When all are paid or lost by day 2, nobody need be watched on day 5."""
    assert answer(tmp_path, [unit(1), unit(lost=2)], "5 days").value == pytest.approx(1 / 2)


def test_an_earlier_moment_sees_waiting_what_happens_later(tmp_path):
    """Paid on day 10, judged on day 4: still waiting, neither paid nor lost."""
    source = build(tmp_path, invoices=[unit(1), unit(10), unit(lost=10)])
    (early,) = compute(source, [paid_by("3 days")], as_of=at(ISSUED) + timedelta(days=4))
    assert (early.value, early.numerator) == (pytest.approx(1 / 3), 1)
    (by_day_5,) = compute(source, [paid_by("5 days")], as_of=at(ISSUED) + timedelta(days=4))
    assert by_day_5.value is None


def test_a_wait_that_begins_later_has_not_begun(tmp_path):
    """As of a moment before the first failure, an invoice is not among those who wait for its recovery."""
    rows = [unit(9, first_failed_at=at(ISSUED) + timedelta(days=2)), unit(3, first_failed_at=at(ISSUED))]
    early = at(ISSUED) + timedelta(days=1)
    (result,) = compute(build(tmp_path, invoices=rows), [paid_by("1 days", since="first_failed_at")], as_of=early)
    assert (result.units, result.value) == (1, 0)


def test_the_true_curve_is_found_among_censored_and_lost(tmp_path):
    """Payments at 10 %, losses at 5 % a day, everybody seen for a random time: by day 10 near the closed form."""
    luck = random.Random(1)
    rows = []
    for _ in range(4000):
        paid, lost, seen = luck.expovariate(0.1), luck.expovariate(0.05), luck.uniform(1, 40)
        first = min(paid, lost)
        moment = END - timedelta(days=seen)
        happened = {"paid_at" if paid < lost else "given_up_at": moment + timedelta(days=first)} if first < seen else {}
        rows.append(waiting(seen, group=luck.randrange(64)) | happened)
    result = answer(tmp_path, rows, "10 days")
    truth = 2 / 3 * (1 - 2.718281828459045 ** (-0.15 * 10))
    assert result.value == pytest.approx(truth, abs=0.025)
    assert result.low < truth < result.high
    naive = answer(tmp_path / "closed", rows, "10 days", estimator="closed")
    assert naive.low > truth
