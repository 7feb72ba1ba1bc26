"""Many seeds of one world in one set of tables: the facts' column `group` holds the number of the seed.

A bundle is told three times. The *reading* is what could be known at the scenario's end, from the log as it is after
any damage. The *complete* facts come from the same log with everything that is ever recorded, so no outcome is open.
The *clean* ones are the complete facts of the log without damage, for the truth alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from billing_sim import clock
from billing_sim.identity import vocabularies_of
from billing_sim.metrics.frame import Frame, frame
from billing_sim.metrics.source import InMemory
from billing_sim.runs import tables
from billing_sim.stress.columns import Columns, renumbered
from billing_sim.stress.damages import Damage, Stale
from billing_sim.stress.lives import FOLLOWED_DAYS, Lives
from billing_sim.stress.looked import ALL, EVERYTHING, Looked
from billing_sim.stress.telling import Teller, Telling, Told, begun_since, since

MOST_SEEDS = 64


@dataclass(frozen=True)
class Bundle:
    """The facts of many seeds of one world, and the frames in which they are read."""

    seeds: tuple[int, ...]
    reading: Told
    complete: Told
    clean: Told
    truths: pa.Table
    now: Frame
    later: Frame

    def since(self, moment: datetime) -> Bundle:
        """Only the units that began, and the truths that were so, at a moment or later."""
        cut = since(moment)
        return replace(
            self,
            reading=self.reading.with_parts(cut),
            complete=self.complete.with_parts(cut),
            clean=self.clean.with_parts(cut),
            truths=begun_since(self.truths, "truths", moment),
        )


class _Sealed:
    """The sealed truths of every seed, as they fill up."""

    def __init__(self, lives: Lives) -> None:
        self._truths = Columns(tables.TRUTH, {**tables.BUILT_IN, **vocabularies_of(lives.world)})
        self._groups, self._markets = [np.zeros(0, np.uint8)], lives.world.markets

    def confide(self, truths: np.ndarray, number: int) -> None:
        truths["subscriber"] = renumbered(truths["subscriber"], number, self._markets)
        self._truths.append(truths)
        self._groups.append(np.full(len(truths), number, np.uint8))

    @property
    def table(self) -> pa.Table:
        return self._truths.table().append_column("group", pa.array(np.concatenate(self._groups)))


def bundle(lives: Lives, seeds: Sequence[int], damages: Sequence[Damage] = (), looked: Looked = EVERYTHING) -> Bundle:
    """Live a world with every seed (at most 64), and tell what happened, as far as it is looked at.

    What is stale now is complete in time, so of the damages only staleness spares the complete facts.
    """
    lasting = tuple(damage for damage in damages if not isinstance(damage, Stale))
    telling, sealed = Telling(lives, damages, lasting, looked), _Sealed(lives)
    apart = [Teller(lives, looked.clean)] if lasting else []
    _live(lives, seeds, [*telling.tellers, *apart], sealed if looked.truths else None)
    now = frame(InMemory({}, lives.told))
    followed_until = clock.moment_of(lives.end + FOLLOWED_DAYS * clock.DAY).astimezone(UTC).replace(tzinfo=None)
    clean = apart[0].told if lasting else telling.complete
    later = replace(now, followed_until=followed_until)
    return Bundle(tuple(seeds), telling.reading, telling.complete, clean, sealed.table, now, later)


def without_friction(lives: Lives, seeds: Sequence[int], columns: Collection[str] | None = None) -> Told:
    """The complete invoices of the same people in the frictionless world, in these columns."""
    teller = Teller(lives, {"invoices": columns})
    _live(lives, seeds, [teller], without_friction=True)
    return teller.told


def known_by(lives: Lives, seeds: Sequence[int], moment: int) -> Told:
    """The facts as they were known at a moment at or after the end (microseconds UTC), without damage."""
    teller = Teller(lives, ALL, (), moment)
    _live(lives, seeds, [teller])
    return teller.told


def _live(
    lives: Lives, seeds: Sequence[int], tellers: Sequence[Teller], sealed: _Sealed | None = None, *,
    without_friction: bool = False,
) -> None:  # fmt: skip
    """Live one seed after the other while others tell of it; those with the same damages hear the same."""
    worlds = lives.live_each(seeds, without_friction=without_friction)
    for number, (seed, blocks) in enumerate(zip(seeds, worlds, strict=True)):
        for teller in tellers:
            teller.next_seed()
        for block in blocks:
            heard, damages = tellers[0].hear(block.rows, seed), tellers[0].damages
            for teller in tellers:
                if teller.damages != damages:
                    heard, damages = teller.hear(block.rows, seed), teller.damages
                teller.tell(heard, number)
            if sealed:
                sealed.confide(block.truths, number)
