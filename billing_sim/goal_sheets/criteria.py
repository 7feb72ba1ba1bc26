"""The five letters of SMART as numbers, each with a verdict in words.

Specific      one definition, by its digest, with unit, segment and owner.
Measurable    |target - baseline| is at least 3 standard errors of the metric in one period.
Attainable    the target is met in 20 to 90 % of the worlds under the best policy given, else under the scenario's own.
              The interval is Wilson's (1927, "Probable inference").
Relevant      the metric gets worse when the estimand of the mission does, and better when it does, in every shock.
Time-bound    the deadline is no earlier than the end of the period, plus maturity, plus detection lag.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from billing_sim.goal_sheets.aims import Aim
from billing_sim.goal_sheets.worlds import BEST, OWN, Readings, shocks
from billing_sim.metrics import words
from billing_sim.metrics.result import Figure
from billing_sim.stress.student import quantile

SIGNAL = 3.0
"""Standard errors that a promised change must have."""

FANTASY, SANDBAGGED = 0.2, 0.9
"""A target met in fewer worlds is out of reach; one met in more is met anyway."""

BEYOND = 2.0
"""Standard errors from which a change is more than noise."""

_ONE_SIDED = 0.5 * (1 + math.erf(BEYOND / math.sqrt(2)))
"""How much of the normal distribution lies below so many errors."""

LAG_MAX = 3650
"""Days of observation beyond which a change counts as never told from noise."""

_ROUNDING = 1e-6
"""Days that are nothing but rounding."""

_Z = 1.959964
"""The 97.5 % point of the normal distribution."""


@dataclass(frozen=True)
class Criterion:
    """One letter: its name, whether it holds, the finding in words, and the figures behind it."""

    name: str
    holds: bool
    words: str
    figures: dict[str, Any]


@dataclass(frozen=True)
class Evidence:
    """What all worlds say of one goal: values by world and seed, None where undefined.

    `updater` is what the account updater is at the start of the scenario's own world.
    """

    aim: Aim
    number: int
    readings: Readings
    updater: str = "on"

    @property
    def baseline(self) -> float | None:
        """The value stated in the goal, else the mean over the seeds in the first whole month."""
        if self.aim.goal.baseline is not None:
            return float(self.aim.goal.baseline)
        return _mean(_value(it.baseline[self.number]) for it in self.readings[OWN])

    @property
    def noise(self) -> float | None:
        """The standard error of the metric in the period: the root mean square over the seeds."""
        figures = [it.period[self.number] for it in self.readings[OWN]]
        found = _mean(None if error is None else error**2 for error in map(_error, figures))
        return None if found is None else math.sqrt(found)

    @property
    def promised(self) -> float | None:
        """Target less baseline."""
        return None if self.baseline is None else self.aim.target - self.baseline

    @property
    def way(self) -> int:
        """1 when more is better, -1 when less is; where the metric does not say, the way of the promise."""
        named = {"up": 1, "down": -1, "neither": 0}[self.aim.definition.direction]
        return named or (1 if (self.promised or 0) >= 0 else -1)

    def met(self, world: str) -> tuple[int, int, int]:
        """In how many worlds the target is met in the period, of how many with a value, and how many have none."""
        values = [_value(it.period[self.number]) for it in self.readings[world]]
        known = [it for it in values if it is not None]
        met = sum(1 for it in known if self.way * (it - self.aim.target) >= 0)
        return met, len(known), len(values) - len(known)


def _value(figure: Figure | None) -> float | None:
    return None if figure is None or figure.value is None else float(figure.value)


def _error(figure: Figure | None) -> float | None:
    """The standard error of a figure; that of its interval where all units are alike, as when all few have paid."""
    if figure is None or figure.standard_error is None:
        return None
    return figure.standard_error or (figure.reach or 0.0) / _Z


def _mean(values: Iterator[float | None]) -> float | None:
    known = [it for it in values if it is not None]
    return sum(known) / len(known) if known else None


def criteria(it: Evidence) -> tuple[Criterion, ...]:
    """All five."""
    return specific(it), measurable(it), attainable(it), relevant(it), time_bound(it)


def specific(it: Evidence) -> Criterion:
    """Which number is meant, of whom, and whose it is. Goals that leave that open are refused before."""
    d, goal = it.aim.definition, it.aim.goal
    whom = ", ".join(f"{name} {value}" for name, value in goal.segment.items()) or "everybody"
    told = f"definition {d.digest[:12]}, unit {d.unit}, of {whom}, owned by {goal.owner}"
    figures = {"definition": d.digest, "unit": d.unit, "segment": goal.segment, "owner": goal.owner}
    return Criterion("specific", True, told, figures)


def measurable(it: Evidence) -> Criterion:
    """The promised change in standard errors."""
    d, promised, noise = it.aim.definition, it.promised, it.noise
    figures: dict[str, Any] = {"baseline": it.baseline, "target": it.aim.target, "standard_error": noise}
    if promised is None or it.baseline is None:
        return Criterion("measurable", False, "there is no value to start from", figures)
    if noise is None:
        return Criterion("measurable", False, "there is no error of the metric in the period", figures)
    signal = abs(promised) / noise if noise else math.inf
    figures["signal_to_noise"] = signal if noise else None
    size = f"{signal:.1f} standard errors of a month" if noise else "without any noise in a month"
    shown = f"{_shown(it, it.baseline)} to {_shown(it, it.aim.target)}, {size}"
    if it.way * promised <= 0:
        return Criterion("measurable", False, f"{shown}: no improvement is promised", figures)
    each = words.half(d, noise, it.baseline)
    told = shown if signal >= SIGNAL else f"{shown}: noise hides it, {SIGNAL:g} are needed ({each} each)"
    return Criterion("measurable", signal >= SIGNAL, told, figures)


def attainable(it: Evidence) -> Criterion:
    """The share of worlds in which the target is met."""
    judged = BEST if BEST in it.readings else OWN
    figures: dict[str, Any] = {}
    shown = []
    for world in (OWN, BEST):
        if world in it.readings:
            met, of, without = it.met(world)
            share, low, high = (met / of, *wilson(met, of)) if of else (None, None, None)
            figures[world] = {"met": met, "worlds": of, "undefined": without, "share": share, "low": low, "high": high}
            shown.append(_met(met, of, without, "its own policy" if world == OWN else "the best one"))
    share = figures[judged]["share"]
    if share is None:
        return Criterion("attainable", False, "; ".join(shown), figures)
    verdict = "fantasy: " if share < FANTASY else "sandbagged: " if share > SANDBAGGED else ""
    return Criterion("attainable", not verdict, verdict + "; ".join(shown), figures)


def _met(met: int, of: int, without: int, policy: str) -> str:
    """In how many worlds a target was met under a policy, and how many had nothing to tell."""
    if not of:
        return f"under {policy} the metric has no value in any of {without} worlds"
    low, high = wilson(met, of)
    left = f", {without} more {'has' if without == 1 else 'have'} no value" if without else ""
    share = f"{100 * met / of:.0f} % ({100 * low:.0f} to {100 * high:.0f} %)"
    return f"met in {met} of {of} worlds under {policy}, {share}{left}"


def wilson(met: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    share, z = met / of, _Z**2 / of
    middle, half = share + z / 2, _Z * math.sqrt(share * (1 - share) / of + z / of / 4)
    return max(0.0, (middle - half) / (1 + z)), min(1.0, (middle + half) / (1 + z))


@dataclass(frozen=True)
class Shock:
    """What a shock does to the estimand and to the metric, better counted upwards: means over seeds with errors.

    `worlds` are the seeds, `read` those in which the metric has a value.
    """

    kept: float
    kept_error: float
    metric: float | None
    metric_error: float
    worlds: int
    read: int

    @property
    def tells(self) -> bool:
        """Whether the estimand moves beyond noise."""
        return abs(self.kept) > beyond(self.worlds) * self.kept_error

    @property
    def agrees(self) -> bool:
        """Whether the metric moves beyond noise too, and the same way."""
        is_same_way = self.metric is not None and self.metric * self.kept > 0
        return is_same_way and abs(self.metric or 0.0) > beyond(self.read) * self.metric_error


def beyond(worlds: int) -> float:
    """Errors of a mean over so many worlds from which it is more than noise: as many more as Student's t asks."""
    return quantile(_ONE_SIDED, worlds - 1) if worlds > 1 else math.inf


def relevant(it: Evidence) -> Criterion:
    """Whether the metric moves with the estimand in every shock that moves it."""
    what = shocks(it.updater)
    found = {name: _shock(it, name) for name in what}
    figures = {name: vars(shock) | {"tells": shock.tells, "agrees": shock.agrees} for name, shock in found.items()}
    shown = [f"{what[name]} {_moves(it, shock)}" for name, shock in found.items()]
    telling = [shock for shock in found.values() if shock.tells]
    if not telling:
        return Criterion("relevant", False, "no shock moves the estimand here; use more members or seeds", figures)
    return Criterion("relevant", all(shock.agrees for shock in telling), "; ".join(shown), figures)


def _moves(it: Evidence, shock: Shock) -> str:
    if not shock.tells:
        return "nobody can tell whether more or fewer of the members are kept"
    people = f"{100 * abs(shock.kept):.2f} pp {'more' if shock.kept > 0 else 'fewer'} of the members are kept"
    how = "the same way" if shock.agrees else "not the same way"
    return f"{people} and the metric {_turns(it, shock.metric)}, {how}"


def _turns(it: Evidence, metric: float | None) -> str:
    """Whether a metric gets better or worse, whichever way it counts, and by how much."""
    if metric is None:
        return "is undefined"
    if not metric:
        return "does not move"
    size = words.signed(it.aim.definition, abs(metric), it.aim.currency).lstrip("+")
    return f"gets {'better' if metric > 0 else 'worse'} by {size}"


def _shock(it: Evidence, name: str) -> Shock:
    kept, metric = [], []
    for own, other in zip(it.readings[OWN], it.readings[name], strict=False):
        kept.append(other.kept - own.kept)
        before, after = _value(own.whole[it.number]), _value(other.whole[it.number])
        if before is not None and after is not None:
            metric.append(it.way * (after - before))
    moved, error = _mean_and_error(metric)
    people, people_error = _mean_and_error(kept)
    assert people is not None
    return Shock(people, people_error, moved, error, len(kept), len(metric))


def _mean_and_error(values: Sequence[float]) -> tuple[float | None, float]:
    if not values:
        return None, math.inf
    mean, count = sum(values) / len(values), len(values)
    if count < 2:
        return mean, math.inf
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1) / count)


def time_bound(it: Evidence) -> Criterion:
    """The first day on which the goal can be judged against its deadline."""
    aim, lag = it.aim, detection_lag(it)
    figures: dict[str, Any] = {
        "period": f"{aim.period:%Y-%m}", "maturity_days": aim.maturity / timedelta(days=1), "detection_lag_days": lag,
        "deadline": f"{aim.deadline}", "earliest": None,
    }  # fmt: skip
    if lag is None:
        return Criterion("time-bound", False, "the promised change is not told from noise within ten years", figures)
    earliest = earliest_day(aim, lag)
    figures["earliest"] = f"{earliest}"
    parts = f"{aim.period:%Y-%m} settles in {aim.maturity / timedelta(days=1):.0f} d" + (
        f", lag {lag} d" if lag else ""
    )
    holds = earliest <= aim.deadline
    told = f"can be judged from {earliest} ({parts}); the deadline is {aim.deadline}"
    return Criterion("time-bound", holds, told if holds else f"too early: {told}", figures)


def detection_lag(it: Evidence) -> int | None:
    """Days beyond the period until the promised change exceeds two standard errors; None when that takes too long.

    The error shrinks with the root of the days observed.
    """
    if not it.promised or it.noise is None:
        return None
    days = (it.aim.end.date() - it.aim.period).days
    needed = days * (BEYOND * it.noise / it.promised) ** 2
    return max(0, math.ceil(needed - _ROUNDING) - days) if needed < LAG_MAX else None


def earliest_day(aim: Aim, lag: int) -> date:
    """The end of the period, plus maturity, plus detection lag."""
    return (aim.settled + timedelta(days=lag)).date()


def _shown(it: Evidence, value: float) -> str:
    return words.value(it.aim.definition, Figure(value, 0, 1, 0), it.aim.currency)
