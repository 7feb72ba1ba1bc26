"""`billing-sim programmes`: where a run stands in the dispute programmes of card networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import Format, say, say_json, say_rows, terminal
from billing_sim.errors import EXIT_CHECK_FAILED

EXAMPLE = "Example:  billing-sim programmes runs/mine --scale 1000 --fail-on-excessive"


def programmes(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)],
    file: Annotated[
        Path | None,
        typer.Option("--programmes", metavar="FILE", help="Programmes of your own instead.", show_default=False),
    ] = None,
    scale: Annotated[int, typer.Option(metavar="N", min=1, help="How many cases each of the run stands for.")] = 1,
    fail: Annotated[bool, typer.Option("--fail-on-excessive", help="Exit with 1 where a month is excessive.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print them.")] = Format.TABLE,
) -> None:
    """Show in which months card networks would find that too many charges are disputed.

    Each programme counts in its own way: which cases, over the payments of which month, from which ratio and number on.
    All of that is in a file, as are those that are shipped (billing_sim/programmes/programmes.yaml).
    """
    from billing_sim.cli.progress import waiting
    from billing_sim.programmes.standing import COLUMNS
    from billing_sim.result import open as open_run

    with waiting("counting disputes", quiet):
        found = open_run(run).programmes(file, scale=scale)
    if form is Format.JSON:
        say_json(found.to_json())
    elif form is Format.CSV:
        say_rows(COLUMNS, found.rows())
    else:
        from billing_sim.programmes.render import text

        say(text(found, terminal().width))
    if fail and found.excessive:
        raise typer.Exit(EXIT_CHECK_FAILED)
