"""A/A: the people of an experiment dealt anew, many times, into arms between which nothing differs.

Whatever p-values such splits give, they must be uniform: 5 % of them below 5 %. If they are not, the error that is
shown beside a difference is wrong, and so is every verdict.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from billing_sim import draws
from billing_sim.drivers.splits import dealt
from billing_sim.experiments.contrast import contrast, figures
from billing_sim.experiments.sample import Sample
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.frame import Frame

ARMS = np.array(["a", "b"], object)


def p_values(sample: Sample, definition: Definition, frame: Frame, seed_key: int, splits: Iterable[int]) -> np.ndarray:
    """The p of each split, in halves by the keyed hash of its number; NaN where a split can tell nothing."""
    people = np.unique(sample.assigned[0])
    half = np.array([draws.ONE // 2, draws.ONE], np.int64)
    found = []
    for split in splits:
        again = sample.dealt(people, ARMS[dealt(seed_key, people, split, half)])
        p = contrast(definition, figures(again, [definition], frame)[definition.id], "a", "b").p
        found.append(math.nan if p is None else p)
    return np.array(found)


def distance_from_uniform(values: np.ndarray) -> float:
    """Kolmogorov's distance between these values and the uniform distribution on [0, 1]."""
    ordered = np.sort(values)
    steps = np.arange(len(ordered) + 1) / len(ordered)
    return float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()))


def uniform_bound(count: int, level: float = 0.001) -> float:
    """The distance that so many uniform values exceed with a chance of `level` at most (Massart, 1990)."""
    return math.sqrt(math.log(2 / level) / 2 / count)
