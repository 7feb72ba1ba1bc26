"""The arms of experiments as finished scenarios: each change is laid over the file, and the whole is checked again.

What is left of a change are the finished values of the scenario's keys that differ. Numbers must mean the same in every
arm, and everybody must be the same people, so what people share may not differ; policies and promotions of an arm are
appended to those of the scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import Any, TypeAlias

from billing_sim.errors import InputError, Problem
from billing_sim.scenario.experiments import MOST_RECORDS, Experiment, is_possible, worlds_of
from billing_sim.scenario.market_changes import differing, keys_of
from billing_sim.scenario.merge import overlay
from billing_sim.scenario.model import Market, Scenario
from billing_sim.scenario.nodes import Mapping, Node, Place, at, entries
from billing_sim.scenario.parts import CAPACITY, MOST_BINS

Named: TypeAlias = dict[str, dict[str, Any]]
"""What is known by name, by the key under which it stands."""

Finish: TypeAlias = Callable[[Mapping], Scenario]
"""From the tree of a file to the checked scenario; InputError with its problems."""

SHARED = (
    "name", "about", "seed", "start", "end", "members", "reporting_currency", "exchange_rates", "mission", "goals",
    "best", "expect", "log", "window", "recording_delay", "experiments",
    # Host and borrower must live by the same campaign.
    "sharing", "campaigns",
    # Readers know one agreement with partners; and who is billed at which hour is settled before anybody is enrolled.
    "partner_billing", "billing_hours",
)  # fmt: skip
"""Keys that are about the run or the population, not about what is done to a person."""

_KINDS_BY_KEY = {"dunning_policies": "dunning policy", "promotions": "promotion"}
"""What is known by its name in all arms: an arm may add to it, under a name that means nothing else."""

_LISTED = ("plans", "gateways", "markets")
"""What is the same in all arms, and in the same order."""

_OF_A_MARKET = ("prices", "behaviour")
"""What may differ of a market."""

_OF_THE_PEOPLE = ("former_members", "tenure_mix", "paydays", "inert_members")
"""What of the behaviour says who people are before anybody is enrolled."""

_COMMON = (
    "signup_surge", "exchange_rate", "market_launch", "card_testing", "support_staffing", "sharing_crackdown",
)  # fmt: skip
"""What on the timeline is about who comes, about what all share, or about what money is worth."""


def with_arms(scenario: Scenario, tree: Mapping, finish: Finish) -> Scenario:
    """The scenario with every arm's change finished; `tree` is the file with all that it extends.

    InputError for a change that is no scenario, or that changes what all arms share.
    """
    if not scenario.experiments:
        return scenario
    found, problems = dict(scenario.experiments), list[Problem]()
    named: Named = {key: dict(getattr(scenario, key)) for key in _KINDS_BY_KEY}
    for name, experiment in scenario.experiments.items():
        finished = {}
        for arm, it in experiment.arms.items():
            change = at(tree, "experiments", name, "arms", arm, "change")
            if not isinstance(change, Mapping) or not (change.entries or change.removed):
                continue
            try:
                own = _finished(scenario, tree, change, finish)
            except InputError as error:
                problems += error.problems
                continue
            problems += _faults(scenario, own, change, named)
            named = {key: {**getattr(own, key), **known} for key, known in named.items()}
            finished[arm] = it.model_copy(update={"change": _differing(scenario, own)})
        found[name] = experiment.model_copy(update={"arms": {**experiment.arms, **finished}})
    problems += [*_conflicts(scenario, found, tree), *_excess(named, tree)]
    # Where an arm is refused its change is still as it was written.
    problems = problems or [*_excess_of_bins(scenario, found, tree), *_misfits(found, tree, finish)]
    if problems:
        raise InputError(problems)
    ordered = {key: {**getattr(scenario, key), **known} for key, known in named.items()}
    return scenario.model_copy(update={"experiments": found, **ordered})


def _finished(scenario: Scenario, tree: Mapping, change: Mapping, finish: Finish) -> Scenario:
    refused = [_refusal(place, key) for key, place in _touched(change).items() if key in ("extends", *SHARED)]
    refused += [_refusal(place, f"the list of {key}") for key, place in _listed_anew(scenario, change)]
    if refused:
        raise InputError(refused)
    try:
        return finish(overlay(tree.without("experiments"), change))
    except InputError as error:
        own = set(_places(change))
        raise InputError(it if _place_of(it) in own else _laid_over(change, it) for it in error.problems) from error


def faults_of_changes(tree: Mapping, finish: Finish) -> Iterator[Problem]:
    """What is wrong within the arms' changes, of a scenario that is refused for other reasons: all is told at once."""
    for experiment in entries(tree, "experiments"):
        for arm in entries(experiment.value, "arms"):
            change = at(arm.value, "change")
            if isinstance(change, Mapping) and change.entries:
                yield from _faults_within(tree, change, finish)


def _faults_within(tree: Mapping, change: Mapping, finish: Finish) -> Iterator[Problem]:
    yield from (_refusal(place, key) for key, place in _touched(change).items() if key in ("extends", *SHARED))
    try:
        finish(overlay(tree.without("experiments"), change))
    except InputError as error:
        own = set(_places(change))
        yield from (it for it in error.problems if _place_of(it) in own)


def bins_of(scenario: Scenario, experiments: dict[str, Experiment]) -> set[str]:
    """The BIN ranges that the markets of a scenario name, in any arm of these experiments."""
    arms = [arm for experiment in experiments.values() for arm in experiment.arms.values()]
    worlds = [scenario.markets, *(arm.change.get("markets", {}) for arm in arms)]
    return {name for markets in worlds for market in markets.values() for name in market.behaviour.card_bins}


def _excess_of_bins(scenario: Scenario, experiments: dict[str, Experiment], tree: Mapping) -> Iterator[Problem]:
    found = len(bins_of(scenario, experiments))
    if found > MOST_BINS:
        yield _place(tree).problem(
            f"experiments: with those of the arms there are {found} BIN ranges, more than the limit of {MOST_BINS}.",
            "Let arms share names.",
        )


def _touched(change: Mapping) -> dict[str, Place]:
    """The keys that are written or removed, and where."""
    return {**change.removed, **{key: entry.place for key, entry in change.entries.items()}}


def _listed_anew(scenario: Scenario, change: Mapping) -> Iterator[tuple[str, Place]]:
    """What a change adds to lists that are the same in all arms, or takes from them."""
    for key in _LISTED:
        if key in change.removed:
            yield key, change.removed[key]
        part, known = at(change, key), getattr(scenario, key)
        if isinstance(part, Mapping):
            yield from ((key, place) for name, place in part.removed.items() if name in known)
            yield from ((key, entry.place) for name, entry in part.entries.items() if name not in known)


def _places(node: Node) -> Iterator[tuple[str, int, int]]:
    """Where everything of a change stands."""
    yield node.place.file, node.place.line, node.place.column
    if isinstance(node, Mapping):
        for place in _touched(node).values():
            yield place.file, place.line, place.column
    parts = [it.value for it in node.entries.values()] if isinstance(node, Mapping) else getattr(node, "items", ())
    for part in parts:
        yield from _places(part)


def _place_of(problem: Problem) -> tuple[str, int, int]:
    return problem.file, problem.line, problem.column


def _laid_over(change: Mapping, problem: Problem) -> Problem:
    """A problem of what the change is laid over, which is none without it."""
    return change.place.problem(f"change: laid over the scenario, {problem.what}", problem.remedy)


def _excess(named: Named, tree: Mapping) -> Iterator[Problem]:
    """More than the world has room for, with what the arms add."""
    for key, known in named.items():
        if len(known) > CAPACITY[key]:
            what = key.replace("_", " ")
            yield _place(tree).problem(
                f"experiments: with those of the arms there are {len(known)} {what}, more than the limit of "
                f"{CAPACITY[key]}.",
                f"Let arms share {what.split()[-1]}.",
            )


def _refusal(place: Place, what: str) -> Problem:
    return place.problem(
        f"change: {what} is the same for all arms of an experiment.", "Change what is done to people: leave this out."
    )


def _differing(scenario: Scenario, own: Scenario) -> dict[str, Any]:
    """The keys whose finished values differ; what is known by name is shared by all."""
    keys = (key for key in Scenario.model_fields if key not in (*SHARED, *_KINDS_BY_KEY))
    return {key: getattr(own, key) for key in keys if getattr(own, key) != getattr(scenario, key)}


def _faults(scenario: Scenario, own: Scenario, change: Mapping, named: Named) -> Iterator[Problem]:
    """What an arm changes although all share it."""
    for key, kind in _KINDS_BY_KEY.items():
        for name, part in getattr(own, key).items():
            if named[key].get(name, part) != part:
                yield _blamed(change, key, name).problem(
                    f"change: the {kind} {name} is another one elsewhere.",
                    f"Give the changed {kind.split()[-1]} a new name.",
                )
    if own.plans != scenario.plans:
        yield _refusal(_blamed(change, "plans"), "what plans are called and how often they are billed")
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
    for kind in _COMMON:
        if _on_timeline(own, kind) != _on_timeline(scenario, kind):
            yield _refusal(_blamed(change, "timeline"), f"every {kind} of the timeline")


def _moved(market: Market, own: Market) -> Iterator[str]:
    for key in Market.model_fields:
        if key not in _OF_A_MARKET and getattr(market, key) != getattr(own, key):
            yield key
    if list(market.prices) != list(own.prices):
        yield "prices"
    for key in _OF_THE_PEOPLE:
        if getattr(market.behaviour, key) != getattr(own.behaviour, key):
            yield f"behaviour.{key}"
    if _serial_share(market) != _serial_share(own):
        yield "behaviour.serial_churners.share"


def _desks(scenario: Scenario) -> Any:
    return scenario.support.desks if scenario.support else None


def _reviewers(scenario: Scenario) -> Any:
    return scenario.fraud.review.team if scenario.fraud else None


def _serial_share(market: Market) -> Any:
    return market.behaviour.serial_churners.share if market.behaviour.serial_churners else 0


def _on_timeline(scenario: Scenario, kind: str) -> list[Any]:
    return [entry for entry in scenario.timeline if entry.kind == kind]


def _conflicts(scenario: Scenario, experiments: dict[str, Experiment], tree: Mapping) -> Iterator[Problem]:
    """Two experiments on the same people that change the same key, and more worlds than there may be."""
    for name, other in combinations(experiments, 2):
        pair = {it: experiments[it] for it in (name, other)}
        same = set.intersection(*(_changed(scenario, it) for it in pair.values()))
        if same and is_possible(tuple(next(iter(it.arms)) for it in pair.values()), pair):
            yield _place(tree, other).problem(
                f"experiments: {name} and {other} both change {min(same)}, and the same people may be in both.",
                "Give them different markets, or change different keys."
                + (" Regions and market_defaults are laid over markets." if min(same).startswith("markets.") else ""),
            )
    worlds = len(worlds_of(experiments))
    if worlds > MOST_RECORDS:
        yield _place(tree).problem(
            f"experiments: their arms combine to {worlds} different worlds, more than the limit of {MOST_RECORDS}.",
            "Leave out an arm or an experiment, or give experiments different markets.",
        )


def _misfits(experiments: dict[str, Experiment], tree: Mapping, finish: Finish) -> Iterator[Problem]:
    """Changes of markets by arms of two experiments, each a scenario alone, that are none together."""
    for name, other in combinations(experiments, 2):
        pair = {it: experiments[it] for it in (name, other)}
        for arms in product(*(it.arms for it in pair.values())):
            both = [experiment.arms[arm].change for experiment, arm in zip(pair.values(), arms, strict=True)]
            if not all("markets" in change for change in both) or not is_possible(arms, pair):
                continue
            laid = tree.without("experiments")
            for experiment, arm in zip(pair, arms, strict=True):
                change = at(tree, "experiments", experiment, "arms", arm, "change")
                assert isinstance(change, Mapping)
                laid = overlay(laid, change)
            try:
                finish(laid)
            except InputError as error:
                for it in error.problems:
                    yield _place(tree, other, "arms", arms[1]).problem(
                        f"change: together with the arm {arms[0]} of {name}, {it.what}", it.remedy
                    )


def _changed(scenario: Scenario, experiment: Experiment) -> set[str]:
    """The keys that any arm changes; of markets, those inside them."""
    found = set[str]()
    for arm in experiment.arms.values():
        found |= arm.change.keys() - {"markets"}
        if "markets" in arm.change:
            found |= {f"markets.{key}" for key in keys_of(differing(scenario.markets, arm.change["markets"]))}
    return found


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
