"""What a run says of its own world: time span, how long outcomes stay open, currency, mission, goals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from billing_sim import clock
from billing_sim.errors import QueryError, RunError
from billing_sim.metrics.definition import Population
from billing_sim.metrics.source import Source

Moment = datetime
"""A moment in UTC, without zone, as the facts hold it."""


@dataclass(frozen=True)
class Frame:
    """The span that a question looks at, from `start` to `as_of`, and how long outcomes stay open in this run."""

    start: Moment
    as_of: Moment
    settlement: timedelta
    dunning: timedelta
    currency: str
    mission: str
    goals: dict[str, str]
    followed_until: Moment | None = None
    """Where outcomes were followed beyond `as_of`, until then; units are those of before `as_of` all the same."""

    @property
    def last_seen(self) -> Moment:
        """The last moment at which anything could be seen."""
        return self.followed_until or self.as_of

    @property
    def last_month(self) -> Moment:
        """First day of the month in which the last moment before `as_of` lies."""
        return _month(self.as_of - timedelta(microseconds=1))

    @property
    def whole_months(self) -> tuple[Moment, Moment]:
        """The span of the calendar months that lie wholly inside; empty when none does."""
        first = _month(self.start)
        if first < self.start:
            first = _month(first + timedelta(days=32))
        return first, max(first, _month(self.as_of))

    def matured(self, units: Population) -> str | None:
        """The SQL condition under which a unit's outcome is final; None when every unit counts at once."""
        if units.matures == "none":
            return None
        if units.matures == "month":
            first, end = self.whole_months
            return f"{units.clock} >= {literal(first)} AND {units.clock} < {literal(end)}"
        named = {"settlement": self.settlement, "dunning": self.dunning}
        horizon = named.get(units.matures)
        if horizon is None:
            horizon = timedelta(microseconds=clock.parse_duration(units.matures))
        return f"{units.clock} <= {literal(self.as_of - horizon)}"


def frame(source: Source, as_of: datetime | None = None) -> Frame:
    """The frame of a run, judged at its end or at an earlier `as_of` (aware, or UTC).

    Outcomes are those that the source knows: what was known at an earlier moment is in the facts that
    `billing_sim.recorded.facts_as_of` folds. RunError when the world events do not begin with `run.configured`,
    QueryError when `as_of` lies outside the run.
    """
    first = next(iter(source.world_events()), {})
    if first.get("kind") != "run.configured":
        raise RunError("The world events of this run do not begin with run.configured. Run the scenario again.")
    detail = json.loads(first["detail"])
    start, end = utc(detail["start"]), utc(detail["end"])
    moment = utc(as_of) if as_of else end
    if not start < moment <= end:
        span = f"Choose a moment after {start:%Y-%m-%d} and until {end:%Y-%m-%d}."
        raise QueryError(f"As of {moment:%Y-%m-%d %H:%M} is outside the run. {span}")
    pending = timedelta(seconds=detail.get("pending_seconds", 0))
    settlement = max(timedelta(seconds=detail["return_lag_seconds"] + detail["resolution_seconds"]), pending)
    return Frame(
        start=start,
        as_of=moment,
        settlement=settlement,
        # What is pending when dunning ends is waited for.
        dunning=settlement + timedelta(seconds=detail["dunning_horizon_seconds"]) + pending,
        currency=detail["reporting_currency"],
        mission=detail["mission"],
        goals=_goals(detail.get("goals", [])),
    )


def utc(moment: str | datetime) -> Moment:
    """A moment in UTC without zone, from ISO text or a datetime; one without a zone is in UTC already."""
    found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def literal(moment: Moment) -> str:
    """The moment as SQL."""
    return f"TIMESTAMP '{moment.isoformat(sep=' ')}'"


def _month(moment: Moment) -> Moment:
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _goals(goals: list[Mapping[str, str]]) -> dict[str, str]:
    return {goal["owner"]: goal["goal"] for goal in goals}
