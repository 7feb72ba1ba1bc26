"""Facts as of a moment: what had been recorded by then, and nothing else."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from billing_sim import clock, crew, recorded
from billing_sim.errors import QueryError, RunError
from billing_sim.facts.schema import FACTS
from billing_sim.metrics.source import Source
from billing_sim.recorded import KEPT, facts_as_of, fold_again
from billing_sim.runs.left_out import whole
from billing_sim.runs.stored import StoredRun
from billing_sim.runs.tables import FACT_NAMES
from billing_sim.simulate import simulate
from tests.conftest import SCENARIOS

FIRST_MONTH = SCENARIOS / "first_month.yaml"
SLOW = "recording_delay: {p50: 6 hours, p99: 2 days, max: 4 days}\n"


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """A cache of our own, so that nothing is there before and nothing is left."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorded, "_cache", lambda: folder)
        yield folder


@pytest.fixture(scope="module")
def slow(tmp_path_factory) -> StoredRun:
    """A month and a half in which news travels slowly, and no log is kept."""
    return made(tmp_path_factory.mktemp("slow"), "end: 2025-02-14\n" + SLOW)


MONEY_BACK = """
refunds: {complaints: 20%, delay: {p50: 2 days, p99: 9 days, most: 10 days}}
disputes: {friendly_fraud: 30%, delay: {least: 1 day, p50: 4 days, p99: 14 days, most: 15 days}}
"""
"""So that every fact has rows within a month."""


def made(folder: Path, text: str) -> StoredRun:
    """A run of the first month with 300 members and something changed."""
    shutil.copy(FIRST_MONTH, folder)
    scenario = folder / "changed.yaml"
    scenario.write_text(f"extends: {FIRST_MONTH.name}\nname: changed\nmembers: 300\n{MONEY_BACK}{text}")
    return simulate(scenario, out=folder / "run", log="none").run


def table(source: Source, name: str) -> pa.Table:
    """A whole fact."""
    return pa.concat_tables(whole(pq.read_table(file)) for file in source.facts_files(name)).unify_dictionaries()


def rows(source: Source, name: str) -> list[dict]:
    """A whole fact as dictionaries."""
    return table(source, name).to_pylist()


ELSEWHERE = {"enrolments", "touches", "refunds", "disputes", "contacts", "surveys", "offers"}
"""Facts that this scenario has no rows of."""


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_after_everything_was_recorded_it_is_the_run_itself(tiny_run, tmp_path):
    """Every fact, every column, every row: folding anew what had been recorded long after the end."""
    run = tiny_run.stored
    fold_again(run, clock.micros(instant("2030-01-01")), run.world_events(), tmp_path, lambda _: None)
    again = recorded.RecordedFacts(tmp_path, datetime(2030, 1, 1), run.content.content_digest, [])
    for name in FACT_NAMES:
        assert len(again.facts_files(name)) == len(run.facts_files(name))
        assert table(again, name).equals(table(run, name)), name
        assert table(again, name).num_rows > 0 or name in ELSEWHERE


@pytest.mark.parametrize("end", ["2025-01-31", "2025-02-01"])
def test_it_is_what_a_run_that_ends_then_knows(slow, tmp_path, end):
    """The past does not depend on the horizon: both runs, read as of the day on which the shorter one ends."""
    shorter = made(tmp_path, f"end: {end}\n" + SLOW)
    long, short = facts_as_of(slow, instant(end)), facts_as_of(shorter, instant(end))
    for name in FACT_NAMES:
        assert table(long, name).equals(table(short, name)), name
        assert table(long, name).num_rows > 0 or name in ELSEWHERE


def test_where_nothing_is_late_it_is_the_run_that_ends_then(tmp_path_factory):
    """Without delays all is known at once: the facts are those that the shorter run wrote, but for answers after it."""
    at_once = "recording_delay: {p50: 0 seconds, p99: 0 seconds, max: 0 seconds}\n"
    long = made(tmp_path_factory.mktemp("long"), at_once + "end: 2025-03-01\n")
    short = made(tmp_path_factory.mktemp("short"), at_once + "end: 2025-02-11\n")
    early = facts_as_of(long, instant("2025-02-11"))
    for name in FACT_NAMES:
        assert rows(early, name) == rows(short, name)


def test_nothing_is_there_that_was_recorded_later(slow):
    """An attempt that had been made but was recorded a day later is missing; so is an invoice."""
    moment = instant("2025-01-20")
    early, late = facts_as_of(slow, moment), slow
    made_by_then = [row for row in rows(late, "attempts") if row["occurred_at"] < moment]
    known_by_then = [row for row in made_by_then if row["recorded_at"] < moment]
    assert 0 < len(known_by_then) < len(made_by_then)
    key = ("subscriber", "invoice", "attempt", "recorded_at")
    known = rows(early, "attempts")
    assert [[row[k] for k in key] for row in known] == [[row[k] for k in key] for row in known_by_then]
    for fact in FACTS:
        for column in fact.columns:
            if column.name.endswith("recorded_at"):
                assert all(row[column.name] is None or row[column.name] < moment for row in rows(early, fact.name))


def test_outcomes_are_those_of_the_day(slow):
    """An invoice that is paid today but was not known to be then is open."""
    moment = instant("2025-01-20")
    now = {(row["subscriber"], row["invoice"]): row for row in rows(slow, "invoices")}
    then = rows(facts_as_of(slow, moment), "invoices")
    differing = [row for row in then if row["status"] != now[row["subscriber"], row["invoice"]]["status"]]
    assert {row["status"] for row in differing} == {"open"}
    assert all(row["paid_at"] is None for row in differing)


def test_months_run_on_to_the_moment_and_no_further(slow):
    """The last month ends then: nobody has been a member for longer."""
    months = rows(facts_as_of(slow, instant("2025-01-20 12:00")), "subscription_months")
    assert {row["month"].isoformat() for row in months} == {"2025-01-01"}
    assert max(row["member_seconds"] for row in months) == int(19.5 * 86_400)


def test_at_the_end_of_the_run_what_is_recorded_later_is_still_missing(slow):
    """The run's own facts know more than anybody knew on its last day."""
    at_the_end = facts_as_of(slow, instant("2025-02-14"))
    assert 0 < table(at_the_end, "attempts").num_rows < table(slow, "attempts").num_rows


def test_the_world_is_known_up_to_the_moment(slow):
    """What the run is does not change; what had not occurred is not told."""
    early = facts_as_of(slow, instant("2025-01-20"))
    assert early.world_events()[0] == slow.world_events()[0]
    assert all(event["occurred_at"] < clock.micros(instant("2025-01-20")) for event in early.world_events())
    assert early.as_of == datetime(2025, 1, 20)


def test_asking_again_simulates_nothing(slow, monkeypatch):
    """The second answer comes from the cache, however the moment is written; damage to it is noticed."""
    first = facts_as_of(slow, instant("2025-01-25"))
    with monkeypatch.context() as patch:
        patch.setattr(recorded, "fold_again", lambda *_: pytest.fail("folded again"))
        assert facts_as_of(slow, datetime(2025, 1, 25)) == first
        first.facts_files("attempts")[0].write_bytes(b"PAR1")
        with pytest.raises(pytest.fail.Exception):
            facts_as_of(slow, datetime(2025, 1, 25))
    assert table(facts_as_of(slow, datetime(2025, 1, 25)), "attempts").num_rows > 0


def test_the_cache_keeps_the_last_few_moments(slow, cache):
    """The one not asked for longest goes; nothing unfinished is left."""
    start = instant("2025-01-10")
    asked = [facts_as_of(slow, start + timedelta(days=day)).path for day in (0, 1, 2, 3, 0, 4)]
    assert set(cache.iterdir()) == {asked[0], *asked[2:4], asked[5]}
    assert len(list(cache.iterdir())) == KEPT


def test_progress_is_told_and_a_failure_leaves_nothing(slow, cache, monkeypatch):
    """An interruption removes what was being written; asking again gives the facts."""
    before = set(cache.iterdir())
    monkeypatch.setattr(crew, "_REPORT_SECONDS", 0.001)

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        facts_as_of(slow, instant("2025-01-29"), progress=stop)
    assert set(cache.iterdir()) == before


@pytest.mark.parametrize("moment", ["2025-01-01", "2024-06-01", "2025-02-14 00:00:01"])
def test_a_moment_outside_the_run_is_refused(slow, moment):
    """With the span that can be asked about."""
    with pytest.raises(QueryError, match="Choose a moment after 2025-01-01 and until 2025-02-14"):
        facts_as_of(slow, instant(moment))


@pytest.mark.parametrize("digest", ["rules_digest", "world_digest"])
def test_a_run_of_other_rules_cannot_be_lived_again(slow, digest):
    """It says what to do."""
    identity = replace(slow.manifest.identity, **{digest: "0" * 64})
    foreign = replace(slow, manifest=replace(slow.manifest, identity=identity))
    with pytest.raises(RunError, match="Run the scenario again"):
        facts_as_of(foreign, instant("2025-01-20"))


def test_a_cache_that_cannot_be_written_is_refused(slow, tmp_path, monkeypatch):
    """In one sentence, with a way out."""
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(recorded, "_cache", lambda: tmp_path / "file")
    with pytest.raises(RunError, match="BILLING_SIM_CACHE"):
        facts_as_of(slow, instant("2025-01-20"))
