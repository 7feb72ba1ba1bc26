"""Playing every failed invoice out under every policy, shard by shard, on as many workers as there are."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from billing_sim import events
from billing_sim.clock import DAY
from billing_sim.crew import Crew
from billing_sim.drivers import by_tape
from billing_sim.drivers.coupled import everybody, record_tape, tape_of
from billing_sim.drivers.forks import FAILURE, OUTCOME
from billing_sim.drivers.meeting import others_of
from billing_sim.drivers.shards import SHARDS
from billing_sim.drivers.stage import Play, Spans, Stage
from billing_sim.drivers.tape import Tape
from billing_sim.dunning_ranking.policies import Policies
from billing_sim.errors import QueryError
from billing_sim.facts.rates import DENOMINATOR, schedules
from billing_sim.identity import people_in
from billing_sim.scenario.dunning import DunningPolicy, DunningRule
from billing_sim.scenario.interventions import DunningSwitch
from billing_sim.scenario.model import Scenario
from billing_sim.truth.alternatives import with_policy
from billing_sim.truth.worlds import lengthened
from billing_sim.world.announce import announcements
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.names import MARGIN_DAYS, PRE_ROLL_DAYS, Names
from billing_sim.world.policies import fill_policies
from billing_sim.world.record import DAYS

_NOTHING = {"retries": [], "notices": [], "grace": "90 days", "end": "90 days", "use_backup": False}
"""A policy that neither retries nor tells: the oracle looks at people whom it has in hand."""
_IDLE = "(nothing)"
"""What that policy is called; nobody's own can be called so."""
_NAME = "[a-z][a-z0-9_]{0,39}"
"""How a policy may be called in a scenario."""
_MARGIN_DAYS = 3
_CALENDAR_DAYS = DAYS - PRE_ROLL_DAYS - 2 * MARGIN_DAYS
"""Days that the world's tables hold between both margins."""

Report = Callable[[int, int], None]
"""Told people simulated and people in all."""


@dataclass(frozen=True)
class Played:
    """The failed invoices of one seed (`drivers.forks.FAILURE`), what each is worth, and what came of it.

    `micros` are millionths of the reporting currency at the rate in force at issue; `outcomes` has a row per invoice
    (`drivers.forks.OUTCOME`): column 0 is the scenario's own rules, then the policies in their order. Where people
    share something, those meet what the scenario's own people left them; `together` is what comes of the same invoices
    where all of them have the policy from the start on, and `failed` how many invoices fail there, column by column.
    None where nothing is shared.
    """

    seed: int
    failures: np.ndarray
    micros: np.ndarray
    outcomes: np.ndarray
    together: np.ndarray | None = None
    failed: tuple[int, ...] = ()


def play(scenario: Scenario, policies: Policies, horizon_days: int, workers: int, report: Report) -> Played:
    """Simulate a scenario, and play out each invoice that fails in it under its own rules and under each policy."""
    span = _followed(scenario, policies)
    days = _days_more(scenario, max(span, horizon_days * DAY))
    world = lengthened(scenario, days)
    # Before anything is played: there may be no room for a policy.
    crowds = policies.items() if world.is_coupled else ()
    all_have = [with_policy(scenario, *_named(name, policy, scenario)) for name, policy in crowds]
    spans = Spans(Names(scenario).end, span, horizon_days * DAY)
    rounds = 1 + len(policies) * world.is_coupled
    tape = tape_of(world, workers)
    beside = others_of(world, tape)
    alone = Play(world, table_of(world, policies), len(policies), spans, tape, beside, beside)
    failures, outcomes = _Game(alone).run(workers, _part(report, 0, rounds))
    if not world.is_coupled:
        return Played(scenario.seed, failures, worth(world, failures), outcomes)
    together, failed = outcomes.copy(), [len(failures)]
    for i, (policy, others) in enumerate(zip(policies.items(), all_have, strict=True), 1):
        crowd = lengthened(others, days)
        crowded = record_tape(world, crowd, threads=workers)
        told = _after_others(alone, dict([policy]), crowd, crowded)
        together[:, i] = _Game(told).run(workers, _part(report, i, rounds))[1][:, 1]
        failed.append(_failed_in(world, crowd, crowded, spans.until))
    return Played(scenario.seed, failures, worth(world, failures), outcomes, together, tuple(failed))


def _after_others(alone: Play, policies: Policies, crowd: CompiledWorld, tape: Tape) -> Play:
    """The same invoices fail as they did, and go on beside a crowd that has the policy."""
    world, places = alone.own, np.union1d(alone.tape.places, tape.places)
    spans = replace(alone.spans, oracle=0, tries_own_rules=False)
    beside, others = others_of(world, alone.tape, places), others_of(crowd, tape, places)
    return Play(world, table_of(world, policies), len(policies), spans, alone.tape, beside, others)


def _failed_in(before: CompiledWorld, after: CompiledWorld, tape: Tape, until: int) -> int:
    """How many invoices fail where everybody lives in another world from the start on."""
    found = 0
    for block in by_tape.lives(before, after, *everybody(before), tape):
        begun = block.rows["occurred_at"][block.rows["kind"] == events.DUNNING_STARTED]
        found += int((begun < until).sum())
    return found


def _named(name: str, policy: DunningPolicy, scenario: Scenario) -> tuple[str, DunningPolicy]:
    """A policy as it stands among those of the scenario, of which one of the same name may be another."""
    if scenario.dunning_policies.get(name, policy) == policy and re.fullmatch(_NAME, name):
        return name, policy
    return next(free for i in count() if (free := f"ranked_{i}") not in scenario.dunning_policies), policy


def _part(report: Report, place: int, rounds: int) -> Report:
    """Progress of one round as a part of all."""
    return lambda done, total: report(place * total + done, rounds * total)


def _days_more(scenario: Scenario, span: int) -> int:
    """Whole days by which the world outlasts the scenario; QueryError where its calendars do not reach so far."""
    lived, more = (scenario.end - scenario.start).days, -(-span // DAY) + 1
    if lived + more > _CALENDAR_DAYS:
        raise QueryError(
            f"The scenario takes {lived:,} days, and the last failure may have to be followed for {more:,} more: "
            f"together they may be {_CALENDAR_DAYS:,}. Shorten the scenario or the longest policy."
        )
    return more


def _followed(scenario: Scenario, policies: Policies) -> int:
    """Longer than dunning can last: the longest policy, and twice what may still be under way at its end."""
    ends = [policy.end for policy in (*policies.values(), *scenario.dunning_policies.values())]
    return max(ends) + 2 * (scenario.return_lag + scenario.resolution + scenario.window) + _MARGIN_DAYS * DAY


def table_of(world: CompiledWorld, policies: Policies) -> np.recarray:
    """The world's records with these policies in their tables, then one that does nothing; no rule but the first."""
    scenario = world.scenario
    every = {**policies, _IDLE: DunningPolicy.model_validate(_NOTHING)}
    timeline = [entry for entry in scenario.timeline if not isinstance(entry, DunningSwitch)]
    rules = [DunningRule.model_construct(market=[], method=[], decline=[], use=next(iter(every)))]
    changed = {"dunning_policies": every, "dunning": rules, "timeline": timeline}
    record = world.record.copy().view(np.recarray)
    record.stop_on[:] = 0
    names = Names(scenario.model_copy(update=changed))
    for i in range(len(record)):
        fill_policies(record[i : i + 1].view(np.recarray), names)
    return record


def worth(world: CompiledWorld, failures: np.ndarray) -> np.ndarray:
    """What each invoice is worth in millionths of the reporting currency, at the rate in force at its issue."""
    steps = schedules(announcements(world))
    found = np.zeros(len(failures), np.int64)
    for number, code in enumerate(world.names.currencies):
        here = failures["currency"] == number
        if here.any():
            since, factors = (np.array(column, np.int64) for column in zip(*steps[code], strict=True))
            place = np.maximum(np.searchsorted(since, failures["issued_at"][here], side="right") - 1, 0)
            found[here] = (failures["amount_minor"][here] * factors[place] + DENOMINATOR // 2) // DENOMINATOR
    return found


class _Game:
    """All shards of a play, each on the stage of whichever worker is free."""

    def __init__(self, play: Play) -> None:
        self._play_of_all = play
        self._found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._crew, self._lock = Crew(SHARDS), threading.Lock()
        self._done, self._total = 0, people_in(play.own)

    def run(self, workers: int, report: Report) -> tuple[np.ndarray, np.ndarray]:
        """Failures and outcomes of everybody, in the order of shards."""
        self._crew.run(workers, self._begin, lambda: report(self._done, self._total))
        report(self._total, self._total)
        failures, outcomes = zip(*(self._found[shard] for shard in sorted(self._found)), strict=True)
        return np.concatenate(failures), np.concatenate(outcomes)

    def _begin(self) -> Callable[[int], None]:
        stage = Stage(self._play_of_all)
        return lambda shard: self._play(stage, shard)

    def _play(self, stage: Stage, shard: int) -> None:
        failures = [np.zeros(0, FAILURE)]
        outcomes = [np.zeros((0, self._play_of_all.policies + 1), OUTCOME)]
        for forks in stage.lives(shard):
            if self._crew.is_stopped:
                return
            failures.append(forks.failures.copy())
            outcomes.append(forks.outcomes.copy())
            with self._lock:
                self._done += forks.block.people
        self._found[shard] = np.concatenate(failures), np.concatenate(outcomes)
