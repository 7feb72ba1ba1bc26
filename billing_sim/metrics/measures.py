"""From definitions to sums: which measures a metric is made of, and the SQL of one metric on its own.

A measure is an integer sum, or counts by value, over the units of one fact; both merge over any split.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import duckdb

from billing_sim import clock as clocks
from billing_sim.metrics.constant import SUFFIX
from billing_sim.metrics.definition import Definition, Population
from billing_sim.metrics.frame import Frame, literal

ONE = "1"
AGES = 10_000
"""Ages in days lie below this, so that three numbers fit into one."""

_PARTLY = re.compile(r"CASE WHEN ((?:(?!\b(?:CASE|WHEN|THEN|ELSE)\b).)+) THEN (\w+) END")
"""A column summed over some of the units: its condition joins the others, so that equal columns are summed once."""

_SPOT = re.compile(r"\b(\w+)_micros\b")

Form = Literal["sum", "histogram", "cells"]


@dataclass(frozen=True)
class Measure:
    """The sum of `expression` over the rows of `fact` that meet all `conditions` and not `unless`.

    `clock` places a row in a month. In the form `histogram` rows are counted by the bucket of their value, and as
    `cells` by the value itself.
    """

    fact: str
    clock: str
    conditions: tuple[str, ...]
    expression: str
    unless: str = ""
    form: Form = "sum"

    @property
    def is_constant(self) -> bool:
        """Whether it needs amounts at constant rates."""
        return any(SUFFIX in text for text in (self.expression, *self.conditions))

    @property
    def condition(self) -> str:
        """All conditions as one."""
        excluded = [f"NOT ({self.unless})"] if self.unless else []
        return " AND ".join([f"({condition})" for condition in self.conditions] + excluded) or "true"


@dataclass(frozen=True)
class Parts:
    """The measures that one metric is made of; `units` counts whom the number is about."""

    numerator: Measure
    denominator: Measure | None
    units: Measure
    immature: Measure | None

    @property
    def named(self) -> dict[str, Measure]:
        """Those that there are, by name."""
        return {name: measure for name, measure in vars(self).items() if measure}

    def __iter__(self) -> Iterator[Measure]:
        return iter(self.named.values())


def parts(definition: Definition, frame: Frame, by: Collection[str]) -> Parts:
    """The measures of a metric in this frame. A stock looks at the last month only, unless months are asked for."""
    found = _parts(definition, frame, by)
    return at_constant_rates(found) if definition.money == "constant" else found


def _parts(definition: Definition, frame: Frame, by: Collection[str]) -> Parts:
    since = literal(frame.last_month) if definition.kind == "stock" and "month" not in by else ""
    base = _units(definition, frame, since)
    if definition.kind == "incidence":
        watched = (*base.conditions, f"({definition.since}) < {literal(frame.as_of)}")
        cells = replace(base, conditions=watched, expression=_cell(definition, frame), form="cells")
        return Parts(cells, None, replace(base, conditions=watched), None)
    immature = _immature(definition.denominator_units, frame)
    numerator = _numerator(definition, base)
    if definition.kind == "quantile":
        happened = f"({numerator.expression}) IS NOT NULL"
        counted = replace(numerator, conditions=(*numerator.conditions, happened), form="histogram")
        return Parts(counted, None, base, immature)
    if not definition.denominator:
        return Parts(numerator, None, base, immature)
    below = _units(definition.denominator_units, frame, since)
    expression = definition.weight or definition.denominator
    denominator = replace(below, expression=ONE if expression == "true" else expression)
    return Parts(numerator, denominator, below, immature)


def _units(units: Population, frame: Frame, since: str) -> Measure:
    """The units whose outcome is final, counted."""
    final = frame.matured(units) or _known(units, frame)
    conditions = (*units.condition, final, f"{units.clock} >= {since}" if since else "")
    return Measure(units.fact, units.clock, tuple(filter(None, conditions)), ONE)


def _numerator(definition: Definition, base: Measure) -> Measure:
    expression, conditions = definition.numerator, base.conditions
    if definition.window:
        conditions = (*conditions, definition.window.condition)
    if definition.weight:
        return replace(base, conditions=(*conditions, f"({expression})"), expression=definition.weight)
    partly = _PARTLY.fullmatch(expression)
    only, summed = partly.groups() if partly else ("", expression)
    return replace(
        base, conditions=tuple(filter(None, (*conditions, only))), expression=ONE if summed == "true" else summed
    )


def _immature(units: Population, frame: Frame) -> Measure | None:
    final = frame.matured(units)
    if final is None:
        return None
    return Measure(units.fact, units.clock, (*units.condition, _known(units, frame)), ONE, unless=final)


def _known(units: Population, frame: Frame) -> str:
    return f"{units.clock} < {literal(frame.as_of)}"


def at_constant_rates(found: Parts) -> Parts:
    """The same sums with every amount at the exchange rate of the run's start."""
    return Parts(
        _constant(found.numerator),
        _constant(found.denominator) if found.denominator else None,
        _constant(found.units),
        _constant(found.immature) if found.immature else None,
    )


def _constant(measure: Measure) -> Measure:
    conditions = tuple(_SPOT.sub(rf"\1{SUFFIX}", condition) for condition in measure.conditions)
    return replace(measure, conditions=conditions, expression=_SPOT.sub(rf"\1{SUFFIX}", measure.expression))


def _cell(it: Definition, frame: Frame) -> str:
    """Outcome, day of entry and day of exit in one number: ((outcome * AGES) + entry) * AGES + exit.

    Outcome 1 is the event, 2 a competing one, 0 neither by `as_of`. What happens within the n-th day, its end
    included, happens on day n; who is censored has been seen through whole days only.
    """
    now = literal(frame.last_seen)
    event, competing = (
        f"(CASE WHEN ({text}) < {now} THEN ({text}) END)" if text else "NULL" for text in (it.event, it.competing)
    )
    since = f"epoch_us({it.since})"
    outcome = (
        f"CASE WHEN {event} IS NOT NULL AND ({competing} IS NULL OR {event} <= {competing}) THEN 1 "
        f"WHEN {competing} IS NOT NULL THEN 2 ELSE 0 END"
    )
    gone = f"epoch_us(least(coalesce({event}, {now}), coalesce({competing}, {now})))"
    rounded = f"CASE WHEN {event} IS NULL AND {competing} IS NULL THEN 0 ELSE {clocks.DAY - 1} END"
    leaves = f"greatest(0, ({gone} - {since} + {rounded}) // {clocks.DAY})"
    enters = f"greatest(0, (epoch_us({it.enters}) - {since} + {clocks.DAY - 1}) // {clocks.DAY})" if it.enters else "0"
    return f"(({outcome}) * {AGES} + {enters}) * {AGES} + {leaves}"


_conditions: dict[tuple[str, str], bool] = {}
"""By fact and expression, whether it is a condition: the columns of a fact have the same types in every run."""


def condition_expressions(connection: duckdb.DuckDBPyConnection, measures: Iterable[Measure]) -> frozenset[str]:
    """Those expressions that are conditions, so that rows are counted rather than added up."""
    asked = dict.fromkeys((measure.fact, measure.expression) for measure in measures)
    unknown: dict[str, list[str]] = {}
    for fact, expression in asked:
        if (fact, expression) not in _conditions:
            unknown.setdefault(fact, []).append(expression)
    for fact, expressions in unknown.items():
        selected = ", ".join(f"({expression})" for expression in expressions)
        types = connection.execute(f"SELECT {selected} FROM {fact} LIMIT 0").description or []
        for expression, column in zip(expressions, types, strict=True):
            _conditions[fact, expression] = str(column[1]).upper() in ("BOOLEAN", "BOOL")
    return frozenset(expression for fact, expression in asked if _conditions[fact, expression])


def month_of(clock: str) -> str:
    """The first day of the month of a moment, in SQL."""
    return f"date_trunc('month', {clock})"


def statement(rows: str, dims: Mapping[str, str], measures: Mapping[str, Measure], is_condition: frozenset[str]) -> str:
    """One statement over `rows` for named measures that share a clock, as a person would write it.

    `dims` is name -> SQL, empty for the month; `rows` is a fact or a query in brackets.
    """
    clock = next(iter(measures.values())).clock
    month = f"strftime({month_of(clock)}, '%Y-%m')"
    places = {name: place or month for name, place in dims.items()}
    selected = [place if place == f'"{name}"' else f'{place} AS "{name}"' for name, place in places.items()]
    grouped = f"\nGROUP BY {', '.join(str(i + 1) for i in range(len(selected)))}" if selected else ""
    columns = selected + [f"{aggregate(measure, is_condition)} AS {name}" for name, measure in measures.items()]
    return "SELECT\n  " + ",\n  ".join(columns) + f"\nFROM {rows}{grouped}"


def aggregate(measure: Measure, is_condition: frozenset[str]) -> str:
    """A measure as an aggregate over the rows of its fact."""
    if measure.form != "sum":
        return f"histogram({measure.expression}) FILTER (WHERE {measure.condition})"
    if measure.expression == ONE:
        return f"count_if({measure.condition})"
    if measure.expression in is_condition:
        return f"count_if({measure.condition} AND ({measure.expression}))"
    return f"sum({measure.expression}) FILTER (WHERE {measure.condition})"
