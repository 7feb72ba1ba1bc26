"""Second chances: lives go on untouched, own rules end as the life did, no policy beats the oracle at its game."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from billing_sim import declines, events
from billing_sim.clock import DAY
from billing_sim.drivers import batch, forks
from billing_sim.drivers.coupled import tape_of
from billing_sim.drivers.forks import ENDINGS
from billing_sim.drivers.meeting import others_of
from billing_sim.drivers.shards import people_of_shard
from billing_sim.drivers.stage import Play, Spans, Stage
from billing_sim.dunning_ranking.playing import Played, play, table_of
from billing_sim.dunning_ranking.policies import presets
from billing_sim.facts.folding import Folder
from billing_sim.facts.schema import RECOVERIES
from billing_sim.identity import vocabularies_of
from billing_sim.scenario.dunning import DunningPolicy
from billing_sim.trace.life import relive
from billing_sim.trace.oracle import chances_of
from billing_sim.truth.worlds import lengthened
from billing_sim.world.announce import announcements
from billing_sim.world.compile import CompiledWorld
from tests.world_builder import Log, log_of, world_of
from tests.world_texts import BUSY, QUIET

MANY = "members: 3000"
RATES = """
members: 3000
timeline:
  - {kind: exchange_rate, at: 2025-01-16, currency: GBP, rate: 1.5}
  - {kind: exchange_rate, at: 2025-03-20, currency: GBP, rate: 1.9}
"""
DEAF = """
members: 2500
issuer_memory: {declines: 2, window: 3 days}
markets:
  US: {behaviour: {attention: 0%, attention_on_hold: 0%, backup_method: 0%}}
  GB: {behaviour: {attention: 0%, attention_on_hold: 0%, backup_method: 0%}}
  IN: {behaviour: {attention: 0%, attention_on_hold: 0%, backup_method: 0%}}
  BR: {behaviour: {attention: 0%, attention_on_hold: 0%, backup_method: 0%}}
"""
"""Nobody answers and nobody has a second method, so that only retries collect; issuers remember long."""


@cache
def played(text: str) -> Played:
    """Every failed invoice of a busy world under every preset."""
    return play(world_of(text, BUSY).scenario, presets(), 30, 1, lambda done, total: None)


@cache
def whole(text: str) -> tuple[CompiledWorld, Log]:
    """The same world until everything is settled, and all that happens in it."""
    world = lengthened(world_of(text, BUSY).scenario, 150)
    return world, log_of(world)


@dataclass(frozen=True)
class Fact:
    """How an invoice ended in the life itself."""

    paid_at: int
    recovered_by: str
    status: str
    attempts: int
    notices: int
    micros: int


@cache
def facts(text: str) -> dict[tuple[int, int], Fact]:
    """The log's own invoices, folded as in any run."""
    world, log = whole(text)
    folder = Folder(announcements(world), vocabularies_of(world))
    found = {}
    for who, rows in log.lives():
        for it in folder.fold(np.ascontiguousarray(rows))["invoices"]:
            tries = int(it["mit_attempts"]) - (0 if it["is_signup"] else 1)
            found[who, int(it["invoice"])] = Fact(
                int(it["paid_at"]), RECOVERIES[it["recovered_by"]], str(it["status"]), tries, int(it["notices"]),
                int(it["amount_micros"]),
            )  # fmt: skip
    return found


@pytest.mark.parametrize("shard", [0, 41])
def test_lives_go_on_as_if_nothing_had_been_tried(shard):
    """Rows and truths are those of the batch driver in the scenario's own world, to the byte."""
    world = world_of(MANY, BUSY)
    longer = lengthened(world.scenario, 120)
    spans = Spans(int(world.record.end[0]), 100 * DAY, 30 * DAY)
    tape = tape_of(longer)
    beside = others_of(longer, tape)
    told = Play(longer, table_of(longer, presets()), len(presets()), spans, tape, beside, beside)
    found = Stage(told).lives(shard)
    ours = [(it.block.rows.copy(), it.block.truths.copy(), it.block.people, len(it.failures)) for it in found]
    theirs = [(it.rows.copy(), it.truths.copy(), it.people) for it in batch.lives(world, shard)]
    assert sum(it[3] for it in ours) > 10
    for place in (0, 1):
        one, other = (np.concatenate([it[place] for it in blocks]) for blocks in (ours, theirs))
        assert one.tobytes() == other.tobytes()
    assert sum(it[2] for it in ours) == sum(it[2] for it in theirs)


def test_every_first_failure_of_the_log_is_played_once():
    """Whoever's dunning begins before the end, and nobody else."""
    rows = log_of(world_of(MANY, BUSY)).rows
    begun = rows[rows["kind"] == events.DUNNING_STARTED]
    told = sorted(zip(begun["subscriber"].tolist(), begun["invoice"].tolist(), strict=True))
    failures = played(MANY).failures
    assert len(told) > 1000
    assert sorted(zip(failures["subscriber"].tolist(), failures["invoice"].tolist(), strict=True)) == told


def test_the_own_rules_end_every_invoice_as_the_life_did():
    """Paid at the same moment by the same means, after as many attempts and notices; void or given up alike."""
    it = played(MANY)
    ways: dict[str, int] = {}
    for failure, outcome in zip(it.failures, it.outcomes[:, 0], strict=True):
        fact = facts(MANY)[int(failure["subscriber"]), int(failure["invoice"])]
        ended_by = ENDINGS[outcome["ended_by"]]
        ways[ended_by] = ways.get(ended_by, 0) + 1
        if outcome["collected_at"]:
            assert (fact.paid_at, fact.recovered_by) == (int(outcome["collected_at"]), ended_by)
        else:
            assert fact.recovered_by == "none"
            assert ended_by in ("given_up", "canceled", "left")
        if failure["issued_at"]:
            assert (fact.attempts, fact.notices) == (int(outcome["attempts"]), int(outcome["notices"]))
    assert set(ways) == {*ENDINGS} - {"undecided"}, "every way to end happens in this world"


def test_the_own_rules_lose_whom_the_life_lost():
    """Whom the sealed truth judges lost for this invoice, willing and able: they in the fork, and nobody else."""
    it = played(MANY)
    truths = whole(MANY)[1].truths
    judged = truths[(truths["kind"] == events.LOSS_JUDGED) & (truths["intent"] == events.STAY) & (truths["able"] == 1)]
    lost = {(int(t["subscriber"]), int(t["invoice"])) for t in judged}
    wronged = it.failures[it.outcomes[:, 0]["is_wrongful"] == 1]
    ours = {(int(f["subscriber"]), int(f["invoice"])) for f in wronged}
    everybody = {(int(f["subscriber"]), int(f["invoice"])) for f in it.failures}
    assert len(ours) > 50
    assert ours == lost & everybody


def test_money_is_worth_what_it_was_at_issue():
    """In millionths of the reporting currency, as the facts have it, also when a rate changes within the run."""
    it = played(RATES)
    told = [facts(RATES)[int(f["subscriber"]), int(f["invoice"])].micros for f in it.failures]
    assert it.micros.tolist() == told
    pounds = it.failures[it.failures["currency"] == 1]
    assert (pounds["issued_at"] > 1742428800 * 10**6).any(), "some of them after the last change"
    assert (pounds["issued_at"] == 0).any(), "some of them of before the start, returned after the first change"


def test_nothing_stays_undecided():
    """However long a policy is, its forks are followed until the money is there for good or never will be."""
    assert (played(MANY).outcomes["ended_by"] != forks.UNDECIDED).all()


DEBITS = """
members: 400
end: 2025-05-01
return_lag: 8 days
markets: {US: {behaviour: {method_mix: {direct_debit: 100%}, first_attempt_failure: {direct_debit: 60%}}}}
"""


def test_what_comes_back_after_the_end_of_dunning_is_waited_for():
    """Debits tried on the last day of the longest policy come back up to eight days later, and are given up then."""
    told = {"retries": ["10 days"], "notices": [], "grace": "10 days", "end": "10 days"}
    last_day = DunningPolicy.model_validate(told)
    it = play(world_of(DEBITS, QUIET).scenario, {"last_day": last_day}, 30, 1, lambda done, total: None)
    ended = np.bincount(it.outcomes["ended_by"][:, 1], minlength=len(ENDINGS))
    assert ended[forks.UNDECIDED] == 0
    assert ended[forks.GIVEN_UP] > 50
    assert ended[forks.BY_RETRY] > 50


def test_the_order_of_asking_changes_nothing():
    """Each policy is itself in every place of the table, whatever stood there in the scenario."""
    asked = dict(reversed(presets().items()))
    other = play(world_of(MANY, BUSY).scenario, asked, 30, 1, lambda done, total: None)
    assert other.outcomes[:, 1:].tobytes() == played(MANY).outcomes[:, :0:-1].tobytes()


def test_the_oracle_is_that_of_the_trace():
    """The first good hour of the dunning window, asked person by person."""
    world = lengthened(world_of(DEAF, BUSY).scenario, 100)
    oracle = {(int(f["subscriber"]), int(f["invoice"])): f for f in played(DEAF).failures}
    asked = found = 0
    everybody = [person for shard in range(4) for person in zip(*people_of_shard(world, shard), strict=True)]
    for number, market in everybody:
        for invoice, state in relive(world, int(market), int(number)).failures.items():
            if (failure := oracle.get((int(number), invoice))) is None:
                continue
            first = int(failure["first_failed_at"])
            window = int(world.record.dunning_end[0, state["policy"][0]])
            chances = chances_of(world, invoice, state)
            good = chances.moments[chances.causes == declines.NO_CAUSE]
            told = int(failure["oracle_at"])
            within = told if told and told < first + window else 0
            assert within == (int(good[0]) if len(good) and good[0] < first + 30 * DAY else 0)
            asked, found = asked + 1, found + (within > 0)
    assert asked > 40
    assert 0 < found < asked


FICKLE = "members: 2500\nmarket_defaults: {behaviour: {backup_method: 100%, voluntary_churn: 60% per month}}"


def test_the_oracle_does_not_depend_on_what_is_ranked():
    """Also where a policy is paid by the backup at once: who leaves later than that is not asked any more."""
    scenario = world_of(FICKLE, BUSY).scenario
    first = ("netflix_like", "generic")
    asked = [play(scenario, {name: presets()[name]}, 30, 1, lambda done, total: None) for name in first]
    assert {presets()[name].use_backup for name in first} == {True, False}
    assert asked[0].failures.tobytes() == asked[1].failures.tobytes()
    assert (asked[0].outcomes["ended_by"][:, 1] == forks.BY_BACKUP).sum() > 50


def test_no_policy_beats_the_oracle_on_retries_alone():
    """Where nobody answers, whatever retries collect within the horizon could have been collected by one retry.

    A few members had new card details in hand when the old card failed, and enter them unasked. Who cancels while a
    debit that will come back still counts as paid owes the invoice; to the oracle, that person has left.
    """
    it = played(DEAF)
    waited = it.outcomes["collected_at"] - it.failures["first_failed_at"][:, None]
    tried = np.isin(it.outcomes["ended_by"], (forks.BY_RETRY, forks.BY_UPDATER))
    in_time = tried & (waited < 30 * DAY)
    has_chance = it.failures["oracle_at"] > 0
    assert in_time.sum(0).min() > 100
    at_once = it.failures["method_kind"] != events.DIRECT_DEBIT
    assert has_chance[at_once & in_time.any(1)].all()
    assert has_chance[in_time.any(1)].mean() > 0.99
    assert has_chance.sum() > in_time.sum(0).max()
    assert tried[:, 0].sum() > 0.9 * (it.outcomes[:, 0]["collected_at"] > 0).sum()


def test_workers_change_nothing():
    """Two workers give what one gives, in the same order."""
    scenario = world_of("members: 400", BUSY).scenario
    some = dict([*presets().items()][:3])
    one, two = (play(scenario, some, 30, workers, lambda done, total: None) for workers in (1, 2))
    assert one.failures.tobytes() == two.failures.tobytes()
    assert one.outcomes.tobytes() == two.outcomes.tobytes()


def test_progress_ends_with_everybody():
    """Whoever watches sees it reach the end."""
    told: list[tuple[int, int]] = []
    play(world_of("members: 64").scenario, {}, 30, 1, lambda done, total: told.append((done, total)))
    assert told[-1] == (64, 64)


SMALL = """
members: 12
end: 2025-02-20
timeline: [{kind: gateway_outage, at: 2025-02-01, gateway: northpay, duration: 12 days, failing: 100%}]
"""
_DIGEST = "from tests.test_dunning_ranking import small_digest; print(small_digest())"


def small_digest() -> str:
    """What a dozen people's failures come to."""
    some = {name: policy for name, policy in presets().items() if name in ("yuno", "direct_debit")}
    it = play(world_of(SMALL, QUIET).scenario, some, 3, 1, lambda done, total: None)
    assert len(it.failures) >= 3
    return hashlib.sha256(it.failures.tobytes() + it.outcomes.tobytes()).hexdigest()


def test_plain_python_plays_the_same():
    """The same rules, not compiled, in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-c", _DIGEST], capture_output=True, text=True, check=False, timeout=120,
        cwd=Path(__file__).parent.parent, env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == small_digest()
