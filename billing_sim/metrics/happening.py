"""Which metrics have something to say about a run: those whose subject happens in it at all.

Disputes, contacts or blocked attempts are there only where a scenario switches them on. Their metrics stand in the
views where something of the kind happened, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import duckdb
from pyarrow.parquet import read_metadata

from billing_sim.errors import QueryError
from billing_sim.facts.schema import FACTS
from billing_sim.metrics.connection import connect_to
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.source import InMemory, Source
from billing_sim.metrics.unreadable import reading_facts
from billing_sim.runs.reading import reading_file

ANY = "TRUE"
_OF_A_TABLE = re.compile(r"\s*(\w+)\s+WHERE\s+(.+)", re.IGNORECASE | re.DOTALL)


def happening(source: Source, definitions: Iterable[Definition]) -> list[Definition]:
    """The definitions with a condition `once` that some row of their fact, or of the table it names, meets."""
    asked = [it for it in definitions if it.once and (names_table(it) or _has_rows(source, it.fact))]
    meant = [it for it in asked if it.once != ANY and not names_table(it)]
    met = (_met(source, meant) if meant else set()) | {ANY}
    there = _there(source, dict.fromkeys(it.once for it in asked if names_table(it)))
    return [it for it in asked if it.once in (there if names_table(it) else met)]


def names_table(it: Definition) -> bool:
    """Whether `once` is about a table that it names; a query has no fact of its own."""
    return bool(it.sql) or _OF_A_TABLE.fullmatch(it.once) is not None


def rows_meant(once: str) -> str:
    """The query for which a `once` stands that names a table, and which of its rows; QueryError for anything else."""
    found = _OF_A_TABLE.fullmatch(once) or re.fullmatch(r"\s*(\w+)\s*", once)
    if not found:
        raise QueryError(f"once: {once!r} names no table. Write a table, or `a_table WHERE condition`.")
    name, *condition = found.groups()
    rows = f"{name} WHERE ({condition[0]})" if condition else name
    return f"SELECT TRUE AS period, 1 AS numerator, 1 AS denominator FROM {rows}"


def _there(source: Source, conditions: Iterable[str]) -> set[str]:
    """The tables, some with a condition, in which there is a row."""
    facts = {fact.name: fact for fact in FACTS}
    worth = [it for it in conditions if (name := it.split()[0]) not in facts or _has_rows(source, name)]
    if not worth:
        return set()
    with connect_to(source, [facts[name] for it in worth if (name := it.split()[0]) in facts], with_world=True) as them:
        try:
            return {it for it in worth if them.execute(f"{rows_meant(it)} LIMIT 1").fetchone()}
        except duckdb.Error as error:
            raise QueryError(f"once: {str(error).splitlines()[0]}") from None


def _has_rows(source: Source, fact: str) -> bool:
    if isinstance(source, InMemory):
        return fact in source.tables and len(source.tables[fact]) > 0
    # A fact without rows has a file all the same.
    return any(_rows_in(file) for file in source.facts_files(fact))


def _rows_in(file: Path) -> int:
    with reading_file(file):
        count: int = read_metadata(file).num_rows
    return count


def _met(source: Source, definitions: list[Definition]) -> set[str]:
    """The conditions that hold for some row, each fact read once."""
    found: set[str] = set()
    names = dict.fromkeys(it.fact for it in definitions)
    with reading_facts(), connect_to(source, [fact for fact in FACTS if fact.name in names]) as connection:
        for name in names:
            conditions = list(dict.fromkeys(it.once for it in definitions if it.fact == name))
            held = connection.execute(
                f"SELECT {', '.join(f'bool_or({it})' for it in conditions)} FROM {name}"
            ).fetchone()
            found |= {it for it, holds in zip(conditions, held or (), strict=False) if holds}
    return found
