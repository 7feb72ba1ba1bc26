"""The story of one subscriber: told day by day in their own time zone, with how it ended."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from billing_sim import events, people
from billing_sim.drivers.tape import NOTHING_SHARED, Tape
from billing_sim.identity import named_world_of, world_of
from billing_sim.runs.stored import StoredRun
from billing_sim.trace.context import Context, context_of
from billing_sim.trace.ending import Ending, ending_of, ending_words
from billing_sim.trace.entries import Entry, entries_of, truths_alone, truths_beside
from billing_sim.trace.identity import Identity, invent
from billing_sim.trace.life import Life, relive
from billing_sim.trace.oracle import Chances, chances_of, chances_words
from billing_sim.trace.whereabouts import market_of
from billing_sim.world.compile import CompiledWorld

RETRY_CHANCES = "retry.chances"
"""The kind of an entry that tells when a single retry would have worked."""

_INDENT, _BESIDE = "  ", " " * 9


@dataclass(frozen=True)
class Story:
    """One subscriber's life in a run, ready to be read.

    `entries` come in the order in which they are told; `ending` is None for someone of whom the run never heard.
    `chances` holds, with the truth, the hours in which a retry would have worked, one for each invoice that failed.
    """

    subscriber: int
    scenario: str
    seed: int
    start: date
    end: date
    locale: str
    context: Context
    entries: tuple[Entry, ...]
    ending: Ending | None
    chances: tuple[Chances, ...] = ()

    @property
    def name(self) -> str:
        """The subscriber as people read them: US-1042."""
        return people.describe(self.subscriber)

    @property
    def person(self) -> Identity:
        """An invented name, e-mail address and city, the same at every call; made when asked for."""
        return invent(self.subscriber, self.seed, self.locale)

    @property
    def summary(self) -> str:
        """How the story ends."""
        if self.ending is None and people.is_borrower(self.subscriber):
            host = people.describe(people.host_of(self.subscriber))
            return f"{self.name} uses the account of {host}, and the run never heard of them."
        if self.ending is None:
            return f"{self.name} had left before the run began and did not come back within it."
        return ending_words(self.ending, self.context, self.end.isoformat())

    def lines(self, width: int = 100, *, named: bool = False) -> list[str]:
        """The story as text in lines of at most `width` characters; `named` adds the invented person."""
        lines = _wrapped(self._title(), "", width)
        if named:
            lines += _wrapped(f"Called here {self.person}.", "", width)
        lines.append("")
        heading = ""
        for entry in self.entries:
            if entry.count > 1:
                heading = ""
                lines += _wrapped(entry.text, "", width)
                continue
            if heading != (heading := self._heading(entry)):
                lines.append(heading)
            lines += _wrapped(entry.text, self._margin(entry), width)
        return [*lines, *([""] if self.entries else []), *_wrapped(self.summary, "", width)]

    def render(self, width: int = 100, *, named: bool = False) -> str:
        """The lines as one text."""
        return "\n".join(self.lines(width, named=named))

    def __repr__(self) -> str:
        return self.render()

    def to_json(self) -> dict[str, Any]:
        """The story as plain values; moments are ISO 8601 with the market's offset."""
        return {
            "subscriber": self.name,
            "number": self.subscriber,
            "scenario": self.scenario,
            "seed": self.seed,
            "market": self.context.market,
            "time_zone": str(self.context.zone),
            "currency": self.context.currency,
            "entries": [self._plain(entry) for entry in self.entries],
            "retry_chances": [self._plain_chances(chances) for chances in self.chances],
            "ending": self.ending and self.ending.to_json(),
            "summary": self.summary,
        }

    def _title(self) -> str:
        place = f"{self.context.market}, times of {self.context.zone}"
        return f"{self.name}, {place}. Run {self.scenario}, seed {self.seed}, {self.start} to {self.end}."

    def _heading(self, entry: Entry) -> str:
        """The local day; where it is still the eve of the first day, that is said instead of a number."""
        moment = self.context.local(entry.at)
        day = (moment.date() - self.start).days
        return f"{moment:%a %Y-%m-%d} ({f'day {day}' if day >= 0 else 'the run begins'})"

    def _margin(self, entry: Entry) -> str:
        return _BESIDE if entry.is_beside else f"{_INDENT}{self.context.local(entry.at):%H:%M}{_INDENT}"

    def _moment(self, instant: int) -> str:
        return self.context.local(instant).isoformat(timespec="seconds")

    def _plain(self, entry: Entry) -> dict[str, Any]:
        plain = {"at": self._moment(entry.at), "kind": entry.kind, "text": entry.text, "sealed": entry.is_sealed}
        return {**plain, "count": entry.count} if entry.count > 1 else plain

    def _plain_chances(self, chances: Chances) -> dict[str, Any]:
        ranges = [[self._moment(begin), self._moment(end)] for begin, end in chances.ranges]
        return {"invoice": chances.invoice, "hours": len(chances.moments), "good_hours": chances.good, "ranges": ranges}


def tell(run: StoredRun, subscriber: int, *, truth: bool = False) -> Story:
    """The story of one subscriber of a run; `truth` adds what only the simulator knows.

    The person is simulated again, so it does not matter how much of the log was kept (in a run with processes of a
    user's own it does, and there is no truth to tell); where people share something,
    everybody is, once, to know what they met. Raises QueryError when there is
    no such subscriber in the run, and when another version of the rules made it.
    """
    if run.manifest.extended and not truth:
        return _kept_story(run, subscriber)
    world = world_of(run)
    market = market_of(world, subscriber)
    tape = _tape_of(world)
    return story_of(world, relive(world, market, subscriber, tape), truth=truth, tape=tape)


def _kept_story(run: StoredRun, subscriber: int) -> Story:
    """The story as the log kept it: where processes of a user's own took part, nobody can be simulated again."""
    from billing_sim.trace.kept import kept_life

    world = named_world_of(run)
    life = kept_life(run, market_of(world, subscriber), subscriber)
    return story_of(world, life, own_kinds=run.manifest.own_kinds)


def _tape_of(world: CompiledWorld) -> Tape:
    if not world.is_coupled:
        return NOTHING_SHARED
    from billing_sim.drivers.coupled import tape_of  # compiled only where people share something

    return tape_of(world)


def story_of(
    world: CompiledWorld,
    life: Life,
    *,
    truth: bool = False,
    tape: Tape = NOTHING_SHARED,
    own_kinds: tuple[events.Kind, ...] = (),
) -> Story:
    """The story of a life that has been lived in this world, by this tape where people share something."""
    context = replace(context_of(world, life.market, life.rows), own_kinds=own_kinds)
    scenario = world.scenario
    chances, beside, alone = [], {}, {}
    if truth:
        chances = [chances_of(world, invoice, failed, tape) for invoice, failed in life.failures.items()]
        beside = truths_beside(life.rows, life.truths)
        alone = truths_alone(life.rows, life.truths)
        for place, entry in _told_chances(life, chances, context):
            beside.setdefault(place, []).append(entry)
    return Story(
        life.subscriber, scenario.name, scenario.seed, scenario.start, scenario.end,
        scenario.markets[world.markets[life.market]].locale, context,
        tuple(entries_of(life.rows, context, beside, alone)),
        ending_of(life.rows) if len(life.rows) else None, tuple(chances),
    )  # fmt: skip


def _told_chances(life: Life, chances: list[Chances], context: Context) -> Iterator[tuple[int, Entry]]:
    """What is told of each invoice's chances, by the place of the row with which its dunning enters the log."""
    entering = np.isin(life.rows["kind"], (events.INVOICE_IMPORTED, events.DUNNING_STARTED))
    place_of = {int(life.rows["invoice"][place]): int(place) for place in np.flatnonzero(entering)}
    for found in chances:
        place = place_of[found.invoice]
        at = int(life.rows["occurred_at"][place])
        yield place, Entry(at, RETRY_CHANCES, chances_words(found, context), is_sealed=True, is_beside=True)


def _wrapped(text: str, margin: str, width: int) -> list[str]:
    """Text in lines, the first after its margin, the others below its beginning."""
    return textwrap.wrap(
        text, max(width, 40), initial_indent=margin, subsequent_indent=" " * len(margin), break_on_hyphens=False
    )
