"""Goals in a file of their own: `mission`, `goals`, `best`, read and checked as scenarios are."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from billing_sim.errors import InputError
from billing_sim.scenario.checks.goals import goals_can_be_judged
from billing_sim.scenario.complaints import complaints
from billing_sim.scenario.model import GoalFile
from billing_sim.scenario.nodes import Mapping, plain
from billing_sim.scenario.reader import parse, read_bytes

_OF_SCENARIOS = ("name", "extends", "start", "end", "plans", "markets")
"""Keys of which every scenario has one."""


def is_goal_file(tree: Mapping) -> bool:
    """Whether a file holds goals and is no scenario."""
    return "goals" in tree.entries and not any(key in tree.entries for key in _OF_SCENARIOS)


def load_goals(path: str | Path) -> tuple[GoalFile, Mapping]:
    """The goals of a file, and its tree, in which every value knows its line; InputError with every problem."""
    tree = parse(read_bytes(Path(path)), str(path))
    return checked_goals(tree), tree


def checked_goals(tree: Mapping) -> GoalFile:
    """The goals of a tree, or InputError with what their types and their meaning refuse, together."""
    problems = [*goals_can_be_judged(tree)]
    try:
        found = GoalFile.model_validate(plain(tree))
    except ValidationError as error:
        problems += complaints(error, tree, GoalFile)
    if problems:
        raise InputError(problems)
    return found
