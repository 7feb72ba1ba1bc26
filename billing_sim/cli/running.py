"""`billing-sim run`: simulate a scenario and show what came of it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from billing_sim.cli.output import Format, complain, say, say_csv, say_json
from billing_sim.errors import EXIT_CHECK_FAILED, EXIT_INTERRUPTED, RunError

if TYPE_CHECKING:
    from billing_sim.expectations import Finding
    from billing_sim.result import Run
    from billing_sim.scenario.expectations import Expectation

EXAMPLE = "Example:  billing-sim run scenarios/first_month.yaml --seed 7 --out mine"


class Driver(StrEnum):
    """Who moves time."""

    BATCH = "batch"
    SIMPY = "simpy"


def run(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="The scenario file.", show_default=False)],
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Another seed: other luck, same world.")] = None,
    members: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Another number of members at the start.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder to write to, instead of one below runs/.")
    ] = None,
    driver: Annotated[
        Driver | None, typer.Option(help="batch is fast; simpy is the one to read and extend; both write the same log.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Threads; any number gives the same result.")
    ] = None,
    log: Annotated[
        str | None,
        typer.Option(
            metavar="all|none|1/N", help="Whose events to keep; otherwise as the scenario says.", show_default=False
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Simulate even when this run is there already.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace another run in --out.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the folder, or what is asked for.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.TABLE,
    views: Annotated[bool | None, typer.Option("--views/--no-views", help="Show the four views (table only).")] = None,
    process: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE.py:NAME",
            help="Let a process of your own take part (simpy driver); its file is executed. May be repeated.",
            show_default=False,
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="First watch the views fill, day by day as they were known then.")
    ] = False,
) -> None:
    """Simulate a scenario and show the four views of what happened.

    Everything that happens is kept in a folder, which the other commands read.

    The same scenario and seed give the same events everywhere, so a run that is there already is reused.
    """
    expected = _expected(scenario, members)
    try:
        result = _simulate(scenario, seed, members, out, driver, workers, log, fresh, overwrite, quiet, process or [])
    except KeyboardInterrupt:
        complain(_interrupted(out, overwrite))
        raise typer.Exit(EXIT_INTERRUPTED) from None
    try:
        _show(result, expected, form, views, quiet, watch)
    except KeyboardInterrupt:
        views_of_it = f"billing-sim views {result.summary()['run']}"
        complain(f"Interrupted, but the run is complete: `{views_of_it}` shows what came of it.")
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _interrupted(out: Path | None, overwrite: bool) -> str:
    """What is there after an interruption, and how to go on."""
    if out is None:
        return "Interrupted: this run is not finished; give the same command again to start anew."
    from billing_sim.runs.manifest import FINISHED, read_manifest

    try:
        state = read_manifest(out).state
    except RunError:
        return "Interrupted before anything was written: give the same command again."
    again = "again" if overwrite else "again with --overwrite"
    if state == FINISHED:
        return (
            f"Interrupted: {out} holds a finished run, which can be read; give the same command {again} to replace it."
        )
    return f"Interrupted: this run is incomplete and cannot be read; give the same command {again} to start anew."


def _show(
    result: Run, expected: tuple[Expectation, ...], form: Format, views: bool | None, quiet: bool, watch: bool
) -> None:
    """What came out: the days as they went by, the views, and whether it is as expected."""
    if watch:
        from billing_sim.cli.watching import watch as show_days

        show_days(result)
    found = _findings(expected, result)
    if form is Format.JSON:
        say_json(result.summary() | ({"expectations": [it.as_dict() for it in found]} if found else {}))
    elif form is Format.CSV:
        say_csv(result.summary())
    else:
        _tell(result, quiet, not quiet if views is None else views)
    _judge(found, quiet or form is not Format.TABLE)


def _expected(scenario: Path, members: int | None) -> tuple[Expectation, ...]:
    """What the scenario says must come out; with other members nothing is looked at."""
    if members is not None:
        return ()
    from billing_sim.expectations import read_expectations

    return read_expectations(scenario)


def _findings(expected: tuple[Expectation, ...], result: Run) -> list[Finding]:
    """What came out where something must."""
    from billing_sim.expectations import findings

    return findings(expected, result.known_at(None), dict(result.manifest.result.kinds)) if expected else []


def _judge(found: list[Finding], quiet: bool) -> None:
    """Print what was expected and exit with 1 where it did not come out."""
    failed = [it for it in found if not it.holds]
    if found and not quiet:
        from billing_sim.cli.expecting import table
        from billing_sim.cli.output import show

        say("")
        show(table(found))
    for it in failed:
        complain(f"Expected {it.what} {it.bounds}; it came to {it.found}.")
    if failed:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _simulate(
    scenario: Path, seed: int | None, members: int | None, out: Path | None, driver: Driver | None,
    workers: int | None, log: str | None, fresh: bool, overwrite: bool, quiet: bool, process: list[str],
) -> Run:  # fmt: skip
    from billing_sim.cli.own_processes import load_processes
    from billing_sim.cli.progress import command_line
    from billing_sim.result import run as simulated

    return simulated(
        scenario, seed=seed, members=members, out=out, driver=driver.value if driver else None, workers=workers,
        log=log, fresh=fresh, overwrite=overwrite, progress=not quiet, command=command_line(),
        **load_processes(process),
    )  # fmt: skip


def _tell(result: Run, quiet: bool, with_views: bool) -> None:
    if not quiet:
        say(result.story(upshot=not with_views))  # the views tell it better
    elif not with_views:
        say(result.summary()["run"])
    if with_views:
        from billing_sim.cli.viewing import show_views

        if not quiet:
            say("")
        show_views(result.views())
