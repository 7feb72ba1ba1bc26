"""A segment: one Parquet file of a run, whose bytes depend on its rows and on nothing else.

Row groups hold exactly 65,536 rows, however the rows arrived (left to itself a writer cuts where its caller did, and
the same rows give other bytes). Labels are dictionaries, all but times is compressed with LZ4, and
pages carry checksums: without them most flipped bits read back silently wrong. Facts lack the columns that hold nothing
in any row of a file (`billing_sim/runs/left_out.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from billing_sim.errors import RunError
from billing_sim.events import SCHEMA_VERSION
from billing_sim.runs.aside import Aside, cannot_write
from billing_sim.runs.columns import Arenas, Layout, RowGroup, Vocabularies
from billing_sim.runs.left_out import told, whole

ROWS_PER_GROUP = 65_536
_FEW = 4096
"""Rows for which there is room at first: system memory is cleared as soon as it is touched, in pages of up to two
megabytes, and the columns of a small run would touch most of them."""

METADATA = {"synthetic": "true", "schema_version": str(SCHEMA_VERSION)}


@dataclass(frozen=True)
class Sealed:
    """A segment with all its bytes written, still under its temporary name."""

    name: str
    rows: int
    aside: Aside

    def commit(self) -> dict[str, Any]:
        """Sync the file and give it its name; return its `path` in the run, `rows`, `bytes` and `sha256`."""
        try:
            return {"path": self.name, "rows": self.rows, **self.aside.commit()}
        except OSError as error:
            self.aside.discard()
            raise cannot_write(self.aside.path, error) from error


class Segment:
    """A file being written by one thread; it exists under its name once it is closed.

    `home` is the run's folder and `name` the path within it. Every failure removes the temporary file and leaves
    whatever held the name before. `abort` may come from another thread.
    """

    def __init__(
        self, home: Path, name: str, layout: Layout, vocabularies: Vocabularies, arenas: Arenas | None = None
    ) -> None:
        self.name, self.rows, self.is_open = name, 0, True
        self._aside = Aside(home / name)
        self._group = RowGroup(layout, vocabularies, ROWS_PER_GROUP, arenas, few=_FEW)
        self._lock = RLock()
        try:
            self._aside.path.parent.mkdir(parents=True, exist_ok=True)
            self._sink = pa.OSFile(str(self._aside.temporary), "wb")
        except OSError as error:
            raise cannot_write(self._aside.path, error) from error
        self._layout = layout
        self._left_out: frozenset[str] = frozenset()
        self._writer: pq.ParquetWriter | None = None

    def append(self, rows: np.ndarray) -> None:
        """Add records of the layout's dtype, in order."""
        with self._lock, self._cleaning_up():
            first = 0
            while first < rows.shape[0]:
                first += self._group.fill(rows, first)
                if self._group.is_full:
                    self._flush()
            self.rows += rows.shape[0]

    def seal(self) -> Sealed:
        """Write what is left and let go of the memory; what remains to be done is waiting for the disk."""
        with self._lock, self._cleaning_up():
            if self._group.rows or self._writer is None:
                self._flush()
            self._close_file()
            self._group.let_go()
            self.is_open = False
            return Sealed(self.name, self.rows, self._aside)

    def close(self) -> dict[str, Any]:
        """Seal and commit."""
        return self.seal().commit()

    def abort(self) -> None:
        """Give up: nothing remains of this file. Harmless once it is sealed."""
        with self._lock:
            if not self.is_open:
                return
            self.is_open = False
            with suppress(Exception):
                self._close_file()
            if self._writer is not None:
                self._writer.is_open = False
            with suppress(OSError):
                self._sink.close()
            self._aside.discard()
            self._narrow.unlink(missing_ok=True)

    @property
    def _narrow(self) -> Path:
        """Where a file waits that lacks a column after all."""
        return self._aside.temporary.with_name(f".{self._aside.path.name}.narrow.part")

    def _flush(self) -> None:
        """Write a row group. The first one decides which columns the file can do without."""
        group = self._group
        if self._writer is None:
            self._left_out = group.idle() if group.rows else frozenset()
            self._writer = self._begun()
        elif self._left_out and group.idle(self._left_out) != self._left_out:
            self._widen()
        if group.rows:
            self._write(self._writer, group.batch(self._left_out))
        group.clear()

    @staticmethod
    def _write(writer: pq.ParquetWriter, batch: pa.RecordBatch) -> None:
        writer.write_table(pa.Table.from_batches([batch]), row_group_size=ROWS_PER_GROUP)

    def _begun(self) -> pq.ParquetWriter:
        columns, labels = self._layout.columns, self._group.labels
        schema = pa.schema([field for field in self._layout.schema if field.name not in self._left_out])
        metadata = {**METADATA, **told(columns, self._left_out, labels)}
        return pq.ParquetWriter(self._sink, schema.with_metadata(metadata), **parquet_options(self._layout))

    def _widen(self) -> None:
        """Begin the file anew with all columns: one that had been left out is used after all. This is rare."""
        self._close_file()
        self._aside.temporary.replace(self._narrow)
        self._sink = pa.OSFile(str(self._aside.temporary), "wb")
        self._left_out = frozenset()
        self._writer = self._begun()
        with pq.ParquetFile(self._narrow) as narrow:
            for number in range(narrow.num_row_groups):
                read = whole(narrow.read_row_group(number)).cast(self._layout.schema)
                self._write(self._writer, read.combine_chunks().to_batches()[0])
        self._narrow.unlink()

    def _close_file(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._sink.close()

    @contextmanager
    def _cleaning_up(self) -> Iterator[None]:
        if not self.is_open:
            raise RunError(f"writing {self._aside.path} has been stopped.")
        try:
            yield
        except BaseException as error:
            self.abort()
            if isinstance(error, OSError):
                raise cannot_write(self._aside.path, error) from error
            raise


def parquet_options(layout: Layout) -> dict[str, Any]:
    """How a layout's columns are written.

    Numbers and times are plain: delta encoding made them a quarter smaller on disk and took twice to three times as
    long to write. LZ4 finds nothing in microseconds. Only the subscriber carries statistics: segments are ordered by
    it, so its bounds find a person; any other column's bounds would prune nothing, as every row group holds every
    month and most labels.
    """
    return {
        "compression": {c.name: "none" if c.storage == "timestamp" else "lz4" for c in layout.columns},
        "use_dictionary": [column.name for column in layout.columns if column.vocabulary],
        "write_statistics": ["subscriber"],
        "write_page_checksum": True,
        "store_schema": True,
    }
