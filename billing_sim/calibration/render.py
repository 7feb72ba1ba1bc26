"""A calibration on a terminal: row by row, what is fitted, checked and assumed, and the error of the instrument."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from billing_sim.calibration.comparing import VERDICTS, Compared, Estimate
from billing_sim.calibration.published import MEANINGS, STATUSES, Row

if TYPE_CHECKING:
    from billing_sim.calibration.asking import Calibration

WIDTH = 132
_WORST = 8
"""Rows named that lie farthest off."""


def text(it: Calibration, width: int = WIDTH) -> str:
    """The whole calibration as plain text."""
    out = io.StringIO()
    console = Console(file=out, width=width, no_color=True, force_terminal=False, legacy_windows=False)
    for line in _heading(it):
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    console.print(_table(it.rows))
    for line in (*_statuses(it, width), *_not_compared(it, width), *_error(it), *_far(it, width)):
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def setting(it: Calibration) -> str:
    """The scenario, its members and its seeds."""
    luck = f"seed {it.seeds[0]}" if len(it.seeds) == 1 else f"seeds {it.seeds[0]} to {it.seeds[-1]}"
    return f"{it.scenario}, {it.members:,} members, {luck}"


def _heading(it: Calibration) -> Iterator[str]:
    yield f"{setting(it)}: simulated against published."
    yield ""


def _table(rows: tuple[Compared, ...]) -> Table:
    found = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head, side in (
        ("what", "left"), ("source", "left"), ("unit", "left"), ("published", "right"), ("simulated", "right"),
        ("off", "right"), ("verdict", "left"), ("status", "left"),
    ):  # fmt: skip
        found.add_column(head, justify=side, no_wrap=head not in ("what", "source"), overflow="fold")  # type: ignore[arg-type]
    section = ""
    for it in rows:
        if it.row.section != section:
            section = it.row.section
            found.add_row(f"\n{section.upper()}")
        row = it.row
        found.add_row(
            f"  {row.what}", row.source, row.unit, row.shown, measured(it.estimate), distance(it),
            it.verdict or "–", row.status,
        )  # fmt: skip
    return found


def measured(it: Estimate | None) -> str:
    """A mean with its interval."""
    if it is None:
        return "–"
    if not math.isfinite(it.half_width):
        return number(it.mean)
    return f"{number(it.mean)} [{number(it.low)}, {number(it.high)}]"


def distance(it: Compared) -> str:
    """How many tolerances a row lies off."""
    return "–" if it.estimate is None else f"{it.distance:+.1f}".replace("-0.0", "0.0").replace("+0.0", "0.0")


def number(value: float) -> str:
    """A figure with as many digits as anybody reads."""
    return f"{value:.1f}" if abs(value) >= 20 else f"{value:.2f}"


def _statuses(it: Calibration, width: int) -> Iterator[str]:
    """Which rows are of which status, and which parameters they moved."""
    for status in STATUSES:
        rows = [each.row for each in it.rows if each.row.status == status]
        if rows:
            yield ""
            yield f"{status.capitalize()}: {MEANINGS[status]}."
        for moved, names in by_parameter(rows).items():
            said = ", ".join(names)
            yield from textwrap.wrap(
                f"{moved} <- {said}" if moved else said, width, initial_indent="  ", subsequent_indent="    "
            )


def by_parameter(rows: Iterable[Row]) -> dict[str, list[str]]:
    """The ids of rows by the parameters that were chosen to match them; under nothing those that moved none."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(", ".join(row.moved), []).append(row.id)
    return found


def _not_compared(it: Calibration, width: int) -> Iterator[str]:
    missing = [each for each in it.rows if each.estimate is None]
    if missing:
        yield ""
        yield "Not compared in this scenario:"
        for each in missing:
            yield from _item(each.row.id, each.reason, width)
    if it.left_out:
        yield ""
        yield f"Not compared at all, {len(it.left_out)} published figures:"
    for name, reason in it.left_out.items():
        yield from _item(name, reason, width)


def _item(name: str, reason: str, width: int) -> list[str]:
    return textwrap.wrap(f"{name}: {reason}", width, initial_indent="  ", subsequent_indent="    ")


def error_line(it: Calibration) -> str:
    """The normalised error as an instrument prints its own."""
    told = [f"{status} {value:.2f}" for status, value in it.errors.items() if math.isfinite(value)]
    return f"Normalised error, in tolerances: {', '.join(told) or 'nothing was compared'}."


def _error(it: Calibration) -> Iterator[str]:
    yield ""
    yield error_line(it)
    yield "Root mean square of (simulated - published) / tolerance; a tolerance is half of a published range, or a"
    yield "share of the figure by the confidence in its source. Only what is checked tells how good the simulator is."
    yield "; ".join(f"{name}: {meaning}" for name, meaning in VERDICTS.items()) + "."


def worst(it: Calibration) -> list[Compared]:
    """The checked and fitted rows that are surely off, the farthest first."""
    rows = [each for each in it.rows if each.verdict == "far" and each.row.status != "assumed"]
    return sorted(rows, key=lambda each: -abs(each.distance))


def _far(it: Calibration, width: int) -> Iterator[str]:
    found = worst(it)
    if found:
        yield ""
        yield f"Farthest off of what is published ({len(found)} rows are far):"
        for each in found[:_WORST]:
            said = f"{each.row.what}: {each.row.shown} published, {measured(each.estimate)} simulated ({each.row.unit})"
            yield from _item(f"{distance(each)}", said, width)
