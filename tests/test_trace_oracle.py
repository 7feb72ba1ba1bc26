"""The oracle says when a retry would have worked; where a retry was really made, it says what really happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from billing_sim import declines, events
from billing_sim.clock import DAY, HOUR
from billing_sim.drivers.oracle import LEFT, fates_of_retry
from billing_sim.drivers.shards import people_of_shard
from billing_sim.drivers.tape import NOTHING_SHARED, span_of
from billing_sim.lifecycle.state import new_page, new_states
from billing_sim.rule import records
from billing_sim.scenario import load
from billing_sim.trace.life import Life, relive
from billing_sim.trace.oracle import Chances, chances_of, chances_words
from billing_sim.world.compile import CompiledWorld, compile_world
from tests.trace_rows import CONTEXT, SCENARIOS, instant, switched_scenario
from tests.world_builder import behaviour, world_of

_ATTEMPTS = (events.ATTEMPT_AUTHORIZED, events.ATTEMPT_DECLINED, events.ATTEMPT_UNKNOWN, events.ATTEMPT_PENDING)
_SETTLING = 6 * DAY
"""Longer than a direct debit takes to come back or an outcome to become known."""


@pytest.fixture(scope="module")
def world() -> CompiledWorld:
    return compile_world(load(SCENARIOS / "streaming.yaml", members=4000).scenario)


def failing_lives(world: CompiledWorld, step: int) -> list[Life]:
    """Everybody of every so-manyth shard who had an invoice in dunning."""
    found = []
    for shard in range(0, 64, step):
        found += [relive(world, int(m), int(n)) for n, m in zip(*people_of_shard(world, shard), strict=True)]
    return [life for life in found if life.failures]


@pytest.fixture(scope="module")
def lives(world) -> list[Life]:
    return failing_lives(world, 4)


@dataclass(frozen=True)
class Retry:
    """A retry that was made: when, the latent cause for which it failed, 0 if it worked, and whether on a new card."""

    invoice: int
    number: int
    moment: int
    cause: int
    is_updated: bool


def retries_of(life: Life, end: int) -> Iterator[Retry]:
    """Retries with the preferred method, up to the first one after an update or to an answer of the member."""
    explained = life.truths[life.truths["kind"] == events.EXPLAINED]
    causes = {(int(t["invoice"]), int(t["attempt"])): int(t["cause"]) for t in explained}
    backups = life.rows["method"][
        (life.rows["kind"] == events.METHOD_ADDED) & (life.rows["reason"] == events.BY_BACKUP)
    ]
    issued = life.rows["occurred_at"][life.rows["kind"] == events.INVOICE_ISSUED]
    failing, number, is_updated = 0, 0, False
    for row in life.rows:
        invoice = int(row["invoice"])
        if row["kind"] == events.DUNNING_STARTED:
            failing, number, is_updated = invoice, 0, False
        elif row["kind"] == events.METHOD_UPDATED:
            failing, is_updated = (
                (failing, True) if row["reason"] == events.BY_UPDATER and not is_updated else (0, False)
            )
        elif row["kind"] in _ATTEMPTS and failing and invoice == failing and row["method"] not in backups:
            moment = int(row["occurred_at"]) - int(row["latency_ms"]) * 1000
            if row["initiator"] == events.CIT:
                failing = 0
            elif moment > life.failures[invoice]["first_failed"][0]:
                number += 1
                settled = moment + _SETTLING
                # Otherwise what comes back cannot be told from what comes of the next invoice, or of none.
                if settled < end and not ((moment < issued) & (issued < settled)).any():
                    yield Retry(invoice, number, moment, causes.get((invoice, int(row["attempt"])), 0), is_updated)
                failing = 0 if is_updated else failing


def asked(world: CompiledWorld, failed: np.ndarray, moments: list[int]) -> list[int]:
    """The oracle's answers."""
    states, causes = records(new_states(2)), np.zeros(len(moments), np.int64)
    states[0] = failed[0]
    before = states[0].tobytes()
    alone = (span_of(world), NOTHING_SHARED.places, NOTHING_SHARED.tables)
    fates_of_retry(records(world.record), states, records(new_page()), np.array(moments, np.int64), causes, *alone)
    assert states[0].tobytes() == before, "asking changed the person"
    return causes.tolist()


def test_a_first_retry_ends_as_the_oracle_says(world, lives):
    end, outcomes = int(world.record["end"][0]), []
    for life in lives:
        for retry in retries_of(life, end):
            if retry.number == 1:
                answer = asked(world, life.failures[retry.invoice], [retry.moment])[0]
                assert answer == retry.cause, (life.subscriber, retry)
                outcomes.append(answer)
    assert len(outcomes) > 300
    assert outcomes.count(declines.NO_CAUSE) > 30
    assert len(set(outcomes)) > 4


def test_a_later_retry_ends_as_the_oracle_says_unless_the_issuer_remembered_more(world, lives):
    end, compared = int(world.record["end"][0]), 0
    for life in lives:
        for retry in retries_of(life, end):
            if retry.number > 1 and retry.cause != declines.ISSUER_MEMORY:
                assert asked(world, life.failures[retry.invoice], [retry.moment]) == [retry.cause], (
                    life.subscriber,
                    retry,
                )
                compared += 1
    assert compared > 300


def test_a_retry_with_details_from_the_updater_ends_as_the_oracle_says(tmp_path):
    scenario = tmp_path / "switched.yaml"
    scenario.write_text(switched_scenario())
    world = compile_world(load(scenario, members=10_000).scenario)
    outcomes = []
    for life in failing_lives(world, 1):
        for retry in retries_of(life, int(world.record["end"][0])):
            if retry.is_updated:
                assert asked(world, life.failures[retry.invoice], [retry.moment]) == [retry.cause]
                outcomes.append(retry.cause)
    assert outcomes.count(declines.NO_CAUSE) > 3


LATE = """\
members: 600
mandate_debits: {notice: 24 hours, p50: 6 hours, p95: 6 hours}
latent_causes: {voucher: {funds: 60%, restricted: 38%, technical: 2%}}
""" + behaviour(
    method_mix="{voucher: 60%, a2a_emandate: 40%, credit: null}",
    first_attempt_failure="{voucher: 30%, a2a_emandate: 30%}",
)


@pytest.mark.parametrize("kind", [events.VOUCHER, events.A2A_EMANDATE])
def test_a_retry_that_is_answered_days_later_ends_as_the_oracle_says(kind):
    """A voucher is paid or expires, and a bank answers a debit, as the oracle has known at once."""
    world, outcomes = world_of(LATE), []
    for life in failing_lives(world, 1):
        for retry in retries_of(life, int(world.record["end"][0])):
            failed = life.failures[retry.invoice]
            if failed["method_kind"][0, 0] == kind and retry.number == 1:
                assert asked(world, failed, [retry.moment]) == [retry.cause], (life.subscriber, retry)
                outcomes.append(retry.cause)
    assert outcomes.count(declines.NO_CAUSE) > 30
    assert len(outcomes) - outcomes.count(declines.NO_CAUSE) > 30


def test_asking_one_hour_does_not_change_another(world, lives):
    for life in lives[:20]:
        for invoice, failed in life.failures.items():
            chances = chances_of(world, invoice, failed)
            backwards = asked(world, failed, chances.moments[::-1].tolist())[::-1]
            assert backwards == chances.causes.tolist()


def test_the_hours_are_those_from_the_failure_to_the_end_of_dunning(world, lives):
    record = world.record[0]
    for life in lives:
        for invoice, failed in life.failures.items():
            chances, first = chances_of(world, invoice, failed), int(failed["first_failed"][0])
            last = min(first + int(record["dunning_end"][failed["policy"][0]]), int(record["end"]))
            assert (np.diff(chances.moments) == HOUR).all()
            if len(chances.moments):
                assert first < chances.moments[0]
                assert chances.moments[-1] < last
                assert LEFT not in chances.causes


def test_the_world_goes_on_while_dunning_waits(world, lives):
    """When a card that nobody mends expires within the window, it is the cause of every failure from then on."""
    failed, chances = next(
        (failed, chances)
        for life in lives
        for invoice, failed in life.failures.items()
        if (chances := chances_of(world, invoice, failed)).good > 300 and len(chances.moments) > 600
    )
    harmed = failed.copy()
    harmed["backup"], harmed["method_token"] = 0, 0
    harmed["method_kind"][0, 0] = events.PREPAID  # which no updater knows
    harmed["episode_at"][0, 0] = harmed["alarm"][0, 1] = chances.moments[200]
    harmed["episode_cause"][0, 0] = declines.EXPIRED
    causes = asked(world, harmed, chances.moments.tolist())
    assert declines.EXPIRED not in causes[:200]
    assert set(causes[200:]) == {declines.EXPIRED}


def test_hours_after_the_person_has_left_do_not_count(world, lives):
    """Someone who wants to go within the window leaves, and then there is nothing to retry."""
    for life in lives:
        for invoice, failed in life.failures.items():
            chances = chances_of(world, invoice, failed)
            if len(chances.moments) < 400 or failed["intent"][0] != events.INERT or not failed["open"][0]:
                continue
            hasty = failed.copy()
            hasty["alarm"][0, 2] = chances.moments[100]
            remaining = chances_of(world, invoice, hasty)
            if len(remaining.moments) == 100:
                assert asked(world, hasty, [int(chances.moments[100])]) == [LEFT]
                return
    pytest.fail("nobody left")


def chances(*causes: tuple[int, int], start: str = "2025-03-13 12:00") -> Chances:
    """So many hours of each cause, one after the other."""
    line = np.array([cause for cause, hours in causes for _ in range(hours)], np.int64)
    return Chances(7, instant(start) + np.arange(len(line), dtype=np.int64) * HOUR, line)


def test_good_hours_are_told_with_the_first_and_the_longest_times():
    bad, good = (declines.FUNDS, 48), (declines.NO_CAUSE, 24)
    assert chances_words(chances(bad, good, (declines.FUNDS, 10), (declines.NO_CAUSE, 5)), CONTEXT) == (
        "In truth: a retry would have worked in 29 of 87 hours, first at Sat 2025-03-15 08:00: "
        "Sat 2025-03-15 08:00 to Sun 2025-03-16 08:00, Sun 2025-03-16 18:00 to Sun 2025-03-16 23:00. "
        "At other hours: the payer's money had run dry."
    )


def test_short_interruptions_are_not_told_one_by_one():
    noise = (declines.TECHNICAL, 1)
    line = chances((declines.NO_CAUSE, 10), noise, (declines.NO_CAUSE, 10), noise, (declines.NO_CAUSE, 10))
    assert chances_words(line, CONTEXT) == (
        "In truth: a retry would have worked in 30 of 32 hours, first at Thu 2025-03-13 08:00: "
        "mostly Thu 2025-03-13 08:00 to Fri 2025-03-14 16:00. At other hours: gateway or issuer could not be reached."
    )


def test_only_the_four_longest_times_are_told():
    parts = [(cause, hours) for hours in (5, 3, 9, 7, 8, 1) for cause in (declines.NO_CAUSE, declines.FUNDS)]
    line = chances_words(chances(*[(cause, hours + 3 * (cause > 0)) for cause, hours in parts]), CONTEXT)
    assert line.count(" to ") == 4
    assert ", and 2 shorter times." in line


def test_a_hopeless_invoice_says_why():
    assert chances_words(chances((declines.CLOSED, 719)), CONTEXT) == (
        "In truth: no retry would have worked in any of 719 hours: the card or account was closed."
    )
    assert chances_words(chances((declines.FUNDS, 20), (declines.CLOSED, 1)), CONTEXT) == (
        "In truth: no retry would have worked in any of 21 hours: "
        "the payer's money had run dry (20 hours), the card or account was closed (1 hour)."
    )


def test_a_failure_at_the_very_end_leaves_no_hour():
    assert chances_words(chances(), CONTEXT) == "In truth: there was no hour left in which to retry invoice 7."
