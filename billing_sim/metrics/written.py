"""Values of a metric as files write them: a percentage is about a share, and a share above 1 is a slip of the pen.

A file is read before its metrics are known, and `0.5%` and `0.005` are then one number. What was meant depends on the
unit of the metric, so what is written is looked at again beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

from billing_sim.errors import Problem
from billing_sim.metrics.definition import Definition
from billing_sim.scenario import nodes

_KINDS = {
    "per_thousand": "is in ‰", "money": "is an amount of money", "points": "is in points", "each": "is a number",
    "count": "is a count", "days": "is in days", "months": "is in months", "hours": "is in hours",
    "ms": "is in milliseconds",
}  # fmt: skip
_EXAMPLES = {
    "per_thousand": "5 for 5 ‰", "money": "an amount such as 1250", "points": "2.5 for 2.5 points", "each": "1.5",
    "count": "a number such as 1250", "days": "3 for 3 days", "months": "3 for 3 months", "hours": "12 for 12 hours",
    "ms": "300 for 300 ms",
}  # fmt: skip


def misread(node: nodes.Node, keys: Sequence[str], it: Definition, currency: str = "") -> Iterator[Problem]:
    """Values under these keys that are written in another unit than the metric's."""
    for key in keys:
        value = nodes.at(node, key)
        if value is not None:
            try:
                refuse_other_unit(nodes.plain(value), it, currency)
            except ValueError as error:
                yield value.place.refusal(key, error)


def refuse_other_unit(written: object, it: Definition, currency: str = "") -> None:
    """ValueError in plain words, with what to do after a semicolon, where a value cannot be meant for this metric.

    `currency` is that of the metric's money, where values may name one.
    """
    text = str(written).strip()
    number, named = _parts(text)
    if number is None:
        return
    if it.unit == "share":
        _refuse_beyond_a_share(text, number, named, it)
    elif named == "%":
        raise ValueError(f"{text} is a percentage, but {it.id} {_KINDS[it.unit]}; write {_in_unit(number, it)}")
    elif named and it.unit != "money":
        raise ValueError(f"{text} is an amount, but {it.id} {_KINDS[it.unit]}; write {_EXAMPLES[it.unit]}")
    elif named and currency and named != currency:
        raise ValueError(f"{text} is not in {currency}, the reporting currency; write an amount in {currency}")


def _refuse_beyond_a_share(text: str, number: Decimal, named: str, it: Definition) -> None:
    if named == "%":
        return
    if named:
        raise ValueError(f"{text} is an amount, but {it.id} is a share; write a percentage such as 98.5%")
    if abs(number) > 1:
        whole = f"{100 * number:,.10g}"
        raise ValueError(
            f"{text} would be {whole} % of a share; write {text}%, or {whole.replace(',', '')}% where that is meant"
        )


def _parts(text: str) -> tuple[Decimal | None, str]:
    """The number of a text, and what stands behind it: %, a currency or nothing."""
    digits = text.rstrip("%ABCDEFGHIJKLMNOPQRSTUVWXYZ ")
    try:
        return Decimal(digits), text[len(digits) :].strip()
    except InvalidOperation:
        return None, ""


def _in_unit(percent: Decimal, it: Definition) -> str:
    """What may have been meant by a percentage, in the unit of the metric."""
    if it.unit != "per_thousand":
        return _EXAMPLES[it.unit]
    shown = f"{(10 * percent).normalize():f}"
    return f"{shown} for {shown} ‰"
