"""`billing-sim campaign`: the funnel of a campaign against sharing, whom it claims, whom it won, and its return."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import Format, complain, say, say_json

EXAMPLE = "Example:  billing-sim campaign scenarios/paid_sharing.yaml"


def campaign(
    what: Annotated[
        Path, typer.Argument(metavar="SCENARIO or RUN", help="A scenario file, or a run's folder.", show_default=False)
    ],
    name: Annotated[str, typer.Option("--campaign", metavar="NAME", help="Which campaign, where there are more.")] = "",
    members: Annotated[int | None, typer.Option(metavar="N", min=1, help="Another number of members.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Another seed.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.TABLE,
) -> None:
    """Tell what a campaign against sharing did, step by step, and what it was worth.

    The same people live twice, with the campaign and in a world without it: so it is known how many of the borrowers
    whose address was left would have paid anyway, and what the campaign changed in money. Other campaigns go on in
    both.
    """
    from billing_sim.campaigns import study
    from billing_sim.cli.progress import announce_compiling, counting
    from billing_sim.runs.manifest import MANIFEST_FILE

    if (what / MANIFEST_FILE).exists() and (members is not None or seed is not None):
        complain("--members and --seed are for scenario files: a run has its own.")
        raise typer.Exit(2)
    announce_compiling(quiet)
    with counting("people", quiet) as report:
        found = study(what, name, members=members, seed=seed, report=report)
    if form is Format.JSON:
        say_json(found.to_json())
    elif form is Format.CSV:
        say("\n".join(["step,people", *(f"{step},{count}" for step, count in found.funnel.items())]))
    else:
        say(repr(found))
