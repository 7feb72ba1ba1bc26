"""The first run on a machine: what every run needs is compiled, in two processes, and kept for all runs to come.

Numba compiles one function at a time and holds a lock meanwhile, so a second processor helps only from a process of its
own. The helper takes rules from the end of the list while we take them from the beginning, then what knows no rule of a
subscriber's life (facts, columns, shards) while we link and optimise the engine. Without the helper the result is the
same, and later.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from billing_sim.rule import compile_rules, forget_old_code

_BESIDE = "from billing_sim.compiling import help_out; help_out()"


def compile_all() -> None:
    """Compile what both drivers and the fold need, so that no run compiles anything later."""
    forget_old_code()
    with _helper():
        from billing_sim.drivers import kernel  # noqa: F401

        _import_the_rest()


def help_out() -> None:
    """What the helper does."""
    from billing_sim.lifecycle import life, ring

    compile_rules(ring.begin, ring.next_alarm, life.step, backwards=True)
    _import_the_rest()


def _import_the_rest() -> None:
    """What the one is compiling already the other waits for."""
    from billing_sim.drivers import sample, shards  # noqa: F401
    from billing_sim.facts import folding  # noqa: F401
    from billing_sim.runs import writer  # noqa: F401


@contextmanager
def _helper() -> Iterator[None]:
    """A process that compiles its part while the body runs, and not for longer.

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
    finally:
        helper.kill()
        helper.wait()
