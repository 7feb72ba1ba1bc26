"""Records become Arrow columns: values, labels and nulls, whatever the blocks."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs_samples import VOCABULARIES, log_rows, records, truth_rows

from billing_sim import events
from billing_sim.events import Column
from billing_sim.facts.schema import FACTS, INVOICES, NULL, Fact
from billing_sim.runs.columns import RowGroup, layout_of, record_batch
from billing_sim.runs.tables import layouts

ENVELOPE = {column.name for column in events.ENVELOPE}
LOG, TRUTH = layouts()["events"], layouts()["truth"]
KINDS = {kind.number: kind for kind in events.EVENTS}


def plain(column: Column, value: int, labels: dict[str, tuple[str, ...]]) -> Any:
    """What a stored number means, read without Arrow."""
    if column.vocabulary:
        return labels[column.vocabulary][value]
    if column.storage == "timestamp":
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)
    if column.storage == "date":
        return date(1970, 1, 1) + timedelta(days=value)
    return bool(value) if column.storage == "bool" else value


@pytest.mark.parametrize("kind", events.EVENTS, ids=lambda kind: kind.name)
def test_a_kind_fills_its_own_columns_and_leaves_the_others_null(kind):
    """Exactly the envelope and the columns that the kind names hold a value, and it is the one written."""
    rows = log_rows(11, (kind,))
    batch = record_batch(rows, LOG, VOCABULARIES)
    batch.validate(full=True)
    labels = {**VOCABULARIES, "kinds": {kind.number: kind.name}}
    for number, told in enumerate(batch.to_pylist()):
        expected = {
            c.name: plain(c, int(rows[c.name][number]), labels)
            if c.name in ENVELOPE or c.name in kind.columns
            else None
            for c in events.COLUMNS
        }
        assert told == expected


@pytest.mark.parametrize("kind", events.TRUTH, ids=lambda kind: kind.name)
def test_a_kind_of_truth_fills_its_own_columns(kind):
    """The sealed table follows the same rule, with its own kinds."""
    row = record_batch(log_rows(1, (kind,), events.TRUTH_ROW), TRUTH, VOCABULARIES).to_pylist()[0]
    held = {name for name, value in row.items() if value is not None}
    assert held == {"subscriber", "sequence", "kind", "occurred_at", *kind.columns}
    assert row["kind"] == kind.name


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)
def test_a_fact_has_nulls_only_where_a_time_stands_for_null(fact: Fact):
    """NULL in a timestamp or date is null; every other value comes back as written, flags as booleans."""
    rows = records(fact.dtype, 13)
    times = [column.name for column in fact.columns if column.storage in ("timestamp", "date")]
    for name in times:
        rows[name][::3] = NULL
    batch = record_batch(rows, layouts()[f"facts/{fact.name}"], VOCABULARIES)
    batch.validate(full=True)
    for number, told in enumerate(batch.to_pylist()):
        for column in fact.columns:
            is_null = column.name in times and number % 3 == 0
            value = int(rows[column.name][number])
            assert told[column.name] == (None if is_null else plain(column, value, VOCABULARIES))


@given(cuts=st.lists(st.integers(0, 200), max_size=6), capacity=st.sampled_from([8, 64, 136]))
@settings(max_examples=40, deadline=None)
def test_blocks_of_any_size_fill_the_same_groups(cuts, capacity):
    """The groups that come out depend on the rows and the capacity, not on how the rows arrived."""
    rows = log_rows(200)
    group, batches = RowGroup(LOG, VOCABULARIES, capacity), []
    edges = [0, *sorted(cuts), 200]
    for first, last in pairwise(edges):
        position = first
        while position < last:
            position += group.fill(rows[:last], position)
            if group.is_full:
                batches += group.batch().to_pylist()
                group.clear()
    batches += group.batch().to_pylist()
    assert batches == record_batch(rows, LOG, VOCABULARIES).to_pylist()


@pytest.mark.parametrize("layout", [LOG, layouts()["facts/invoices"]], ids=["log", "invoices"])
def test_a_group_that_outgrows_its_first_room_keeps_what_it_held(layout):
    """Memory for many rows is taken when they come, in the middle of a block or between two."""
    count = 12_000
    rows = log_rows(count) if layout is LOG else records(layout.dtype, count)
    expected = record_batch(rows, layout, VOCABULARIES)
    for first in (1, 4_000, 4_096, 5_000):
        group = RowGroup(layout, VOCABULARIES, 16_384, few=4_096)
        group.fill(rows[:first], 0)
        group.fill(rows, first)
        assert group.batch().equals(expected)


def test_no_rows_still_have_every_column():
    """An empty batch carries the whole schema."""
    batch = record_batch(log_rows(0), LOG, VOCABULARIES)
    assert (batch.num_rows, batch.schema.names) == (0, [column.name for column in events.COLUMNS])


def test_records_may_be_strided_read_only_or_a_recarray():
    """How the caller holds its records does not matter."""
    rows = log_rows(40)
    expected = record_batch(rows[::2].copy(), LOG, VOCABULARIES)
    frozen = rows[::2].copy()
    frozen.flags.writeable = False
    for held in (rows[::2], frozen, rows[::2].copy().view(np.recarray)):
        assert record_batch(held, LOG, VOCABULARIES).equals(expected)


def test_a_label_without_a_name_is_refused():
    """A number beyond its vocabulary is a defect of the writer and never reaches a file."""
    rows = records(INVOICES.dtype, 3)
    rows["market"][1] = 3
    with pytest.raises(ValueError, match="column 'market' holds 3, but 'markets' has 3 labels"):
        record_batch(rows, layouts()["facts/invoices"], VOCABULARIES)


def test_an_unknown_kind_is_refused():
    """A kind that no table names cannot be written."""
    rows = log_rows(3)
    rows["kind"][2] = 99
    with pytest.raises(ValueError, match="column 'kind'"):
        record_batch(rows, LOG, VOCABULARIES)


def test_a_vocabulary_that_is_missing_is_named():
    """A layout cannot be written without the labels of its columns."""
    labels = {name: values for name, values in VOCABULARIES.items() if name != "gateways"}
    with pytest.raises(ValueError, match="'gateways' of column 'gateway' has 0 labels"):
        record_batch(log_rows(1), LOG, labels)


def test_records_of_another_layout_are_refused():
    """Truth records do not pass for log records."""
    with pytest.raises(ValueError, match="do not have this layout's fields"):
        record_batch(truth_rows(2), LOG, VOCABULARIES)


def test_a_layout_needs_its_columns():
    """A dtype that lacks a column is no layout."""
    with pytest.raises(ValueError, match="latency_ms"):
        layout_of(events.COLUMNS, events.TRUTH_ROW, events.EVENTS)


PLAIN = """
import numpy as np
from runs_samples import VOCABULARIES, log_rows
from billing_sim.runs.columns import record_batch
from billing_sim.runs.digest import ShardDigest
from billing_sim.runs.tables import layouts
with np.errstate(over="raise"):
    rows = log_rows(67)
    digest = ShardDigest()
    digest.update(rows)
    print(digest.hexdigest(), record_batch(rows, layouts()["events"], VOCABULARIES).serialize().to_pybytes().hex())
"""


def test_plain_python_writes_the_same_columns_and_digest():
    """With compilation switched off, and overflow an error, nothing changes but the speed."""
    told = [
        subprocess.run(
            [sys.executable, "-c", PLAIN],
            env={**os.environ, "NUMBA_DISABLE_JIT": off},
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for off in ("0", "1")
    ]
    assert told[0] == told[1]
    assert len(told[0]) > 67 * LOG.dtype.itemsize
