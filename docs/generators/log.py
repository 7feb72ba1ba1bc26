"""docs/reference/events.md and facts.md, from the tables that the log and the facts are written by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile, zip_longest

from billing_sim import events
from billing_sim.events import Column, Kind
from billing_sim.facts import schema
from billing_sim.facts.schema import Fact
from generators.markdown import code, codes, page, section, sentence, table

_STORAGE = {
    "i8": "integer, 64 bits", "i4": "integer, 32 bits", "i2": "integer, 16 bits", "u1": "integer, 8 bits",
    "timestamp": "moment, UTC", "date": "day", "bool": "true or false", "text": "text",
}  # fmt: skip
_OF_SCENARIO = ("markets", "regions", "plans", "gateways", "policies", "currencies")


def events_page() -> str:
    """Every kind of event and every column of the three tables."""
    return page(
        "Events",
        "The log says what happened; nothing in it is ever changed. `billing-sim schema events` prints the same. "
        f"This is version {events.SCHEMA_VERSION} of the log; a log of a later version is refused.",
        section("Kinds", "Besides the envelope, a kind fills only the columns named here; the others are null.",
                _kinds(events.EVENTS)),
        section("Envelope", "Columns of every event.", _columns(events.ENVELOPE)),
        section("Other columns", _columns(events.PAYLOAD)),
        section("World events", "What readers must know of the world, in `world/events.parquet` of a run and in the "
                "table `world_events`. Their labels are text.",
                _kinds(events.WORLD_EVENTS), _columns(events.WORLD_COLUMNS)),
        section("The sealed truth", "What only the simulator knows, in `truth/` of a run. No metric reads it; "
                "`billing-sim trace --truth` does.", _kinds(events.TRUTH), _columns(events.TRUTH_COLUMNS)),
        section("Vocabularies", "Labels that do not come from the scenario.", _vocabularies(events.VOCABULARIES)),
    )  # fmt: skip


def facts_page() -> str:
    """Every fact and its columns."""
    shared = _shared_columns()
    others = " and ".join(code(fact.name) for fact in schema.FACTS if not _begins_with(fact, shared))
    return page(
        "Facts",
        "Facts are folded from the log while a run is simulated, one row for one unit, and are always kept, whatever "
        "becomes of the log. They are the tables that metrics, `run.table` and `run.sql` read. A null means: not, or "
        "not yet. `billing-sim schema facts` prints the same.",
        section("Who", f"The first columns of every fact but {others}, where all columns are listed. They say who the "
                "unit belongs to, so nothing needs to be joined.", _columns(shared)),
        *(section(code(fact.name), f"One row is {fact.grain}.",
                  _columns(fact.columns[len(shared):] if _begins_with(fact, shared) else fact.columns))
          for fact in schema.FACTS),
        section("Vocabularies", "Labels that do not come from the scenario; `method_kinds`, `codes` and `reasons` are "
                "those of [events](events.md#vocabularies).", _vocabularies(schema.VOCABULARIES)),
    )  # fmt: skip


def _shared_columns() -> tuple[Column, ...]:
    """The columns that most facts begin with."""
    together = (Counter(columns).most_common(1)[0] for columns in zip_longest(*(it.columns for it in schema.FACTS)))
    return tuple(column for column, _ in takewhile(lambda it: it[1] > len(schema.FACTS) / 2, together))


def _begins_with(fact: Fact, columns: Sequence[Column]) -> bool:
    return tuple(fact.columns[: len(columns)]) == tuple(columns)


def _kinds(kinds: Iterable[Kind]) -> str:
    return table(
        ("kind", "columns", "meaning"), [(code(kind.name), codes(kind.columns), kind.meaning) for kind in kinds]
    )


def _columns(columns: Iterable[Column]) -> str:
    return table(("column", "holds", "meaning"), [(code(it.name), _holds(it), sentence(it.meaning)) for it in columns])


def _holds(column: Column) -> str:
    if not column.vocabulary:
        return _STORAGE[column.storage]
    return ("label of the scenario" if column.vocabulary in _OF_SCENARIO else "label") + f": {column.vocabulary}"


def _vocabularies(vocabularies: dict[str, tuple[str, ...]]) -> str:
    return table(("vocabulary", "labels"), [(code(name), codes(labels)) for name, labels in vocabularies.items()])
