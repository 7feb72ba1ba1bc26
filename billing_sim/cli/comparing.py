"""`billing-sim compare`: two runs or scenarios on the same people, or two months of one run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from billing_sim.cli.output import Format, say, say_json, show, terminal
from billing_sim.errors import QueryError

if TYPE_CHECKING:
    from billing_sim.comparison.comparing import Comparison

EXAMPLE = "Example:  billing-sim compare runs/before runs/after --why involuntary_churn"


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A run's folder or a scenario file.", show_default=False)],
    b: Annotated[
        Path | None, typer.Argument(metavar="B", help="Another; leave out with --between.", show_default=False)
    ] = None,
    between: Annotated[
        str | None, typer.Option(metavar="MONTH,MONTH", help="Two months of A, such as 2025-05,2025-06.")
    ] = None,
    names: Annotated[list[str], typer.Option("--metric", metavar="NAME", help="Only this metric; repeatable.")] = [],  # noqa: B006
    view: Annotated[str, typer.Option(metavar="NAME", help="Only subscribers, finance, support or product.")] = "",
    files: Annotated[
        list[Path], typer.Option("--definitions", metavar="FILE", help="Metrics of your own, YAML or SQL; repeatable.")
    ] = [],  # noqa: B006
    by: Annotated[str, typer.Option(metavar="DIMENSION[,…]", help="Split by market, plan, method, …")] = "",
    why: Annotated[str, typer.Option(metavar="METRIC", help="Which segments moved this metric (--by: which).")] = "",
    flips: Annotated[int, typer.Option(metavar="N", min=0, help="Subscribers named per change of outcome.")] = 3,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Another seed for both scenarios.")] = None,
    members: Annotated[int | None, typer.Option(metavar="N", min=1, help="Other members for both scenarios.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.TABLE,
) -> None:
    """Compare two runs, or two scenarios, on the same people.

    Per metric: both values, the difference and its interval. Because the same people with the same luck live in
    both, small differences show. Then whose outcome flips, to be looked at with `billing-sim trace`.

    Scenarios are simulated first; runs that are there already are reused.
    """
    if (b is None) == (between is None):
        raise typer.BadParameter("name a second run, or two months with --between, not both", param_hint="B")
    from billing_sim.comparison.comparing import compare as compared

    found = compared(
        *(_run(path, seed, members, quiet) for path in (a, b) if path), between=between, by=None if why else by or None,
        metrics=names or ([why] if why and not view else None), view=view or None, definitions=files,
    )  # fmt: skip
    reasons = _reasons(found, why, by)
    if form is Format.CSV:
        say(found.to_csv(reasons).rstrip("\n"))
    elif form is Format.JSON:
        say_json(_json(found, reasons, flips))
    else:
        _tell(found, reasons, flips)


def _run(path: Path, seed: int | None, members: int | None, quiet: bool) -> Path:
    """The folder of a run; a scenario is simulated first."""
    from billing_sim.cli.progress import command_line
    from billing_sim.comparison.comparing import SCENARIOS
    from billing_sim.result import open as open_run
    from billing_sim.result import run

    if path.suffix in SCENARIOS:
        return run(path, seed=seed, members=members, progress=not quiet, command=command_line()).directory
    if seed is not None or members is not None:
        raise QueryError(f"{path} is a run with a seed and members of its own; only scenarios can be given others.")
    return open_run(path).directory


def _reasons(found: Comparison, metric: str, by: str) -> list[Any]:
    if not metric:
        return []
    return [found.why(metric, name.strip() or None) for name in by.split(",")]


def _json(found: Comparison, reasons: list[Any], examples: int) -> dict[str, Any]:
    content = found.to_json()
    if not found.pair.is_one_run:
        content["flips"] = found.flips(examples).as_dict() if found.is_paired else None
    if reasons:
        content["why"] = [it.as_dict() for it in reasons]
    return content


def _tell(found: Comparison, reasons: list[Any], examples: int) -> None:
    from rich.text import Text

    from billing_sim.comparison import render

    shown: list[Any] = [render.comparison_shown(found, terminal().width)]
    for it in reasons:
        shown += [Text(), render.why_shown(it)]
    if found.is_paired and not found.pair.is_one_run:
        flips = found.flips(examples)
        lines = [Text(line) for line in render.trace_lines(flips, found.pair)]
        shown += [Text(), render.flips_shown(flips), *([Text("\nLook at one:"), *lines] if lines else [])]
    show(*shown)
