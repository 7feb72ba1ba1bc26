"""What each cause explains of losses and money: removed alone, added alone, and its Shapley value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import Any

import numpy as np

from billing_sim.truth import shapley
from billing_sim.truth.crowds import NO_CAUSE, addition, removal
from billing_sim.truth.exposure import PLAYERS
from billing_sim.truth.knocking_out import EXPLAINED
from billing_sim.truth.parts import Spread
from billing_sim.truth.totals import MEASURES, Sum

ALL = "all together"
"""What all causes explain, among the rows of `Explained.spread`."""


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

    All of it is direct: what is shared stays as it was. Where something is, `spread` has direct effect, spillover and
    total of each removal (`removed funds`), of each cause alone (`added funds`) and of all (`all together`).
    """

    measure: str
    actual: Sum
    without_all: Sum
    explained: Sum
    interaction: Sum
    shares: tuple[Share, ...]
    spread: tuple[Spread, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "actual": self.actual.as_dict(), "without_all": self.without_all.as_dict(),
            "explained": self.explained.as_dict(), "interaction": self.interaction.as_dict(),
            "causes": [share.as_dict() for share in self.shares], "spread": [row.as_dict() for row in self.spread],
        }  # fmt: skip


def explanations(
    found: np.ndarray, rest: np.ndarray, here: np.ndarray, crowds: Mapping[str, np.ndarray], peopled: int
) -> tuple[Explained, ...]:
    """What explains each measure of `EXPLAINED`.

    `found` are sums over groups (64 worlds by causes removed, measures, 64 groups), `rest` those of everybody
    untouched. `here` are all `MEASURES` of everybody in the actual world, `crowds` those of the worlds that `crowds`
    names, in which all live together; without any where nothing is shared.
    """
    games = [_Game(name, found[:, i] + rest[i], peopled) for i, name in enumerate(EXPLAINED)]
    return tuple(
        it.explained(
            here[MEASURES.index(it.measure)],
            {name: sums[MEASURES.index(it.measure)] for name, sums in crowds.items()},
        )
        for it in games
    )


@dataclass(frozen=True)
class _Game:
    """One measure in every world: sums of shape (worlds by causes removed, 64 groups)."""

    measure: str
    worlds: np.ndarray
    peopled: int

    def explained(self, here: np.ndarray, crowds: Mapping[str, np.ndarray]) -> Explained:
        everything = len(self.worlds) - 1
        # Its players are the causes at work: place `mask` holds the world in which only those are left.
        game = self.worlds[everything - np.arange(len(self.worlds))].T
        weights = factorial(len(PLAYERS))
        removed, added, values = shapley.last(game), shapley.first(game), shapley.weighted_shapley(game)
        explained = game[:, everything] - game[:, 0]
        shares = tuple(
            Share(
                cause, self._sum(removed[:, i]), self._sum(added[:, i]), self._sum(values[:, i], weights),
                Fraction(int(values[:, i].sum()), weights),
            )
            for i, cause in enumerate(PLAYERS)
        )  # fmt: skip
        return Explained(
            self.measure, self._sum(self.worlds[0]), self._sum(self.worlds[everything]), self._sum(explained),
            self._sum(explained - removed.sum(axis=1)), shares,
            tuple(self._spread(removed, added, explained, here, crowds)) if crowds else (),
        )  # fmt: skip

    def _spread(
        self, removed: np.ndarray, added: np.ndarray, explained: np.ndarray, here: np.ndarray,
        crowds: Mapping[str, np.ndarray],
    ) -> Iterator[Spread]:  # fmt: skip
        """The same from worlds in which everybody lives together, and what of it is others' doing."""
        nothing = crowds[NO_CAUSE]
        for i, cause in enumerate(PLAYERS):
            yield self._parts(removal(cause), removed[:, i], here - crowds[removal(cause)])
        for i, cause in enumerate(PLAYERS):
            yield self._parts(addition(cause), added[:, i], crowds[addition(cause)] - nothing)
        yield self._parts(ALL, explained, here - nothing)

    def _parts(self, what: str, direct: np.ndarray, total: np.ndarray) -> Spread:
        return Spread(what, self._sum(direct), self._sum(total - direct), self._sum(total))

    def _sum(self, groups: np.ndarray, scale: int = 1) -> Sum:
        return Sum.of(groups, self.peopled, scale)
