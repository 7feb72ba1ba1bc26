"""Reading a scenario file: the one way in. Everything wrong with a file is said at once, before anything runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from billing_sim.errors import InputError, Problem
from billing_sim.given import with_checked_arguments
from billing_sim.scenario.arms import SHARED, faults_of_changes, with_arms
from billing_sim.scenario.behaviour import Behaviour
from billing_sim.scenario.checks.read import whole as whole_number
from billing_sim.scenario.complaints import complaints
from billing_sim.scenario.emit import emit
from billing_sim.scenario.goal_file import checked_goals, is_goal_file
from billing_sim.scenario.layers import OWN_KEY, Composition, read_chain, with_value
from billing_sim.scenario.meaning import examine
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import Mapping, Place, at, node_of, plain, spoken
from billing_sim.scenario.reader import parse, read_bytes
from billing_sim.scenario.scaling import scaled

_NOT_OF_AN_ARM = ("extends", OWN_KEY, *SHARED)
"""Keys of a file that the change of an experiment's arm may not hold."""


@dataclass(frozen=True)
class Loaded:
    """A scenario with every default filled in, and the exact bytes of the file it was read from.

    `whole` is the file together with all that it extends, as one file that can be read anywhere; empty when it
    extends nothing.
    """

    scenario: Scenario
    source: bytes
    path: Path
    whole: bytes = b""


def load(path: str | Path, *, members: int | None = None, seed: int | None = None) -> Loaded:
    """The scenario in a file, checked whole; `members` and `seed` replace those of the file.

    Raises InputError with every problem of the file and of the files that it extends.
    """
    path = Path(path)
    source = read_bytes(path)
    faults: list[Problem] = []
    tree = read_chain(path, source, faults)
    if faults:
        raise InputError([*faults, *_beside(faults, tree)])
    own = whole_number(at(tree, "members"))
    whole = emit(spoken(tree)).encode() if "extends" in parse(source, str(path)).entries else b""
    for key, value in (("members", members), ("seed", seed)):
        if value is not None:
            tree = with_value(tree, key, value, Place(str(path), 0, 0))
    own = own or members or 1

    def finished(part: Mapping, fixed: Collection[str] = ()) -> Scenario:
        return scaled(_checked(Composition(part), fixed), own)

    in_an_arm = partial(finished, fixed=_NOT_OF_AN_ARM)
    try:
        scenario = finished(tree)
    except InputError as error:
        raise InputError([*error.problems, *faults_of_changes(tree, in_an_arm)]) from None
    return Loaded(with_arms(scenario, tree, in_an_arm), source, path, whole)


def made_of(content: dict[str, Any]) -> Scenario:
    """The scenario of a content that was read before and changed since, checked whole like a file.

    `content` is as `nodes.spoken` gives it: keys with plain values, None where a key removes a default. Raises
    InputError, whose problems name no place.
    """
    tree = node_of(content)
    assert isinstance(tree, Mapping), "a scenario is a mapping"

    def finished(part: Mapping) -> Scenario:
        return _checked(Composition(part))

    return with_arms(finished(tree), tree, finished)


@with_checked_arguments
def check(path: str | Path) -> list[Problem]:
    """Every problem of a scenario file, or a file of goals, in the order of the file; none when it can be used."""
    try:
        if is_goal_file(parse(read_bytes(Path(path)), str(path), [])):
            checked_goals(parse(read_bytes(Path(path)), str(path)))
        else:
            load(path)
    except InputError as error:
        return error.problems
    return []


def _beside(faults: list[Problem], tree: Mapping) -> list[Problem]:
    """What else is wrong with a file in which keys or numbers cannot be used, read without those."""
    places = {(it.file, it.line, it.column) for it in faults}
    try:
        _checked(Composition(tree))
    except InputError as error:
        return [it for it in error.problems if (it.file, it.line, it.column) not in places]
    return []


def _checked(composition: Composition, fixed: Collection[str] = ()) -> Scenario:
    """The scenario of a composition, or InputError with what its types and its meaning refuse, together.

    `fixed` are keys of a scenario that are not suggested.
    """
    problems = [*composition.problems, *_faults_of_regions(composition), *examine(composition.tree)]
    try:
        scenario = Scenario.model_validate(plain(composition.tree))
    except ValidationError as error:
        problems += complaints(error, composition.tree, Scenario, fixed)
    if problems:
        raise InputError(problems)
    return scenario


def _faults_of_regions(composition: Composition) -> list[Problem]:
    """Faults of the regions themselves, so that one is checked even where no market lies in it."""
    problems: list[Problem] = []
    for name, region in composition.regions.items():
        if not isinstance(region, Mapping):
            problems.append(region.place.problem(f"{name}: this is not a mapping.", "Write keys with values below it."))
            continue
        try:
            Behaviour.model_validate(plain(region))
        except ValidationError as error:
            problems += complaints(error, region, Behaviour)
    return problems
