"""Queries put to every seed of a bundle: each says of a world what it says of a run, as if there were no other.

A query that tells groups apart is run once, since seeds are groups here. Any other is run once as well, beside a list
of the worlds, with each fact cut down to the world in question: planning a query takes longer than reading one small
world (measured: 20 worlds in a quarter of the time). Of shipped queries tests show that it says the same; of any other
the first world is also asked alone, and where the two do not agree to the last bit, or the database cannot do it, every
world is asked alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import duckdb
import numpy as np

from billing_sim.errors import QueryError
from billing_sim.metrics import queries
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.connection import facts_named
from billing_sim.metrics.databases import values_of, write_world
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.frame import Frame, literal
from billing_sim.stress.looked import BEGINS
from billing_sim.stress.telling import Told

_WORLD = "number of the world"
"""The column that says of which world a row is."""


def put_to_each(asked: Sequence[Definition], told: Told, now: Frame, seeds: int) -> dict[str, np.ndarray]:
    """What each query says of every seed, by id: float64[S], NaN where it is undefined.

    QueryError where one fails, takes too long, or returns something else than it should.
    """
    if not asked:
        return {}
    found, alone = {}, []
    doubted = [it for it in asked if it.sql not in _trusted()]
    with _connected(told, now, asked, seeds, range(1 if doubted else 0)) as connection:
        for it in asked:
            is_grouped = queries.is_grouped(it.sql)
            values = _grouped(connection, it, seeds) if is_grouped else _beside(connection, it, seeds)
            if values is None or not (is_grouped or it not in doubted or _agrees(connection, it, values)):
                alone.append(it)
            else:
                found[it.id] = values
    return found | (_one_by_one(told, now, alone, seeds) if alone else {})


@cache
def _trusted() -> frozenset[str]:
    """The shipped queries."""
    return frozenset(it.sql for it in shipped())


def _grouped(connection: duckdb.DuckDBPyConnection, it: Definition, seeds: int) -> np.ndarray:
    columns = queries.read(connection, it)
    return np.array([queries.value(it, columns, number) for number in range(seeds)])


def _beside(connection: duckdb.DuckDBPyConnection, it: Definition, seeds: int) -> np.ndarray | None:
    """What a query says of every world, in one statement; None where it cannot be put so.

    Of a query that says itself what its result is without each group, the result alone: the rest is 64 times as much.
    """
    facts = ", ".join(
        f'{fact.name} AS (SELECT * FROM main.{fact.name} WHERE "group" = worlds.number)' for fact in facts_named(it.sql)
    )
    said = f"SELECT * FROM (\n{it.sql.rstrip().removesuffix(';')}\n)"
    answer = f"WITH {facts} {said}" if facts else said
    sql = f'SELECT worlds.number AS "{_WORLD}", answer.* FROM worlds, LATERAL ({answer}) AS answer'
    if queries.leaves_out(it.sql):
        sql += f" WHERE answer.{queries.WITHOUT} IS NULL"
    try:
        columns = queries.read(connection, it.model_copy(update={"sql": sql}))
    except QueryError:
        return None
    columns["group"] = np.array([int(number) for number in columns.pop(_WORLD)], np.int64)
    return np.array([queries.value(it, columns, number) for number in range(seeds)])


def _agrees(connection: duckdb.DuckDBPyConnection, it: Definition, values: np.ndarray) -> bool:
    """Whether the first world says the same when nobody else is there."""
    return np.array_equal([_alone(connection, it, 0)], values[:1], equal_nan=True)


def _alone(connection: duckdb.DuckDBPyConnection, it: Definition, number: int) -> float:
    """What a query says of one world when nobody else is there."""
    connection.execute(f"USE seed_{number}")
    try:
        return queries.value(it, queries.read(connection, it))
    finally:
        connection.execute("USE memory.main")


def _one_by_one(told: Told, now: Frame, asked: Sequence[Definition], seeds: int) -> dict[str, np.ndarray]:
    with _connected(told, now, asked, seeds, range(seeds)) as connection:
        return {it.id: np.array([_alone(connection, it, number) for number in range(seeds)]) for it in asked}


def _connected(
    told: Told, now: Frame, asked: Sequence[Definition], seeds: int, apart: Iterable[int]
) -> duckdb.DuckDBPyConnection:
    """A view over the rows of each fact that is asked for, in all worlds, and the list of the worlds.

    The worlds that stand `apart` have a schema each, with a view over their own rows.
    """
    connection = _limited()
    connection.execute(f"CREATE TABLE worlds AS SELECT unnest(range({seeds}))::UTINYINT AS number")
    write_world(connection, values_of(told.world_events))
    names = [fact.name for fact in facts_named(*(it.sql for it in asked)) if fact.name in told.tables]
    for name in names:
        connection.register(f"rows_of_{name}", told.tables[name])
        connection.execute(_view(name, f"rows_of_{name}", now))
    for number in apart:
        connection.execute(f"CREATE SCHEMA seed_{number}")
        connection.execute(f"CREATE VIEW seed_{number}.world_events AS SELECT * FROM main.world_events")
        for name in names:
            rows = f"rows_{number}_of_{name}"
            connection.register(rows, told.of(name, number))
            connection.execute(_view(f"seed_{number}.{name}", rows, now))
    return _locked(connection)


def _limited() -> duckdb.DuckDBPyConnection:
    """On one thread: the lab's processes are busy anyway, and fractions add up in the same order every time."""
    limits = {"threads": 1, "memory_limit": queries.MEMORY, "max_temp_directory_size": "0B"}
    return duckdb.connect(":memory:", config=limits)


def _locked(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _view(name: str, rows: str, now: Frame) -> str:
    """Units of before the end; one whose beginning nobody saw is kept."""
    begins = BEGINS[name.rpartition(".")[2]]
    end = literal(now.as_of)
    return f"CREATE VIEW {name} AS SELECT * FROM {rows} WHERE {begins} IS NULL OR {begins} < {end}"
