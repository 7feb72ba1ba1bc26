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

WIDTH = 80


def text(it: Fit) -> str:
    """The whole report as plain text."""
    parts = (_heading(it), _targets(it), _parameters(it), _unpinned(it))
    return "\n\n".join("\n".join(part) for part in map(list, parts) if part)


def _heading(it: Fit) -> Iterator[str]:
    yield from _wrapped(
        f"{it.name}, {it.members:,} members: {_counted(len(it.parameters), 'parameter')} fitted to "
        f"{_counted(len(it.targets), 'target')} with {_seeds(it.seeds)}, checked with {_seeds(it.fresh_seeds)}."
    )
    yield f"{_counted(it.optimum.rounds, 'round')}; {it.optimum.why}."
    if it.is_short_of_targets:
        yield "There are more parameters than targets: not all of them can be known."
    if not it.pinned.is_luck_known:
        yield from _wrapped(
            "One seed: how much luck is in the simulated values cannot be known. Use two seeds at least to learn what "
            "the targets pin down."
        )


def _targets(it: Fit) -> Iterator[str]:
    yield f"{'target':<12}{'wanted':>12}{'tolerance':>11}{'before':>15}{'after':>15}{'fresh seeds':>15}"
    for place, target in enumerate(it.targets):
        yield from _wrapped(target.name)
        cells = [_cell(target, values, place) for values in (it.before, it.after, it.fresh)]
        off = [f"{it.distances(values)[place]:+.1f}" for values in (it.before, it.after, it.fresh)]
        wanted, tolerance = _said(target, target.value), _said(target, target.tolerance)
        yield f"{wanted:>24}{tolerance:>11}" + "".join(f"{cell:>15}" for cell in cells)
        yield f"{'tolerances off':>35}" + "".join(f"{each:>15}" for each in off)
    told = [f"{name} {it.error(values):.2f}" for name, values in
            (("before", it.before), ("after", it.after), ("fresh seeds", it.fresh))]  # fmt: skip
    yield f"Tolerances off, root mean square: {', '.join(told)}."


def _cell(target: Target, values: np.ndarray, place: int) -> str:
    return _said(target, float(values[place]))


def _said(target: Target, value: float) -> str:
    if target.definition.unit == "share":
        return f"{100 * value:.3f} %"
    return f"{value:,.3f} ‰" if target.definition.unit == "per_thousand" else f"{value:,.3f}"


def _parameters(it: Fit) -> Iterator[str]:
    yield f"{'parameter':<12}{'before':>12}{'after':>12}{'give or take':>14}  bounds"
    for place, each in enumerate(it.parameters):
        value = float(it.optimum.values[place])
        bound = at_bound(each.unit(value))
        hold = it.pinned.hold(place) + (f", at its {bound} bound" if bound else "")
        error = float(it.pinned.errors[place]) * each.width
        yield from _wrapped(f"{each.path}{f', {each.unit_said}' if each.unit_said else ''}: {hold}")
        before, after, give, low, high = map(each.number, (each.start, value, error, each.low, each.high))
        give = give if it.pinned.is_luck_known else f"> {give}"
        yield f"{before:>24}{after:>12}{give:>14}  {low} to {high}"
    yield from _wrapped(
        "Give or take: an approximate standard error. In it are the targets' own (a tolerance counts as one standard "
        f"error), {_luck(it)}, and the bounds, which count as an even guess."
    )
    used = dict.fromkeys(it.pinned.hold(place) for place in range(len(it.parameters)))
    for name in used:
        yield from _wrapped(f"{name}: {HOLDS[name]}.")


def _luck(it: Fit) -> str:
    errors = it.pinned.luck_errors
    if errors is None:
        return "not the luck of the simulated worlds, which one seed cannot tell"
    most = f"up to {max(errors):.1f} tolerances" if len(errors) > 1 else f"{errors[0]:.1f} tolerances"
    return f"the luck of the simulated worlds ({most} here)"


def _unpinned(it: Fit) -> Iterator[str]:
    for name, off in it.missed.items():
        yield from _wrapped(
            f"Missed: {name} is {abs(off):.1f} tolerances too {'high' if off > 0 else 'low'} even after the fit. The "
            "parameters as they stand are no answer to it; widen bounds, let others move, or doubt the target."
        )
    combinations = it.pinned.combinations
    values = ", ".join(f"{value:.2g}" for value in it.pinned.singular)
    if combinations:
        yield "What the targets do not pin down:"
        for each in combinations:
            yield from textwrap.wrap(str(each), WIDTH, initial_indent="  ", subsequent_indent="    ")
        floor = f"below {it.pinned.floor:.1f} nothing is known"
        yield from _wrapped(f"Singular values in tolerances per width of the bounds: {values}; {floor}.")
    elif it.is_pinned and not it.missed:
        yield from _wrapped(
            f"The targets pin down every parameter and every combination (singular values {values}; a guess has 3.5)."
        )
    elif it.pinned.is_luck_known and not it.missed:
        yield from _wrapped(
            "Every combination of the parameters moves the targets, but luck leaves some of them known no better than "
            f"weakly: use more members or seeds (singular values {values}; a guess has 3.5)."
        )
    stuck = [
        each.path for each, value in zip(it.parameters, it.optimum.values, strict=True) if at_bound(each.unit(value))
    ]
    if stuck:
        yield from _wrapped(f"At a bound: {', '.join(stuck)}. Widen it, or doubt a target.")


def _wrapped(words: str) -> list[str]:
    return textwrap.wrap(words, WIDTH, break_long_words=False, break_on_hyphens=False)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
