"""Households that share: how many people beyond it use a member's account, and the numbers of these borrowers.

Both are pure functions of the member's luck, so a borrower can be found from the host and the host from the borrower,
and nobody's number or luck moves: borrowers have a place of their own in the numbering of people.
"""

# mypy: disallow-untyped-defs=False, check-untyped-defs=False

from __future__ import annotations

import numpy as np

from billing_sim import clock, draws, people
from billing_sim import purposes as purpose
from billing_sim.draws import threshold
from billing_sim.rule import entry
from billing_sim.scenario.campaigns import SharingCrackdown
from billing_sim.world.names import Names
from billing_sim.world.people import cumulative
from billing_sim.world.quantiles import exponential
from billing_sim.world.record import QUANTILES


@entry("int64(int64, int64, int64, int64, int64)")
def household(key, share, one, two, three):
    """How many people outside the household use the account of the member with this key; 0 when they do not share."""
    if draws.draw(key, purpose.HOSTS, 0) >= share:
        return 0
    u = draws.draw(key, purpose.HOUSEHOLD, 0)
    if u < one:
        return 1
    if u < two:
        return 2
    return 3 if u < three else 4


@entry("int64(int64, int64, int64, int64[:], int64, int64, int64, int64, int64[:])")
def _list_borrowers(run_key, hosts_from, borrowers_from, ordinals, share, one, two, three, out):
    """Write the numbers of everybody who borrows from these members, host by host; return how many."""
    n = 0
    for i in range(len(ordinals)):
        key = draws.subject_key(run_key, hosts_from + ordinals[i])
        for place in range(household(key, share, one, two, three)):
            out[n] = borrowers_from + 1 + (ordinals[i] << people.HOST_SHIFT) + place
            n += 1
    return n


def borrowers_of(record: np.record, m: int, ordinals: np.ndarray) -> np.ndarray:
    """Everybody who borrows from these members of the base of a market (int64 ordinals), ascending int64 numbers."""
    share = int(record["host_share"][m])
    if not share:
        return np.zeros(0, np.int64)
    first = int(record["code"][m]) << people.MARKET_SHIFT
    out = np.zeros(people.MOST_BORROWERS * len(ordinals), np.int64)
    kinds = [first | (kind << people.KIND_SHIFT) for kind in (people.BASE, people.BORROWER)]
    mix = [int(edge) for edge in record["household"]]
    found = int(_list_borrowers(int(record["seed_key"]), *kinds, np.ascontiguousarray(ordinals), share, *mix, out))
    return out[:found]


def borrowers_in(record: np.record, m: int) -> np.ndarray:
    """Everybody who borrows from a member of a market."""
    return borrowers_of(record, m, np.arange(int(record["base_count"][m]), dtype=np.int64))


def fill_sharing(world: np.recarray, names: Names) -> None:
    """Who shares, and from when on they are restricted; nothing where nobody shares."""
    sharing = names.scenario.sharing
    if sharing is None:
        return
    world.sharing[0] = 1
    world.host_share[0, names.places(list(sharing.market))] = threshold(sharing.hosts)
    world.household[0] = cumulative(list(sharing.borrowers), people.MOST_BORROWERS)[: people.MOST_BORROWERS - 1]
    world.joins[0], world.host_cancels[0] = threshold(sharing.joins), threshold(sharing.cancels)
    world.joins_after[0] = exponential(QUANTILES, sharing.joins_after)
    world.host_cancels_after[0] = exponential(QUANTILES, sharing.cancels_after)
    for crackdown in crackdowns(names):
        world.crackdown_at[0, names.places(list(crackdown.market))] = clock.micros(crackdown.at)


def crackdowns(names: Names) -> list[SharingCrackdown]:
    """The crackdowns of the timeline, the last first: the earliest in a market is what holds."""
    found = [entry for entry in names.scenario.timeline if isinstance(entry, SharingCrackdown)]
    return sorted(found, key=lambda crackdown: crackdown.at, reverse=True)
