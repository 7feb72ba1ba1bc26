"""`billing-sim calibrate`: simulated against published, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import Format, say, say_json

EXAMPLE = "Example:  billing-sim calibrate scenarios/streaming.yaml --members 5000"


def calibrate(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="The scenario file.")] = Path(
        "scenarios/streaming.yaml"
    ),
    members: Annotated[int, typer.Option(metavar="N", min=1, help="So many members in each world.")] = 10_000,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Worlds of each kind, each with other luck.")] = 5,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="The first seed.")] = None,
    sections: Annotated[
        list[str], typer.Option("--section", metavar="NAME", help="Only this part, such as churn; repeatable.")
    ] = [],  # noqa: B006
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.TABLE,
) -> None:
    """Compare what is simulated with what is published.

    Members, revenue, churn, declines, recovery, rejoining, price rises, disputes and contacts: each figure as its
    source counts it, with an interval over seeds, how many tolerances it is off, and whether it is fitted, checked
    or assumed. Some figures need worlds of their own, such as one under another dunning policy.
    """
    from billing_sim.calibration.asking import calibrate as calibrated
    from billing_sim.cli.progress import announce_compiling, counting

    announce_compiling(quiet)
    with counting("worlds", quiet) as report:
        found = calibrated(scenario, members=members, seed=seed, seeds=seeds, sections=sections, report=report)
    if form is Format.JSON:
        say_json(found.to_json())
    elif form is Format.CSV:
        say(found.to_csv().rstrip("\n"))
    else:
        say(repr(found))
