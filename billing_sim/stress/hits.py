"""Which rows a damage hits: decided by a keyed hash of who and which row, so that no stream of chance is used up.

The same row of the same person is hit in every world and in every split of the log; a larger share hits the same rows
and more. The hash is SplitMix64's finaliser (Stafford's variant 13) over seed, damage, subscriber and sequence, as in
`billing_sim.draws`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import numpy as np

from billing_sim import clock, draws, events
from billing_sim.errors import QueryError
from billing_sim.people import MARKET_SHIFT, market_number
from billing_sim.stress.damages import VOCABULARY_OF, Rows, Where, labels_of_kind

Labels = Mapping[str, Sequence[str]]
"""Labels by number, by vocabulary: `identity.vocabularies_of`; those of the log itself are known."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def key_of(seed: int, kind: str, position: int) -> np.ndarray:
    """The key of one damage of a case in one seed, as uint64[1]."""
    name = blake2b(f"{seed} {kind} {position}".encode(), digest_size=8)
    return np.frombuffer(name.digest(), "<u8").astype(np.uint64)


def hit(rows: np.ndarray, where: Where, key: np.ndarray, labels: Labels) -> np.ndarray:
    """bool[rows]: which rows fit and are hit."""
    return fits(rows, where, labels) & _is_drawn(rows, key, draws.threshold(where.share))


def fits(rows: np.ndarray, where: Where, labels: Labels) -> np.ndarray:
    """bool[rows]: which rows fit every key that was given."""
    found = np.ones(len(rows), bool)
    if isinstance(where, Rows) and where.events:
        found &= np.isin(rows["kind"], [labels_of_kind()[name] for name in where.events])
    if isinstance(where, Rows) and where.reason:
        found &= np.isin(rows["reason"], [events.REASONS.index(name) for name in where.reason])
    if where.code:
        found &= np.isin(rows["code"], [number_of("code", name, labels) for name in where.code])
    if where.gateway:
        found &= uses(rows, "gateway")
        found &= np.isin(rows["gateway"], [number_of("gateway", name, labels) for name in where.gateway])
    if where.market:
        found &= np.isin(rows["subscriber"] >> MARKET_SHIFT, [market_number(code) for code in where.market])
    if where.since is not None:
        found &= rows["occurred_at"] >= clock.micros(where.since)
    if where.until is not None:
        found &= rows["occurred_at"] < clock.micros(where.until)
    return found


def uses(rows: np.ndarray, column: str) -> np.ndarray:
    """bool[rows]: whether the kind of a row uses this column; zeros in others mean nothing."""
    return np.isin(rows["kind"], [kind.number for kind in events.EVENTS if column in kind.columns])


def number_of(column: str, label: str, labels: Labels) -> int:
    """The number of a label of a column; QueryError where this world has no such label."""
    vocabulary = VOCABULARY_OF[column]
    known = labels.get(vocabulary) or events.VOCABULARIES.get(vocabulary, ())
    if label not in known:
        raise QueryError(f"there is no {column} {label!r} in this world; there are {', '.join(known)}")
    return list(known).index(label)


def _is_drawn(rows: np.ndarray, key: np.ndarray, threshold: int) -> np.ndarray:
    who = _mix(key + rows["subscriber"].astype(np.uint64) * _GOLDEN)
    which = _mix(who + (rows["sequence"].astype(np.uint64) + np.uint64(1)) * _GOLDEN)
    return (which >> np.uint64(2)) < np.uint64(threshold)


def _mix(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * _FACTORS[0]
    x = (x ^ (x >> np.uint64(27))) * _FACTORS[1]
    return x ^ (x >> np.uint64(31))
