"""Compiled rules on disk, a module of ours at a time: whoever needs them first compiles them, in whatever process.

A second processor helps only from a process of its own, since Numba holds a lock while it compiles. Processes that
start together share the rules out by claiming files, the second from the other end of the list; and who compiles
another entry point on another day finds the rules as they are, and has only to link and to optimise them.
"""

from __future__ import annotations

import hashlib
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from filelock import BaseFileLock, FileLock, Timeout

from billing_sim.linking import Rule, rules_of, without_searching
from billing_sim.rule import cache_folder, packages_of


class Part:
    """The rules of one module: claimed by one process, compiled, kept, and found by others.

    While a module is being imported, there are only its first rules, and these are another part.
    """

    def __init__(self, module: str) -> None:
        self._rules = rules_of(module)
        names = hashlib.sha256("\n".join(rule.name for rule in self._rules).encode()).hexdigest()
        self._path = cache_folder(packages_of(module)) / "rules" / f"{module.split('.', 1)[1]}-{names[:8]}.bitcode"

    def is_done(self, wait: bool) -> bool:
        """Take the code from disk, or make it and keep it; False where another process is at it, unless we `wait`."""
        if self._is_found():
            return True
        with self._claimed(-1 if wait else 0) as is_ours:
            if is_ours and not self._is_found():
                self._make()
            return is_ours

    def _is_found(self) -> bool:
        # What is damaged or only half there is not there: it is made again.
        with suppress(OSError, ValueError, KeyError, RuntimeError):
            packed = json.loads(self._path.read_bytes())
            for rule in self._rules:
                bitcode, called = packed[rule.name]
                if not rule.is_compiled:
                    rule.unpack(b64decode(bitcode), called)
            return True
        return False

    def _make(self) -> None:
        for rule in self._rules:
            if not rule.is_compiled:
                rule.compile()
        aside = self._path.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            aside.write_text(json.dumps({rule.name: _as_text(*rule.packed()) for rule in self._rules}))
            aside.replace(self._path)

    @contextmanager
    def _claimed(self, seconds: float) -> Iterator[bool]:
        """Whether these rules are now ours to make; -1 waits until they are."""
        lock: BaseFileLock | None = None
        # Where nothing can be written or locked, every process makes its own.
        with suppress(OSError, NotImplementedError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._path.with_suffix(".lock"))
            try:
                lock.acquire(timeout=seconds)
            except Timeout:
                yield False
                return
        try:
            yield True
        finally:
            if lock is not None:
                lock.release()


def _as_text(bitcode: bytes, called: list[str]) -> tuple[str, list[str]]:
    return b64encode(bitcode).decode(), called


def obtain(rules: list[Rule], backwards: bool = False) -> None:
    """See to it that all these rules are compiled, here or elsewhere."""
    parts = [Part(module) for module in dict.fromkeys(rule.module for rule in rules if not rule.is_compiled)]
    with without_searching():
        busy = [part for part in (reversed(parts) if backwards else parts) if not part.is_done(wait=False)]
        for part in busy:
            part.is_done(wait=True)
