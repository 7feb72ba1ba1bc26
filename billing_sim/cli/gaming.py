"""`billing-sim game` and `billing-sim flip`: what a metric rewards, and where two metrics disagree about policies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from billing_sim.cli.output import Plain, complain, say, say_json, terminal
from billing_sim.errors import EXIT_CHECK_FAILED, QueryError

if TYPE_CHECKING:
    from billing_sim.metrics.definition import Definition
    from billing_sim.stress.lab import Bench

GAME_EXAMPLE = "Example:  billing-sim game payment_success_rate@attempt involuntary_churn"
FLIP_EXAMPLE = "Example:  billing-sim flip payment_success_rate payment_success_rate@attempt"
_FILES = (".yaml", ".yml", ".sql")
_OWN = "For a metric of your own, name its file in its place, which ends in .yaml or .sql."
_LAB = "The scenario; without it the lab's own."

_SCENARIO = Annotated[Path | None, typer.Option(metavar="FILE", help=_LAB, show_default=False)]
_QUIET = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


def game(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="DEFINITIONS",
            help="Metrics by name, or YAML and SQL files; all core ones if none.",
            show_default=False,
        ),
    ] = [],  # noqa: B006
    scenario: _SCENARIO = None,
    seeds: Annotated[int, typer.Option(metavar="N", min=2, max=64, help="In how many worlds.")] = 20,
    files: Annotated[
        list[Path], typer.Option("--action", metavar="FILE", help="An action of your own, a case file; repeatable.")
    ] = [],  # noqa: B006
    members: Annotated[int | None, typer.Option(metavar="N", min=1, help="Another number of members.")] = None,
    quiet: _QUIET = False,
    form: Annotated[Plain, typer.Option("--format", help="How to print the result.")] = Plain.TABLE,
) -> None:
    """Show which action a team would choose that is rewarded by a metric.

    Every action (cut retries, void early, relabel, ...) is taken in the same worlds. The metric rewards the one that
    moves its reading most; the lab knows what that does to the truth.
    """
    from billing_sim.cli.progress import announce_compiling, counting
    from billing_sim.stress.asking import in_place_of_shipped, refuse_misfits
    from billing_sim.stress.gaming import ACTIONS, find_actions, play
    from billing_sim.stress.gaming_text import text

    asked, actions, on = _definitions(names), find_actions(files), _bench(scenario, members)
    own = [it for it in actions if it.path in files]
    refuse_misfits(own, on, named=True)
    for line in in_place_of_shipped(asked, ()):
        complain(line)
    for it in own:
        if (ACTIONS / f"{it.name}.yaml").exists():
            complain(f"{it.name}: {it.path} takes the place of the shipped action.")
    announce_compiling(quiet)
    with counting("worlds", quiet) as report:
        played = play(asked, actions, on, seeds=seeds, report=report)
    if form is Plain.JSON:
        say_json(played.as_dict())
    else:
        say(text(played))


def _definitions(names: list[str]) -> list[Definition]:
    """The metrics of these names and files, in that order; the core ones that views show, when none is named."""
    from billing_sim.metrics.catalogue import shipped
    from billing_sim.stress.asking import own_metrics

    if not names:
        return [it for it in shipped().shown if it.tier == "core" and it.direction != "neither"]
    found: dict[str, Definition] = {}
    for name in names:
        try:
            several = own_metrics(Path(name)) if name.endswith(_FILES) else shipped().of([name])
        except QueryError as error:
            raise QueryError(f"{error} {_OWN}") from None
        found |= {it.id: it for it in several}
    return list(found.values())


def _bench(scenario: Path | None, members: int | None = None) -> Bench:
    from billing_sim.stress.case import BASE
    from billing_sim.stress.lab import bench

    return bench(scenario or BASE, members=members)


def flip(
    metric_a: Annotated[str, typer.Argument(metavar="METRIC_A", help="A metric, or a file of your own with one.")],
    metric_b: Annotated[str, typer.Argument(metavar="METRIC_B", help="Another.")],
    policies: Annotated[
        str, typer.Option(metavar="A,B", help="Presets, the scenario's policies or policy files; four presets.")
    ] = "",
    scenario: _SCENARIO = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the scenario there; without it, it is printed.")
    ] = None,
    seeds: Annotated[int, typer.Option(metavar="N", min=2, max=64, help="In how many worlds it is confirmed.")] = 20,
    minutes: Annotated[float, typer.Option(metavar="N", min=0.05, max=600, help="How long to look, about.")] = 3.0,
    quiet: _QUIET = False,
) -> None:
    """Find the smallest scenario in which two metrics rank two policies apart.

    Changes of the scenario are tried, the simplest first. What looks like a flip is confirmed with luck that the
    search has not seen, made smaller, and written as a scenario that runs. When none is found the exit code is 1.
    """
    from billing_sim.cli.progress import announce_compiling
    from billing_sim.stress.case import BASE
    from billing_sim.stress.flips import finding, writing

    base = scenario or BASE
    if out is not None:
        writing.check_out(out, base)
    pair = _one(metric_a), _one(metric_b)
    announce_compiling(quiet)
    names = [name.strip() for name in policies.split(",") if name.strip()]
    with _clock(quiet) as report:
        found = finding.find_flip(pair, base, policies=names, seeds=seeds, minutes=minutes, report=report)
    if found.flip is None:
        complain(_nothing(found.tried, found.space))
        raise typer.Exit(EXIT_CHECK_FAILED)
    if out is None:
        say(writing.printed(found.flip).rstrip("\n"))
    else:
        writing.write(found.flip, out)
        say(
            "\n".join(
                [*writing.words(found.flip), "", f"Written, after {found.tried:,} worlds:", f"  billing-sim run {out}"]
            )
        )


def _nothing(tried: int, space: int) -> str:
    tail = "" if tried == space else " Look longer with --minutes."
    return f"No ranking flip in {tried:,} of {space:,} worlds.{tail}"


def _one(name: str) -> Definition:
    """The one metric of a name or file."""
    several = _definitions([name])
    if len(several) != 1:
        raise QueryError(f"{name} holds {len(several)} metrics, and one is compared: name a file with only one.")
    return several[0]


@contextmanager
def _clock(quiet: bool) -> Iterator[Callable[[int, float, float], None] | None]:
    """A bar of the time that is left at most, on stderr, or None where nobody could see it."""
    from rich.progress import BarColumn, Progress, TextColumn

    console = terminal(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = TextColumn("looking"), BarColumn(bar_width=None), TextColumn("{task.description}")
    with Progress(*columns, console=console, transient=True, expand=True) as display:
        task = display.add_task("", total=None)

        def report(tried: int, gone: float, whole: float) -> None:
            news = f"{tried:,} worlds, at most {whole - gone:,.0f} s left"
            display.update(task, completed=gone, total=whole, description=news)

        yield report
