"""Who lives in which shard: 64 logical shards by keyed hash, whatever the workers.

Ordinals are dealt to shards in blocks of 64, each block turned by a keyed offset, so a shard lists its own people
without looking at anybody else's. Who borrows a member's account lives in the shard of that member. Inside a shard
people come in ascending order of their number.
"""

from __future__ import annotations

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


def people_of_shard(world: CompiledWorld, shard: int) -> tuple[np.ndarray, np.ndarray]:
    """Everybody of a shard in ascending order: numbers and market indices, both int64 of the same length."""
    record = world.record[0]
    first_hour = int(record.start) // HOUR
    numbers, markets = [], []
    for m in range(len(world.markets)):
        found = _people_of_market(world, m, shard, first_hour)
        numbers.append(found)
        markets.append(np.full(len(found), m, np.int64))
    return np.concatenate(numbers), np.concatenate(markets)


def _people_of_market(world: CompiledWorld, m: int, shard: int, first_hour: int) -> np.ndarray:
    record = world.record[0]
    key = int(draws.subject_key(int(record.seed_key), int(record.code[m]) << people.MARKET_SHIFT))
    counts, bots = world.arrivals[m], world.bots[m]
    base, former = int(record.base_count[m]), int(record.former_count[m])
    room = (base + former) // SHARDS + 2 + _room(counts) + _room(bots)
    out = np.empty(room, np.int64)
    code = int(record.code[m])
    n = _deal(key, _first(code, people.BASE), base, shard, out, 0)
    members = n
    n = _deal(key, _first(code, people.FORMER), former, shard, out, n)
    n = _deal_arrivals(key, _first(code, people.ARRIVAL), counts, bots, first_hour, shard, out, n)
    arrived = out[:n]
    if not record.host_share[m]:
        return arrived
    return np.concatenate([arrived, borrowers_of(record, m, out[:members] - _first(code, people.BASE))])


def _room(counts: np.ndarray) -> int:
    """The most of these that one shard can get."""
    busiest = (int(counts.max(initial=0)) + SHARDS - 1) // SHARDS
    return min(int(counts.sum()), busiest * len(counts))


def _first(code: int, kind: int) -> int:
    return (code << people.MARKET_SHIFT) | (kind << people.KIND_SHIFT)
