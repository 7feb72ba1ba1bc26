"""`billing-sim fit`: parameters of a scenario, refitted to aggregates of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import Plain, complain, say, say_json

EXAMPLE = "Example:  billing-sim fit scenarios/first_month.yaml targets.yaml"


def fit(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="The scenario file.", show_default=False)],
    targets: Annotated[Path, typer.Argument(metavar="TARGETS", help="Your aggregates, YAML.", show_default=False)],
    parameters: Annotated[
        list[str],
        typer.Option("--parameter", metavar="PATH=LOW..HIGH", help="May move so far, besides the file's; repeatable."),
    ] = [],  # noqa: B006
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the fitted scenario, which extends SCENARIO.")
    ] = None,
    members: Annotated[int, typer.Option(metavar="N", min=1, help="So many members in each world.")] = 5000,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Seeds to fit with, and as many to check.")] = 3,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="The first seed.")] = None,
    rounds: Annotated[int, typer.Option(metavar="N", min=1, help="Steps of the fit at most.")] = 12,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Plain, typer.Option("--format", help="How to print the result.")] = Plain.TABLE,
) -> None:
    """Refit parameters of a scenario to your own aggregates.

    The targets file names metrics with values and tolerances, and the numbers of the scenario that may move. Told are
    each target before and after, also with seeds that took no part, each parameter, and what the targets do not pin
    down: parameters that could be anything, and combinations that cannot be told apart.
    """
    from billing_sim.calibration.fitting.asking import fit as fitted
    from billing_sim.cli.progress import announce_compiling, counting

    announce_compiling(quiet)
    with counting("worlds", quiet) as report:
        found = fitted(
            scenario, targets, parameters=parameters, out=out, members=members, seed=seed, seeds=seeds, rounds=rounds,
            report=report,
        )  # fmt: skip
    if form is Plain.JSON:
        say_json(found.to_json())
    else:
        say(repr(found))
    if out is not None:
        complain(f"Written: {out}")
