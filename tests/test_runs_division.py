"""How many files a run has: few for few people, the same whatever the workers, and every shard in one of them."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

import billing_sim
from billing_sim.people import SHARDS
from billing_sim.runs.division import FINEST, Division, division_for

FIRST_MONTH = Path(__file__).parent.parent / "scenarios" / "first_month.yaml"


@pytest.mark.parametrize(
    ("people", "parts"),
    [(0, 1), (8_192, 1), (8_193, 2), (16_384, 2), (16_385, 4), (65_536, 8), (65_537, 16), (10**9, 16)],
)
def test_more_people_have_more_parts(people, parts):
    """A part is for 8,192 people, and the number of parts a power of two up to 16."""
    assert division_for(people).parts == parts


@pytest.mark.parametrize("parts", [1, 2, 4, 8, 16])
def test_every_shard_lies_in_one_part_and_its_log_there(parts):
    """Shards keep their order over the parts; only the finest division has a file of the log for each."""
    it = Division(parts)
    assert [shard for part in range(parts) for shard in it.shards_of(part)] == list(range(SHARDS))
    for part in range(parts):
        logs = {it.log_file("events", shard) for shard in it.shards_of(part)}
        assert len(logs) == (4 if it == FINEST else 1)
    names = [it.log_file("events", shard) for shard in range(SHARDS)]
    assert names == sorted(names)


@pytest.mark.parametrize(("members", "parts"), [(300, 1), (9_000, 2)])
def test_a_run_has_the_same_files_with_any_workers(tmp_path, members, parts):
    """Byte for byte, one file a part and table; in the log people come shard by shard."""
    runs = [billing_sim.run(FIRST_MONTH, members=members, out=tmp_path / str(n), workers=n, log="all") for n in (1, 3)]
    files = [
        {str(file.relative_to(run.directory)): file.read_bytes() for file in run.directory.rglob("*.parquet")}
        for run in runs
    ]
    assert files[0] == files[1]
    assert [name for name in sorted(files[0]) if name.startswith("events/")] == [
        f"events/part-{part:02d}.parquet" for part in range(parts)
    ]
    rows = sum(pq.read_metadata(runs[0].directory / name).num_rows for name in files[0] if name.startswith("events/"))
    assert rows == runs[0].events
