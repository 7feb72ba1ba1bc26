"""Numbers as people read them: 98.7 %, 12.3M USD, 3.2 days, 1,234,567."""

from __future__ import annotations

import re

from billing_sim.metrics.definition import Definition
from billing_sim.metrics.figures import MICROS
from billing_sim.metrics.result import Figure, Result

UNDEFINED = "undefined"
"""What stands in place of a value that cannot be computed; the reason stands beside it."""

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


def bound(result: Result) -> str:
    """The bound of a risk metric in its unit; empty where it has none."""
    edge = result.definition.bound
    if edge is None:
        return ""
    return f"{100 * float(edge):g} %" if result.definition.unit == "share" else f"{float(edge):g}"


def size(it: Definition, number: float | None) -> str:
    """The size of a difference in the metric's unit, without a currency; shares in percentage points."""
    if number is None:
        return "–"
    if it.unit == "share":
        return f"{100 * number:,.{_decimals(100 * number)}f}"
    if it.unit == "money":
        return amount(number)
    if it.unit == "hours" and abs(number) >= 48:
        return f"{number / 24:.1f} d"
    if it.unit in ("hours", "ms", "count") and abs(number) >= 1:
        return whole(round(number))
    return f"{number:,.{_decimals(number)}f}"


def _decimals(number: float) -> int:
    """Enough for two digits that say something, four at most."""
    return 2 if number == 0 or abs(number) >= 0.1 else 3 if abs(number) >= 0.01 else 4


def signed(it: Definition, number: float | None, currency: str = "") -> str:
    """A difference with its sign and its unit: +0.12 pp; money has the currency that is given."""
    if number is None:
        return "–"
    money = f" {currency}".rstrip()
    unit = {"share": " pp", "hours": "" if abs(number) >= 48 else " h", "money": money}.get(
        it.unit, f" {_UNITS.get(it.unit, '')}".rstrip()
    )
    shown = size(it, abs(number))
    is_nothing = not shown.strip("0.,")
    sign = "" if is_nothing else "+" if number > 0 else "-"
    return f"{sign}{'0' if is_nothing else shown}{unit}"


def parts(result: Result, figure: Figure) -> str:
    """Numerator and denominator; a sum has no denominator worth showing."""
    it = result.definition
    if it.sql:
        return _of_query(it, figure)
    numerator = _part(it.weight or it.numerator, figure.numerator)
    if it.kind == "sum" or (it.kind == "stock" and not it.denominator):
        return numerator
    if it.kind == "incidence":
        return f"{numerator} of {whole(figure.denominator)} so far"
    if it.kind == "quantile":
        return f"{numerator} of {whole(figure.denominator)} at or below"
    if it.kind == "gap":
        return f"lowest: {numerator} / {whole(figure.denominator)}"
    return f"{numerator} / {_part(it.weight or it.denominator, figure.denominator)}"


def _of_query(it: Definition, figure: Figure) -> str:
    """What a query returned; millionths of the reporting currency where it sums columns of them."""
    sums = (figure.numerator, figure.denominator) if it.kind == "ratio" else (figure.numerator,)
    shown = [amount(number / MICROS) if "_micros" in it.sql else whole(number) for number in sums]
    return " / ".join(shown)


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
