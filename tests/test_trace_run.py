"""A stored run can be asked about anybody in it, and says plainly who is not."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from billing_sim import events, people
from billing_sim.clock import HOUR
from billing_sim.drivers.shards import people_of_shard
from billing_sim.errors import QueryError, RunError
from billing_sim.identity import world_of
from billing_sim.runs import tables
from billing_sim.runs.columns import record_batch
from billing_sim.simulate import simulate
from billing_sim.trace import find, tell
from billing_sim.trace.life import relive
from billing_sim.trace.whereabouts import market_of
from tests.trace_rows import SCENARIOS, switched_scenario


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """A year of a service in many countries."""
    folder = tmp_path_factory.mktemp("year") / "run"
    return simulate(SCENARIOS / "streaming.yaml", members=1200, seed=5, out=folder, log="all", workers=1).run


@pytest.fixture(scope="module")
def months(tmp_path_factory):
    """Two months of 300 members in one country, whose log was not kept."""
    folder = tmp_path_factory.mktemp("months") / "run"
    return simulate(SCENARIOS / "first_month.yaml", members=300, out=folder, log="none", workers=1).run


@pytest.fixture(scope="module")
def switched(tmp_path_factory):
    """Two months in which the account updater works only from the second week on, and every decline is retried."""
    folder = tmp_path_factory.mktemp("switched")
    scenario = folder / "switched.yaml"
    scenario.write_text(switched_scenario())
    return simulate(scenario, members=3000, out=folder / "run", log="none", workers=1).run


@pytest.fixture(scope="module")
def log(year) -> pa.Table:
    return pa.concat_tables([pq.read_table(file) for file in year.events_files])


def test_lives_lived_again_are_the_log_and_the_truth_row_for_row(year):
    world = world_of(year)
    who = [pair for shard in range(4) for pair in zip(*people_of_shard(world, shard), strict=True)]
    lives = [relive(world, int(market), int(number)) for number, market in who]
    told = {tables.EVENTS: year.events_files, tables.TRUTH: year.truth_files}
    again = {tables.EVENTS: [life.rows for life in lives], tables.TRUTH: [life.truths for life in lives]}
    for table, rows in again.items():
        batch = record_batch(np.concatenate(rows), tables.layouts()[table], year.vocabularies)
        assert batch.to_pylist() == pq.read_table(told[table][0]).slice(0, len(batch)).to_pylist()


def test_everybody_of_a_shard_has_a_story_with_and_without_the_truth(year):
    world = world_of(year)
    for number in people_of_shard(world, 0)[0].tolist():
        plain, true = tell(year, number), tell(year, number, truth=True)
        public = [entry.text for entry in plain.entries if entry.count == 1 and "without trouble" not in entry.text]
        assert [text for text in public if text not in {entry.text for entry in true.entries}] == []
        assert not any(entry.is_sealed for entry in plain.entries)
        assert plain.summary == true.summary


def test_a_story_needs_no_log(months):
    story = tell(months, people.parse("US-17"))
    assert story.lines()[0] == (
        "US-17, United States, times of America/New_York. Run first_month, seed 1, 2025-01-01 to 2025-03-01."
    )
    assert "Already a member when the run began" in story.render()
    assert story.render(named=True).splitlines()[1].startswith(f"Called here {story.person.name} <")


def test_whoever_left_before_and_stayed_away_has_a_story_of_one_sentence(months):
    world = world_of(months)
    former = (people.subscriber_number("US", people.FORMER, i) for i in range(20))
    away = next(number for number in former if not len(relive(world, 0, number).rows))
    name = people.describe(away)
    assert tell(months, away, truth=True).lines()[-1] == (
        f"{name} had left before the run began and did not come back within it."
    )


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("US-300", "There is no US-300 in this run: market US has 300 members at the start, US-0 to US-299."),
        ("UK-3", "There is no market UK in this run; its markets are US. Try US-0."),
        (
            "US-2026-01-01T00-0",
            "There is no US-2026-01-01T00-0 in this run: that hour is not part of it. Try US-2025-02-",
        ),
    ],
)
def test_whoever_is_not_there_is_refused_with_somebody_who_is(months, name, answer):
    with pytest.raises(QueryError) as refused:
        tell(months, people.parse(name))
    assert str(refused.value).startswith(answer)


def test_a_former_member_too_many_is_refused_with_those_there_are(months):
    world = world_of(months)
    count = int(world.record["former_count"][0, 0])
    with pytest.raises(QueryError) as refused:
        tell(months, people.subscriber_number("US", people.FORMER, count))
    assert str(refused.value) == (
        f"There is no US-former-{count} in this run: market US has {count} people who had left before the start, "
        f"US-former-0 to US-former-{count - 1}."
    )


def test_an_arrival_too_many_is_refused_and_the_suggested_one_exists(months):
    world = world_of(months)
    hour = int(np.flatnonzero(world.arrivals[0])[0])
    first = int(world.record["start"][0]) // HOUR
    number = people.subscriber_number("US", people.ARRIVAL, (first + hour) << people.ARRIVAL_SHIFT)
    assert market_of(world, number) == 0
    with pytest.raises(QueryError) as refused:
        tell(months, number + int(world.arrivals[0][hour]))
    assert str(refused.value).endswith(f"signed up. Try {people.describe(number)}.")


def test_numbers_that_nobody_can_have_are_refused(months):
    for number in (-1, 0, people.subscriber_number("US", 3, 0)):
        with pytest.raises(QueryError):
            tell(months, number)


@pytest.mark.parametrize("digest", ["rules_digest", "world_digest"])
def test_a_run_of_another_version_is_refused(months, digest):
    identity = replace(months.manifest.identity, **{digest: "0" * 64})
    foreign = replace(months, manifest=replace(months.manifest, identity=identity))
    with pytest.raises(RunError, match="made by another version of billing_sim"):
        tell(foreign, people.parse("US-0"))


HAPPENED = {
    "came-back": ("subscription.created", "returning"),
    "lost-involuntarily": ("subscription.canceled", "nonpayment"),
    "cancelled": ("subscription.canceled", "voluntary"),
    "cancelled-in-trouble": ("subscription.canceled", "payment_trouble"),
    "on-hold": ("subscription.put_on_hold", None),
    "abandoned-signup": ("signup.abandoned", "gave_up"),
    "returned-debit": ("payment.returned", None),
    "unknown-outcome": ("payment_attempt.outcome_unknown", None),
}


@pytest.mark.parametrize("what", HAPPENED)
def test_the_first_one_found_is_the_lowest_number_in_the_log(year, log, what):
    kind, reason = HAPPENED[what]
    rows = [row for row in log.select(["subscriber", "kind", "reason"]).to_pylist() if row["kind"] == kind]
    there = [row["subscriber"] for row in rows if reason is None or row["reason"] == reason]
    assert find(year, what) == min(there)


@pytest.mark.parametrize("what", ["recovered", "self-fixed", "backup-saved", "long-dunning"])
def test_whoever_is_found_lived_through_it(year, what):
    story = tell(year, find(year, what))
    assert story.ending is not None
    if what == "long-dunning":
        assert story.ending.failed
    else:
        assert story.ending.recovered
    assert ("the backup " in story.render(400)) >= (what == "backup-saved")


def test_whoever_the_updater_saved_had_failed_before(switched):
    story = tell(switched, find(switched, "updater-saved"))
    kinds = [entry.kind for entry in story.entries]
    texts = [entry.text for entry in story.entries]
    updated = next(i for i, text in enumerate(texts) if text.startswith("The account updater brought"))
    assert kinds.index("dunning.started") < updated
    assert kinds[updated + 1 : updated + 3] == ["payment_attempt.authorized", "payment.captured"]


def test_what_happened_to_nobody_is_said_in_one_sentence(months):
    with pytest.raises(QueryError) as nobody:
        find(months, "returned-debit")
    assert str(nobody.value) == ("In this run there is nobody for returned-debit (a captured direct debit came back).")


def test_a_name_that_is_none_gets_a_suggestion_and_the_list(months):
    with pytest.raises(QueryError) as unknown:
        find(months, "on_hold")
    assert str(unknown.value).startswith(
        "There is nothing called 'on_hold' to find. Did you mean on-hold? There are recovered, lost-involuntarily, "
    )


def test_every_kind_of_event_of_a_year_can_be_told(log):
    from billing_sim.trace.sentences import SENTENCES

    assert {events.KIND_NAMES[number] for number in SENTENCES} >= set(log["kind"].unique().to_pylist())


def test_a_story_goes_to_another_process(tiny_run):
    """And reads the same there, with the truth and without."""
    for truth in (False, True):
        story = tiny_run.trace("US-4", truth=truth)
        assert pickle.loads(pickle.dumps(story)).render() == story.render()
