"""Where the facts of a run lie. Anything with these two methods will do; nothing here can reach the sealed truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from billing_sim.errors import QueryError, RunError
from billing_sim.runs.claim import being_written, is_being_written
from billing_sim.runs.manifest import FINISHED, Manifest, read_manifest
from billing_sim.runs.tables import FACT_NAMES

Others: TypeAlias = Mapping[str, Sequence[Path]]
"""Exported tables by name: their Parquet files."""


class Source(Protocol):
    """What metrics need of a run; `billing_sim.runs.stored.StoredRun` is one."""

    def facts_files(self, name: str) -> Sequence[Path]:
        """The Parquet files of a fact; none when it has no rows."""

    def world_events(self) -> list[dict[str, Any]]:
        """The world events in order, as dictionaries of `WORLD_COLUMNS`, moments in integer microseconds."""


def exported_tables(folder: Path) -> Others:
    """The Parquet files of a folder by name; QueryError when there are none, or one has the name of a run's table."""
    found = {file.stem: [file] for file in sorted(folder.glob("*.parquet"))}
    if not found:
        raise QueryError(f"{folder} holds no tables: write some with `billing-sim export RUN --as stripe`.")
    taken = [name for name in found if name.lower() in (*FACT_NAMES, "world_events")]
    if taken:
        raise QueryError(f"{folder} holds {taken[0]}.parquet, and a run has a table of that name: rename the file.")
    return found


@dataclass(frozen=True)
class WithTables:
    """A run's facts and, for queries, tables exported from it: the Parquet files of a folder, by their names."""

    facts: Source
    folder: Path

    @property
    def content_digest(self) -> str:
        """That of the run."""
        return getattr(self.facts, "content_digest", "")

    @property
    def more_tables(self) -> Others:
        """The tables by name; QueryError when there are none."""
        return exported_tables(self.folder)

    def facts_files(self, name: str) -> Sequence[Path]:
        """The Parquet files of a fact."""
        return self.facts.facts_files(name)

    def world_events(self) -> list[dict[str, Any]]:
        """The world events of the run."""
        return self.facts.world_events()


@dataclass(frozen=True)
class InMemory:
    """Facts that lie in memory: Arrow tables by name, moments as plain UTC timestamps; and the world's own events."""

    tables: Mapping[str, Any]
    told: list[dict[str, Any]]

    def facts_files(self, _name: str) -> Sequence[Path]:
        """No fact of these has files; a fact without a table has no rows."""
        return ()

    def world_events(self) -> list[dict[str, Any]]:
        """The world events of the run."""
        return self.told


@dataclass(frozen=True)
class RunFolder:
    """A finished run on the disk, opened without the store's machinery, so that a question is answered quickly.

    Only files that the manifest lists are part of it. RunError when it is no run, unfinished, or lacks a file.
    """

    path: Path

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest of a finished run."""
        found = read_manifest(self.path)
        if found.state != FINISHED:
            if is_being_written(self.path):
                raise being_written(self.path)
            raise RunError(f"{self.path}: this run is incomplete: run it again with --overwrite")
        return found

    @property
    def content_digest(self) -> str:
        """SHA-256 over all simulated rows."""
        return self.manifest.result.content_digest

    def facts_files(self, name: str) -> list[Path]:
        """The files of a fact, in shard order."""
        return self._files(f"facts/{name}/")

    def events_files(self) -> list[Path]:
        """The files of the log, in shard order; none when the run kept no log."""
        return self._files("events/")

    def world_events(self) -> list[dict[str, Any]]:
        """The world's own events."""
        return list(self._told)

    @cached_property
    def _told(self) -> list[dict[str, Any]]:
        from billing_sim.metrics.databases import world_events_in  # which knows sources

        return world_events_in(self._files("world/")[0])

    def _files(self, folder: str) -> list[Path]:
        names = [segment["path"] for segment in self.manifest.result.segments if segment["path"].startswith(folder)]
        files = [self.path / name for name in names]
        missing = next((name for name, file in zip(names, files, strict=True) if not file.is_file()), None)
        if missing:
            raise RunError(f"{self.path} is damaged: run it again with --overwrite\n{missing} is missing")
        return files
