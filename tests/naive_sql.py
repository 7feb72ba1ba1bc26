"""SQL expressions over one row, evaluated in plain Python: a second opinion on what DuckDB makes of them.

Parsed by `sqlglot`, evaluated here over a row (a dict) with SQL's three-valued logic: None is null, and only True
counts. Moments are naive datetimes in UTC; division gives a `Fraction`, `//` drops what is left towards zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

import sqlglot
from sqlglot import exp

Row = dict[str, Any]
Of = Callable[[Row], Any]
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1)


@cache
def compiled(sql: str) -> Of:
    """An SQL expression as a function of a row."""
    return _node(sqlglot.parse_one(sql, dialect="duckdb"))


def _node(it: exp.Expression) -> Of:
    made = _RULES.get(type(it))
    if made is None:
        raise NameError(f"the naive evaluator does not know {type(it).__name__}: {it.sql('duckdb')}")
    return made(it)


def _column(it: exp.Expression) -> Of:
    name = it.name
    return lambda row: row[name]


def _literal(it: exp.Expression) -> Of:
    text = it.this
    value = text if it.args["is_string"] else Fraction(text) if "." in text else int(text)
    return lambda row: value


def _constant(value: Any) -> Callable[[exp.Expression], Of]:
    return lambda it: lambda row: value


def _and(it: exp.Expression) -> Of:
    left, right = _node(it.this), _node(it.expression)

    def both(row: Row) -> Any:
        values = (truth(left(row)), truth(right(row)))
        return False if False in values else None if None in values else True

    return both


def _or(it: exp.Expression) -> Of:
    left, right = _node(it.this), _node(it.expression)

    def either(row: Row) -> Any:
        values = (truth(left(row)), truth(right(row)))
        return True if True in values else None if None in values else False

    return either


def _not(it: exp.Expression) -> Of:
    inner = _node(it.this)

    def opposite(row: Row) -> Any:
        value = truth(inner(row))
        return None if value is None else not value

    return opposite


def truth(value: Any) -> bool | None:
    """True, False or null."""
    return None if value is None else bool(value)


def _strict(operation: Callable[..., Any]) -> Callable[[exp.Expression], Of]:
    """An operation on two values that is null when either is."""

    def made(it: exp.Expression) -> Of:
        left, right = _node(it.this), _node(it.expression)

        def applied(row: Row) -> Any:
            one, other = left(row), right(row)
            return None if one is None or other is None else operation(*_alike(one, other))

        return applied

    return made


def _alike(one: Any, other: Any) -> tuple[Any, Any]:
    """Dates and texts become moments where they meet moments; an interval turns a date into a moment."""
    if isinstance(one, date) or isinstance(other, date):
        return as_moment(one), as_moment(other)
    return one, other


def as_moment(value: Any) -> Any:
    """A date or a text as the moment at which it begins."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value


def _towards_zero(one: int, other: int) -> int:
    found = abs(one) // abs(other)
    return found if (one < 0) == (other < 0) else -found


def _in(it: exp.Expression) -> Of:
    inner, options = _node(it.this), [_node(option) for option in it.expressions]

    def among(row: Row) -> Any:
        value = inner(row)
        if value is None:
            return None
        found = [None if (other := option(row)) is None else value == other for option in options]
        return True if True in found else None if None in found else False

    return among


def _between(it: exp.Expression) -> Of:
    return _and(exp.And(this=exp.GTE(this=it.this, expression=it.args["low"]),
                        expression=exp.LTE(this=it.this, expression=it.args["high"])))  # fmt: skip


def _is(it: exp.Expression) -> Of:
    inner, other = _node(it.this), _node(it.expression)

    def same(row: Row) -> bool:
        one, two = inner(row), other(row)
        return one is two if one is None or two is None else one == two

    return same


def _is_not(it: exp.Expression) -> Of:
    same = _is(it)
    return lambda row: not same(row)


def _case(it: exp.Expression) -> Of:
    subject = _node(it.this) if it.this else None
    arms = [(_node(arm.this), _node(arm.args["true"])) for arm in it.args["ifs"]]
    otherwise = _node(it.args["default"]) if it.args.get("default") else lambda row: None

    def chosen(row: Row) -> Any:
        given = subject(row) if subject else True
        for condition, value in arms:
            found = condition(row) if subject else truth(condition(row))
            if found is not None and given is not None and found == given:
                return value(row)
        return otherwise(row)

    return chosen


def _if(it: exp.Expression) -> Of:
    condition, yes = _node(it.this), _node(it.args["true"])
    no = _node(it.args["false"]) if it.args.get("false") else lambda row: None
    return lambda row: yes(row) if truth(condition(row)) else no(row)


def _all_of(it: exp.Expression) -> list[Of]:
    return [_node(part) for part in (it.this, *it.expressions)]


def _coalesce(it: exp.Expression) -> Of:
    parts = _all_of(it)
    return lambda row: next((value for part in parts if (value := part(row)) is not None), None)


def _extreme(choose: Callable[[list[Any]], Any]) -> Callable[[exp.Expression], Of]:
    """Least and greatest look away from nulls."""

    def made(it: exp.Expression) -> Of:
        parts = _all_of(it)

        def chosen(row: Row) -> Any:
            values = [value for part in parts if (value := part(row)) is not None]
            if any(isinstance(value, datetime) for value in values):
                values = [as_moment(value) for value in values]
            return choose(values) if values else None

        return chosen

    return made


def _cast(it: exp.Expression) -> Of:
    inner, kind = _node(it.this), it.args["to"].this.name
    to = _CASTS[kind]

    def converted(row: Row) -> Any:
        value = inner(row)
        return None if value is None else to(value)

    return converted


def _date(value: Any) -> date:
    found = as_moment(value)
    return date(found.year, found.month, found.day)


def _whole(value: Any) -> int:
    """The nearest whole number, halves away from zero."""
    return (
        int(math.copysign(math.floor(abs(value) + Fraction(1, 2)), value))
        if isinstance(value, Fraction)
        else int(value)
    )


_CASTS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("INT", "BIGINT", "SMALLINT", "TINYINT", "INT128"), _whole),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMPNTZ"), as_moment),
    "DATE": _date, "TEXT": str, "VARCHAR": str, "DOUBLE": Fraction, "BOOLEAN": bool,
}  # fmt: skip
SIZES = {"MICROSECOND": 1, "MILLISECOND": 1000, "SECOND": 10**6, "MINUTE": 60 * 10**6, "HOUR": 3600 * 10**6,
          "DAY": 86_400 * 10**6, "WEEK": 7 * 86_400 * 10**6}  # fmt: skip


def _interval(it: exp.Expression) -> Of:
    unit = it.args["unit"].name.upper().removesuffix("S")
    count = _node(it.this)
    return lambda row: timedelta(microseconds=int(count(row)) * SIZES[unit])


def _date_diff(it: exp.Expression) -> Of:
    later, earlier, unit = _node(it.this), _node(it.expression), it.args["unit"].name.upper()

    def difference(row: Row) -> Any:
        one, other = as_moment(later(row)), as_moment(earlier(row))
        return None if one is None or other is None else calendar(one, unit) - calendar(other, unit)

    return difference


def calendar(moment: datetime, unit: str) -> int:
    """The number of the calendar unit in which a moment lies."""
    if unit == "MONTH":
        return moment.year * 12 + moment.month
    return micros_of(moment) // SIZES[unit]


def micros_of(moment: Any) -> int:
    """Microseconds since 1970."""
    return (as_moment(moment) - EPOCH) // timedelta(microseconds=1)


def _truncated(it: exp.Expression) -> Of:
    inner, unit = _node(it.this), it.args["unit"].name.upper()

    def start(row: Row) -> Any:
        moment = as_moment(inner(row))
        if moment is None:
            return None
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return {"MONTH": day.replace(day=1), "DAY": day, "WEEK": day - day.weekday() * DAY}[unit]

    return start


def _function(it: exp.Expression) -> Of:
    """Functions that the parser knows by name only."""
    parts, name = [_node(part) for part in it.expressions], it.name.lower()
    known = {"epoch_us": micros_of, "epoch_ms": lambda moment: micros_of(moment) // 1000}

    def applied(row: Row) -> Any:
        values = [part(row) for part in parts]
        return None if None in values else known[name](*values)

    if name not in known:
        raise NameError(f"the naive evaluator does not know the function {name}")
    return applied


def _of_one(operation: Callable[[Any], Any]) -> Callable[[exp.Expression], Of]:
    def made(it: exp.Expression) -> Of:
        inner = _node(it.this)

        def applied(row: Row) -> Any:
            value = inner(row)
            return None if value is None else operation(value)

        return applied

    return made


def _plus(one: Any, other: Any) -> Any:
    return one + other


_RULES: dict[type[Any], Callable[[Any], Of]] = {
    exp.Column: _column, exp.Literal: _literal, exp.Null: _constant(None), exp.Paren: lambda it: _node(it.this),
    exp.Boolean: lambda it: _constant(bool(it.this))(it),
    exp.And: _and, exp.Or: _or, exp.Not: _not, exp.In: _in, exp.Between: _between, exp.Is: _is,
    exp.NullSafeEQ: _is, exp.NullSafeNEQ: _is_not, exp.Case: _case, exp.If: _if, exp.Coalesce: _coalesce,
    exp.Least: _extreme(min), exp.Greatest: _extreme(max), exp.Cast: _cast, exp.Interval: _interval,
    exp.EQ: _strict(lambda a, b: a == b), exp.NEQ: _strict(lambda a, b: a != b),
    exp.LT: _strict(lambda a, b: a < b), exp.LTE: _strict(lambda a, b: a <= b),
    exp.GT: _strict(lambda a, b: a > b), exp.GTE: _strict(lambda a, b: a >= b),
    exp.Add: _strict(_plus), exp.Sub: _strict(lambda a, b: a - b), exp.Mul: _strict(lambda a, b: a * b),
    exp.IntDiv: _strict(_towards_zero), exp.Div: _strict(lambda a, b: Fraction(a) / Fraction(b)),
    exp.Mod: _strict(lambda a, b: a - b * _towards_zero(a, b)), exp.Neg: _of_one(lambda a: -a), exp.Abs: _of_one(abs),
    exp.Nullif: lambda it: _if(exp.If(this=exp.EQ(this=it.this, expression=it.expression), true=exp.Null(),
                                      false=it.this)),
    exp.DateDiff: _date_diff, exp.TimestampTrunc: _truncated, exp.DateTrunc: _truncated, exp.Anonymous: _function,
    exp.Month: _of_one(lambda a: a.month), exp.Year: _of_one(lambda a: a.year),
}  # fmt: skip
