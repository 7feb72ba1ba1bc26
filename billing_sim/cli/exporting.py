"""`billing-sim export`: a run for other people's programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import Format, say, say_json, say_rows, terminal

EXAMPLE = "Example:  billing-sim export runs/mine --as stripe --to warehouse"


class Shape(StrEnum):
    """What an export looks like."""

    STRIPE = "stripe"
    STRIPE_JSON = "stripe-json"
    RECURLY = "recurly"
    CSV = "csv"
    DUCKDB = "duckdb"
    EVENTS = "events"


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)],
    shape: Annotated[Shape, typer.Option("--as", help="Whose tables, or which kind of file.", show_default=False)],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The new folder to write to.", show_default=False)],
    end_at: Annotated[
        str | None,
        typer.Option("--end-at", metavar="today|DATE", help="Move the calendar so that the run ends on this day."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export in DIR.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print what was compared.")] = Format.TABLE,
) -> None:
    """Write a run as tables or files that other programs read.

    stripe and recurly are tables as Parquet; stripe-json is API objects and webhook events, events the log, as JSON
    lines; csv is a file for every table, and duckdb one database.

    Every table is compared with the run to the minor unit; if one does not agree, nothing is written.
    """
    from billing_sim.cli.progress import counting
    from billing_sim.result import open as open_run

    opened = open_run(run)
    with counting("steps, table by table", quiet) as report:
        done = opened.export(shape.value, to, end_at=end_at, overwrite=overwrite, report=report)
    if form is Format.JSON:
        say_json(done.to_json())
    elif form is Format.CSV:
        say_rows(["table", "rows", "agrees"], ([it.table, it.rows, it.agrees] for it in done.tables))
    else:
        say(done.text(terminal().width))
