"""`billing-sim report`: one page about a run, to be sent to anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import say

EXAMPLE = "Example:  billing-sim report runs/mine --compare runs/before --out report.html"


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)],
    other: Annotated[
        Path | None, typer.Option("--compare", metavar="RUN2", help="Another run, as a rule without the change.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page to write.")] = Path("report.html"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing, and show no progress.")] = False,
) -> None:
    """Write one page about a run: the four views and their verdicts, pictures, goals, and what to distrust.

    The page holds everything that it shows and loads nothing, so it can be sent by mail, opened on a phone and printed.
    """
    from billing_sim.cli.progress import counting
    from billing_sim.errors import QueryError
    from billing_sim.report import write
    from billing_sim.result import open as open_run

    if out.suffix not in (".html", ".htm"):
        raise QueryError(f"{out} would be no web page: let the name of --out end in .html.")
    with counting("sections", quiet) as progress:
        written = write(open_run(run), out, open_run(other) if other else None, report=progress)
    if not quiet:
        say(f"Written to {written} ({written.stat().st_size / 1_000_000:.1f} MB). Open it in a browser.")
