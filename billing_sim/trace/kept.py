"""One person's public rows as the log kept them, for runs whose people cannot be simulated again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from billing_sim import events
from billing_sim.errors import RunError
from billing_sim.runs.reading import reading_file
from billing_sim.runs.stored import StoredRun
from billing_sim.trace.life import Life

_NO_TRUTHS = np.zeros(0, events.TRUTH_ROW)


def kept_life(run: StoredRun, market: int, subscriber: int) -> Life:
    """The life of a person as the log tells it; RunError when not everybody's log was kept."""
    if run.log != "all":
        raise RunError(
            f"{run.directory} is {run.manifest.extended.words if run.manifest.extended else 'extended'}, so its people "
            "cannot be simulated again, and it did not keep the log of everybody: run it again with log all."
        )
    rows = np.concatenate([_rows(run, _piece(file, subscriber)) for file in run.events_files])
    return Life(subscriber, market, rows[np.argsort(rows["sequence"], kind="stable")], _NO_TRUTHS)


def _piece(file: Path, subscriber: int) -> pa.Table:
    """A person's rows in a file of the log."""
    with reading_file(file):
        return pq.read_table(file, filters=[("subscriber", "=", subscriber)])


def _rows(run: StoredRun, table: pa.Table) -> np.ndarray:
    """Rows of the log as the rules wrote them: labels are numbers again, and what is null is zero."""
    rows = np.zeros(table.num_rows, events.ROW)
    for column in events.COLUMNS:
        values = table[column.name].combine_chunks()
        if column.name == "kind":
            numbers = {kind.name: kind.number for kind in (*events.EVENTS, *run.manifest.own_kinds)}
            rows["kind"] = [numbers[name] for name in values.to_pylist()]
        elif column.vocabulary:
            rows[column.name] = _numbers(values, run.vocabularies[column.vocabulary])
        else:
            whole = pa.int32() if column.storage == "date" else pa.int64()
            rows[column.name] = values.cast(whole).fill_null(0).to_numpy(zero_copy_only=False)
    return rows


def _numbers(labels: Any, vocabulary: tuple[str, ...]) -> list[int]:
    number = {label: i for i, label in enumerate(vocabulary)}
    return [number[label] if label is not None else 0 for label in labels.to_pylist()]
