"""The support desk as a queue: the same as a model of it in SimPy, event for event, and as the formulas of Erlang say.

The desk under test serves windows one after the other; its witness is one SimPy environment from the first request to
the last, in which people wait at the desk and leave it by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pytest
import simpy

from billing_sim.clock import HOUR, MINUTE, NEVER, SECOND
from billing_sim.drivers.desk import Desk
from billing_sim.drivers.requests import EFFECT, REQUEST, SUPPORT, in_order
from billing_sim.lifecycle.support import ABANDONED, ANSWERED, COMPLETED
from billing_sim.world.quantiles import exponential
from billing_sim.world.record import WEEK_HOURS, new_world

MONDAY = 20_089 * 24 * HOUR
"""The first instant of Monday, 2025-01-06."""

CHAT, PHONE, EMAIL = range(3)


def world_with(*desks: dict[int, int], channels: tuple[int, int, int] = (0, 0, 0)) -> np.recarray:
    """A world whose desks have, from each of these hours of every day on, so many agents."""
    world = new_world()
    world.staff_epochs[0], world.desk_of[0] = 1, channels
    for d, agents in enumerate(desks):
        for hour in range(WEEK_HOURS):
            begun = max((since for since in agents if since <= hour % 24), default=0)
            world.staff[0, 0, d, hour] = agents.get(begun, 0)
    return world


def requests_of(rows: list[tuple[int, int, int, int]]) -> np.ndarray:
    """Requests from (at, channel, patience, service), subscribers numbered in the order given."""
    made = np.zeros(len(rows), REQUEST)
    for i, (at, channel, patience, service) in enumerate(rows):
        made[i] = (MONDAY + at, 100 + i, i, SUPPORT, channel, patience, service)
    return in_order(made)


def served(world: np.recarray, requests: np.ndarray, hours: int, window: int = HOUR) -> np.ndarray:
    """Every effect of these requests until so many hours are over, a window at a time."""
    desk, told = Desk(world), [np.zeros(0, EFFECT)]
    for begin in range(MONDAY, MONDAY + hours * HOUR, window):
        came = requests[(requests["at"] >= begin) & (requests["at"] < begin + window)]
        effects = desk.serve(came, begin, begin + window)
        assert (effects["at"] < begin + window).all()
        told.append(effects)
    return in_order(np.concatenate(told))


class Witness:
    """The same department in SimPy: people in a line, agents who call the next one when they are free and on shift."""

    def __init__(self, world: np.recarray, requests: np.ndarray, hours: int) -> None:
        self.env = simpy.Environment(MONDAY)
        self.world, self.effects = world, []
        self.lines: list[list[tuple[np.void, simpy.Event]]] = [[], [], []]
        self.busy: list[set[int]] = [set(), set(), set()]
        self.env.process(self.bell(hours))
        for request in requests:
            self.env.process(self.person(request))
        self.env.run(until=MONDAY + hours * HOUR)

    def on_shift(self, desk: int) -> int:
        epoch = (
            sum(int(self.world.staff_from[0, e]) <= self.env.now for e in range(int(self.world.staff_epochs[0]))) - 1
        )
        return int(self.world.staff[0, epoch, desk, (self.env.now - MONDAY) // HOUR % WEEK_HOURS])

    def bell(self, hours: int) -> Iterator[simpy.Event]:
        """Shifts change on the hour, and when staffing does."""
        moments = {MONDAY + hour * HOUR for hour in range(hours)} | {int(at) for at in self.world.staff_from[0]}
        for at in sorted(moment for moment in moments if moment >= MONDAY):
            yield self.env.timeout(at - self.env.now)
            for desk in range(3):
                self.call(desk)

    def call(self, desk: int) -> None:
        """Free agents on shift call whoever has waited longest, the lowest number first."""
        free = [agent for agent in range(self.on_shift(desk)) if agent not in self.busy[desk]]
        for agent in free[: len(self.lines[desk])]:
            called = self.lines[desk].pop(0)[1]
            self.busy[desk].add(agent)
            called.succeed(agent)

    def person(self, request: np.void) -> Iterator[simpy.Event]:
        """Come, wait, be served or leave."""
        yield self.env.timeout(int(request["at"]) - self.env.now)
        desk = int(self.world.desk_of[0, request["detail"]])
        called = self.env.event()
        self.lines[desk].append((request, called))
        self.call(desk)
        patience = self.env.timeout(int(request["patience"])) if request["patience"] < NEVER else self.env.event()
        yield called | patience
        if not called.triggered:
            self.lines[desk].remove((request, called))
            self.tell(request, ABANDONED, 0)
            return
        agent = called.value
        self.tell(request, ANSWERED, agent + 1)
        yield self.env.timeout(int(request["service"]))
        self.busy[desk].remove(agent)
        self.tell(request, COMPLETED, agent + 1, int(request["service"]))
        self.call(desk)

    def tell(self, request: np.void, outcome: int, agent: int, ago: int = 0) -> None:
        """Write an effect as the desk does: the wait is that of the answer."""
        wait = self.env.now - ago - int(request["at"])
        who = (request["subscriber"], request["place"], request["queue"], request["detail"])
        self.effects.append((self.env.now, *who, outcome, wait, agent))


def witnessed(world: np.recarray, requests: np.ndarray, hours: int) -> np.ndarray:
    """Every effect that the witness saw."""
    return in_order(np.array(Witness(world, requests, hours).effects, EFFECT))


def random_requests(seed: int, count: int, hours: int) -> np.ndarray:
    """Requests of all channels, e-mail waiting without end."""
    chance = np.random.default_rng(seed)
    at = np.sort(chance.integers(0, hours * HOUR, count))
    channel = chance.integers(0, 3, count)
    patience = np.where(channel == EMAIL, NEVER, chance.integers(SECOND, 40 * MINUTE, count))
    service = chance.integers(SECOND, 30 * MINUTE, count)
    return requests_of(list(zip(at.tolist(), channel.tolist(), patience.tolist(), service.tolist(), strict=True)))


def busy_department() -> np.recarray:
    """Chat and phone pooled by day with few at night; e-mail in office hours; from Tuesday noon on half are away."""
    world = world_with({0: 1, 8: 5, 20: 2}, {9: 2, 17: 0}, channels=(0, 0, 1))
    world.staff_epochs[0] = 2
    world.staff_from[0, 1] = MONDAY + 36 * HOUR + 20 * MINUTE
    world.staff[0, 1] = (world.staff[0, 0] + 1) // 2
    return world


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [300, 2500])
def test_a_model_in_simpy_sees_the_same(seed, count):
    """Quiet and overrun, over shifts that end in mid-contact and a staff that shrinks: every effect, agent and wait."""
    world, requests = busy_department(), random_requests(seed, count, 72)
    effects, expected = served(world, requests, 72), witnessed(world, requests, 72)
    assert len(effects) > count
    assert effects.tolist() == expected.tolist()


def test_the_window_decides_nothing():
    """Exact across windows: halves, hours and one window of three days tell the same."""
    world, requests = busy_department(), random_requests(7, 1500, 72)
    tales = [served(world, requests, 72, window).tolist() for window in (HOUR // 2, HOUR, 72 * HOUR)]
    assert tales[0] == tales[1] == tales[2]


def test_nobody_is_lost():
    """Who came was answered, has given up, or waits; who was answered is done, or is being served."""
    world, requests = busy_department(), random_requests(11, 2500, 72)
    desk, counts = Desk(world), dict.fromkeys((ANSWERED, ABANDONED, COMPLETED), 0)
    for begin in range(MONDAY, MONDAY + 72 * HOUR, HOUR):
        came = requests[(requests["at"] >= begin) & (requests["at"] < begin + HOUR)]
        for outcome in desk.serve(came, begin, begin + HOUR)["outcome"].tolist():
            counts[outcome] += 1
    assert counts[ANSWERED] + counts[ABANDONED] + desk.waiting == len(requests)
    assert 0 <= counts[ANSWERED] - counts[COMPLETED] <= 7
    assert min(counts[ABANDONED], desk.waiting) > 0


def test_agents_are_called_in_order_and_finish_what_they_have():
    """Two agents until nine o'clock, one from then on; whoever comes third waits for the first to be free."""
    world = world_with({0: 2, 9: 1})
    eight = 8 * HOUR
    requests = requests_of([
        (eight + 50 * MINUTE, CHAT, HOUR, 30 * MINUTE),
        (eight + 51 * MINUTE, CHAT, HOUR, 20 * MINUTE),
        (eight + 52 * MINUTE, CHAT, HOUR, 5 * MINUTE),
        (eight + 53 * MINUTE, CHAT, 10 * MINUTE, 5 * MINUTE),
    ])  # fmt: skip
    told = [
        (int(it["at"] - MONDAY - eight) // MINUTE, int(it["subscriber"]), int(it["outcome"]), int(it["agent"]))
        for it in served(world, requests, 12)
    ]
    assert told == [
        (50, 100, ANSWERED, 1),
        (51, 101, ANSWERED, 2),
        (63, 103, ABANDONED, 0),
        (71, 101, COMPLETED, 2),
        (80, 100, COMPLETED, 1),
        (80, 102, ANSWERED, 1),
        (85, 102, COMPLETED, 1),
    ]


def test_who_is_reached_when_patience_ends_is_served():
    """At the very moment, not a microsecond later."""
    world = world_with({0: 1})
    for late, outcome in ((0, ANSWERED), (1, ABANDONED)):
        requests = requests_of([(0, CHAT, HOUR, 10 * MINUTE + late), (0, CHAT, 10 * MINUTE, MINUTE)])
        last = next(it for it in served(world, requests, 2) if it["subscriber"] == 101)
        assert (last["outcome"], last["wait"]) == (outcome, 10 * MINUTE)


def test_whoever_comes_beside_waits_as_the_others_make_them_wait():
    """Three with one agent until the hour: each meets the same queue, and none of the other two."""
    world = world_with({0: 1})
    others = requests_of([(0, CHAT, NEVER, 40 * MINUTE)])
    extra = requests_of(
        [(0, CHAT, NEVER, MINUTE), (10 * MINUTE, CHAT, NEVER, MINUTE), (10 * MINUTE, CHAT, 5 * MINUTE, MINUTE)]
    )
    told = Desk(world).serve_beside(extra, others, MONDAY, MONDAY + HOUR)
    assert sorted((int(it["wait"]) // MINUTE, int(it["outcome"])) for it in told if it["outcome"] != COMPLETED) == [
        (0, ANSWERED), (5, ABANDONED), (30, ANSWERED),
    ]  # fmt: skip


def test_who_asks_as_in_the_world_of_the_others_is_answered_as_there():
    """A crowd over a day, each of them once more beside all of them: nothing is different."""
    world, rng = world_with({0: 1, 9: 2, 17: 0, 24: 1}), np.random.default_rng(3)
    crowd = requests_of([
        (int(at) * MINUTE, CHAT, int(patience) * MINUTE, int(service) * MINUTE)
        for at, patience, service in zip(
            np.sort(rng.integers(0, 24 * 60, 120)), rng.integers(5, 300, 120), rng.integers(1, 40, 120), strict=True
        )
    ])  # fmt: skip
    own, beside = Desk(world), Desk(world)
    for k in range(36):
        begin, end = MONDAY + k * HOUR, MONDAY + (k + 1) * HOUR
        now = crowd[(crowd["at"] >= begin) & (crowd["at"] < end)]
        assert own.serve(now, begin, end).tobytes() == beside.serve_beside(now, now, begin, end).tobytes()


# Closed forms: M/M/c (Erlang C) and M/M/c+M (Erlang A, Palm 1957; Mandelbaum and Zeltyn 2007), times in minutes.
ARRIVALS, HANDLING, AGENTS = 0.5, 6.0, 4


def erlang_c() -> float:
    """Mean wait in M/M/c."""
    load = ARRIVALS * HANDLING
    tail = load**AGENTS / math.factorial(AGENTS) * AGENTS / (AGENTS - load)
    waits = tail / (sum(load**k / math.factorial(k) for k in range(AGENTS)) + tail)
    return waits * HANDLING / (AGENTS - load)


def erlang_a(patience: float) -> tuple[float, float]:
    """Mean wait and share of those who give up in M/M/c+M, from the stationary distribution of the number present."""
    weights = [1.0]
    for k in range(1, 400):
        leaving = min(k, AGENTS) / HANDLING + max(k - AGENTS, 0) / patience
        weights.append(weights[-1] * ARRIVALS / leaving)
    waiting = sum(weight * max(k - AGENTS, 0) for k, weight in enumerate(weights)) / sum(weights)
    return waiting / ARRIVALS, waiting / patience / ARRIVALS


def simulated(seed: int, patience: float | None) -> tuple[float, float]:
    """Mean wait in minutes and share of those who give up, over twenty weeks of a desk with steady arrivals."""
    chance = np.random.default_rng(seed)
    hours = 20 * WEEK_HOURS
    at = np.cumsum(chance.exponential(1 / ARRIVALS, int(hours * 60 * ARRIVALS * 1.1)))
    at = (at[at < hours * 60] * MINUTE).astype(np.int64)
    tables = [np.array(exponential(4096, int(mean * MINUTE))) for mean in (HANDLING, patience or 1)]
    service, waits = (table[chance.integers(0, 4096, len(at))] for table in tables)
    made = np.zeros(len(at), REQUEST)
    made["at"], made["subscriber"], made["service"] = MONDAY + at, np.arange(len(at)), service
    made["patience"] = waits if patience else NEVER
    effects = served(world_with({0: AGENTS}), made, hours + 8, WEEK_HOURS * HOUR)
    settled = effects[effects["outcome"] != COMPLETED]
    return settled["wait"].mean() / MINUTE, (settled["outcome"] == ABANDONED).mean()


def _interval(values: list[float]) -> tuple[float, float]:
    half = 4 * np.std(values, ddof=1) / math.sqrt(len(values))
    return np.mean(values) - half, np.mean(values) + half


def test_mean_waits_are_those_of_erlang():
    """Within four standard errors over eight seeds: without giving up, and with a mean patience of four minutes."""
    patient = [simulated(seed, None)[0] for seed in range(8)]
    low, high = _interval(patient)
    assert low < erlang_c() < high
    assert high / low < Decimal("1.3")
    hasty = [simulated(seed, 4.0) for seed in range(8)]
    for measured, formula in zip(zip(*hasty, strict=True), erlang_a(4.0), strict=True):
        low, high = _interval([*measured])
        assert low < formula < high
        assert high / low < Decimal("1.3")
