"""`billing-sim metrics`: what can be measured, what a metric means, and what it comes to in a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from billing_sim.cli.output import Format, say_json, say_rows, show

if TYPE_CHECKING:
    from billing_sim.metrics.asking import Answer
    from billing_sim.metrics.catalogue import Catalogue
    from billing_sim.metrics.definition import Definition

EXAMPLE = """\b
Examples:
  billing-sim metrics --search retry
  billing-sim metrics payment_success_rate
  billing-sim metrics runs/first_month-1a2b3c4d5e --by plan,month

Example:  billing-sim metrics RUN --metric payment_success_rate --variants
"""

_FILES = (".yaml", ".yml", ".sql")


def metrics(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="NAME or RUN", help="A metric to explain, or the folder of a run to compute.", show_default=False
        ),
    ] = "",
    search: Annotated[
        str, typer.Option(metavar="TEXT", help="Look for it in names, titles, questions, formulas.")
    ] = "",
    files: Annotated[
        list[Path], typer.Option("--definitions", metavar="FILE", help="Metrics of your own, YAML or SQL; repeatable.")
    ] = [],  # noqa: B006
    names: Annotated[list[str], typer.Option("--metric", metavar="NAME", help="RUN: only this one; repeatable.")] = [],  # noqa: B006
    by: Annotated[str, typer.Option(metavar="DIMENSION[,…]", help="RUN: also split by market, plan, month, …")] = "",
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="DATE", help="RUN: as it was known then, such as 2025-03-01.")
    ] = "",
    variants: Annotated[
        bool, typer.Option("--variants", help="RUN: with all variants and how far they differ.")
    ] = False,
    tables: Annotated[
        Path | None, typer.Option(metavar="DIR", help="RUN: queries may also read these tables, which `export` wrote.")
    ] = None,
    view: Annotated[str, typer.Option(metavar="NAME", help="Only subscribers, finance, support or product.")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print them.")] = Format.TABLE,
) -> None:
    """List all metrics, explain one, or compute them over a run.

    Without NAME or RUN it lists what there is. With --definitions and no --metric, a run is asked for the metrics of
    these files. JSON and CSV hold every number of a run, JSON as {metric: {...}}; of one metric JSON holds the whole
    definition, and of the list both hold names, titles and questions.
    """
    from billing_sim.cli.progress import waiting
    from billing_sim.metrics import asking

    if subject.endswith(_FILES):
        raise typer.BadParameter(f"name a file of metrics with --definitions {subject}", param_hint="NAME or RUN")
    if subject and search:
        raise typer.BadParameter(f"it looks through all metrics; leave {subject} out", param_hint="--search")
    catalogue = asking.known(files, asking.others(tables))
    if view:
        catalogue = _only(catalogue, view)
    if _is_run(subject):
        asked = _asked(catalogue, names, files, tables, variants=variants)
        with waiting("counting", quiet):
            answer = _computed(Path(subject), asked, by, as_of, tables)
        _tell(answer, variants=variants, form=form)
        return
    _need_a_run({"--metric": names, "--by": by, "--as-of": as_of, "--variants": variants, "--tables": tables})
    if subject:
        _explain(catalogue, subject, form)
    else:
        _list(catalogue, search, form)


def _is_run(subject: str) -> bool:
    """Whether a folder is meant: one that is there, or a path; the name of a metric has no slash."""
    from billing_sim.nearby import is_there

    path = Path(subject)
    return bool(subject) and (len(path.parts) > 1 or (is_there(path) and path.is_dir()))


def _need_a_run(given: Mapping[str, object]) -> None:
    for option, value in given.items():
        if value:
            raise typer.BadParameter("say of which run: billing-sim metrics RUN", param_hint=option)


def _only(catalogue: Catalogue, view: str) -> Catalogue:
    from billing_sim.errors import QueryError
    from billing_sim.metrics.definition import VIEWS
    from billing_sim.metrics.names import unknown

    if view not in VIEWS:
        raise QueryError(unknown("view", view, VIEWS))
    names = {it.name for it in catalogue if view in (it.view, *it.also_in)}
    return catalogue.of([it.id for it in catalogue if it.name in names])


def _asked(
    catalogue: Catalogue, names: Sequence[str], files: Sequence[Path], tables: Path | None, *, variants: bool
) -> list[Definition]:
    """Those named; else those of the files; else every canonical metric and what views show beside them."""
    from billing_sim.metrics import asking
    from billing_sim.metrics.catalogue import load

    if not names and files:
        own = {it.id for file in files for it in load(file, asking.others(tables)) if not it.is_variant}
        names = [it.id for it in catalogue if it.id in own]
    return asking.definitions(
        catalogue, names or [it.id for it in catalogue if it.shown or not it.is_variant], variants=variants
    )


def _computed(run: Path, asked: Sequence[Definition], by: str, as_of: str, beside: Path | None) -> Answer:
    from billing_sim.metrics import asking
    from billing_sim.result import open as open_run

    moment = asking.moment(as_of or None)
    source = asking.beside(open_run(run).known_at(moment), beside)
    return asking.ask(source, asked, by, moment)


def _tell(answer: Answer, *, variants: bool, form: Format) -> None:
    if form is Format.JSON:
        say_json(answer.as_dict())
    elif form is Format.CSV:
        _say_rows(answer.columns, answer.rows(totals=True))
    else:
        from billing_sim.metrics import tables

        show(tables.side_by_side(answer) if variants else tables.computed(answer))


def _explain(catalogue: Catalogue, name: str, form: Format) -> None:
    from billing_sim.metrics import sheets

    it = catalogue[name]
    if form is Format.TABLE:
        show(sheets.sheet(catalogue, it))
    elif form is Format.JSON:
        say_json(sheets.as_dict(catalogue, it))
    else:
        _say_list([*catalogue.variants(name)], catalogue)


def _list(catalogue: Catalogue, search: str, form: Format) -> None:
    from billing_sim.metrics import asking, lists

    found = lists.search(catalogue, search) if search else asking.canonical(catalogue)
    if form is Format.JSON:
        say_json(lists.listed(found, catalogue))
    elif form is Format.CSV:
        _say_list(found, catalogue)
    else:
        show(lists.matches(found) if search else lists.overview(catalogue))


def _say_list(found: Sequence[Definition], catalogue: Catalogue) -> None:
    from billing_sim.metrics import lists

    rows = [row | {"variants": " ".join(row["variants"])} for row in lists.listed(found, catalogue)]
    _say_rows(list(rows[0]), rows)


def _say_rows(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    say_rows(columns, ([row.get(name, "") for name in columns] for row in rows))
