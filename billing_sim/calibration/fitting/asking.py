"""`billing_sim.fit`: parameters of a scenario, refitted to aggregates of one's own.

>>> billing_sim.fit("scenarios/first_month.yaml", "targets.yaml", out="fitted.yaml")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from billing_sim.calibration.fitting.moments import Moments
from billing_sim.calibration.fitting.optimising import Optimum, jacobians
from billing_sim.calibration.fitting.optimising import fit as optimised
from billing_sim.calibration.fitting.overlay import overlay_text, write_overlay
from billing_sim.calibration.fitting.parameters import Parameter, change_for, parameter
from billing_sim.calibration.fitting.pinned import Pinned, at_bound, pinned
from billing_sim.calibration.fitting.targets import ParameterPart, Target, read_targets, targets_of
from billing_sim.calibration.worlds import Ground, ground
from billing_sim.errors import QueryError
from billing_sim.given import with_checked_arguments
from billing_sim.metrics.catalogue import shipped

MEMBERS = 5000
SEEDS = 3
ROUNDS = 12

MISSED = 2.0
"""Tolerances beyond which a target counts as missed after all."""

Report = Callable[[int, int], None]
"""Told worlds lived, and worlds that it will take at most."""


@dataclass(frozen=True)
class Fit:
    """A finished fit: what the targets came to before and after, also with other luck, and what they pin down.

    `before`, `after` and `fresh` are float64[T] in the order of the targets; `fresh` is after, with seeds that took no
    part in fitting.
    """

    on: Ground
    name: str
    members: int
    seeds: tuple[int, ...]
    fresh_seeds: tuple[int, ...]
    targets: tuple[Target, ...]
    parameters: tuple[Parameter, ...]
    optimum: Optimum
    before: np.ndarray
    after: np.ndarray
    fresh: np.ndarray
    pinned: Pinned

    @property
    def values(self) -> dict[str, float]:
        """The fitted values by path; shares as fractions."""
        return {it.path: float(value) for it, value in zip(self.parameters, self.optimum.values, strict=True)}

    def distances(self, values: np.ndarray) -> np.ndarray:
        """float64[T]: how many tolerances values lie above the targets."""
        wanted = np.array([it.value for it in self.targets])
        return (values - wanted) / np.array([it.tolerance for it in self.targets])

    def error(self, values: np.ndarray) -> float:
        """The root mean square of the distances."""
        return float(np.sqrt(np.mean(self.distances(values) ** 2)))

    @property
    def overlay(self) -> dict[str, Any]:
        """What is laid over the scenario."""
        return change_for(self.on, self.values)

    @property
    def missed(self) -> dict[str, float]:
        """The targets that the fit leaves farther off than two tolerances, and how many they are off."""
        off = self.distances(self.after)
        return {it.name: float(each) for it, each in zip(self.targets, off, strict=True) if abs(each) > MISSED}

    @property
    def is_short_of_targets(self) -> bool:
        """Whether there are more parameters than targets, so that not all of them can be known."""
        return len(self.parameters) > len(self.targets)

    @property
    def is_pinned(self) -> bool:
        """Whether every parameter is pinned down."""
        return all(self.pinned.hold(place) == "pinned" for place in range(len(self.parameters)))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "scenario": self.name, "members": self.members, "seeds": list(self.seeds),
            "fresh_seeds": list(self.fresh_seeds), "rounds": self.optimum.rounds, "ended": self.optimum.why,
            "error": {name: self.error(getattr(self, name)) for name in ("before", "after", "fresh")},
            "missed": list(self.missed),
            "targets": [self._target(place) for place in range(len(self.targets))],
            "parameters": [self._parameter(place) for place in range(len(self.parameters))],
            "not_pinned": [{"parts": it.parts, "singular_value": it.singular} for it in self.pinned.combinations],
            "singular_values": [float(it) for it in self.pinned.singular],
            "floor": self.pinned.floor, "drowned_below": self.pinned.drowned,
            "luck": self.pinned.luck_errors,
            "overlay": self.overlay,
        }  # fmt: skip

    def _target(self, place: int) -> dict[str, Any]:
        it = self.targets[place]
        values = {name: float(getattr(self, name)[place]) for name in ("before", "after", "fresh")}
        off = {f"{name}_off": float(self.distances(getattr(self, name))[place]) for name in values}
        return {"metric": it.definition.id, "by": it.segment, "target": it.value, "tolerance": it.tolerance,
                **values, **off}  # fmt: skip

    def _parameter(self, place: int) -> dict[str, Any]:
        it, value = self.parameters[place], float(self.optimum.values[place])
        return {
            "path": it.path, "before": it.start, "after": value, "low": it.low, "high": it.high,
            "standard_error": float(self.pinned.errors[place]) * it.width, "share_of_guess": self.pinned.known(place),
            "hold": self.pinned.hold(place),
            "at_bound": at_bound(it.unit(value)),
        }  # fmt: skip

    def to_yaml(self, base: str = "") -> str:
        """The fitted scenario as a file that extends the one it was fitted from."""
        return overlay_text(self._own_name, base or self.on.path.name, self.overlay, self.said)

    def write(self, out: str | Path) -> None:
        """Write that file."""
        write_overlay(Path(out), self.on.path, self._own_name, self.overlay, self.said)

    @property
    def _own_name(self) -> str:
        return f"{self.name[:33]}_fitted"

    @property
    def said(self) -> list[str]:
        """Lines above a fitted scenario."""
        lines = [
            f"Fitted by `billing-sim fit` with {self.members:,} members and seeds {_listed(self.seeds)}.",
            *(f"{it.name}: {it.value:g} asked for, {value:.6g} with fresh seeds."
              for it, value in zip(self.targets, self.fresh, strict=True)),
        ]  # fmt: skip
        if not self.pinned.is_luck_known:
            return [*lines, "Fitted with one seed: how much of these values is luck is unknown."]
        loose = [it.path for place, it in enumerate(self.parameters) if self.pinned.hold(place) != "pinned"]
        lines += [f"Missed by {abs(off):.1f} tolerances: {name}." for name, off in self.missed.items()]
        return [*lines, *([f"Not pinned down by these targets: {', '.join(loose)}."] if loose else [])]

    def __repr__(self) -> str:
        from billing_sim.calibration.fitting.render import text

        return text(self)


@with_checked_arguments
def fit(
    path: str | Path,
    targets: str | Path,
    *,
    parameters: str | Sequence[str] = (),
    out: str | Path | None = None,
    members: int | None = MEMBERS,
    seed: int | None = None,
    seeds: int = SEEDS,
    rounds: int = ROUNDS,
    report: Report | None = None,
) -> Fit:
    """Refit parameters of a scenario to the targets of a file, and find out which of them the targets pin down.

    `parameters` such as "regions.UCAN.voluntary_churn=0.5%..3%" come besides those of the file, and win. As many fresh
    seeds as `seeds` check what was fitted. With `out` the fitted scenario is written as a file that extends `path`.

    InputError for a file that cannot be used, QueryError for a question that makes no sense.
    """
    _check(seeds=seeds, rounds=rounds)
    on = ground(path, members=members, seed=seed)
    scenario = on.scenario()
    file, tree = read_targets(targets)
    wanted = targets_of(file, tree, scenario, shipped())
    chosen = _parameters(on, file.parameters, [parameters] if isinstance(parameters, str) else parameters)
    first = scenario.seed
    used, fresh = tuple(range(first, first + seeds)), tuple(range(first + seeds, first + 2 * seeds))
    count = _Count(report, seeds * (1 + rounds * (1 + 4 * len(chosen)) + 2 * len(chosen) + 1))
    moments = Moments(on, wanted, chosen, used, count.add)
    before = moments(np.array([it.start for it in chosen]))
    optimum = optimised(moments, rounds)
    after = moments(optimum.values)
    others = Moments(on, wanted, chosen, fresh, count.add)
    checked = others(optimum.values)
    # Worlds of both kinds scatter alike: a fit moves all worlds together, never one against another.
    worlds = np.vstack([moments.by_seed(optimum.values), others.by_seed(optimum.values)])
    tolerances = np.array([it.tolerance for it in wanted])
    held = pinned([it.path for it in chosen], jacobians(moments, optimum.values), worlds / tolerances)
    count.finish()
    found = Fit(
        on, scenario.name, scenario.members, used, fresh, tuple(wanted), tuple(chosen), optimum, before, after,
        checked, held,
    )  # fmt: skip
    if out is not None:
        found.write(out)
    return found


class _Count:
    """Worlds lived so far; a fit that ends early has lived fewer than it might have."""

    def __init__(self, report: Report | None, most: int) -> None:
        self._report, self._most, self._done = report, most, 0

    def add(self) -> None:
        self._done += 1
        if self._report:
            self._report(self._done, max(self._most, self._done))

    def finish(self) -> None:
        if self._report:
            self._report(self._done, self._done)


def _parameters(on: Ground, parts: Sequence[ParameterPart], given: Sequence[str]) -> list[Parameter]:
    asked = {it.path: (it.low, it.high) for it in parts} | dict(map(_bounds, given))
    if not asked:
        raise QueryError(
            "No parameter may move. Write some under `parameters` of the file, or give "
            "--parameter regions.UCAN.voluntary_churn=0.5%..3%."
        )
    return [parameter(on, path, low, high) for path, (low, high) in asked.items()]


def parameter_from(on: Ground, text: str) -> Parameter:
    """A parameter from a text such as "regions.UCAN.voluntary_churn=0.5%..3%"; QueryError when it is none."""
    path, (low, high) = _bounds(text)
    return parameter(on, path, low, high)


def _bounds(text: str) -> tuple[str, tuple[str, str]]:
    path, equals, ends = text.partition("=")
    low, dots, high = ends.partition("..")
    if not (equals and dots and path.strip() and low.strip() and high.strip()):
        raise QueryError(f"{text!r} is no parameter with bounds; write PATH=LOW..HIGH, as in "
                         "regions.UCAN.voluntary_churn=0.5%..3%.")  # fmt: skip
    return path.strip(), (low.strip(), high.strip())


def _check(**counts: int) -> None:
    for name, number in counts.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise QueryError(f"{name}={number!r} makes no sense; use 1 at least.")


def _listed(seeds: Sequence[int]) -> str:
    return f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
