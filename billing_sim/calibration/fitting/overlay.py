"""A fitted scenario as a file that extends the one it was fitted from: only what was fitted, and a word about it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from billing_sim.runs.named_file import cannot_write_named, write_named
from billing_sim.scenario.emit import emit


def overlay_text(name: str, base: str, change: Mapping[str, Any], said: Sequence[str]) -> str:
    """The YAML of a scenario that extends `base`, with comment lines above."""
    content = {"extends": base, "name": name[:40], **yaml.safe_load(emit(dict(change)))}
    lines = "".join(f"# {line}\n" for line in said)
    return lines + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def write_overlay(out: Path, base: Path, name: str, change: Mapping[str, Any], said: Sequence[str]) -> None:
    """Write it; RunError when it cannot be written, or lies on another drive than what it extends."""
    try:
        extends = Path(os.path.relpath(base.resolve(), out.resolve().parent)).as_posix()
        out.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise cannot_write_named(out, error) from None
    write_named(out, overlay_text(name, extends, change, said))
