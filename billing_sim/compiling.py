"""The first run on a machine: every entry point is compiled, in two processes, and kept for all runs to come.

Numba compiles one function at a time and holds a lock meanwhile, so a second processor helps only from a process of its
own. It takes what knows no rule of a subscriber's life (facts, columns, shards: a quarter of the work); the rules, and
everything into which they are linked, stay here. Without the helper the result is the same, and later.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from billing_sim.rule import forget_old_code

_BESIDE = (
    "import billing_sim.drivers.shards, billing_sim.drivers.sample, billing_sim.facts.folding, billing_sim.runs.writer"
)


def compile_all() -> None:
    """Compile what both drivers, the fold and `trace --truth` need, so that nothing is compiled later."""
    forget_old_code()
    with _helper():
        from billing_sim.drivers import oracle  # noqa: F401


@contextmanager
def _helper() -> Iterator[None]:
    """A process that compiles its part while the body runs; it ends with the body or soon after.

    It imports nothing from the folder that the user happens to be in (-P).
    """
    try:
        helper = subprocess.Popen(
            [sys.executable, "-P", "-c", _BESIDE],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, ValueError):
        yield
        return
    try:
        yield
        with suppress(subprocess.TimeoutExpired):
            helper.wait(60)
    finally:
        helper.kill()
        helper.wait()
