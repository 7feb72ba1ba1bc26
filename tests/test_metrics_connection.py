"""Readers reach the facts of their run, and nothing else on the machine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow as pa
import pytest

from billing_sim.errors import QueryError
from billing_sim.facts.schema import FACTS
from billing_sim.metrics.connection import connect, connect_to, query, tables
from billing_sim.metrics.source import InMemory
from tests.facts_builder import HandMade, build, invoice


@pytest.fixture
def source(tmp_path) -> HandMade:
    made = build(tmp_path / "it's a run [1]" / "facts", invoices=[invoice("2025-01-10", 10)])
    sealed = tmp_path / "it's a run [1]" / "truth"
    sealed.mkdir()
    duckdb.sql("SELECT 1 AS cause").write_parquet(str(sealed / "part-00.parquet"))
    return made


def test_every_fact_is_a_table_even_without_rows(source):
    """All facts and the world events are there; the log only when its files are given."""
    connection = connect(source)
    assert tables(connection) == sorted([*(fact.name for fact in FACTS), "world_events"])
    assert query(connection, "SELECT count(*) FROM invoices").fetchall() == [(1,)]
    assert query(connection, "SELECT count(*) FROM attempts").fetchall() == [(0,)]
    for fact in FACTS:
        described = query(connection, f"DESCRIBE {fact.name}").fetchall()
        assert [row[0] for row in described] == [column.name for column in fact.columns]


def test_times_are_plain_utc(source):
    """No time zone package is needed to read them."""
    (row,) = query(connect(source), "SELECT issued_at, period_start, first_failed_at FROM invoices").fetchall()
    assert str(row[0]) == "2025-01-10 00:00:00"
    assert row[1:] == (None, None)


def test_world_events_are_there(source):
    """What readers must know of the world is part of what they can ask."""
    rows = query(connect(source), "SELECT kind, occurred_at::VARCHAR, amount_minor FROM world_events").fetchall()
    assert rows == [("run.configured", "1970-01-01 00:00:00", None), ("price.set", "1970-01-02 00:00:00", 999)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_parquet('{truth}')",
        "SELECT * FROM '{truth}'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_csv('/etc/hostname')",
        "COPY (SELECT 1) TO '{facts}'",
        "ATTACH '{facts}.db'",
        "SET enable_external_access = true",
        "DROP VIEW invoices",
        "SELECT 1; SELECT 2",
        "SELECT amout FROM invoices",
    ],
)
def test_a_query_cannot_reach_or_change_anything_else(source, sql):
    """The truth stays sealed, files stay as they are, settings stay locked, and each refusal is a sentence."""
    paths = {"truth": source.path.parent / "truth" / "part-00.parquet", "facts": source.facts_files("invoices")[0]}
    quoted = {name: str(path).replace("'", "''") for name, path in paths.items()}
    before = paths["facts"].read_bytes()
    with pytest.raises(QueryError):
        query(connect(source), sql.format(**quoted)).fetchall()
    assert paths["facts"].read_bytes() == before


def test_a_wrong_query_is_told_the_tables(source):
    """The error names what could have been asked."""
    with pytest.raises(QueryError, match=r"Tables: attempts, .*invoices, .*notices"):
        query(connect(source), "SELECT * FROM bills")


def in_memory(*amounts: int) -> InMemory:
    """Invoices of these amounts, and nothing else."""
    return InMemory({"invoices": pa.table({"amount_minor": list(amounts)})}, [])


def test_facts_in_memory_are_for_one_connection_alone():
    """Many share one database, at the same time and one after the other: each sees its own facts, and no file."""
    ask, names = "SELECT sum(amount_minor) FROM invoices", ["attempts", "invoices", "world_events"]
    facts = [fact for fact in FACTS if fact.name in names]
    with connect_to(in_memory(1, 2), facts, with_world=True) as one, connect_to(in_memory(10), facts) as other:
        assert query(one, ask).fetchall() == [(3,)]
        assert query(other, ask).fetchall() == [(10,)]
        assert [name for name in tables(one) if not name.startswith("rows_of_")] == names
        assert query(other, "SELECT count(*) FROM attempts").fetchall() == [(0,)]
        with pytest.raises(QueryError, match="world_events"):
            query(other, "SELECT * FROM world_events")
        with pytest.raises(QueryError):
            query(one, "SELECT * FROM read_csv('/etc/hostname')")
    with connect_to(in_memory(), []) as third, pytest.raises(QueryError):
        query(third, ask)


def test_what_is_asked_of_the_same_files_differs_in_what_it_sees(source, tmp_path):
    """World events and constant rates are for those who ask for them; no other file is within anybody's reach."""
    invoices = [fact for fact in FACTS if fact.name == "invoices"]
    with (
        connect_to(source, invoices, with_world=True, with_constant=True) as one,
        connect_to(source, invoices) as other,
    ):
        assert tables(one) == ["invoices", "world_events"]
        assert tables(other) == ["invoices"]
        assert len(query(one, "DESCRIBE invoices").fetchall()) > len(query(other, "DESCRIBE invoices").fetchall())
        for path in (f"{tmp_path}/it''s a run [1]/truth/part-00.parquet", "/etc/hostname"):
            with pytest.raises(QueryError):
                query(other, f"SELECT * FROM '{path}'")


def test_connections_share_a_database_that_shows_a_fact_when_somebody_asks(source):
    """Also from several threads at once, and after those before have closed theirs; what one adds no other sees."""
    names = ["invoices", "attempts", "subscriptions", "notices"]
    facts = {fact.name: fact for fact in FACTS if fact.name in names}

    def counted(name: str) -> int:
        with connect_to(source, [facts[name]]) as connection:
            return int(query(connection, f"SELECT count(*) FROM {name}").fetchall()[0][0])

    with connect_to(source, [facts["invoices"]]) as first:
        assert tables(first) == ["invoices"]
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(counted, names * 20)) == 20
        assert tables(first) == sorted(names)
        first.execute("CREATE TEMP VIEW mine AS SELECT 1")
        with connect_to(source, []) as other, pytest.raises(QueryError, match="mine"):
            query(other, "SELECT * FROM mine")


def test_files_that_are_written_anew_are_read_anew(tmp_path):
    """Nothing of what was read is kept."""
    invoices = [fact for fact in FACTS if fact.name == "invoices"]
    for amount in (10, 20):
        made = build(tmp_path / "facts", invoices=[invoice("2025-01-10", amount)])
        with connect_to(made, invoices) as connection:
            assert query(connection, "SELECT amount_micros FROM invoices").fetchall() == [(amount * 1_000_000,)]
