"""Columns that hold nothing are not written, and every reader has them all the same."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from runs_samples import CONTENT, ENVIRONMENT, VOCABULARIES, files_in, log_rows, records, truth_rows, writer_for

from billing_sim import frames
from billing_sim.errors import RunError
from billing_sim.facts.schema import INVOICES, NO_LABEL, NULL, OPTIONAL_LABELS
from billing_sim.metrics.connection import connect_to
from billing_sim.metrics.rows import rows_of
from billing_sim.metrics.source import RunFolder
from billing_sim.runs.columns import record_batch
from billing_sim.runs.directory import open_run
from billing_sim.runs.left_out import left_out_of
from billing_sim.runs.segment import ROWS_PER_GROUP, Segment
from billing_sim.runs.tables import layouts

LAYOUT = layouts()["facts/invoices"]
IDLE = ("arm", "coupon", "after_trial", "discount_micros", "refunded_at", "contacts_14d", "was_returned")
NAME = "facts/invoices/part-{:02d}.parquet"


def invoices(count: int, idle: tuple[str, ...] = IDLE) -> np.ndarray:
    """Invoices in which some columns hold nothing, and every other one holds something."""
    rows = records(INVOICES.dtype, count)
    for column in INVOICES.columns:
        empty = NULL if column.storage in ("timestamp", "date") else NO_LABEL if column.name in OPTIONAL_LABELS else 0
        rows[column.name][0] = 1
        if column.name in idle:
            rows[column.name] = empty
    return rows


def written(home: Path, rows: np.ndarray, part: int = 0, block: int = 1 << 30) -> Path:
    segment = Segment(home, NAME.format(part), LAYOUT, VOCABULARIES)
    for first in range(0, len(rows), block):
        segment.append(rows[first : first + block])
    segment.close()
    return home / NAME.format(part)


def expected(rows: np.ndarray) -> pd.DataFrame:
    """The same rows, gathered into columns without a file between."""
    return frames.frame(pa.Table.from_batches([record_batch(rows, LAYOUT, VOCABULARIES)]))


def in_sql(files: list[Path]) -> list[tuple]:
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        shown = ", ".join(_told(column) for column in INVOICES.columns)
        return connection.execute(
            f"SELECT {shown} FROM {rows_of(connection, INVOICES.columns, files)} ORDER BY ALL"
        ).fetchall()


def _told(column) -> str:
    name = f'"{column.name}"'
    return f"epoch_us({name})" if column.storage == "timestamp" else f"{name}::VARCHAR, typeof({name})"


def plainly(home: Path, rows: np.ndarray, part: int) -> Path:
    """A file with every column, as PyArrow writes it when nobody tells it anything."""
    file = home / f"plain-{part}.parquet"
    pq.write_table(pa.Table.from_batches([record_batch(rows, LAYOUT, VOCABULARIES)]), file)
    return file


def test_a_file_lacks_what_holds_nothing_and_reads_back_the_same(tmp_path):
    """In pandas the frame is the same to the categories; in SQL the rows and types are."""
    rows = invoices(1000)
    file = written(tmp_path, rows)
    assert set(LAYOUT.schema.names) - set(pq.read_schema(file).names) == set(IDLE)
    pd.testing.assert_frame_equal(frames.read([file]), expected(rows))
    assert in_sql([file]) == in_sql([plainly(tmp_path, rows, 0)])


def test_files_that_lack_different_columns_are_one_table(tmp_path):
    """What is there in some files only is filled in for the others, values and nulls alike."""
    parts = [invoices(100), invoices(100, ("arm", "is_signup", "held_at")), invoices(100, ())]
    files = [written(tmp_path, rows, part) for part, rows in enumerate(parts)]
    pd.testing.assert_frame_equal(frames.read(files), expected(np.concatenate(parts)))
    plain = [plainly(tmp_path, rows, part) for part, rows in enumerate(parts)]
    assert in_sql(files) == in_sql(plain)
    assert in_sql(files[2:]) == in_sql(plain[2:])


@pytest.mark.parametrize("late", [ROWS_PER_GROUP, 2 * ROWS_PER_GROUP + 9])
def test_a_column_that_is_used_late_is_written_after_all(tmp_path, late):
    """The file then begins anew with all columns; its bytes still depend on its rows alone."""
    rows = invoices(2 * ROWS_PER_GROUP + 10)
    rows["coupon"][late] = 1
    files = [written(tmp_path / str(block), rows, block=block) for block in (1 << 30, 7919)]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert pq.read_schema(files[0]).names == LAYOUT.schema.names
    assert not left_out_of(pq.read_schema(files[0]).metadata)
    metadata = pq.read_metadata(files[0])
    assert [metadata.row_group(i).num_rows for i in range(3)] == [ROWS_PER_GROUP, ROWS_PER_GROUP, 10]
    found, wanted = frames.read(files[:1]), expected(rows)
    assert (found.dtypes == wanted.dtypes).all()
    assert found.equals(wanted)
    assert files_in(tmp_path / "7919") == [NAME.format(0)]


def test_the_log_and_a_table_without_rows_keep_all_columns(tmp_path):
    """Nulls of the log follow from kinds; a table without rows tells readers its columns."""
    assert pq.read_schema(written(tmp_path, invoices(8)[:0])).names == LAYOUT.schema.names
    log = layouts()["events"]
    segment = Segment(tmp_path, "events/shard-00.parquet", log, VOCABULARIES)
    segment.append(log_rows(4))
    segment.close()
    assert pq.read_schema(tmp_path / "events/shard-00.parquet").names == log.schema.names


def test_a_column_that_is_missing_without_having_been_left_out_is_refused(tmp_path):
    """Nothing is made up for it."""
    file = written(tmp_path, invoices(100))
    table = pq.ParquetFile(file).read()
    pq.write_table(table.drop_columns(["amount_micros"]), file)
    with duckdb.connect(":memory:") as connection, pytest.raises(duckdb.Error, match="amount_micros"):
        connection.execute(f"SELECT count(*) FROM {rows_of(connection, INVOICES.columns, [file])}")


def test_a_run_with_such_a_file_is_refused(tmp_path):
    """Whoever opens the facts of that run hears which column is missing."""
    writer = writer_for(tmp_path / "run")
    writer.part(0).append(0, log_rows(20), truth_rows(4), {"invoices": invoices(100)})
    writer.finish(CONTENT, ENVIRONMENT)
    run = open_run(tmp_path / "run")
    file = run.facts_files("invoices")[0]
    assert left_out_of(pq.read_schema(file).metadata)
    connect_to(RunFolder(run.directory), [INVOICES]).close()
    pq.write_table(pq.ParquetFile(file).read().drop_columns(["amount_micros"]), file)
    with pytest.raises(RunError, match=r"(?s)cannot be read: .*amount_micros"):
        connect_to(RunFolder(run.directory), [INVOICES])
    with pytest.raises(RunError, match=r"part-00\.parquet has \d+ bytes instead of"):
        open_run(run.directory)
