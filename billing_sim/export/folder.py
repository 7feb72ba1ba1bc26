"""The folder of an export: written aside under another name, and given its own only when everything in it agrees."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from billing_sim.errors import RunError
from billing_sim.runs.claim import Claim
from billing_sim.runs.manifest import MANIFEST_FILE

NOTE_FILE = "export.json"
"""Says what the folder holds and where it came from; only folders with one are ever replaced."""

FORMAT = "billing_sim export"


@contextmanager
def written_aside(target: Path, overwrite: bool) -> Iterator[Path]:
    """A new empty folder beside `target` that takes its name when the block ends well, and else disappears.

    RunError when `target` is not empty and `overwrite` is not given, when it holds anything but an earlier export,
    when another process writes there, and when the disk refuses.
    """
    _check(target, overwrite)
    claim = Claim(target, "--to")
    aside = target.with_name(f".{target.name}.part")
    try:
        _check(target, overwrite)  # somebody may have written there until now
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        yield aside
        _swap(aside, target)
    except OSError as error:
        raise RunError(f"cannot write {target}: {error.strerror or error}. Choose another folder with --to.") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        claim.release()


def write_note(folder: Path, note: dict[str, Any]) -> None:
    """Leave word of what the folder holds."""
    text = json.dumps({"format": FORMAT, "synthetic": True, **note}, indent=2, ensure_ascii=False)
    (folder / NOTE_FILE).write_text(text + "\n", encoding="utf-8", newline="\n")


def _check(target: Path, overwrite: bool) -> None:
    if not target.name or target.is_file():
        raise RunError(f"{target} is no folder to write to: name a new one with --to.")
    if any((parent / MANIFEST_FILE).exists() for parent in target.absolute().parents):
        raise RunError(f"{target} lies within a run, which is not to be changed: name a folder elsewhere with --to.")
    if not target.is_dir() or not any(target.iterdir()):
        return
    if not overwrite:
        raise RunError(f"{target} is not empty: name another folder with --to, or replace it with --overwrite.")
    if not _is_export(target):
        raise RunError(f"{target} holds more than an earlier export, so it is not replaced: name another folder.")


def _is_export(target: Path) -> bool:
    """Whether a folder is an export that nobody has added anything to."""
    try:
        note = json.loads((target / NOTE_FILE).read_text(encoding="utf-8"))
        known = {NOTE_FILE, *note["files"]}
        return note["format"] == FORMAT and {it.name for it in target.iterdir()} <= known
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _swap(aside: Path, target: Path) -> None:
    """The old folder, if any, goes when the new one has its place."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    try:
        aside.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
