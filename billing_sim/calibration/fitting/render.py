"""A fit on a terminal: targets before and after, parameters, and what the targets do not pin down."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from billing_sim.calibration.fitting.pinned import HOLDS, at_bound

if TYPE_CHECKING:
    from billing_sim.calibration.fitting.asking import Fit
    from billing_sim.calibration.fitting.targets import Target

WIDTH = 110


def text(it: Fit) -> str:
    """The whole report as plain text."""
    parts = (_heading(it), _targets(it), _parameters(it), _unpinned(it))
    return "\n\n".join("\n".join(part) for part in map(list, parts) if part)


def _heading(it: Fit) -> Iterator[str]:
    yield (
        f"{it.name}, {it.members:,} members: {_counted(len(it.parameters), 'parameter')} fitted to "
        f"{_counted(len(it.targets), 'target')} with seeds {_seeds(it.seeds)}, "
        f"checked with seeds {_seeds(it.fresh_seeds)}."
    )
    yield f"{_counted(it.optimum.rounds, 'round')}; {it.optimum.why}."
    if it.is_short_of_targets:
        yield "There are more parameters than targets: not all of them can be known. See below which."


def _targets(it: Fit) -> Iterator[str]:
    names = [target.name for target in it.targets]
    width = max(6, *map(len, names))
    yield f"{'target':<{width}}  {'wanted':>10} {'tolerance':>10}  {'before':>16}  {'after':>16}  {'fresh seeds':>16}"
    for place, target in enumerate(it.targets):
        cells = [_cell(it, target, values, place) for values in (it.before, it.after, it.fresh)]
        wanted, tolerance = _said(target, target.value), _said(target, target.tolerance)
        yield f"{names[place]:<{width}}  {wanted:>10} {tolerance:>10}  " + "  ".join(f"{cell:>16}" for cell in cells)
    told = [f"{name} {it.error(values):.2f}" for name, values in
            (("before", it.before), ("after", it.after), ("fresh seeds", it.fresh))]  # fmt: skip
    yield f"In brackets: tolerances off. Root mean square: {', '.join(told)}."


def _cell(it: Fit, target: Target, values: np.ndarray, place: int) -> str:
    return f"{_said(target, float(values[place]))} ({it.distances(values)[place]:+.1f})"


def _said(target: Target, value: float) -> str:
    return f"{100 * value:.3f} %" if target.definition.unit == "share" else f"{value:,.3f}"


def _parameters(it: Fit) -> Iterator[str]:
    rows = []
    for place, each in enumerate(it.parameters):
        value = float(it.optimum.values[place])
        bound = at_bound(each.unit(value))
        hold = it.pinned.hold(place) + (f", at its {bound} bound" if bound else "")
        error = each.said(float(it.pinned.errors[place]) * each.width)
        bounds = f"{each.said(each.low)} to {each.said(each.high)}"
        rows.append((each.path, each.written, each.said(value), error, bounds, hold))
    heads = ("parameter", "before", "after", "give or take", "bounds", "")
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    for row in (heads, *rows):
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
    yield (
        "Give or take: an approximate standard error, if a tolerance is one of the target; the bounds count as an "
        "even guess."
    )
    used = dict.fromkeys(it.pinned.hold(place) for place in range(len(it.parameters)))
    yield "; ".join(f"{name}: {HOLDS[name]}" for name in used) + "."


def _unpinned(it: Fit) -> Iterator[str]:
    combinations = it.pinned.combinations
    values = ", ".join(f"{value:.2g}" for value in it.pinned.singular)
    if not combinations:
        yield f"The targets pin down every parameter and every combination (singular values {values}; a guess has 3.5)."
    else:
        yield "What the targets do not pin down:"
        for each in combinations:
            yield from textwrap.wrap(str(each), WIDTH, initial_indent="  ", subsequent_indent="    ")
        floor = f"below {it.pinned.floor:.1f} nothing is known"
        yield f"Singular values in tolerances per width of the bounds: {values}; {floor}."
    stuck = [
        each.path for each, value in zip(it.parameters, it.optimum.values, strict=True) if at_bound(each.unit(value))
    ]
    if stuck:
        yield f"At a bound: {', '.join(stuck)}. Widen it, or doubt a target."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _seeds(seeds: Sequence[int]) -> str:
    return f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
