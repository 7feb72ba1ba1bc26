"""Whether a subscriber number names somebody of this run, and if not, who would."""

from __future__ import annotations

from difflib import get_close_matches

import numpy as np

from billing_sim import people
from billing_sim.clock import HOUR
from billing_sim.errors import QueryError
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.households import borrowers_in, borrowers_of

_WHICH = (1 << people.KIND_SHIFT) - 1
_PLACE = (1 << people.ARRIVAL_SHIFT) - 1


def market_of(world: CompiledWorld, subscriber: int) -> int:
    """The number of the subscriber's market in this world; QueryError when there is no such person in it."""
    codes = world.record["code"][0, : len(world.markets)].tolist()
    if subscriber < 0 or subscriber >> people.MARKET_SHIFT not in codes:
        raise QueryError(_no_such_market(world, subscriber))
    m = codes.index(subscriber >> people.MARKET_SHIFT)
    kind, which = (subscriber >> people.KIND_SHIFT) & 3, subscriber & _WHICH
    problem = _KINDS[kind](world, m, which) if kind < len(_KINDS) else f"{subscriber} is no subscriber."
    if problem:
        raise QueryError(problem)
    return m


def _name(world: CompiledWorld, m: int, kind: int, which: int) -> str:
    return people.describe(people.subscriber_number(world.markets[m], kind, which))


def _no_such_market(world: CompiledWorld, subscriber: int) -> str:
    code = people.describe(max(subscriber, 0)).split("-")[0]
    m = world.markets.index((get_close_matches(code, world.markets, 1) or world.markets)[0])
    while not world.record["base_count"][0, m] and m + 1 < len(world.markets):
        m += 1
    return (
        f"There is no market {code or subscriber} in this run; its markets are {', '.join(world.markets)}. "
        f"Try {_name(world, m, people.BASE, 0)}."
    )


def _base(world: CompiledWorld, m: int, which: int) -> str:
    return _among(world, m, people.BASE, which, int(world.record["base_count"][0, m]), "members at the start")


def _former(world: CompiledWorld, m: int, which: int) -> str:
    count = int(world.record["former_count"][0, m])
    return _among(world, m, people.FORMER, which, count, "people who had left before the start")


def _among(world: CompiledWorld, m: int, kind: int, which: int, count: int, whom: str) -> str:
    if which < count:
        return ""
    there = f"There is no {_name(world, m, kind, which)} in this run: market {world.markets[m]} has {count} {whom}"
    if not count:
        return f"{there}."
    return f"{there}, {_name(world, m, kind, 0)} to {_name(world, m, kind, count - 1)}."


def _arrival(world: CompiledWorld, m: int, which: int) -> str:
    counts, first = world.arrivals[m], int(world.record["start"][0]) // HOUR
    hour, place = (which >> people.ARRIVAL_SHIFT) - first, which & _PLACE
    if 0 <= hour < len(counts) and place < counts[hour]:
        return ""
    if 0 <= hour < len(counts) and 0 <= place - people.BOTS_FROM < world.bots[m][hour]:
        return ""
    there = f"There is no {_name(world, m, people.ARRIVAL, which)} in this run: "
    if not 0 <= hour < len(counts):
        there += "that hour is not part of it."
    else:
        there += f"in that hour {counts[hour]} {'person' if counts[hour] == 1 else 'people'} signed up."
    busy = counts.nonzero()[0]
    if not len(busy):
        return f"{there} Nobody new signed up in market {world.markets[m]}."
    nearest = min(busy.tolist(), key=lambda other: abs(other - hour))
    found = _name(world, m, people.ARRIVAL, (nearest + first) << people.ARRIVAL_SHIFT)
    return f"{there} Try {found}."


def _borrower(world: CompiledWorld, m: int, which: int) -> str:
    record, host = world.record[0], (which - 1) >> people.HOST_SHIFT
    name = _name(world, m, people.BORROWER, which)
    if not which:
        return f"{name} is no subscriber."
    if problem := _base(world, m, host):
        return problem
    found = borrowers_of(record, m, np.array([host], np.int64))
    if (int(record["code"][m]) << people.MARKET_SHIFT | people.BORROWER << people.KIND_SHIFT | which) in found.tolist():
        return ""
    shares = f"shares with {len(found)}" if len(found) else "shares with nobody"
    there = f"There is no {name} in this run: {_name(world, m, people.BASE, host)} {shares}."
    everybody = borrowers_in(record, m)
    return f"{there} Try {people.describe(int(everybody[0]))}." if len(everybody) else there


_KINDS = (_base, _former, _arrival, _borrower)
