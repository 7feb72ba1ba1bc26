"""Any features together, with any values: both drivers agree, and the log keeps its promises.

`python -m tests.test_random_worlds 3000` tries so many (`make fuzz`); the suite tries a few hundred.
Windows may be of any length here, so the promise about hours is left to other tests.
"""

from __future__ import annotations

import sys

import pytest
from hypothesis import HealthCheck, assume, given, settings

from tests.log_promises import CHECKS, decisions_wait_for_their_window, read
from tests.random_worlds import SHARED, compiled, content_of, leaves, scenario_schema, scenarios, switches
from tests.world_builder import log_of

EXAMPLES = 150


def check(content) -> None:
    """One world: the same rows from both drivers, and no promise broken."""
    world = compiled(content)
    assume(world is not None)
    batch, simpy = log_of(world, "batch"), log_of(world, "simpy")
    assert batch.rows.tobytes() == simpy.rows.tobytes()
    assert batch.truths.tobytes() == simpy.truths.tobytes()
    kept = [it for it in CHECKS if it is not decisions_wait_for_their_window]
    lives = [read(rows) for _, rows in batch.lives()]
    assert [wrong for life in lives for it in kept for wrong in it(life)] == []


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(scenarios(without=SHARED))
def test_drivers_agree_on_any_features_together(content):
    """Worlds that nobody thought of, of people who live one after the other."""
    check(content)


@settings(max_examples=EXAMPLES // 3, suppress_health_check=list(HealthCheck))
@given(scenarios(always=SHARED))
def test_drivers_agree_where_people_share_something(content):
    """The same with gateways that are full and a desk that is busy: everybody lives at once."""
    check(content)


@pytest.mark.parametrize("name", ["none", *switches()])
def test_every_noun_can_be_laid_over_the_busy_world(name):
    """What the random worlds are built from is itself a legal scenario, and has values to exchange."""
    content = content_of(() if name == "none" else (name,))
    assert compiled(content) is not None
    schema = scenario_schema()
    assert len(list(leaves(content, schema, schema["$defs"]))) > 100


if __name__ == "__main__":
    healthy = list(HealthCheck)
    many = settings(max_examples=int(sys.argv[1]), derandomize=False, deadline=None, suppress_health_check=healthy)
    many(given(scenarios())(check))()
    print(f"{sys.argv[1]} random worlds: both drivers agree on each, and every promise is kept.")
