"""What a user adds to a run: processes of their own, and the kinds of events that these write."""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_sim.drivers.beside import texts_of
from billing_sim.errors import BillingSimError
from billing_sim.events import FIRST_OWN_KIND, LAST_OWN_KIND, Kind, own_kind

if TYPE_CHECKING:
    from billing_sim.drivers.service import Service

Process = Callable[["Service"], Generator[Any, Any, Any]]
"""A generator function that is given the service and yields what it waits for."""

_PLAIN = (str, bytes, bool, int, float, Decimal, date, timedelta, type(None))
"""Types whose values are the same as long as their text is."""

_MOST_KINDS = LAST_OWN_KIND - FIRST_OWN_KIND + 1
_NAME = re.compile(r"x\.[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


@dataclass(frozen=True)
class Extension:
    """Processes of a user's own and the kinds of events that they write, in the order in which they were given."""

    processes: tuple[Process, ...]
    kinds: tuple[Kind, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What the processes are called."""
        return tuple(name_of(it) for it in self.processes)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the processes, over the text of all that they are made of, and over their kinds."""
        said = [(name, *_text(it)) for name, it in zip(self.names, self.processes, strict=True)]
        told = [(kind.number, kind.name, kind.meaning) for kind in self.kinds]
        return hashlib.sha256(repr((said, told)).encode()).hexdigest()


def extension_of(processes: Sequence[Process], kinds: Mapping[str, str] | None = None) -> Extension:
    """The extension made of these processes, and of kinds given as name -> sentence; BillingSimError where wrong."""
    for process in processes:
        if not inspect.isgeneratorfunction(process):
            raise BillingSimError(
                f"{name_of(process)} is no process: write a function that takes the service and yields what it waits "
                "for, such as service.until(days=1)."
            )
    told = dict(kinds or {})
    if told and not processes:
        raise BillingSimError("event kinds of your own need a process that writes them: give processes=[...] too.")
    if len(told) > _MOST_KINDS:
        raise BillingSimError(f"{len(told)} event kinds are too many: a run has room for {_MOST_KINDS} of your own.")
    for name, meaning in told.items():
        _check(name, meaning)
    return Extension(tuple(processes), tuple(own_kind(i, *it) for i, it in enumerate(told.items())))


def _check(name: str, meaning: str) -> None:
    if not _NAME.fullmatch(name):
        raise BillingSimError(
            f"{name!r} cannot be an event kind of your own: write x. and small letters, digits and _, such as "
            "x.mail_sent."
        )
    if not isinstance(meaning, str) or not meaning.strip():
        raise BillingSimError(f"{name} needs a sentence that says what happened, such as 'A mail was sent.'.")


def name_of(process: Any) -> str:
    """What a process is called."""
    return getattr(_function(process), "__name__", None) or repr(process)


def file_of(process: Any) -> str:
    """The file in which a process is written."""
    code = getattr(_function(process), "__code__", None)
    return code.co_filename if code else ""


def _function(process: Any) -> Any:
    return process.func if isinstance(process, functools.partial) else process


def _text(process: Any) -> tuple[object, ...]:
    """What a process does, as text: its file with what that imports from beside it, and what it was given beforehand.

    A constant or a helper of the file changes what the function does as much as its own lines. A function written at a
    prompt or in a notebook has no such file: its own text and the plain values that it names stand for it.
    """
    given = repr((process.args, process.keywords)) if isinstance(process, functools.partial) else ""
    function = _function(process)
    function = getattr(function, "__func__", function)
    file = Path(file_of(process))
    if file.suffix == ".py" and file.is_file():
        return (texts_of(file), _named_values(function, function.__code__.co_freevars), given)
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        text = function.__code__.co_code.hex()
    return (text, _named_values(function, (*function.__code__.co_freevars, *function.__code__.co_names)), given)


def _named_values(function: Any, names: Sequence[str]) -> list[tuple[str, str]]:
    """The plain values that a function takes from around it, by name."""
    around = dict(inspect.getclosurevars(function).globals) | dict(inspect.getclosurevars(function).nonlocals)
    return [(name, repr(around[name])) for name in sorted(set(names) & set(around)) if _is_plain(around[name])]


def _is_plain(value: object) -> bool:
    """Whether a value is text, a number or made of such, and does not change while the process runs."""
    return isinstance(value, _PLAIN) or (isinstance(value, tuple) and all(map(_is_plain, value)))
