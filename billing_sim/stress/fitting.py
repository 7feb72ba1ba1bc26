"""Laying a case over a scenario, and telling when the two do not fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from billing_sim.errors import InputError, Problem
from billing_sim.scenario.complaints import complaints
from billing_sim.scenario.layers import Composition, suggestion
from billing_sim.scenario.meaning import examine
from billing_sim.scenario.merge import overlay
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import (
    SHIPPED,
    Entry,
    Mapping,
    Node,
    Place,
    Scalar,
    Sequence,
    at,
    entries,
    items,
    plain,
    spoken,
    text,
    texts,
)
from billing_sim.stress.case import Case
from billing_sim.stress.span import outside

_GIVEN = Place(f"{SHIPPED}given", 0, 0)
"""Where the scenario stands that is given: whatever does not fit is the case's to answer for."""

_SETTLED = {"dunning": "dunning_switch", "account_updater": "account_updater"}
"""Keys of a scenario that a case sets for the whole time, and the interventions that would undo it."""


_OF_A_MARKET = ("name", "region", "currency", "time_zone", "locale", "members", "tax", "prices", "plan_mix")
"""What a market says that is no change of one but a market of its own."""


def apply(case: Case, base_content: dict[str, Any]) -> dict[str, Any]:
    """The content of a scenario file with the case laid over it, as `extends` would; `base_content` stays as it is.

    What a case adds to the timeline comes besides what is there. A case that sets `dunning` or `account_updater` sets
    it for good: the scenario's own switches of it are left out. InputError, at the case's place, where the two
    do not fit: a market, gateway or plan that the scenario lacks, a day outside it, shares that no longer add up.
    """
    given = _with_given(case, _tree(base_content))
    merged = _with_world(case, given)
    problems = [*_unknown(case, given), *outside(case.tree, given)]
    if not problems and (case.changes_world or case.gives):
        problems = [_at_case(case, problem) for problem in _refusals(merged)]
    if problems:
        raise InputError(problems)
    content: Any = spoken(merged)
    return content


def beneath(case: Case, base_content: dict[str, Any]) -> dict[str, Any]:
    """The content of a scenario file with what the case needs to be there, and nothing injected.

    What the scenario says itself stays: of the case it gets each key that it lacks, and interventions of kinds that its
    timeline lacks. InputError, at the case's place, where that is no scenario.
    """
    merged = _with_given(case, _tree(base_content))
    problems = [_at_case(case, problem, "given") for problem in _refusals(merged)]
    if problems:
        raise InputError(problems)
    content: Any = spoken(merged)
    return content


def faults_of_given(case: Case, base_content: dict[str, Any]) -> list[Problem]:
    """What is wrong with what a case gives, also with keys of which this scenario needs none."""
    given = at(case.tree, "given")
    if not isinstance(given, Mapping):
        return []
    merged = overlay(_tree(base_content), given)
    return [problem for problem in _refusals(merged) if problem.file == str(case.path)]


def _with_given(case: Case, content: Mapping) -> Mapping:
    given = at(case.tree, "given")
    if not isinstance(given, Mapping):
        return content
    lacking = [entry for key, entry in given.entries.items() if key not in content.entries]
    merged = content.with_entries(*lacking)
    own, added = items(content, "timeline"), given.entries.get("timeline")
    if added is None or not own:
        return merged
    there = {text(node, "kind") for node in own}
    both = own + tuple(node for node in items(given, "timeline") if text(node, "kind") not in there)
    return merged.with_entries(Entry("timeline", added.place, Sequence(both, added.value.place)))


def _with_world(case: Case, given: Mapping) -> Mapping:
    every, own = at(case.tree, "inject", "every_market"), at(case.tree, "inject", "scenario")
    merged = given
    if isinstance(every, Mapping):
        merged = _in_every_market(merged, every)
    if isinstance(own, Mapping):
        merged = _with_timeline(overlay(_unsettled(merged, own), own), merged, own)
    return merged


def _in_every_market(given: Mapping, every: Mapping) -> Mapping:
    markets = at(given, "markets")
    if not isinstance(markets, Mapping):
        return given
    changed = [
        Entry(entry.key, every.place, overlay(entry.value, every))
        for entry in markets.entries.values()
        if isinstance(entry.value, Mapping)
    ]
    return given.with_entries(Entry("markets", markets.place, markets.with_entries(*changed)))


def _unsettled(given: Mapping, own: Mapping) -> Mapping:
    """The scenario without the interventions that would undo what the case sets."""
    kinds = [kind for key, kind in _SETTLED.items() if key in own.entries]
    kept = tuple(node for node in items(given, "timeline") if text(node, "kind") not in kinds)
    if len(kept) == len(items(given, "timeline")):
        return given
    return given.with_entries(Entry("timeline", given.place, Sequence(kept, given.place)))


def _with_timeline(merged: Mapping, given: Mapping, own: Mapping) -> Mapping:
    added = own.entries.get("timeline")
    if added is None or not isinstance(added.value, Sequence):
        return merged
    both = items(_unsettled(given, own), "timeline") + added.value.items
    return merged.with_entries(Entry("timeline", added.place, Sequence(both, added.value.place)))


def _unknown(case: Case, given: Mapping) -> Iterator[Problem]:
    """Names in the case that the scenario does not have."""
    whole = Composition(given).tree
    known = {key: [entry.key for entry in entries(whole, key)] for key in ("markets", "gateways", "plans")}
    for entry in entries(case.tree, "inject", "scenario", "markets"):
        is_whole = all(at(entry.value, key) is not None for key in _OF_A_MARKET)
        if entry.key not in known["markets"] and not is_whole:
            yield _no_such(entry.place, "market", entry.key, known["markets"])
    for node in items(case.tree, "inject", "log"):
        for key in ("market", "gateway"):
            for name, place in texts(node, key):
                if name not in known[f"{key}s"]:
                    yield _no_such(place, key, name, known[f"{key}s"])
        column = text(node, "column")
        for key in ("was", "becomes") if column in ("gateway", "plan") else ():
            label = at(node, key)
            if label is not None and (name := text(label) or "") not in known[f"{column}s"]:
                yield _no_such(label.place, f"{column}", name, known[f"{column}s"])


def _no_such(place: Place, what: str, name: str, known: list[str]) -> Problem:
    remedy = suggestion(name, known, f"Its {what}s are")
    return place.problem(f"{name} is no {what} of this scenario, so the case does not fit it.", remedy)


def _refusals(merged: Mapping) -> Iterator[Problem]:
    """What a scenario would be refused for."""
    composition = Composition(merged)
    yield from composition.problems
    yield from examine(composition.tree)
    try:
        Scenario.model_validate(plain(composition.tree))
    except ValidationError as error:
        yield from complaints(error, composition.tree, Scenario)


def _at_case(case: Case, problem: Problem, part: str = "inject") -> Problem:
    """The problem at its place in the case, or at this part of it when it only shows elsewhere."""
    if problem.file == str(case.path):
        return problem
    place = (at(case.tree, part) or case.tree).place
    return place.problem(f"The case does not fit this scenario. {problem.what}", problem.remedy)


def _tree(value: Any) -> Mapping:
    node = _node(value)
    assert isinstance(node, Mapping)
    return node


def _node(value: Any) -> Node:
    if isinstance(value, dict):
        return Mapping({key: Entry(key, _GIVEN, _node(item)) for key, item in value.items()}, _GIVEN)
    if isinstance(value, list):
        return Sequence(tuple(map(_node, value)), _GIVEN)
    return Scalar(value, _GIVEN)
