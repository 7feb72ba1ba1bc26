"""The driver that you read: a SimPy process for every subscriber, which sleeps until the next alarm and rings it.

It calls the same rules as the batch driver, one compiled call an alarm, and hands on the same rows in the same order:
what a process writes goes behind what others wrote, so the rows of a group of lives are put in canonical order at the
end. Groups keep memory bounded; people share nothing here, so groups change nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import simpy

from billing_sim.drivers.block import Block, too_long
from billing_sim.drivers.kernel import begin_life, ring_once
from billing_sim.drivers.shards import people_of_shard
from billing_sim.events import ROW, TRUTH_ROW
from billing_sim.lifecycle.ring import MOST_ROWS
from billing_sim.lifecycle.state import PAGE_ROWS, PAGE_TRUTHS, new_page, new_states
from billing_sim.rule import records
from billing_sim.world.compile import CompiledWorld

GROUP = 2048
"""People who share one SimPy environment."""


class Clockwork:
    """A group of subscribers in one SimPy environment, and the log that they write on together."""

    def __init__(self, world: CompiledWorld, numbers: np.ndarray, markets: np.ndarray) -> None:
        self.env = simpy.Environment(initial_time=int(world.record.pre_roll[0]))
        self.world = records(world.record)
        self.end = int(world.record.end[0])
        self.states = records(new_states(len(numbers)))
        self.page = new_page()
        self.pages = records(self.page)
        self.filled = np.zeros(3, np.int64)
        self.rows: list[np.ndarray] = []
        self.truths: list[np.ndarray] = []
        for i, (number, market) in enumerate(zip(numbers.tolist(), markets.tolist(), strict=True)):
            first = begin_life(self.world, self.states, i, market, number)
            if first < self.end:
                self.env.process(self.life(i, first))

    def life(self, i: int, at: int) -> Generator[simpy.Event, Any, None]:
        """One subscriber: sleep until the next alarm, ring it, and so on until nothing is left before the end."""
        rows = truths = 0
        while at < self.end:
            yield self.env.timeout(at - self.env.now)
            # The batch driver keeps a life on one page; what it refuses is refused here.
            if rows > PAGE_ROWS - MOST_ROWS or truths > PAGE_TRUTHS - MOST_ROWS:
                raise too_long(int(self.states["subject"][i]))
            written, told = self.filled[:2].tolist()
            at = ring_once(self.world, self.states, i, self.pages, self.filled)
            rows, truths = rows + int(self.filled[0]) - written, truths + int(self.filled[1]) - told
            if self.filled[0] > PAGE_ROWS - MOST_ROWS or self.filled[1] > PAGE_TRUTHS - MOST_ROWS:
                self.turn_page()

    def turn_page(self) -> None:
        """Take the written rows away; the page is empty again."""
        self.rows.append(self.page["rows"][0, : self.filled[0]].copy())
        self.truths.append(self.page["truths"][0, : self.filled[1]].copy())
        self.filled[:2] = 0

    def run(self) -> tuple[np.ndarray, np.ndarray]:
        """Let time pass until the end; return rows and truths in canonical order."""
        self.env.run()
        self.turn_page()
        return in_order_of_people(self.rows, ROW), in_order_of_people(self.truths, TRUTH_ROW)


def in_order_of_people(pieces: list[np.ndarray], dtype: np.dtype) -> np.ndarray:
    """Rows of many pages in canonical order: by subscriber, each in the order of writing."""
    rows = np.concatenate(pieces) if pieces else np.zeros(0, dtype)
    order = np.argsort(rows["subscriber"], kind="stable")
    # As plain bytes: NumPy moves records with named fields one field at a time.
    return rows.view(f"V{dtype.itemsize}")[order].view(dtype)


def pages(rows: np.ndarray, truths: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut rows into pages of whole lives, each with the truths of the same people."""
    first, told = 0, 0
    while first < len(rows):
        last = min(first + PAGE_ROWS, len(rows))
        if last < len(rows):
            last = int(np.searchsorted(rows["subscriber"], rows["subscriber"][last], side="left"))
            if last == first:
                raise too_long(int(rows["subscriber"][first]))
        until = len(truths)
        if last < len(rows):
            until = int(np.searchsorted(truths["subscriber"], rows["subscriber"][last], side="left"))
        yield rows[first:last], truths[told:until]
        first, told = last, until


def lives(world: CompiledWorld, shard: int) -> Iterator[Block]:
    """Simulate a shard to the horizon, a group of people at a time; all shards at once where people share something."""
    yield from lives_of(world, *people_of_shard(world, shard))


def lives_of(world: CompiledWorld, numbers: np.ndarray, markets: np.ndarray) -> Iterator[Block]:
    """The same of these people: numbers and market indices, int64."""
    if world.is_coupled:
        from billing_sim.drivers import simpy_coupled

        yield from simpy_coupled.lives_of(world, numbers)
        return
    for first in range(0, len(numbers), GROUP):
        group = slice(first, first + GROUP)
        clockwork = Clockwork(world, numbers[group], markets[group])
        people, alarms = len(numbers[group]), None
        for rows, truths in pages(*clockwork.run()):
            alarms = int(clockwork.filled[2]) if alarms is None else 0
            yield Block(rows, truths, people, alarms)
            people = 0
        if people:
            empty = (np.zeros(0, ROW), np.zeros(0, TRUTH_ROW))
            yield Block(*empty, people, int(clockwork.filled[2]))
