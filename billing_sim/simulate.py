"""From a scenario file to a finished run directory: the one place that knows both a driver and a run."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from billing_sim.crew import MOST_WORKERS, Crew, Labour, usual_workers
from billing_sim.errors import BillingSimError
from billing_sim.identity import identity_of, people_in, vocabularies_of

if TYPE_CHECKING:
    import numpy as np

    from billing_sim.drivers.block import Block
    from billing_sim.drivers.extension import Extension, Process
    from billing_sim.facts.folding import Folder
    from billing_sim.runs.division import Division
    from billing_sim.runs.manifest import Content, Extended
    from billing_sim.runs.stored import StoredRun
    from billing_sim.world.compile import CompiledWorld


@dataclass(frozen=True)
class Progress:
    """How far a run has come: people simulated of all people, events so far, and what is being done."""

    done: int
    total: int
    events: int
    phase: str


@dataclass(frozen=True)
class Outcome:
    """A finished run, whether it had been there before, and a sentence about that (or nothing)."""

    run: StoredRun
    reused: bool
    note: str


Report = Callable[[Progress], None]


def simulate(
    path: str | Path,
    *,
    seed: int | None = None,
    members: int | None = None,
    out: str | Path | None = None,
    driver: str | None = None,
    workers: int | None = None,
    log: str | None = None,
    fresh: bool = False,
    overwrite: bool = False,
    root: str | Path = ".",
    progress: Report | None = None,
    command: str = "",
    processes: Sequence[Process] = (),
    kinds: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a scenario, or reuse the finished identical run.

    `seed` and `members` override the scenario's; `out` names the run directory (default: `runs/` under `root`);
    `driver` is "batch" (default) or "simpy"; `log` is what to keep of it: "all", "none" or "1/N"
    (default: as the scenario says). `processes` of a user's own, with the `kinds` of events that they write, take part
    in a run of the SimPy driver, which is marked as extended and never reused. Raises InputError
    for a scenario that cannot be used and RunError for a directory that must not be touched. Interrupted, it leaves a
    directory that says so.
    """
    began = time.perf_counter()
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    report = progress or _keep_quiet
    workers = _checked(driver, workers)
    extension = _extension(driver, processes, kinds)
    if extension:
        driver, fresh = "simpy", True
    from billing_sim.runs.directory import share_of
    from billing_sim.scenario import load

    loaded = load(path, members=members, seed=seed)
    log = log or loaded.scenario.log
    share_of(log)
    compile_first(report)
    from billing_sim.runs.directory import RunWriter, open_run, plan_directory
    from billing_sim.runs.division import division_for
    from billing_sim.runs.manifest import Environment
    from billing_sim.runs.room import check_disk
    from billing_sim.world.announce import announcements
    from billing_sim.world.compile import compile_world

    world = compile_world(loaded.scenario)
    identity = identity_of(world, extension)
    decision = plan_directory(None if out is None else Path(out), Path(root), identity, log, driver, fresh, overwrite)
    if decision.reuse:
        return Outcome(open_run(decision.directory), True, decision.note)
    scenario = loaded.scenario
    check_disk(decision.directory, scenario.members, (scenario.end - scenario.start).days, log)
    division = division_for(people_in(world))
    environment = Environment(driver or "batch", workers, command or " ".join(sys.argv), started_at)
    writer = RunWriter(
        decision.directory, identity, vocabularies_of(world), log, loaded.source, environment,
        division=division, whole_scenario=loaded.whole, replace=decision.replace, extended=_told(extension),
    )  # fmt: skip
    try:
        told = announcements(world)
        writer.write_world_events(told)
        work = _Work(world, environment.driver, log, division, writer.part, told, extension)
        work.run(workers, report)
        report(Progress(work.tally.people, work.tally.people, work.tally.events, "writing"))
        seconds = time.perf_counter() - began
        simulating = work.tally.seconds / workers
        rate = work.tally.events / max(simulating, 1e-9)
        environment = replace(environment, seconds=seconds, simulation_seconds=simulating, events_per_second=rate)
        writer.finish(work.content(), environment)
    finally:
        writer.abort()
    return Outcome(open_run(decision.directory), False, decision.note)


def compile_first(report: Report) -> None:
    """Compile the rules, once after installing, and say so."""
    from billing_sim.rule import is_compiled

    if not is_compiled():
        report(Progress(0, 0, 0, "compiling"))
        from billing_sim.compiling import compile_all

        compile_all()


def compile_for_sharing() -> None:
    """Compile the windows and barriers of people who share something, once after installing."""
    from billing_sim.drivers import together  # noqa: F401


def _extension(driver: str | None, processes: Sequence[Process], kinds: Mapping[str, str] | None) -> Extension | None:
    """What a user adds to the run, checked; None where that is nothing."""
    if not processes and not kinds:
        return None
    if driver == "batch":
        raise BillingSimError("processes of your own take part in runs of the simpy driver only: name driver simpy.")
    from billing_sim.drivers.extension import extension_of

    return extension_of(processes, kinds)


def _told(extension: Extension | None) -> Extended | None:
    """What the manifest tells of it."""
    from billing_sim.runs.manifest import Extended

    return Extended(extension.names, {kind.name: kind.meaning for kind in extension.kinds}) if extension else None


def _keep_quiet(_: Progress) -> None:
    pass


def _checked(driver: str | None, workers: int | None) -> int:
    from billing_sim.drivers.block import DRIVERS

    if driver is not None and driver not in DRIVERS:
        raise BillingSimError(f"there is no driver {driver!r}; there are {' and '.join(DRIVERS)}")
    if workers is None:
        return usual_workers()
    if not 1 <= workers <= MOST_WORKERS:
        raise BillingSimError(f"{workers} workers are not possible; use 1 to {MOST_WORKERS}")
    return workers


@dataclass
class _Tally:
    """What has come out so far, over all workers."""

    people: int = 0
    events: int = 0
    kinds: dict[int, int] = field(default_factory=dict)
    digests: dict[int, str] = field(default_factory=dict)
    truths: dict[int, str] = field(default_factory=dict)
    seconds: float = 0.0
    """Of simulation proper (rules and digest), summed over workers."""


class _Work:
    """All shards of a run, handed to workers a part at a time."""

    def __init__(
        self,
        world: CompiledWorld,
        driver: str,
        log: str,
        division: Division,
        part: Callable,
        told: list,
        extension: Extension | None,
    ) -> None:
        self.world, self.division, self.part, self.told = world, division, part, told
        self._driver, self._extension = driver, extension
        self.lives = _driver(driver)
        self.one_in = 0 if log == "none" else int(log.partition("/")[2] or 1)
        self.tally = _Tally()
        self._crew = Crew(division.parts)
        self._lock = threading.Lock()

    def run(self, workers: int, report: Report) -> None:
        """Simulate every part; where people share something, all of them together first."""
        total = people_in(self.world)
        if self.world.is_coupled:
            compile_for_sharing()
        if self._extension:
            self._live_extended(self._extension, workers, total, report)
        elif self.world.is_coupled and self._driver == "batch":
            self._live_together(workers, total, report)
        self._crew.run(
            workers, self._begin, lambda: report(Progress(self.tally.people, total, self.tally.events, "simulating"))
        )

    def _live_together(self, workers: int, total: int, report: Report) -> None:
        from billing_sim.drivers.coupled import record_tape

        def tell(done: int, windows: int) -> None:
            report(Progress(total * done // windows, total, 0, "sharing"))

        began = time.perf_counter()
        self.lives = partial(self.lives, tape=record_tape(self.world, threads=workers, progress=tell))
        # Every worker waits for it.
        self.tally.seconds += (time.perf_counter() - began) * workers

    def _live_extended(self, extension: Extension, workers: int, total: int, report: Report) -> None:
        from billing_sim.drivers.extended import live
        from billing_sim.drivers.simpy_coupled import blocks_of

        def tell(share: float, rows: int) -> None:
            report(Progress(int(total * share), total, rows, "simulating"))

        began = time.perf_counter()
        rows, truths = live(self.world, extension, tell)
        self.lives = partial(blocks_of, rows=rows, truths=truths)
        self.tally.seconds += (time.perf_counter() - began) * workers

    def _begin(self) -> Labour:
        from billing_sim.facts.folding import Folder

        return partial(self._simulate_part, Folder(self.told, vocabularies_of(self.world)))

    def _simulate_part(self, folder: Folder, number: int) -> None:
        writer = self.part(number)
        for shard in self.division.shards_of(number):
            shard_work = _Shard()
            for block in shard_work.timed(self.lives(self.world, shard)):
                if self._crew.is_stopped:
                    return
                writer.append(shard, self._kept(block.rows), block.truths, folder.fold(block.rows))
                with self._lock:
                    self.tally.people += block.people
                    self.tally.events += len(block.rows)
            with self._lock:
                shard_work.settle(shard, self.tally)
        writer.close()

    def _kept(self, rows: np.ndarray) -> np.ndarray | None:
        from billing_sim.drivers.sample import sampled

        if self.one_in == 0:
            return None
        return rows if self.one_in == 1 else sampled(int(self.world.record.seed_key[0]), rows, self.one_in)

    def content(self) -> Content:
        """Digests and counts of all that was simulated, kept or not."""
        import json

        from billing_sim.events import KIND_NAMES
        from billing_sim.runs.digest import combine
        from billing_sim.runs.manifest import Content

        tally = self.tally
        own = self._extension.kinds if self._extension else ()
        names = KIND_NAMES | {kind.number: kind.name for kind in own}
        told = json.dumps(self.told, sort_keys=True)
        return Content(
            combine([tally.digests[shard] for shard in sorted(tally.digests)], told),
            combine([tally.truths[shard] for shard in sorted(tally.truths)]),
            self.world.members,
            tally.events,
            {names[kind]: count for kind, count in sorted(tally.kinds.items())},
        )


def _driver(name: str) -> Callable[..., Iterator[Block]]:
    if name == "simpy":
        from billing_sim.drivers import simpy_driver

        return simpy_driver.lives
    from billing_sim.drivers import batch

    return batch.lives


class _Shard:
    """One shard on its way: its digests and counts, and the time that simulating took."""

    def __init__(self) -> None:
        import numpy as np

        from billing_sim.runs.digest import ShardDigest

        self.digest, self.truths = ShardDigest(), ShardDigest()
        self.kinds = np.zeros(256, np.int64)
        self.seconds = 0.0

    def timed(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """The blocks, digested and counted; the clock stops while the caller works with one."""
        import numpy as np

        while True:
            began = time.perf_counter()
            block = next(blocks, None)
            if block is not None:
                self.digest.update(block.rows)
                self.truths.update(block.truths)
            self.seconds += time.perf_counter() - began
            if block is None:
                return
            self.kinds += np.bincount(block.rows["kind"], minlength=256)
            yield block

    def settle(self, shard: int, tally: _Tally) -> None:
        """Add what came out to the whole run's tally."""
        tally.digests[shard] = self.digest.hexdigest()
        tally.truths[shard] = self.truths.hexdigest()
        tally.seconds += self.seconds
        for kind in self.kinds.nonzero()[0].tolist():
            tally.kinds[kind] = tally.kinds.get(kind, 0) + int(self.kinds[kind])
