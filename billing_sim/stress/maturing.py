"""How long a definition must wait, and whom it serves worst: two criteria that need worlds of their own.

Both look at the scenario without any case. A definition has matured when reading it later would no longer change what
it says of the same units by more than its margin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from billing_sim import clock, people
from billing_sim.metrics import queries
from billing_sim.metrics.definition import Definition
from billing_sim.stress.bundle import Bundle, bundle, known_by
from billing_sim.stress.cells import proxy_margin
from billing_sim.stress.lives import FOLLOWED_DAYS, Lives
from billing_sim.stress.readings import claimed
from billing_sim.stress.seeing import read, tell
from billing_sim.stress.telling import Told
from billing_sim.truth.estimands import Estimand, estimands

LAST = 62 * clock.DAY
"""The units looked at are those that began so long before the end: what happened long ago is settled."""

WAITS = (0, 3, 7, 14, 21, 28, 35, 45, 60, 90)
"""Days after the end at which definitions are read again."""


@dataclass(frozen=True)
class Subgroup:
    """A market and the error that a definition makes there: complete reading less truth, in the estimand's unit."""

    market: str
    error: float


def maturation_days(definitions: Sequence[Definition], lives: Lives, seeds: Sequence[int]) -> dict[str, int | None]:
    """The days after the end from which on a definition's reading stays within its margin; None for longer than 90.

    What is read is what it says of the last two months' units.
    """
    whole = bundle(lives, seeds).since(_first(lives))
    final = read(whole, definitions, complete=True)
    truth = tell(whole, [it for it in claimed(definitions) if it.worlds == "own"])
    near: dict[str, list[bool]] = {it.id: [] for it in definitions}
    for days in WAITS:
        found = _read_after(whole, lives, seeds, definitions, days)
        for it in definitions:
            off = _size(np.abs(found[it.id] - final[it.id]))
            near[it.id].append(bool(off <= _margin(it, final[it.id], truth)))
    return {name: _first_lasting(told) for name, told in near.items()}


def _read_after(
    whole: Bundle, lives: Lives, seeds: Sequence[int], definitions: Sequence[Definition], days: int
) -> dict[str, np.ndarray]:
    """What the definitions say of the units of before the end when read so many days later."""
    moment = lives.end + days * clock.DAY
    seen = replace(whole.now, followed_until=clock.moment_of(moment).replace(tzinfo=None))
    known = known_by(lives, seeds, moment).since(_first(lives))
    return read(replace(whole, complete=known, later=seen), definitions, complete=True)


def _first(lives: Lives) -> datetime:
    return clock.moment_of(lives.end - LAST).replace(tzinfo=None)


def _margin(it: Definition, level: np.ndarray, truth: dict[str, np.ndarray]) -> float:
    claim = estimands()[it.estimand]
    if (it.unit == claim.unit and not it.proxy) or claim.name not in truth:
        return _own_margin(claim, truth)
    margin = proxy_margin(it, level, claim, truth[claim.name])
    return margin if it.unit == "share" else margin * _size(level)


def _own_margin(claim: Estimand, truth: dict[str, np.ndarray]) -> float:
    if not claim.relative:
        return claim.margin
    return claim.margin * _size(truth[claim.name]) if claim.name in truth else 0.0


def _size(values: np.ndarray) -> float:
    """The size of their mean; 0 where none is defined."""
    known = values[np.isfinite(values)]
    return abs(float(known.mean())) if len(known) else 0.0


def _first_lasting(near: Sequence[bool]) -> int | None:
    """The first wait from which on every later one is near as well."""
    if not near[-1]:
        return None
    last_far = max((i for i, is_near in enumerate(near) if not is_near), default=-1)
    return WAITS[last_far + 1]


def worst_subgroups(definitions: Sequence[Definition], lives: Lives, seeds: Sequence[int]) -> dict[str, Subgroup]:
    """The market in which each definition errs most; without proxies, and without queries that cannot be split."""
    direct = [it for it in definitions if _is_direct(it) and (not it.sql or queries.is_grouped(it.sql))]
    found: dict[str, Subgroup] = {}
    for market, part in _by_market(bundle(lives, seeds), lives):
        complete, truth = read(part, direct, complete=True), tell(part, claimed(direct))
        for it in direct:
            error = complete[it.id] - truth[it.estimand]
            mean = float(np.nanmean(error)) if np.isfinite(error).any() else 0.0
            if it.id not in found or abs(mean) > abs(found[it.id].error):
                found[it.id] = Subgroup(market, mean)
    return found


def _is_direct(it: Definition) -> bool:
    """Whether its error in one market is an error, and can be told from the market's own units."""
    claim = estimands()[it.estimand]
    return it.unit == claim.unit and claim.worlds == "own" and not it.proxy and not it.across


def _by_market(whole: Bundle, lives: Lives) -> Iterator[tuple[str, Bundle]]:
    for number, market in enumerate(lives.world.markets):
        place = pc.bit_wise_and(pc.shift_right(whole.truths["subscriber"], people.MARKET_SHIFT), 255)
        own = whole.truths.filter(pc.equal(place, number))
        parts = [_of_market(told, market) for told in (whole.reading, whole.complete, whole.clean)]
        yield market, replace(whole, reading=parts[0], complete=parts[1], clean=parts[2], truths=own)


def _of_market(told: Told, market: str) -> Told:
    def keep(table: pa.Table, _: str) -> pa.Table:
        return table.filter(pc.equal(table["market"].cast("string"), market))

    return told.cut(keep)


assert max(WAITS) <= FOLLOWED_DAYS
