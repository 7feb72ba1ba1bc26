"""Numbers as people read them: 98.7 %, 12.3M USD, 3.2 days, 1,234,567."""

from __future__ import annotations

import re

from billing_sim.metrics.definition import Definition
from billing_sim.metrics.figures import MICROS
from billing_sim.metrics.result import Figure, Result

UNDEFINED = "undefined"
"""What stands in place of a value that cannot be computed; the reason stands beside it."""

_ALIKE = 0.2
"""The part by which one side of an interval may be shorter than the other and still be told with it as one number."""

_LARGE = ((10**12, "T"), (10**9, "B"), (10**6, "M"))
_CONDITION = re.compile(r"\bWHEN\b.*?\bTHEN\b", re.IGNORECASE | re.DOTALL)
_MONEY = re.compile(r"\w+_(micros|constant)\b", re.IGNORECASE)
_COMPARISON = re.compile(r"[<>=]")
_SUMS_MILLIONTHS = re.compile(r"_micros\b(?!\s*[<>=!])|1e6 \*", re.IGNORECASE)
"""What is only compared is not summed."""

_UNITS = {"per_thousand": "‰", "points": "pp", "each": "", "count": "", "days": "days", "months": "months"}
_TIMES = {
    "hours": ((48, 24, "days", "d"), (0, 1, "hours", "h")),
    "ms": (
        (172_800_000, 86_400_000, "days", "d"), (7_200_000, 3_600_000, "hours", "h"), (600_000, 60_000, "min", "min"),
        (10_000, 1000, "s", "s"), (0, 1, "ms", "ms"),
    ),
}  # fmt: skip
"""Of a unit of time: from which number on it is told in a larger one, how many make one of it, and its names."""


def value(it: Definition, figure: Figure, currency: str = "") -> str:
    """A value with its unit; a dash when it is undefined."""
    if figure.value is None:
        return "–"
    number = float(figure.value)
    if it.unit == "share":
        return f"{100 * number:.2f} %"
    if it.unit == "money":
        return f"{amount(number)} {currency}".rstrip()
    if it.unit in _TIMES:
        return _time(number, it.unit)
    shown = whole(round(number)) if it.unit == "count" else f"{number:,.2f}"
    return f"{shown} {_UNITS[it.unit]}".rstrip()


def measured(result: Result, currency: str = "") -> str:
    """The value of a result with its unit, with as many digits as tell it from a bound that it breaks."""
    it = result.definition
    shown = value(it, result, currency)
    if not result.crossed or it.unit != "share" or it.bound is None or result.value is None:
        return shown
    number, edge = 100 * float(result.value), 100 * float(it.bound)
    return next((f"{number:.{n}f} %" for n in range(2, 16) if float(f"{number:.{n}f}") != edge), shown)


def bound(result: Result) -> str:
    """The bound of a risk metric in its unit; empty where it has none."""
    it, edge = result.definition, result.definition.bound
    if edge is None:
        return ""
    if it.unit == "share":
        return f"{100 * float(edge):g} %"
    if it.unit in _TIMES:
        scale, name, _ = _told_in(float(edge), it.unit)
        return f"{float(edge) / scale:g} {name}"
    return f"{float(edge):g} {result.currency if it.unit == 'money' else _UNITS[it.unit]}".rstrip()


def size(it: Definition, number: float | None) -> str:
    """The size of a difference in the metric's unit, without a currency; shares in percentage points."""
    if number is None:
        return "–"
    if it.unit == "share":
        return f"{100 * number:,.{_decimals(100 * number)}f}"
    if it.unit == "money":
        return amount(number)
    if it.unit in _TIMES:
        return half(it, number, number)
    if it.unit == "count" and abs(number) >= 1:
        return whole(round(number))
    return f"{number:,.{_decimals(number)}f}"


def half(it: Definition, number: float | None, beside: float | None) -> str:
    """How far an interval reaches from its value, in the unit of the value beside it; empty where there is none.

    Times say their unit, because the same metric is told in hours or in days.
    """
    if number is None:
        return ""
    if it.unit not in _TIMES:
        return size(it, number)
    scale, _, name = _told_in(beside or 0, it.unit)
    number /= scale
    if scale == 1 and abs(number) >= 1:
        return f"{whole(round(number))} {name}"
    return f"{number:,.{1 if abs(number) >= 1 else _decimals(number)}f} {name}"


def sides(it: Definition, figure: Figure) -> str:
    """How far an interval reaches from the value: one number, or two where they differ by more than a fifth."""
    if figure.sides is None or min(figure.sides) >= (1 - _ALIKE) * max(figure.sides):
        return half(it, figure.reach, figure.value)
    below, above = (half(it, side, figure.value) if side else "0" for side in figure.sides)
    return f"{'-' * (below != '0')}{below} {'+' * (above != '0')}{above}"


def _told_in(number: float, unit: str) -> tuple[int, str, str]:
    """How many of a unit of time make one of that in which this number is told, and its names in full and in short."""
    return next(names for least, *names in _TIMES[unit] if abs(number) >= least)  # type: ignore[return-value]


def _decimals(number: float) -> int:
    """Enough for two digits that say something, four at most."""
    return 2 if number == 0 or abs(number) >= 0.1 else 3 if abs(number) >= 0.01 else 4


def signed(it: Definition, number: float | None, currency: str = "") -> str:
    """A difference with its sign and its unit: +0.12 pp; money has the currency that is given."""
    if number is None:
        return "–"
    shown, _, time = size(it, abs(number)).partition(" ")
    named = currency if it.unit == "money" else _UNITS.get(it.unit, "")
    unit = f" {'pp' if it.unit == 'share' else time or named}".rstrip()
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
    """What a query returned; in whole units where it sums millionths, of the reporting currency or of weights.

    What is a value in money is money over a number of something.
    """
    numerator, denominator = (amount(sum_ / MICROS) for sum_ in (figure.numerator, figure.denominator))
    if not _SUMS_MILLIONTHS.search(it.sql):
        numerator, denominator = whole(figure.numerator), whole(figure.denominator)
    elif it.unit == "money":
        denominator = whole(figure.denominator)
    return f"{numerator} / {denominator}" if it.kind == "ratio" else numerator


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


def is_money(expression: str) -> bool:
    """Whether a sum is of money: amounts in any expression are; what only compares them is a count."""
    summed = _CONDITION.sub("", expression)
    return _MONEY.search(summed) is not None and not _COMPARISON.search(summed)


def _part(expression: str, number: int) -> str:
    return amount(number / MICROS) if is_money(expression) else whole(number)


def _short(number: float) -> str:
    size, letter = next((size, letter) for size, letter in (*_LARGE, (1, "")) if abs(number) >= size or size == 1)
    return f"{number / size:,.2f}{letter}"


def _time(number: float, unit: str) -> str:
    scale, name, _ = _told_in(number, unit)
    return f"{number:,.0f} {name}" if scale == 1 else f"{number / scale:,.1f} {name}"
