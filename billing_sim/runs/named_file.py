"""A file that somebody named for what a command makes: the new one takes the name whole, or the old one keeps it."""

from __future__ import annotations

from pathlib import Path

from billing_sim.errors import RunError
from billing_sim.runs.aside import reason_of, remedy, swap_in


def write_named(path: Path, content: str | bytes) -> None:
    """Write text or bytes to the file of this name; its folder must be there.

    A link stays one, and what it leads to is replaced. RunError when the system refuses: then nothing has changed.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            # A pipe or a device passes on what it gets: there is nothing to keep, and nothing to put in its place.
            target.write_bytes(data)
        else:
            swap_in(target, data)
    except (OSError, RuntimeError) as error:
        raise cannot_write_named(path, error) from None


def cannot_write_named(path: Path, error: Exception) -> RunError:
    """The error to raise when the system refuses such a file."""
    return RunError(f"cannot write {path}: {reason_of(error)}. {remedy(error, 'name another file')}")
