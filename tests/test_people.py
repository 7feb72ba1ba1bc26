"""Who is who: numbers and names are the same thing, and everybody lives in exactly one shard."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_sim import events, people
from billing_sim.drivers.shards import people_of_shard
from tests.world_builder import happened, world_of
from tests.world_texts import BUSY

MARKETS = st.from_regex(r"[A-Z][A-Z0-9]{1,3}", fullmatch=True)
HOURS = st.integers(0, (1 << 20) - 1)


@given(MARKETS, st.sampled_from([people.BASE, people.FORMER]), st.integers(0, (1 << 40) - 1))
def test_a_member_of_the_base_has_one_name(market, kind, ordinal):
    """Number and text name each other; so does the plain number."""
    number = people.subscriber_number(market, kind, ordinal)
    assert people.parse(people.describe(number)) == people.parse(str(number)) == number
    assert 0 < number < 1 << 63


@given(MARKETS, HOURS, st.integers(0, (1 << 20) - 1))
def test_a_newcomer_is_named_by_the_hour_of_arrival(market, hour, place):
    """The hour is written in UTC."""
    number = people.subscriber_number(market, people.ARRIVAL, (hour << people.ARRIVAL_SHIFT) | place)
    assert people.parse(people.describe(number)) == number


def test_names_read_as_people_write_them():
    """A base member, someone who had left, a newcomer."""
    assert people.describe(people.subscriber_number("US", people.BASE, 1042)) == "US-1042"
    assert people.describe(people.subscriber_number("US", people.FORMER, 7)) == "US-former-7"
    assert people.parse("US-2025-03-04T17-2") >> people.MARKET_SHIFT == people.market_number("US")


@pytest.mark.parametrize("text", ["US", "US-", "us-1", "US-x", "US-2025-03-04-2", "-1", "1.5", "US-former-", ""])
def test_what_names_nobody_is_refused(text):
    """With an example of how names read."""
    with pytest.raises(ValueError, match="US-1042"):
        people.parse(text)


@given(MARKETS, MARKETS, st.integers(0, 10**6), st.integers(0, 10**6))
def test_people_are_ordered_by_market_first(one, other, first, second):
    """So that markets in the order of their codes give everybody in ascending order."""
    a, b = (people.subscriber_number(market, people.BASE, n) for market, n in ((one, first), (other, second)))
    if one != other:
        assert (a < b) == (one.ljust(4) < other.ljust(4))


def test_everybody_lives_in_exactly_one_shard_in_ascending_order():
    """The base, those who had left and everybody still to come, and nobody else."""
    world = world_of("", BUSY)
    shards = [people_of_shard(world, shard)[0] for shard in range(people.SHARDS)]
    assert all((np.diff(numbers) > 0).all() for numbers in shards)
    everybody = np.concatenate(shards)
    record = world.record[0]
    expected = int(record.base_count.sum() + record.former_count.sum() + world.arrivals.sum())
    assert len(np.unique(everybody)) == len(everybody) == expected


def test_shards_are_of_like_size():
    """A large market is dealt evenly: no shard differs from another by more than two blocks' worth."""
    world = world_of("members: 20000")
    sizes = [len(people_of_shard(world, shard)[0]) for shard in range(people.SHARDS)]
    assert max(sizes) - min(sizes) <= 1
    assert sum(sizes) == 20000


def test_a_person_lives_in_the_market_of_their_number():
    """The market index that a shard tells belongs to the code in the number."""
    world = world_of("", BUSY)
    for shard in range(0, people.SHARDS, 9):
        for number, market in zip(*people_of_shard(world, shard), strict=True):
            assert people.describe(int(number)).startswith(world.markets[market] + "-")


def test_only_those_who_come_leave_rows():
    """Base members are imported; the others begin with a sign-up, and somebody who had left comes back."""
    kinds = {people.BASE: set(), people.FORMER: set(), people.ARRIVAL: set()}
    for subscriber, rows in happened("", BUSY).lives():
        kinds[(subscriber >> people.KIND_SHIFT) & 3].add((int(rows["kind"][0]), int(rows["reason"][0])))
    assert {kind for kind, _ in kinds[people.BASE]} == {events.SUBSCRIPTION_IMPORTED}
    assert kinds[people.FORMER] == {(events.SIGNUP_STARTED, events.RETURNING)}
    assert kinds[people.ARRIVAL] == {(events.SIGNUP_STARTED, events.NEW)}


def test_the_room_is_there_when_the_package_is_imported():
    """In a process that has imported nothing else."""
    code = "import billing_sim; print(billing_sim.people.describe(billing_sim.people.parse('US-4')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "US-4\n"
