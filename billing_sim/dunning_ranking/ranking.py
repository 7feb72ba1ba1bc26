"""Policies in the order of what they bring in, each with its sums and scores, and how far it is ahead of the next."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from billing_sim.clock import DAY
from billing_sim.dunning_ranking.policies import Policies
from billing_sim.dunning_ranking.scores import (
    MICROS,
    MONEY_SUMS,
    NET,
    ORACLE_SCORES,
    SCORES,
    Costs,
    Gap,
    Score,
    Sums,
    figure,
    gap,
    interval_across,
    sums_of,
    sums_together,
)
from billing_sim.errors import QueryError
from billing_sim.metrics.names import unknown
from billing_sim.metrics.result import Figure
from billing_sim.scenario.dunning import DunningPolicy
from billing_sim.scenario.model import Scenario

if TYPE_CHECKING:
    import pandas as pd

    from billing_sim.dunning_ranking.playing import Played

OWN_RULES = "own rules"
"""What the scenario itself does, whatever policies its rules choose; no policy can be called so."""


@dataclass(frozen=True)
class Standing:
    """One policy with its sums and scores, and how its invoices ended; `policy` is None for the own rules.

    Where people share something, `sums` are of one member at a time with everything shared as the own rules leave it,
    and `together` those of the same invoices where everybody has the policy, in whose world `failed_together` invoices
    fail; None where nothing is shared.
    """

    name: str
    policy: DunningPolicy | None
    sums: Sums
    endings: dict[str, int]
    together: Sums | None = None
    failed_together: int | None = None

    def __getitem__(self, score: str) -> Figure:
        """A score by its id; QueryError with a suggestion for an unknown one."""
        return self.scores[_score(score).id]

    @cached_property
    def scores(self) -> dict[str, Figure]:
        """Every score by its id."""
        return {it.id: figure(it, self.sums) for it in SCORES}

    @cached_property
    def scores_together(self) -> dict[str, Figure]:
        """The same where everybody has the policy; empty where nothing is shared."""
        return {it.id: figure(it, self.together) for it in SCORES} if self.together else {}

    def spillover(self, score: str = NET.id) -> Gap | None:
        """What it adds to a score that all have the policy, with the paired interval; None where nothing is shared."""
        return gap(_score(score), self.together, self.sums) if self.together else None


@dataclass(frozen=True)
class Cost:
    """What one attempt or notice costs, in the reporting currency, and whether nobody said so."""

    amount: Decimal
    is_assumed: bool

    @property
    def micros(self) -> int:
        """The amount in millionths."""
        return round(self.amount * MICROS)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"amount": float(self.amount), "assumed": self.is_assumed}


@dataclass(frozen=True)
class Setting:
    """What was asked: the scenario, the horizon of the oracle, what an attempt and a notice cost; what people share."""

    scenario: Scenario
    oracle_days: int
    attempt: Cost
    notice: Cost
    shared: tuple[str, ...] = ()


class Ranking:
    """Policies from the best to the worst by net money on the same failed invoices."""

    def __init__(self, setting: Setting, policies: Policies, played: Sequence[Played]) -> None:
        self.setting = setting
        self.policies = policies
        self._played = tuple(played)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of which the failed invoices are."""
        return tuple(it.seed for it in self._played)

    @property
    def failed(self) -> int:
        """Failed invoices, over all seeds."""
        return sum(len(it.failures) for it in self._played)

    @cached_property
    def standings(self) -> list[Standing]:
        """The best first; who is equal stands in the order of asking, own rules first."""
        costs = Costs(self.setting.attempt.micros, self.setting.notice.micros)
        found = [self._standing(i, name, costs) for i, name in enumerate([OWN_RULES, *self.policies])]
        return sorted(found, key=lambda it: -it.sums["net"])

    def _standing(self, column: int, name: str, costs: Costs) -> Standing:
        from billing_sim.drivers.forks import ENDINGS

        ended = sum(np.bincount(it.outcomes["ended_by"][:, column], minlength=len(ENDINGS)) for it in self._played)
        endings = {name: int(count) for name, count in zip(ENDINGS, np.asarray(ended), strict=True)}
        sums, together = sums_of(self._played, column, costs), sums_together(self._played, column, costs)
        failed = sum(it.failed[column] for it in self._played) if together else None
        return Standing(name, self.policies.get(name), sums, endings, together, failed)

    def __getitem__(self, policy: str) -> Standing:
        """One policy's standing; QueryError with a suggestion for one that is not ranked."""
        found = {it.name: it for it in self.standings}
        if policy not in found:
            raise QueryError(unknown("policy", policy, found))
        return found[policy]

    @cached_property
    def oracle(self) -> dict[str, Figure]:
        """What a single well-timed retry collects of the failed invoices, and of their money."""
        return {it.id: figure(it, self.standings[0].sums) for it in ORACLE_SCORES}

    def gap(self, one: str, other: str, score: str = NET.id) -> Gap:
        """How far one policy is ahead of another in a score, with the paired interval."""
        return gap(_score(score), self[one].sums, self[other].sums)

    def alike(self, one: str, other: str) -> bool:
        """Whether two policies made the same of every failed invoice: when and how it ended, after as much effort."""
        columns = [[OWN_RULES, *self.policies].index(self[name].name) for name in (one, other)]
        a, b = ([it.outcomes[:, column].tobytes() for it in self._played] for column in columns)
        return a == b

    @cached_property
    def neighbours(self) -> list[tuple[Standing, Standing, Gap]]:
        """Every policy with the next one below it, and the gap in net money per failed invoice."""
        pairs = zip(self.standings, self.standings[1:], strict=False)
        return [(one, other, gap(NET, one.sums, other.sums)) for one, other in pairs]

    def outcomes(self) -> pd.DataFrame:
        """One row per failed invoice and policy: whose, what it is worth, what the oracle says, what came of it.

        Facts hold people as numbers: `subscriber.map(billing_sim.people.parse)` makes them of these names.
        """
        from billing_sim.dunning_ranking.tables import outcomes

        return outcomes(self._played, [OWN_RULES, *self.policies], self.setting.scenario)

    def table(self) -> pd.DataFrame:
        """One row per policy: rank, name, and every score with its interval."""
        import pandas as pd

        return pd.DataFrame(self._rows())

    def to_csv(self) -> str:
        """The table as CSV."""
        out = io.StringIO()
        rows = self._rows()
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for rank, it in enumerate(self.standings, 1):
            row: dict[str, Any] = {"rank": rank, "policy": it.name}
            for name, found in it.scores.items():
                row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
            for name, found in it.scores_together.items():
                row |= {
                    f"{name}_together": found.value,
                    f"{name}_spillover": (spill := it.spillover(name)) and spill.value,
                }
                row |= {f"{name}_spillover_low": spill and spill.low, f"{name}_spillover_high": spill and spill.high}
            rows.append(row)
        return rows

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values; money in the reporting currency."""
        it = self.setting
        return {
            "scenario": it.scenario.name,
            "members": it.scenario.members,
            "seeds": [*self.seeds],
            "currency": it.scenario.reporting_currency,
            "shared": [*it.shared],
            "failed": self.failed,
            "money": self.standings[0].sums["money"] / MICROS,
            "oracle": {"days": it.oracle_days, **{one.id: _plain(self.oracle[one.id], one) for one in ORACLE_SCORES}},
            "costs": {"attempt": it.attempt.as_dict(), "notice": it.notice.as_dict()},
            "scores": {it.id: {"meaning": it.meaning, "unit": it.unit} for it in (*ORACLE_SCORES, *SCORES)},
            "policies": [self._standing_json(rank, one) for rank, one in enumerate(self.standings, 1)],
            "neighbours": [
                _pair_json(*pair) | {"alike": self.alike(pair[0].name, pair[1].name)} for pair in self.neighbours
            ],
        }

    def _standing_json(self, rank: int, it: Standing) -> dict[str, Any]:
        about = {"about": it.policy.about, "source": it.policy.source} if it.policy else {}
        return {
            "rank": rank, "policy": it.name, **about,
            "scores": {score.id: _plain(it.scores[score.id], score) | self._across(score, it) for score in SCORES},
            "sums": {name: _in_units(name, it.sums[name]) for name in it.sums.by_group},
            "ended_by": it.endings, **self._together_json(it),
        }  # fmt: skip

    @staticmethod
    def _together_json(it: Standing) -> dict[str, Any]:
        spills = {score.id: it.spillover(score.id) for score in SCORES}
        if not it.scores_together:
            return {}
        return {
            "together": {score.id: _plain(it.scores_together[score.id], score) for score in SCORES},
            "failed_together": it.failed_together,
            "spillover": {name: _gap_json(one) for name, one in spills.items() if one},
        }  # fmt: skip

    def _across(self, score: Score, it: Standing) -> dict[str, Any]:
        if len(self.seeds) < 2:
            return {}
        values = [figure(score, it.sums.of_seed(i)).value for i in range(len(self.seeds))]
        return {"across_seeds": interval_across([value for value in values if value is not None])}

    def __repr__(self) -> str:
        from billing_sim.dunning_ranking.render import text

        return text(self)


def _score(name: str) -> Score:
    found = {it.id: it for it in SCORES}
    if name not in found:
        raise QueryError(unknown("score", name, found))
    return found[name]


def _gap_json(it: Gap) -> dict[str, Any]:
    return {
        "difference": it.value, "low": it.low, "high": it.high, "standard_error": it.standard_error,
        "by_seed": it.by_seed, "across_seeds": it.across_seeds,
    }  # fmt: skip


def _plain(it: Figure, score: Score) -> dict[str, Any]:
    return {
        "value": it.value, "low": it.low, "high": it.high, "standard_error": it.standard_error,
        "numerator": _in_units(score.numerator, int(it.numerator)),
        "denominator": _in_units(score.denominator, int(it.denominator)), "reason": it.reason or None,
    }  # fmt: skip


def _in_units(name: str, total: int) -> float:
    """A sum as JSON tells it: money in units of the reporting currency, days in days."""
    return total / MICROS if name in MONEY_SUMS else total / DAY if name == "waited" else total


def _pair_json(one: Standing, other: Standing, found: Gap) -> dict[str, Any]:
    return {
        "ahead": one.name, "behind": other.name, "score": NET.id,
        **_gap_json(found),
        "difference_in_all": (one.sums["net"] - other.sums["net"]) / MICROS, "told_apart": found.is_told,
    }  # fmt: skip
