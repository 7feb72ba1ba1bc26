"""What a definition is worth that no case tells: when it has matured, whom it serves worst, its neighbours, its reward.

Each needs worlds of its own: the scenario without any case, and the actions of `actions/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from billing_sim.errors import QueryError
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.definition import Definition
from billing_sim.stress.bundle import bundle
from billing_sim.stress.criteria import Criteria, farthest
from billing_sim.stress.lives import Lives
from billing_sim.stress.maturing import WAITS, Subgroup, maturation_days, worst_subgroups
from billing_sim.stress.seeing import read

if TYPE_CHECKING:
    from billing_sim.stress.gaming import Game
    from billing_sim.stress.lab import Bench, Report

_SEEDS = 6
"""Seeds from which maturation, the worst market and neighbours are read."""


@dataclass(frozen=True)
class Apart:
    """One definition: days until it has matured, the market in which it errs most, its farthest neighbour, its game.

    `worst` is None for a proxy and for a query that cannot be split, `neighbour` where there is none, `game` where no
    action fits the scenario.
    """

    matured_after: int | str
    worst: Subgroup | None
    neighbour: tuple[float, str] | None
    game: Game | None

    def beside(self, it: Criteria) -> Criteria:
        """The criteria that come from cases, with these."""
        far, name = self.neighbour or (None, "")
        where, error = (self.worst.market, self.worst.error) if self.worst else ("", None)
        found = replace(
            it, matured_after=self.matured_after, worst_market=where, worst_error=error, elasticity=far, neighbour=name,
        )  # fmt: skip
        regret = self.game and self.game.regret
        if not (self.game and regret):
            return found
        return replace(
            found, decision_regret=regret.value, would_choose=self.game.chosen or "", best_action=self.game.best or ""
        )


def apart(definitions: Sequence[Definition], on: Bench, report: Report | None = None) -> dict[str, Apart]:
    """What worlds of their own tell of every definition, by id."""
    lives, seeds = Lives(on.scenario), range(on.scenario.seed, on.scenario.seed + _SEEDS)
    days, worst = maturation_days(definitions, lives, seeds), worst_subgroups(definitions, lives, seeds)
    readings, games = _readings(definitions, lives, seeds), _games(definitions, on, report)
    return {
        it.id: Apart(
            f"> {WAITS[-1]} d" if (waited := days[it.id]) is None else waited,
            worst.get(it.id), farthest(it, readings), games.get(it.id),
        )
        for it in definitions
    }  # fmt: skip


def _readings(definitions: Sequence[Definition], lives: Lives, seeds: range) -> list[tuple[Definition, float]]:
    """What the definitions and their shipped neighbours say without any case; without those who say nothing."""
    names = {it.name for it in definitions}
    known = {it.id: it for it in shipped() if it.name in names} | {it.id: it for it in definitions}
    values = read(bundle(lives, seeds), list(known.values()))
    return [(known[name], float(np.nanmean(it))) for name, it in values.items() if np.isfinite(it).any()]


def _games(definitions: Sequence[Definition], on: Bench, report: Report | None) -> dict[str, Game]:
    from billing_sim.stress.gaming import find_actions, play

    try:
        played = play(definitions, find_actions(), on, report=report)
    except QueryError:  # no action fits
        return {}
    return {it.definition.id: it for it in played.games}
