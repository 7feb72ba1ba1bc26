"""What targets come to in a scenario: the mean over seeds, the same seeds whatever the parameters are.

Draws are keyed by person and purpose, so with common seeds a small change of a parameter changes few lives, and the
moments follow it nearly smoothly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from billing_sim.calibration.fitting.parameters import Parameter, said_at, usable_at
from billing_sim.calibration.fitting.targets import Target
from billing_sim.calibration.worlds import Ground, Lived, live, with_seed
from billing_sim.errors import QueryError
from billing_sim.facts.schema import FACTS
from billing_sim.metrics.asking import ask
from billing_sim.scenario.model import Scenario


@dataclass
class Moments:
    """The targets' values as a function of the parameters, float64[S, T] over seeds; each point is lived once."""

    on: Ground
    targets: Sequence[Target]
    parameters: Sequence[Parameter]
    seeds: Sequence[int]
    tell: Callable[[], None] = lambda: None
    _known: dict[bytes, np.ndarray] = field(default_factory=dict)

    def by_seed(self, values: np.ndarray) -> np.ndarray:
        """float64[S, T] at these values of the parameters, float64[P]."""
        key = np.asarray(values, float).tobytes()
        if key not in self._known:
            scenario = usable_at(self.on, self.parameters, values)
            said = said_at(self.parameters, values)
            self._known[key] = np.array([self._of(with_seed(scenario, seed), said) for seed in self.seeds])
        return self._known[key]

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """float64[T], the mean over seeds."""
        return self.by_seed(values).mean(axis=0)

    def _of(self, scenario: Scenario, said: str) -> list[float]:
        lived = live(scenario, facts=facts_of(self.targets))
        self.tell()
        return [_value(lived, it, said) for it in self.targets]


def facts_of(targets: Sequence[Target]) -> tuple[str, ...]:
    """The facts that targets are computed from; all, where a metric is a query."""
    names = {it.definition.fact for it in targets} | {it.definition.denominator_units.fact for it in targets}
    if any(it.definition.sql for it in targets):
        return tuple(fact.name for fact in FACTS)
    return tuple(fact.name for fact in FACTS if fact.name in names)


def value_of(lived: Lived, target: Target) -> float | None:
    """What a metric comes to in a world, in the whole or in a segment; None where it is undefined."""
    (result,) = ask(lived.source, [target.definition], tuple(target.segment), None).results
    if not target.segment:
        return None if result.value is None else float(result.value)
    for part in result.slices:
        if all(str(part.dims[name]) == value for name, value in target.segment.items()):
            return None if part.value is None else float(part.value)
    return None


def _value(lived: Lived, target: Target, said: str) -> float:
    value = value_of(lived, target)
    if value is None:
        raise QueryError(f"{target.name} is undefined with {said}: use more members, or another target.")
    return value
