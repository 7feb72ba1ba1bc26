"""The people of the lab: a world lived with one seed after the other, far enough that every outcome is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from billing_sim import clock, people
from billing_sim.drivers import paired
from billing_sim.drivers.block import Block
from billing_sim.lifecycle.state import new_page
from billing_sim.scenario.model import Scenario
from billing_sim.truth.worlds import frictionless, hours_between, lengthened
from billing_sim.world.announce import announcements
from billing_sim.world.compile import CompiledWorld, Reseeding
from billing_sim.world.households import borrowers_in
from billing_sim.world.names import Names

_SAID_ABOUT_IT = {"name", "about", "mission", "goals", "best", "expect", "log"}
"""What a scenario says that nobody in it lives by."""

_ROOM_FOR_LIVES = 512 << 20
"""Bytes of lives that are kept: twenty seeds of the lab's own base take 120 million."""

FOLLOWED_DAYS = 120
"""How long outcomes are followed beyond the scenario's end: the longest dunning, late returns, and ninety days."""


@dataclass(frozen=True)
class Lives:
    """A scenario that can be lived with any seed, and followed beyond its end.

    One that `is_base` is lived again and again, for every damage to its log: its rows are kept, those of one list of
    seeds at a time in a process.
    """

    scenario: Scenario
    is_base: bool = False

    @cached_property
    def world(self) -> CompiledWorld:
        """The world, lengthened: after the scenario's end nobody joins and nothing new is billed."""
        world = lengthened(self.scenario, FOLLOWED_DAYS)
        world.record.bills_until[:] = self.end
        return world

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what the scenario says of its world: what has been found out is known by it without compiling."""
        said = self.scenario.model_dump_json(exclude=_SAID_ABOUT_IT, serialize_as_any=True)
        return hashlib.sha256(said.encode()).hexdigest()

    @cached_property
    def end(self) -> int:
        """The scenario's end, microseconds UTC."""
        return clock.day_number(self.scenario.end) * clock.DAY

    @cached_property
    def told(self) -> list[dict[str, object]]:
        """The world's own events, as a run to the scenario's end tells them: but for the end they are the same."""
        return announcements(replace(self.world, names=Names(self.scenario)))

    def live(self, seed: int, *, without_friction: bool = False) -> Iterator[Block]:
        """Everybody's rows and sealed truths with this seed, whole lives, a page at a time."""
        return next(self.live_each([seed], without_friction=without_friction))

    def live_each(self, seeds: Iterable[int], *, without_friction: bool = False) -> Iterator[Iterator[Block]]:
        """The same of one seed after the other, each to be read to its end: all of them on one page."""
        seeds = tuple(seeds)
        if self.is_base and not without_friction:
            return _KEPT.lives(self, seeds)
        return self._live_each(seeds, without_friction=without_friction)

    def _live_each(self, seeds: Iterable[int], *, without_friction: bool = False) -> Iterator[Iterator[Block]]:
        page, after_end = new_page(), hours_between(self.scenario.start, self.scenario.end)
        for world in Reseeding(self.world).worlds(seeds):
            world.arrivals[:, after_end:] = 0
            world.bots[:, after_end:] = 0
            later = frictionless(world) if without_friction else world
            yield paired.lives(world, later, *everybody(world), page=page)


class _KeptLives:
    """The lives of one base with one list of seeds, for whoever asks for them again."""

    def __init__(self) -> None:
        self._whose: tuple[str, tuple[int, ...]] | None = None
        self._lives: list[list[Block]] = []

    def lives(self, base: Lives, seeds: tuple[int, ...]) -> Iterator[Iterator[Block]]:
        """The blocks of every seed: remembered ones, or else those that are lived now and kept as they go by."""
        if self._whose == (base.digest, seeds):
            yield from (map(_copied_truths, blocks) for blocks in self._lives)
            return
        self._whose, self._lives, room = None, [], _ROOM_FOR_LIVES
        for blocks in base._live_each(seeds):
            kept = [replace(block, rows=block.rows.copy(), truths=block.truths.copy()) for block in blocks]
            room -= sum(block.rows.nbytes + block.truths.nbytes for block in kept)
            self._lives = [*self._lives, kept] if room > 0 else []
            yield map(_copied_truths, kept)
        if room > 0:
            self._whose = (base.digest, seeds)

    def forget(self) -> None:
        """Let go of the lives: nobody is going to ask for them again."""
        self._whose, self._lives = None, []


def _copied_truths(block: Block) -> Block:
    """Rows are never changed by who is told them; sealed truths are."""
    return replace(block, truths=block.truths.copy())


_KEPT = _KeptLives()


def forget_lives() -> None:
    """What a process keeps of a base takes a hundred million bytes and more: whoever is through with it says so."""
    _KEPT.forget()


def everybody(world: CompiledWorld) -> tuple[np.ndarray, np.ndarray]:
    """All people of a world, ascending: numbers and market indices (`drivers.shards` says the same shard by shard)."""
    found = [_people_of(world, m) for m in range(len(world.markets))]
    return np.concatenate(found), np.repeat(np.arange(len(found), dtype=np.int64), [len(it) for it in found])


def _arrivals(counts: np.ndarray, first: int) -> np.ndarray:
    """Arrivals numbered by hour and place, so many in each hour since the first."""
    hours = np.repeat(np.arange(len(counts), dtype=np.int64) + first, counts)
    places = np.arange(len(hours), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
    return (hours << people.ARRIVAL_SHIFT) + places


def _people_of(world: CompiledWorld, m: int) -> np.ndarray:
    record = world.record[0]
    market = int(record["code"][m]) << people.MARKET_SHIFT
    members, former = (np.arange(int(record[name][m]), dtype=np.int64) for name in ("base_count", "former_count"))
    first = int(record["start"]) // clock.HOUR
    ordinary, bots = _arrivals(world.arrivals[m], first), _arrivals(world.bots[m], first) + people.BOTS_FROM
    arrivals = np.sort(np.concatenate([ordinary, bots])) if len(bots) else ordinary
    kinds = ((people.BASE, members), (people.FORMER, former), (people.ARRIVAL, arrivals))
    found = [market | (kind << people.KIND_SHIFT) | which for kind, which in kinds]
    return np.concatenate([*found, borrowers_in(world.record[0], m)])
