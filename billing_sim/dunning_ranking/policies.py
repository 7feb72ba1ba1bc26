"""Which policies are tried: shipped presets, those of the scenario, and those of a file of the user's own.

Such a file holds policies and nothing else, or is a scenario, of which the part `dunning_policies` is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from billing_sim.errors import InputError, QueryError
from billing_sim.scenario.checks.dunning import nothing_comes_after_the_end, steps_ascend
from billing_sim.scenario.complaints import complaints
from billing_sim.scenario.dunning import DunningPolicy
from billing_sim.scenario.layers import Composition, read_chain, shipped, suggestion
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import Entry, Mapping, entries, plain
from billing_sim.scenario.parts import Name, Part
from billing_sim.scenario.reader import parse, read_bytes
from billing_sim.world.record import POLICIES

ALL, NONE = "all", "none"
MOST = POLICIES - 1
"""Policies that can be ranked at once; one row of the world's table is for doing nothing."""

_KEY = "dunning_policies"
_SCENARIO_KEYS = {"extends", "name", "start", "end", "members", "markets", "plans"}
"""Each makes a file a scenario; a policy that is called like one belongs below `dunning_policies`."""

_FILES = (".yaml", ".yml")

Policies = dict[str, DunningPolicy]
"""By name, in the order in which they were asked for."""


class PolicyFile(Part):
    """A file of policies: the part `dunning_policies` of a scenario, with or without that key above it."""

    dunning_policies: dict[Name, DunningPolicy]


def presets() -> Policies:
    """Every shipped preset."""
    return {name: _policy(entry) for name, entry in shipped("dunning_presets.yaml").entries.items()}


def _policy(entry: Entry) -> DunningPolicy:
    return DunningPolicy.model_validate(plain(entry.value))


def candidates(scenario: Scenario, named: str | Sequence[str] | None, own: Sequence[str | Path]) -> Policies:
    """The policies to try: presets by name (or "all"), then files and names of the user's own.

    Without either, all presets. QueryError for a name that nobody knows or that is used twice, or too many policies;
    InputError for a file.
    """
    known = presets()
    found: Policies = {}
    for name in _names(named, known, is_left_out=not own):
        if name not in known:
            raise QueryError(f"There is no dunning preset {name}. {suggestion(name, known, 'Presets are')}")
        found[name] = known[name]
    for it in own:
        for name, policy in _own(it, scenario, known).items():
            if found.get(name, policy) != policy:
                raise QueryError(f"Two policies are called {name}: rename the one of {it}.")
            found[name] = policy
    if len(found) > MOST:
        raise QueryError(f"{len(found)} policies are more than the {MOST} that can be ranked at once.")
    return found


def _names(named: str | Sequence[str] | None, known: Policies, *, is_left_out: bool) -> list[str]:
    if named is None:
        return list(known) if is_left_out else []
    words = named.split(",") if isinstance(named, str) else [*named]
    names = [word.strip() for word in words if word.strip()]
    if NONE in names and set(names) != {NONE}:
        raise QueryError(f"Presets are {NONE}, or {ALL}, or names such as {next(iter(known))}; {NONE} stands alone.")
    if ALL in names:
        return [*known, *(name for name in names if name != ALL)]
    return [name for name in names if name != NONE]


def _own(given: str | Path, scenario: Scenario, known: Policies) -> Policies:
    """The policies of a file, or the one that the scenario or a preset calls so."""
    if str(given).endswith(_FILES) or Path(given).is_file():
        return read_policies(Path(given))
    names = {**known, **scenario.dunning_policies}
    if str(given) not in names:
        raise QueryError(
            f"There is no dunning policy {given}, and no such file. {suggestion(str(given), names, 'Policies are')}"
        )
    return {str(given): names[str(given)]}


def read_policies(path: Path) -> Policies:
    """The policies in a file, each over its `preset` if it names one; InputError with every problem of the file."""
    tree = _policies_alone(path)
    if _KEY not in tree.entries:
        tree = Mapping({_KEY: Entry(_KEY, tree.place, tree)}, tree.place)
    composed = Composition(tree)
    whole = tree.with_entries(*_composed(tree, composed))
    problems = [*composed.problems, *steps_ascend(whole), *nothing_comes_after_the_end(whole)]
    try:
        found = PolicyFile.model_validate(plain(whole)).dunning_policies
    except ValueError as error:
        problems += complaints(cast(Any, error), whole, PolicyFile)
    if problems:
        raise InputError(problems)
    if not found:
        raise InputError([tree.place.problem("There is no policy in this file.", "Write `name:` with its keys below.")])
    return found


def _policies_alone(path: Path) -> Mapping:
    """The file as it is, or of a scenario the part with policies; InputError for a scenario that has none."""
    content = read_bytes(path)
    tree = parse(content, str(path))
    if not _SCENARIO_KEYS & set(tree.entries):
        return tree
    tree = read_chain(path, content)
    if _KEY not in tree.entries:
        raise InputError([
            tree.place.problem(
                "This scenario has no policies of its own.",
                "Write `dunning_policies:` with names and rules below it, or name a file that holds policies alone.",
            )
        ])  # fmt: skip
    return Mapping({_KEY: tree.entries[_KEY]}, tree.place)


def _composed(tree: Mapping, composed: Composition) -> list[Entry]:
    """The policies of the file over their presets, without those that defaults bring along."""
    own = tree.entries[_KEY]
    if not isinstance(own.value, Mapping):
        return []
    finished = {entry.key: entry for entry in entries(composed.tree, _KEY) if entry.key in own.value.entries}
    return [Entry(own.key, own.place, Mapping(finished, own.value.place, own.value.removed))]
