"""Worlds of a study: a scenario, changed in places, lived with any seed and folded into tables in memory.

People are keyed by the seed, so two worlds of one scenario with one seed hold the same people with the same luck: what
differs between them is what was changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from billing_sim.drivers import batch
from billing_sim.drivers.shards import SHARDS
from billing_sim.facts.folding import Folder
from billing_sim.facts.schema import FACTS
from billing_sim.identity import vocabularies_of
from billing_sim.metrics.connection import connect_to
from billing_sim.metrics.source import InMemory
from billing_sim.runs import tables
from billing_sim.scenario.layers import read_chain
from billing_sim.scenario.loading import load, made_of
from billing_sim.scenario.merge import overlay
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import Mapping as Tree
from billing_sim.scenario.nodes import node_of, spoken
from billing_sim.scenario.reader import read_bytes
from billing_sim.scenario.scaling import write_scaled
from billing_sim.simulate import compile_first
from billing_sim.stress.columns import Columns
from billing_sim.world.announce import announcements
from billing_sim.world.compile import compile_world

_NOT_OF_A_STUDY = ("goals", "best", "extends", "expect")
"""Keys of a scenario file that change no life."""


@dataclass(frozen=True)
class Ground:
    """A scenario that a study changes: its content as plain values, without what it says about itself only."""

    path: Path
    content: Mapping[str, Any] = field(repr=False)

    def changed(self, change: Mapping[str, Any]) -> Mapping[str, Any]:
        """The content with a change laid over it, as a file that extends it would be."""
        below, above = node_of(dict(self.content)), node_of(dict(change))
        assert isinstance(below, Tree)
        assert isinstance(above, Tree)
        laid: Any = spoken(overlay(below, above))
        return laid

    def scenario(self, change: Mapping[str, Any] | None = None) -> Scenario:
        """The scenario with a change laid over it, checked; InputError when it cannot be used."""
        return made_of(dict(self.changed(change) if change else self.content))


def ground(path: str | Path, *, members: int | None = None, seed: int | None = None) -> Ground:
    """A scenario file read for a study, with other members or another seed; InputError when it cannot be used."""
    path = Path(path)
    loaded = load(path, members=members, seed=seed)
    content: Any = spoken(read_chain(path, read_bytes(path)))
    content = {key: value for key, value in content.items() if key not in _NOT_OF_A_STUDY}
    content |= {"members": loaded.scenario.members, "seed": loaded.scenario.seed}
    write_scaled(content, loaded.scenario)
    return Ground(path, content)


def with_seed(scenario: Scenario, seed: int) -> Scenario:
    """The same scenario with other luck; it is not checked again, which takes as long as living a small world."""
    return scenario.model_copy(update={"seed": seed})


@dataclass(frozen=True)
class Lived:
    """A world that was lived: its scenario, and the facts and sealed truths of all its people as Arrow tables."""

    scenario: Scenario
    tables: Mapping[str, pa.Table]
    told: list[dict[str, Any]] = field(repr=False)

    @property
    def source(self) -> InMemory:
        """The facts, for metrics."""
        return InMemory({name: table for name, table in self.tables.items() if name != tables.TRUTH}, self.told)

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """A connection that sees a view of each fact that was kept, and `truth`; made once, since that is slow."""
        found = connect_to(self.source, [fact for fact in FACTS if fact.name in self.tables])
        if tables.TRUTH in self.tables:
            found.register(tables.TRUTH, self.tables[tables.TRUTH])
        return found

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query says; it sees a view of each fact that was kept, and `truth`."""
        return self._connection.execute(sql).fetchall()

    def number(self, sql: str) -> float | None:
        """The one number of a query; None where it is undefined."""
        ((value,),) = self.rows(sql)
        return None if value is None else float(value)


def live(scenario: Scenario, *, facts: tuple[str, ...] = tables.FACT_NAMES, truth: bool = False) -> Lived:
    """Live a scenario and fold what happened into these facts, with `truth` also what is sealed."""
    compile_first(lambda _: None)
    world = compile_world(scenario)
    if world.is_coupled:
        from billing_sim.simulate import compile_for_sharing

        compile_for_sharing()
    told = announcements(world)
    labels = {**tables.BUILT_IN, **vocabularies_of(world)}
    folder = Folder(told, labels)
    columns = {name: Columns(tables.facts_folder(name), labels) for name in facts}
    sealed = Columns(tables.TRUTH, labels) if truth else None
    tape = _tape(world)
    for shard in range(SHARDS):
        for block in batch.lives(world, shard, tape):
            folded = folder.fold(block.rows)
            for name, kept in columns.items():
                kept.append(folded[name])
            if sealed:
                sealed.append(block.truths)
    found = {name: kept.table() for name, kept in columns.items()}
    return Lived(scenario, found | ({tables.TRUTH: sealed.table()} if sealed else {}), told)


def _tape(world: Any) -> Any:
    """What happens to what people share, for a world in which they share something; None for any other."""
    if not world.is_coupled:
        return None
    from billing_sim.drivers import coupled

    return coupled.tape_of(world)
