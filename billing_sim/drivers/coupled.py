"""The driver of what people share: all of them resident, window by window, with a barrier between.

At a barrier: effects of the desks are delivered, bookings are added up, what everybody may see is published, and then
the window runs, nobody seeing what others do in it. Everything that barriers do is recorded on a tape; afterwards the
batch driver runs life after life by that tape, in shards, as it runs lives that share nothing. Rules are run twice so,
and no row has to wait in memory for its place in the log.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from billing_sim.drivers.barrier import Barrier
from billing_sim.drivers.memory import check_room
from billing_sim.drivers.requests import EFFECT, REQUEST, in_order, queue_of
from billing_sim.drivers.shards import SHARDS, people_of_shard
from billing_sim.drivers.tape import NOTHING_SHARED, Recorder, Tape, span_of, worlds_of
from billing_sim.drivers.together import begin_together, book_window, deliver_effects, run_window
from billing_sim.drivers.tuning import END, FIRST_WINDOW, FROM_START, WINDOW
from billing_sim.lifecycle.state import new_page, new_states
from billing_sim.rule import records
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.record import GATEWAYS

REQUESTS_AT_ONCE = 1 << 14
_NOTHING_ASKED = np.zeros(0, REQUEST)
_ROOM_FOR_TAPES = 256 << 20
_SHARED_BY_THREADS = 200_000
"""People for whom handing windows to several threads is worth the handing."""

Progress = Callable[[int, int], None]
"""Told windows done and windows in all."""


class Crowd:
    """Some of the people, resident: their states, and the lists of whom each window concerns."""

    def __init__(
        self, worlds: np.ndarray, span: np.ndarray, numbers: np.ndarray, markets: np.ndarray, first: int
    ) -> None:
        count = len(numbers)
        self._worlds, self._span, self.first = worlds, span, first
        self._states, self._pages = records(new_states(count)), records(new_page())
        next_at, following, preceding = (np.zeros(count, np.int64) for _ in range(3))
        self._heads = heads = np.full(windows_in(span), -1, np.int64)
        self._requests, self._filled = np.zeros(REQUESTS_AT_ONCE, REQUEST), np.zeros(2, np.int64)
        self._lists = (next_at, heads, following, preceding)
        begin_together(worlds, numbers, markets, span, self._states, self._lists, self._pages)

    @property
    def alarms(self) -> int:
        """Alarms rung since the start."""
        return int(self._filled[1])

    def deliver(self, effects: np.ndarray, now: int) -> None:
        """Hand effects to those of their subscribers who are in this crowd."""
        deliver_effects(
            self._worlds, self._span, self._states, self._lists, self._pages, records(effects), self.first, now
        )

    def book(self, k: int, until: int) -> np.ndarray:
        """How many book each gateway for a window, by the one after it."""
        bookings = np.zeros(GATEWAYS * GATEWAYS, np.int64)
        if self._heads[k] < 0:
            return bookings
        book_window(self._worlds, self._span, self._states, self._lists, k, until, bookings)
        return bookings

    def run(self, k: int, until: int) -> tuple[np.ndarray, np.ndarray]:
        """Ring everything in a window; return the attempts of each gateway, and what was asked of desks."""
        counts = np.zeros((2, GATEWAYS), np.int64)
        if self._heads[k] < 0:
            return counts, _NOTHING_ASKED
        asked, is_over = [], False
        while not is_over:
            self._filled[0] = 0
            is_over = run_window(
                self._worlds, self._span, k, until, self._states, self._lists, self._pages, counts,
                records(self._requests), self.first, self._filled,
            )  # fmt: skip
            asked.append(self._requests[: self._filled[0]].copy())
        return counts, asked[0] if len(asked) == 1 else np.concatenate(asked)


def windows_in(span: np.ndarray) -> int:
    """How many windows a run touches."""
    return int((span[END] - 1) // span[WINDOW] - span[FIRST_WINDOW] + 1)


def everybody(world: CompiledWorld) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and market indices of all people, shard by shard."""
    numbers, markets = zip(*(people_of_shard(world, shard) for shard in range(SHARDS)), strict=True)
    return np.concatenate(numbers), np.concatenate(markets)


def record_tape(
    before: CompiledWorld,
    after: CompiledWorld | None = None,
    *,
    replayed: Tape | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Tape:
    """Simulate everybody window by window and return the tape; `after` holds from the start on.

    With `replayed`, the tape of another world, people see what was published there, and desks answer each as if they
    alone had come beside those who came there: what is left is the direct effect of the difference between the worlds.
    `threads` changes nothing but the time.
    """
    after = after or before
    numbers, markets = everybody(before)
    check_room(len(numbers), after.members)
    worlds, span = worlds_of(before, after), span_of(before, after)
    threads = threads if len(numbers) > _SHARED_BY_THREADS else 1
    edges = [len(numbers) * i // threads for i in range(threads + 1)]
    parts = [slice(a, b) for a, b in pairwise(edges)]
    with ThreadPoolExecutor(threads, "billing-sim-window") as pool:
        begin = lambda part: Crowd(worlds, span, numbers[part], markets[part], part.start)  # noqa: E731
        crowds = list(pool.map(begin, parts))
        each = pool.map if threads > 1 else map
        return Windows(after, worlds, span, crowds, each, replayed).run(progress or (lambda _done, _total: None))


class Windows:
    """The windows of one run, from the first barrier to the last."""

    def __init__(
        self,
        world: CompiledWorld,
        worlds: np.ndarray,
        span: np.ndarray,
        crowds: list[Crowd],
        each: Callable,
        replayed: Tape | None,
    ) -> None:
        self._worlds, self._span, self._crowds, self._each, self._replayed = worlds, span, crowds, each, replayed
        self._queue = queue_of(world)
        self._barrier = Barrier(world)
        self._counts, self._effects = np.zeros((2, GATEWAYS), np.int64), np.zeros(0, EFFECT)
        self._recorder = Recorder()

    def run(self, progress: Progress) -> Tape:
        """Everything, from the start to the end."""
        total, length = windows_in(self._span), int(self._span[WINDOW])
        for k in range(total):
            begin = (int(self._span[FIRST_WINDOW]) + k) * length
            self._deliver(begin)
            self._publish(k, begin + length)
            self._live(k, begin, begin + length)
            if k % 64 == 0:
                progress(k, total)
        self._effects = self._effects[self._effects["at"] < self._span[END]]
        self._deliver(begin + length)
        return self._recorder.tape()

    def _deliver(self, now: int) -> None:
        if len(self._effects):
            self._recorder.add_effects(self._effects, now)
            list(self._each(lambda crowd: crowd.deliver(self._effects, now), self._crowds))

    def _publish(self, k: int, until: int) -> None:
        bookings = np.zeros(GATEWAYS * GATEWAYS, np.int64)
        if self._barrier.needs_bookings and self._replayed is None:
            bookings = sum(self._each(lambda crowd: crowd.book(k, until), self._crowds))
        row = self._barrier.publish(bookings, self._counts) if self._replayed is None else self._replayed.row(k)
        self._worlds["published"][self._span[FROM_START] :] = row
        self._recorder.add_row(row)

    def _live(self, k: int, begin: int, until: int) -> None:
        lived = list(self._each(lambda crowd: crowd.run(k, until), self._crowds))
        self._counts = sum(counts for counts, _ in lived)
        if self._queue is not None:
            asked = in_order(_together([requests for _, requests in lived if len(requests)]))
            self._recorder.add_requests(asked)
            if self._replayed is None:
                self._effects = self._queue.serve(asked, begin, until)
            else:
                others = self._replayed.asked(begin, until)
                self._effects = self._queue.serve_beside(asked, others, begin, until)


def _together(asked: list[np.ndarray]) -> np.ndarray:
    """What was asked in a window; of nothing and of one crowd nothing has to be put together."""
    return np.concatenate(asked) if len(asked) > 1 else asked[0] if asked else _NOTHING_ASKED


_tapes: OrderedDict[tuple[str, ...], Tape] = OrderedDict()
_lock = threading.Lock()


def tape_of(world: CompiledWorld, threads: int = 1) -> Tape:
    """The tape of a world; an empty one where people share nothing. Those of late are kept."""
    if not world.is_coupled:
        return NOTHING_SHARED
    return _kept((world.digest,), lambda: record_tape(world, threads=threads))


def direct_tape_of(before: CompiledWorld, after: CompiledWorld) -> Tape:
    """What people meet in `after` from the start on, if everything shared stays as it was in `before`.

    What barriers published is the same; desks answer whoever asks, each as if nobody else lived differently.
    """
    own = tape_of(before)
    if before is after or queue_of(after) is None:
        return own
    return _kept((before.digest, after.digest, "direct"), lambda: record_tape(before, after, replayed=own))


def total_tape_of(before: CompiledWorld, after: CompiledWorld) -> Tape:
    """What people meet in `after` from the start on where everybody lives in it: all that they do to one another."""
    if before is after:
        return tape_of(before)
    return _kept((before.digest, after.digest, "total"), lambda: record_tape(before, after))


def _kept(key: tuple[str, ...], make: Callable[[], Tape]) -> Tape:
    with _lock:
        tape = _tapes.get(key)
    # Two threads may make the same tape, which is the same tape.
    tape = tape or make()
    with _lock:
        _tapes[key] = tape
        _tapes.move_to_end(key)
        while len(_tapes) > 1 and sum(it.size for it in _tapes.values()) > _ROOM_FOR_TAPES:
            _tapes.popitem(last=False)
    return tape
