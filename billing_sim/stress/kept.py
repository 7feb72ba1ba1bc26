"""What is kept of a world moment by moment: arrays by name in the user's cache, each with the moments it is known for.

A file is named by a digest of all that decides what is in it, as the readings of the lab are; who asks later adds the
moments and the names that nobody had asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from billing_sim import clock
from billing_sim.rule import cache_folder, sources_digest
from billing_sim.stress.damages import Damage
from billing_sim.stress.lives import Lives

_HERE = "bundle columns curves damage damages hits lives seeing trailing voiding watching".split()
_DECIDING = (
    "world", "lifecycle", "drivers", "facts", "metrics", "runs", "truth/worlds.py",
    *(f"stress/{name}.py" for name in _HERE),
)  # fmt: skip
"""The code that decides what is read, and what was so."""

Ask = Callable[[Sequence[str], Sequence[datetime]], Mapping[str, np.ndarray]]
"""Computes arrays float64[K, S] by name, for names and K moments."""


def file_of(lives: Lives, seeds: Sequence[int], damages: Sequence[Damage]) -> Path:
    """Where arrays of a world with these seeds and damages are kept."""
    told = [it.model_dump(mode="json") for it in damages]
    decided = json.dumps([lives.digest, list(seeds), told, sources_digest(_DECIDING)])
    return cache_folder().parent / "stress" / f"watch-{hashlib.sha256(decided.encode()).hexdigest()[:40]}.npz"


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file of the cache by name; none where it is not there or damaged, for then they are made anew."""
    with suppress(OSError, ValueError, EOFError, BadZipFile), path.open("rb") as file, np.load(file) as found:
        return {name: found[name] for name in found.files}
    return {}


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a file of the cache, aside and then in its place; a cache that cannot be written is none."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.stem}.{os.getpid()}.{id(arrays)}.npz")
        np.savez(aside, **arrays)  # type: ignore[arg-type]
        aside.replace(path)


class Kept:
    """Arrays by name, each with the moments (microseconds UTC) at which it is known, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._arrays = read_arrays(path)
        self._is_new = False

    def complete(self, names: Sequence[str], moments: Sequence[datetime], ask: Ask) -> None:
        """Ask for what is not known at all of these moments."""
        lacking = [name for name in names if len(self._lacking(name, moments))]
        if not lacking:
            return
        at = sorted({moment for name in lacking for moment in self._lacking(name, moments)})
        for name, values in ask(lacking, at).items():
            self._add(name, _micros(at), values)

    def at(self, name: str, moments: Sequence[datetime]) -> np.ndarray:
        """float64[K, S] at these moments."""
        places: np.ndarray = np.searchsorted(self._arrays[f"moments {name}"], _micros(moments))
        return self._arrays[name][places]

    def write(self) -> None:
        """Write the file where there is something new."""
        if self._is_new:
            write_arrays(self._path, self._arrays)

    def _lacking(self, name: str, moments: Sequence[datetime]) -> list[datetime]:
        known = set(self._arrays.get(f"moments {name}", np.zeros(0, np.int64)).tolist())
        return [moment for moment, at in zip(moments, _micros(moments).tolist(), strict=True) if at not in known]

    def _add(self, name: str, at: np.ndarray, values: np.ndarray) -> None:
        known = self._arrays.get(f"moments {name}", np.zeros(0, np.int64))
        before = self._arrays.get(name, values[:0])
        union, places = np.unique(np.concatenate([known, at]), return_index=True)
        self._is_new = True
        self._arrays[f"moments {name}"], self._arrays[name] = union, np.concatenate([before, values])[places]


def _micros(moments: Sequence[datetime]) -> np.ndarray:
    return np.array([clock.micros(moment.replace(tzinfo=UTC)) for moment in moments], np.int64)
