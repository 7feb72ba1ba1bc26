"""What somebody who watches looks at: the last four weeks before a moment, as far as they can be counted.

A definition is narrowed to the units of the 28 days that end where its maturity begins; one that waits for the month to
be over looks at the last whole month, a stock at the moment itself, and of what a query says the last period counts.
The truth of the moment is that of the units that came into the world in the 28 days before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from billing_sim import clock
from billing_sim.facts.schema import FACTS
from billing_sim.metrics.definition import Definition, Population
from billing_sim.metrics.frame import Frame, literal
from billing_sim.stress.looked import BEGINS

WINDOW = timedelta(days=28)
"""Four whole weeks: every weekday counts as often."""

Floors = dict[str, dict[str, datetime] | None]
"""By fact and clock, the moment before which no unit is looked at; None where all units are."""

_INSTANT = timedelta(microseconds=1)
_DATES = {(fact.name, it.name) for fact in FACTS for it in fact.columns if it.storage == "date"}


def trailing(it: Definition, seen: Frame) -> Definition:
    """The definition over its last countable units in this frame."""
    if it.sql:
        said = it.sql.strip().rstrip(";")
        last = f"SELECT * FROM (\n{said}\n) WHERE period = (SELECT max(period) FROM (\n{said}\n))"
        return it.model_copy(update={"sql": last})
    if it.kind == "stock":
        return it
    over = it.over and it.over.model_copy(update={"where": _narrowed(it.over, seen)})
    return it.model_copy(update={"where": _narrowed(it, seen), "over": over})


def _narrowed(units: Population, seen: Frame) -> str:
    own = f"({units.where}) AND " if units.where else ""
    return f"{own}{units.clock} >= {literal(first_counted(units, seen))}"


def first_counted(units: Population, seen: Frame) -> datetime:
    """The moment from which on units are looked at."""
    if units.matures == "month":
        return _month(seen.whole_months[1] - _INSTANT)
    last = seen.as_of - _horizon(units, seen)
    first = last - WINDOW + (_INSTANT if last < seen.as_of else timedelta())
    return min(first, _month(last - _INSTANT)) if units.clock == "month" else first


def _horizon(units: Population, seen: Frame) -> timedelta:
    """How old a unit must be; the youngest that counts is exactly so old."""
    named = {"none": timedelta(), "settlement": seen.settlement, "dunning": seen.dunning}
    if units.matures in named:
        return named[units.matures]
    return timedelta(microseconds=clock.parse_duration(units.matures))


def floors(definitions: Sequence[Definition], seen: Frame) -> Floors:
    """The facts that are needed, and what may be left out of each; a query may ask for any unit of what it names."""
    found: dict[str, dict[str, datetime]] = {}
    for it in definitions:
        if not it.sql:
            for units in (it, *([it.over] if it.over else [])):
                first = seen.last_month if it.kind == "stock" else first_counted(units, seen)
                known = found.setdefault(units.fact, {})
                known[units.clock] = min(known.get(units.clock, first), first)
    return {**found, **dict.fromkeys(named(it.sql for it in definitions))}


def named(queries: Iterable[str]) -> list[str]:
    """The facts that queries name."""
    words = {word for sql in queries for word in re.findall(r"\w+", sql.lower())}
    return [fact.name for fact in FACTS if fact.name in words]


def looked_at(name: str, facts: np.ndarray, looked: Floors) -> np.ndarray:
    """The rows of a fact (as `Folder.fold` gives them) that lie above one of its floors."""
    known = looked[name]
    if known is None:
        return facts
    is_needed = np.zeros(len(facts), bool)
    for column, first in known.items():
        is_needed |= facts[column] >= _stored(name, column, first)
    return facts[is_needed]


def _stored(name: str, column: str, moment: datetime) -> int:
    """A moment as the fold writes it: a date's number is that of the first day that does not begin before it."""
    told = (moment - datetime(1970, 1, 1)) // _INSTANT
    return -(-told // clock.DAY) if (name, column) in _DATES else told


def begun(tables: dict[str, pa.Table], seen: Frame) -> dict[str, pa.Table]:
    """The facts of units that came into the world in the last 28 days; months: the one that the moment ends or cuts."""
    return {name: table.filter(_from(table[BEGINS[name]], _first(name, seen))) for name, table in tables.items()}


def judged(truths: pa.Table, seen: Frame) -> pa.Table:
    """The sealed truth with the declines of the last 28 days; judgements on losses join units, and all stay."""
    is_recent = _from(truths["occurred_at"], seen.as_of - WINDOW)
    return truths.filter(pc.or_(is_recent, pc.not_equal(truths["kind"].cast(pa.string()), "decline.explained")))


def _first(name: str, seen: Frame) -> datetime:
    first = seen.as_of - WINDOW
    return min(first, seen.last_month) if name == "subscription_months" else first


def _from(column: pa.ChunkedArray, first: datetime) -> pa.ChunkedArray:
    """Which moments or dates are not before the first."""
    return pc.greater_equal(column.cast(pa.timestamp("us")), pa.scalar(first, pa.timestamp("us")))


def _month(moment: datetime) -> datetime:
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
