"""Imports point down, from the entry to the ground, in every file of the package."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import billing_sim

ROOT = Path(billing_sim.__file__).parent
LAYERS = {
    "ground": "errors given money clock draws purposes declines events people rule rule_code linking shelf quick_start "
    "news giving_way text_tables",
    "input": "scenario",
    "world": "world",
    "rules": "lifecycle",
    "movers": "drivers",
    "store": "runs",
    "readers": "facts metrics",
    "wiring": "simulate identity recorded crew steps compiling",
    "studies": "campaigns trace stress truth dunning_ranking goal_sheets comparison expectations experiments "
    "export challenges museum pictures calibration programmes",
    "entry": "cli report result upshot frames metric_frame nearby __init__ __main__",
}
"""The rooms of the house, from the ground up."""

LEVEL = {room: level for level, rooms in enumerate(LAYERS.values()) for room in rooms.split()}
EXCEPTIONS = {("runs", "facts.schema")}
"""The store writes tables whose columns the facts' schema names; it is data."""

CLOSED = {("facts", "world"): {"world.record"}, ("metrics", "world"): set(), ("facts", "lifecycle"): set(),
          ("metrics", "lifecycle"): set(), ("facts", "drivers"): set(), ("metrics", "drivers"): set()}  # fmt: skip
"""Judges never import producers; the fold borrows the capacities of the world's tables, and nothing else."""

TOOLS = {
    "typer": {"cli"},
    "rich": {
        "calibration", "cli", "comparison", "dunning_ranking", "experiments", "metrics", "result", "stress", "truth",
    },
    "simpy": {"drivers"},
    "ray": {"drivers"},
    "pyarrow": {
        "calibration", "experiments", "facts", "frames", "metrics", "result", "runs", "stress", "trace", "truth",
    },
    "duckdb": {
        "calibration", "challenges", "comparison", "export", "goal_sheets", "metrics", "museum", "pictures", "result",
        "stress", "trace", "truth",
    },
    "pydantic": {"calibration", "metrics", "museum", "programmes", "scenario", "stress", "truth"},
    "ruamel": {"scenario"},
    "yaml": {"calibration", "scenario", "truth"},
    "altair": {"calibration", "pictures"},
    "scipy": {"calibration"},
    "jinja2": {"report"},
    "vl_convert": {"pictures"},
    "random": set(),
    "secrets": set(),
    # Between processes of our own, through a pipe; never from a file.
    "pickle": {"stress"},
}  # fmt: skip
"""Where a third-party tool, or a source of chance, may be imported."""


def imports(file: Path, package: tuple[str, ...]) -> Iterator[str]:
    """The dotted names that a file imports anywhere in it, relative ones spelled out."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *([node.module] if node.module else [])))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def faults(root: Path) -> list[str]:
    """Every import of a package that points up, or that no layer knows."""
    found = []
    for file in sorted(root.rglob("*.py")):
        place = file.relative_to(root)
        room = place.parts[0].removesuffix(".py")
        for name in imports(file, (root.name, *place.parts[:-1])):
            first, _, rest = name.partition(".")
            if first != root.name:
                if first in TOOLS and room not in TOOLS[first]:
                    found.append(f"{place} imports {first}")
                continue
            other = rest.partition(".")[0]
            other = other if other in LEVEL or (root / other).exists() else "__init__"
            found += _verdict(place, room, other, rest)
    return found


def _verdict(place: Path, room: str, other: str, name: str) -> list[str]:
    if room not in LEVEL or other not in LEVEL:
        return [f"{place} imports {name}: no layer holds {room if room not in LEVEL else other}"]
    if LEVEL[other] > LEVEL[room] and not any((room, name[: len(known)]) == (at, known) for at, known in EXCEPTIONS):
        return [f"{place} imports {name}: {room} lies below {other}"]
    if (room, other) in CLOSED and not any(name.startswith(known) for known in CLOSED[room, other]):
        return [f"{place} imports {name}: judges never import producers"]
    return []


def test_imports_point_down():
    """In every file of the package, at the top and inside functions."""
    assert faults(ROOT) == []


def test_every_file_lies_in_a_layer():
    """A new room has to be given its place."""
    rooms = {file.relative_to(ROOT).parts[0].removesuffix(".py") for file in ROOT.rglob("*.py")}
    assert rooms <= set(LEVEL)
    assert len(list(ROOT.rglob("*.py"))) > 80


@pytest.mark.parametrize(
    ("file", "line", "verdict"),
    [
        ("lifecycle/bad.py", "from billing_sim.metrics import engine", "lifecycle lies below metrics"),
        ("lifecycle/bad.py", "import billing_sim.drivers.batch as b", "lifecycle lies below drivers"),
        ("lifecycle/bad.py", "from ..runs import tables", "lifecycle lies below runs"),
        ("clock.py", "def f():\n    from billing_sim import scenario", "clock lies below scenario"),
        ("world/bad.py", "from billing_sim.lifecycle import state", "world lies below lifecycle"),
        ("metrics/bad.py", "from billing_sim.drivers import batch", "judges never import producers"),
        ("metrics/bad.py", "from billing_sim.world.record import WORLD", "judges never import producers"),
        ("facts/bad.py", "from billing_sim.world.compile import compile_world", "judges never import producers"),
        ("drivers/bad.py", "from billing_sim import cli", "drivers lies below cli"),
        ("runs/bad.py", "from billing_sim.facts.fold import fold_rows", "runs lies below facts"),
        ("attic/bad.py", "from billing_sim import clock", "no layer holds attic"),
        ("lifecycle/bad.py", "import random", "imports random"),
        ("runs/bad.py", "from rich.table import Table", "imports rich"),
        ("trace/bad.py", "from billing_sim.drivers import batch", None),
        ("runs/bad.py", "from billing_sim.facts.schema import FACTS", None),
        ("facts/bad.py", "from billing_sim.world.record import MARKETS", None),
    ],
)
def test_a_planted_import_is_found(tmp_path, file, line, verdict):
    """The check can fail: one bad line in a copy of the rooms, and only that one is told."""
    root = tmp_path / "billing_sim"
    for room in LEVEL:
        (root / room).mkdir(parents=True)
    bad = root / file
    bad.parent.mkdir(exist_ok=True)
    bad.write_text(line)
    found = faults(root)
    assert (len(found) == 1 and verdict in found[0]) if verdict else found == []


def test_the_command_lines_help_loads_nothing_heavy():
    """Neither Numba nor Arrow nor pandas is imported by importing the package and its command line."""
    heavy = ("numba", "pyarrow", "pandas", "duckdb", "pydantic", "simpy")
    code = f"import sys, billing_sim.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
