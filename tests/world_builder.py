"""Small worlds for tests: a scenario as text, the lives in it, and their log as people read it.

Everything here goes straight from the scenario to the rows, without a run directory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from billing_sim import clock, declines, events, people
from billing_sim.drivers import batch, simpy_driver
from billing_sim.drivers.shards import people_of_shards
from billing_sim.events import KIND_NAMES, REASONS, ROW, TRUTH_ROW
from billing_sim.runs.digest import ShardDigest, combine
from billing_sim.scenario import load
from billing_sim.scenario.emit import emit
from billing_sim.scenario.layers import read_chain
from billing_sim.scenario.nodes import spoken
from billing_sim.scenario.reader import read_bytes
from billing_sim.world.compile import CompiledWorld, compile_world
from tests.world_texts import QUIET

SCENARIOS = Path(__file__).parent.parent / "scenarios"
DRIVERS = {"batch": batch, "simpy": simpy_driver}


@dataclass(frozen=True)
class Log:
    """All that happened in a world: rows and sealed truths of every shard, in the order of subscribers."""

    world: CompiledWorld
    rows: np.ndarray
    truths: np.ndarray

    @cached_property
    def subscribers(self) -> list[int]:
        """Everybody who left a row."""
        return list(self._places)

    @cached_property
    def _places(self) -> dict[int, slice]:
        return _slices(self.rows["subscriber"])

    @cached_property
    def _truth_places(self) -> dict[int, slice]:
        return _slices(self.truths["subscriber"])

    def of(self, subscriber: int) -> np.ndarray:
        """The rows of one person."""
        return self.rows[self._places.get(subscriber, slice(0, 0))]

    def truth_of(self, subscriber: int) -> np.ndarray:
        """The sealed truths about one person."""
        return self.truths[self._truth_places.get(subscriber, slice(0, 0))]

    def lives(self) -> Iterator[tuple[int, np.ndarray]]:
        """Everybody with their rows."""
        for subscriber, place in self._places.items():
            yield subscriber, self.rows[place]

    def find(self, fits: Callable[[np.ndarray], object]) -> int:
        """The first person whose rows fit."""
        found = next((subscriber for subscriber, rows in self.lives() if fits(rows)), None)
        assert found is not None, "nobody in this world lives the story"
        return found

    def local(self, instant: int, market: str = "") -> datetime:
        """The local time of an instant, in the only market or the one named."""
        zone = self.world.scenario.markets[market or self.world.markets[0]].time_zone
        return clock.moment_of(int(instant)).astimezone(clock.zone(zone))

    def member(self, anchor: int) -> int:
        """The first member of the base who is billed on this day of the month and whose card outlives the run."""
        end = clock.day_number(self.world.scenario.end)

        def fits(rows: np.ndarray) -> bool:
            is_base = rows["kind"][0] == events.SUBSCRIPTION_IMPORTED
            return is_base and born(rows).day == anchor and not 0 < rows["period_end"][1] < end

        return self.find(fits)

    def story(self, subscriber: int, since: str = "", until: str = "9999") -> list[str]:
        """A life, or a part of it, as lines of local date, kind, and the code, initiator and reason that qualify it."""
        lines = [self.line(row) for row in self.of(subscriber)]
        return [line for line in lines if since <= line < until]

    def line(self, row: np.void) -> str:
        """One event: "2025-01-31 payment_attempt.declined mit 51"."""
        market = people.describe(int(row["subscriber"])).partition("-")[0]
        words = [f"{self.local(row['occurred_at'], market):%Y-%m-%d}", KIND_NAMES[int(row["kind"])]]
        if row["initiator"]:
            words.append(events.INITIATORS[row["initiator"]])
        if row["code"]:
            words.append(declines.CODES[row["code"]].code)
        if row["reason"]:
            words.append(REASONS[row["reason"]])
        return " ".join(words)

    def secrets(self, subscriber: int) -> list[str]:
        """The sealed truth about a life: what began, what was wished, why attempts failed."""
        kinds = {kind.number: kind.name for kind in events.TRUTH}
        lines = []
        for row in self.truth_of(subscriber):
            words = [f"{self.local(row['occurred_at']):%Y-%m-%d}", kinds[int(row["kind"])]]
            if row["cause"]:
                words.append(declines.CAUSES[row["cause"]][0])
            if row["kind"] in (events.INTENT_CHANGED, events.LOSS_JUDGED):
                words.append(events.INTENTS[row["intent"]])
            if row["kind"] == events.LOSS_JUDGED:
                words.append("able" if row["able"] else "unable")
            lines.append(" ".join(words))
        return lines


def _slices(subscribers: np.ndarray) -> dict[int, slice]:
    if not len(subscribers):
        return {}
    edges = [0, *(np.flatnonzero(np.diff(subscribers)) + 1).tolist(), len(subscribers)]
    return {int(subscribers[a]): slice(a, b) for a, b in pairwise(edges)}


@cache
def world_of(text: str, base: str = QUIET, members: int | None = None, seed: int | None = None) -> CompiledWorld:
    """The world of a scenario text laid over a base text, as `extends:` does it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "base.yaml").write_text(base)
        story = Path(folder, "story.yaml")
        story.write_text(f"extends: base.yaml\n{text}")
        return compile_world(load(story, members=members, seed=seed).scenario)


def laid_over(base: str, *texts: str) -> str:
    """One text that says what a base says with others laid over it, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        for i, text in enumerate((base, *texts)):
            file = Path(folder, f"layer_{i}.yaml")
            file.write_text(f"extends: layer_{i - 1}.yaml\n{text}" if i else text)
        content: Any = spoken(read_chain(file, read_bytes(file)))
    return emit({key: value for key, value in content.items() if key != "extends"})


@cache
def world_of_file(name: str, members: int | None = None, seed: int | None = None) -> CompiledWorld:
    """The world of a shipped scenario."""
    return compile_world(load(SCENARIOS / name, members=members, seed=seed).scenario)


def log_of(world: CompiledWorld, driver: str = "batch") -> Log:
    """Simulate everybody at once, since 64 shards of a person or two cost ten times as much as their lives."""
    rows, truths = [np.zeros(0, ROW)], [np.zeros(0, TRUTH_ROW)]
    for block in DRIVERS[driver].lives_of(world, *people_of_shards(world, range(people.SHARDS))):
        rows.append(block.rows.copy())
        truths.append(block.truths.copy())
    return Log(world, _ordered(rows), _ordered(truths))


def _ordered(pieces: list[np.ndarray]) -> np.ndarray:
    found = np.concatenate(pieces)
    return found[np.argsort(found["subscriber"], kind="stable")]


@cache
def happened(text: str = "", base: str = QUIET) -> Log:
    """The log of a scenario text laid over a base text, simulated once."""
    return log_of(world_of(text, base))


def digests(world: CompiledWorld, driver: str = "batch") -> tuple[str, str]:
    """Digests of all rows and of all truths, as a run has them but for the world events."""
    rows, truths = [], []
    for shard in range(people.SHARDS):
        row_digest, truth_digest = ShardDigest(), ShardDigest()
        for block in DRIVERS[driver].lives(world, shard):
            row_digest.update(block.rows)
            truth_digest.update(block.truths)
        rows.append(row_digest.hexdigest())
        truths.append(truth_digest.hexdigest())
    return combine(rows), combine(truths)


def behaviour(**values: str) -> str:
    """A story that only changes how the people of the quiet world behave."""
    lines = "".join(f"      {key}: {value}\n" for key, value in values.items())
    return f"markets:\n  US:\n    behaviour:\n{lines}"


def renewals(*days: str) -> list[str]:
    """The lines of renewals on these days, paid at once."""
    paid = ("invoice.issued", "payment_attempt.authorized mit", "payment.captured")
    return [f"{day} {event}" for day in days for event in paid]


def expected(text: str) -> list[str]:
    """The lines of a story as it is written in a test."""
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def born(rows: np.ndarray) -> date:
    """The day on which a person of the base joined."""
    return clock.date_of(int(rows["period_start"][0]))


def kinds_of(rows: np.ndarray) -> list[str]:
    """Their kinds, in order."""
    return [KIND_NAMES[int(kind)] for kind in rows["kind"]]


def changed(one: Log, other: Log) -> set[int]:
    """Everybody whose rows differ between two worlds, to the byte, or who is in only one of them."""
    everybody = {*one.subscribers, *other.subscribers}
    return {who for who in everybody if one.of(who).tobytes() != other.of(who).tobytes()}
