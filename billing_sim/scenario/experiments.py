"""Experiments: some people, by keyed hash, live under a change of the scenario, so that arms can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import product
from typing import Any, Literal, TypeAlias

from pydantic import Field

from billing_sim.scenario.parts import MarketCode, Name, Part
from billing_sim.scenario.values import Moment, Share

MOST_EXPERIMENTS = 8
MOST_ARMS = 16
MOST_RECORDS = 16
MOST_LABELS = 256

Combination: TypeAlias = tuple[str, ...]
"""The arm of a person in each experiment, "" where they are in none."""


class Arm(Part):
    """One arm of an experiment: its share of those enrolled, and what is different for them."""

    about: str = Field("", description="what is tried, for people")
    share: Share = Field(description="share of those enrolled; shares of all arms add up to 100 %")
    change: dict[str, Any] = Field(
        {}, description="keys of a scenario, laid over the scenario for the people of this arm; none: nothing differs"
    )


class Experiment(Part):
    """Who is enrolled when, and in which arms. After `until` nobody new is; those enrolled stay in their arm."""

    about: str = Field("", description="what the experiment is to find out, for people")
    arms: dict[Name, Arm] = Field(
        min_length=2, max_length=MOST_ARMS, description="the arms; the first is the one that others are compared with"
    )
    enrol: Literal["sign_up", "renewal", "first_failure", "start"] = Field(
        description="at which moment of theirs people are enrolled, before anything of it is done"
    )
    market: list[MarketCode] = Field([], description="only people of these markets; empty: all")
    since: Moment | None = Field(None, alias="from", description="from when on people are enrolled; none: the start")
    until: Moment | None = Field(None, description="from when on nobody new is enrolled; none: the end")
    holdout: Share = Field(Decimal(0), description="share of people who are never enrolled")


Experiments: TypeAlias = Mapping[str, Experiment]


def combinations(experiments: Experiments) -> list[Combination]:
    """What people can be in, by number: nothing first, then the arms of the first experiment, and so on.

    The number is the sum of each experiment's arm (from 1) times its step, as digits make up a number.
    """
    choices = [("", *experiment.arms) for experiment in experiments.values()]
    return [found[::-1] for found in product(*choices[::-1])]


def is_possible(combination: Combination, experiments: Experiments) -> bool:
    """Whether anybody can be in all of these: the experiments have a market in common."""
    places = [set(it.market) for it, arm in zip(experiments.values(), combination, strict=True) if arm and it.market]
    return not places or bool(set.intersection(*places))


def label(combination: Combination, experiments: Experiments) -> str:
    """A combination as the column `arm` says it: `retry_test/treatment`, two joined by a plus, or `none`."""
    found = [f"{name}/{arm}" for name, arm in zip(experiments, combination, strict=True) if arm]
    return "+".join(found) or "none"


def labels(experiments: Experiments) -> tuple[str, ...]:
    """What the column `arm` can say, by number."""
    return tuple(label(it, experiments) for it in combinations(experiments))


def changing(combination: Combination, experiments: Experiments) -> Combination:
    """The arms of a combination in which something differs; the others live in the scenario's own world."""
    pairs = zip(experiments.values(), combination, strict=True)
    return tuple(arm if arm and experiment.arms[arm].change else "" for experiment, arm in pairs)


def changes_of(combination: Combination, experiments: Experiments) -> list[dict[str, Any]]:
    """The finished values of the keys that differ for the people in these arms, arm by arm."""
    pairs = zip(experiments.values(), combination, strict=True)
    return [experiment.arms[arm].change for experiment, arm in pairs if arm]


def worlds_of(experiments: Experiments) -> list[Combination]:
    """The different worlds that people live in: the scenario's own first, then one for each possible change."""
    possible = (it for it in combinations(experiments) if is_possible(it, experiments))
    return list(dict.fromkeys(changing(it, experiments) for it in possible))


def without_change(experiments: Experiments, key: str, interventions: str) -> dict[str, Experiment]:
    """The experiments, none of which changes this key, at the start or by interventions of this kind."""
    return {
        name: it.model_copy(update={"arms": {arm: _less(own, key, interventions) for arm, own in it.arms.items()}})
        for name, it in experiments.items()
    }


def _less(arm: Arm, key: str, interventions: str) -> Arm:
    change = {name: value for name, value in arm.change.items() if name != key}
    if "timeline" in change:
        change["timeline"] = [entry for entry in change["timeline"] if entry.kind != interventions]
    return arm.model_copy(update={"change": change})
