"""What targets pin down: the Jacobian at the optimum, in tolerances per width of the bounds, and its singular values.

A target is uncertain twice: the figure itself by its tolerance, a standard error, and what it is compared with by the
luck of the few worlds that were simulated. Both are carried over to the parameters. A combination of parameters with
singular value s and no luck is known to 1/s of the width of the bounds. Bounds alone know it to 1/sqrt(12) of it, as of
an even guess. What the targets do not know better, they do not pin down; nor what moves them less than luck does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from billing_sim.stress.student import quantile

GUESS = math.sqrt(12.0)
"""The singular value at which targets know as much as the bounds alone."""

_PART = 0.3
"""A parameter is named in a combination when it has at least this part of it."""

_AT_BOUND = 0.01
PINNED, GUESSED = 0.5, 0.9
"""Shares of an even guess's error: below the first a parameter is pinned, above the second it is not."""

Hold = Literal["pinned", "weakly", "not pinned", "moves nothing", "luck unknown"]
HOLDS: dict[Hold, str] = {
    "pinned": "known to less than half of what the bounds alone say",
    "weakly": "known a little better than the bounds alone say",
    "not pinned": "the targets say nothing that the bounds do not",
    "moves nothing": "no target depends on it at all",
    "luck unknown": "one seed cannot tell what luck does to it; use two at least",
}
_NORMAL = 1.959964
"""The 97.5 % point of the normal distribution."""


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
    """The Jacobian float64[T, P] in tolerances per width of the bounds, and what luck does to it and to the targets."""

    names: Sequence[str]
    jacobian: np.ndarray
    noise: float
    """The singular value that luck alone may give."""

    luck: np.ndarray
    """float64[T, T]: how luck scatters the simulated targets together, in squared tolerances; 0 where it is unknown."""

    is_luck_known: bool

    @property
    def floor(self) -> float:
        """The singular value below which nothing is pinned down."""
        return max(GUESS, self.drowned)

    @property
    def drowned(self) -> float:
        """The singular value below which a direction may be luck, and counts for nothing."""
        return 2 * self.noise

    @cached_property
    def _decomposed(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        targets, parameters = self.jacobian.shape
        padded = np.vstack([self.jacobian, np.zeros((max(parameters - targets, 0), parameters))])
        sides, singular, directions = np.linalg.svd(padded, full_matrices=False)
        return sides[:targets], singular, directions

    @property
    def singular(self) -> np.ndarray:
        """float64[P], the largest first."""
        return self._decomposed[1]

    @cached_property
    def errors(self) -> np.ndarray:
        """float64[P]: standard errors in widths of the bounds, by the tolerances, luck and the bounds together.

        A least-squares fit turns an error e of the targets into the pseudo-inverse times e, so what it knows of each
        direction follows from the covariance of e on the side of the targets. Where luck drowns a direction, only the
        bounds know of it.
        """
        sides, singular, directions = self._decomposed
        heard = (singular > self.drowned) & (singular > 0)
        sides, singular, heard_directions = sides[:, heard], singular[heard], directions[heard]
        spread = sides.T @ (np.eye(len(sides)) + self.luck) @ sides
        information = heard_directions.T * singular @ np.linalg.inv(spread) @ (singular[:, None] * heard_directions)
        return np.sqrt(np.diag(np.linalg.inv(information + GUESS**2 * np.eye(len(self.names)))))

    @property
    def luck_errors(self) -> list[float] | None:
        """Standard errors of the simulated targets by luck, in tolerances; None where luck is unknown."""
        return [float(it) for it in np.sqrt(np.diag(self.luck))] if self.is_luck_known else None

    def known(self, place: int) -> float:
        """The error of a parameter as a share of an even guess's; 1 says that the targets know nothing of it."""
        return float(self.errors[place] * GUESS)

    def hold(self, place: int) -> Hold:
        """How well one parameter is known, by its error alone."""
        if not np.any(self.jacobian[:, place]):
            return "moves nothing"
        known = self.known(place)
        if known > GUESSED:
            return "not pinned"
        if not self.is_luck_known:
            return "luck unknown"
        return "pinned" if known < PINNED else "weakly"

    @property
    def combinations(self) -> list[Combination]:
        """The directions that are not pinned down."""
        _, singular, directions = self._decomposed
        found = []
        for value, direction in zip(singular, directions, strict=True):
            if value < self.floor:
                signed = direction * (1 if direction[np.argmax(np.abs(direction))] > 0 else -1)
                parts = {name: float(part) for name, part in zip(self.names, signed, strict=True) if abs(part) >= _PART}
                found.append(Combination(parts, float(value)))
        return found


def pinned(names: Sequence[str], jacobians: np.ndarray, worlds: np.ndarray | None = None) -> Pinned:
    """From one Jacobian per seed, float64[S, T, P], their mean and what luck may add to it.

    `worlds`, float64[W, T], are the targets' values in tolerances in worlds that differ by luck only; without them the
    values are taken as exact. A fit with one seed says nothing of luck: a single other world is no measure of it.
    """
    seeds, targets, parameters = jacobians.shape
    noise = 0.0
    if seeds > 1:
        scatter = jacobians.std(axis=0, ddof=1) / math.sqrt(seeds)
        # The largest singular value of a random matrix with entries of this size (Davidson and Szarek, 2001).
        noise = float(np.sqrt(np.mean(scatter**2))) * (math.sqrt(targets) + math.sqrt(parameters))
    is_known = worlds is None or seeds > 1
    luck = np.zeros((targets, targets)) if worlds is None or seeds == 1 else luck_of(worlds, seeds)
    return Pinned(tuple(names), jacobians.mean(axis=0), noise, luck, is_known)


def luck_of(worlds: np.ndarray, seeds: int) -> np.ndarray:
    """float64[T, T]: the covariance of the mean over so many seeds, from the scatter of worlds, float64[W, T].

    A scatter of few worlds is itself uncertain. It is widened so that two errors still cover 95 %, by Student's t.
    """
    freedom = len(worlds) - 1
    widened = quantile(0.975, freedom) / _NORMAL
    found: np.ndarray = np.atleast_2d(np.cov(worlds, rowvar=False, ddof=1)) / seeds * widened**2
    return found


def at_bound(unit: float) -> str:
    """Which bound a parameter lies at, 0 being the lower; empty for neither."""
    return "lower" if unit < _AT_BOUND else "upper" if unit > 1 - _AT_BOUND else ""
