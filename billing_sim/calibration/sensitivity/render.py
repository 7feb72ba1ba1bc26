"""A sensitivity on a terminal: metric by metric what each assumption is worth, the widest first."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from billing_sim.metrics import words
from billing_sim.metrics.result import Figure

if TYPE_CHECKING:
    from billing_sim.calibration.comparing import Estimate
    from billing_sim.calibration.sensitivity.asking import Sensitivity
    from billing_sim.metrics.definition import Definition

WIDTH = 80


def text(it: Sensitivity) -> str:
    """The whole report as plain text."""
    parts = [_heading(it), *(_panel(it, definition) for definition in it.definitions), _levers(it)]
    return "\n\n".join("\n".join(part) for part in parts)


def _heading(it: Sensitivity) -> Iterator[str]:
    luck = f"seed {it.seeds[0]}" if len(it.seeds) == 1 else f"seeds {it.seeds[0]} to {it.seeds[-1]}"
    yield f"{it.scenario}, {it.members:,} members, {luck}: what the assumptions are worth."
    shown = "one seed, so no intervals" if len(it.seeds) == 1 else "95 % intervals over seeds"
    yield "Each at its low and at its high end, the same people with the same luck;"
    yield f"{shown}."
    if not it.swings:
        yield "Nothing was tried: no assumption fits this scenario."


def _panel(it: Sensitivity, definition: Definition) -> Iterator[str]:
    base = it.base[definition.id]
    value = "undefined" if base is None else words.value(definition, Figure(base, 0, 1, 0))
    yield from textwrap.wrap(f"{definition.title} ({definition.id}): {value}", WIDTH)
    own = next(swings for panel, swings in it.panels if panel.id == definition.id)
    for swing in own:
        yield f"  {swing.lever.name}"
        for said, end in ((swing.lever.low, swing.low), (swing.lever.high, swing.high)):
            yield f"    {said:<24} {_end(end, swing.unit)}"


def _end(it: Estimate | None, unit: str) -> str:
    if it is None:
        return "undefined"
    if not any(it.values):
        return "nothing"
    luck = f" ± {it.half_width:.2f}" if math.isfinite(it.half_width) else ""
    return f"{it.mean:+.2f}{luck} {unit}"


def _levers(it: Sensitivity) -> Iterator[str]:
    yield "The assumptions:"
    for lever in {swing.lever.name: swing.lever for swing in it.swings}.values():
        said = f"{lever.name}: {it.assumed[lever.name]}; from {lever.low} to {lever.high}. {lever.why}"
        yield from textwrap.wrap(said, WIDTH, initial_indent="  ", subsequent_indent="    ")
    for name, reason in it.misfits.items():
        yield from textwrap.wrap(f"{name}: not tried, {reason}", WIDTH, initial_indent="  ", subsequent_indent="    ")
