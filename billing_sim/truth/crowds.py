"""The crowds of other worlds: what everybody meets there who lives among the others, where people share something.

The other worlds of the truth are lived one person at a time beside the crowd of the run, which gives direct effects.
Here all of them live in the other world at once, and its tape holds what they make of everything shared: living by it
gives the total effect. A tape is made once, before the people are studied, and lasts as long as the study.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from billing_sim.crew import Crew
from billing_sim.truth.exposure import PLAYERS
from billing_sim.truth.worlds import without
from billing_sim.world.compile import CompiledWorld

if TYPE_CHECKING:
    from billing_sim.drivers.tape import Tape

Report = Callable[[int], None]
"""Told how many tapes are made."""

NO_CAUSE = "no cause"
"""The world in which no cause is at work."""


def removal(cause: str) -> str:
    """The name of the world that lacks one cause."""
    return f"removed {cause}"


def addition(cause: str) -> str:
    """The name of the world in which one cause alone is at work."""
    return f"added {cause}"


def worlds_of_causes(world: CompiledWorld) -> dict[str, CompiledWorld]:
    """The world with each cause removed alone, with each alone at work, and with none."""
    found = {removal(cause): without(world, [cause]) for cause in PLAYERS}
    found |= {addition(cause): without(world, [it for it in PLAYERS if it != cause]) for cause in PLAYERS}
    return found | {NO_CAUSE: without(world, PLAYERS)}


class Crowds:
    """Other worlds by name, and of each the tape of everybody who lives in it from the start on."""

    def __init__(self, actual: CompiledWorld, worlds: Mapping[str, CompiledWorld]) -> None:
        self._actual, self._worlds = actual, worlds if actual.is_coupled else {}
        self._tapes: dict[str, Tape] = {}

    def __len__(self) -> int:
        return len(self._worlds)

    def __iter__(self) -> Iterator[tuple[str, CompiledWorld, Tape]]:
        return ((name, world, self._tapes[name]) for name, world in self._worlds.items())

    def gather(self, workers: int, report: Report) -> None:
        """Make every tape; nothing where people share nothing."""
        if self._worlds:
            crew = Crew(len(self._worlds))
            crew.run(workers, lambda: partial(self._make, list(self._worlds.items())), lambda: report(len(self._tapes)))

    def _make(self, worlds: list[tuple[str, CompiledWorld]], number: int) -> None:
        from billing_sim.drivers.coupled import record_tape  # compiled only where people share something

        name, world = worlds[number]
        self._tapes[name] = record_tape(self._actual, world)
