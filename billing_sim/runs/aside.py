"""Write it aside, then swap it in: no good file is ever touched by a write that may fail.

A file begins under a temporary name in its own folder, is synced to the disk, and only then takes its name in one
step. A reader sees the old file or the new one, never half of one; whatever goes wrong leaves the old one as it was.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from billing_sim.errors import NO_ROOM, RunError


class Aside:
    """One file on its way: write to `temporary`, then `commit` or `discard`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = path.with_name(f".{path.name}.part")

    def commit(self) -> dict[str, int | str]:
        """Sync the bytes, give the file its name, and return its size as `bytes` and its `sha256`."""
        with self.temporary.open("rb+") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
            os.fsync(file.fileno())
        self.temporary.replace(self.path)
        return {"bytes": size, "sha256": sha256}

    def discard(self) -> None:
        """Remove the temporary file, if there is one."""
        self.temporary.unlink(missing_ok=True)


def write_aside(path: Path, content: bytes) -> dict[str, int | str]:
    """Replace a small file in one step; on failure the old one stays and a `RunError` says why."""
    try:
        return swap_in(path, content)
    except OSError as error:
        raise cannot_write(path, error) from error


def swap_in(path: Path, content: bytes) -> dict[str, int | str]:
    """The same for those who have words of their own for what the disk refuses: OSError then."""
    aside = Aside(path)
    try:
        aside.temporary.write_bytes(content)
        return aside.commit()
    except BaseException:
        with suppress(OSError):
            aside.discard()
        raise


def cannot_write(path: Path, error: Exception) -> RunError:
    """The error to raise when the disk refuses a file."""
    return RunError(f"cannot write {path}: {reason_of(error)}. {remedy(error, 'choose another folder with --out')}")


def reason_of(error: Exception) -> str:
    """What the system says, without its numbers."""
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def remedy(error: Exception, way: str) -> str:
    """What to do about a file that was refused: make room where there is none, or go another `way`."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return f"Free some space there, or {way}."
    return f"{way[:1].upper()}{way[1:]}."


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; Windows has no such call and does it by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
