"""Who lives in which shard: 64 logical shards by keyed hash, whatever the workers.

Ordinals are dealt to shards in blocks of 64, each block turned by a keyed offset, so a shard lists its own people
without looking at anybody else's. Who borrows a member's account lives in the shard of that member. Inside a shard
people come in ascending order of their number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from billing_sim import draws, people
from billing_sim import purposes as purpose
from billing_sim.clock import HOUR
from billing_sim.rule import entry
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.households import borrowers_of

SHARDS = people.SHARDS


@entry("int64(int64, int64, int64, int64, int64[:], int64)")
def _deal(key, base, count, shard, out, n):
    """List the people `base + ordinal`, ordinal < count, who live in a shard."""
    for block in range((count + SHARDS - 1) // SHARDS):
        turn = draws.below(draws.draw(key, purpose.SHARD, block), SHARDS)
        ordinal = block * SHARDS + ((shard + turn) & (SHARDS - 1))
        if ordinal < count:
            out[n] = base + ordinal
            n += 1
    return n


@entry("int64(int64, int64, int64[:], int64[:], int64, int64, int64[:], int64)")
def _deal_arrivals(key, base, counts, bots, first_hour, shard, out, n):
    """List the arrivals of every hour who live in a shard, then the bots of that hour."""
    for hour in range(len(counts)):
        count = counts[hour]
        if count or bots[hour]:
            turn = draws.below(draws.draw(key, purpose.SHARD, first_hour + hour), SHARDS)
            place = (shard + turn) & (SHARDS - 1)
            while place < count:
                out[n] = base + ((first_hour + hour) << people.ARRIVAL_SHIFT) + place
                n += 1
                place += SHARDS
            place = (shard + turn) & (SHARDS - 1)
            while place < bots[hour]:
                out[n] = base + ((first_hour + hour) << people.ARRIVAL_SHIFT) + people.BOTS_FROM + place
                n += 1
                place += SHARDS
    return n


@dataclass(frozen=True)
class _Dealer:
    """What it takes to deal the people of one market to shards, read from the record once."""

    market: int
    key: int
    code: int
    members: int
    former: int
    arrivals: np.ndarray
    bots: np.ndarray
    first_hour: int
    room: int
    record: np.record

    def deal(self, shard: int) -> np.ndarray:
        """Everybody of this market who lives in a shard, ascending."""
        out = np.empty(self.room, np.int64)
        n = members = _deal(self.key, _first(self.code, people.BASE), self.members, shard, out, 0)
        n = _deal(self.key, _first(self.code, people.FORMER), self.former, shard, out, n)
        first = _first(self.code, people.ARRIVAL)
        n = _deal_arrivals(self.key, first, self.arrivals, self.bots, self.first_hour, shard, out, n)
        hosts = out[:members] - _first(self.code, people.BASE)
        return np.concatenate([out[:n], borrowers_of(self.record, self.market, hosts)])


def _dealers(world: CompiledWorld) -> list[_Dealer]:
    record = world.record[0]
    first_hour, seed_key = int(record["start"]) // HOUR, int(record["seed_key"])
    found = []
    for m in range(len(world.markets)):
        code, members, former = (int(record[name][m]) for name in ("code", "base_count", "former_count"))
        counts, bots = world.arrivals[m], world.bots[m]
        key = int(draws.subject_key(seed_key, code << people.MARKET_SHIFT))
        room = (members + former) // SHARDS + 2 + _room(counts) + _room(bots)
        found.append(_Dealer(m, key, code, members, former, counts, bots, first_hour, room, record))
    return found


def people_of_shards(world: CompiledWorld, shards: Iterable[int]) -> tuple[np.ndarray, np.ndarray]:
    """Everybody of these shards, one after the other and ascending in each: numbers and market indices, both int64."""
    dealers = _dealers(world)
    dealt = [(dealer.market, dealer.deal(shard)) for shard in shards for dealer in dealers]
    markets = np.repeat(np.array([m for m, _ in dealt], np.int64), [len(found) for _, found in dealt])
    return np.concatenate([found for _, found in dealt]), markets


def people_of_shard(world: CompiledWorld, shard: int) -> tuple[np.ndarray, np.ndarray]:
    """Everybody of a shard in ascending order: numbers and market indices, both int64 of the same length."""
    return people_of_shards(world, [shard])


def _room(counts: np.ndarray) -> int:
    """The most of these that one shard can get."""
    busiest = (int(counts.max(initial=0)) + SHARDS - 1) // SHARDS
    return min(int(counts.sum()), busiest * len(counts))


def _first(code: int, kind: int) -> int:
    return (code << people.MARKET_SHIFT) | (kind << people.KIND_SHIFT)
