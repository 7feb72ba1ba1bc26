"""`billing-sim experiment`: read an experiment, with the true effect beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import Plain, say_json, show
from billing_sim.errors import QueryError

EXAMPLE = "Example:  billing-sim experiment scenarios/dunning_ab_test.yaml --metric recovery_rate"


def experiment(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder or a scenario file.", show_default=False)],
    name: Annotated[str, typer.Option(metavar="NAME", help="Which experiment, where there are several.")] = "",
    names: Annotated[list[str], typer.Option("--metric", metavar="NAME", help="Only this metric; repeatable.")] = [],  # noqa: B006
    files: Annotated[
        list[Path], typer.Option("--definitions", metavar="FILE", help="Metrics of your own, YAML; repeatable.")
    ] = [],  # noqa: B006
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="As it could be read on that day, such as 2025-03-11.")
    ] = None,
    effect: Annotated[
        str, typer.Option(metavar="SHARE", help="The effect of interest, as a part of the first arm's value.")
    ] = "10%",
    no_truth: Annotated[bool, typer.Option("--no-truth", help="Leave out the true effect; not with --cost.")] = False,
    cost: Annotated[
        float | None, typer.Option(metavar="AMOUNT", min=0.01, help="What the change costs, to see its true return.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Another seed for a scenario.")] = None,
    members: Annotated[int | None, typer.Option(metavar="N", min=1, help="Other members for a scenario.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Plain, typer.Option("--format", help="How to print the result.")] = Plain.TABLE,
) -> None:
    """Read an experiment: each metric by arm, the difference, and whether it can be told by now.

    Beside it stands the true effect: the same people with the same luck, all in one arm and then all in the other.
    A scenario is simulated first; a run that is there already is reused.
    """
    from billing_sim.cli.progress import counting
    from billing_sim.experiments.readout import readout, refuse_cost
    from billing_sim.metrics.asking import moment

    share = _share(effect)
    refuse_cost(cost, not no_truth)
    stored = _run(run, seed, members, quiet)
    with counting("worlds", quiet) as report:
        found = readout(
            stored, name, metrics=names, definitions=[str(file) for file in files], as_of=moment(as_of), effect=share,
            truth=not no_truth, cost=cost, report=report,
        )  # fmt: skip
    if form is Plain.JSON:
        say_json(found.as_dict())
        return
    from billing_sim.experiments.render import shown

    show(shown(found))


def _run(path: Path, seed: int | None, members: int | None, quiet: bool):  # type: ignore[no-untyped-def]
    """The run of a folder; a scenario is simulated first."""
    from billing_sim.cli.progress import command_line
    from billing_sim.result import open as open_run
    from billing_sim.result import run

    if path.suffix in (".yaml", ".yml"):
        return run(path, seed=seed, members=members, progress=not quiet, command=command_line()).stored
    if seed is not None or members is not None:
        raise QueryError(f"{path} is a run with a seed and members of its own; only scenarios can be given others.")
    return open_run(path).stored


def _share(text: str) -> float:
    from billing_sim.scenario.values import read_share

    try:
        return float(read_share(text))
    except ValueError as error:
        raise QueryError(f"--effect: {error}.") from None
