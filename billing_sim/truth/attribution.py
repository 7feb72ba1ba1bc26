"""What each cause explains of losses and money: removed alone, added alone, and its Shapley value."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import Any

import numpy as np

from billing_sim.truth import shapley
from billing_sim.truth.exposure import PLAYERS
from billing_sim.truth.knocking_out import EXPLAINED
from billing_sim.truth.totals import Sum


@dataclass(frozen=True)
class Share:
    """What one cause explains of one measure.

    `removed` is how much less there is in the world without it; `added` how much more in a world with it alone than in
    one with none; `shapley` the mean of what it adds over all orders. The last is exact: `exactly` is its fraction.
    """

    cause: str
    removed: Sum
    added: Sum
    shapley: Sum
    exactly: Fraction

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "cause": self.cause, "removed_alone": self.removed.as_dict(), "added_alone": self.added.as_dict(),
            "shapley": self.shapley.as_dict(), "shapley_exactly": str(self.exactly),
        }  # fmt: skip


@dataclass(frozen=True)
class Explained:
    """What the causes explain of one measure, which has `actual` in this world and `without_all` with none of them.

    `interaction` is what all explain together beyond the sum of what each explains when removed alone: negative
    where a loss needs two causes, so that either removal takes it away, positive where either cause is enough.
    """

    measure: str
    actual: Sum
    without_all: Sum
    explained: Sum
    interaction: Sum
    shares: tuple[Share, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "actual": self.actual.as_dict(), "without_all": self.without_all.as_dict(),
            "explained": self.explained.as_dict(), "interaction": self.interaction.as_dict(),
            "causes": [share.as_dict() for share in self.shares],
        }  # fmt: skip


def explanations(found: np.ndarray, rest: np.ndarray, peopled: int) -> tuple[Explained, ...]:
    """From sums over groups (64 worlds by causes removed, measures, 64 groups), and those of everybody untouched."""
    return tuple(_explained(name, found[:, i], rest[i], peopled) for i, name in enumerate(EXPLAINED))


def _explained(name: str, worlds: np.ndarray, rest: np.ndarray, peopled: int) -> Explained:
    everything = len(worlds) - 1
    # A game whose players are the causes at work: place `mask` holds the world in which only those are left.
    game = worlds[everything - np.arange(len(worlds))].T
    weights = factorial(len(PLAYERS))
    removed, added, values = shapley.last(game), shapley.first(game), shapley.weighted_shapley(game)
    explained = game[:, everything] - game[:, 0]
    shares = tuple(
        Share(
            cause, Sum.of(removed[:, i], peopled), Sum.of(added[:, i], peopled), Sum.of(values[:, i], peopled, weights),
            Fraction(int(values[:, i].sum()), weights),
        )
        for i, cause in enumerate(PLAYERS)
    )  # fmt: skip
    return Explained(
        name, Sum.of(worlds[0] + rest, peopled), Sum.of(worlds[everything] + rest, peopled), Sum.of(explained, peopled),
        Sum.of(explained - removed.sum(axis=1), peopled), shares,
    )  # fmt: skip
