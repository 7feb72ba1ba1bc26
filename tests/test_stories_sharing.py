"""Experiments among people who share something: both drivers agree, and arms change one another."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from billing_sim import events
from billing_sim.world.experiments import force_arm
from tests.world_builder import changed, digests, laid_over, log_of, world_of
from tests.world_texts import BUSY, QUIET
from tests.world_texts_experiments import MANY
from tests.world_texts_load import BUSY_GATEWAYS
from tests.world_texts_support import CROWDED, desk

TROUBLED = """
end: 2025-05-01
members: 60
markets: {US: {behaviour: {first_attempt_failure: {credit: 20%}, has_other_means: 50%}}}
experiments:
  card_test:
    enrol: start
    arms:
      control: {share: 50%}
      careless: {share: 50%, change: {markets: {US: {behaviour: {first_attempt_failure: {credit: 90%}}}}}}
"""
"""Half of the members are billed by something that mostly fails at first, and who fails calls."""

ONE_AGENT = desk(action="link", agents=1, hours="[9, 10]", cancels="50%", again="60%").replace("8 min", "2 hours")


@cache
def of_troubled(more: str = "", arm: str = ""):
    """The log of the troubled world, or of the one in which everybody is in an arm."""
    world = world_of(more, laid_over(QUIET, TROUBLED))
    return log_of(force_arm(world, "card_test", arm) if arm else world)


def in_control(log) -> list[int]:
    """Everybody whom a row enrols in the first arm."""
    rows = log.rows[log.rows["kind"] == events.EXPERIMENT_ENROLLED]
    return rows["subscriber"][rows["arm"] == log.world.names.arms.index("card_test/control")].tolist()


def touched(more: str = "") -> set[int]:
    """Who of the control arm lives otherwise because the others are careless."""
    mixed = of_troubled(more)
    return changed(mixed, of_troubled(more, "control")) & set(in_control(mixed))


def test_an_arm_that_calls_more_makes_the_other_wait():
    """With one agent for an hour a day, some of the control arm wait otherwise, and live on otherwise after that."""
    mixed, alone = of_troubled(ONE_AGENT), of_troubled(ONE_AGENT, "control")
    found = {first_difference(mixed.of(who), alone.of(who)) for who in touched(ONE_AGENT)}
    assert found
    assert found <= {events.CONTACT_ANSWERED, events.CONTACT_ABANDONED}


def first_difference(one: np.ndarray, other: np.ndarray) -> int:
    """The kind of the first row that is another one."""
    pairs = zip(one, other, strict=False)
    return next(int(a["kind"]) for a, b in pairs if a.tobytes() != b.tobytes())


def test_without_a_desk_nobody_feels_the_other_arm():
    """The same experiment where nobody shares anything: the control arm lives the same lives to the byte."""
    assert touched() == set()


@pytest.mark.parametrize(
    ("base", "texts", "members"),
    [(BUSY, (MANY, CROWDED, BUSY_GATEWAYS), 60), (QUIET, (TROUBLED, ONE_AGENT), 40)],
)
def test_both_drivers_agree_where_people_share(base, texts, members):
    """Rows and sealed truths with every moment of enrolment, a desk and gateways that are full."""
    world = world_of(f"members: {members}", laid_over(base, *texts))
    assert world.is_coupled
    assert world.record.enrolling[0] > 0
    assert digests(world, "batch") == digests(world, "simpy")
