"""`billing-sim views`: what subscribers, finance, support and product want to know of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from billing_sim.cli.output import Format, say, say_json, show, terminal

if TYPE_CHECKING:
    from billing_sim.metrics.views import Views

EXAMPLE = "Example:  billing-sim views runs/first_month-1a2b3c4d5e --by plan,month"


def views(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)],
    by: Annotated[
        str, typer.Option(metavar="DIMENSION[,…]", help="Also split by market, region, plan, method or month.")
    ] = "",
    view: Annotated[str, typer.Option(metavar="NAME", help="Only subscribers, finance, support or product.")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print them.")] = Format.TABLE,
) -> None:
    """Show what subscribers, finance, support and product ask.

    Every number comes with what it was divided by and with what is not settled yet. JSON and CSV hold every slice.
    """
    from billing_sim.cli.progress import waiting
    from billing_sim.result import open as open_run

    with waiting("counting the views", quiet):
        found = open_run(run).views(by or None)
    chosen = found.only(view) if view else found
    if form is Format.JSON:
        say_json(chosen.to_json())
    elif form is Format.CSV:
        say(chosen.to_csv().rstrip("\n"))
    else:
        show_views(chosen)


def show_views(found: Views) -> None:
    """Print views as tables that fit the terminal."""
    from billing_sim.metrics.render import render

    show(render(found, terminal().width))
