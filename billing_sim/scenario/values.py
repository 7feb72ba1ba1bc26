"""The small values of a scenario file: shares, durations, monthly hazards, prices. Each reads the text people write.

Numbers arrive as `Decimal` or `int` straight from their text, so no binary fraction ever enters a scenario.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from billing_sim import clock, money

YEARS_MAX = 10
"""The longest time that a scenario may span."""

_NUMBER = r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?"
_PERCENT = re.compile(rf"\s*({_NUMBER})\s*%\s*")
_PER_MONTH = re.compile(rf"\s*({_NUMBER})\s*%\s*per month\s*")
_AMOUNT = re.compile(r"-?[0-9]{1,16}(?:\.[0-9]{1,9})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(_DAY.pattern + r"(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[-+][0-9]{2}:[0-9]{2})?)?")


def shown(value: Any) -> str:
    """A value as messages quote it: text in quotes, lists and mappings by their kind, all of it short."""
    words = {dict: "a mapping", list: "a list", type(None): "nothing", bool: str(value).lower()}
    found = words.get(type(value)) or (f'"{value}"' if isinstance(value, str) else str(value))
    return found if len(found) <= 60 else f"{found[:57]}…"


def _decimal(value: Any, kind: str) -> Decimal:
    """A finite number, or ValueError saying that the value is not of this kind."""
    try:
        number = None if isinstance(value, bool) else Decimal(str(value))
    except ArithmeticError:
        number = None
    if number is None or not number.is_finite():
        raise ValueError(f"{shown(value)} is not {kind}")
    return number


def _ratio(value: Any) -> Decimal:
    percent = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    return Decimal(percent[1]) / 100 if percent else _decimal(value, "a share; write 25% or 0.25")


def read_share(value: Any) -> Decimal:
    """A share from 25% or 0.25, between 0 and 1; ValueError in plain words otherwise, as from all readers here."""
    number = _ratio(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{shown(value)} is not between 0 % and 100 %; write 25% or 0.25")
    return number


def _change(value: Any) -> Decimal:
    number = _ratio(value)
    if not -1 <= number <= 1000:
        raise ValueError(f"{shown(value)} is not between -100 % and +100,000 %; write 50% for half as much again")
    return number


def _per_month(value: Any) -> Decimal:
    found = _PER_MONTH.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"{shown(value)} is not a monthly hazard; write it with its unit, as in 2.1% per month")
    return read_share(f"{found[1]}%")


def read_duration(value: Any) -> int:
    """A duration in microseconds from "3 days" or "90 min", at most `YEARS_MAX` years."""
    try:
        duration = clock.parse_duration(value) if isinstance(value, str) and len(value) <= 60 else None
    except ValueError:
        duration = None
    if duration is None:
        raise ValueError(f"{shown(value)} is not a duration; write it with its unit, as in 3 days or 90 min")
    if duration > YEARS_MAX * 366 * clock.DAY:
        raise ValueError(f"{shown(value)} is longer than {YEARS_MAX} years; write a shorter duration")
    return duration


def _positive(value: Any) -> Decimal:
    kind = "a number above 0 and at most 1,000,000,000; write one, as in 1.25"
    number = _decimal(value, kind)
    if not 0 < number <= 10**9:
        raise ValueError(f"{shown(value)} is not {kind}")
    return number


def read_day(value: Any) -> date:
    """A date from 2026-01-31."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError(f"{shown(value)} is not a date; write year, month and day, as in 2026-01-31")


def read_month(value: Any) -> date:
    """The first day of a month from 2026-01."""
    if isinstance(value, str) and _MONTH.fullmatch(value):
        try:
            return date.fromisoformat(f"{value}-01")
        except ValueError:
            pass
    raise ValueError(f"{shown(value)} is not a month; write year and month, as in 2026-01")


def read_target(value: Any) -> Decimal:
    """A value that a metric may have: 98.5% or 0.985 for a share, any number for others."""
    percent = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    return Decimal(percent[1]) / 100 if percent else _decimal(value, "a number; write 98.5% for a share, or 1250")


def read_moment(value: Any) -> datetime:
    """A moment in UTC from 2026-01-31, 2026-01-31 06:30 or 2026-01-31T06:30:00+01:00; UTC without an offset."""
    try:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            value = datetime.fromisoformat(value)
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{shown(value)} is not a moment; write it in UTC, as in 2026-01-31 06:30")


def _price_text(value: Any) -> str | int:
    """Prices keep the text they were written in; what they amount to depends on the market's currency."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(f'{shown(value)} is not a price; write it with its currency, as in "9.99 USD"')
    return f"{value:f}" if isinstance(value, Decimal) else value


def price_minor(price: str | int | Decimal, currency: str) -> int:
    """A price of the file in minor units of a known currency: "9.99 USD", or 999 for a bare whole number.

    Raises ValueError in plain words, with what to do after a semicolon.
    """
    exponent = money.EXPONENTS[currency]
    amount = Decimal(price).scaleb(-exponent) if isinstance(price, int) else _amount(price, currency)
    if amount < 0:
        raise ValueError(f"{price} is below zero; write a price of 0 or more")
    if amount.scaleb(exponent) > money.AMOUNT_LIMIT:
        raise ValueError(f"{price} is beyond {money.AMOUNT_LIMIT:,} minor units; write a smaller price")
    if amount != _rounded(amount, currency) or isinstance(price, Decimal):
        raise ValueError(f"{price} is not a whole number of minor units; {_how_to_write(amount, currency)}")
    return money.to_minor(amount, currency)


def _amount(price: str | Decimal, currency: str) -> Decimal:
    """The amount of a price with its currency, or of a bare fraction, which is refused afterwards."""
    if isinstance(price, Decimal):
        return price
    words = sorted(price.split(), key=lambda word: bool(_CURRENCY.fullmatch(word)))
    if (
        len(words) not in (1, 2)
        or not _AMOUNT.fullmatch(words[0])
        or (len(words) == 2 and not _CURRENCY.fullmatch(words[1]))
    ):
        raise ValueError(f'{shown(price)} is not a price; write it with its currency, as in "9.99 {currency}"')
    if len(words) == 1:
        raise ValueError(f"{shown(price)} has no currency; {_how_to_write(Decimal(words[0]), currency)}")
    if words[1] not in money.EXPONENTS:
        raise ValueError(f"{words[1]} is not a currency of ISO 4217; write {words[0]} {currency}")
    if words[1] != currency:
        raise ValueError(f"{price} is not in {currency}, the currency of this market; write a price in {currency}")
    return Decimal(words[0])


def _rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-money.EXPONENTS[currency]), ROUND_DOWN)


def _how_to_write(amount: Decimal, currency: str) -> str:
    whole = _rounded(amount, currency)
    return f'write {money.to_minor(whole, currency)} with currency {currency}, or "{whole} {currency}"'


Share = Annotated[Decimal, BeforeValidator(read_share), WithJsonSchema({
    "anyOf": [{"type": "number", "minimum": 0, "maximum": 1},
              {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$"}],
    "description": "a share: 25% or 0.25"})]  # fmt: skip
Change = Annotated[Decimal, BeforeValidator(_change), WithJsonSchema({
    "anyOf": [{"type": "number", "minimum": -1}, {"type": "string", "pattern": r"^\s*-?\d+(\.\d+)?\s*%\s*$"}],
    "description": "a relative change: 102% doubles and a little more, -15% takes away"})]  # fmt: skip
PerMonth = Annotated[Decimal, BeforeValidator(_per_month), WithJsonSchema({
    "type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*per month\s*$",
    "description": 'a monthly hazard with its unit: "2.1% per month"'})]  # fmt: skip
Duration = Annotated[int, BeforeValidator(read_duration), WithJsonSchema({
    "type": "string", "pattern": r"^(\s*\d+(\.\d+)?\s*(second|minute|min|hour|h|day|week)s?\s*)+$",
    "description": 'a duration with its unit: "3 days", "90 min"'})]  # fmt: skip
Positive = Annotated[Decimal, BeforeValidator(_positive), WithJsonSchema({
    "type": "number", "exclusiveMinimum": 0})]  # fmt: skip
Day = Annotated[date, BeforeValidator(read_day), WithJsonSchema({
    "type": "string", "format": "date", "description": "a date: 2026-01-31"})]  # fmt: skip
Month = Annotated[date, BeforeValidator(read_month), WithJsonSchema({
    "type": "string", "pattern": r"^\d{4}-\d{2}$", "description": "a month: 2026-01"})]  # fmt: skip
Target = Annotated[Decimal, BeforeValidator(read_target), WithJsonSchema({
    "anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\s*-?\d+(\.\d+)?\s*%\s*$"}],
    "description": "a value of a metric: 98.5% or 0.985 for a share, else a number"})]  # fmt: skip
Moment = Annotated[datetime, BeforeValidator(read_moment), WithJsonSchema({
    "type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?(Z|[-+]\d{2}:\d{2})?)?$",
    "description": "a moment in UTC: 2026-01-31 06:30, or a date for its first instant"})]  # fmt: skip
PriceText = Annotated[str | int, BeforeValidator(_price_text), WithJsonSchema({
    "anyOf": [{"type": "integer", "minimum": 0},
              {"type": "string", "pattern": r"^([A-Z]{3} +\d+(\.\d+)?|\d+(\.\d+)? +[A-Z]{3})$"}],
    "description": 'a price: "9.99 USD", or 999 in minor units of the market\'s currency'})]  # fmt: skip
