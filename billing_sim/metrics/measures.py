"""From definitions to sums: which measures a metric is made of, and the SQL of one metric on its own.

A measure is an integer sum, or counts by value, over the units of one fact; both merge over any split.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import duckdb

from billing_sim.metrics.definition import Definition, Population
from billing_sim.metrics.frame import Frame, literal

ONE = "1"
_PARTLY = re.compile(r"CASE WHEN ((?:(?!\b(?:CASE|WHEN|THEN|ELSE)\b).)+) THEN (\w+) END")
"""A column summed over some of the units: its condition joins the others, so that equal columns are summed once."""


@dataclass(frozen=True)
class Measure:
    """The sum of `expression` over the rows of `fact` that meet all `conditions` and not `unless`.

    `clock` places a row in a month. With `is_histogram`, rows are counted by their value instead.
    """

    fact: str
    clock: str
    conditions: tuple[str, ...]
    expression: str
    unless: str = ""
    is_histogram: bool = False

    @property
    def condition(self) -> str:
        """All conditions as one."""
        excluded = [f"NOT ({self.unless})"] if self.unless else []
        return " AND ".join([f"({condition})" for condition in self.conditions] + excluded)


@dataclass(frozen=True)
class Parts:
    """The measures that one metric is made of."""

    numerator: Measure
    denominator: Measure | None
    immature: Measure | None

    @property
    def all(self) -> tuple[Measure | None, ...]:
        """Numerator, denominator, immature; None where the metric has none."""
        return self.numerator, self.denominator, self.immature

    def __iter__(self) -> Iterator[Measure]:
        return (measure for measure in self.all if measure)


def parts(definition: Definition, frame: Frame, by: Collection[str]) -> Parts:
    """The measures of a metric in this frame. A stock looks at the last month only, unless months are asked for."""
    since = literal(frame.last_month) if definition.kind == "stock" and "month" not in by else ""
    numerator = _measure(definition, definition.numerator, frame, since)
    denominator = None
    if definition.kind == "quantile":
        denominator = replace(numerator, expression=ONE)
        counted = f"({numerator.expression}) IS NOT NULL"
        numerator = replace(numerator, conditions=(*numerator.conditions, counted), is_histogram=True)
    elif definition.denominator:
        denominator = _measure(definition.denominator_units, definition.denominator, frame, since)
    return Parts(numerator, denominator, _immature(definition, frame))


def _measure(units: Population, expression: str, frame: Frame, since: str) -> Measure:
    final = frame.matured(units) or _known(units, frame)
    partly = _PARTLY.fullmatch(expression)
    only, summed = partly.groups() if partly else ("", expression)
    conditions = [units.where, final, f"{units.clock} >= {since}" if since else "", only]
    return Measure(units.fact, units.clock, tuple(filter(None, conditions)), ONE if summed == "true" else summed)


def _immature(units: Population, frame: Frame) -> Measure | None:
    final = frame.matured(units)
    if final is None:
        return None
    return Measure(units.fact, units.clock, tuple(filter(None, [units.where, _known(units, frame)])), ONE, unless=final)


def _known(units: Population, frame: Frame) -> str:
    return f"{units.clock} < {literal(frame.as_of)}"


def condition_expressions(connection: duckdb.DuckDBPyConnection, measures: Iterable[Measure]) -> frozenset[str]:
    """Those expressions that are conditions, so that rows are counted rather than added up."""
    found: set[str] = set()
    by_fact: dict[str, dict[str, None]] = {}
    for measure in measures:
        by_fact.setdefault(measure.fact, {})[measure.expression] = None
    for fact, expressions in by_fact.items():
        selected = ", ".join(f"({expression})" for expression in expressions)
        types = connection.execute(f"SELECT {selected} FROM {fact} LIMIT 0").description or []
        found |= {
            text
            for text, column in zip(expressions, types, strict=True)
            if str(column[1]).upper() in ("BOOLEAN", "BOOL")
        }
    return frozenset(found)


def month_of(clock: str) -> str:
    """The first day of the month of a moment, in SQL."""
    return f"date_trunc('month', {clock})"


def statement(fact: str, dims: Iterable[str], measures: Mapping[str, Measure], is_condition: frozenset[str]) -> str:
    """One statement for named measures that share a clock, as a person would write it."""
    clock = next(iter(measures.values())).clock
    selected = [f"strftime({month_of(clock)}, '%Y-%m') AS month" if name == "month" else name for name in dims]
    grouped = f"\nGROUP BY {', '.join(str(i + 1) for i in range(len(selected)))}" if selected else ""
    columns = selected + [f"{_aggregate(measure, is_condition)} AS {name}" for name, measure in measures.items()]
    return "SELECT\n  " + ",\n  ".join(columns) + f"\nFROM {fact}{grouped}"


def _aggregate(measure: Measure, is_condition: frozenset[str]) -> str:
    if measure.is_histogram:
        return f"histogram({measure.expression}) FILTER (WHERE {measure.condition})"
    if measure.expression == ONE:
        return f"count_if({measure.condition})"
    if measure.expression in is_condition:
        return f"count_if({measure.condition} AND ({measure.expression}))"
    return f"sum({measure.expression}) FILTER (WHERE {measure.condition})"
