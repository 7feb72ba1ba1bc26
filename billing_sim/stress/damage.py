"""Damage to a log: rows in, the rows that its readers get out. The rows that were given are never changed.

Rows come as they are simulated, whole lives in canonical order, and leave with each life in one piece; within a life a
damage may repeat rows, drop them or change their places. What is left can be folded, since the fold takes any log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from billing_sim import clock, events
from billing_sim.stress.damages import (
    Damage,
    Duplicated,
    FanOut,
    Late,
    Lost,
    Relabelled,
    Reordered,
    Shifted,
    Stale,
    Voided,
    labels_of_kind,
)
from billing_sim.stress.hits import Labels, hit, key_of, number_of, uses
from billing_sim.stress.voiding import with_voids

_IMPORTED = (events.SUBSCRIPTION_IMPORTED, events.INVOICE_IMPORTED)

Hits = Callable[..., np.ndarray]
"""Which rows are hit: (rows, where) -> bool[rows]."""


def damage_rows(rows: np.ndarray, damages: Sequence[Damage], *, seed: int, end: int, labels: Labels) -> np.ndarray:
    """Rows of `events.ROW` (whole lives) as they are after every damage, one after the other; a copy where one hit.

    `seed` is that of the world, `end` the moment at which the log is read (microseconds UTC), `labels` the world's
    (`identity.vocabularies_of`). Damages to facts leave rows alone. QueryError where a damage names a gateway or
    plan that the world lacks.
    """
    for position, damage in enumerate(damages):
        hits = partial(hit, key=key_of(seed, damage.kind, position), labels=labels)
        rows = _damaged(rows, damage, hits, end, labels)
    return rows


def damage_facts(name: str, facts: np.ndarray, damages: Sequence[Damage]) -> np.ndarray:
    """Rows of one fact (an array that `Folder.fold` gives) after the joins that fan out; other damages leave it."""
    for damage in damages:
        if isinstance(damage, FanOut) and damage.fact == name:
            facts = np.repeat(facts, np.maximum(facts[damage.by], 1))
    return facts


def whole_lives(rows: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """The rows in pieces of whole lives with at most so many rows each; ValueError for a life that is longer."""
    if len(rows) <= most:
        yield rows
        return
    edges = [*(np.flatnonzero(np.diff(rows["subscriber"])) + 1).tolist(), len(rows)]
    first = last = 0
    for edge in edges:
        if edge - first > most:
            yield rows[first:last]
            first = last
        if edge - first > most:
            raise ValueError(f"subscriber {rows['subscriber'][first]} has more than {most} rows")
        last = edge
    yield rows[first:]


def _damaged(rows: np.ndarray, damage: Damage, hits: Hits, end: int, labels: Labels) -> np.ndarray:
    match damage:
        case Late():
            return _late(rows, hits(rows, damage), damage.by)
        case Duplicated():
            return np.repeat(rows, 1 + hits(rows, damage))
        case Lost():
            return rows[~hits(rows, damage)]
        case Reordered():
            return _reordered(rows, hits(rows, damage), damage.by)
        case Stale():
            return rows[rows["recorded_at"] < end - damage.last]
        case Shifted():
            return _shifted(rows, hits(rows, damage), damage.hours * clock.HOUR)
        case Relabelled():
            return _relabelled(rows, damage, hits(rows, damage), labels)
        case Voided():
            return with_voids(rows, hits(rows, damage), damage.after)
        case FanOut():
            return rows


def _late(rows: np.ndarray, is_hit: np.ndarray, by: int) -> np.ndarray:
    rows = rows.copy()
    rows["recorded_at"][is_hit] += by
    return rows


def _reordered(rows: np.ndarray, is_hit: np.ndarray, by: int) -> np.ndarray:
    """Lives keep their places; within each, rows come when they happened, those that are hit so much later."""
    life = np.cumsum(np.diff(rows["subscriber"], prepend=rows["subscriber"][:1]) != 0)
    return rows[np.lexsort((rows["occurred_at"] + by * is_hit, life))]


def _shifted(rows: np.ndarray, is_hit: np.ndarray, by: int) -> np.ndarray:
    rows = rows.copy()
    moved = is_hit & ~np.isin(rows["kind"], _IMPORTED)
    for column in ("occurred_at", "recorded_at"):
        rows[column][moved] += by
    return rows


def _relabelled(rows: np.ndarray, damage: Relabelled, is_hit: np.ndarray, labels: Labels) -> np.ndarray:
    column = damage.column
    if column == "kind":
        was, becomes = (labels_of_kind()[name] for name in (damage.was, damage.becomes))
    else:
        was, becomes = (number_of(column, name, labels) for name in (damage.was, damage.becomes))
        is_hit = is_hit & uses(rows, column)
    rows = rows.copy()
    rows[column][is_hit & (rows[column] == was)] = becomes
    return rows
