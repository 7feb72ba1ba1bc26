"""What definitions say of every seed of a bundle, and what was really so: sums of all seeds come from one scan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import duckdb
import numpy as np

from billing_sim.facts.schema import FACTS
from billing_sim.metrics import constant
from billing_sim.metrics.connection import connect_to, facts_named
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import Question, by_group
from billing_sim.metrics.frame import literal
from billing_sim.stress.bundle import Bundle
from billing_sim.stress.seed_queries import put_to_each
from billing_sim.stress.telling import Told, side_by_side
from billing_sim.truth.estimands import Estimand


def read(bundle: Bundle, definitions: Sequence[Definition], *, complete: bool = False) -> dict[str, np.ndarray]:
    """Each definition's value in every seed, by id: float64[S], NaN where it is undefined.

    As it could be read at the end, or from complete data: then each counts the same units, with what became of them.
    """
    told, seen = (bundle.complete, bundle.later) if complete else (bundle.reading, bundle.now)
    seeds = len(bundle.seeds)
    summed = tuple(it for it in definitions if not it.sql)
    (found,) = by_group([(Question(summed, (), seen), (0,))], told.source) if summed else ({},)
    found |= put_to_each([it for it in definitions if it.sql], told, bundle.now, seeds)
    return {it.id: found[it.id][:seeds] for it in definitions}


def read_both(bundle: Bundle, summed: Sequence[Definition]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What definitions that are no queries say in every seed, as it could be read at the end, and from complete data.

    One scan answers both, and looks once at those of whom both know the same.
    """
    parts = list(dict.fromkeys((*bundle.reading.parts, *bundle.complete.parts)))
    asked = [
        (Question(tuple(summed), (), seen), [parts.index(part) for part in told.parts])
        for told, seen in ((bundle.reading, bundle.now), (bundle.complete, bundle.later))
    ]
    source, seeds = side_by_side(parts, bundle.reading.world_events), len(bundle.seeds)
    reading, complete = by_group(asked, source, len(parts))
    return {name: it[:seeds] for name, it in reading.items()}, {name: it[:seeds] for name, it in complete.items()}


def tell(bundle: Bundle, asked: Iterable[Estimand], other: Told | None = None) -> dict[str, np.ndarray]:
    """What was really so in every seed, by estimand: float64[S], NaN where it is undefined.

    What is about the log is asked of what was read, beside the clean facts `clean_NAME`. `other` is what became of the
    same people in the frictionless world; estimands that need it are left out without.
    """
    wanted = [it for it in asked if other is not None or it.worlds != "frictionless"]
    found: dict[str, np.ndarray] = {}
    for told, mine in ((bundle.clean, [it for it in wanted if it.worlds != "log"]),
                       (bundle.reading, [it for it in wanted if it.worlds == "log"])):  # fmt: skip
        if mine:
            # On one thread fractions add up in the same order every time.
            named = facts_named(*(it.sql for it in mine))
            with connect_to(told.source, named, with_constant=True, threads=1) as connection:
                connection.register("truths", bundle.truths)
                for name, rows in bundle.clean.tables.items():
                    connection.register(f"clean_{name}", rows)
                if other is not None:
                    connection.register("rows_of_other", other.tables["invoices"])
                    known = other.tables["invoices"].column_names
                    more = constant.columns(_INVOICES, other.world_events, known)
                    connection.execute(f"CREATE TEMP VIEW other_invoices AS SELECT *{more} FROM rows_of_other")
                found |= {it.name: _value(connection, it, bundle) for it in mine}
    return found


_INVOICES = next(fact for fact in FACTS if fact.name == "invoices")


def _value(connection: duckdb.DuckDBPyConnection, it: Estimand, bundle: Bundle) -> np.ndarray:
    sql = it.sql.replace("$end", literal(bundle.now.as_of)).replace("$last_month", literal(bundle.now.last_month))
    unit = 1_000_000 if it.unit == "money" else 1
    values = np.full(len(bundle.seeds), np.nan)
    for group, above, below in _rows(connection, sql):
        if below:
            values[group] = float(above or 0) / float(below) / unit
    return values


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[tuple[int, float, float]]:
    yield from connection.execute(f'SELECT "group", numerator, denominator FROM ({sql})').fetchall()
