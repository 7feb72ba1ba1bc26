"""What was probably meant, where a name leads nowhere."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Sequence
from pathlib import Path

from billing_sim.runs.manifest import MANIFEST_FILE, holds_run

RUNS_SHOWN = 5
"""Runs named when a folder is none."""


def is_there(path: Path) -> bool:
    """Whether anything has this name; nothing has one that is too long for the system."""
    try:
        return path.exists()
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG


def no_run(folder: Path) -> str:
    """Why a folder cannot be opened as a run, and which ones can."""
    there = is_there(folder)
    if there and folder.is_file() and folder.suffix in (".yaml", ".yml"):
        return f"{folder} is a scenario, not a run: simulate it with `billing-sim run {folder}` and name its folder."
    runs = Path("runs")
    found = [it for it in runs.iterdir() if holds_run(it)] if runs.is_dir() else []
    what = f"{folder} is not a run" + (
        f": it holds no {MANIFEST_FILE}" if there and folder.is_dir() else ": there is no such folder"
    )
    if not found:
        return f"{what}. Make one with `billing-sim run SCENARIO`; it names the folder at the end."
    found.sort(key=lambda it: it.stat().st_mtime, reverse=True)
    names = {it.name: str(it) for it in found}
    near = [name for name in names if folder.name and name.startswith(folder.name)]
    near = near or difflib.get_close_matches(folder.name, names, n=1)
    hint = f"Did you mean {names[near[0]]}? " if near else ""
    shown = ", ".join(list(names.values())[:RUNS_SHOWN])
    more = f" and {len(names) - RUNS_SHOWN} more" if len(names) > RUNS_SHOWN else ""
    return f"{what}. {hint}Runs here, newest first: {shown}{more}."


def meant(name: str, known: Sequence[str]) -> str:
    """How a sentence about an unknown name goes on: with the nearest known one, or not at all."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f": did you mean `{close[0]}`?" if close else "."
