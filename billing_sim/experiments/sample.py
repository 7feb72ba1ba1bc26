"""The people of an experiment: their facts, with the column `arm` naming the arm of this experiment alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from billing_sim.facts.schema import FACTS
from billing_sim.metrics.connection import connect_to
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.source import InMemory, Source
from billing_sim.metrics.unreadable import reading_facts

ENROLMENTS = "enrolments"


@dataclass(frozen=True)
class Sample:
    """Arrow tables by fact, of the units that count for an experiment, and the world's own events."""

    tables: Mapping[str, pa.Table]
    told: list[dict[str, Any]]

    @property
    def source(self) -> InMemory:
        """The same for metrics."""
        return InMemory(self.tables, self.told)

    @property
    def assigned(self) -> tuple[np.ndarray, np.ndarray]:
        """Who is enrolled (int64, ascending) and in which arm (text)."""
        table = self.tables[ENROLMENTS]
        subscribers = table["subscriber"].to_numpy()
        order = np.argsort(subscribers, kind="stable")
        return subscribers[order], np.array(table["arm"].to_pylist(), object)[order]

    def dealt(self, subscribers: np.ndarray, arms: np.ndarray) -> Sample:
        """The units of these people alone (int64, ascending), each with the arm that stands beside its person."""
        return replace(self, tables={name: _dealt(table, subscribers, arms) for name, table in self.tables.items()})


def facts_of(definitions: Iterable[Definition]) -> list[str]:
    """The facts that metrics and the enrolment need."""
    needed = {ENROLMENTS, "subscriptions"}
    for it in definitions:
        needed |= {it.fact, it.denominator_units.fact}
    return [fact.name for fact in FACTS if fact.name in needed]


def sample_of(source: Source, experiment: str, facts: Sequence[str]) -> Sample:
    """The units of a run that count for an experiment."""
    wanted = [fact for fact in FACTS if fact.name in facts]
    with reading_facts(), connect_to(source, wanted) as connection:
        tables = {
            fact.name: connection.sql(f"SELECT * FROM {fact.name} WHERE arm <> 'none'").to_arrow_table()
            for fact in wanted
        }
    return in_experiment(tables, experiment, source.world_events())


def in_experiment(tables: Mapping[str, pa.Table], experiment: str, told: list[dict[str, Any]]) -> Sample:
    """The units of these facts that count for an experiment; other experiments are forgotten."""
    return Sample({name: _of(table, experiment) for name, table in tables.items()}, told)


def _of(table: pa.Table, experiment: str) -> pa.Table:
    labels = pc.dictionary_encode(table["arm"].cast(pa.string())).combine_chunks()
    if isinstance(labels, pa.ChunkedArray):
        labels = labels.chunk(0) if labels.num_chunks else pa.array([], pa.string()).dictionary_encode()
    names = [_arm_in(label, experiment) for label in labels.dictionary.to_pylist()]
    arms = pc.take(pa.array(names, pa.string()), labels.indices)
    return _with_arm(table, arms).filter(pc.is_valid(arms))


def _arm_in(label: str, experiment: str) -> str | None:
    """The arm of an experiment in a label such as `a/one+b/two`; None where it is not in it."""
    return dict(part.split("/") for part in label.split("+") if "/" in part).get(experiment)


def _dealt(table: pa.Table, subscribers: np.ndarray, arms: np.ndarray) -> pa.Table:
    own = table["subscriber"].to_numpy()
    places = np.minimum(np.searchsorted(subscribers, own), max(len(subscribers) - 1, 0))
    is_known = subscribers[places] == own if len(subscribers) else np.zeros(len(own), bool)
    kept = table.filter(pa.array(is_known))
    return _with_arm(kept, pa.array(arms[places[is_known]], pa.string()))


def _with_arm(table: pa.Table, arms: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index("arm"), "arm", arms)
