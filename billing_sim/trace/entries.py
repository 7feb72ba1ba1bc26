"""From rows to what is told, in its order: truths beside what they explain, quiet renewals in a row as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from billing_sim import events
from billing_sim.trace.context import Context, Row
from billing_sim.trace.refunds_sentences import says_it_all
from billing_sim.trace.renewals import Renewal, quiet_renewals, renewal_words
from billing_sim.trace.sentences import SENTENCES
from billing_sim.trace.truths import SEALED

RENEWALS = "renewals"
"""The kind of an entry that stands for renewals without trouble."""

_TRUTH_NAMES = {kind.number: kind.name for kind in events.TRUTH}


@dataclass(frozen=True)
class Entry:
    """One thing that is told: when (microseconds UTC), of what kind, in which words.

    `is_sealed` marks what only the simulator knows, `is_beside` what explains the entry before it. `count` is how many
    renewals an entry stands for.
    """

    at: int
    kind: str
    text: str
    is_sealed: bool = False
    is_beside: bool = False
    count: int = 1


Asides = Mapping[int, Sequence[Entry]]
"""Further entries by the place of the public row that they come after (or before, for those of no row)."""


def entries_of(
    rows: np.ndarray, context: Context, beside: Asides | None = None, alone: Asides | None = None
) -> list[Entry]:
    """A life's public rows as entries, each followed by those `beside` it and preceded by those that stand `alone`."""
    return list(_condensed(_told(rows, context, beside or {}, alone or {}), context))


def _told(rows: np.ndarray, context: Context, beside: Asides, alone: Asides) -> Iterator[Entry | Renewal]:
    quiet = quiet_renewals(rows)
    for place, row in enumerate(rows):
        kind, invoice = int(row["kind"]), int(row["invoice"])
        yield from alone.get(place, ())
        if invoice not in quiet or kind == events.SUBSCRIPTION_CANCELED:
            yield _public(row, kind, context)
        elif kind == events.INVOICE_ISSUED:
            yield quiet[invoice]
        yield from beside.get(place, ())
    yield from alone.get(len(rows), ())


def _public(row: Row, kind: int, context: Context) -> Entry:
    """A row of the log; of a kind of the user's own is told what the run says that it means."""
    at = int(row["occurred_at"])
    for own in context.own_kinds:
        if own.number == kind:
            return Entry(at, own.name, f"{own.name}: {own.meaning}")
    return Entry(at, events.KIND_NAMES[kind], SENTENCES[kind](row, context))


def _condensed(told: Iterator[Entry | Renewal], context: Context) -> Iterator[Entry]:
    for alike, group in groupby(told, _likeness):
        if alike is None:
            yield from (entry for entry in group if isinstance(entry, Entry))
        else:
            renewals = [renewal for renewal in group if isinstance(renewal, Renewal)]
            yield Entry(renewals[0].at, RENEWALS, renewal_words(renewals, context), count=len(renewals))


def _likeness(told: Entry | Renewal) -> tuple[int, str] | None:
    return (told.amount_minor, told.method) if isinstance(told, Renewal) else None


def truths_beside(rows: np.ndarray, truths: np.ndarray) -> dict[int, list[Entry]]:
    """Truths that explain a public row, by its place."""
    place_of = {int(sequence): place for place, sequence in enumerate(rows["sequence"])}
    found: dict[int, list[Entry]] = {}
    for truth in truths:
        place = place_of[int(truth["sequence"])] if truth["sequence"] >= 0 else -1
        if place >= 0 and not says_it_all(rows[place], truth):
            found.setdefault(place, []).append(_sealed(truth, is_beside=True))
    return found


def truths_alone(rows: np.ndarray, truths: np.ndarray) -> dict[int, list[Entry]]:
    """Truths that stand alone, by the place of the first public row that is not earlier; what a member brought along
    comes after the rows by which they enter the log."""
    imported = len(rows) > 0 and rows["kind"][0] == events.SUBSCRIPTION_IMPORTED
    entered = int(np.searchsorted(rows["occurred_at"], rows["occurred_at"][0], "right")) if imported else 0
    found: dict[int, list[Entry]] = {}
    for truth in truths:
        if truth["sequence"] < 0:
            place = max(entered, int(np.searchsorted(rows["occurred_at"], truth["occurred_at"], "left")))
            found.setdefault(place, []).append(_sealed(truth, is_beside=False))
    return found


def _sealed(truth: Row, *, is_beside: bool) -> Entry:
    kind, at = int(truth["kind"]), int(truth["occurred_at"])
    return Entry(at, _TRUTH_NAMES[kind], SEALED[kind](truth), is_sealed=True, is_beside=is_beside)
