"""Who writes a run or an export holds a lock beside its folder, so that nobody else writes there and all know.

The operating system lets go of the lock when its holder ends, however that happens: a run without a holder that has not
finished was interrupted. Where nothing can be locked, nobody is kept out.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from billing_sim.errors import RunError

if TYPE_CHECKING:
    from filelock import BaseFileLock


class Claim:
    """A folder that is ours to write until `release`; RunError when it is another's.

    `option` is how the user named it.
    """

    def __init__(self, directory: Path, option: str = "--out") -> None:
        self._lock: BaseFileLock | None = None
        file = _file(directory)
        with suppress(OSError, NotImplementedError):
            file.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(file)
            if self._lock is None:
                raise being_written(directory, option)

    def release(self) -> None:
        """Let others write there; harmless when that was done before."""
        if self._lock is None:
            return
        with suppress(OSError):
            # While it is ours, so that nobody has locked what is removed.
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()
        self._lock = None


def is_being_written(directory: Path) -> bool:
    """Whether somebody, in this process or another, writes a run there now."""
    file = _file(directory)
    if not file.exists():
        return False
    with suppress(OSError, NotImplementedError):
        lock = _locked(file)
        if lock is not None:
            lock.release()
        return lock is None
    return False


def being_written(directory: Path, option: str = "--out") -> RunError:
    """The error to raise then."""
    return RunError(
        f"{directory} is being written by another process or thread: wait until it has finished, or name another "
        f"folder with {option}."
    )


def _file(directory: Path) -> Path:
    home = directory.resolve()
    return home.with_name(f".{home.name}.lock")


def _locked(file: Path) -> BaseFileLock | None:
    """The lock, held, for whichever thread releases it; None when it is another's."""
    from filelock import FileLock, Timeout

    lock = FileLock(file, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    return lock
