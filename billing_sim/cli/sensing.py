"""`billing-sim sensitivity`: what the assumed numbers are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import Format, complain, say, say_json

EXAMPLE = "Example:  billing-sim sensitivity scenarios/streaming.yaml --out tornado.svg"


def sensitivity(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="The scenario file.")] = Path(
        "scenarios/streaming.yaml"
    ),
    metrics: Annotated[
        list[str], typer.Option("--metric", metavar="NAME", help="Instead of the headline metrics; repeatable.")
    ] = [],  # noqa: B006
    parameters: Annotated[
        list[str],
        typer.Option("--parameter", metavar="PATH=LOW..HIGH", help="Instead of the shipped assumptions; repeatable."),
    ] = [],  # noqa: B006
    members: Annotated[int, typer.Option(metavar="N", min=1, help="So many members in each world.")] = 10_000,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Worlds for each end, each with other luck.")] = 4,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="The first seed.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the tornado picture: .svg, .png, .html or .json.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.TABLE,
) -> None:
    """Show what the assumed numbers are worth to the headline metrics.

    Each assumption is put to a low and to a high end that it may well have, with the same people and luck: how often
    mandates fail, how much partners bill, churn where no total is public, the schedule of retries, and how much lack of
    money hides behind one code.
    """
    from billing_sim.calibration.sensitivity.asking import sensitivity as sensed
    from billing_sim.calibration.sensitivity.tornado import refuse_other_endings
    from billing_sim.cli.progress import announce_compiling, counting

    refuse_other_endings(out)
    announce_compiling(quiet)
    with counting("worlds", quiet) as report:
        found = sensed(
            scenario, metrics=metrics, parameters=parameters, members=members, seed=seed, seeds=seeds, report=report
        )
    if form is Format.JSON:
        say_json(found.to_json())
    elif form is Format.CSV:
        say(found.to_csv().rstrip("\n"))
    else:
        say(repr(found))
    if form is Format.CSV:
        for name, reason in found.misfits.items():
            complain(f"{name}: not tried, {reason}")
    if out is not None:
        found.save(out)
        complain(f"Written: {out}")
