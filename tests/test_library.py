"""The scenarios that are shipped: each tells its story first, runs, and comes to what it says must come out."""

from __future__ import annotations

from pathlib import Path

import pytest

import billing_sim
from billing_sim.expectations import findings, read_expectations
from billing_sim.scenario import load
from tests.conftest import SCENARIOS
from tests.world_builder import digests, world_of_file

LIBRARY = sorted(SCENARIOS.glob("*.yaml"))
OWN_SIZE = [path for path in LIBRARY if load(path).scenario.expect]
FEW = 40
"""Members with which both drivers are compared."""


def name_of(path: Path) -> str:
    """How a test names a scenario."""
    return path.stem


@pytest.mark.parametrize("path", LIBRARY, ids=name_of)
def test_a_scenario_tells_its_story_first_and_says_what_to_expect(path):
    """It opens with a comment, is named as its file, and says what must come out.

    Goals would do as well, but every scenario has those that it takes over.
    """
    scenario = load(path).scenario
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert (scenario.name, bool(scenario.about)) == (path.stem, True)
    assert scenario.expect


@pytest.mark.parametrize("path", OWN_SIZE, ids=name_of)
def test_what_a_scenario_expects_comes_out(path, tmp_path):
    """At its own size and with its own seed."""
    run = billing_sim.run(path, out=tmp_path / "run", log="none")
    found = findings(read_expectations(path), run.known_at(None), dict(run.manifest.result.kinds))
    assert [(it.what, it.found) for it in found if not it.holds] == []


@pytest.mark.parametrize("path", LIBRARY, ids=name_of)
def test_both_drivers_live_the_same_lives(path):
    """One digest of everything that happened, and one of the sealed truth."""
    world = world_of_file(path.name, FEW)
    assert digests(world, "batch") == digests(world, "simpy")
