"""A segment's bytes depend on its rows alone, damage shows, and a failed write leaves the old file."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from runs_samples import VOCABULARIES, files_in, log_rows

from billing_sim.errors import RunError
from billing_sim.runs.aside import cannot_write, write_aside
from billing_sim.runs.columns import Arenas, record_batch
from billing_sim.runs.named_file import write_named
from billing_sim.runs.segment import ROWS_PER_GROUP, Segment
from billing_sim.runs.tables import layouts
from tests.no_room import no_room

LOG = layouts()["events"]
NAME = "events/shard-00.parquet"
MANY = log_rows(2 * ROWS_PER_GROUP + 77)


def written(home: Path, rows: np.ndarray, block: int = 1 << 30) -> dict:
    segment = Segment(home, NAME, LOG, VOCABULARIES)
    for first in range(0, rows.shape[0], block):
        segment.append(rows[first : first + block])
    return segment.close()


def test_the_bytes_do_not_depend_on_the_blocks(tmp_path):
    """Fed at once, in odd pieces or in groups, the same rows give the same file, cut every 65,536 rows."""
    told = [written(tmp_path / str(block), MANY, block) for block in (1 << 30, 7919, ROWS_PER_GROUP)]
    assert told[0] == told[1] == told[2]
    metadata = pq.read_metadata(tmp_path / "7919" / NAME)
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [65_536, 65_536, 77]
    expected = pa.Table.from_batches([record_batch(MANY, LOG, VOCABULARIES)])
    assert pq.read_table(tmp_path / "7919" / NAME).cast(expected.schema).equals(expected)


def test_a_closed_segment_tells_what_it_is(tmp_path):
    """Path, rows, size and SHA-256 are those of the file, and the file says that nobody in it is real."""
    told = written(tmp_path, MANY[:100])
    content = (tmp_path / NAME).read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    assert told == {"path": NAME, "rows": 100, "bytes": len(content), "sha256": sha256}
    metadata = pq.read_metadata(tmp_path / NAME)
    assert (metadata.metadata[b"synthetic"], metadata.metadata[b"schema_version"]) == (b"true", b"1")
    assert files_in(tmp_path) == [NAME]


def test_only_labels_are_dictionaries_and_times_are_not_compressed(tmp_path):
    """Each column is encoded by what it is."""
    written(tmp_path, MANY[:5000])
    group = pq.read_metadata(tmp_path / NAME).row_group(0)
    encodings = {group.column(i).path_in_schema: set(group.column(i).encodings) for i in range(group.num_columns)}
    dictionaries = {name for name, used in encodings.items() if "RLE_DICTIONARY" in used}
    assert dictionaries == {column.name for column in LOG.columns if column.vocabulary}
    plain = {"occurred_at", "recorded_at"}
    columns = [group.column(i) for i in range(group.num_columns)]
    assert {it.path_in_schema: it.compression for it in columns} == {
        name: "UNCOMPRESSED" if name in plain else "LZ4" for name in LOG.schema.names
    }
    assert [it.path_in_schema for it in columns if it.is_stats_set] == ["subscriber"]


def test_a_segment_without_rows_still_has_its_columns(tmp_path):
    """Readers find the schema of a table that stayed empty."""
    written(tmp_path, MANY[:0])
    table = pq.read_table(tmp_path / NAME)
    assert (table.num_rows, table.schema.names) == (0, LOG.schema.names)


def test_hardly_a_flipped_bit_reads_back_silently_wrong(tmp_path):
    """Page checksums cover pages but not their headers: of 150 files with one bit flipped, next to none reads wrong.

    Without checksums two thirds would; `StoredRun.verify`, which looks at every byte, notices all of them.
    """
    written(tmp_path, MANY[:700])
    file = tmp_path / NAME
    good, content = pq.read_table(file), file.read_bytes()
    column = pq.read_metadata(file).row_group(0).column(LOG.schema.names.index("tax_minor"))
    end = column.data_page_offset + column.total_compressed_size
    luck = np.random.default_rng(4)
    noticed, silent = 0, 0
    for place, bit in zip(luck.integers(4, end, 150), luck.integers(0, 8, 150), strict=True):
        damaged = bytearray(content)
        damaged[place] ^= 1 << bit
        try:
            read = pq.read_table(pa.BufferReader(bytes(damaged)), page_checksum_verification=True)
            silent += not read.equals(good)
        except (OSError, pa.ArrowException):
            noticed += 1
    assert noticed > 100
    assert silent <= 2


def full_disk(*_args, **_options):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("step", ["rows", "sync", "rename"])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, step):
    """Wherever the disk gives up, the good file keeps its bytes, no temporary stays, and the error says what to do."""
    written(tmp_path, MANY[:10])
    before = (tmp_path / NAME).read_bytes()
    owner, call = {"rows": (pq.ParquetWriter, "write_table"), "sync": (os, "fsync"), "rename": (Path, "replace")}[step]
    monkeypatch.setattr(owner, call, full_disk)
    with pytest.raises(RunError, match=r"cannot write .*shard-00.parquet: No space left on device\. Free some space"):
        written(tmp_path, MANY[:2000])
    assert (tmp_path / NAME).read_bytes() == before
    assert files_in(tmp_path) == [NAME]


def test_a_defect_while_appending_leaves_no_trace(tmp_path):
    """Rows that cannot be written end the segment and remove its temporary file."""
    segment = Segment(tmp_path, NAME, LOG, VOCABULARIES)
    bad = MANY[:5].copy()
    bad["kind"] = 99
    segment.append(bad)
    with pytest.raises(ValueError, match="'kind'"):
        segment.close()
    assert files_in(tmp_path) == []
    with pytest.raises(RunError, match="has been stopped"):
        segment.append(MANY[:5])


def test_an_aborted_segment_is_gone(tmp_path):
    """Aborting removes what was written; aborting again is harmless, and so is aborting a finished one."""
    segment = Segment(tmp_path, NAME, LOG, VOCABULARIES)
    segment.append(MANY)
    assert files_in(tmp_path) == ["events/.shard-00.parquet.part"]
    segment.abort()
    segment.abort()
    assert files_in(tmp_path) == []
    finished = Segment(tmp_path, NAME, LOG, VOCABULARIES)
    finished.close()
    finished.abort()
    assert files_in(tmp_path) == [NAME]


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    """A file where the folder should be is reported in plain words."""
    (tmp_path / "events").write_text("in the way")
    with pytest.raises(RunError, match=r"cannot write .*shard-00\.parquet"):
        Segment(tmp_path, NAME, LOG, VOCABULARIES)


def test_a_small_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    """`write_aside` swaps at the end; an interruption before that leaves the old content alone."""
    file = tmp_path / "note.txt"
    write_aside(file, b"old")
    write_aside(file, b"new")
    assert file.read_bytes() == b"new"

    def interrupted(_descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_aside(file, b"newer")
    assert (file.read_bytes(), files_in(tmp_path)) == (b"new", ["note.txt"])


def test_a_named_file_is_replaced_whole_or_not_at_all(tmp_path):
    """Where there is no room the old one stays, nothing lies beside it, and it is said what to do."""
    file = tmp_path / "page.html"
    write_named(file, "old")
    with no_room(), pytest.raises(RunError, match=r"page\.html: File too large\. Free some space there, or name"):
        write_named(file, "a page that is too long")
    assert (file.read_text(), files_in(tmp_path)) == ("old", ["page.html"])


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few make links, and has no pipes with names")
def test_a_link_and_a_pipe_stay_what_they_are(tmp_path):
    """What the link leads to is written anew, and what reads the pipe gets the bytes."""
    write_named(tmp_path / "page.html", "old")
    (tmp_path / "link.html").symlink_to(tmp_path / "page.html")
    write_named(tmp_path / "link.html", "new")
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "page.html").read_text() == "new"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_named(pipe, "told")
    assert os.read(reader, 100) == b"told"
    os.close(reader)
    assert files_in(tmp_path) == ["link.html", "page.html"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "Free some space there, or choose another folder with --out."),
        (errno.EDQUOT, "Free some space there, or choose another folder with --out."),
        (errno.EROFS, "Choose another folder with --out."),
        (errno.EACCES, "Choose another folder with --out."),
    ],
)
def test_only_a_full_disk_is_asked_for_space(number, said):
    """A folder that may not be written has enough of it."""
    error = cannot_write(Path("out"), OSError(number, os.strerror(number)))
    assert str(error) == f"cannot write out: {os.strerror(number)}. {said}"


def test_memory_that_another_file_has_used_leaves_no_trace(tmp_path):
    """A segment in the memory of a longer one with other rows has the bytes that it has in fresh memory."""
    arenas = Arenas()
    for place, rows in (("first", MANY[::-1].copy()), ("second", MANY[:1003])):
        segment = Segment(tmp_path / place, NAME, LOG, VOCABULARIES, arenas)
        used = segment._group._arena
        segment.append(rows)
        segment.close()
    assert arenas.take(used.size) is used
    written(tmp_path / "fresh", MANY[:1003])
    assert (tmp_path / "second" / NAME).read_bytes() == (tmp_path / "fresh" / NAME).read_bytes()
