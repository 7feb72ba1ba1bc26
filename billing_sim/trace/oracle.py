"""When a single retry would have worked: the hours of a dunning window, marked by the latent cause of each.

Every hour is asked by itself, of the person as they were when the invoice first failed: same method, same memory of
the issuer, no other retry, no answer of the member; only what would have happened anyway happens.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from billing_sim import declines
from billing_sim.clock import HOUR
from billing_sim.drivers.tape import NOTHING_SHARED, Tape, span_of, worlds_of
from billing_sim.lifecycle.state import new_page, new_states
from billing_sim.rule import records
from billing_sim.trace.context import Context
from billing_sim.trace.truths import cause_words
from billing_sim.world.compile import CompiledWorld

_RANGES_TOLD = 4
_CAUSES_TOLD = 3
_BRIEF = 2 * HOUR
"""Interruptions up to this long are not told: noise breaks every long stretch."""

Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class Chances:
    """The fate of one retry at each hour after a first failure, until dunning ends, the run ends or the person leaves.

    `moments` are whole hours, microseconds UTC; `causes` the latent cause at each, 0 where a retry would have worked.
    """

    invoice: int
    moments: np.ndarray
    causes: np.ndarray

    @property
    def good(self) -> int:
        """Hours in which a retry would have worked."""
        return int((self.causes == declines.NO_CAUSE).sum())

    @property
    def ranges(self) -> list[Span]:
        """Unbroken stretches of good hours in order of time: first moment, and the first after the last."""
        good = np.concatenate([[False], self.causes == declines.NO_CAUSE, [False]])
        edges = np.flatnonzero(good[1:] != good[:-1]).reshape(-1, 2)
        return [(int(self.moments[begin]), int(self.moments[end - 1]) + HOUR) for begin, end in edges]

    @property
    def obstacles(self) -> list[tuple[int, int]]:
        """Latent causes of the other hours with how many those are, the most frequent first."""
        return Counter(self.causes[self.causes != declines.NO_CAUSE].tolist()).most_common()


def chances_of(world: CompiledWorld, invoice: int, failed: np.ndarray, tape: Tape = NOTHING_SHARED) -> Chances:
    """Ask every hour of the dunning window; `failed` is the person's record when the invoice first failed.

    Where people share something, `tape` tells what they met.
    """
    from billing_sim.drivers.oracle import LEFT, fates_of_retry  # compiled only for those who ask

    record = world.record[0]
    window, first = int(record["window"]), int(failed["first_failed"][0])
    end = min(first + int(record["dunning_end"][failed["policy"][0]]), int(record["end"]))
    begin = max((first // window + 1) * window, int(record["start"]))
    moments = np.arange(-(-begin // HOUR) * HOUR, end, HOUR, dtype=np.int64)
    states, causes = records(new_states(2)), np.zeros(len(moments), np.int64)
    states[0] = failed[0]
    fates_of_retry(
        worlds_of(world), states, records(new_page()), moments, causes, span_of(world), tape.places, tape.tables
    )
    staying = causes != LEFT
    return Chances(invoice, moments[staying], causes[staying])


def chances_words(chances: Chances, context: Context) -> str:
    """What the hours say, as one sentence or two."""
    hours, good = len(chances.moments), chances.good
    if not hours:
        return f"In truth: there was no hour left in which to retry invoice {chances.invoice}."
    if not good:
        return f"In truth: no retry would have worked in any of {hours} hours: {_obstacles(chances)}."
    otherwise = f" At other hours: {_obstacles(chances)}." if good < hours else ""
    first = _hour(context, chances.ranges[0][0])
    times = _times(chances.ranges, context)
    return f"In truth: a retry would have worked in {good} of {hours} hours, first at {first}: {times}.{otherwise}"


def _times(ranges: list[Span], context: Context) -> str:
    """The longest stretches in order of time, and how many others there are."""
    spans = _bridged(ranges)
    told = sorted(sorted(spans, key=lambda span: span[0] - span[1])[:_RANGES_TOLD])
    words = ", ".join(f"{_hour(context, begin)} to {_hour(context, end)}" for begin, end in told)
    mostly = "mostly " if len(spans) < len(ranges) else ""
    left = len(spans) - len(told)
    return f"{mostly}{words}" + (f", and {left} shorter time{'s' if left > 1 else ''}" if left else "")


def _bridged(ranges: list[Span]) -> list[Span]:
    """Stretches joined over brief interruptions."""
    spans = ranges[:1]
    for begin, end in ranges[1:]:
        if begin - spans[-1][1] <= _BRIEF:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((begin, end))
    return spans


def _obstacles(chances: Chances) -> str:
    told = chances.obstacles[:_CAUSES_TOLD]
    if len(told) == 1:
        return cause_words(told[0][0])
    return ", ".join(f"{cause_words(cause)} ({count} {'hour' if count == 1 else 'hours'})" for cause, count in told)


def _hour(context: Context, instant: int) -> str:
    return f"{context.local(instant):%a %Y-%m-%d %H:%M}"
