"""Processes that a user names on the command line: a file of their own is executed, and functions are taken from it.

It is executed as `python FILE.py` would do it: modules beside it can be imported, also later, by the processes.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from billing_sim.errors import BillingSimError

KINDS = "KINDS"
"""What a file calls the kinds of events that its processes write: name -> sentence."""


_MODULE = "_own_processes"


def load_processes(named: Sequence[str]) -> dict[str, Any]:
    """The processes named as FILE.py:NAME and the kinds of their files, as `billing_sim.run` takes them.

    A file is executed once, so that processes of the same file share what it holds.
    """
    processes: list[Any] = []
    kinds: dict[str, str] = {}
    executed: dict[Path, dict[str, Any]] = {}
    for text in named:
        file, _, name = text.rpartition(":")
        if not file or not name.isidentifier():
            raise BillingSimError(f"{text!r} names no process: write FILE.py:NAME, such as my_processes.py:mails.")
        if Path(file) not in executed:
            executed[Path(file)] = _executed(Path(file))
        said = executed[Path(file)]
        if name not in said:
            raise BillingSimError(f"{file} defines no {name!r}.")
        processes.append(said[name])
        kinds |= _kinds(file, said)
    return {"processes": processes, "kinds": kinds}


def _kinds(file: str, said: dict[str, Any]) -> dict[str, str]:
    kinds = said.get(KINDS, {})
    if not isinstance(kinds, dict):
        raise BillingSimError(f'{file}: {KINDS} is a mapping, such as {{"x.mail_sent": "A mail was sent."}}.')
    return dict(kinds)


def _executed(file: Path) -> dict[str, Any]:
    """What a file defines; BillingSimError when it cannot be read or fails."""
    try:
        text = file.read_bytes()  # Python itself knows in what it is written
    except OSError as error:
        raise BillingSimError(f"cannot read {file}: {error.strerror or error}.") from None
    module = ModuleType(_MODULE)
    module.__file__ = str(file)
    # Dataclasses look their module up.
    sys.modules[_MODULE] = module
    folder = str(file.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        exec(compile(text, str(file), "exec"), module.__dict__)
    except Exception as error:
        lines = [it.lineno for it in traceback.extract_tb(error.__traceback__) if it.filename == str(file)]
        line = error.lineno if isinstance(error, SyntaxError) else (lines or [None])[-1]
        raise BillingSimError(f"{file}, line {line or 1}: {type(error).__name__}: {error}") from None
    return module.__dict__
