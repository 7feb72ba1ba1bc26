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

from billing_sim.drivers.crowd import Crowd, everybody
from billing_sim.drivers.memory import check_room
from billing_sim.drivers.one_crowd import Course
from billing_sim.drivers.requests import queue_of
from billing_sim.drivers.several_crowds import Progress, Windows
from billing_sim.drivers.tape import NOTHING_SHARED, Tape, span_of, worlds_of
from billing_sim.world.compile import CompiledWorld

_ROOM_FOR_TAPES = 256 << 20
_SHARED_BY_THREADS = 200_000
"""People for whom handing windows to several threads is worth the handing."""


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
    progress = progress or (lambda _done, _total: None)
    if threads == 1 or len(numbers) <= _SHARED_BY_THREADS:
        return Course(after, span, Crowd(worlds, span, numbers, markets, 0), replayed).run(progress)
    edges = [len(numbers) * i // threads for i in range(threads + 1)]
    parts = [slice(a, b) for a, b in pairwise(edges)]
    with ThreadPoolExecutor(threads, "billing-sim-window") as pool:
        begin = lambda part: Crowd(worlds, span, numbers[part], markets[part], part.start)  # noqa: E731
        crowds = list(pool.map(begin, parts))
        return Windows(after, worlds, span, crowds, pool.map, replayed).run(progress)


_tapes: OrderedDict[tuple[str, ...], Tape] = OrderedDict()
_making: dict[tuple[str, ...], threading.Lock] = {}
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
        turn = _making.setdefault(key, threading.Lock())
    with turn:  # who asks for a tape that another thread is making waits for it
        with _lock:
            tape = _tapes.get(key)
        tape = tape or make()
        _keep(key, tape)
    return tape


def _keep(key: tuple[str, ...], tape: Tape) -> None:
    with _lock:
        _tapes[key] = tape
        _tapes.move_to_end(key)
        _making.pop(key, None)
        while len(_tapes) > 1 and sum(it.size for it in _tapes.values()) > _ROOM_FOR_TAPES:
            _tapes.popitem(last=False)
