"""What a policy is judged by: sums over failed invoices in integers, and quotients of them with their intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from billing_sim.clock import DAY
from billing_sim.metrics.jackknife import half_width, share_interval, standard_error, with_interval
from billing_sim.metrics.result import Figure
from billing_sim.people import SHARDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from billing_sim.dunning_ranking.playing import Played

GROUPS = SHARDS
"""Groups of subscribers per seed, of which each is left out in turn."""

MICROS = 10**6
NOTHING_FAILED = "no invoice failed"
NOTHING_COLLECTED = "nothing was collected"


@dataclass(frozen=True)
class Score:
    """A quotient of two sums: value = numerator / denominator * scale / divisor, in its unit."""

    id: str
    numerator: str
    denominator: str
    unit: str
    meaning: str
    scale: int = 1
    divisor: int = 1

    @property
    def missing(self) -> str:
        """Why it is undefined where its denominator is 0."""
        return NOTHING_COLLECTED if self.denominator == "collected" else NOTHING_FAILED


SCORES = (
    Score("collected_rate", "collected", "failed", "share", "failed invoices that are paid for good"),
    Score("collected_money_rate", "collected_money", "money", "share", "the money of those"),
    Score("regret_rate", "regret", "failed", "share", "invoices that one well-timed retry collects, the policy not"),
    Score("regret_money_rate", "regret_money", "money", "share", "the money of those"),
    Score("beyond_rate", "beyond", "failed", "share", "invoices that are collected although no retry alone does it"),
    Score("beyond_money_rate", "beyond_money", "money", "share", "the money of those"),
    Score("days_to_collect", "waited", "collected", "days", "mean time from the first failure to the payment",
          divisor=DAY),
    Score("attempts_per_failure", "attempts", "failed", "each", "merchant-initiated attempts after the first failure"),
    Score("notices_per_failure", "notices", "failed", "each", "messages to the member"),
    Score("cost_per_failure", "cost", "failed", "money", "what attempts and notices cost", divisor=MICROS),
    Score("net_per_failure", "net", "failed", "money", "money collected less that cost; policies are ranked by it",
          divisor=MICROS),
    Score("lost_per_1000", "lost", "failed", "per_thousand", "subscriptions that end with the invoice unpaid",
          scale=1000),
    Score("wrongful_per_1000", "wrongful", "failed", "per_thousand",
          "those of them whose members wanted to stay and could have paid", scale=1000),
)  # fmt: skip
"""Every score of a policy; sums are over failed invoices, money in millionths of the reporting currency."""

ORACLE_SCORES = (
    Score("oracle_rate", "oracle", "failed", "share", "failed invoices that one well-timed retry collects"),
    Score("oracle_money_rate", "oracle_money", "money", "share", "the money of those"),
)
MONEY_SUMS = ("money", "collected_money", "cost", "net", "oracle_money", "regret_money", "beyond_money")
"""The sums that are in millionths of the reporting currency."""

NET = next(it for it in SCORES if it.id == "net_per_failure")


@dataclass(frozen=True)
class Costs:
    """Millionths of the reporting currency for one merchant-initiated attempt and for one notice."""

    attempt: int
    notice: int


@dataclass(frozen=True)
class Sums:
    """Per policy: sums by name over each group of each seed, int64 of length seeds * 64."""

    by_group: dict[str, np.ndarray]

    def __getitem__(self, name: str) -> int:
        """The sum over everybody, exactly."""
        return int(self.by_group[name].sum())

    def of_seed(self, place: int) -> Sums:
        """The part of one seed."""
        part = slice(place * GROUPS, (place + 1) * GROUPS)
        return Sums({name: found[part] for name, found in self.by_group.items()})


def sums_of(played: Sequence[Played], column: int, costs: Costs) -> Sums:
    """The sums of the policy in this column of the outcomes, over all seeds."""
    return _sums([_sums_of_seed(it, it.outcomes[:, column], costs) for it in played])


def sums_together(played: Sequence[Played], column: int, costs: Costs) -> Sums | None:
    """The same where everybody has the policy; None where people share nothing."""
    found = [(it, it.together) for it in played]
    parts = [_sums_of_seed(it, every[:, column], costs) for it, every in found if every is not None]
    return _sums(parts) if len(parts) == len(found) else None


def _sums(parts: list[dict[str, np.ndarray]]) -> Sums:
    return Sums({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _sums_of_seed(it: Played, found: np.ndarray, costs: Costs) -> dict[str, np.ndarray]:
    is_collected, has_chance = found["collected_at"] > 0, it.failures["oracle_at"] > 0
    attempts, notices = found["attempts"].astype(np.int64), found["notices"].astype(np.int64)
    collected, cost = it.micros * is_collected, attempts * costs.attempt + notices * costs.notice
    regret, beyond = has_chance & ~is_collected, is_collected & ~has_chance
    values = {
        "failed": np.ones(len(found), np.int64), "money": it.micros,
        "collected": is_collected, "collected_money": collected,
        "waited": (found["collected_at"] - it.failures["first_failed_at"]) * is_collected,
        "attempts": attempts, "notices": notices, "cost": cost, "net": collected - cost,
        "lost": found["is_lost"], "wrongful": found["is_wrongful"],
        "oracle": has_chance, "oracle_money": it.micros * has_chance,
        "regret": regret, "regret_money": it.micros * regret,
        "beyond": beyond, "beyond_money": it.micros * beyond,
    }  # fmt: skip
    return {name: _by_group(it.failures["group"], each) for name, each in values.items()}


def _by_group(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    found = np.zeros(GROUPS, np.int64)
    np.add.at(found, groups, values.astype(np.int64))
    return found


def figure(score: Score, sums: Sums) -> Figure:
    """The value of a score with its 95 % interval from leaving out each group of each seed; undefined with a reason."""
    above, below = sums[score.numerator], sums[score.denominator]
    units = sums["collected" if score.denominator == "collected" else "failed"]
    if not below:
        return Figure(None, above, below, 0, score.missing)
    value = _quotient(score, above, below)
    made = Figure(value, above, below, 0, units=units)
    groups = int(np.count_nonzero(sums.by_group["failed"]))
    made = with_interval(made, replicates(score, sums), groups)
    if score.unit != "share" or made.standard_error is None:
        return made
    low, high = share_interval(value, made.standard_error, units, groups)
    return replace(made, low=low, high=high)


def _quotient(score: Score, above: int, below: int) -> float:
    return above * score.scale / (below * score.divisor)


def replicates(score: Score, sums: Sums) -> np.ndarray:
    """The value with one group left out, for each group; NaN where that leaves nothing."""
    above, below = sums.by_group[score.numerator], sums.by_group[score.denominator]
    rest = (below.sum() - below).astype(float)
    rest[rest == 0] = np.nan
    return (above.sum() - above) / rest * (score.scale / score.divisor)


@dataclass(frozen=True)
class Gap:
    """How far one policy is ahead of another on the same invoices in one score, with its paired 95 % interval.

    `by_seed` holds the difference within each seed; `across_seeds` is the 95 % interval of its mean by Student's t, for
    two seeds or more.
    """

    value: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    by_seed: tuple[float, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether both did exactly as well in every group of people, though invoices may have ended otherwise."""
        return self.value == 0 and self.standard_error == 0

    @property
    def is_told(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high

    @property
    def seeds_ahead(self) -> int:
        """In how many seeds the first was ahead."""
        return sum(it > 0 for it in self.by_seed)

    @property
    def across_seeds(self) -> tuple[float, float] | None:
        """The interval of the mean over seeds; None for a single seed."""
        return interval_across(self.by_seed)


def interval_across(values: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of the mean of independent values by Student's t; None for fewer than two."""
    count = len(values)
    if count < 2:
        return None
    found = np.array(values)
    half = half_width(float(found.std(ddof=1)) / count**0.5, count)
    return float(found.mean()) - half, float(found.mean()) + half


def gap(score: Score, one: Sums, other: Sums) -> Gap:
    """`one` less `other`: the same invoices are left out on both sides, so that their common luck cancels out."""
    seeds = len(one.by_group["failed"]) // GROUPS
    by_seed = [_difference(score, one.of_seed(i), other.of_seed(i)) for i in range(seeds)]
    value = _difference(score, one, other)
    if value is None:
        return Gap(None, None, None, None, ())
    known = tuple(it for it in by_seed if it is not None)
    groups = int(np.count_nonzero(one.by_group["failed"]))
    error = standard_error(replicates(score, one) - replicates(score, other))
    if error is None or groups < 2:
        return Gap(value, None, None, None, known)
    half = half_width(error, groups)
    return Gap(value, value - half, value + half, error, known)


def _difference(score: Score, one: Sums, other: Sums) -> float | None:
    """One less the other; exactly 0 where both quotients are the same."""
    above, below = (one[score.numerator], other[score.numerator]), (one[score.denominator], other[score.denominator])
    if not all(below):
        return None
    return (above[0] * below[1] - above[1] * below[0]) * score.scale / (below[0] * below[1] * score.divisor)
