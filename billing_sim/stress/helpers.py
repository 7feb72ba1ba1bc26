"""Processes that share the work of the lab: each lives one world after the other, as this process does meanwhile.

Threads gain next to nothing here, since most of the time is spent in the interpreter. A helper is a fresh interpreter
that is told through a pipe what to do, so it needs no importable `__main__`, is the same from a script, a notebook and
on every system, and ends when this process does, however that ends. Whatever goes wrong with a helper (it cannot be
started, it dies, its task fails) is done again here: errors are raised here, and no result depends on helpers.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias, TypeVar

from billing_sim.crew import usual_workers

MOST = 4
"""Processes in all, this one included: each holds the tables of a world, up to a gigabyte."""

PATIENCE = 1.0
"""Seconds of work before help is called: an interpreter needs as long to get ready."""

_SERVE = "import sys; sys.path += {paths!r}; from billing_sim.stress.helper import serve; serve()"
_LOST = (OSError, EOFError, ValueError, TypeError, AttributeError, pickle.PickleError)
"""What goes wrong between two processes: one of them is gone, or something cannot be told to the other."""
_WAIT_SECONDS = 0.1

_Key = TypeVar("_Key", bound=Hashable)
_Done = TypeVar("_Done")
Tasks: TypeAlias = Mapping[_Key, Callable[[], _Done]]
"""What is to be done: each a `functools.partial` of a function of some module, with arguments that can be pickled."""


class Helpers:
    """The processes that help from when the work turns out to be long until the end of the `with` statement.


    >>> with Helpers() as helpers:                      # doctest: +SKIP
    ...     for name, found in helpers.share(tasks):
    ...         print(name, found)
    """

    def __init__(self, most: int = MOST, patience: float = PATIENCE) -> None:
        self._most, self._called_at = min(usual_workers(), most) - 1, time.monotonic() + patience
        self._helpers: list[_Helper] | None = None

    def share(self, tasks: Tasks[_Key, _Done]) -> Iterator[tuple[_Key, _Done]]:
        """Do every task, here or in another process, and give what comes out, as it gets ready.

        Whatever a task raises is raised here.
        """
        work = _Work(tasks)
        for helper in self._helpers or ():
            helper.join_in(work)
        for _ in tasks:
            if self._helpers is None and work.is_plenty and time.monotonic() > self._called_at:
                self.call()
                for helper in self._helpers or ():
                    helper.join_in(work)
            yield work.next()

    def call(self) -> None:
        """Start the processes, unless they are there; where that fails there are fewer.

        Who knows that there will be plenty to do calls them before it is ready to be done.
        """
        if self._helpers is not None:
            return
        self._helpers = []
        with suppress(OSError, ValueError):
            for _ in range(self._most):
                self._helpers.append(_Helper())

    def __enter__(self) -> Helpers:
        return self

    def __exit__(self, *_: object) -> None:
        for helper in self._helpers or ():
            helper.end()


class _Helper:
    """One process, and the one thread that tells it what to do, a piece of work after the other.

    There is never another thread: two would wait for the same answer, and each would take that of the other.
    """

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-c", _SERVE.format(paths=[path for path in sys.path if path])]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        self._ahead: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._attend, name="billing-sim-helper", daemon=True)
        self._thread.start()

    def join_in(self, work: _Work) -> None:
        """Let it take tasks of this work, once it is there and through with what came before."""
        self._ahead.put(work)

    def _attend(self) -> None:
        with suppress(*_LOST):
            self._answer()  # it has imported all that it needs; until then others take the tasks
            while work := self._ahead.get():
                work.hand_over(self)

    def do(self, task: Callable[[], _Done]) -> _Done:
        """What comes out of a task there; one of `_LOST` where nothing does."""
        assert self._process.stdin
        pickle.dump(task, self._process.stdin, pickle.HIGHEST_PROTOCOL)
        self._process.stdin.flush()
        found: _Done = self._answer()
        return found

    def _answer(self) -> Any:
        assert self._process.stdout
        is_done, found = pickle.load(self._process.stdout)
        if not is_done:
            raise ValueError("the task failed")
        return found

    def end(self) -> None:
        """Stop it at once, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._ahead.put(None)
        self._thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe and pipe.close()


class _Work:
    """Tasks from which this process and its helpers take one after the other."""

    def __init__(self, tasks: Tasks[Any, Any]) -> None:
        self._tasks = tasks
        self._todo: SimpleQueue[Any] = SimpleQueue()
        self._done: SimpleQueue[tuple[Any, bool, Any]] = SimpleQueue()
        for key in tasks:
            self._todo.put(key)

    @property
    def is_plenty(self) -> bool:
        """Whether more than one task is left."""
        return self._todo.qsize() > 1

    def next(self) -> tuple[Any, Any]:
        """What got ready meanwhile, or else what comes out of the next task, done here, or of the last ones there."""
        with suppress(Empty):
            return self._taken(*self._done.get_nowait())
        with suppress(Empty):
            return self._taken(self._todo.get_nowait(), False, None)
        while True:
            # Waiting without end could not be interrupted on every system.
            with suppress(Empty):
                return self._taken(*self._done.get(timeout=_WAIT_SECONDS))

    def _taken(self, key: Any, is_done: bool, found: Any) -> tuple[Any, Any]:
        return key, found if is_done else self._tasks[key]()

    def hand_over(self, helper: _Helper) -> None:
        """Have a helper do tasks until none is left; one of `_LOST` where a task is left to this process."""
        with suppress(Empty):
            while True:
                key = self._todo.get_nowait()
                try:
                    self._done.put((key, True, helper.do(self._tasks[key])))
                except BaseException:
                    self._done.put((key, False, None))
                    raise
