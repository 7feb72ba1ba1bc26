"""The design of an experiment, as the log tells it: arms and shares, whom and when it enrols."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from billing_sim import clock
from billing_sim.errors import QueryError
from billing_sim.metrics.names import unknown
from billing_sim.metrics.source import Source


@dataclass(frozen=True)
class Design:
    """An experiment: `shares` of its arms by name, the first being the one that others are compared with.

    `changes` names the keys of the scenario that differ in each arm; `since` and `until` bound enrolment (UTC, without
    zone; None: to the end).
    """

    name: str
    about: str
    enrol: str
    shares: Mapping[str, float]
    changes: Mapping[str, tuple[str, ...]]
    holdout: float
    markets: tuple[str, ...]
    since: datetime
    until: datetime | None

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms in the order of the scenario."""
        return tuple(self.shares)


def designs(source: Source) -> dict[str, Design]:
    """Every experiment of a run, by name."""
    told = [event for event in source.world_events() if event["kind"] == "experiment.opened"]
    found = [_design(event) for event in told]
    return {it.name: it for it in found}


def design_of(source: Source, name: str = "") -> Design:
    """The experiment of this name, or the only one; QueryError when there is none, or several and no name."""
    found = designs(source)
    if not found:
        raise QueryError("This run has no experiments: write some under `experiments:` in its scenario.")
    if not name and len(found) > 1:
        raise QueryError(f"This run has {len(found)} experiments: name one of {', '.join(found)}.")
    if name and name not in found:
        raise QueryError(unknown("experiment", name, found))
    return found[name] if name else next(iter(found.values()))


def _design(event: Mapping[str, Any]) -> Design:
    detail = json.loads(event["detail"])
    arms = detail["arms"]
    return Design(
        name=detail["name"],
        about=detail["about"],
        enrol=detail["enrol"],
        shares={arm: float(it["share"]) for arm, it in arms.items()},
        changes={arm: tuple(it["changes"]) for arm, it in arms.items()},
        holdout=float(detail["holdout"]),
        markets=tuple(detail["market"]),
        since=_moment(event["occurred_at"]),
        until=_moment(event["until"]) if event.get("until") else None,
    )


def _moment(micros: int) -> datetime:
    return clock.moment_of(micros).astimezone(UTC).replace(tzinfo=None)
