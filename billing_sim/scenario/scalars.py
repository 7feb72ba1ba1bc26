"""Plain words of a YAML file as values, by the core schema of YAML 1.2: `NO`, `on` and dates stay text.

Numbers are read from their text: whole ones as int, others as Decimal. What could not be counted with (not a number,
infinity, absurd exponents) is refused.
"""

from __future__ import annotations

import re
from decimal import Decimal

DIGITS_MAX = 60
EXPONENT_MAX = 30

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE]([-+]?[0-9]+))?")
_BASED = {"0o": (re.compile(r"[0-7]+"), 8), "0x": (re.compile(r"[0-9a-fA-F]+"), 16)}
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_MAYBE_NUMBER = frozenset("+-.0123456789")


def resolve(word: str) -> str | int | Decimal | bool | None:
    """The value of an unquoted word; ValueError in plain words when it is a number that cannot be used."""
    if word in _WORDS:
        return _WORDS[word]
    if word[0] not in _MAYBE_NUMBER:
        return word
    if _NOT_FINITE.fullmatch(word):
        raise ValueError(f"{word} is not a finite number.")
    if _INTEGER.fullmatch(word):
        return int(_bounded(word))
    pattern, base = _BASED.get(word[:2], (None, 10))
    if pattern and pattern.fullmatch(word[2:]):
        return int(_bounded(word)[2:], base)
    return _decimal(word)


def _decimal(word: str) -> Decimal | str:
    found = _FLOAT.fullmatch(word)
    if not found:
        return word
    exponent = found[1] or "0"
    if len(exponent) > 6 or abs(int(exponent)) > EXPONENT_MAX:
        raise ValueError(f"{_short(word)} is too large or too small a number to count with.")
    return Decimal(_bounded(word))


def _bounded(word: str) -> str:
    if len(word) > DIGITS_MAX:
        raise ValueError(f"{_short(word)} has more than {DIGITS_MAX} digits.")
    return word


def _short(word: str) -> str:
    return word if len(word) <= 24 else f"{word[:20]}…"
