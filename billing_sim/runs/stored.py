"""A finished run on the disk, opened for reading: its manifest, and the files that the manifest lists."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from billing_sim.errors import QueryError, RunError
from billing_sim.runs import tables
from billing_sim.runs.claim import being_written, is_being_written
from billing_sim.runs.manifest import FINISHED, MANIFEST_FILE, RUNNING, Content, Manifest, read_manifest


@dataclass(frozen=True)
class StoredRun:
    """A run that has finished and whose files are all there; `verify` also looks into them.

    Readers take the files from `events_files` and `facts_files`: a file that the manifest does not list is not part of
    the run, whatever its name. `signed` is what the disk says of the manifest: where it says something else later, the
    folder holds another run.
    """

    directory: Path
    manifest: Manifest
    signed: tuple[int, int] | None = None

    @property
    def content(self) -> Content:
        """Digests, counts and segments."""
        return self.manifest.result

    @property
    def log(self) -> str:
        """How much of the log was kept: "all", "none" or "1/N" of the subscribers."""
        return self.content.log

    @cached_property
    def vocabularies(self) -> dict[str, tuple[str, ...]]:
        """Labels by number, the scenario's own and the built-in ones."""
        return {**tables.BUILT_IN, **self.manifest.vocabularies}

    @property
    def events_path(self) -> Path:
        """The folder of the log; `RunError` when this run kept none."""
        if self.log == "none":
            raise RunError(f"{self.directory} kept no log: run the scenario again with --log all.")
        return self.directory / tables.EVENTS

    @property
    def events_files(self) -> list[Path]:
        """The log's files in shard order; `RunError` when this run kept none."""
        return self._files(self.events_path)

    @property
    def truth_files(self) -> list[Path]:
        """The sealed truth's files, for those who may open it; RunError where it is withheld."""
        self._refuse_if_withheld()
        return self._files(self.directory / tables.TRUTH)

    def facts_path(self, name: str) -> Path:
        """The folder of a fact."""
        if name not in tables.FACT_NAMES:
            raise QueryError(f"there are no facts called {name!r}; there are {', '.join(tables.FACT_NAMES)}.")
        return self.directory / tables.facts_folder(name)

    def facts_files(self, name: str) -> list[Path]:
        """The files of a fact, in shard order; at least one, even where it has no rows."""
        return self._files(self.facts_path(name))

    def world_events(self) -> list[dict[str, Any]]:
        """The world's own events, as dictionaries of `events.WORLD_COLUMNS`, moments in integer microseconds."""
        from billing_sim.runs.world_log import read_world_log  # pyarrow, which opening a run does not need

        self.refuse_if_replaced()
        return read_world_log(self.directory / tables.WORLD_EVENTS_FILE)

    def scenario_source(self) -> bytes:
        """The exact bytes of the scenario that ran; RunError where it is withheld."""
        self._refuse_if_withheld()
        self.refuse_if_replaced()
        return (self.directory / tables.SCENARIO_FILE).read_bytes()

    @property
    def scenario_path(self) -> Path:
        """A scenario file that can be read alone: the one that ran with all that it extends; RunError if withheld."""
        self._refuse_if_withheld()
        self.refuse_if_replaced()
        whole = self.directory / tables.WHOLE_SCENARIO_FILE
        return whole if whole.exists() else self.directory / tables.SCENARIO_FILE

    def verify(self) -> list[str]:
        """Read every byte of every file again; one sentence for each file that is not as it was written."""
        verdicts = (_damage(self.directory, segment, thorough=True) for segment in self.content.segments)
        return [verdict for verdict in verdicts if verdict]

    def refuse_damage(self) -> None:
        """RunError with a sentence for each file that is not as it was written; about a second for each gigabyte."""
        if damage := self.verify():
            raise RunError("\n".join([f"{self.directory} is damaged: run it again with --overwrite", *damage]))

    def refuse_if_replaced(self) -> None:
        """RunError where the folder is gone, or holds another run by now."""
        if self.signed is None:
            return
        try:
            is_written_anew = _signature(self.directory) != self.signed
        except OSError:
            why = "is gone: open the run where it lies now, or run the scenario again."
            raise RunError(f"{self.directory} {why}") from None
        if is_written_anew:
            found = read_manifest(self.directory)
            if (found.identity, found.state, found.result) != (self.manifest.identity, FINISHED, self.content):
                raise RunError(f"{self.directory} holds another run by now: open it again.")

    def _refuse_if_withheld(self) -> None:
        if self.manifest.identity.seed is None:
            raise RunError(
                f"{self.directory} is a challenge pack: its scenario, seed and truth are withheld, so nobody in it can "
                "be followed. Views, metrics, tables, SQL and exports work."
            )

    def _files(self, folder: Path) -> list[Path]:
        self.refuse_if_replaced()
        files = (self.directory / segment["path"] for segment in self.content.segments)
        return [file for file in files if file.parent == folder]


def open_run(path: Path | str) -> StoredRun:
    """Open a finished run.

    Raises `RunError` for a folder that is no run, a run that has not finished, one with files missing or of another
    size, and one that a newer version wrote.
    """
    directory = Path(path)
    signed = None
    with suppress(OSError):  # where there is none, reading it says so
        signed = _signature(directory)
    manifest = read_manifest(directory)
    if manifest.state == RUNNING and is_being_written(directory):
        raise being_written(directory)
    if manifest.state != FINISHED:
        raise RunError(
            f"{directory}: this run is incomplete (interrupted while simulating): run it again with --overwrite"
        )
    verdicts = (_damage(directory, segment, thorough=False) for segment in manifest.result.segments)
    damage = [verdict for verdict in verdicts if verdict]
    if damage:
        raise RunError("\n".join([f"{directory} is damaged: run it again with --overwrite", *damage]))
    return StoredRun(directory, manifest, signed)


def _signature(directory: Path) -> tuple[int, int]:
    """What changes when a manifest is written anew: which file it is, and when it was written."""
    found = (directory / MANIFEST_FILE).stat()
    return found.st_ino, found.st_mtime_ns


def _damage(directory: Path, segment: Mapping[str, Any], *, thorough: bool) -> str:
    """What is wrong with one file, or nothing."""
    name, file = segment["path"], directory / segment["path"]
    if not file.is_file():
        return f"{name} is missing"
    if file.stat().st_size != segment["bytes"]:
        return f"{name} has {file.stat().st_size} bytes instead of {segment['bytes']}"
    if thorough:
        with file.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != segment["sha256"]:
                return f"{name} is damaged: its bytes are not those that were written"
    return ""
