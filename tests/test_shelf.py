"""Compiled rules on disk: whoever needs them first compiles them, and everybody else finds them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from numba import config

from billing_sim.rule import packages_of, source_files

pytestmark = pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")

RULES = """
from numba import types
from billing_sim.rule import rule

_Int = types.int64

def multiplier(factor):
    @rule(_Int(_Int))
    def multiply(number):
        return factor * number
    return multiply

double, triple = multiplier(2), multiplier(3)

@rule(_Int(_Int), inline=True)
def half(number):
    return number // 2
"""
ENTRIES = """
from numba import types
from billing_sim.rule import entry, rule
from billing_sim.drivers import little_rules
from billing_sim.drivers.little_rules import double, triple

@rule(types.int64(types.int64))
def six_times(number):
    return double(triple(number))

@entry(types.int64(types.int64))
def work(number):
    return six_times(number) + little_rules.half(number)
"""
RUN = """
import importlib.util, json, sys
from billing_sim import linking

made = []
compile_rule = linking.Rule.compile
linking.Rule.compile = lambda rule: (made.append(rule.name.rpartition(".drivers.")[2]), compile_rule(rule))
for name in ("little_rules", "little_work"):
    spec = importlib.util.spec_from_file_location(f"billing_sim.drivers.{name}", f"{sys.argv[1]}/{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    sys.modules["billing_sim.drivers"] = importlib.import_module("billing_sim.drivers")
    setattr(sys.modules["billing_sim.drivers"], name, module)
    spec.loader.exec_module(module)
print(json.dumps([module.work(7), [name for name in made if name.startswith("little")]]))
"""
ALL = [
    "little_rules.multiplier.<locals>.multiply", "little_rules.multiplier.<locals>.multiply.1",
    "little_rules.half", "little_work.six_times",
]  # fmt: skip
ANSWER = 6 * 7 + 3


@pytest.fixture
def place(tmp_path) -> Path:
    """Two modules of rules, far from the others."""
    (tmp_path / "little_rules.py").write_text(RULES)
    (tmp_path / "little_work.py").write_text(ENTRIES)
    return tmp_path


def begin(place: Path) -> subprocess.Popen[str]:
    """A process that works with them, with a cache of its own."""
    told = {**os.environ, "BILLING_SIM_CACHE": str(place / "code")}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(place)], env=told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def end(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """What it worked out, and which rules it compiled for that."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    answer, made = json.loads(out)
    return answer, made


def forget_entries(place: Path) -> None:
    """Remove the machine code of the entry point, so that its rules are wanted again."""
    for code in place.glob("code/*/little_work.*.nb?"):
        code.unlink()


def test_rules_are_compiled_once_and_found_by_later_processes(place):
    """Those that one function makes have one name in Python: once they were one in machine code too."""
    assert end(begin(place)) == (ANSWER, ALL)
    forget_entries(place)
    assert end(begin(place)) == (ANSWER, [])


@pytest.mark.parametrize("damage", [b"", b"nonsense", None], ids=["empty", "nonsense", "half"])
def test_damaged_code_is_made_again(place, damage):
    """And only that of the module that it is of."""
    end(begin(place))
    forget_entries(place)
    (kept,) = place.glob("code/*/rules/drivers.little_rules-*.bitcode")
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert end(begin(place)) == (ANSWER, ALL[:3])
    assert kept.read_bytes() == whole


def test_what_another_process_is_compiling_is_waited_for_and_not_compiled_again(place):
    """Here the other one has it finished when it lets go."""
    end(begin(place))
    forget_entries(place)
    (kept,) = place.glob("code/*/rules/drivers.little_rules-*.bitcode")
    finished = kept.rename(kept.with_suffix(".finished"))
    with FileLock(kept.with_suffix(".lock")):
        waiting = begin(place)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(4)
        finished.rename(kept)
    assert end(waiting) == (ANSWER, [])


def test_a_folder_that_cannot_be_written_to_stops_nobody(place):
    """Every process then compiles for itself."""
    (place / "code").write_text("a file where the folder should be")
    assert end(begin(place)) == (ANSWER, ALL)


def test_an_edit_of_any_rule_is_an_edit_of_its_folder():
    """A module whose rules are kept in a folder is one of the sources by which that folder is named."""
    root = Path(__file__).parent.parent / "billing_sim"
    seen = 0
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "@rule(" in text or "@entry(" in text:
            module = "billing_sim." + path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
            assert path in source_files(packages_of(module)), path
            seen += 1
    assert seen > 60
