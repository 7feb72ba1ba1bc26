"""What many tests need: one tiny run, simulated once."""

from __future__ import annotations

import gc
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import billing_sim

# The same examples every time, however slow the machine: a failure of today is one of tomorrow.
settings.register_profile("here", deadline=None, derandomize=True, database=None)
settings.load_profile("here")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collecting makes hundreds of thousands of objects that stay: nobody looks for rubbish meanwhile, and afterwards
    only among what is new, and seldom (measured: a tenth of the processor time of some files)."""
    gc.disable()
    try:
        return (yield)
    finally:
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
