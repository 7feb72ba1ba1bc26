"""Help answers at once, in plain words, and a slip of the finger gets a hint."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cli_caller import call, in_a_process

__all__ = ["call"]
HEAVY = ("numpy", "pandas", "pydantic", "duckdb", "numba", "pyarrow", "simpy", "yaml", "ruamel", "faker", "rich")
COMMANDS = (
    "run", "check", "views", "compare", "metrics", "goals", "trace", "truth", "dunning", "stress", "game", "flip",
    "museum", "challenge", "export", "programmes", "schema", "calibrate", "fit", "sensitivity",
)  # fmt: skip
HELP_AND_LIST = f"""
import json, sys
from billing_sim.cli import main
sys.argv = ["billing-sim", "--help"]
try:
    main()
except SystemExit as end:
    print(json.dumps([end.code, [name for name in {HEAVY!r} if name in sys.modules]]))
"""


def test_help_loads_nothing_heavy():
    """Importing any of these would make `--help` wait."""
    done = subprocess.run([sys.executable, "-c", HELP_AND_LIST], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]
    assert all(f" {command} " in done.stdout for command in COMMANDS)


def test_the_package_alone_loads_nothing_heavy():
    """`import billing_sim` is free until something is used."""
    program = f"import sys, billing_sim; print([name for name in {(*HEAVY, 'typer')!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_main_help_ends_with_the_exit_codes(call):
    """Scripts need to know what a code means."""
    answer = call("--help")
    assert answer.code == 0
    assert [line.split(None, 1)[0] for line in answer.out.splitlines()[-4:]] == ["0", "1", "2", "130"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(call, command):
    """What it does, then one that can be typed."""
    answer = call(command, "--help")
    assert answer.code == 0
    assert answer.out.splitlines()[-1].startswith(f"  Example:  billing-sim {command} ")
    assert max(map(len, answer.out.splitlines())) <= 80


def test_version(call):
    """The installed version, alone."""
    answer = call("--version")
    assert (answer.code, answer.out) == (0, f"billing-sim {version('billing_sim')}\n")


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["vews"], "Did you mean 'views'?"),
        (["run", "--sede", "3", "x.yaml"], "--seed"),
        (["run", "x.yaml", "--format", "xml"], "'table', 'json', 'csv'"),
        (["run", "x.yaml", "--members", "0"], "--members"),
        (["run"], "SCENARIO"),
        (["schema", "evens"], "'events'"),
        (["trace", "some_run"], "US-17"),
        (["trace", "some_run", "US-1", "--find", "recovered"], "US-17"),
    ],
)
def test_wrong_usage_is_code_2_with_a_hint(call, args, hint):
    """Nothing runs, and stdout stays empty for whoever reads it."""
    answer = call(*args)
    assert (answer.code, answer.out) == (2, "")
    assert hint in answer.err
    assert "Traceback" not in answer.err


def test_a_defect_of_ours_keeps_its_traceback(call, monkeypatch):
    """Only what users can mend is put into plain words."""
    monkeypatch.setattr("billing_sim.scenario.file_schema.json_schema", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call("schema", "scenario")


def test_the_module_is_the_command():
    """`python -m billing_sim` works where no script is on the path, and calls itself billing-sim."""
    answer = in_a_process("chek")
    assert (answer.code, answer.out) == (2, "")
    assert "Usage: billing-sim" in answer.err
    assert "Did you mean 'check'" in answer.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
@pytest.mark.parametrize("words", [("--version",), ("metrics", "--format", "json")])
def test_a_full_disk_is_told_in_a_line(words):
    """Whether it turns out while writing or at the end."""
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "billing_sim", *words]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "o space left" in done.stderr
