"""Drivers agree: whoever rings the alarms, in whatever order and however many at once, the log is the same."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import zip_longest

import numpy as np
import pytest

from billing_sim import people
from billing_sim.drivers import batch, by_tape, simpy_driver
from billing_sim.drivers.coupled import everybody, record_tape
from billing_sim.drivers.kernel import begin_life, ring_once, run_lives
from billing_sim.drivers.sample import sampled
from billing_sim.drivers.shards import people_of_shard
from billing_sim.errors import BillingSimError
from billing_sim.lifecycle.ring import MOST_ROWS
from billing_sim.lifecycle.state import PAGE_ROWS, new_page, new_states
from billing_sim.rule import records
from billing_sim.runs.digest import combine
from billing_sim.simulate import simulate
from billing_sim.world.announce import announcements
from tests.plain_python import FEW, answers
from tests.random_worlds import compiled, content_of
from tests.world_builder import digests, happened, log_of, world_of, world_of_file
from tests.world_texts import BUSY, QUIET

WORLDS = {
    "first_month": lambda seed: world_of_file("first_month.yaml", 1500, seed),
    "streaming": lambda seed: world_of_file("streaming.yaml", 900, seed),
    "busy": lambda seed: world_of("", BUSY, 1500, seed),
    "busy, halved windows": lambda seed: world_of("window: 30 min", BUSY, 500, seed),
    "quiet": lambda seed: world_of("", QUIET, 100, seed),
}


@pytest.mark.parametrize("seed", [1, 4242424242])
@pytest.mark.parametrize("name", WORLDS)
def test_both_drivers_tell_the_same_story(name, seed):
    """Rows and sealed truths, event for event, in every scenario and for every seed."""
    world = WORLDS[name](seed)
    assert digests(world, "batch") == digests(world, "simpy")


def test_another_seed_is_another_story():
    """Digests are not equal by accident: seeds tell worlds apart."""
    assert len({digests(WORLDS["busy"](seed)) for seed in (1, 2, 4242424242)}) == 3


@pytest.mark.parametrize(
    ("driver", "workers"), [("batch", 1), ("batch", 2), ("batch", 3), ("batch", 7), ("simpy", 2), ("simpy", 7)]
)
def test_workers_and_drivers_leave_no_trace_in_a_run(tmp_path, driver, workers):
    """The manifest's content has the digests of the rows, whoever made them; identity does not know."""
    (tmp_path / "busy.yaml").write_text(BUSY)
    run = simulate(tmp_path / "busy.yaml", out=tmp_path / "run", log="none", driver=driver, workers=workers).run
    world = world_of("name: busy", BUSY)
    rows, truths = shard_digests(world)
    assert run.content.content_digest == combine(rows, json.dumps(announcements(world), sort_keys=True))
    assert run.content.truth_digest == combine(truths)
    assert run.manifest.identity.world_digest == world.digest
    assert run.content.events == len(happened("name: busy", BUSY).rows)


def shard_digests(world) -> tuple[list[str], list[str]]:
    """The digests of every shard's rows and truths."""
    from billing_sim.runs.digest import ShardDigest

    found: tuple[list[str], list[str]] = ([], [])
    for shard in range(people.SHARDS):
        digest, sealed = ShardDigest(), ShardDigest()
        for block in batch.lives(world, shard):
            digest.update(block.rows)
            sealed.update(block.truths)
        found[0].append(digest.hexdigest())
        found[1].append(sealed.hexdigest())
    return found


def test_plain_python_tells_the_same_story():
    """The same rules, not compiled, with NumPy complaining about overflow: the same digests."""
    world = world_of(FEW, BUSY)
    assert answers()["digests"] == {"batch": [*digests(world)], "simpy": [*digests(world)]}


def test_no_rule_reads_beyond_a_table():
    """Rung as plain Python against tables that refuse a wrong index: compiled code would read whatever lies there."""
    assert answers()["alarms"] > 1000


def test_blocks_hold_whole_lives_in_canonical_order():
    """Ascending subscribers, gapless sequences, truths of the same people; every person is counted once."""
    world = world_of("", BUSY)
    for lives in (batch.lives, simpy_driver.lives):
        for shard in range(0, people.SHARDS, 7):
            last, everybody = -1, 0
            for block in lives(world, shard):
                who, sequence = block.rows["subscriber"], block.rows["sequence"]
                assert who[0] > last
                assert (np.diff(who) >= 0).all()
                starts = np.flatnonzero(np.diff(who, prepend=-1))
                assert (sequence == np.arange(len(who)) - np.repeat(starts, np.diff([*starts, len(who)]))).all()
                assert set(block.truths["subscriber"]) <= set(who)
                assert len(block.rows) <= PAGE_ROWS
                last, everybody = int(who[-1]), everybody + block.people
            assert everybody == len(people_of_shard(world, shard)[0])


def test_a_life_does_not_know_who_lived_before_it():
    """Each life alone, in a fresh record on a fresh page, leaves the rows that it leaves among the others."""
    world = world_of("", BUSY)
    together = happened("", BUSY)
    record = records(world.record)
    for shard in range(0, people.SHARDS, 8):
        for number, market in zip(*people_of_shard(world, shard), strict=True):
            page, filled = new_page(), np.zeros(3, np.int64)
            one = (np.array([number]), np.array([market]))
            assert run_lives(record, *one, 0, records(new_states(2)), records(page), filled) == 1
            assert page["rows"][0, : filled[0]].tobytes() == together.of(int(number)).tobytes()
            assert page["truths"][0, : filled[1]].tobytes() == together.truth_of(int(number)).tobytes()


def test_no_alarm_writes_more_than_the_kernel_leaves_room_for():
    """Rung one at a time, the busiest alarm of a busy world stays far below `MOST_ROWS`, and time never runs back."""
    world = world_of("", BUSY)
    record, page = records(world.record), records(new_page())
    most, end = 0, int(world.record.end[0])
    for shard in range(0, people.SHARDS, 4):
        numbers, markets = people_of_shard(world, shard)
        states = records(new_states(len(numbers)))
        for i, (number, market) in enumerate(zip(numbers.tolist(), markets.tolist(), strict=True)):
            at = begin_life(record, states, i, market, number)
            while at < end:
                filled = np.zeros(3, np.int64)
                following = ring_once(record, states, i, page, filled)
                most = max(most, int(filled[0]), int(filled[1]))
                assert following >= at
                at = following
    assert 6 <= most <= MOST_ROWS


LONG_LIVES = """
start: 2020-01-01
end: 2029-12-31
members: 2
dunning_policies: {steady: {retries: [], notices: [], grace: 0 days, end: 3650 days}}
latent_causes:
  credit: {restricted: 100%, funds: 0%, suspicion: 0%, lifecycle: 0%, lost_stolen: 0%, technical: 0%}
markets:
  US:
    behaviour: {first_attempt_failure: {credit: 100%}, backup_method: 100%, attention_on_hold: 100%}
"""
"""Ten years on hold, and every day the member tries again in vain, with both cards."""


@pytest.mark.parametrize("driver", ["batch", "simpy"])
def test_a_life_longer_than_a_page_is_refused(driver):
    """In plain words that name the person, instead of an endless loop or half a life."""
    with pytest.raises(BillingSimError, match=r"subscriber \d+ has more events than a page of the log holds"):
        digests(world_of(LONG_LIVES), driver)


def test_a_sample_of_an_eighth_lies_within_that_of_a_quarter():
    """People are chosen by a draw of their own, the same in every world of a seed; whoever is chosen is there whole."""
    log = happened("", BUSY)
    key = int(log.world.record.seed_key[0])
    quarter, eighth = (set(sampled(key, log.rows, one_in)["subscriber"].tolist()) for one_in in (4, 8))
    assert eighth < quarter < set(log.subscribers)
    assert abs(len(quarter) / len(log.subscribers) - 0.25) < 0.05
    kept = sampled(key, log.rows, 4)
    assert kept.tobytes() == log.rows[np.isin(log.rows["subscriber"], list(quarter))].tobytes()
    other = happened("dunning: [{use: generic}]", BUSY)
    chosen = set(sampled(key, other.rows, 4)["subscriber"].tolist())
    assert chosen & set(log.subscribers) == quarter & set(other.subscribers)


def test_kept_samples_change_no_digest(tmp_path):
    """A run that keeps everything, a quarter or nothing has one content digest and the same facts."""
    (tmp_path / "busy.yaml").write_text(BUSY)
    runs = [
        simulate(tmp_path / "busy.yaml", members=150, out=tmp_path / log.replace("/", "-"), log=log, workers=1).run
        for log in ("all", "1/4", "none")
    ]
    assert len({run.content.content_digest for run in runs}) == 1
    facts = [
        [(s["path"], s["sha256"]) for s in run.content.segments if s["path"].startswith(("facts/", "truth/"))]
        for run in runs
    ]
    assert facts[0] == facts[1] == facts[2]
    assert {path.rpartition("/")[0] for path, _ in facts[0]} > {"truth", "facts/invoices", "facts/attempts"}


def test_two_tapes_may_be_played_in_turn():
    """What gateways were like on one of them is not seen by those who live by the other."""
    world = compiled(content_of(("load",)) | {"members": 9_000})
    loud = record_tape(world)
    quiet = replace(loud, places=loud.places[:0], tables=np.ascontiguousarray(loud.tables[:, :0]))
    blocks = {name: by_tape.lives(world, world, *everybody(world), tape) for name, tape in (("a", loud), ("b", quiet))}
    alone = {name: [block.rows.copy() for block in by_tape.lives(world, world, *everybody(world), tape)]
             for name, tape in (("a", loud), ("b", quiet))}  # fmt: skip
    assert min(len(pages) for pages in alone.values()) > 10
    assert np.concatenate(alone["a"]).tobytes() != np.concatenate(alone["b"]).tobytes()
    in_turn: dict[str, list[np.ndarray]] = {"a": [], "b": []}
    for both in zip_longest(*blocks.values()):
        for name, block in zip(blocks, both, strict=True):
            if block is not None:
                in_turn[name].append(block.rows.copy())
    for name, pages in alone.items():
        assert np.concatenate(pages).tobytes() == np.concatenate(in_turn[name]).tobytes()


def test_who_moves_to_another_arm_sees_the_same_crowd():
    """A renewal is moved and charged in one step: the gateway is as full in the arm as it was outside."""
    world = compiled(content_of(("experiments", "load")) | {"members": 500})
    batch_rows, simpy_rows = (log_of(world, driver).rows for driver in ("batch", "simpy"))
    assert len(batch_rows) > 10_000
    assert batch_rows.tobytes() == simpy_rows.tobytes()


def test_worlds_share_one_dtype():
    """Numba compares equal dtypes of two objects field by field in each call, which cost ten times the alarm itself."""
    worlds = [records(world_of("", text, 10).record) for text in (QUIET, BUSY)]
    assert worlds[0].dtype is worlds[1].dtype
    assert not np.shares_memory(*worlds)
