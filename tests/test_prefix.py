"""The past is fixed: a run to an earlier day is the beginning of a run to a later one."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from billing_sim import clock, events
from tests.world_builder import SCENARIOS, Log, laid_over, log_of, world_of
from tests.world_texts import BUSY, QUIET
from tests.world_texts_load import BUSY_GATEWAYS
from tests.world_texts_support import CROWDED

BASE = BUSY.replace("end: 2025-06-01", "end: 2025-12-01")


def beginning(log: Log, until: int) -> tuple[bytes, bytes]:
    """The rows and truths of what happened before an instant, in canonical order."""
    rows, truths = (table[table["occurred_at"] < until] for table in (log.rows, log.truths))
    return rows.tobytes(), truths.tobytes()


@pytest.mark.parametrize("end", ["2025-05-02", "2025-05-31", "2025-06-15", "2025-08-01"])
def test_a_shorter_run_is_the_beginning_of_a_longer_one(end):
    """Whatever the day, mid-month or not: the same rows and the same truths of everybody, to the byte."""
    until = clock.day_number(date.fromisoformat(end)) * clock.DAY
    short, long = log_of(world_of(f"end: {end}", BASE)), log_of(world_of("", BASE))
    assert beginning(short, until) == beginning(long, until)
    assert len(long.rows) > len(short.rows)


@pytest.mark.parametrize("window", ["1 hour", "30 min"])
def test_so_it_is_where_people_share_something(window):
    """What desks settle in the last window is told in both; whoever still waits is told of in the longer one only."""
    base = laid_over(BUSY, CROWDED, BUSY_GATEWAYS, f"members: 40\nwindow: {window}")
    short, long = (log_of(world_of(f"end: {end}", base)) for end in ("2025-05-02", "2025-06-01"))
    until = int(short.world.record.end[0])
    assert beginning(short, until) == beginning(long, until)
    assert np.isin(short.rows["kind"], (events.CONTACT_ANSWERED, events.CONTACT_ABANDONED)).any()


def test_decisions_stop_at_the_end_and_only_answers_may_come_later():
    """What is stamped after the last instant was decided before it: a gateway's answer and what follows at once."""
    log = log_of(world_of("end: 2025-05-02", BASE))
    late = log.rows[log.rows["occurred_at"] >= log.world.record.end[0]]
    assert np.all(late["occurred_at"] < log.world.record.end[0] + clock.MINUTE)


@pytest.mark.parametrize("base", [QUIET, BUSY])
def test_nobody_enters_the_log_before_the_start(base):
    """The weeks in which the base finds its steady state leave no rows; members are imported at the first instant."""
    log = log_of(world_of("", base))
    start = log.world.record.start[0]
    assert log.rows["occurred_at"].min() == start
    assert log.truths["occurred_at"].min() == start
    assert set(log.rows["occurred_at"][log.rows["kind"] == events.SUBSCRIPTION_IMPORTED]) == {start}


def test_a_service_of_many_markets_holds_it_too():
    """Streaming, to December and to the end of the year: yearly plans, 29 calendars, everything in its timeline."""
    base = (SCENARIOS / "streaming.yaml").read_text()
    short, long = (log_of(world_of(f"end: {end}\nmembers: 500", base)) for end in ("2025-12-01", "2026-01-01"))
    until = int(short.world.record.end[0])
    assert beginning(short, until) == beginning(long, until)
