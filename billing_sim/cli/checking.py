"""`billing-sim check`: find what is wrong in files before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple, fields, replace
from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import Format, say, say_json, say_rows
from billing_sim.errors import EXIT_BAD_INPUT, InputError, Problem

EXAMPLE = "Example:  billing-sim check scenarios/*.yaml my_metrics.yaml"

_OF_METRICS = {"metrics", "view"}
_OF_SCENARIOS = {"name", "markets", "extends", "members"}
_OF_CASES = "case"
_OF_PROGRAMMES = "programmes"
"""Keys at the top of a file that tell what it is."""


def check(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE", help="Scenarios, cases, programmes, and metrics as YAML or SQL.", show_default=False
        ),
    ],
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; the exit code tells.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print problems.")] = Format.TABLE,
) -> None:
    """Find everything that is wrong in files of scenarios, metrics and cases of the stress lab.

    Each problem comes with its line, its column and what to do about it. When all is well, nothing is printed.
    """
    problems = list(dict.fromkeys(problem for file in files for problem in _problems(file)))
    if not quiet:
        _tell(problems, form)
    if problems:
        raise typer.Exit(EXIT_BAD_INPUT)


def _tell(problems: Sequence[Problem], form: Format) -> None:
    """JSON and CSV are told of files in which all is well, too: an empty list, a header alone."""
    if form is Format.JSON:
        say_json([asdict(it) for it in problems])
    elif form is Format.CSV:
        say_rows([it.name for it in fields(Problem)], (astuple(it) for it in problems))
    elif problems:
        say("\n".join(map(str, problems)))


def _problems(file: Path) -> list[Problem]:
    keys = _keys(file)
    if file.suffix == ".sql" or (not _OF_METRICS.isdisjoint(keys) and _OF_SCENARIOS.isdisjoint(keys)):
        return _wrong_metrics(file)
    if _OF_CASES in keys:
        return _wrong_case(file)
    if _OF_PROGRAMMES in keys:
        return _wrong_programmes(file)
    from billing_sim.scenario import check as wrong_scenario

    wrong = wrong_scenario(file)
    # Goals can be read only of a scenario that is whole; what names metrics in vain is told at once.
    return sorted({*wrong, *_wrong_expectations(file), *([] if wrong else _wrong_goals(file))})


def _wrong_expectations(file: Path) -> list[Problem]:
    """What is wrong with what a scenario expects of metrics."""
    from billing_sim.expectations import read_expectations
    from billing_sim.scenario.goal_file import is_goal_file
    from billing_sim.scenario.reader import parse, read_bytes

    try:
        if is_goal_file(parse(read_bytes(file), str(file))):
            return []
        read_expectations(file)
    except InputError as error:
        return error.problems
    return []


def _wrong_goals(file: Path) -> list[Problem]:
    """What is wrong with goals that name a metric: the scenario itself does not know metrics."""
    from billing_sim.errors import QueryError
    from billing_sim.goal_sheets.aims import misread_goals, read_aims
    from billing_sim.metrics.catalogue import shipped
    from billing_sim.scenario import load

    try:
        goals = load(file).scenario.goals
    except InputError:
        return misread_goals(file, shipped())  # without a scenario, which is named when they are judged
    try:
        if any(goal.metric for goal in goals):
            read_aims(file, None, shipped())
    except InputError as error:
        return error.problems
    except QueryError:
        pass
    return []


def _keys(file: Path) -> set[str]:
    """The keys at the top of a file; none of one that is not YAML."""
    from billing_sim.scenario.reader import parse, read_bytes

    try:
        return set(parse(read_bytes(file), str(file), []).entries)  # whatever else is wrong with it
    except InputError:
        return set()


def _wrong_metrics(file: Path) -> list[Problem]:
    from billing_sim.stress.asking import own_metrics

    try:
        own_metrics(file)
    except InputError as error:
        return error.problems
    return []


def _wrong_programmes(file: Path) -> list[Problem]:
    from billing_sim.programmes import read_programmes

    try:
        read_programmes(file)
    except InputError as error:
        return error.problems
    return []


def _wrong_case(file: Path) -> list[Problem]:
    """What is wrong with a case, alone and laid over the lab's own scenario."""
    from billing_sim.stress.asking import refuse_misfits
    from billing_sim.stress.case import load_case
    from billing_sim.stress.lab import bench

    try:
        case = load_case(file)
    except InputError as error:
        return error.problems
    try:
        refuse_misfits([case], bench(), named=True)
    except InputError as error:
        return [replace(it, what=it.what.replace("this scenario", "the lab's own scenario")) for it in error.problems]
    return []
