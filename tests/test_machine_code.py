"""Machine code on disk: one process at a time writes an entry point, and nobody reads half of it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager

import pytest
from numba import config

from billing_sim import rule
from billing_sim.rule import _alone, entry

TRY = "import sys; from filelock import FileLock; FileLock(sys.argv[1]).acquire(timeout=0)"


def taken(place) -> bool:
    """Whether another process finds this entry point locked."""
    found = subprocess.run([sys.executable, "-c", TRY, str(place)], capture_output=True, text=True, check=False)
    assert found.returncode in (0, 1)
    return "Timeout" in found.stderr


def test_an_entry_point_is_compiled_by_one_process_at_a_time(tmp_path):
    """While one compiles, others wait for that entry point, and for no other."""
    with _alone(tmp_path / "code", "kernel.run"):
        assert taken(tmp_path / "code" / "kernel.run.lock")
        assert not taken(tmp_path / "code" / "fold.read.lock")
    assert not taken(tmp_path / "code" / "kernel.run.lock")


def test_a_folder_that_cannot_be_made_stops_nobody(tmp_path):
    """Code is then compiled for this process alone."""
    (tmp_path / "file").write_text("")
    entered = False
    with _alone(tmp_path / "file" / "code", "kernel.run"):
        entered = True
    assert entered


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
def test_an_entry_point_is_looked_for_and_compiled_alone(monkeypatch, tmp_path):
    """Whether its code is there is asked under the lock, and the rules beneath it are compiled under it."""
    happened = []

    @contextmanager
    def alone(_folder, name):
        happened.append(f"alone with {name}")
        yield
        happened.append("over")

    monkeypatch.setattr(rule, "_alone", alone)
    monkeypatch.setattr(rule, "compile_rules", lambda: happened.append("rules"))
    monkeypatch.setattr(rule, "cache_folder", lambda _packages: tmp_path)
    compile_it = rule._compile
    monkeypatch.setattr(rule, "_compile", lambda *what: (happened.append("entry"), compile_it(*what)))

    def nothing():
        """Never compiled, so never in the cache."""

    nothing.__module__ = "billing_sim.drivers.idle"
    entry("void()")(nothing)
    assert happened == ["alone with idle.nothing", "rules", "entry", "over"]


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
def test_what_lies_beneath_the_rules_does_not_pass_for_them(monkeypatch, tmp_path):
    """Importing draws compiles them; the first run is announced, and shared out to two processes, all the same."""
    monkeypatch.setattr(rule, "cache_folder", lambda: tmp_path)
    (tmp_path / "draws").mkdir()
    (tmp_path / "draws" / "draws.draw-81.py311.nbi").write_text("")
    assert not rule.is_compiled()
    (tmp_path / "draws" / "kernel._engine-77.py311.nbi").write_text("")
    assert rule.is_compiled()
