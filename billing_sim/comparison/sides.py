"""The two sides of a comparison: whose facts, looked at until when, and whether their people are the same.

A person's draws are keyed by the seed and the person's number, so two worlds with one seed and one first day hold the
same people with the same luck, as far as both hold them at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import duckdb

from billing_sim.errors import QueryError
from billing_sim.facts.schema import COLUMNS
from billing_sim.metrics.frame import Frame, frame
from billing_sim.metrics.rows import rows_of
from billing_sim.metrics.source import RunFolder, Source
from billing_sim.metrics.unreadable import reading_facts
from billing_sim.runs.manifest import Identity

MONTH = "month"
_MARKETS_NAMED = 3
"""Markets of other sizes named in a note, those that differ most."""


@dataclass(frozen=True)
class Side:
    """One side: a run in a frame, and only one month of it when `month` is given, such as "2025-05"."""

    name: str
    source: RunFolder
    frame: Frame
    month: str = ""

    @cached_property
    def facts(self) -> Source:
        """What had been recorded when the side is looked at: what came later is unknown, as in a run that ends then."""
        if self.frame.as_of >= frame(self.source).as_of:
            return self.source
        from billing_sim.recorded import facts_as_of
        from billing_sim.runs.stored import open_run

        return facts_as_of(open_run(self.source.path), self.frame.as_of)

    @property
    def identity(self) -> Identity:
        """Which world it is."""
        return self.source.manifest.identity

    @property
    def place(self) -> Path:
        """The folder of the run, as it is named from the folder one is in."""
        folder, here = self.source.path.absolute(), Path.cwd()
        return folder.relative_to(here) if folder.is_relative_to(here) else folder


@dataclass(frozen=True)
class Pair:
    """Both sides; `strangers` says why their people are not the same and is empty when they are."""

    before: Side
    after: Side
    strangers: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_paired(self) -> bool:
        """Whether both sides look at the same people."""
        return not self.strangers

    @property
    def is_one_run(self) -> bool:
        """Whether two months of one run are compared."""
        return bool(self.before.month)


def two_runs(before: RunFolder, after: RunFolder) -> Pair:
    """Two runs in one frame: until the earlier end, with the longer wait for outcomes, so that the same units count.

    QueryError when they report in different currencies.
    """
    frames = [frame(before), frame(after)]
    if frames[0].currency != frames[1].currency:
        raise QueryError(
            f"A reports in {frames[0].currency} and B in {frames[1].currency}: "
            "give both scenarios the same reporting_currency."
        )
    both = frames[0].start == frames[1].start
    waits = {name: max(getattr(it, name) for it in frames) for name in ("settlement", "dunning")}
    until = min(it.as_of for it in frames)
    seen = [replace(it, **waits, as_of=until if both else it.as_of) for it in frames]
    sides = Side("A", before, seen[0]), Side("B", after, seen[1])
    return Pair(*sides, _strangers(before, after), tuple(_notes(before, after)))


def two_months(run: RunFolder, between: str) -> Pair:
    """Two months of a run, from a text such as "2025-05,2025-06"; QueryError when it has no two such whole months."""
    seen = frame(run)
    first, end = seen.whole_months
    known = list(_months(f"{first:%Y-%m}", f"{end:%Y-%m}"))
    months = [part.strip() for part in between.split(",")]
    if len(months) != 2 or months[0] == months[1] or not set(months) <= set(known):
        span = f"from {known[0]} to {known[-1]}" if known else "none"
        raise QueryError(
            f"--between takes two different whole months of the run, such as {_example(known)}, not {between!r}.\n"
            f"Whole months of this run: {span}."
        )
    return Pair(Side(months[0], run, seen, months[0]), Side(months[1], run, seen, months[1]))


def _example(known: list[str]) -> str:
    return ",".join(known[:2]) if len(known) > 1 else "2025-05,2025-06"


def _months(first: str, end: str) -> Iterator[str]:
    while first < end:
        yield first
        year, month = int(first[:4]), int(first[5:])
        first = f"{year + month // 12:04d}-{month % 12 + 1:02d}"


def _strangers(before: RunFolder, after: RunFolder) -> str:
    a, b = before.manifest.identity, after.manifest.identity
    if a.seed is None or b.seed is None:
        return "a challenge pack withholds its seed"
    if a.seed != b.seed:
        return f"A has seed {a.seed} and B has seed {b.seed}"
    if a.start != b.start:
        return f"A starts on {a.start} and B on {b.start}"
    if not set(before.manifest.vocabularies["markets"]) & set(after.manifest.vocabularies["markets"]):
        return "they have no market in common"
    return ""


def _notes(before: RunFolder, after: RunFolder) -> Iterator[str]:
    """What else is not the same, where the people are."""
    a, b = before.manifest.identity, after.manifest.identity
    if _strangers(before, after):
        return
    yield from _other_sizes(before, after)
    alone = set(before.manifest.vocabularies["markets"]) ^ set(after.manifest.vocabularies["markets"])
    if alone:
        yield f"Only one of them has {', '.join(sorted(alone))}."
    if a.end != b.end:
        yield f"A ends on {a.end} and B on {b.end}: both are looked at until the earlier."
    for name, side in (("A", before), ("B", after)):
        if side.manifest.extended:
            yield f"{name} is {side.manifest.extended.words}."
    if a.rules_digest != b.rules_digest:
        yield "Different versions of billing_sim made them; part of the difference may come from that."


def _other_sizes(before: RunFolder, after: RunFolder) -> Iterator[str]:
    """Whose base is smaller, market by market: people are numbered within their market, whatever the others hold."""
    a, b = (_members_at_start(it) for it in (before, after))
    other = sorted(
        (name for name in {*a} & {*b} if a[name] != b[name]), key=lambda name: (-abs(a[name] - b[name]), name)
    )
    if not other:
        return
    if a.keys() == b.keys() and len({a[name] < b[name] for name in other}) == 1:
        sizes = f"A has {sum(a.values()):,} members at the start and B {sum(b.values()):,}"
        yield f"{sizes}: those of the smaller are in both, and who is in one alone has another outcome."
        return
    sizes = ", ".join(f"{name} has {a[name]:,} in A and {b[name]:,} in B" for name in other[:_MARKETS_NAMED])
    more = f", {len(other) - _MARKETS_NAMED} more differ too" if len(other) > _MARKETS_NAMED else ""
    yield (
        f"Members at the start differ by market: {sizes}{more}. Of each market those of the smaller side are in both, "
        "and who is in one alone has another outcome."
    )


def _members_at_start(run: RunFolder) -> dict[str, int]:
    """Members who were there when the run began, by market."""
    with reading_facts(), duckdb.connect(":memory:") as connection:
        rows = rows_of(connection, COLUMNS["subscriptions"], run.facts_files("subscriptions"))
        counted = f"SELECT market::VARCHAR, count(*) FROM {rows} WHERE started_by::VARCHAR = 'imported' GROUP BY 1"
        return dict(connection.execute(counted).fetchall())
