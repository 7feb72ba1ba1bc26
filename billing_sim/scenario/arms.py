"""The arms of experiments as finished scenarios: each change is laid over the file, and the whole is checked again.

What is left of a change are the finished values of the scenario's keys that differ. Numbers must mean the same in every
arm, and everybody must be the same people, so what people share may not differ; policies of an arm are appended to
those of the scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from billing_sim.errors import InputError, Problem
from billing_sim.scenario.campaigns import SharingCrackdown
from billing_sim.scenario.experiments import MOST_RECORDS, Experiment, is_possible, worlds_of
from billing_sim.scenario.interventions import ExchangeRate, SignupSurge
from billing_sim.scenario.merge import overlay
from billing_sim.scenario.model import Market, Scenario
from billing_sim.scenario.nodes import Mapping, Node, Place, at
from billing_sim.scenario.parts import CAPACITY
from billing_sim.scenario.support import SupportStaffing

Finish: TypeAlias = Callable[[Mapping], Scenario]
"""From the tree of a file to the checked scenario; InputError with its problems."""

SHARED = (
    "name", "about", "seed", "start", "end", "members", "reporting_currency", "exchange_rates", "mission", "goals",
    "best", "log", "window", "recording_delay", "experiments",
    # Host and borrower must live by the same campaign.
    "sharing", "campaigns",
)  # fmt: skip
"""Keys that are about the run or the population, not about what is done to a person."""

_OF_A_MARKET = ("prices", "behaviour")
"""What may differ of a market."""


def with_arms(scenario: Scenario, tree: Mapping, finish: Finish) -> Scenario:
    """The scenario with every arm's change finished; `tree` is the file with all that it extends.

    InputError for a change that is no scenario, or that changes what all arms share.
    """
    if not scenario.experiments:
        return scenario
    found, problems = dict(scenario.experiments), list[Problem]()
    policies = dict(scenario.dunning_policies)
    for name, experiment in scenario.experiments.items():
        finished = {}
        for arm, it in experiment.arms.items():
            change = at(tree, "experiments", name, "arms", arm, "change")
            if not isinstance(change, Mapping) or not change.entries:
                continue
            try:
                own = _finished(tree, change, finish)
                problems += _faults(scenario, own, change, policies)
                policies = {**own.dunning_policies, **policies}
            except InputError as error:
                problems += error.problems
                continue
            finished[arm] = it.model_copy(update={"change": _differing(scenario, own)})
        found[name] = experiment.model_copy(update={"arms": {**experiment.arms, **finished}})
    problems += _conflicts(found, tree)
    if len(policies) > CAPACITY["dunning_policies"]:
        problems.append(_place(tree).problem(
            f"experiments: with those of the arms there are {len(policies)} dunning policies, more than the limit of "
            f"{CAPACITY['dunning_policies']}.", "Let arms share policies."
        ))  # fmt: skip
    if problems:
        raise InputError(problems)
    ordered = {**scenario.dunning_policies, **policies}
    return scenario.model_copy(update={"experiments": found, "dunning_policies": ordered})


def _finished(tree: Mapping, change: Mapping, finish: Finish) -> Scenario:
    for key in ("extends", *SHARED):
        if key in {**change.entries, **change.removed}:
            place = change.entries[key].place if key in change.entries else change.removed[key]
            raise InputError([_refusal(place, key)])
    return finish(overlay(tree.without("experiments"), change))


def _refusal(place: Place, what: str) -> Problem:
    return place.problem(
        f"change: {what} is the same for all arms of an experiment.", "Change what is done to people: leave this out."
    )


def _differing(scenario: Scenario, own: Scenario) -> dict[str, Any]:
    """The keys whose finished values differ; policies are shared by all."""
    keys = (key for key in Scenario.model_fields if key not in (*SHARED, "dunning_policies"))
    return {key: getattr(own, key) for key in keys if getattr(own, key) != getattr(scenario, key)}


def _faults(scenario: Scenario, own: Scenario, change: Mapping, policies: dict[str, Any]) -> Iterator[Problem]:
    """What an arm changes although all share it."""
    for name, policy in own.dunning_policies.items():
        if name in policies and policies[name] != policy:
            place = _blamed(change, "dunning_policies", name)
            yield place.problem(
                f"change: the dunning policy {name} is another one elsewhere.", "Give the changed policy a new name."
            )
    for key in ("plans", "gateways"):
        if list(getattr(own, key)) != list(getattr(scenario, key)):
            yield _refusal(_blamed(change, key), f"the list of {key}")
    if own.plans != scenario.plans and list(own.plans) == list(scenario.plans):
        yield _refusal(_blamed(change, "plans"), "what plans are called and how often they are billed")
    if set(own.markets) != set(scenario.markets):
        yield _refusal(_blamed(change, "markets"), "the list of markets")
        return
    for code, market in own.markets.items():
        for key in _moved(scenario.markets[code], market):
            yield _refusal(_blamed(change, "markets", code, *key.split(".")), f"{key} of market {code}")
    for name, gateway in own.gateways.items():
        known = scenario.gateways.get(name)
        for key in ("capacity", "load"):
            if known and getattr(known, key) != getattr(gateway, key):
                yield _refusal(_blamed(change, "gateways", name, key), f"{key} of gateway {name}")
    if _desks(own) != _desks(scenario):
        yield _refusal(_blamed(change, "support", "desks"), "who works at the support desks")
    if _reviewers(own) != _reviewers(scenario):
        yield _refusal(_blamed(change, "fraud", "review", "team"), "who reviews payments")
    if _staffing(own) != _staffing(scenario):
        yield _refusal(_blamed(change, "timeline"), "every support_staffing of the timeline")
    if _common(own) != _common(scenario):
        yield _refusal(_blamed(change, "timeline"), "every signup_surge and exchange_rate of the timeline")
    if _crackdowns(own) != _crackdowns(scenario):
        yield _refusal(_blamed(change, "timeline"), "every sharing_crackdown of the timeline")


def _moved(market: Market, own: Market) -> Iterator[str]:
    for key in Market.model_fields:
        if key not in _OF_A_MARKET and getattr(market, key) != getattr(own, key):
            yield key
    if list(market.prices) != list(own.prices):
        yield "prices"
    for key in ("former_members", "tenure_mix", "paydays"):
        if getattr(market.behaviour, key) != getattr(own.behaviour, key):
            yield f"behaviour.{key}"


def _desks(scenario: Scenario) -> Any:
    return scenario.support.desks if scenario.support else None


def _reviewers(scenario: Scenario) -> Any:
    return scenario.fraud.review.team if scenario.fraud else None


def _staffing(scenario: Scenario) -> list[Any]:
    return [entry for entry in scenario.timeline if isinstance(entry, SupportStaffing)]


def _common(scenario: Scenario) -> list[Any]:
    return [entry for entry in scenario.timeline if isinstance(entry, SignupSurge | ExchangeRate)]


def _crackdowns(scenario: Scenario) -> list[Any]:
    return [entry for entry in scenario.timeline if isinstance(entry, SharingCrackdown)]


def _conflicts(experiments: dict[str, Experiment], tree: Mapping) -> Iterator[Problem]:
    """Two experiments on the same people that change the same key, and more worlds than there may be."""
    names = list(experiments)
    for i, name in enumerate(names):
        for other in names[i + 1 :]:
            both = [experiments[it] for it in (name, other)]
            pair = {it: experiments[it] for it in (name, other)}
            same = set.intersection(*({key for arm in it.arms.values() for key in arm.change} for it in both))
            if same and is_possible(tuple(next(iter(it.arms)) for it in both), pair):
                yield _place(tree, other).problem(
                    f"experiments: {name} and {other} both change {min(same)}, and the same people may be in both.",
                    "Give them different markets, or change different keys.",
                )
    worlds = len(worlds_of(experiments))
    if worlds > MOST_RECORDS:
        yield _place(tree).problem(
            f"experiments: their arms combine to {worlds} different worlds, more than the limit of {MOST_RECORDS}.",
            "Leave out an arm or an experiment, or give experiments different markets.",
        )


def _place(tree: Mapping, *path: str) -> Place:
    return _blamed(tree, "experiments", *path)


def _blamed(node: Node, *path: str) -> Place:
    """The key along the path, as deep as it was written."""
    place = node.place
    for key in path:
        entry = node.entries.get(key) if isinstance(node, Mapping) else None
        if entry is None:
            return place
        place, node = entry.place, entry.value
    return place
