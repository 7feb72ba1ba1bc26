"""Numbers as people read them: 98.7 %, 12.3M USD, 3.2 days, 1,234,567."""

from __future__ import annotations

import re

from billing_sim.metrics.definition import Definition
from billing_sim.metrics.figures import MICROS
from billing_sim.metrics.result import Figure, Result

_LARGE = ((10**12, "T"), (10**9, "B"), (10**6, "M"))
_MONEY = re.compile(r"(CASE\b.*\bTHEN\s+)?\w+_micros(\s*[-+]\s*\w+_micros)*(\s+END)?", re.IGNORECASE | re.DOTALL)
_UNITS = {"per_thousand": "‰", "points": "pp", "each": "", "count": "", "days": "days", "months": "months"}


def value(it: Definition, figure: Figure, currency: str = "") -> str:
    """A value with its unit; a dash when it is undefined."""
    if figure.value is None:
        return "–"
    number = float(figure.value)
    if it.unit == "share":
        return f"{100 * number:.2f} %"
    if it.unit == "money":
        return f"{amount(number)} {currency}".rstrip()
    if it.unit in ("hours", "ms"):
        return _time(number, it.unit)
    shown = whole(round(number)) if it.unit == "count" else f"{number:,.2f}"
    return f"{shown} {_UNITS[it.unit]}".rstrip()


def parts(result: Result, figure: Figure) -> str:
    """Numerator and denominator; a sum has no denominator worth showing."""
    it = result.definition
    numerator = _part(it.numerator, figure.numerator)
    if not it.denominator and it.kind != "quantile":
        return numerator
    return f"{numerator} / {_part(it.denominator, figure.denominator)}"


def whole(number: int) -> str:
    """A count, shortened once it has more than seven digits."""
    if abs(number) < 10**7:
        return f"{number:,}"
    return _short(number)


def amount(number: float) -> str:
    """An amount in whole units, with cents while they matter."""
    if abs(number) < 1_000:
        return f"{number:,.2f}"
    return f"{number:,.0f}" if abs(number) < 10**6 else _short(number)


def _part(expression: str, number: int) -> str:
    """A sum of `*_micros` is money; what only compares them is a count."""
    is_money = _MONEY.fullmatch(expression) is not None
    return amount(number / MICROS) if is_money else whole(number)


def _short(number: float) -> str:
    size, letter = next((size, letter) for size, letter in (*_LARGE, (1, "")) if abs(number) >= size or size == 1)
    return f"{number / size:,.2f}{letter}"


def _time(number: float, unit: str) -> str:
    if unit == "hours" and number >= 48:
        return f"{number / 24:.1f} days"
    if unit == "ms" and number >= 10_000:
        return f"{number / 1000:.1f} s"
    return f"{number:,.0f} {unit}"
