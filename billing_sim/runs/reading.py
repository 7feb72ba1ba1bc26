"""What is said when a file of a run cannot be read: it is damaged, or it is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from billing_sim.errors import RunError

_WHAT_DAMAGE_RAISES = (OSError, pa.ArrowException, LookupError, TypeError, ValueError)


@contextmanager
def reading_file(file: Path) -> Iterator[None]:
    """A block that reads a file of a run and does nothing else: what goes wrong is told as a `RunError`."""
    try:
        yield
    except _WHAT_DAMAGE_RAISES as error:
        raise cannot_read(file, error) from error


def cannot_read(file: Path, error: Exception) -> RunError:
    """The error to raise then."""
    if not file.exists():
        return RunError(f"{file} is gone: open the run where it lies now, or run the scenario again.")
    said = str(error).strip().splitlines() or [type(error).__name__]
    return RunError(f"{file} cannot be read ({said[0]}): run the scenario again with --overwrite.")
