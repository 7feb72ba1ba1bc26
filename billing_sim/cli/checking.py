"""`billing-sim check`: find what is wrong in files before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from billing_sim.cli.output import say
from billing_sim.errors import EXIT_BAD_INPUT, InputError

if TYPE_CHECKING:
    from billing_sim.errors import Problem

EXAMPLE = "Example:  billing-sim check scenarios/*.yaml my_metrics.yaml"

_OF_METRICS = {"metrics", "view"}
_OF_SCENARIOS = {"name", "markets", "extends", "members"}
"""Keys at the top of a file that tell what it is."""


def check(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Scenarios, and metrics as YAML or SQL, mixed.", show_default=False),
    ],
) -> None:
    """Find everything that is wrong in files of scenarios and metrics.

    Each problem comes with its line, its column and what to do about it. When all is well, nothing is printed.
    """
    problems = [problem for file in files for problem in _problems(file)]
    if problems:
        say("\n".join(str(problem) for problem in dict.fromkeys(problems)))
        raise typer.Exit(EXIT_BAD_INPUT)


def _problems(file: Path) -> list[Problem]:
    if file.suffix == ".sql" or _holds_metrics(file):
        return _wrong_metrics(file)
    from billing_sim.scenario import check as wrong_scenario

    return wrong_scenario(file) or _wrong_goals(file)


def _wrong_goals(file: Path) -> list[Problem]:
    """What is wrong with goals that name a metric: the scenario itself does not know metrics."""
    from billing_sim.errors import QueryError
    from billing_sim.goal_sheets.aims import read_aims
    from billing_sim.metrics.catalogue import shipped
    from billing_sim.scenario import load

    try:
        goals = load(file).scenario.goals
    except InputError:
        return []  # a file of goals alone: they are looked at with their scenario
    try:
        if any(goal.metric for goal in goals):
            read_aims(file, None, shipped())
    except InputError as error:
        return error.problems
    except QueryError:
        pass
    return []


def _holds_metrics(file: Path) -> bool:
    """Whether a file says `view` or `metrics`, and nothing that only scenarios say; one that is not YAML does not."""
    from billing_sim.scenario.reader import parse, read_bytes

    try:
        keys = parse(read_bytes(file), str(file)).entries.keys()
    except InputError:
        return False
    return not _OF_METRICS.isdisjoint(keys) and _OF_SCENARIOS.isdisjoint(keys)


def _wrong_metrics(file: Path) -> list[Problem]:
    from billing_sim.metrics.catalogue import load

    try:
        load(file)
    except InputError as error:
        return error.problems
    return []
