"""What many tests need: one tiny run, simulated once."""

from __future__ import annotations

import gc
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

import billing_sim

# The same examples every time, however slow the machine: a failure of today is one of tomorrow.
settings.register_profile("here", deadline=None, derandomize=True, database=None)
settings.load_profile("here")


# Collecting makes millions of things that stay, and looking through them again and again for rubbish took a tenth of
# the suite: until all tests are known nobody looks, and then only at what is new, and seldom.
gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Look for rubbish from here on, but not among the tests themselves."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Where tests run in several processes, compile every entry point before any of them starts, in two processes."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        from billing_sim.compiling import compile_all

        beside = subprocess.Popen(
            [sys.executable, "-c", "import billing_sim.drivers.forks, billing_sim.drivers.together"]
        )
        compile_all()
        for module in ("kernel", "paired", "acts", "desk_kernel", "splits"):
            importlib.import_module(f"billing_sim.drivers.{module}")
        beside.wait()


SCENARIOS = Path(__file__).parent.parent / "scenarios"


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> billing_sim.Run:
    """The first month with 200 members, its whole log kept; readers only."""
    folder = tmp_path_factory.mktemp("tiny") / "run"
    return billing_sim.run(SCENARIOS / "first_month.yaml", members=200, out=folder, workers=1)


@pytest.fixture(scope="session")
def busy_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[billing_sim.Run, billing_sim.Run]:
    """The same 700 people for four months, with an outage and dearer prices, and without; readers only."""
    from tests.picture_scenarios import BUSY, TROUBLE

    folder = tmp_path_factory.mktemp("busy")
    made = []
    for name, text in (("troubled", BUSY + TROUBLE), ("quiet", BUSY.replace("name: busy", "name: quiet"))):
        file = folder / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        made.append(billing_sim.run(file, out=folder / name, workers=1))
    return made[0], made[1]
