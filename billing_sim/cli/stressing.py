"""`billing-sim stress`: how metric definitions would mislead, case by case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from billing_sim.cli.output import Format, complain, say, say_json, show, terminal
from billing_sim.errors import EXIT_CHECK_FAILED

if TYPE_CHECKING:
    from billing_sim.stress.study import Study

EXAMPLE = "Example:  billing-sim stress payment_success_rate --html card.html"
_NAMED = 10
"""Findings of --fail-on that are named on stderr."""


def stress(
    definitions: Annotated[
        list[str],
        typer.Argument(
            metavar="DEFINITIONS",
            help="Metrics (with all their variants), metric@variant, or YAML and SQL files; all shipped ones if none.",
            show_default=False,
        ),
    ] = [],  # noqa: B006
    cases: Annotated[
        list[str], typer.Option("--case", metavar="NAME", help="Only this case, or a file with one; repeatable.")
    ] = [],  # noqa: B006
    folder: Annotated[
        Path | None,
        typer.Option("--cases", metavar="DIR", help="A folder with cases of your own."),
    ] = None,
    scenario: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The scenario that cases are laid over; the lab's own if none.")
    ] = None,
    members: Annotated[int | None, typer.Option(metavar="N", min=1, help="Another number of members.")] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=2,
            max=1000,
            help="So many and no more; without it 20, then 40 and 80 while unresolved "
            "(only 20 for more than 40 definitions).",
        ),
    ] = None,
    fail_on: Annotated[
        list[str], typer.Option("--fail-on", metavar="VERDICT", help="Exit with 1 if any reads so; repeatable.")
    ] = [],  # noqa: B006
    criteria: Annotated[
        bool, typer.Option("--criteria", help="Also bias, maturation, sensitivity, regret and more.")
    ] = False,
    alarms: Annotated[
        bool, typer.Option("--alarms", help="Also whether what holds tells of dated cases in time: 200 more seeds.")
    ] = False,
    late_after: Annotated[
        float, typer.Option(metavar="DAYS", min=0, max=365, help="How late an alarm may come, beside --alarms.")
    ] = 7,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the report card there.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print the verdicts.")] = Format.TABLE,
) -> None:
    """Find out how a metric definition would mislead you.

    In every case something is done to the world or to its log, to the same people with the same luck. What the
    metric then says is set against what it claims to measure: it holds, or it is blind, has the wrong sign, raises
    a false alarm, exaggerates, understates, or is stale or late. Of several definitions the smallest set is named that
    together survives every case.
    """
    from billing_sim.cli.progress import announce_compiling, counting
    from billing_sim.stress.asking import (
        cases_meant,
        check_place,
        definitions_meant,
        in_place_of_shipped,
        verdicts_meant,
    )
    from billing_sim.stress.study import stress as tried

    wanted = verdicts_meant(fail_on)
    if html is not None:
        check_place(html, "the report card")
    asked = definitions_meant(definitions)
    for line in in_place_of_shipped(asked, cases_meant(cases, folder or ())):
        complain(line)
    announce_compiling(quiet)
    with counting("worlds", quiet) as report:
        found = tried(
            asked, cases=cases, folders=folder or (), scenario=scenario, members=members, seeds=seeds,
            criteria=criteria, alarms=alarms, late_after=late_after, report=report,
        )  # fmt: skip
    _tell(found, form, criteria, has_page=html is not None)
    if html is not None:
        with counting("curves", quiet) as report:
            found.report_card(html, report=report)
        complain(f"The report card is {html}.")
    _fail(found, wanted)


def _tell(found: Study, form: Format, criteria: bool, *, has_page: bool) -> None:
    if form is Format.JSON:
        say_json(found.to_json())
    elif form is Format.CSV:
        say(found.to_csv().rstrip("\n"))
    else:
        from billing_sim.stress.render import study_shown

        show(study_shown(found, terminal().width, has_page=has_page))
        if criteria:
            from billing_sim.stress.render_criteria import criteria_shown

            show(*criteria_shown(found))


def _fail(found: Study, verdicts: tuple[str, ...]) -> None:
    """Exit with 1 when a definition reads as it must not, and say which and where."""
    accused = found.accused(verdicts)
    for definition, case in accused[:_NAMED]:
        complain(f"{definition}: {found[definition, case].name} in {case}")
    if len(accused) > _NAMED:
        complain(f"and {len(accused) - _NAMED} more")
    if accused:
        raise typer.Exit(EXIT_CHECK_FAILED)
