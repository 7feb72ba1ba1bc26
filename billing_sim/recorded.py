"""Facts as of a moment: what could be known then, and nothing that was recorded later.

The people of a run live again (they always live the same life), and only the rows that had been recorded before the
moment are folded. So every column of every fact is what a reader of that day would have seen, and a query needs no
condition on `recorded_at`. The facts stay in a cache, so that asking again costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from billing_sim import clock
from billing_sim.crew import Crew, Labour, usual_workers
from billing_sim.errors import RunError
from billing_sim.identity import people_in, world_of
from billing_sim.runs import tables
from billing_sim.runs.aside import reason_of, remedy
from billing_sim.runs.division import Division, division_for
from billing_sim.runs.stored import StoredRun
from billing_sim.simulate import Progress, Report, compile_first

if TYPE_CHECKING:
    import numpy as np

    from billing_sim.facts.folding import Folder
    from billing_sim.runs.segment import Segment

KEPT = 4
"""How many moments the cache holds, over all runs; the one not asked for longest goes first."""

_INDEX = "files.json"
_FORGOTTEN_SECONDS = 86_400
"""After a day an unfinished folder is nobody's any more."""


@dataclass(frozen=True)
class RecordedFacts:
    """The facts of a run as they were known at `as_of` (UTC, without zone); a `billing_sim.metrics.source.Source`.

    `content_digest` is that of the run.
    """

    path: Path
    as_of: datetime
    content_digest: str
    told: list[dict[str, Any]]

    def facts_files(self, name: str) -> list[Path]:
        """The files of a fact, in shard order; at least one, even where it has no rows."""
        return sorted((self.path / tables.facts_folder(name)).glob("*.parquet"))

    def world_events(self) -> list[dict[str, Any]]:
        """The world events that had occurred; what `run.configured` says of the whole run stays as it is."""
        return self.told


def facts_as_of(run: StoredRun, moment: datetime, *, progress: Report | None = None) -> RecordedFacts:
    """The facts of a run from what was recorded strictly before a moment (aware, or UTC); the run is over then.

    QueryError when the moment lies outside the run, RunError when the run was made by other rules than those
    installed or the cache cannot be written.
    """
    from billing_sim.metrics.frame import frame

    as_of = frame(run, moment).as_of
    known_before = clock.micros(as_of.replace(tzinfo=UTC))
    told = [event for event in run.world_events() if event["occurred_at"] < known_before]
    place = _cache() / f"{_name_of(run)}-{as_of:%Y%m%dT%H%M%S%f}"
    if not _is_whole(place):
        _fill(place, run, known_before, told, progress or (lambda _: None))
    with suppress(OSError):
        os.utime(place)
    return RecordedFacts(place, as_of, run.content.content_digest, told)


def fold_again(run: StoredRun, known_before: int, told: list[dict[str, Any]], home: Path, report: Report) -> None:
    """Write the facts of a run to a folder, from the rows recorded before a moment in microseconds UTC."""
    compile_first(report)
    _Reliving(run, known_before, told, home).run(usual_workers(), report)


def _cache() -> Path:
    from billing_sim.rule import cache_folder

    return cache_folder().parent / "as_of"


def _name_of(run: StoredRun) -> str:
    """What the facts depend on besides the moment: the run, and the code that folds and writes."""
    from billing_sim.rule import sources_digest

    made = f"{run.content.content_digest} {sources_digest(('facts', 'runs'))}"
    return f"{run.manifest.identity.digest[:16]}-{hashlib.sha256(made.encode()).hexdigest()[:16]}"


def _is_whole(place: Path) -> bool:
    """Whether all files are there with the sizes that they were written with."""
    try:
        sizes = json.loads((place / _INDEX).read_text())
        return all((place / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def _fill(place: Path, run: StoredRun, known_before: int, told: list[dict[str, Any]], report: Report) -> None:
    """Write the facts aside, then give the folder its name; whoever comes second keeps what is there."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        home = Path(mkdtemp(prefix=".", dir=place.parent))
    except OSError as error:
        raise _cannot_write(place, error) from error
    try:
        fold_again(run, known_before, told, home, report)
        sizes = {str(file.relative_to(home)): file.stat().st_size for file in home.rglob("*.parquet")}
        (home / _INDEX).write_text(json.dumps(sizes))
        if not _is_whole(place):
            shutil.rmtree(place, ignore_errors=True)
            home.rename(place)
    except OSError as error:
        if not _is_whole(place):
            raise _cannot_write(place, error) from error
    finally:
        shutil.rmtree(home, ignore_errors=True)
    _forget_others(place)


def _cannot_write(place: Path, error: OSError) -> RunError:
    way = "let BILLING_SIM_CACHE name another folder"
    return RunError(f"cannot write {place}: {reason_of(error)}. {remedy(error, way)}")


def _forget_others(place: Path) -> None:
    """Keep the moments asked for last, this one among them, and nothing that was left unfinished long ago."""
    with suppress(OSError):
        folders = sorted(place.parent.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
        others = [folder for folder in folders if folder != place and not folder.name.startswith(".")]
        long_ago = time.time() - _FORGOTTEN_SECONDS
        left = [folder for folder in folders if folder.name.startswith(".") and folder.stat().st_mtime < long_ago]
        for folder in [*others[KEPT - 1 :], *left]:
            shutil.rmtree(folder, ignore_errors=True)


class _Reliving:
    """All shards of a world, lived once more and folded a part at a time."""

    def __init__(self, run: StoredRun, known_before: int, told: list[dict[str, Any]], home: Path) -> None:
        self._run, self.world = run, world_of(run)
        self._known_before, self._told, self._home = known_before, told, home
        self._division = division_for(people_in(self.world))
        self._crew, self._lock = Crew(self._division.parts), threading.Lock()
        self.people = self.events = 0

    def run(self, workers: int, report: Report) -> None:
        """Fold every part."""
        total = people_in(self.world)
        self._crew.run(workers, self._begin, lambda: report(Progress(self.people, total, self.events, "simulating")))

    def _begin(self) -> Labour:
        from billing_sim.facts.folding import Folder

        return partial(self._fold_part, Folder(self._told, self._run.vocabularies, self._known_before))

    def _fold_part(self, folder: Folder, number: int) -> None:
        from billing_sim.drivers import batch

        part = _Part(self._home, self._division, number, self._run)
        try:
            for shard in self._division.shards_of(number):
                for block in batch.lives(self.world, shard):
                    if self._crew.is_stopped:
                        return
                    part.append(folder.fold(block.rows))
                    with self._lock:
                        self.people += block.people
                        self.events += len(block.rows)
            part.close()
        finally:
            part.abort()


class _Part:
    """The facts of a part, one file each; the first part has a file even for facts without rows."""

    def __init__(self, home: Path, division: Division, number: int, run: StoredRun) -> None:
        self._segments: dict[str, Segment] = {}
        self._home, self._division, self._number, self._vocabularies = home, division, number, run.vocabularies
        if number == 0:
            for name in tables.FACT_NAMES:
                self._segment(name)

    def append(self, facts: Mapping[str, np.ndarray]) -> None:
        """Add the facts of a block."""
        for name, rows in facts.items():
            if len(rows):
                self._segment(name).append(rows)

    def close(self) -> None:
        """Write what is left and give the files their names; a cache need not wait for the disk."""
        for name in list(self._segments):
            aside = self._segments.pop(name).seal().aside
            aside.temporary.replace(aside.path)

    def abort(self) -> None:
        """Leave nothing open."""
        for segment in self._segments.values():
            segment.abort()

    def _segment(self, name: str) -> Segment:
        from billing_sim.runs.segment import Segment

        if name not in self._segments:
            folder = tables.facts_folder(name)
            file = self._division.file(folder, self._number)
            self._segments[name] = Segment(self._home, file, tables.layouts()[folder], self._vocabularies)
        return self._segments[name]
