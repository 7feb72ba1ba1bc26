"""What targets pin down: the Jacobian at the optimum, in tolerances per width of the bounds, and its singular values.

A combination of parameters with singular value s is known to 1/s of the width of the bounds, if a tolerance is a
standard error. Bounds alone know it to 1/sqrt(12) of it, as of an even guess. What the targets do not know better, they
do not pin down; nor what moves them less than the luck of the seeds does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

GUESS = math.sqrt(12.0)
"""The singular value at which targets know as much as the bounds alone."""

_PART = 0.3
"""A parameter is named in a combination when it has at least this part of it."""

_AT_BOUND = 0.01
Hold = Literal["pinned", "weakly", "not pinned", "moves nothing"]
HOLDS: dict[Hold, str] = {
    "pinned": "known to less than half of what the bounds alone say",
    "weakly": "known a little better than the bounds alone say",
    "not pinned": "the targets say nothing that the bounds do not",
    "moves nothing": "no target depends on it at all",
}


@dataclass(frozen=True)
class Combination:
    """Parameters that the targets hardly tell apart: signed parts, and the singular value of the direction."""

    parts: dict[str, float]
    singular: float

    def __str__(self) -> str:
        """In plain words."""
        if len(self.parts) == 1:
            return f"{next(iter(self.parts))} alone can move between its bounds, and the targets hardly notice."
        ups = [name for name, part in self.parts.items() if part > 0]
        downs = [name for name, part in self.parts.items() if part < 0]
        moves = " and ".join(ups) + " up" + (f" with {' and '.join(downs)} down" if downs else "")
        return f"{moves}: the targets hardly notice, so only another combination of them is known."


@dataclass(frozen=True)
class Pinned:
    """The Jacobian float64[T, P] in tolerances per width of the bounds, and its luck: how far seeds scatter it."""

    names: Sequence[str]
    jacobian: np.ndarray
    noise: float
    """The singular value that luck alone may give."""

    @property
    def floor(self) -> float:
        """The singular value below which nothing is pinned down."""
        return max(GUESS, 2 * self.noise)

    @cached_property
    def _decomposed(self) -> tuple[np.ndarray, np.ndarray]:
        targets, parameters = self.jacobian.shape
        padded = np.vstack([self.jacobian, np.zeros((max(parameters - targets, 0), parameters))])
        _, singular, directions = np.linalg.svd(padded, full_matrices=False)
        return singular, directions

    @property
    def singular(self) -> np.ndarray:
        """float64[P], the largest first."""
        return self._decomposed[0]

    @property
    def errors(self) -> np.ndarray:
        """float64[P]: standard errors in widths of the bounds, by the tolerances and the bounds together."""
        information = self.jacobian.T @ self.jacobian + GUESS**2 * np.eye(len(self.names))
        return np.sqrt(np.diag(np.linalg.inv(information)))

    def hold(self, place: int) -> Hold:
        """How well one parameter is known; a share in a direction that luck rules counts for nothing."""
        if not np.any(self.jacobian[:, place]):
            return "moves nothing"
        singular, directions = self._decomposed
        lost = float(np.sum(directions[singular < self.floor, place] ** 2))
        known = float(self.errors[place] * GUESS)
        if lost > 0.5 or known > 0.9:
            return "not pinned"
        return "pinned" if lost < 0.1 and known < 0.5 else "weakly"

    @property
    def combinations(self) -> list[Combination]:
        """The directions that are not pinned down."""
        singular, directions = self._decomposed
        found = []
        for value, direction in zip(singular, directions, strict=True):
            if value < self.floor:
                signed = direction * (1 if direction[np.argmax(np.abs(direction))] > 0 else -1)
                parts = {name: float(part) for name, part in zip(self.names, signed, strict=True) if abs(part) >= _PART}
                found.append(Combination(parts, float(value)))
        return found


def pinned(names: Sequence[str], jacobians: np.ndarray) -> Pinned:
    """From one Jacobian per seed, float64[S, T, P], their mean and what luck may add to it."""
    seeds, targets, parameters = jacobians.shape
    noise = 0.0
    if seeds > 1:
        scatter = jacobians.std(axis=0, ddof=1) / math.sqrt(seeds)
        # The largest singular value of a random matrix with entries of this size (Davidson and Szarek, 2001).
        noise = float(np.sqrt(np.mean(scatter**2))) * (math.sqrt(targets) + math.sqrt(parameters))
    return Pinned(tuple(names), jacobians.mean(axis=0), noise)


def at_bound(unit: float) -> str:
    """Which bound a parameter lies at, 0 being the lower; empty for neither."""
    return "lower" if unit < _AT_BOUND else "upper" if unit > 1 - _AT_BOUND else ""
