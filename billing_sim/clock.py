"""Time: integer microseconds UTC for moments, whole days since 1970 for dates, and what a time zone does to both.

Billing follows the calendar of a market's time zone. A local time that a clock change skips is read with the offset
before the change (02:30 becomes 03:30); one that happens twice is its first occurrence.

Zones come from the locked `tzdata` package, never from the machine: Windows has no database, and two machines with
different ones would charge at different moments.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
NEVER = 1 << 62
"""The alarm that does not ring."""

EPOCH = date(1970, 1, 1)
_UNITS = {"second": SECOND, "minute": MINUTE, "min": MINUTE, "hour": HOUR, "h": HOUR, "day": DAY, "week": WEEK}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*")


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def date_of(day: int) -> date:
    """The date of a day number."""
    return EPOCH + timedelta(days=day)


def month_after(day: date) -> date:
    """The first day of the next month."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment, exactly."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def moment_of(instant: int) -> datetime:
    """The UTC datetime of an instant in microseconds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)


def parse_duration(text: str) -> int:
    """Read "3 days", "90 min" or "1 week 12 hours" as microseconds; ValueError when it is none."""
    position, total = 0, 0
    while position < len(text):
        found = _DURATION.match(text, position)
        unit = found and (found[2] if found[2] in _UNITS else found[2].removesuffix("s"))
        if not found or unit not in _UNITS:
            raise ValueError(f"{text!r} is not a duration")
        number = found[1]
        whole, _, decimals = number.partition(".")
        scale = 10 ** len(decimals)
        total += int(whole + decimals) * _UNITS[unit] // scale
        position = found.end()
    if not text.strip():
        raise ValueError("an empty text is not a duration")
    return total


def format_duration(duration: int) -> str:
    """A duration in its largest whole unit: 259200000000 is "3 days"."""
    for name, unit in (("day", DAY), ("hour", HOUR), ("minute", MINUTE), ("second", SECOND)):
        if duration % unit == 0 and duration >= unit:
            count = duration // unit
            return f"{count} {name}" + ("s" if count != 1 else "")
    return f"{duration / SECOND:g} seconds"


class _Zone(ZoneInfo):
    """A zone from the package that goes to another process by its name: a file cannot go there."""

    def __reduce__(self) -> tuple[Callable[[str], ZoneInfo], tuple[str]]:
        return zone, (self.key,)


@cache
def zone(name: str) -> ZoneInfo:
    """The zone of this IANA name from the `tzdata` package; ValueError when there is none."""
    parts = name.split("/")
    if not all(re.fullmatch(r"[A-Za-z0-9_+\-]+", part) for part in parts):
        raise ValueError(f"{name!r} is not a time zone")
    source = resources.files("tzdata").joinpath("zoneinfo", *parts)
    if not source.is_file():
        raise ValueError(f"{name!r} is not a time zone")
    with source.open("rb") as file:
        return _Zone.from_file(file, key=name)


def zone_names() -> list[str]:
    """Every IANA name in the `tzdata` package."""
    return resources.files("tzdata").joinpath("zones").read_text().split()


def _offset(tz: ZoneInfo, instant: int) -> int:
    offset = tz.utcoffset(moment_of(instant).astimezone(tz))
    assert offset is not None
    return int(offset.total_seconds()) * SECOND


@cache
def transitions(name: str, start: int, end: int) -> list[tuple[int, int]]:
    """(instant, offset from then on) in microseconds for a zone between two instants; the first entry is at `start`."""
    tz = zone(name)
    found = [(start, _offset(tz, start))]
    # No zone has ever changed twice within a week.
    for left in range(start, end, WEEK):
        right = min(left + WEEK, end)
        if _offset(tz, right) != found[-1][1]:
            change = _change_between(tz, left, right)
            found.append((change, _offset(tz, change)))
    return found


def _change_between(tz: ZoneInfo, early: int, late: int) -> int:
    """The second at which the offset changes between two whole seconds that differ in it."""
    before = _offset(tz, early)
    while late - early > SECOND:
        middle = (early + late) // 2 // SECOND * SECOND
        if _offset(tz, middle) == before:
            early = middle
        else:
            late = middle
    return late
