"""A calibration on a terminal: row by row, what is fitted, checked and assumed, and the error of the instrument."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from billing_sim.calibration.comparing import OF_ONE, VERDICTS, Compared, Estimate, Verdict
from billing_sim.calibration.published import MEANINGS, STATUSES, Row

if TYPE_CHECKING:
    from billing_sim.calibration.asking import Calibration

WIDTH = 80
_WORST = 8
"""Rows named that lie farthest off."""


def text(it: Calibration) -> str:
    """The whole calibration as plain text."""
    lines = (*_heading(it), *_table(it.rows), *_statuses(it), *_not_compared(it), *_error(it), *_far(it))
    return "\n".join(line.rstrip() for line in lines)


def setting(it: Calibration) -> str:
    """The scenario, its members and its seeds."""
    luck = f"seed {it.seeds[0]}" if len(it.seeds) == 1 else f"seeds {it.seeds[0]} to {it.seeds[-1]}"
    return f"{it.scenario}, {it.members:,} members, {luck}"


def _heading(it: Calibration) -> Iterator[str]:
    yield f"{setting(it)}: simulated against published."
    yield ""


def _table(rows: tuple[Compared, ...]) -> Iterator[str]:
    yield f"{'':<4}{'unit':<8}{'published':>14}{'simulated':>24}{'off':>7}  {'verdict':<9}status"
    section = ""
    for it in rows:
        row = it.row
        if row.section != section:
            section = row.section
            yield ""
            yield section.upper()
        yield from textwrap.wrap(f"{row.what} ({row.source})", WIDTH, initial_indent="  ", subsequent_indent="  ")
        yield (
            f"{'':<4}{row.unit:<8}{row.shown:>14}{measured(it.estimate):>24}{distance(it):>7}  "
            f"{it.verdict or '–':<9}{row.status}"
        )


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


def _statuses(it: Calibration) -> Iterator[str]:
    """Which rows are of which status, and which parameters they moved."""
    for status in STATUSES:
        rows = [each.row for each in it.rows if each.row.status == status]
        if rows:
            yield ""
            yield from textwrap.wrap(f"{status.capitalize()}: {MEANINGS[status]}.", WIDTH)
        for moved, names in by_parameter(rows).items():
            said = ", ".join(names)
            yield from textwrap.wrap(
                f"{moved} <- {said}" if moved else said, WIDTH, initial_indent="  ", subsequent_indent="    "
            )


def by_parameter(rows: Iterable[Row]) -> dict[str, list[str]]:
    """The ids of rows by the parameters that were chosen to match them; under nothing those that moved none."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(", ".join(row.moved), []).append(row.id)
    return found


def _not_compared(it: Calibration) -> Iterator[str]:
    missing = [each for each in it.rows if each.estimate is None]
    if missing:
        yield ""
        yield "Not compared in this scenario:"
        for each in missing:
            yield from _item(each.row.id, each.reason)
    if it.left_out:
        yield ""
        yield f"Not compared at all, {len(it.left_out)} published figures:"
    for name, reason in it.left_out.items():
        yield from _item(name, reason)


def _item(name: str, reason: str) -> list[str]:
    return textwrap.wrap(f"{name}: {reason}", WIDTH, initial_indent="  ", subsequent_indent="    ")


def error_line(it: Calibration) -> str:
    """The normalised error as an instrument prints its own."""
    told = [f"{status} {value:.2f}" for status, value in it.errors.items() if math.isfinite(value)]
    return f"Normalised error, in tolerances: {', '.join(told) or 'nothing was compared'}."


def _error(it: Calibration) -> Iterator[str]:
    yield ""
    yield error_line(it)
    yield from textwrap.wrap(
        "Root mean square of (simulated - published) / tolerance; a tolerance is half of a published range, or a share "
        "of the figure by the confidence in its source. Only what is checked tells how good the simulator is.", WIDTH,
    )  # fmt: skip
    yield from textwrap.wrap("; ".join(f"{name}: {meaning}" for name, meaning in _meanings(it).items()) + ".", WIDTH)
    beyond = sum(each.is_beyond_a_share for each in it.rows)
    if beyond:
        rows = "1 row" if beyond == 1 else f"{beyond} rows"
        yield from textwrap.wrap(
            f"Of {rows} the interval leaves 0 to 100 %, where no share can be: the seeds scatter too far for it to say "
            "more than that. Use more seeds or members.", WIDTH,
        )  # fmt: skip


def _meanings(it: Calibration) -> dict[Verdict, str]:
    """The verdicts that there are; with one seed those of a value alone."""
    used = {each.verdict for each in it.rows}
    guesses = {name: meaning for name, meaning in OF_ONE.items() if name in used}
    return guesses if len(it.seeds) == 1 else VERDICTS | guesses


def worst(it: Calibration) -> list[Compared]:
    """The checked and fitted rows that are surely off, the farthest first."""
    rows = [each for each in it.rows if each.verdict == "far" and each.row.status != "assumed"]
    return sorted(rows, key=lambda each: -abs(each.distance))


def _far(it: Calibration) -> Iterator[str]:
    found = worst(it)
    if found:
        yield ""
        yield f"Farthest off of what is published ({len(found)} rows are far):"
        for each in found[:_WORST]:
            said = f"{each.row.what}: {each.row.shown} published, {measured(each.estimate)} simulated ({each.row.unit})"
            yield from _item(f"{distance(each)}", said)
