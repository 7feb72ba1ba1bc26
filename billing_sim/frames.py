"""Arrow becomes pandas without changing what it says.

Whole numbers stay whole (pandas' own default turns them into floats where one is missing), labels become categories,
dates become days, and every moment says that it is UTC. What is counted has 64 bits, since pandas lets the product of
narrow numbers wrap around without a word; only events, of which there are most, stay as narrow as they are stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from billing_sim.runs.left_out import whole
from billing_sim.runs.reading import reading_file

_WITH_GAPS: dict[Any, Any] = {
    pa.int64(): pd.Int64Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int8(): pd.Int8Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


_BITS = 64


def read(files: Sequence[Path], *, narrow: bool = False) -> pd.DataFrame:
    """The rows of Parquet files of one table, in the order of the files; RunError when one cannot be read."""
    tables = [_table(file) for file in files]
    with reading_file(files[0]):
        together = pa.concat_tables(tables).unify_dictionaries()
    return frame(together, narrow=narrow)


def frame(table: pa.Table, *, narrow: bool = False) -> pd.DataFrame:
    """An Arrow table as a DataFrame; columns may share a name."""
    columns = table.columns if narrow else map(_wide, table.columns)
    made = pd.DataFrame(dict(enumerate(map(_series, columns))))
    made.columns = pd.Index(table.column_names)
    return made


def _table(file: Path) -> pa.Table:
    with reading_file(file), pq.ParquetFile(file, page_checksum_verification=True) as opened:
        return whole(opened.read())


def _series(column: pa.ChunkedArray) -> pd.Series:
    column = _in_utc(_narrow(column))
    with_gaps = _WITH_GAPS.get if column.null_count else None
    series: pd.Series = column.to_pandas(types_mapper=with_gaps, date_as_object=False)
    return series


def _wide(column: pa.ChunkedArray) -> pa.ChunkedArray:
    is_short = pa.types.is_integer(column.type) and column.type.bit_width < _BITS
    return column.cast(pa.int64()) if is_short else column


def _narrow(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Sums of whole numbers arrive as 128-bit decimals; those that fit become 64-bit integers again."""
    if not pa.types.is_decimal(column.type) or column.type.scale:
        return column
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column


def _in_utc(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """DuckDB sees moments without a zone; all of them are UTC."""
    if not pa.types.is_timestamp(column.type) or column.type.tz:
        return column
    return column.cast(pa.timestamp(column.type.unit, "UTC"))
