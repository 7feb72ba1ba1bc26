"""One scan for many sums: rows are reduced to their shapes first, and shapes are few.

Every condition that any measure of a fact uses is evaluated once per row and becomes one bit; rows with equal bits
have the same shape and are counted and summed together. Each measure is then a filtered sum over some hundred shapes
instead of millions of rows (measured on 3.7 M invoices and 41 measures: 0.8 s of processor time instead of 1.6 s).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from billing_sim.metrics.measures import ONE, Measure, month_of

CONDITIONS_MAX = 48
"""Conditions in one scan; more are spread over several, so that the bits stay inside an integer."""


@dataclass
class Shapes:
    """The statement that computes these measures of one fact, split by `dims`, months by `clock`."""

    fact: str
    clock: str
    dims: tuple[str, ...]
    is_condition: frozenset[str]
    measures: list[Measure] = field(default_factory=list)
    bits: dict[str, int] = field(default_factory=dict)
    summed: dict[str, int] = field(default_factory=dict)

    def takes(self, measure: Measure) -> bool:
        """Add a measure if its conditions still fit."""
        new = [condition for condition in self._conditions(measure) if condition not in self.bits]
        if self.measures and len(self.bits) + len(new) > CONDITIONS_MAX:
            return False
        for condition in new:
            self.bits[condition] = len(self.bits)
        if measure.expression != ONE and measure.expression not in self.is_condition:
            self.summed.setdefault(measure.expression, len(self.summed))
        self.measures.append(measure)
        return True

    def statement(self) -> str:
        """The SQL: dimensions first, then one column per measure in the order in which they were added."""
        inner = [f"{month_of(self.clock)} AS month" if name == "month" else name for name in self.dims]
        inner.append(
            " + ".join(f"CASE WHEN {it} THEN {1 << bit} ELSE 0 END" for it, bit in self.bits.items()) + " AS bits"
        )
        inner.append("count(*) AS units")
        inner += [f"sum({expression}) AS s{i}" for expression, i in self.summed.items()]
        outer = ["strftime(month, '%Y-%m')" if name == "month" else name for name in self.dims]
        outer += [self._sum(measure) for measure in self.measures]
        placed = f" WHERE {self.clock} IS NOT NULL" if "month" in self.dims else ""
        grouped = f" GROUP BY {', '.join(str(i + 1) for i in range(len(self.dims)))}" if self.dims else ""
        shapes = f"SELECT {', '.join(inner)} FROM {self.fact}{placed} GROUP BY ALL"
        return f"SELECT {', '.join(outer)} FROM ({shapes}){grouped}"

    def _conditions(self, measure: Measure) -> Iterator[str]:
        yield from measure.conditions
        if measure.unless:
            yield measure.unless
        if measure.expression in self.is_condition:
            yield measure.expression

    def _sum(self, measure: Measure) -> str:
        places = sum(1 << self.bits[condition] for condition in self._conditions(measure))
        wanted = places & ~(1 << self.bits[measure.unless]) if measure.unless else places
        column = f"s{self.summed[measure.expression]}" if measure.expression in self.summed else "units"
        return f"sum({column}) FILTER (WHERE bits & {places} = {wanted})"


def packed(measures: Sequence[Measure], dims: tuple[str, ...], is_condition: frozenset[str]) -> list[Shapes]:
    """As few statements as these measures of one fact need: one, unless months are told apart by several clocks."""
    made: list[Shapes] = []
    for measure in measures:
        clock = measure.clock if "month" in dims else ""
        if not any(it.clock == clock and it.takes(measure) for it in made):
            made.append(Shapes(measure.fact, clock, dims, is_condition))
            made[-1].takes(measure)
    return made


def counts(measure: Measure, dims: tuple[str, ...]) -> str:
    """The SQL of a histogram: dimensions, value, count. Only the rows it counts are looked at."""
    selected = [f"strftime({month_of(measure.clock)}, '%Y-%m')" if name == "month" else name for name in dims]
    columns = ", ".join([*selected, f"({measure.expression})::BIGINT", "count(*)"])
    return f"SELECT {columns} FROM {measure.fact} WHERE {measure.condition} GROUP BY ALL"
