"""`billing-sim truth` and `run.truth()`: the people of a run live again, in their world and in others."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from functools import partial

import numpy as np

from billing_sim import clock
from billing_sim.crew import Crew, Labour, usual_workers
from billing_sim.identity import people_in, world_of
from billing_sim.people import SHARDS
from billing_sim.runs.stored import StoredRun
from billing_sim.simulate import compile_first
from billing_sim.truth.alternatives import alternatives
from billing_sim.truth.crowds import Crowds, worlds_of_causes
from billing_sim.truth.knocking_out import Span
from billing_sim.truth.lives import Shelf
from billing_sim.truth.reconciling import reconciled
from billing_sim.truth.study import Findings, Shelves, Study
from billing_sim.truth.telling import Truth
from billing_sim.truth.worth import Worth
from billing_sim.world.announce import announcements

Report = Callable[[int, int], None]
"""Told how many parts of the people are done, and how many there are."""

PEOPLE_AT_ONCE = 2000
"""About as many live together at least, since making ready a world takes as long as some hundred lives."""


def truth_of(
    run: StoredRun,
    *,
    policy: str = "",
    attribution: bool = False,
    workers: int | None = None,
    report: Report | None = None,
) -> Truth:
    """What was really so in a run, from its sealed truth and from other worlds with the same people.

    `policy` names a dunning policy to compare with; with `attribution` every combination of causes is taken away.
    RunError when the run was made by other rules than those installed, QueryError for an unknown policy,
    UnreconciledError when what is found does not agree with the run.
    """
    scenario = world_of(run).scenario
    worlds = alternatives(scenario, policy)
    compile_first(lambda _: None)
    start, end = (clock.day_number(day) * clock.DAY for day in (scenario.start, scenario.end))
    span = Span(worlds.actual, Worth(worlds.actual, announcements(worlds.actual)), start, end)
    others = {**worlds.others, **(worlds_of_causes(worlds.actual) if attribution else {})}
    study = Study(worlds, span, attribution, Crowds(worlds.actual, others))
    found = _Survey(study).run(workers or usual_workers(), report or (lambda _, __: None))
    return Truth(run, scenario, worlds, found, reconciled(run, found), policy)


class _Survey:
    """All people of a run, studied by several workers."""

    def __init__(self, study: Study) -> None:
        parts = min(max(people_in(study.span.world) // PEOPLE_AT_ONCE, usual_workers()), SHARDS)
        self._parts = [part.tolist() for part in np.array_split(np.arange(SHARDS), parts)]
        self._study, self._crew, self._lock = study, Crew(parts), threading.Lock()
        self._found, self._done = Findings(), 0

    def run(self, workers: int, report: Report) -> Findings:
        """Let the crowds of other worlds live first, then study every part."""
        crowds = len(self._study.crowds)
        everything = crowds + len(self._parts)
        self._study.crowds.gather(workers, lambda made: report(made, everything))
        self._crew.run(workers, self._begin, lambda: report(crowds + self._done, everything))
        return self._found

    def _begin(self) -> Labour:
        return partial(self._study_part, defaultdict(Shelf))

    def _study_part(self, shelves: Shelves, part: int) -> None:
        found = self._study.of_shards(self._parts[part], shelves, lambda: self._crew.is_stopped)
        with self._lock:
            self._found.add(found)
            self._done += 1
