"""`billing-sim challenge`: a run whose truth is withheld, and marks for what somebody found out about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import Plain, complain, say, say_json
from billing_sim.errors import EXIT_CHECK_FAILED

EXAMPLE = "Example:  billing-sim challenge new --out riddle"
EXAMPLE_NEW = "Example:  billing-sim challenge new scenarios/first_month.yaml --out riddle"
EXAMPLE_GRADE = "Example:  billing-sim challenge grade riddle answers.yaml --pass 60"


def new(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The new folder of the pack.", show_default=False)],
    scenario: Annotated[
        Path | None, typer.Argument(metavar="SCENARIO", help="What to begin with.", show_default="a small service")
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="Where to put the key.", show_default="beside DIR")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Make the same pack again.", show_default="random")
    ] = None,
    members: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Another number of members, 300 at least.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Plain, typer.Option("--format", help="How to print what was made.")] = Plain.TABLE,
) -> None:
    """Write a run with its truth withheld, and questions about it.

    Every pack has incidents and people of its own. The folder holds log, facts, world events and QUESTIONS.md; the
    key, which holds the true answers, stays outside.
    """
    from contextlib import nullcontext

    from billing_sim.challenges.making import new_challenge
    from billing_sim.cli.progress import announce_compiling, bar

    announce_compiling(quiet)
    with nullcontext() if quiet else bar() as progress:
        made = new_challenge(scenario, out=out, key=key, seed=seed, members=members, progress=progress)
    if form is Plain.JSON:
        say_json(made.to_json())
    else:
        say(str(made))


def grade(
    pack: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a pack.", show_default=False)],
    answers: Annotated[Path, typer.Argument(metavar="ANSWERS", help="Answers, YAML or JSON.", show_default=False)],
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="The key of the pack.", show_default="beside DIR")
    ] = None,
    mark: Annotated[
        float | None, typer.Option("--pass", metavar="N", min=0, max=100, help="Exit with 1 below so many of 100.")
    ] = None,
    form: Annotated[Plain, typer.Option("--format", help="How to print the marks.")] = Plain.TABLE,
) -> None:
    """Mark answers about a pack against its key.

    Shows for every question the answer, the truth, the points and the usual mistake.
    """
    from billing_sim.challenges.grading import grade as graded

    found = graded(pack, answers, key=key)
    if form is Plain.JSON:
        say_json(found.to_json())
    else:
        say(str(found))
    if mark is not None and found.score < mark:
        complain(f"Below the mark of {mark:g}.")
        raise typer.Exit(EXIT_CHECK_FAILED)


def _group() -> typer.Typer:
    about = "Make a run without its truth, with questions about it, or mark answers."
    group = typer.Typer(help=about, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
    group.command("new", epilog=EXAMPLE_NEW)(new)
    group.command("grade", epilog=EXAMPLE_GRADE)(grade)
    return group


challenge = _group()
