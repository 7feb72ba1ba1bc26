"""`billing-sim trace`: the story of one person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import Format, say, say_json, say_rows, terminal
from billing_sim.trace.finds import FINDS

WIDTH_MAX = 100
"""Longer lines are hard to read, however wide the terminal."""

_COLUMNS = ("subscriber", "at", "kind", "text", "sealed", "count")

_FINDS = "\n".join(f"  {name:<21} {meaning}" for name, meaning in FINDS.items())
EXAMPLE = f"""\b
What to --find:
{_FINDS}

Example:  billing-sim trace runs/first_month-1a2b3c4d5e US-17 --truth
"""


def trace(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)],
    subscriber: Annotated[
        str | None, typer.Argument(metavar="SUBSCRIBER", help="Who, such as US-17.", show_default=False)
    ] = None,
    truth: Annotated[bool, typer.Option("--truth", help="Also tell the hidden causes.")] = False,
    find: Annotated[str | None, typer.Option(metavar="WHAT", help="Choose the first to whom this happened.")] = None,
    named: Annotated[
        bool, typer.Option("--named", help="Also a name and an address, invented as people there are called.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print the story.")] = Format.TABLE,
) -> None:
    """Tell what happened to one subscriber, in plain words."""
    if (subscriber is None) == (find is None):
        raise typer.BadParameter("name one, such as US-17, or let --find choose, not both", param_hint="SUBSCRIBER")
    from billing_sim.cli.progress import announce_compiling, waiting
    from billing_sim.result import open as open_run
    from billing_sim.trace import find as find_somebody

    announce_compiling(quiet)
    with waiting("following a life", quiet):
        opened = open_run(run)
        found = find_somebody(opened.stored, find) if find is not None else subscriber
        assert found is not None
        story = opened.trace(found, truth=truth)
    if form is Format.JSON:
        say_json(story.to_json() | ({"person": str(story.person)} if named else {}))
    elif form is Format.CSV:
        say_rows(
            _COLUMNS,
            ([story.name, *(entry.get(name, 1) for name in _COLUMNS[1:])] for entry in story.to_json()["entries"]),
        )
    else:
        say(story.render(min(terminal().width, WIDTH_MAX), named=named))
