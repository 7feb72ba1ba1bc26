"""`billing-sim schema`: what files of scenarios, metrics and cases may say, and what the log and the facts hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from billing_sim.cli.output import Format, say_json, say_rows, show

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from billing_sim.events import Column, Kind

EXAMPLE = "Example:  billing-sim schema scenario > scenario.schema.json"


class Subject(StrEnum):
    """What has a schema."""

    SCENARIO = "scenario"
    METRIC = "metric"
    CASE = "case"
    EVENTS = "events"
    FACTS = "facts"


def schema(
    subject: Annotated[Subject, typer.Argument(metavar="SUBJECT", help="What to describe.", show_default=False)],
    form: Annotated[
        Format, typer.Option("--format", help="How to print it; that of a file is always JSON.")
    ] = Format.TABLE,
) -> None:
    """Describe files of scenarios, metrics or cases, the events of the log, or the facts.

    For files this is the JSON Schema with which editors complete and check while you type.
    """
    if subject is Subject.SCENARIO:
        from billing_sim.scenario import json_schema

        say_json(json_schema())
    elif subject is Subject.METRIC:
        from billing_sim.metrics.file_schema import json_schema as of_metrics

        say_json(of_metrics())
    elif subject is Subject.CASE:
        from billing_sim.stress.case_schema import json_schema as of_cases

        say_json(of_cases())
    elif form is Format.JSON:
        say_json(_events_json() if subject is Subject.EVENTS else _facts_json())
    elif form is Format.CSV:
        say_rows(_HEAD, _event_rows() if subject is Subject.EVENTS else _fact_rows())
    else:
        show(*(_event_tables() if subject is Subject.EVENTS else _fact_tables()))


_HEAD = ("table", "column", "type", "labels", "meaning")


def _event_rows() -> Iterator[list[str]]:
    """The columns of the log and of world events, and each kind as a value of the column `kind`."""
    from billing_sim import events

    for table, columns, kinds in (
        ("events", events.COLUMNS, events.EVENTS), ("world_events", events.WORLD_COLUMNS, events.WORLD_EVENTS)
    ):  # fmt: skip
        yield from (_row(table, column) for column in columns)
        yield from ([table, f"kind: {kind.name}", "", " ".join(kind.columns), kind.meaning] for kind in kinds)


def _fact_rows() -> Iterator[list[str]]:
    from billing_sim.facts.schema import FACTS

    return (_row(fact.name, column) for fact in FACTS for column in fact.columns)


def _row(table: str, column: Column) -> list[str]:
    return [table, column.name, _type(column), " ".join(_labels(column.vocabulary)), column.meaning]


def _events_json() -> dict[str, Any]:
    from billing_sim import events

    return {
        "schema_version": events.SCHEMA_VERSION,
        "kinds": [_kind(kind) for kind in events.EVENTS],
        "columns": [_column(column) for column in events.COLUMNS],
        "world_kinds": [_kind(kind) for kind in events.WORLD_EVENTS],
        "world_columns": [_column(column) for column in events.WORLD_COLUMNS],
    }


def _facts_json() -> list[dict[str, Any]]:
    from billing_sim.facts.schema import FACTS

    return [
        {"name": fact.name, "grain": fact.grain, "columns": [_column(column) for column in fact.columns]}
        for fact in FACTS
    ]


def _kind(kind: Kind) -> dict[str, Any]:
    return {"number": kind.number, "name": kind.name, "columns": list(kind.columns), "meaning": kind.meaning}


def _column(column: Column) -> dict[str, Any]:
    labels = {"labels": list(_labels(column.vocabulary)) or None} if column.vocabulary else {}
    return {"name": column.name, "type": _type(column), **labels, "meaning": column.meaning}


def _labels(vocabulary: str) -> tuple[str, ...]:
    """The labels of a vocabulary; none for one that comes from the scenario or is the list of kinds."""
    from billing_sim.runs.tables import BUILT_IN

    return BUILT_IN.get(vocabulary, ())


def _type(column: Column) -> str:
    """The type as readers of a run meet it."""
    if column.vocabulary:
        return "label"
    bits = {"i8": 64, "i4": 32, "i2": 16}.get(column.storage)
    return f"int{bits}" if bits else {"u1": "uint8"}.get(column.storage, column.storage)


def _event_tables() -> Iterator[RenderableType]:
    from billing_sim import events

    yield from _section("What happens to subscribers", _kinds(events.EVENTS))
    yield from _section("Columns of these events", _columns(events.COLUMNS))
    yield from _section("What readers must know of the world", _kinds(events.WORLD_EVENTS))
    yield from _section("Columns of world events", _columns(events.WORLD_COLUMNS))


def _fact_tables() -> Iterator[RenderableType]:
    from billing_sim.facts.schema import FACTS

    for fact in FACTS:
        yield from _section(f"{fact.name}: one row is {fact.grain}", _columns(fact.columns))


def _section(title: str, table: Table) -> tuple[RenderableType, ...]:
    from rich.text import Text

    return Text(title, style="bold"), table, Text()


def _kinds(kinds: Iterable[Kind]) -> Table:
    """Each kind with its meaning and, below that, its columns."""
    from rich.text import Text

    table = _table("kind", "meaning and columns")
    for kind in kinds:
        table.add_row(kind.name, Text.assemble(kind.meaning, "\n", (", ".join(kind.columns), "dim")))
    return table


def _columns(columns: Iterable[Column]) -> Table:
    table = _table("column", "type", "meaning")
    for column in columns:
        table.add_row(column.name, _type(column), _meaning(column))
    return table


def _meaning(column: Column) -> RenderableType:
    from rich.text import Text

    labels = ", ".join(_labels(column.vocabulary))
    return Text.assemble(column.meaning, "\n" if labels else "", (labels, "dim"))


def _table(*headings: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings[:-1]:
        table.add_column(heading, no_wrap=True)
    table.add_column(headings[-1], overflow="fold")
    return table
