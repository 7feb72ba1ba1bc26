"""What barriers publish, against the same arithmetic in Python's own integers, and against sums done on paper."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_sim import draws
from billing_sim.clock import MINUTE
from billing_sim.drivers.barrier import Barrier
from billing_sim.world.load import PARTS
from billing_sim.world.record import GATEWAYS, LOADS, RATE, REFUSED, SLOW, new_world
from tests.naive_barrier import NaiveBarrier

NOBODY = np.zeros(GATEWAYS * GATEWAYS, np.int64)
NOTHING = np.zeros((2, GATEWAYS), np.int64)


def world_with(
    minutes: int, gateways: int, capacities: dict[int, int], comfortable: dict[int, int], rates: bool = False
):
    """A world of these windows and gateways; capacities and comfortable loads in parts of an attempt an hour."""
    world = new_world()
    world.window[0], world.gateways[0] = minutes * MINUTE, gateways
    for g, parts in capacities.items():
        world.capacity[0, g] = parts
    for g, parts in comfortable.items():
        world.comfortable[0, g] = parts
        world.slow_at[0, g], world.timeout_at[0, g] = np.arange(LOADS) * 1000, np.arange(LOADS) * 12_345
    world.route_by[0, 3, 2] = rates
    return world


def random_sums(seed: int, gateways: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Bookings and counts of a window."""
    chance = np.random.default_rng(seed)
    bookings, counts = np.zeros((GATEWAYS, GATEWAYS), np.int64), NOTHING.copy()
    bookings[:gateways, :gateways] = chance.integers(0, most, (gateways, gateways)) * (chance.random() < 0.7)
    counts[:, :gateways] = chance.integers(0, most, (2, gateways))
    return bookings.reshape(-1), counts


@settings(deadline=None, max_examples=60)
@given(
    minutes=st.sampled_from([5, 7, 13, 60, 90, 240, 1440]),
    gateways=st.integers(1, 6),
    capacities=st.dictionaries(st.integers(0, 5), st.integers(1, 10**12)),
    comfortable=st.dictionaries(st.integers(0, 5), st.integers(1, 10**9)),
    rates=st.booleans(),
    most=st.sampled_from([2, 50, 30_000, 10**7]),
    seed=st.integers(0, 10**6),
)
def test_the_compiled_barrier_is_the_naive_one(minutes, gateways, capacities, comfortable, rates, most, seed):
    """Forty windows of any length and any crowd: the same row at every barrier, up to ten million at once."""
    known = [{g: parts for g, parts in given.items() if g < gateways} for given in (capacities, comfortable)]
    record = world_with(minutes, gateways, *known, rates)
    compiled, naive = Barrier(SimpleNamespace(record=record)), NaiveBarrier(record)
    assert compiled.needs_bookings == naive.needs_bookings
    for k in range(40):
        bookings, counts = random_sums(seed + k, gateways, most)
        bookings *= naive.needs_bookings
        np.testing.assert_array_equal(compiled.publish(bookings, counts), naive.publish(bookings, counts))


def test_what_is_beyond_the_room_is_refused():
    """Room for 30 an hour and 40 who come: a quarter is refused; when the hour is full, everybody is."""
    barrier = Barrier(SimpleNamespace(record=world_with(60, 2, {0: 30 * PARTS}, {})))
    bookings = NOBODY.copy()
    bookings[1] = 40
    assert barrier.publish(bookings, NOTHING)[REFUSED] == draws.ONE // 4
    halves = Barrier(SimpleNamespace(record=world_with(30, 2, {0: 30 * PARTS}, {})))
    bookings[1] = 30
    assert halves.publish(bookings, NOTHING)[REFUSED] == 0
    assert halves.publish(bookings, NOTHING)[REFUSED] == draws.ONE
    assert halves.publish(bookings, NOTHING)[REFUSED] == 0, "the first half hour lies behind"


@pytest.mark.parametrize(("came", "step"), [(0, 0), (10, 8), (20, 16), (1000, LOADS - 1)])
def test_load_is_the_last_hour_in_eighths_of_what_is_comfortable(came, step):
    """Ten an hour are comfortable: twenty are twice that, sixteen eighths."""
    barrier = Barrier(SimpleNamespace(record=world_with(60, 1, {}, {0: 10 * PARTS})))
    counts = NOTHING.copy()
    counts[0, 0] = came
    assert barrier.publish(NOBODY, counts)[SLOW] == step * 1000


def test_success_rates_are_those_of_the_last_day():
    """Nine of ten are believed before anything is known; after a day what was seen is forgotten."""
    barrier = Barrier(SimpleNamespace(record=world_with(720, 1, {}, {}, rates=True)))
    counts = NOTHING.copy()
    counts[0, 0], counts[1, 0] = 90, 41
    assert barrier.publish(NOBODY, counts)[RATE] == 500_000
    assert barrier.publish(NOBODY, NOTHING)[RATE] == 500_000
    assert barrier.publish(NOBODY, NOTHING)[RATE] == 900_000
