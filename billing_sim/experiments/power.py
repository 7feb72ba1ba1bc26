"""What an experiment can tell by now, and on which day it will be able to tell the effect that matters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from billing_sim import clock
from billing_sim.experiments.design import Design
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.frame import Frame
from billing_sim.metrics.tally import GROUPS
from billing_sim.stress.student import quantile

POWER = 0.80
"""How often an effect of the size of interest should be noticed, at 5 % either way: the usual choice."""


def _factor(groups: int) -> float:
    """How many standard errors an effect must have to be noticed so often."""
    return quantile(0.975, groups - 1) + quantile(POWER, groups - 1)


@dataclass(frozen=True)
class Enrolment:
    """Who is enrolled by `as_of`: the moments (`datetime64[us]`, ascending), and until when there can be more.

    From `closes` on nobody new is enrolled, and at `ends` the run is over. An outcome is final `horizon` after
    enrolment. A metric that `waits` counts only people who are through by then, others all who are enrolled.
    """

    enrol: str
    moments: np.ndarray
    as_of: datetime
    closes: datetime
    ends: datetime
    horizon: timedelta
    waits: bool = True

    @property
    def counted(self) -> int:
        """How many people the reading comes from."""
        return self.mature if self.waits else self.total

    @property
    def total(self) -> int:
        """How many are enrolled."""
        return len(self.moments)

    @property
    def mature(self) -> int:
        """How many of them are through: their outcome can no longer change."""
        return int((self.moments <= np.datetime64(self.as_of - self.horizon)).sum())

    @property
    def mature_share(self) -> float:
        """The share of those enrolled who are through."""
        return self.mature / self.total if self.total else 0.0

    def person(self, number: int) -> datetime | None:
        """The moment at which so many are enrolled: seen, or expected; `NEVER` if it will not be, None if unknown."""
        if number <= self.total:
            return _moment(self.moments[number - 1])
        if self.enrol == "start" or self.as_of >= self.closes:
            return NEVER
        expected = self._expected(number)
        is_unknown = self._is_first_cycle and self._everybody_renewed < expected < NEVER
        return None if is_unknown else expected

    @property
    def _everybody_renewed(self) -> datetime:
        """When everybody who was there at the beginning has renewed; afterwards only newcomers are enrolled."""
        return _moment(self.moments[0]) + _CYCLE

    @property
    def _is_first_cycle(self) -> bool:
        """Whether people are enrolled at renewals, and too few days have passed to know the pace of newcomers."""
        return self.enrol == "renewal" and self.as_of < self._everybody_renewed + _ENOUGH

    @property
    def _steady_since(self) -> datetime:
        """From when on enrolment went as it goes now: the later half; at renewals, since only newcomers are left."""
        first = _moment(self.moments[0])
        if self.enrol == "renewal":
            return first if self._is_first_cycle else self._everybody_renewed
        return first + (self.as_of - first) / 2

    def _expected(self, number: int) -> datetime:
        """When so many are enrolled if it goes on as it goes now; `NEVER` if that is after enrolment closes."""
        since = self._steady_since
        gained = int((self.moments >= np.datetime64(since)).sum())
        days = (number - self.total) * max((self.as_of - since) / _DAY, 1.0) / gained if gained else math.inf
        return self.as_of + timedelta(days=days) if days <= (self.closes - self.as_of) / _DAY else NEVER


NEVER = datetime.max
"""The moment of what does not happen in a run."""

_DAY = timedelta(days=1)
_CYCLE = timedelta(days=31)
"""Within this time everybody who pays by the month renews once."""
_ENOUGH = timedelta(days=7)
"""After so many days of newcomers alone their pace is known."""


@dataclass(frozen=True)
class Power:
    """The smallest effect that would be noticed four times in five by now, and the day for the effect of interest.

    `needed` are people; `decided_on` is None where they are not all through before the run ends, and where nothing can
    be said yet. `will_be` tells these apart: False where it is certain, None where it is not.
    """

    detectable: float | None
    effect: float | None
    needed: int | None
    decided_on: date | None
    will_be: bool | None


def enrolment(moments: np.ndarray, design: Design, frame: Frame, ends: datetime, definition: Definition) -> Enrolment:
    """Enrolment so far (`datetime64[us]`) in a run that ends at `ends`, seen from a metric with a wait of its own."""
    closes = min(design.until or ends, ends)
    waits, horizon = definition.matures != "none", horizon_of(definition, frame)
    return Enrolment(design.enrol, np.sort(moments), frame.as_of, closes, ends, horizon, waits)


def horizon_of(definition: Definition, frame: Frame) -> timedelta:
    """How long after enrolment an outcome may change: the metric's own wait, and through dunning where it has none."""
    matures = definition.matures
    if matures in ("none", "dunning"):
        return frame.dunning
    if matures == "settlement":
        return frame.settlement
    if matures == "month":
        return timedelta(days=31)
    return timedelta(microseconds=clock.parse_duration(matures))


def power(error: float | None, effect: float | None, seen: Enrolment, groups: int = GROUPS) -> Power:
    """From the error of the difference by now, which shrinks with the root of the people whom the reading counts.

    By now `groups` groups of people carry it; with all whom the effect of interest needs, every group will.
    """
    if not error or not seen.mature or groups < 2:
        return Power(None, effect, None, None, None)
    detectable = _factor(groups) * error
    if not effect:
        return Power(detectable, effect, None, None, None)
    needed = math.ceil(seen.counted * (_factor(GROUPS) * error / abs(effect)) ** 2)
    enrolled = seen.person(needed)
    if enrolled is None:
        return Power(detectable, effect, needed, None, None)
    is_seen = enrolled != NEVER and enrolled + seen.horizon <= seen.ends
    return Power(detectable, effect, needed, (enrolled + seen.horizon).date() if is_seen else None, is_seen)


def _moment(it: np.datetime64) -> datetime:
    found: datetime = it.astype("datetime64[us]").item()
    return found
