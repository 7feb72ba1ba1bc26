"""Columns of facts that a run does not use are not written, and every reader has them all the same.

A scenario without trials has `false` in every row of `after_trial`, one without coupons `none` in every `coupon`: a
quarter of all values in the main scenario. A file leaves out a column that holds nothing but its idle value (zero,
false, null, or the label `none`), and says so in its own metadata, with all that it takes to put the column back. A
column that is missing without having been left out is damage.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from billing_sim.events import Column
from billing_sim.facts.schema import NULL, OPTIONAL_LABELS

if TYPE_CHECKING:
    import pyarrow as pa

KEY = "left_out"
IDLE_LABEL = "none"

LeftOut: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By name: the place `at` which the column belongs, its `storage`, and its `labels` where it has any."""


def idle_value(column: Column, labels: Sequence[str]) -> int | None:
    """What a column of facts holds, as stored, where a run does not use it; None where it is always written."""
    if column.name == "subscriber":
        return None
    if column.storage in ("timestamp", "date"):
        return NULL
    if not column.vocabulary:
        return 0
    return 0 if labels[0] == IDLE_LABEL and column.name not in OPTIONAL_LABELS else None


def told(columns: Sequence[Column], left_out: Iterable[str], labels: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The metadata of a file without these columns; nothing when it has all."""
    places = {column.name: (at, column) for at, column in enumerate(columns)}
    said: dict[str, dict[str, Any]] = {}
    for name in sorted(left_out, key=lambda name: places[name][0]):
        at, column = places[name]
        said[name] = {"at": at, "storage": column.storage}
        if column.vocabulary:
            said[name]["labels"] = list(labels[name])
    return {KEY: json.dumps(said)} if said else {}


def left_out_of(metadata: Mapping[bytes, bytes] | None) -> LeftOut:
    """What the metadata of a file says that it left out; ValueError when that is damaged."""
    return read_left_out((metadata or {}).get(KEY.encode(), b"{}"))


def read_left_out(text: bytes) -> LeftOut:
    """What a file wrote down of it; ValueError when that is damaged."""
    with suppress(ValueError):
        found: LeftOut = json.loads(text)
        if isinstance(found, dict) and all(map(_is_told, found.values())):
            return found
    raise ValueError("what it says of the columns that it left out is damaged")


def _is_told(it: Any) -> bool:
    return isinstance(it, dict) and isinstance(it.get("at"), int) and isinstance(it.get("storage"), str)


def whole(table: pa.Table) -> pa.Table:
    """The table that was read from a file, with the columns that the file left out, each in its place."""
    import pyarrow as pa

    from billing_sim.runs.columns import ARROW_TYPES, strings

    metadata = table.schema.metadata
    for name, it in left_out_of(metadata).items():
        if "labels" in it:
            first = pa.repeat(pa.scalar(0, pa.uint8()), table.num_rows)
            values = pa.DictionaryArray.from_arrays(first, strings(it["labels"]))
        elif it["storage"] in ("timestamp", "date"):
            values = pa.nulls(table.num_rows, ARROW_TYPES[it["storage"]])
        else:
            kind = ARROW_TYPES[it["storage"]]
            values = pa.repeat(pa.scalar(False if it["storage"] == "bool" else 0, kind), table.num_rows)
        field = pa.field(name, values.type, nullable=it["storage"] in ("timestamp", "date"))
        table = table.add_column(it["at"], field, values)
    kept = {key: value for key, value in (metadata or {}).items() if key != KEY.encode()}
    return table.replace_schema_metadata(kept)
