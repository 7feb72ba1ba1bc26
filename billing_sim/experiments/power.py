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

_FACTOR = quantile(0.975, GROUPS - 1) + quantile(POWER, GROUPS - 1)


@dataclass(frozen=True)
class Enrolment:
    """How many are enrolled, since and until when, and how many have an outcome that can no longer change."""

    first: datetime | None
    total: int
    mature: int
    per_day: float
    horizon: timedelta

    @property
    def mature_share(self) -> float:
        """The share of those enrolled who are through."""
        return self.mature / self.total if self.total else 0.0


@dataclass(frozen=True)
class Power:
    """The smallest effect that would be noticed four times in five by now, and the day for the effect of interest.

    `decided_on` is None where enrolment as it goes would never suffice, or nothing is known yet; `needed` are people.
    """

    detectable: float | None
    effect: float | None
    needed: int | None
    decided_on: date | None


def enrolment(moments: np.ndarray, design: Design, frame: Frame, definition: Definition) -> Enrolment:
    """Enrolment so far (`datetime64[us]`), seen from a metric with its own wait for outcomes."""
    horizon = horizon_of(definition, frame)
    if not len(moments):
        return Enrolment(None, 0, 0, 0.0, horizon)
    mature = int((moments <= np.datetime64(frame.as_of - horizon)).sum())
    first = moments.min().astype("datetime64[us]").item()
    last = min(frame.as_of, design.until or frame.as_of)
    days = max((last - first) / timedelta(days=1), 1.0)
    return Enrolment(first, len(moments), mature, len(moments) / days, horizon)


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


def power(error: float | None, effect: float | None, seen: Enrolment, design: Design) -> Power:
    """From the error of the difference by now, which shrinks with the root of the mature people."""
    if not error or not seen.mature:
        return Power(None, effect, None, None)
    detectable = _FACTOR * error
    if not effect:
        return Power(detectable, effect, None, None)
    needed = math.ceil(seen.mature * (detectable / abs(effect)) ** 2)
    return Power(detectable, effect, needed, _day(needed, seen, design))


def _day(needed: int, seen: Enrolment, design: Design) -> date | None:
    """The day on which so many are enrolled and through; None when enrolment ends before."""
    assert seen.first is not None
    days = needed / seen.per_day
    if days > _LONGEST or (design.until and seen.first + timedelta(days=days) > design.until + timedelta(days=1)):
        return None
    return (seen.first + timedelta(days=days) + seen.horizon).date()


_LONGEST = 3650.0
"""Nobody waits longer for an experiment."""
