"""The driver that you read, where people share something: one SimPy environment for all, and a coordinator in it.

The coordinator is a process like the others. It wakes at every barrier before anybody else does, delivers what desks
have answered, adds up what people book, publishes, and goes to sleep until the window is over. Rules, bookings, desks
and what is published are those of the coupled batch driver; only the order in which people act within a window is not.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import lru_cache, partial
from typing import Any

import numpy as np
import simpy

from billing_sim.drivers.barrier import ATTEMPTS, SUCCESSES, Barrier
from billing_sim.drivers.block import Block, too_long
from billing_sim.drivers.crowd import everybody, windows_in
from billing_sim.drivers.kernel import begin_life, ring_once
from billing_sim.drivers.memory import check_room
from billing_sim.drivers.requests import EFFECT, REQUEST, in_order, queue_of
from billing_sim.drivers.shards import people_of_shard
from billing_sim.drivers.simpy_driver import in_order_of_people, pages
from billing_sim.drivers.tape import span_of, worlds_of
from billing_sim.drivers.together import book_one, receive_one
from billing_sim.drivers.tuning import END, FIRST_WINDOW, START, WINDOW
from billing_sim.events import (
    ATTEMPT_AUTHORIZED,
    ATTEMPT_DECLINED,
    ATTEMPT_UNKNOWN,
    GATEWAY_CALL_FAILED,
    ROW,
    TRUTH_ROW,
)
from billing_sim.lifecycle.booking import NO_BOOKING
from billing_sim.lifecycle.ring import MOST_ROWS
from billing_sim.lifecycle.state import PAGE_ROWS, PAGE_TRUTHS, new_page, new_states
from billing_sim.rule import records
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.record import GATEWAYS

_ASKED = (ATTEMPT_AUTHORIZED, ATTEMPT_DECLINED, ATTEMPT_UNKNOWN, GATEWAY_CALL_FAILED)


class Bell(simpy.Event):
    """Rings at a moment before everything else that happens at it."""

    def __init__(self, env: simpy.Environment, delay: int) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        env.schedule(self, simpy.events.URGENT, delay)


class Town:
    """All people of a world in one environment, and the log that they write on together."""

    def __init__(self, world: CompiledWorld) -> None:
        numbers, markets = everybody(world)
        check_room(len(numbers), world.members)
        self.worlds, self.span = worlds_of(world), span_of(world)
        self.env = simpy.Environment(initial_time=int(world.record.pre_roll[0]))
        self.states, self.page = records(new_states(len(numbers))), new_page()
        self.pages, self.filled = records(self.page), np.zeros(3, np.int64)
        self.rows: list[np.ndarray] = []
        self.truths: list[np.ndarray] = []
        self.is_coupled = world.is_coupled
        self.queue = queue_of(world) if self.is_coupled else None
        self.counts, self.requests = np.zeros((2, GATEWAYS), np.int64), [np.zeros(0, REQUEST)]
        self.written = np.zeros((len(numbers), 2), np.int64)
        self.next_at = np.zeros(len(numbers), np.int64)
        for i, (number, market) in enumerate(zip(numbers.tolist(), markets.tolist(), strict=True)):
            self.next_at[i] = begin_life(self.worlds, self.states, i, market, number)
        self.people = [self.env.process(self.life(i)) for i in range(len(numbers))]
        if self.is_coupled:
            self.barrier = Barrier(world)
            self.env.process(self.coordinator())

    def life(self, i: int) -> Generator[simpy.Event, Any, None]:
        """One subscriber: sleep until the next alarm and ring it; an answer of a desk may come in between."""
        while self.next_at[i] < self.span[END]:
            try:
                yield self.env.timeout(int(self.next_at[i]) - self.env.now)
            except simpy.Interrupt:
                continue
            self.write(i, self.ring)

    def ring(self, i: int) -> int:
        """Ring the next alarm of a person; until the start they live on their own."""
        is_before = self.env.now < self.span[START]
        at = int(ring_once(self.worlds, self.states, i, self.pages, self.filled))
        if is_before:
            self.states["asks"][i] = 0
        self.take_request(i)
        return at

    def take_request(self, i: int) -> None:
        """Keep what a person asks of a desk, if anything, until the barrier."""
        if self.states["asks"][i]:
            self.requests.append(self.request(i))
        self.states["asks"][i] = 0

    def request(self, i: int) -> np.ndarray:
        """What a person asks of a desk, as one `REQUEST`."""
        request = np.zeros(1, REQUEST)
        request["place"], request["queue"] = i, self.states["asks"][i]
        request["subscriber"] = self.states["subject"][i]
        for name in ("at", "detail", "patience", "service"):
            request[name] = self.states[f"asks_{name}"][i]
        return request

    def write(self, i: int, act: Any) -> None:
        """Let a person act, see to the page, and note what was written."""
        # The batch driver keeps a life on one page; what it refuses is refused here.
        if self.written[i, 0] > PAGE_ROWS - MOST_ROWS or self.written[i, 1] > PAGE_TRUTHS - MOST_ROWS:
            raise too_long(int(self.states["subject"][i]))
        first = self.filled[:2].copy()
        self.next_at[i] = act(i)
        self.written[i] += self.filled[:2] - first
        self.note(i, self.page["rows"][0, first[0] : self.filled[0]])
        if self.filled[0] > PAGE_ROWS - MOST_ROWS or self.filled[1] > PAGE_TRUTHS - MOST_ROWS:
            self.turn_page()

    def note(self, i: int, rows: np.ndarray) -> None:
        """Count the attempts among what person `i` has just written."""
        del i
        for row in rows:
            if row["kind"] in _ASKED:
                self.counts[ATTEMPTS, row["gateway"]] += 1
                self.counts[SUCCESSES, row["gateway"]] += row["kind"] == ATTEMPT_AUTHORIZED

    def wake(self, i: int) -> None:
        """Somebody may have other plans from now on."""
        if self.people[i].is_alive:
            self.people[i].interrupt()
        else:
            self.people[i] = self.env.process(self.life(i))

    def coordinator(self) -> Generator[simpy.Event, Any, None]:
        """One barrier after the other: deliver, book, publish, and let the window run."""
        effects = np.zeros(0, EFFECT)
        for k in range(windows_in(self.span)):
            begin, until = self.window(k)
            # The first window may have begun before the run did.
            yield Bell(self.env, max(begin, int(self.span[START])) - self.env.now)
            self.deliver(effects, begin)
            row = self.barrier.publish(self.book(until), self.counts)
            self.worlds["published"][:] = row
            self.counts[:], self.requests = 0, [np.zeros(0, REQUEST)]
            yield Bell(self.env, until - self.env.now)
            effects = self.serve(begin, until)

    def window(self, k: int) -> tuple[int, int]:
        """Where a window begins and ends."""
        begin = (int(self.span[FIRST_WINDOW]) + k) * int(self.span[WINDOW])
        return begin, begin + int(self.span[WINDOW])

    def serve(self, begin: int, until: int) -> np.ndarray:
        """What desks answer to what was asked in a window."""
        if self.queue is None:
            return np.zeros(0, EFFECT)
        return self.queue.serve(in_order(np.concatenate(self.requests)), begin, until)

    def deliver(self, effects: np.ndarray, now: int) -> None:
        """Hand each effect to its subscriber, who may have other plans from then on."""
        known = records(effects)
        for e, i in enumerate(effects["place"].tolist()):
            self.write(i, partial(self.receive, known, e, now))
            self.wake(i)

    def receive(self, effects: np.ndarray, e: int, now: int, i: int) -> int:
        """Let a person learn what came of a request."""
        return int(receive_one(self.worlds, self.span, self.states, i, self.pages, effects, e, now, self.filled))

    def book(self, until: int) -> np.ndarray:
        """How many book each gateway until the end of the window, by the one after it."""
        bookings = np.zeros(GATEWAYS * GATEWAYS, np.int64)
        if self.barrier.needs_bookings:
            for i in np.flatnonzero(self.next_at < min(until, int(self.span[END]))):
                code = int(book_one(self.worlds, self.span, self.states, i, until))
                if code != NO_BOOKING:
                    bookings[code] += 1
        return bookings

    def turn_page(self) -> None:
        """Take the written rows away; the page is empty again."""
        self.rows.append(self.page["rows"][0, : self.filled[0]].copy())
        self.truths.append(self.page["truths"][0, : self.filled[1]].copy())
        self.filled[:2] = 0

    def pass_time(self) -> None:
        """Let time pass until the end."""
        self.env.run(until=int(self.span[END]))

    def run(self) -> tuple[np.ndarray, np.ndarray]:
        """Let time pass until the end; return rows and truths in the order of subscribers."""
        self.pass_time()
        if self.is_coupled:
            # What desks settled in the last window is still told; nothing rings any more.
            begin, until = self.window(windows_in(self.span) - 1)
            effects = self.serve(begin, until)
            self.deliver(effects[effects["at"] < self.span[END]], until)
        self.turn_page()
        return in_order_of_people(self.rows, ROW), in_order_of_people(self.truths, TRUTH_ROW)


def lives_of(world: CompiledWorld, numbers: np.ndarray) -> Iterator[Block]:
    """The lives of these people, out of those of all."""
    yield from _blocks_of(numbers, *_lived(_ByDigest(world, world.digest)))


def blocks_of(world: CompiledWorld, shard: int, rows: np.ndarray, truths: np.ndarray) -> Iterator[Block]:
    """The lives of one shard, out of the rows and truths of everybody."""
    yield from _blocks_of(people_of_shard(world, shard)[0], rows, truths)


def _blocks_of(numbers: np.ndarray, rows: np.ndarray, truths: np.ndarray) -> Iterator[Block]:
    own = [_of(table, numbers) for table in (rows, truths)]
    people = len(numbers)
    for some_rows, some_truths in pages(*own):
        yield Block(some_rows, some_truths, people, 0)
        people = 0
    if people:
        yield Block(own[0][:0], own[1][:0], people, 0)


def _of(table: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    return table[np.isin(table["subscriber"], numbers)]


class _ByDigest:
    """A world that equals every other with the same digest."""

    def __init__(self, world: CompiledWorld, digest: str) -> None:
        self.world, self.digest = world, digest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByDigest) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@lru_cache(maxsize=1)
def _lived(key: _ByDigest) -> tuple[np.ndarray, np.ndarray]:
    return Town(key.world).run()
