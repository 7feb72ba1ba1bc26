"""Where policies meet: a scenario with turns laid over it, lived under one policy and under another.

What is simulated is the very file that would be written: it extends the base, says the turns, and names a policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from billing_sim.errors import RunError
from billing_sim.metrics.definition import Definition
from billing_sim.runs.aside import reason_of, remedy
from billing_sim.scenario.emit import emit
from billing_sim.scenario.layers import Composition, read_chain
from billing_sim.scenario.loading import load
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import plain, spoken
from billing_sim.scenario.reader import read_bytes
from billing_sim.stress.flips.duel import Duel, duel
from billing_sim.stress.flips.policies import Policies, under
from billing_sim.stress.flips.turns import World, overlay_of
from billing_sim.stress.flips.yaml_text import yaml_text
from billing_sim.stress.lab import WORKERS, bench
from billing_sim.stress.lives import Lives
from billing_sim.stress.readings import Readings, read_world

Pair = tuple[str, str]


@dataclass(frozen=True)
class Arena:
    """A base scenario, two definitions, and the policies that may meet."""

    base: Path
    definitions: tuple[Definition, Definition]
    policies: Policies

    @cached_property
    def scenario(self) -> Scenario:
        """The base, every default filled in."""
        return load(self.base).scenario

    @cached_property
    def values(self) -> dict[str, Any]:
        """The same as plain values, as files say them."""
        found: Any = plain(Composition(read_chain(self.base, read_bytes(self.base))).tree)
        return found

    def content(self, world: World, policy: str, among: Sequence[str]) -> dict[str, Any]:
        """What a file says beyond the base: the turns, and the dunning rules under one of these policies.

        A switch of dunning on the base's timeline would undo the policy, so it is left out.
        """
        before = self.values.get("timeline", [])
        kept = [it for it in before if it["kind"] != "dunning_switch"]
        said = overlay_of(world, kept)
        if len(kept) < len(before):
            said.setdefault("timeline", kept)
        named = {name: self.policies[name] for name in among}
        return {**said, **under(policy, named, self.scenario.dunning)}

    def readings(self, world: World, policies: Sequence[str], members: int, seeds: range) -> dict[str, Readings]:
        """What both definitions read under each policy; InputError where the turns make no scenario."""
        try:
            with TemporaryDirectory(prefix="billing_sim-flip-", ignore_cleanup_errors=True) as folder:
                lives = {name: self._lives(Path(folder), world, name, policies, members) for name in policies}
        except OSError as error:
            way = "let TMPDIR name another folder"
            raise RunError(f"cannot write a scenario to try: {reason_of(error)}. {remedy(error, way)}") from error
        with ThreadPoolExecutor(WORKERS, "billing-sim-flip") as pool:
            tasks = {name: pool.submit(read_world, it, seeds, self.definitions) for name, it in lives.items()}
            return {name: task.result() for name, task in tasks.items()}

    def duels(self, world: World, pairs: Sequence[Pair], members: int, seeds: range) -> list[Duel]:
        """Each pair of policies in a world, the same people with the same luck under both; InputError as above."""
        found = self.readings(world, sorted({name for pair in pairs for name in pair}), members, seeds)
        return [duel(pair, self.definitions, (found[pair[0]], found[pair[1]])) for pair in pairs]

    def _lives(self, folder: Path, world: World, policy: str, among: Sequence[str], members: int) -> Lives:
        base = folder / "base.yaml"
        base.write_text(emit(self._chain), encoding="utf-8")
        file = folder / "world.yaml"
        file.write_text(yaml_text({"extends": base.name, **self.content(world, policy, among)}), encoding="utf-8")
        return Lives(bench(file, members=members).scenario)

    @cached_property
    def _chain(self) -> dict[str, Any]:
        """The base with all that it extends, without goals, which do not matter here and may name other files."""
        content: Any = spoken(read_chain(self.base, read_bytes(self.base)))
        return {key: value for key, value in content.items() if key not in ("goals", "best")}
