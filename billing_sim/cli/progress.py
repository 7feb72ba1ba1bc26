"""How far a simulation is: a bar on stderr, only on a terminal, and only once there is time to read it."""

from __future__ import annotations

import shlex
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from billing_sim import news
from billing_sim.cli.output import complain, terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress as Display

    from billing_sim.simulate import Progress

PATIENCE_SECONDS = 1.0


def announce_compiling(quiet: bool = False) -> None:
    """From now on, say why something takes longer the first time, before it does, unless all is to be quiet."""
    news.listen(lambda text: None if quiet else complain(text))


def command_line() -> str:
    """What the user typed, for the manifest."""
    return shlex.join(["billing-sim", *sys.argv[1:]])


class Bar:
    """A display that begins after a second, follows the simulation, and leaves nothing behind."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._task = display.add_task("simulating", total=None, news="")
        self._begun = time.monotonic()
        self._simulating_since = 0.0

    def __call__(self, it: Progress) -> None:
        """Show the latest news of the simulation."""
        now = time.monotonic()
        if it.phase == "simulating" and not self._simulating_since:
            self._simulating_since = now
            self._display.reset(self._task)
        seconds = now - self._simulating_since if self._simulating_since else 0.0
        news = f"{it.done:,} of {it.total:,} people" if it.total else ""
        if seconds > 0 and it.events:
            news += f", {it.events / seconds:,.0f} events/s"
        self._display.update(self._task, description=it.phase, completed=it.done, total=it.total or None, news=news)
        if now - self._begun > PATIENCE_SECONDS:
            self._display.start()


@contextmanager
def bar() -> Iterator[Callable[[Progress], None]]:
    """A bar to report progress to; nothing happens where nobody could see it."""
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Display

    console = terminal(stderr=True)
    if not console.is_terminal and not console.is_jupyter:
        yield lambda _it: None
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=None),
        TextColumn("{task.fields[news]}"), TimeRemainingColumn(compact=True),
    )  # fmt: skip
    display = Display(*columns, console=console, transient=True, expand=True)
    try:
        yield Bar(display)
    finally:
        display.stop()


class Count:
    """A display of so many of so many things, with their rate; it begins after a second."""

    def __init__(self, display: Display, what: str) -> None:
        self._display, self._task = display, display.add_task(what, total=None, news="")
        self._begun = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Show that so much of all is done."""
        seconds = time.monotonic() - self._begun
        if seconds < PATIENCE_SECONDS:
            return
        rate = f", {done / seconds:,.{0 if done > 10 * seconds else 1}f}/s" if done else ""
        self._display.update(self._task, completed=done, total=total, news=f"{done:,} of {total:,}{rate}")
        self._display.start()


@contextmanager
def counting(what: str, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A bar over so many worlds or people with rate and time left, told (done, in all); None where nobody sees it."""
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Display

    console = terminal(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn(what), BarColumn(bar_width=None), TextColumn("{task.fields[news]}"),
        TimeRemainingColumn(compact=True),
    )  # fmt: skip
    display = Display(*columns, console=console, transient=True, expand=True)
    try:
        yield Count(display, what)
    finally:
        display.stop()


@contextmanager
def waiting(what: str, quiet: bool) -> Iterator[None]:
    """Say what is being done, and for how long, where it is one question whose parts cannot be counted."""
    from rich.progress import Progress as Display
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    console = terminal(stderr=True)
    if quiet or not console.is_terminal:
        yield
        return
    display = Display(SpinnerColumn(), TextColumn(what), TimeElapsedColumn(), console=console, transient=True)
    display.add_task(what, total=None)
    patience = threading.Timer(PATIENCE_SECONDS, display.start)
    patience.daemon = True
    patience.start()
    try:
        yield
    finally:
        patience.cancel()
        patience.join()
        display.stop()
