"""What each feature costs: the busy world with one noun laid over it against the busy world alone, log off.

python -m tests.bench.nouns [apart]

`apart` leaves out the worlds in which people share something, whose rules are run twice.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from billing_sim.drivers import batch
from billing_sim.drivers.shards import SHARDS
from billing_sim.scenario import load
from billing_sim.world.compile import CompiledWorld, compile_world
from tests.random_worlds import compiled, content_of, switches

ROUNDS = 3
MEMBERS = 65_536
STAFFED_FOR = 500
"""Members for whom the desk of the busy world has its agents."""
SHARDS_AT_ONCE = SHARDS // 4


def main(words: list[str]) -> None:
    """Print events per processor second of every world, as a share of those of the busy world in the same round."""
    worlds = {"busy": busy(), "streaming": streaming()}
    worlds |= {name: busy(name) for name in switches()}
    apart = [name for name in switches() if not worlds[name].is_coupled]
    worlds |= {"all that share nothing": busy(*apart), "all": busy(*switches())}
    if "apart" in words:
        worlds = {name: world for name, world in worlds.items() if not world.is_coupled}
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in worlds}
    for number in range(-1, ROUNDS):
        for name, world in worlds.items():
            measured = rate(world)
            # What is compiled or read at first is not what it costs.
            if number >= 0:
                rates[name].append(measured)
    print(f"{'world':<24}{'M events/s':>12}{'of busy':>10}{'ns a person-month':>20}")
    for name in worlds:
        per_second = median(it for it, _ in rates[name])
        ratio = median(mine[0] / base[0] for mine, base in zip(rates[name], rates["busy"], strict=True))
        lived = median(it for _, it in rates[name])
        print(f"{name:<24}{per_second / 1e6:>12.2f}{ratio:>10.2f}{lived:>20.0f}", flush=True)


def busy(*nouns: str) -> CompiledWorld:
    """The busy world with some nouns laid over it."""
    content = content_of(nouns) | {"members": MEMBERS}
    for shift in _shifts(content):
        shift["agents"] *= MEMBERS // STAFFED_FOR
    world = compiled(content)
    assert world, nouns
    return world


def _shifts(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The shifts of everybody who serves: agents of support, and those who review payments."""
    for desk in (content.get("support") or {}).get("desks", ()):
        yield from desk["shifts"]
    yield from content.get("fraud", {}).get("review", {}).get("team", {}).get("shifts", ())


def streaming() -> CompiledWorld:
    """The main scenario."""
    return compile_world(load("scenarios/streaming.yaml", members=MEMBERS).scenario)


def rate(world: CompiledWorld) -> tuple[float, float]:
    """Events per processor second, and nanoseconds per member and month; where people share, windows included."""
    whole, tape = time.process_time(), None
    if world.is_coupled:
        from billing_sim.drivers.coupled import record_tape  # compiled only where people share something

        tape = record_tape(world)
    shared = (time.process_time() - whole) * SHARDS_AT_ONCE / SHARDS
    began, events = time.process_time(), 0
    for shard in range(SHARDS_AT_ONCE):
        for block in batch.lives(world, shard, tape):
            events += len(block.rows)
    seconds = time.process_time() - began + shared
    months = (world.scenario.end - world.scenario.start).days / 30.4
    return events / seconds, seconds * 1e9 / (world.members * SHARDS_AT_ONCE / SHARDS * months)


if __name__ == "__main__":
    main(sys.argv[1:])
