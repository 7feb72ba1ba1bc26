"""How the shards of a run share its files: the more people, the more parts.

A run has 64 shards whatever its size, and a *part* is a group of neighbouring shards: one worker simulates it, and the
truth and every fact have a file per part. Few people have few parts, since a file costs three milliseconds to write and
as long to open, whether ten people are in it or ten thousand. The largest runs have 16 parts, and a file of the log for
each shard; in all others a part has one.
"""

from __future__ import annotations

from dataclasses import dataclass

from billing_sim.people import SHARDS

_MOST_PARTS = 16
_PEOPLE_PER_PART = 8192


@dataclass(frozen=True)
class Division:
    """So many parts, a power of two up to 16."""

    parts: int = _MOST_PARTS

    def shards_of(self, part: int) -> range:
        """The shards of a part."""
        each = SHARDS // self.parts
        return range(part * each, (part + 1) * each)

    def file(self, table: str, part: int) -> str:
        """One part of the truth or of a fact, by the table's folder."""
        return f"{table}/part-{part:02d}.parquet"

    def log_file(self, table: str, shard: int) -> str:
        """Where the log of a shard lies, by the log's folder."""
        if self.parts == _MOST_PARTS:
            return f"{table}/shard-{shard:02d}.parquet"
        return self.file(table, shard * self.parts // SHARDS)


FINEST = Division()
"""That of the largest runs."""


def division_for(people: int) -> Division:
    """As few parts as so many people need, the same for any number of workers."""
    parts = 1
    while parts < _MOST_PARTS and people > parts * _PEOPLE_PER_PART:
        parts *= 2
    return Division(parts)
