"""Whose outcome differs between two worlds of the same people: subscribers kept or lost, invoices paid or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

import duckdb

from billing_sim import clock, people
from billing_sim.comparison.sides import Pair, Side
from billing_sim.errors import QueryError, RunError
from billing_sim.facts.schema import COLUMNS
from billing_sim.metrics.connection import THREADS
from billing_sim.metrics.rows import rows_of

if TYPE_CHECKING:
    import pandas as pd

MEMORY = "2GB"
"""What the join of both sides may hold at once; beyond it DuckDB writes to a temporary folder."""

EXAMPLES = 3
_SPARE = 32
"""Invoices looked at per flip to find different subscribers among them."""

ABSENT = {"subscribers": "never subscribed", "invoices": "not issued"}
"""The outcome of what one side does not have."""

_SUBSCRIBERS = """
SELECT subscriber, 0::SMALLINT AS spell, DATE '1970-01-01' AS period,
    CASE WHEN arg_max(outcome, number) = 'kept' AND bool_or(outcome = 'lost') THEN 'lost and back'
    ELSE arg_max(outcome, number) END AS outcome
FROM (SELECT subscriber, spell AS number, CASE
    WHEN ended_at IS NULL OR epoch_us(ended_at) >= {until} THEN 'kept'
    WHEN end_reason = 'nonpayment' THEN 'lost'
    WHEN end_reason = 'payment_trouble' THEN 'left in payment trouble'
    ELSE 'left' END AS outcome
FROM {rows} WHERE epoch_us(started_at) < {until}) GROUP BY subscriber
"""
_INVOICES = """
SELECT subscriber, spell, period_start AS period,
    CASE WHEN epoch_us(paid_at) < {until} THEN 'paid' ELSE 'not paid' END AS outcome
FROM {rows} WHERE is_imported OR epoch_us(issued_at) < {until}
"""
_JOINED = """
SELECT coalesce(a.outcome, '{absent}'), coalesce(b.outcome, '{absent}'), count(*), min(subscriber, {spare})
FROM ({a}) a FULL JOIN ({b}) b USING (subscriber, spell, period)
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""


@dataclass(frozen=True)
class Flip:
    """So many units with this outcome in A and that in B; `examples` are subscribers, as trace takes them."""

    unit: str
    before: str
    after: str
    count: int
    examples: tuple[str, ...]

    @property
    def is_flip(self) -> bool:
        """Whether the outcomes differ."""
        return self.before != self.after


@dataclass(frozen=True)
class Flips:
    """Every pair of outcomes that occurs, the most frequent first, subscribers before invoices."""

    outcomes: tuple[Flip, ...]

    def of(self, unit: str) -> list[Flip]:
        """The flips of "subscribers" or "invoices"."""
        return [it for it in self.outcomes if it.unit == unit and it.is_flip]

    def same(self, unit: str) -> int:
        """How many had the same outcome on both sides."""
        return sum(it.count for it in self.outcomes if it.unit == unit and not it.is_flip)

    def count(self, unit: str) -> int:
        """How many had another outcome."""
        return sum(it.count for it in self.of(unit))

    def table(self) -> pd.DataFrame:
        """One row per flip: unit, outcome in A, outcome in B, count, examples."""
        import pandas as pd

        columns = ["unit", "a", "b", "count", "examples"]
        return pd.DataFrame([_plain(it) for unit in ABSENT for it in self.of(unit)], columns=columns)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: {"subscribers": {"same", "flips": [...]}, "invoices": {...}}."""
        return {unit: {"same": self.same(unit), "flips": [_plain(it) for it in self.of(unit)]} for unit in ABSENT}

    def __repr__(self) -> str:
        from billing_sim.comparison.render import flips_shown
        from billing_sim.metrics.plain import plain

        return plain(flips_shown(self)).rstrip()


def _plain(it: Flip) -> dict[str, Any]:
    return {"unit": it.unit, "a": it.before, "b": it.after, "count": it.count, "examples": list(it.examples)}


def flips(pair: Pair, examples: int = EXAMPLES) -> Flips:
    """Compare the outcomes of every subscriber and invoice; QueryError when the people are not the same."""
    if pair.is_one_run:
        raise QueryError("Two months of one run have no outcomes to set side by side; compare two runs.")
    if pair.strangers:
        raise QueryError(f"Outcomes can be compared for the same people only: {pair.strangers}.")
    limits: dict[str, Any] = {"threads": THREADS, "memory_limit": MEMORY, "temp_directory": gettempdir()}
    with duckdb.connect(":memory:", config=limits) as connection:
        found = [
            *_joined(connection, pair, "subscribers", "subscriptions", _SUBSCRIBERS, examples),
            *_joined(connection, pair, "invoices", "invoices", _INVOICES, examples),
        ]
    return Flips(tuple(found))


def _joined(
    connection: duckdb.DuckDBPyConnection, pair: Pair, unit: str, fact: str, selected: str, examples: int
) -> list[Flip]:
    try:
        a, b = (_filled(connection, selected, side, fact) for side in (pair.before, pair.after))
        statement = _JOINED.format(a=a, b=b, absent=ABSENT[unit], spare=max(examples, 1) * _SPARE)
        rows = connection.execute(statement).fetchall()
    except duckdb.Error as error:
        raise RunError(f"The facts cannot be compared: {str(error).splitlines()[0]}") from None
    return [Flip(unit, before, after, count, _names(who, examples)) for before, after, count, who in rows]


def _filled(connection: duckdb.DuckDBPyConnection, selected: str, side: Side, fact: str) -> str:
    rows = rows_of(connection, COLUMNS[fact], side.facts.facts_files(fact))
    return selected.format(until=clock.micros(side.frame.as_of.replace(tzinfo=UTC)), rows=rows)


def _names(who: Sequence[int], examples: int) -> tuple[str, ...]:
    return tuple(people.describe(subscriber) for subscriber in list(dict.fromkeys(who))[:examples])
