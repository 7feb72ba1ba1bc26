"""Which metrics have something to say about a run: those whose subject happens in it at all.

Disputes, contacts or blocked attempts are there only where a scenario switches them on. Their metrics stand in the
views where something of the kind happened, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyarrow.parquet import read_metadata

from billing_sim.facts.schema import FACTS
from billing_sim.metrics.connection import connect_to
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.source import InMemory, Source

ANY = "TRUE"


def happening(source: Source, definitions: Iterable[Definition]) -> list[Definition]:
    """The definitions with a condition `once` that some row of their fact meets."""
    asked = [it for it in definitions if it.once and _has_rows(source, it.fact)]
    meant = [it for it in asked if it.once != ANY]
    met = _met(source, meant) if meant else set()
    return [it for it in asked if it.once == ANY or it.once in met]


def _has_rows(source: Source, fact: str) -> bool:
    if isinstance(source, InMemory):
        return fact in source.tables and len(source.tables[fact]) > 0
    # A fact without rows has a file all the same.
    return any(read_metadata(file).num_rows for file in source.facts_files(fact))


def _met(source: Source, definitions: list[Definition]) -> set[str]:
    """The conditions that hold for some row, each fact read once."""
    found: set[str] = set()
    names = dict.fromkeys(it.fact for it in definitions)
    with connect_to(source, [fact for fact in FACTS if fact.name in names]) as connection:
        for name in names:
            conditions = list(dict.fromkeys(it.once for it in definitions if it.fact == name))
            held = connection.execute(
                f"SELECT {', '.join(f'bool_or({it})' for it in conditions)} FROM {name}"
            ).fetchone()
            found |= {it for it, holds in zip(conditions, held or (), strict=False) if holds}
    return found
