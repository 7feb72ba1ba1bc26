"""`billing-sim goals`: whether goals are specific, measurable, attainable, relevant and time-bound, computed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import Plain, say, say_json
from billing_sim.errors import EXIT_CHECK_FAILED

EXAMPLE = "Example:  billing-sim goals scenario.yaml --seeds 50 --members 2000"


def goals(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="The scenario file.", show_default=False)],
    seeds: Annotated[int, typer.Option(metavar="N", min=2, help="In how many worlds the goals are tried.")] = 50,
    file: Annotated[
        Path | None, typer.Option("--goals", metavar="FILE", help="Goals in a file of their own.", show_default=False)
    ] = None,
    members: Annotated[int | None, typer.Option(metavar="N", min=1, help="Another number of members.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="The first seed.")] = None,
    definitions: Annotated[
        list[Path], typer.Option("--definitions", metavar="FILE", help="Metrics of your own, YAML or SQL; repeatable.")
    ] = [],  # noqa: B006
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Plain, typer.Option("--format", help="How to print the sheets.")] = Plain.TABLE,
) -> None:
    """Judge every goal of a scenario that names a metric by its SMART sheet.

    The scenario is simulated with many seeds, under its own policy and under the best one known (best:), and with
    two shocks. Exits with 1 when a goal fails its own sheet.
    """
    from billing_sim.cli.progress import announce_compiling, counting
    from billing_sim.goal_sheets.judging import goals as judged

    announce_compiling(quiet)
    with counting("worlds", quiet) as report:
        found = judged(
            scenario, seeds=seeds, file=file, members=members, seed=seed, definitions=definitions, report=report
        )
    if form is Plain.JSON:
        say_json(found.to_json())
    else:
        say(repr(found))
    if not found.passed:
        raise typer.Exit(EXIT_CHECK_FAILED)
