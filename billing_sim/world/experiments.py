"""Experiments as tables: who is enrolled when, the keyed shares of arms, and which record an arm lives in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from billing_sim import clock, draws
from billing_sim.scenario.experiments import (
    Experiment,
    changes_of,
    changing,
    combinations,
    is_possible,
    worlds_of,
)
from billing_sim.scenario.market_changes import together
from billing_sim.scenario.model import Scenario
from billing_sim.world.names import Names

if TYPE_CHECKING:
    from billing_sim.world.compile import CompiledWorld

MOMENTS = ("never", "sign_up", "renewal", "first_failure", "start")
"""By number as in `lifecycle.experiments`."""

_OCCASIONS = 1 << 40


def scenarios_of(scenario: Scenario) -> list[Scenario]:
    """The scenario that holds in each record of the compiled world: its own, then those of the arms that differ."""
    changes = [changes_of(it, scenario.experiments) for it in worlds_of(scenario.experiments)]
    return [_under(scenario, each) if each else scenario for each in changes]


def _under(scenario: Scenario, changes: list[dict[str, Any]]) -> Scenario:
    """The scenario with the changes of several arms, which agree on everything but keys inside markets."""
    update = {key: value for change in changes for key, value in change.items()}
    markets = [change["markets"] for change in changes if "markets" in change]
    if len(markets) > 1:
        update["markets"] = together(scenario.markets, markets)
    return scenario.model_copy(update=update)


def fill_experiments(world: np.recarray, names: Names) -> None:
    """Every experiment, the same in each record."""
    experiments = names.scenario.experiments
    world.enrolling[:] = len(experiments)
    step = 1
    for e, (name, it) in enumerate(experiments.items()):
        world.enrol_at[:, e] = MOMENTS.index(it.enrol)
        world.enrol_from[:, e] = clock.micros(it.since) if it.since else names.start
        world.enrol_until[:, e] = clock.micros(it.until) if it.until else clock.NEVER
        world.enrol_market[:, e, names.places(list(it.market))] = 1
        world.enrol_name[:, e] = name_number(name)
        world.enrol_holdout[:, e] = draws.threshold(it.holdout)
        world.enrol_share[:, e] = draws.ONE
        sums = list(accumulate(arm.share for arm in it.arms.values()))
        world.enrol_share[:, e, : len(sums)] = [draws.threshold(share) for share in sums]
        world.enrol_step[:, e] = step
        step *= 1 + len(it.arms)
    places = {found: i for i, found in enumerate(worlds_of(experiments))}
    for i, found in enumerate(combinations(experiments)):
        world.enrol_world[:, i] = places[changing(found, experiments)] if is_possible(found, experiments) else 0


def name_number(name: str) -> int:
    """The occasion of draws about an experiment: made of its name, so another experiment moves nobody's arm."""
    return int.from_bytes(sha256(name.encode()).digest()[:5], "big") % _OCCASIONS


def force_arm(world: CompiledWorld, experiment: str, arm: str) -> CompiledWorld:
    """The world in which everybody whom an experiment enrols is in one arm; who is enrolled when stays as it is."""
    experiments = world.scenario.experiments
    e, place = list(experiments).index(experiment), list(experiments[experiment].arms).index(arm)
    record = world.record.copy().view(np.recarray)
    record.enrol_share[:, e, :place] = 0
    record.enrol_share[:, e, place:] = draws.ONE
    return replace(world, record=record)


def opened(world: CompiledWorld) -> Iterator[dict[str, Any]]:
    """What readers must know of each experiment, as a world event."""
    for name, it in world.scenario.experiments.items():
        row: dict[str, Any] = {"kind": "experiment.opened", "detail": _detail(name, it)}
        if it.since:
            row["occurred_at"] = clock.micros(it.since)
        if it.until:
            row["until"] = clock.micros(it.until)
        yield row


def _detail(name: str, it: Experiment) -> str:
    told = {
        "name": name, "about": it.about, "enrol": it.enrol, "market": list(it.market), "holdout": _text(it.holdout),
        "arms": {
            arm: {"about": own.about, "share": _text(own.share), "changes": sorted(own.change)}
            for arm, own in it.arms.items()
        },
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False)


def _text(share: Decimal) -> str:
    return f"{share.normalize():f}"
