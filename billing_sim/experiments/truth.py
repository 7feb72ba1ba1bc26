"""The true effect: the same people with the same luck, all of them in one arm, then all of them in the other.

Where people share nothing, who is enrolled and when does not depend on the arm, so both worlds hold the same enrolled
people; their difference is what the change does to them, without the luck of the draw. Whoever lives in the mix is then
looked at again where everybody is in their arm: what differs for them comes from what people share. Where they share
something, each world lives by a tape of its own; an arm may then change who fails, and so who is enrolled at a first
failure, and every world is read from those whom it enrols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from billing_sim.drivers import batch
from billing_sim.drivers.block import Block
from billing_sim.drivers.shards import SHARDS
from billing_sim.experiments.contrast import Contrast, contrast, figures
from billing_sim.experiments.sample import Sample, in_experiment
from billing_sim.facts.folding import Folder
from billing_sim.identity import vocabularies_of
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.frame import Frame
from billing_sim.metrics.result import Figure
from billing_sim.runs.tables import BUILT_IN, facts_folder
from billing_sim.stress.columns import Columns
from billing_sim.world.announce import announcements
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.experiments import force_arm

Report = Callable[[int, int], None]
"""Told shards lived and shards in all."""


@dataclass(frozen=True)
class Effect:
    """What an arm really does, against the first one.

    `true`: everybody enrolled in this arm minus everybody in the first. `mixed`: those whom the draw put there, minus
    those in the first arm, read at the end of the run. `alone`: the same people as in `mixed`, each where everybody is
    in their arm. The gap between `mixed` and `true` is the luck of the draw (`alone` - `true`) and what people do to
    one another (`mixed` - `alone`), which is 0 where they share nothing.
    """

    true: Contrast
    mixed: Contrast
    alone: Contrast

    @property
    def gap(self) -> float | None:
        """How far the experiment, read at its end, lies from the truth."""
        return _minus(self.mixed.value, self.true.value)

    @property
    def sampling(self) -> float | None:
        """The part of the gap that is the luck of the draw."""
        return _minus(self.alone.value, self.true.value)

    @property
    def interference(self) -> float | None:
        """The part of the gap that arms do to one another."""
        return _minus(self.mixed.value, self.alone.value)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "true_effect": self.true.value,
            "all_in_base": self.true.before.value,
            "all_in_arm": self.true.after.value,
            "mixed_effect": self.mixed.value,
            "gap": self.gap,
            "sampling": self.sampling,
            "interference": self.interference,
        }


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


@dataclass(frozen=True)
class Worlds:
    """The enrolled people of an experiment where each arm has them all, and as the draw mixed them."""

    mixed: Sample
    forced: dict[str, Sample]

    def effects(self, definitions: Sequence[Definition], frame: Frame, arms: Sequence[str]) -> dict[str, list[Effect]]:
        """By metric, the effect of every arm but the first."""
        people, own = self.mixed.assigned
        mixed = figures(self.mixed, definitions, frame)
        everybody: dict[str, dict[str, Figure]] = {it.id: {} for it in definitions}
        alone: dict[str, dict[str, Figure]] = {it.id: {} for it in definitions}
        for arm, sample in self.forced.items():
            here = own == arm
            for found, part in ((everybody, sample), (alone, sample.dealt(people[here], own[here]))):
                for name, by_arm in figures(part, definitions, frame).items():
                    found[name] |= {arm: by_arm[arm]} if arm in by_arm else {}
        return {
            it.id: [
                Effect(*(contrast(it, found[it.id], arms[0], arm) for found in (everybody, mixed, alone)))
                for arm in arms[1:]
            ]
            for it in definitions
        }


def worlds(
    world: CompiledWorld, mixed: Sample, experiment: str, arms: Sequence[str], facts: Sequence[str], report: Report
) -> Worlds:
    """Live every arm's world; `mixed` is the experiment as the run has it, to the run's end."""
    total, forced = SHARDS * len(arms), {}
    for i, arm in enumerate(arms):
        done = i * SHARDS
        tables = lived(force_arm(world, experiment, arm), facts, lambda shard, done=done: report(done + shard, total))  # type: ignore[misc]
        forced[arm] = in_experiment(tables, experiment, mixed.told)
    report(total, total)
    return Worlds(mixed, forced)


def lived(world: CompiledWorld, facts: Sequence[str], report: Callable[[int], None]) -> dict[str, Any]:
    """Everybody's facts in a world, as Arrow tables by name."""
    names = {**BUILT_IN, **vocabularies_of(world)}
    folder, lives = Folder(announcements(world), names), _together(world)
    columns = {name: Columns(facts_folder(name), names) for name in facts}
    for shard in range(SHARDS):
        report(shard)
        for block in lives(world, shard):
            for name, rows in folder.fold(block.rows).items():
                if name in columns:
                    columns[name].append(rows[rows["arm"] > 0])
    return {name: it.table() for name, it in columns.items()}


def _together(world: CompiledWorld) -> Callable[[CompiledWorld, int], Iterator[Block]]:
    """How people live in a world: where they share something, by the tape of that very world."""
    if not world.is_coupled:
        return batch.lives
    from billing_sim.drivers.coupled import tape_of

    return partial(batch.lives, tape=tape_of(world))
