"""The two drivers side by side: rules and digest, nothing written. Same shards, same digests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cache
from statistics import median

from billing_sim.drivers import batch, simpy_driver
from billing_sim.runs.digest import ShardDigest
from billing_sim.scenario import load
from billing_sim.world.compile import CompiledWorld, compile_world

ROUNDS = 5
BATCH_SHARDS = 32
"""Enough work for two threads to be busy for a second; the SimPy driver takes one shard a round."""


@cache
def streaming() -> CompiledWorld:
    """The main scenario at its full size."""
    return compile_world(load("scenarios/streaming.yaml").scenario)


def live(lives: Callable, shard: int) -> tuple[int, int, str]:
    """Events, alarms and digest of one shard."""
    digest, alarms = ShardDigest(), 0
    for block in lives(streaming(), shard):
        digest.update(block.rows)
        alarms += block.alarms
    return digest.rows, alarms, digest.hexdigest()


def batch_round(workers: int) -> tuple[float, dict[int, tuple[int, int, str]]]:
    """Seconds and results of many shards with some worker threads."""
    shards, lock, results = iter(range(BATCH_SHARDS)), threading.Lock(), {}

    def work() -> None:
        while True:
            with lock:
                shard = next(shards, None)
            if shard is None:
                return
            results[shard] = live(batch.lives, shard)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, results


def measure() -> list[str]:
    """Events per second and nanoseconds per alarm of each driver, and their ratio."""
    live(batch.lives, 0)
    rates: dict[str, list[float]] = {"two": [], "one": [], "simpy": []}
    alarms_per_event = 0.0
    for shard in range(ROUNDS):
        for name, workers in (("two", 2), ("one", 1)):
            seconds, results = batch_round(workers)
            rates[name].append(sum(events for events, _, _ in results.values()) / seconds)
        began = time.perf_counter()
        events, alarms, digest = live(simpy_driver.lives, shard)
        rates["simpy"].append(events / (time.perf_counter() - began))
        alarms_per_event = alarms / events
        assert digest == results[shard][2], "the drivers disagree"
    two, one, simpy = (median(rates[name]) for name in ("two", "one", "simpy"))
    ratios = [a / b for a, b in zip(rates["two"], rates["simpy"], strict=True)]
    return [
        f"batch, two workers   {two / 1e6:7.2f} M events/s",
        f"batch, one worker    {one / 1e6:7.2f} M events/s   {1e9 / one / alarms_per_event:6.0f} ns an alarm",
        f"SimPy                {simpy / 1e6:7.3f} M events/s   {1e9 / simpy / alarms_per_event:6.0f} ns an alarm",
        f"batch with two workers is {median(ratios):.0f} times the SimPy driver "
        f"({min(ratios):.0f} to {max(ratios):.0f}); same digests",
    ]
