"""Workers who share the parts of a run: threads, since compiled rules and Parquet writing let go of the lock.

Each takes parts, groups of neighbouring shards, until none is left; what a shard holds does not depend on who takes
it, so workers never change what comes out.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait

MOST_WORKERS = 64
_REPORT_SECONDS = 0.1

Labour = Callable[[int], None]
"""What one worker does with a part, by its number."""


def usual_workers() -> int:
    """As many as there are processors, at most 16."""
    return min(os.cpu_count() or 1, 16)


class Crew:
    """So many workers on so many parts; a labour that takes long should look at `is_stopped` and return early."""

    def __init__(self, parts: int) -> None:
        self._parts: Iterator[int] = iter(range(parts))
        self._lock = threading.Lock()
        self._stop = threading.Event()

    @property
    def is_stopped(self) -> bool:
        """Whether another worker has failed, or the caller was interrupted."""
        return self._stop.is_set()

    def run(self, workers: int, begin: Callable[[], Labour], report: Callable[[], None]) -> None:
        """Let each worker `begin` with tools of its own and do every part; whatever stops one stops them all.

        `report` is called ten times a second meanwhile, by the caller's thread.
        """
        with ThreadPoolExecutor(workers, "billing-sim") as pool:
            tasks = [pool.submit(self._work, begin) for _ in range(workers)]
            try:
                while wait(tasks, _REPORT_SECONDS).not_done:
                    report()
            except BaseException:
                self._stop.set()
                raise
        for task in tasks:
            task.result()

    def _work(self, begin: Callable[[], Labour]) -> None:
        try:
            labour = begin()
            while not self.is_stopped:
                with self._lock:
                    number = next(self._parts, None)
                if number is None:
                    return
                labour(number)
        except BaseException:
            self._stop.set()
            raise
