"""Where and why metrics moved from one month to another: one scan per fact, then exact terms for each dimension."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from billing_sim.facts.schema import FACTS
from billing_sim.metrics import decomposition
from billing_sim.metrics import measures as sql
from billing_sim.metrics.connection import connect_to
from billing_sim.metrics.decomposition import Decomposition
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.frame import Frame, literal
from billing_sim.metrics.measures import Measure
from billing_sim.metrics.shapes import MONTH, quoted
from billing_sim.metrics.source import Source
from billing_sim.metrics.unreadable import reading_facts

PLACES = ("market", "method", "plan", "gateway")
CAUSES = ("first_code", "code")
"""Dimensions in which it is looked for where a number moved, and why, as far as the fact has them."""

_SIDES = dict[str, dict[str, tuple[int, int]]]


@dataclass(frozen=True)
class Move:
    """A metric between two months, such as "2025-05" and "2025-06"."""

    definition: Definition
    before: str
    after: str


def explain(source: Source, moves: Sequence[Move], frame: Frame) -> list[tuple[Decomposition, ...]]:
    """The change of each ratio or sum, by each place and cause that its fact knows; nothing for other metrics."""
    found: dict[Move, tuple[Decomposition, ...]] = dict.fromkeys(moves, ())
    for fact in FACTS:
        own = [move for move in moves if move.definition.fact == fact.name and _is_simple(move.definition)]
        dims = [name for name in (*PLACES, *CAUSES) if name in {column.name for column in fact.columns}]
        if not own:
            continue
        with reading_facts(), connect_to(source, [fact]) as connection:
            sums = _scanned(connection, own, dims, frame)
            for i, move in enumerate(own):
                found[move] = tuple(_decompositions(connection, i, move, dims, sums[i]))
    return [found[move] for move in moves]


def _is_simple(it: Definition) -> bool:
    return not (it.sql or it.over) and it.kind in ("ratio", "sum", "stock")


def _scanned(
    connection: duckdb.DuckDBPyConnection, moves: list[Move], dims: list[str], frame: Frame
) -> list[list[str]]:
    """Reduce the rows to months and all dimensions at once; return the names of each move's sums in that table."""
    parts: dict[str, Measure] = {}
    names: list[list[str]] = []
    for i, move in enumerate(moves):
        named = sql.parts(move.definition, frame, (MONTH,)).named
        own = {f"{name}{i}": named[name] for name in ("numerator", "denominator") if name in named}
        parts |= own
        names.append(list(own))
    is_condition = sql.condition_expressions(connection, parts.values())
    months = [f"{sql.month_of(move.definition.clock)} AS month{i}" for i, move in enumerate(moves)]
    sums = [f"coalesce({sql.aggregate(part, is_condition)}, 0) AS {name}" for name, part in parts.items()]
    columns = ", ".join([*months, *map(quoted, dims), *sums])
    fact = moves[0].definition.fact
    connection.execute(f"CREATE TEMP TABLE reduced AS SELECT {columns} FROM {fact} WHERE {_within(moves)} GROUP BY ALL")
    return names


def _within(moves: Iterable[Move]) -> str:
    """The rows of all these months, as SQL. Months that follow one another are one span: every row meets every span."""
    months = {(move.definition.clock, *_span(month)) for move in moves for month in (move.before, move.after)}
    spans: list[tuple[str, datetime, datetime]] = []
    for clock, first, end in sorted(months):
        follows = spans and spans[-1][0] == clock and spans[-1][2] == first
        spans.append((clock, spans.pop()[1] if follows else first, end))
    return " OR ".join(f"({clock} >= {literal(first)} AND {clock} < {literal(end)})" for clock, first, end in spans)


def _decompositions(
    connection: duckdb.DuckDBPyConnection, number: int, move: Move, dims: list[str], sums: list[str]
) -> Iterator[Decomposition]:
    totals = ", ".join(f"sum({name})::BIGINT" for name in sums)
    month = f"month{number}"
    either = ", ".join(literal(_span(each)[0]) for each in (move.before, move.after))
    for dim in dims:
        rows = connection.execute(
            f"SELECT {month}, {quoted(dim)}, {totals} FROM reduced WHERE {month} IN ({either}) GROUP BY ALL"
        ).fetchall()
        found = _decomposed(move, dim, rows)
        if found and len(found.terms) > 1:
            yield found


def _decomposed(move: Move, dim: str, rows: Iterable[tuple]) -> Decomposition | None:
    sides: _SIDES = {move.before: {}, move.after: {}}
    for month, segment, *totals in rows:
        sides[f"{month:%Y-%m}"]["none" if segment is None else str(segment)] = (totals[0], totals[-1])
    if move.definition.denominator:
        return decomposition.of_ratio(dim, sides[move.before], sides[move.after])
    before, after = ({name: n for name, (n, _) in sides[month].items()} for month in (move.before, move.after))
    return decomposition.of_sum(dim, before, after)


def _span(month: str) -> tuple[datetime, datetime]:
    year, number = map(int, month.split("-"))
    return datetime(year, number, 1), datetime(year + number // 12, number % 12 + 1, 1)
