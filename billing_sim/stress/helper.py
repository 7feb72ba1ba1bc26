"""A process that helps: it does the tasks that come through its standard input, and answers through its output.

It ends when there is nobody left to tell it anything, even in the middle of a task.
"""

from __future__ import annotations

import atexit
import gc
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

Task = Callable[[], Any]


def serve() -> None:
    """Say that it is ready, then answer every task with (True, what came out), or (False, None) where it failed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who is interrupted is the one that called, and ends this process
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    from billing_sim.stress import lab  # noqa: F401  (all that its tasks need)

    gc.freeze()  # what was imported stays, and need not be looked through again and again
    atexit.register(gc.unfreeze)  # or DuckDB would complain at the end that nobody let go of its types

    tasks: SimpleQueue[Task] = SimpleQueue()
    threading.Thread(target=_listen, args=(tasks,), daemon=True).start()
    answer: tuple[bool, Any] = (True, None)
    while True:
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()
        answer = _done(tasks.get())


def _done(task: Task) -> tuple[bool, Any]:
    try:
        return True, task()
    except Exception:
        return False, None


def _listen(tasks: SimpleQueue[Task]) -> None:
    """Take tasks until the pipe is closed, which it is when the process at its other end is gone."""
    try:
        while True:
            tasks.put(pickle.load(sys.stdin.buffer))
    finally:
        os._exit(0)
