"""What callers hand over, looked at before anything is done with it, so that a slip is told in words.

A function says by its annotations what it takes; `with_checked_arguments` holds what it is given against them. Runs and
definitions, which lie far above, are known by what they have.
"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import wraps
from numbers import Real
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from billing_sim.errors import QueryError
from billing_sim.people import EXAMPLES

_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")
_Reader = Callable[[Any], Any]
"""Returns what is meant by a value; TypeError or ValueError, with what to write, when it is of another kind."""


class RunLike(Protocol):
    """A run: whatever was made in a folder."""

    @property
    def directory(self) -> Path: ...


def with_checked_arguments(function: Callable[_Given, _Returned]) -> Callable[_Given, _Returned]:
    """The same function, which answers an argument of a wrong kind with a QueryError that says what to write."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    told = function.__annotations__
    readers = {name: KINDS[told[name]] for name in names if name in told}

    @wraps(function)
    def careful(*args: _Given.args, **options: _Given.kwargs) -> _Returned:
        first = [_read(name, it, readers) for name, it in zip(names, args, strict=False)]
        rest = {name: _read(name, it, readers) for name, it in options.items()}
        return function(*first, *args[len(first) :], **rest)  # type: ignore[arg-type]

    return careful


def _read(name: str, value: Any, readers: Mapping[str, _Reader]) -> Any:
    try:
        return readers[name](value) if name in readers else value
    except (TypeError, ValueError) as error:
        raise QueryError(f"{name}={_shown(value)} {error}") from None


def _shown(value: Any) -> str:
    """The value as it would be written, or its type when that is long."""
    written = repr(value)
    return written if len(written) <= 60 and "<" not in written and "\n" not in written else type(value).__name__


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError("is no text: put it in quotes.")


def _path(value: Any) -> Any:
    if isinstance(value, str | Path) and "\0" not in str(value) and value != "":
        return value
    if isinstance(value, os.PathLike) and isinstance(found := os.fspath(value), str):
        return found
    raise TypeError('is no path: write the name of a file or folder, as in "runs/first".')


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError("is neither yes nor no: write True or False, without quotes.")


def _whole(value: Any) -> int:
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise TypeError("is no whole number: write one in digits, as in 3.")


def _number(value: Any) -> Any:
    if isinstance(value, Real | Decimal) and not isinstance(value, bool) and math.isfinite(value):
        return value
    raise TypeError("is no number: write one, as in 0.1.")


def _moment(value: Any) -> Any:
    if isinstance(value, str | date):
        return value
    raise TypeError('is no date: write one such as "2025-03-01".')


def _person(value: Any) -> Any:
    try:
        return value if isinstance(value, str) else _whole(value)
    except TypeError:
        raise TypeError(f"is no subscriber: they read like {EXAMPLES}, in quotes.") from None


def _callable(value: Any) -> Any:
    if callable(value):
        return value
    raise TypeError("is no function: give one that may be called with progress, or leave it out.")


def _run(value: Any) -> Any:
    if hasattr(value, "stored"):
        return value
    raise TypeError('is no run: open one, as in billing_sim.open("runs/first").')


def _run_or_path(value: Any) -> Any:
    try:
        return value if hasattr(value, "directory") else _path(value)
    except TypeError:
        raise TypeError('is neither a run nor a path: write the name of its folder, as in "runs/first".') from None


def _cost(value: Any) -> Any:
    return value if isinstance(value, str) else _number(value)


def _mapping(value: Any) -> Any:
    if isinstance(value, Mapping) and all(isinstance(it, str) for pair in value.items() for it in pair):
        return value
    raise TypeError('is no mapping of texts: write one, as in {"x.mail_sent": "A mail was sent."}.')


def _functions(value: Any) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | bytearray):
        return list(value)
    raise TypeError("is no list of functions: write them in brackets, as in [call_on_hold].")


def _as_it_is(value: Any) -> Any:
    return value


def _several(read: _Reader, what: str) -> _Reader:
    """One of a kind, or a list of them."""

    def reader(value: Any) -> Any:
        try:
            return read(value)
        except TypeError:
            pass
        if isinstance(value, Iterable) and not isinstance(value, str | bytes | bytearray | Mapping):
            found = list(value)
            if all(_fits(read, it) for it in found):
                return [read(it) for it in found]
        raise TypeError(f"is no {what}: write one in quotes, or several in brackets.")

    return reader


def _fits(read: _Reader, value: Any) -> bool:
    try:
        read(value)
    except TypeError:
        return False
    return True


def _or_none(read: _Reader) -> _Reader:
    return lambda value: None if value is None else read(value)


def _asked(value: Any) -> Any:
    return value if hasattr(value, "estimand") else _path(value)


_NAMES, _PATHS = _several(_text, "name"), _several(_path, "path")
_DEFINITIONS = _several(_asked, "metric, file or definition")
_NEEDED: dict[str, _Reader] = {
    "str": _text,
    "str | Path": _path,
    "str | Sequence[str]": _NAMES,
    "str | Path | Sequence[str | Path]": _PATHS,
    "str | Iterable[str]": _NAMES,
    "str | Path | Iterable[str | Path]": _PATHS,
    "Asked | Iterable[Asked]": _DEFINITIONS,
    "int": _whole,
    "float": _number,
    "Decimal | float | str": _cost,
    "int | str": _person,
    "datetime": _moment,
    "str | date": _moment,
    "str | date | datetime": _moment,
    "Run": _run,
    "Run | str | Path": _run_or_path,
    "RunLike | str | Path": _run_or_path,
    "Report": _callable,
    "Callable[[int, int], None]": _callable,
    "Mapping[str, str]": _mapping,
    "Sequence[Process]": _functions,
    "bool": _flag,
}
KINDS: dict[str, _Reader] = {
    "return": _as_it_is,
    **_NEEDED,
    **{f"{said} | None": _or_none(reader) for said, reader in _NEEDED.items()},
}
"""What is done with an argument, by its annotation; who decorates a function with another kind adds it here."""
