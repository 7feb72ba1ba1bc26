"""Machine code on disk: one process at a time writes an entry point, and nobody reads half of it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from contextlib import contextmanager

import pytest
from numba import config

from billing_sim import news, rule
from billing_sim.rule import _alone, entry

needs_compiler = pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")

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


@pytest.fixture
def happened(monkeypatch, tmp_path):
    """What happens when an entry point is defined, with an empty cache."""
    happened = []

    @contextmanager
    def alone(_folder, name):
        happened.append(f"alone with {name}")
        yield
        happened.append("over")

    monkeypatch.setattr(rule, "_alone", alone)
    monkeypatch.setattr(rule, "compile_rules", lambda _entry: happened.append("rules"))
    monkeypatch.setattr(rule, "cache_folder", lambda _packages: tmp_path / "code")
    yield happened
    sys.modules.pop("billing_sim.drivers.idle", None)


def define(place):
    """Define an entry point in a source file of its own."""
    place.mkdir(exist_ok=True)
    source = place / "idle.py"
    source.write_text("def nothing():\n    pass\n")
    spec = importlib.util.spec_from_file_location("billing_sim.drivers.idle", source)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    entry("void()", long="nothing")(module.nothing)()


@needs_compiler
def test_rules_are_compiled_under_the_lock_and_only_for_what_is_not_kept(happened, monkeypatch, tmp_path):
    """The rules beneath an entry point are compiled once, which is said before; afterwards its code is there."""
    monkeypatch.setattr(news, "_listeners", [lambda text: happened.append(text.partition(",")[0])])
    define(tmp_path / "sources")
    assert happened == ["alone with idle.nothing", "Compiling nothing", "rules", "over"]
    happened.clear()
    define(tmp_path / "sources")
    assert happened == ["alone with idle.nothing", "over"]


@needs_compiler
def test_another_checkout_finds_the_code_of_the_same_sources(happened, tmp_path):
    """It once found the folder and not the code: everything was compiled without a word, one rule at a time."""
    define(tmp_path / "sources")
    happened.clear()
    define(tmp_path / "elsewhere")
    assert happened == ["alone with idle.nothing", "over"]


@needs_compiler
def test_code_that_was_lost_is_made_again(happened, tmp_path):
    """An index without its code is no code."""
    define(tmp_path / "sources")
    for code in (tmp_path / "code").glob("*.nbc"):
        code.unlink()
    happened.clear()
    define(tmp_path / "sources")
    assert happened == ["alone with idle.nothing", "rules", "over"]


@needs_compiler
def test_code_is_kept_apart_for_every_processor(monkeypatch):
    """Two processors of one name may differ in what they can do, and code for the one is none for the other."""
    codegen = rule.cpu_target.target_context.codegen()
    folder = rule.cache_folder()
    triple, name, features = codegen.magic_tuple()
    monkeypatch.setattr(type(codegen), "magic_tuple", lambda _self: (triple, name, features + ",-avx2"))
    for kept in (rule.cache_folder, rule._machine):
        kept.cache_clear()
    try:
        assert rule.cache_folder() != folder
    finally:
        monkeypatch.undo()
        for kept in (rule.cache_folder, rule._machine):
            kept.cache_clear()
    assert rule.cache_folder() == folder


@needs_compiler
def test_what_lies_beneath_the_rules_does_not_pass_for_them(monkeypatch, tmp_path):
    """Importing draws compiles them; the first run is announced, and shared out to two processes, all the same."""
    monkeypatch.setattr(rule, "cache_folder", lambda: tmp_path)
    (tmp_path / "draws.draw-billing_sim-81.py311.1.nbc").write_text("")
    assert not rule.is_compiled()
    (tmp_path / "kernel._engine-drivers-77.py311.nbi").write_text("")
    assert not rule.is_compiled(), "an index alone is no code"
    (tmp_path / "kernel._engine-drivers-77.py311.1.nbc").write_text("")
    assert rule.is_compiled()
