"""What is said when the facts of a run cannot be read, whoever asks for them: they are damaged, or they are gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from billing_sim.errors import RunError

_GONE = re.compile("No such file|No files found")


@contextmanager
def reading_facts() -> Iterator[None]:
    """A block in which a database reads the facts of a run: what it cannot read is told as a `RunError`."""
    try:
        yield
    except duckdb.Error as error:
        if "KeyboardInterrupt" in str(error):  # it fell into Python that the database had called
            raise KeyboardInterrupt from None
        raise unreadable(error) from None


def is_about_files(error: duckdb.Error) -> bool:
    """Whether the files are at fault, and not the question; damage deep inside has no kind of its own."""
    return isinstance(error, duckdb.PermissionException | duckdb.IOException) or type(error) is duckdb.Error


def unreadable(error: duckdb.Error) -> RunError:
    """The error to raise when the database cannot read the facts of a run."""
    # A file that has gone since the database was opened lies, to the database, where it may not look.
    if isinstance(error, duckdb.PermissionException) or _GONE.search(str(error)):
        return RunError(
            "The facts cannot be read: files of the run are gone, or may not be read. Open the run where it lies now, "
            "or run the scenario again."
        )
    return RunError(f"The facts cannot be read: {str(error).splitlines()[0]}")
