"""The world's own events: what readers must know of prices, rates, policies and outages, as one small file.

They are few and partly text, so they travel as dictionaries: the keys are the names of `events.WORLD_COLUMNS`, moments
are integer microseconds, `kind` is the event's name (its number is accepted too), and what is absent is null.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from billing_sim.events import WORLD_COLUMNS, WORLD_EVENTS
from billing_sim.runs.aside import Aside, cannot_write
from billing_sim.runs.columns import ARROW_TYPES, strings
from billing_sim.runs.reading import reading_file
from billing_sim.runs.segment import METADATA

_ALWAYS = ("sequence", "kind", "occurred_at", "recorded_at")
_NAMES: dict[Any, str] = {kind.number: kind.name for kind in WORLD_EVENTS}
_TYPES = {**ARROW_TYPES, "text": pa.string()}
_STORAGE = {c.name: "text" if c.vocabulary else c.storage for c in WORLD_COLUMNS}
SCHEMA = pa.schema([pa.field(name, _TYPES[kind], name not in _ALWAYS) for name, kind in _STORAGE.items()])


def write_world_log(home: Path, name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Write the rows to the file `name` of a run; return its `path`, `rows`, `bytes` and `sha256`."""
    aside = Aside(home / name)
    table = pa.Table.from_arrays(_arrays(rows), schema=SCHEMA.with_metadata(METADATA))
    try:
        aside.path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            table, str(aside.temporary), compression="zstd", compression_level=1,
            use_dictionary=["kind"], write_page_checksum=True,
        )  # fmt: skip
        return {"path": name, "rows": table.num_rows, **aside.commit()}
    except OSError as error:
        aside.discard()
        raise cannot_write(aside.path, error) from error


def read_world_log(path: Path) -> list[dict[str, Any]]:
    """The rows as they were written, nulls for what was absent, the kinds by name; RunError when it cannot be read."""
    moments = {name: pa.int64() for name, kind in _STORAGE.items() if kind == "timestamp"}
    plain = pa.schema([pa.field(field.name, moments.get(field.name, field.type)) for field in SCHEMA])
    with reading_file(path), pq.ParquetFile(path, page_checksum_verification=True) as file:
        return file.read(list(_STORAGE)).cast(plain).to_pylist()


def _arrays(rows: Sequence[dict[str, Any]]) -> list[pa.Array]:
    unknown = sorted({key for row in rows for key in row} - _STORAGE.keys())
    if unknown:
        raise ValueError(f"world events have no column {unknown[0]!r}")
    columns = {name: [row.get(name) for row in rows] for name in _STORAGE}
    columns["kind"] = [_NAMES.get(kind, kind) for kind in columns["kind"]]
    strange = sorted({str(kind) for kind in columns["kind"] if kind not in _NAMES.values()})
    if strange:
        raise ValueError(f"{strange[0]!r} is no kind of world event")
    return [_array(columns[name], kind) for name, kind in _STORAGE.items()]


def _array(values: list[Any], kind: str) -> pa.Array:
    held = np.array([value is not None for value in values], bool)
    validity = pa.py_buffer(np.packbits(held, bitorder="little"))
    if kind == "text":
        offsets, data = strings(["" if value is None else value for value in values]).buffers()[1:]
        return pa.StringArray.from_buffers(len(values), offsets, data, validity)
    numbers = np.array([0 if value is None else value for value in values], np.int32 if kind == "i4" else np.int64)
    return pa.Array.from_buffers(_TYPES[kind], len(values), [validity, pa.py_buffer(numbers)])
