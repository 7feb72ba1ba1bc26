"""Where second chances are played: everything that one thread needs for it, shard after shard (`drivers.forks`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from billing_sim.drivers.block import Block, too_long
from billing_sim.drivers.forks import FAILURE, OUTCOME, fork_lives
from billing_sim.drivers.meeting import in_a_room_of_their_own, no_answers
from billing_sim.drivers.shards import people_of_shard
from billing_sim.drivers.tape import Tape, span_of, worlds_of
from billing_sim.lifecycle.state import PAGE, new_states
from billing_sim.rule import records
from billing_sim.world.compile import CompiledWorld

_FAILURES_AT_ONCE = 2048


@dataclass(frozen=True)
class Forks:
    """Whole lives as the batch driver hands them on, the invoices of theirs that failed (`forks.FAILURE`), and what
    came of each (`forks.OUTCOME`, a row per failure): in column 0 under the world's own rules, then under each policy.

    Good until the next ones are asked for.
    """

    block: Block
    failures: np.ndarray
    outcomes: np.ndarray


@dataclass(frozen=True)
class Spans:
    """When lives stop (microseconds UTC), how long after a first failure forks are followed and the oracle looks (0: it
    is not asked), and whether the world's own rules are tried as well as the policies.
    """

    until: int
    followed: int
    oracle: int
    tries_own_rules: bool = True


@dataclass(frozen=True)
class Play:
    """What is played: lives of the world `own` by its `tape`, and their failures under so many policies.

    `changed` are the records of `own` but for their policies; the one after the last that is tried does nothing. Forks
    fail `beside` the people of `own` and go on beside `others` (`meeting.others_of`, at the same places), who may be
    those of another world; then the own rules are left out.
    """

    own: CompiledWorld
    changed: np.ndarray
    policies: int
    spans: Spans
    tape: Tape
    beside: tuple[Any, ...]
    others: tuple[Any, ...]


class Stage:
    """One thread's room for a play: copies of both worlds, since which policy is in force, and what was published, is
    written into them, and pages for lives and for forks.
    """

    def __init__(self, play: Play) -> None:
        self._own, self._tape = play.own, play.tape
        self._worlds, self._states = (worlds_of(play.own), records(play.changed.copy())), records(new_states(5))
        self._pages = np.zeros(2, PAGE)
        self._failures = np.zeros(_FAILURES_AT_ONCE, FAILURE)
        self._outcomes = np.zeros((_FAILURES_AT_ONCE, play.policies + 1), OUTCOME)
        spans = play.spans
        self._spans = np.array([spans.until, spans.followed, spans.oracle, not spans.tries_own_rules], np.int64)
        self._met = in_a_room_of_their_own(play.beside), in_a_room_of_their_own(play.others), no_answers()

    def lives(self, shard: int) -> Iterator[Forks]:
        """Simulate a shard, trying every policy on each invoice that fails."""
        numbers, markets = people_of_shard(self._own, shard)
        span, tape = span_of(self._own), self._tape
        met = (tape.places, tape.tables, records(tape.effects), tape.due)
        filled, first = np.zeros(4, np.int64), 0
        while first < len(numbers):
            rung = int(filled[3])
            self._outcomes[:] = 0
            following = int(
                fork_lives(
                    *self._worlds, numbers, markets, first, self._states, records(self._pages), self._spans, span, met,
                    *self._met, records(self._failures), records(self._outcomes), filled,
                )
            )  # fmt: skip
            if following == first:
                raise too_long(int(numbers[first]))
            rows, truths, failed = (int(it) for it in filled[:3])
            page = self._pages
            block = Block(page["rows"][0, :rows], page["truths"][0, :truths], following - first, int(filled[3]) - rung)
            yield Forks(block, self._failures[:failed], self._outcomes[:failed])
            first = following
