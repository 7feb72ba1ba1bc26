"""The tables of a run and the folders in which their files lie: one layout each.

How many files a table has is said in `billing_sim.runs.division`. A file exists when it has rows; the first of each
table always exists, so that readers find the columns of a table without rows.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from billing_sim import events
from billing_sim.facts import schema

if TYPE_CHECKING:
    from billing_sim.runs.columns import Layout

EVENTS = "events"
TRUTH = "truth"
WORLD_EVENTS_FILE = "world/events.parquet"
SCENARIO_FILE = "scenario.yaml"
WHOLE_SCENARIO_FILE = "scenario.whole.yaml"
"""The scenario with all that it extends, where it extends something."""


BUILT_IN: dict[str, tuple[str, ...]] = {**events.VOCABULARIES, **schema.VOCABULARIES}
"""Vocabularies that no scenario can change; a run keeps only the others."""

FACT_NAMES = tuple(fact.name for fact in schema.FACTS)


def facts_folder(fact: str) -> str:
    """The folder of a fact within a run."""
    return f"facts/{fact}"


@cache
def layouts(own_kinds: tuple[events.Kind, ...] = ()) -> dict[str, Layout]:
    """How the records of every table become columns, by the table's folder; only writers need them.

    `own_kinds` are the kinds of events that a user's own processes add to a run.
    """
    from billing_sim.runs.columns import layout_of

    facts = {facts_folder(fact.name): layout_of(fact.columns, fact.dtype) for fact in schema.FACTS}
    log = layout_of(events.COLUMNS, events.ROW, (*events.EVENTS, *own_kinds))
    truth = layout_of(events.TRUTH_COLUMNS, events.TRUTH_ROW, events.TRUTH)
    return {EVENTS: log, TRUTH: truth, **facts}
