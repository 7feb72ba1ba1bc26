"""What many tests need: one tiny run, simulated once."""

from __future__ import annotations

from pathlib import Path

import pytest

import billing_sim

SCENARIOS = Path(__file__).parent.parent / "scenarios"


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> billing_sim.Run:
    """The first month with 200 members, its whole log kept; readers only."""
    folder = tmp_path_factory.mktemp("tiny") / "run"
    return billing_sim.run(SCENARIOS / "first_month.yaml", members=200, out=folder, workers=1)
