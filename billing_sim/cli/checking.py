"""`billing-sim check`: find what is wrong in files before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import say
from billing_sim.errors import EXIT_BAD_INPUT

EXAMPLE = "Example:  billing-sim check scenarios/*.yaml"


def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Scenario files.", show_default=False)],
) -> None:
    """Find everything that is wrong in scenario files.

    Each problem comes with its line, its column and what to do about it. When all is well, nothing is printed.
    """
    from billing_sim.scenario import check as problems_of

    problems = [problem for file in files for problem in problems_of(file)]
    if problems:
        say("\n".join(str(problem) for problem in dict.fromkeys(problems)))
        raise typer.Exit(EXIT_BAD_INPUT)
