"""Records become Arrow columns: what the compiled rules write, in the form that Parquet and readers understand.

A `Layout` is the plan for one kind of record, made once. A `RowGroup` fills up from blocks of records of any size and
is then handed out as one Arrow batch; labels are numbers into a dictionary, and nulls come from the row's kind (the
log, the truth) or from the stand-in `NULL` (timestamps and dates of facts).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from billing_sim.events import ENVELOPE, Column, Kind
from billing_sim.facts.schema import NO_LABEL, NULL, OPTIONAL_LABELS
from billing_sim.runs.gather import gather, pack_by_kind
from billing_sim.runs.left_out import idle_value

Vocabularies = Mapping[str, tuple[str, ...]]

ARROW_TYPES = {
    "i8": pa.int64(),
    "i4": pa.int32(),
    "i2": pa.int16(),
    "u1": pa.uint8(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", "UTC"),
    "date": pa.date32(),
}
_LABEL = pa.dictionary(pa.uint8(), pa.string())
_ALWAYS = frozenset(column.name for column in ENVELOPE)
_NEVER_NULL = -1
_ALIGNMENT = 64


@dataclass(frozen=True)
class Layout:
    """How one record becomes columns; build it with `layout_of`.

    With `kinds`, a column outside the envelope is null in rows whose kind does not use it. Without, timestamps and
    dates equal to `billing_sim.facts.schema.NULL` are null and nothing else is.
    """

    columns: tuple[Column, ...]
    dtype: np.dtype
    kinds: tuple[Kind, ...]

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema; labels are `dictionary<uint8, string>`."""
        return pa.schema([pa.field(c.name, self.type_of(c), self.is_nullable(c)) for c in self.columns])

    @staticmethod
    def type_of(column: Column) -> pa.DataType:
        """The Arrow type of a column."""
        return _LABEL if column.vocabulary else ARROW_TYPES[column.storage]

    def is_nullable(self, column: Column) -> bool:
        """Whether some row may hold no value there."""
        if self.kinds:
            return column.name not in _ALWAYS
        return column.storage in ("timestamp", "date") or column.name in OPTIONAL_LABELS

    @cached_property
    def patterns(self) -> tuple[tuple[bool, ...], ...]:
        """The different ways in which kinds use columns: one flag per kind."""
        optional = [column for column in self.columns if self.kinds and self.is_nullable(column)]
        return tuple(dict.fromkeys(self._pattern(column) for column in optional))

    def _pattern(self, column: Column) -> tuple[bool, ...]:
        return tuple(column.name in kind.columns for kind in self.kinds)

    @cached_property
    def pattern_of(self) -> tuple[int, ...]:
        """For each column the number of its pattern, or -1 when its nulls do not depend on the kind."""
        by_kind = [bool(self.kinds) and self.is_nullable(column) for column in self.columns]
        numbers = {pattern: number for number, pattern in enumerate(self.patterns)}
        pairs = zip(self.columns, by_kind, strict=True)
        return tuple(numbers[self._pattern(column)] if depends else _NEVER_NULL for column, depends in pairs)

    @cached_property
    def used(self) -> np.ndarray:
        """uint8[patterns, 256]: 1 where a kind uses the columns of a pattern."""
        table = np.zeros((len(self.patterns), 256), np.uint8)
        for number, pattern in enumerate(self.patterns):
            for kind, uses in zip(self.kinds, pattern, strict=True):
                table[number, kind.number] = uses
        return table

    @cached_property
    def label_of_kind(self) -> np.ndarray:
        """uint8[256]: kind numbers (with gaps) to positions among the kinds' names; 255 for an unknown kind."""
        table = np.full(256, 255, np.uint8)
        for position, kind in enumerate(sorted(self.kinds, key=lambda kind: kind.number)):
            table[kind.number] = position
        return table

    def labels(self, column: Column, vocabularies: Vocabularies) -> pa.Array:
        """The dictionary of a label column; the kinds' names come from the layout itself."""
        if column.vocabulary and column.name == "kind" and self.kinds:
            names = [kind.name for kind in sorted(self.kinds, key=lambda kind: kind.number)]
        else:
            names = list(vocabularies.get(column.vocabulary, ()))
        if not 1 <= len(names) <= 256:
            raise ValueError(f"vocabulary {column.vocabulary!r} of column {column.name!r} has {len(names)} labels")
        return strings(names)


def layout_of(columns: tuple[Column, ...], dtype: np.dtype, kinds: tuple[Kind, ...] | None = None) -> Layout:
    """The layout of records of this aligned `dtype`; `kinds` where nulls depend on the column `kind`."""
    missing = [column.name for column in columns if column.name not in (dtype.names or ())]
    if missing or dtype.itemsize % 8:
        raise ValueError(f"records need 8-byte alignment and the columns {missing}")
    return Layout(columns, dtype, kinds or ())


class Arenas:
    """Memory that one row group after another uses: asking the system for it anew costs a page fault every 4 KiB."""

    def __init__(self) -> None:
        self._free: dict[int, list[np.ndarray]] = {}

    def take(self, size: int) -> np.ndarray:
        """uint8[size], holding whatever was there last; from any thread."""
        try:
            return self._free[size].pop()
        except LookupError:
            return np.zeros(size, np.uint8)

    def give_back(self, arena: np.ndarray) -> None:
        """Let another row group have it; nothing may read it any more."""
        self._free.setdefault(arena.size, []).append(arena)


class RowGroup:
    """Columns for up to `capacity` rows (a multiple of 8) that fill up from records and empty into a batch.

    There is room for all of them from the start, or for `few`, also a multiple of 8, until more come.
    """

    def __init__(
        self, layout: Layout, vocabularies: Vocabularies, capacity: int, arenas: Arenas | None = None, few: int = 0
    ) -> None:
        self.layout, self.capacity, self.rows = layout, capacity, 0
        self._labels = {c.name: layout.labels(c, vocabularies) for c in layout.columns if c.vocabulary}
        self._arenas = arenas or Arenas()
        self._make_room(few or capacity)
        self._idle = {} if layout.kinds else dict(self._idle_values())

    def _make_room(self, rows: int) -> None:
        self._room = rows
        self._plan, size = _plan(self.layout, rows)
        self._arena = self._arenas.take(size)
        self._views = _views(self._arena)

    def _make_all_room(self) -> None:
        """Move what is held to where there is room for all that may come."""
        number_of = range(len(self.layout.columns))
        widths = [_NATIVE[self.layout.dtype[column.name].itemsize] for column in self.layout.columns]
        held, arena = [self._values(n, widths[n]) for n in number_of], self._arena
        self._make_room(self.capacity)
        for n in number_of:
            self._values(n, widths[n])[:] = held[n]
        self._arenas.give_back(arena)

    def _idle_values(self) -> Iterator[tuple[str, tuple[int, int]]]:
        for number, column in enumerate(self.layout.columns):
            value = idle_value(column, self.labels[column.name] if column.vocabulary else ())
            if value is not None:
                yield column.name, (number, value)

    @property
    def is_full(self) -> bool:
        """Whether no further row fits."""
        return self.rows == self.capacity

    def fill(self, rows: np.ndarray, first: int) -> int:
        """Take records from number `first` on, as many as fit; return how many that were."""
        if rows.dtype != self.layout.dtype:
            raise ValueError(f"records of {rows.dtype.itemsize} bytes do not have this layout's fields")
        count = min(self.capacity - self.rows, rows.shape[0] - first)
        if self.rows + count > self._room:
            self._make_all_room()
        flat = np.ascontiguousarray(rows).view(np.ndarray).view(np.uint8)
        gather(*_views(np.require(flat, requirements="W")), *self._views, self._plan, first, count, self.rows)
        self.rows += count
        return count

    @property
    def labels(self) -> Mapping[str, list[str]]:
        """The labels of each label column."""
        return {name: found.to_pylist() for name, found in self._labels.items()}

    def batch(self, without: Collection[str] = ()) -> pa.RecordBatch:
        """What is held, as Arrow columns over this group's memory: read it before filling again."""
        bitmaps = self._bitmaps()
        numbers = [n for n, column in enumerate(self.layout.columns) if column.name not in without]
        arrays = [self._array(number, bitmaps) for number in numbers]
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema([self.layout.schema.field(n) for n in numbers]))

    def idle(self, among: Iterable[str] | None = None) -> frozenset[str]:
        """The columns, of all or among some, that hold nothing but their idle value; none in logs and truth."""
        names = self._idle if among is None else [name for name in among if name in self._idle]
        return frozenset(name for name in names if self._is_idle(name))

    def _is_idle(self, name: str) -> bool:
        number, value = self._idle[name]
        values = self._values(number, _NATIVE[self.layout.dtype[name].itemsize])
        return not values.any() if value == 0 else bool((values == value).all())

    def clear(self) -> None:
        """Forget the rows; the batch handed out before must no longer be in use."""
        self.rows = 0

    def let_go(self) -> None:
        """Give the memory to whoever needs it next; this group, and every batch from it, is over."""
        self._arenas.give_back(self._arena)
        del self._arena, self._views

    def _values(self, number: int, dtype: type) -> np.ndarray:
        start = int(self._plan[number, 3])
        return self._views[{8: 0, 4: 1, 2: 2, 1: 3}[np.dtype(dtype).itemsize]][start : start + self.rows]

    def _bitmaps(self) -> np.ndarray:
        layout, size = self.layout, -(-self.rows // 8)
        bitmaps = np.zeros((len(layout.patterns), size), np.uint8)
        if layout.kinds:
            number = [column.name for column in layout.columns].index("kind")
            start = int(self._plan[number, 3])
            pack_by_kind(self._arena[start : start + size * 8], layout.used, bitmaps)
        return bitmaps

    def _array(self, number: int, bitmaps: np.ndarray) -> pa.Array:
        column, pattern = self.layout.columns[number], self.layout.pattern_of[number]
        values = self._values(number, _NATIVE[self.layout.dtype[column.name].itemsize])
        validity = None
        if pattern != _NEVER_NULL:
            validity = pa.py_buffer(bitmaps[pattern])
        elif self.layout.is_nullable(column):
            missing = values == (NO_LABEL if column.vocabulary else NULL)
            validity = pa.py_buffer(np.packbits(~missing, bitorder="little"))
            if column.vocabulary:
                values = np.where(missing, np.uint8(0), values)
        if column.vocabulary:
            return self._label_array(column, values, validity)
        if column.storage == "bool":
            values = np.packbits(values, bitorder="little")
        return pa.Array.from_buffers(self.layout.type_of(column), self.rows, [validity, pa.py_buffer(values)])

    def _label_array(self, column: Column, values: np.ndarray, validity: pa.Buffer | None) -> pa.Array:
        labels = self._labels[column.name]
        if column.name == "kind" and self.layout.kinds:
            values = self.layout.label_of_kind.take(values)
        highest = int(values.max(initial=0))
        if highest >= len(labels):
            raise ValueError(
                f"column {column.name!r} holds {highest}, but {column.vocabulary!r} has {len(labels)} labels"
            )
        return pa.DictionaryArray.from_buffers(_LABEL, self.rows, [validity, pa.py_buffer(values)], labels)


def record_batch(rows: np.ndarray, layout: Layout, vocabularies: Vocabularies) -> pa.RecordBatch:
    """All the records as one Arrow batch with memory of its own."""
    group = RowGroup(layout, vocabularies, max(8, -(-rows.shape[0] // 8) * 8))
    group.fill(rows, 0)
    return group.batch()


_NATIVE = {8: np.int64, 4: np.int32, 2: np.int16, 1: np.uint8}


def _views(buffer: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(buffer.view(width) for width in _NATIVE.values())


def strings(texts: Sequence[str]) -> pa.StringArray:
    """An Arrow array of texts, made from its buffers: `pa.array` would import pandas first (1.3 s)."""
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)))


def _plan(layout: Layout, capacity: int) -> tuple[np.ndarray, int]:
    """The lines of `gather` for every column, and the size of the buffer that holds them all, in bytes."""
    fields: Any = layout.dtype.fields
    plan, end = [], 0
    for column in layout.columns:
        field, offset = fields[column.name][:2]
        width = field.itemsize
        plan.append((width, offset // width, layout.dtype.itemsize // width, end // width))
        end += -(-capacity * width // _ALIGNMENT) * _ALIGNMENT
    return np.array(plan, np.int64).reshape(-1, 4), end
