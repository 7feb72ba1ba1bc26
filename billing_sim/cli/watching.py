"""`billing-sim run --watch`: the core numbers of the four views as they looked on the days of the run.

Each picture is what `billing-sim metrics RUN --as-of` says for its day: facts as they had been recorded by then.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from billing_sim.cli.output import complain, terminal

if TYPE_CHECKING:
    from rich.console import RenderableType

    from billing_sim.metrics.views import Views
    from billing_sim.result import Run

PICTURES = 52
"""At most so many days are shown."""

_BARS = "▁▂▃▄▅▆▇█"
_HISTORY = 24


def watch(run: Run) -> None:
    """Show the days of a run one after the other; Ctrl-C skips to the end."""
    from rich.live import Live

    console = terminal()
    if not console.is_terminal:
        complain("Nothing to watch: this is no terminal.")
        return
    days = list(moments(run))
    history: dict[str, list[float]] = defaultdict(list)
    began = time.monotonic()
    try:
        with Live(console=console, screen=False, auto_refresh=False, transient=True) as live:
            for number, day in enumerate(days, start=1):
                found = run.views(as_of=day)
                _remember(found, history)
                left = (time.monotonic() - began) / number * (len(days) - number)
                live.update(picture(found, day, history, _news(number, len(days), left)), refresh=True)
    except KeyboardInterrupt:
        complain("Skipped to the end; the run is complete.")


def moments(run: Run) -> Iterator[datetime]:
    """The days that are shown: every day of a short run, every n-th of a long one, always the last."""
    start, end = (datetime.fromisoformat(text) for text in (run.manifest.identity.start, run.manifest.identity.end))
    step = -(-(end - start).days // PICTURES)
    day = start + timedelta(days=step)
    while day < end:
        yield day
        day += timedelta(days=step)
    yield end


def _remember(found: Views, history: dict[str, list[float]]) -> None:
    for results in found.results.values():
        for result in results:
            if result.definition.tier == "core" and result.value is not None:
                history[result.id].append(float(result.value))


def _news(number: int, total: int, left: float) -> str:
    return f"picture {number} of {total}, about {left:.0f} s left; Ctrl-C skips to the end"


def picture(found: Views, day: datetime, history: dict[str, list[float]], news: str) -> RenderableType:
    """The core metrics of every view on one day, with their course so far."""
    from rich.console import Group
    from rich.text import Text

    from billing_sim.metrics.words import size, value

    lines: list[RenderableType] = [Text.assemble((f"As of {day:%Y-%m-%d}", "bold"), (f"  {news}", "dim"))]
    for view, results in found.results.items():
        lines += [Text(), Text(view.upper(), style="bold cyan")]
        for result in results:
            it = result.definition
            if it.tier != "core":
                continue
            half = result.reach
            width = f"± {size(it, half)}" if half is not None else ""
            shown = Text(f"  {it.id:<30}{value(it, result, result.currency):>16}  {width:<12}")
            shown.append(course(history[it.id]), style="green")
            if result.immature:
                shown.append(f"  ~ {result.immature:,}", style="dim")
            lines.append(shown)
    return Group(*lines)


def course(values: list[float]) -> str:
    """The latest values as a row of bars between their lowest and highest."""
    latest = values[-_HISTORY:]
    if len(latest) < 2:
        return ""
    low, high = min(latest), max(latest)
    size = (high - low) or 1.0
    return "".join(_BARS[min(int((value - low) / size * len(_BARS)), len(_BARS) - 1)] for value in latest)
