"""Where words go: results to stdout, everything else to stderr, on any console and even when nobody reads on."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from billing_sim.errors import BillingSimError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_NOBODY_READS = (errno.EPIPE, errno.EINVAL)
"""How a closed pipe is told, on Windows by the second."""


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Plain(StrEnum):
    """How results are printed where lines of numbers make no sense."""

    TABLE = "table"
    JSON = "json"


def survive_any_console() -> None:
    """Where a console lacks a character, print a question mark instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(text: str) -> None:
    """Print a result. A reader who has gone, as in `| head`, changes neither what is done nor the exit code."""
    try:
        print(text, flush=True)
    except OSError as error:
        _write_nowhere()
        if error.errno not in _NOBODY_READS:
            raise BillingSimError(f"cannot write the output: {error.strerror}.") from error


def give_up_output() -> None:
    """Write no more: what could not be written would be tried again at the end, and complained of once more."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(text: str) -> None:
    """Print what is not a result."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def say_json(value: Any) -> None:
    """Print one JSON value, in ASCII where the console knows no more."""
    encoding = getattr(sys.stdout, "encoding", None) or ""
    only_ascii = not encoding.lower().replace("-", "").startswith("utf8")
    say(json.dumps(value, indent=2, ensure_ascii=only_ascii))


def say_rows(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a header and rows as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    say(out.getvalue().rstrip("\n"))


def say_csv(row: Mapping[str, Any]) -> None:
    """Print a header and one row."""
    say_rows([*row], [[*row.values()]])


def show(*shown: RenderableType) -> None:
    """Print tables and styled text, as wide as the terminal, in colour only there."""
    console = terminal()
    with console.capture() as captured:
        for it in shown:
            console.print(it)
    say(captured.get().rstrip("\n"))


def terminal(stderr: bool = False) -> Console:
    """The terminal, whose colours `NO_COLOR` turns off; an old Windows console gets plain text."""
    from rich.console import Console, detect_legacy_windows

    is_old = detect_legacy_windows()
    return Console(stderr=stderr, highlight=False, color_system=None if is_old else "auto", legacy_windows=False)


def _write_nowhere() -> None:
    """Let everything else that is written to stdout vanish, the flush at the very end included."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
