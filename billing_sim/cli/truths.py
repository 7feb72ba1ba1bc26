"""`billing-sim truth`: what was really so in a run, and what the same people do in other worlds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import Format, say, say_json, terminal

EXAMPLE = "Example:  billing-sim truth runs/first_month-1a2b3c4d5e --policy smart"


def truth(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)],
    policy: Annotated[
        str, typer.Option(metavar="NAME", help="Also the world with this dunning policy, the scenario's or shipped.")
    ] = "",
    attribution: Annotated[
        bool, typer.Option("--attribution/--no-attribution", help="Also what each of six causes explains.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.TABLE,
) -> None:
    """Tell what was really so: who was lost through payment, wrongly or not, and what it cost.

    The people of the run live again with the same luck: in their own world, without friction, without outages, with
    every attempt approved, and without each of the levers that recover invoices. The kept run is only read.

    Exits with 1 when what is found does not agree with the run.
    """
    from billing_sim.cli.progress import announce_compiling, counting
    from billing_sim.result import open as open_run

    opened = open_run(run)
    announce_compiling(quiet)
    with counting("parts of the people", quiet) as report:
        found = opened.truth(policy=policy, attribution=attribution, report=report)
    if form is Format.JSON:
        say_json(found.as_dict())
    elif form is Format.CSV:
        say(found.frame().to_csv(index=False).rstrip("\n"))
    else:
        from billing_sim.truth.render import text

        say(text(found, terminal().width))
