"""Writing a run: parts fill segments side by side, and the manifest says "finished" last.

A run grows in its own folder, whose manifest says "running" until everything else is safely on the disk. Where it
replaces an older run it grows beside it, and the two are swapped at the end: until then the older one stays whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from billing_sim.errors import RunError
from billing_sim.events import Kind
from billing_sim.runs import tables
from billing_sim.runs.aside import cannot_write, sync_folder, write_aside
from billing_sim.runs.claim import Claim
from billing_sim.runs.columns import Arenas, Vocabularies
from billing_sim.runs.division import FINEST, Division
from billing_sim.runs.manifest import (
    FINISHED,
    INTERRUPTED,
    RUNNING,
    Content,
    Environment,
    Extended,
    Identity,
    Manifest,
    holds_run,
    write_manifest,
)
from billing_sim.runs.segment import Sealed, Segment
from billing_sim.runs.world_log import write_world_log

COMMIT_THREADS = 2
"""Threads that sync sealed files: the disk answers in milliseconds, and large runs have some 300 files."""

Submit = Callable[[Sealed], None]


class PartWriter:
    """Some neighbouring shards, written by one thread; get it from `RunWriter.part`."""

    def __init__(
        self,
        number: int,
        division: Division,
        home: Path,
        keeps_log: bool,
        vocabularies: Vocabularies,
        submit: Submit,
        own_kinds: tuple[Kind, ...] = (),
        arenas: Arenas | None = None,
    ) -> None:
        self.number, self._division = number, division
        self._layouts = tables.layouts(own_kinds)
        self._home, self._keeps_log, self._vocabularies, self._submit = home, keeps_log, vocabularies, submit
        self._arenas = arenas or Arenas()
        self._segments: dict[str, Segment] = {}
        self._shard = division.shards_of(number).start
        self._is_open = True
        if number == 0:
            self._make_first_files()

    def append(
        self, shard: int, rows: np.ndarray | None, truth: np.ndarray | None, facts: Mapping[str, np.ndarray]
    ) -> None:
        """Add a block of one shard: its log rows (none where the log is not kept), truth and facts, in order.

        Shards come in ascending order within the part; a shard may come in any number of blocks.
        """
        self._turn_to(shard)
        if rows is not None and rows.shape[0] and self._keeps_log:
            self._segment(tables.EVENTS, self._log_file(shard)).append(rows)
        self._append_part(tables.TRUTH, truth)
        for name, fact_rows in facts.items():
            self._append_part(tables.facts_folder(name), fact_rows)

    def close(self) -> None:
        """Hand every file over to be synced and named; later `append` calls are refused."""
        if not self._is_open:
            return
        self._is_open = False
        for name in list(self._segments):
            self._submit(self._segments.pop(name).seal())

    def abort(self) -> None:
        """Leave nothing behind of the files that are still open."""
        self._is_open = False
        for segment in list(self._segments.values()):
            segment.abort()

    def _turn_to(self, shard: int) -> None:
        if not self._is_open:
            raise RunError("writing this run has been stopped.")
        if shard not in self._division.shards_of(self.number) or shard < self._shard:
            raise ValueError(f"shard {shard} does not follow shard {self._shard} in part {self.number}")
        before = self._log_file(self._shard)
        if before != self._log_file(shard) and before in self._segments:
            self._submit(self._segments.pop(before).seal())
        self._shard = shard

    def _log_file(self, shard: int) -> str:
        return self._division.log_file(tables.EVENTS, shard)

    def _append_part(self, table: str, rows: np.ndarray | None) -> None:
        if rows is not None and rows.shape[0]:
            self._segment(table, self._division.file(table, self.number)).append(rows)

    def _segment(self, table: str, name: str) -> Segment:
        if name not in self._segments:
            self._segments[name] = Segment(self._home, name, self._layouts[table], self._vocabularies, self._arenas)
        return self._segments[name]

    def _make_first_files(self) -> None:
        for table in self._layouts:
            if table != tables.EVENTS:
                self._segment(table, self._division.file(table, 0))
            elif self._keeps_log:
                self._segment(table, self._log_file(0))


class RunWriter:
    """One run on its way to the disk.

    `part` may be used from several threads, everything else from one. While it is there nobody else can write to its
    folder. End with `finish` or, whatever went wrong, with
    `abort` once the threads that append have stopped or will see their next `append` refused. `replace` allows a
    folder that already holds a run (and never any other folder).
    """

    def __init__(
        self,
        directory: Path,
        identity: Identity,
        vocabularies: Vocabularies,
        log: str,
        scenario_source: bytes,
        environment: Environment,
        *,
        division: Division = FINEST,
        whole_scenario: bytes = b"",
        replace: bool = False,
        extended: Extended | None = None,
    ) -> None:
        self.directory = directory.resolve()
        self._division = division
        self._log, self._vocabularies = log, {**tables.BUILT_IN, **vocabularies}
        own = {name: labels for name, labels in vocabularies.items() if name not in tables.BUILT_IN}
        self._manifest = Manifest(RUNNING, identity, environment, own, extended=extended)
        self._claim = Claim(self.directory)
        try:
            self._swaps = _prepare(self.directory, replace)
        except BaseException:
            self._claim.release()
            raise
        self._home = _beside(self.directory, "writing") if self._swaps else self.directory
        self._parts: dict[int, PartWriter] = {}
        self._written: list[dict[str, Any]] = []
        self._commits: list[Future[dict[str, Any]]] = []
        self._is_finished = False
        self._lock = Lock()
        self._arenas = Arenas()
        self._pool = ThreadPoolExecutor(COMMIT_THREADS, "billing-sim-commit")
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            write_manifest(self._home, self._manifest)
            for file, content in (
                (tables.SCENARIO_FILE, scenario_source),
                (tables.WHOLE_SCENARIO_FILE, whole_scenario),
            ):
                if content or file == tables.SCENARIO_FILE:
                    self._written.append({"path": file, "rows": 0, **write_aside(self._home / file, content)})
        except OSError as error:
            self._claim.release()
            raise cannot_write(self._home, error) from error
        except BaseException:
            # Interrupted this early nobody holds the writer yet who could say so.
            self.abort()
            raise

    def part(self, number: int) -> PartWriter:
        """The writer of the shards of a part."""
        if not 0 <= number < self._division.parts:
            raise ValueError(f"there is no part {number}")
        with self._lock:
            if number not in self._parts:
                keeps_log = self._log != "none"
                self._parts[number] = PartWriter(
                    number,
                    self._division,
                    self._home,
                    keeps_log,
                    self._vocabularies,
                    self._submit,
                    self._manifest.own_kinds,
                    self._arenas,
                )
            return self._parts[number]

    def write_world_events(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write the world's own events, once, as `runs.world_log` describes them."""
        self._written.append(write_world_log(self._home, tables.WORLD_EVENTS_FILE, rows))

    def finish(self, content: Content, environment: Environment) -> Manifest:
        """Close every part, wait for the disk, and write the manifest; only now does the run exist.

        The log kept, the facts' row counts and the segments are filled into `content` here.
        """
        self.part(0)
        if tables.WORLD_EVENTS_FILE not in map(_path_of, self._written):
            self.write_world_events([])
        for part in self._parts.values():
            part.close()
        self._pool.shutdown()
        segments = sorted(self._written + [commit.result() for commit in self._commits], key=_path_of)
        for folder in sorted({folder for segment in segments for folder in Path(_path_of(segment)).parents}):
            sync_folder(self._home / folder)
        content = replace(content, log=self._log, facts=_fact_rows(segments), segments=tuple(segments))
        manifest = self._manifest.ended(FINISHED, environment, content)
        write_manifest(self._home, manifest)
        if self._swaps:
            _swap(self._home, self.directory)
        sync_folder(self.directory.parent)
        self._is_finished = True
        self._claim.release()
        return manifest

    def abort(self) -> None:
        """Stop writing: temporary files go, and the folder says that it is incomplete.

        A run that was to be replaced stays as it was, and what had been written beside it goes. Harmless once the
        run has finished.
        """
        if self._is_finished:
            return
        self._pool.shutdown(cancel_futures=True)
        for part in list(self._parts.values()):
            part.abort()
        for temporary in self._home.rglob(".*.part"):
            temporary.unlink(missing_ok=True)
        if self._swaps:
            _remove_run(self._home)
        elif self._home.is_dir():
            with suppress(RunError):
                write_manifest(self._home, self._manifest.ended(INTERRUPTED, self._manifest.environment))
        self._claim.release()

    def _submit(self, sealed: Sealed) -> None:
        with self._lock:
            self._commits.append(self._pool.submit(sealed.commit))


def _path_of(segment: Mapping[str, Any]) -> str:
    return str(segment["path"])


def _fact_rows(segments: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Rows of every fact over all its files."""
    counts = dict.fromkeys(tables.FACT_NAMES, 0)
    for segment in segments:
        table, _, rest = _path_of(segment).partition("/")
        if table == "facts":
            counts[rest.partition("/")[0]] += int(segment["rows"])
    return counts


def _prepare(directory: Path, may_replace: bool) -> bool:
    """Make room for a run; True when an older one is there, to be swapped out at the end."""
    is_free = not directory.exists() or (directory.is_dir() and not any(directory.iterdir()))
    if not is_free and not (may_replace and holds_run(directory)):
        again = ", or give the same command again if the run there is the one asked for" if holds_run(directory) else ""
        raise RunError(f"{directory} is not empty: name another folder with --out{again}.")
    if not is_free and Path.cwd().is_relative_to(directory):
        raise RunError(f"{directory} is the folder you are in and would be replaced: change to another folder first.")
    for purpose in ("writing", "replaced"):
        _remove_run(_beside(directory, purpose))
    return not is_free


def _beside(directory: Path, purpose: str) -> Path:
    return directory.with_name(f".{directory.name}.{purpose}")


def _swap(new: Path, directory: Path) -> None:
    """Give a finished run its place; the older one is moved away first and deleted last."""
    old = _beside(directory, "replaced")
    try:
        directory.rename(old)
        new.rename(directory)
    except OSError as error:
        if not directory.exists():
            old.rename(directory)
        raise RunError(f"cannot put the finished run {new} in place of {directory}: {error.strerror}.") from error
    _remove_run(old)


def _remove_run(folder: Path) -> None:
    """Delete a folder if it holds a run of ours, and nothing else ever."""
    if holds_run(folder):
        shutil.rmtree(folder, ignore_errors=True)
