"""Time: whole microseconds and days, durations as people write them, and zones as an independent witness reads them."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_sim import clock

ZONES = [
    "America/New_York", "America/Sao_Paulo", "America/St_Johns", "Europe/London", "Asia/Kolkata", "Asia/Tokyo",
    "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia", "Africa/Cairo", "UTC",
]  # fmt: skip
START, END = clock.micros(datetime(2009, 1, 1, tzinfo=UTC)), clock.micros(datetime(2027, 1, 1, tzinfo=UTC))


def offset_in(found: list[tuple[int, int]], instant: int) -> int:
    """The offset that a list of transitions tells for an instant."""
    return next(offset for at, offset in reversed(found) if at <= instant)


def witness(zone: str, instant: int) -> int:
    """The offset that `zoneinfo` tells, in microseconds."""
    offset = clock.moment_of(instant).astimezone(clock.zone(zone)).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)


@given(st.dates())
def test_a_date_and_its_day_number(day):
    """They name each other, and 1970 begins with day 0."""
    assert clock.date_of(clock.day_number(day)) == day
    assert clock.day_number(date(1970, 1, 1)) == 0


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)))
def test_a_moment_and_its_microseconds(naive):
    """They name each other exactly, to the microsecond, before 1970 too."""
    moment = naive.replace(tzinfo=UTC)
    assert clock.moment_of(clock.micros(moment)) == moment


@given(
    st.integers(0, 10**6),
    st.sampled_from([("second", 1), ("min", 60), ("hour", 3600), ("day", 86400), ("week", 604800)]),
)
def test_a_duration_is_a_number_and_its_unit(number, unit):
    """Singular or plural, with or without a space."""
    name, seconds = unit
    for text in (f"{number} {name}", f"{number}{name}s", f"  {number} {name}s "):
        assert clock.parse_duration(text) == number * seconds * clock.SECOND


@given(st.integers(1, 10**9))
def test_a_duration_reads_back(seconds):
    """What is written in the largest whole unit is the same duration."""
    assert clock.parse_duration(clock.format_duration(seconds * clock.SECOND)) == seconds * clock.SECOND


def test_units_and_decimals_add_up():
    """A week and a half day; fractions of a second are exact."""
    assert clock.parse_duration("1 week 12 hours") == 7 * clock.DAY + 12 * clock.HOUR
    assert clock.parse_duration("1.5 h") == 90 * clock.MINUTE
    assert clock.parse_duration("0.9 seconds") == 900_000
    assert clock.format_duration(clock.parse_duration("72 hours")) == "3 days"
    assert clock.format_duration(clock.SECOND // 2) == "0.5 seconds"


@pytest.mark.parametrize("text", ["", "  ", "3", "days", "3 fortnights", "-1 day", "3 days and", "1,5 days"])
def test_what_is_no_duration_is_refused(text):
    """A number without a unit, a unit without a number, words that are neither."""
    with pytest.raises(ValueError, match="duration"):
        clock.parse_duration(text)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "America/", "", "America/New York", "/UTC"])
def test_what_is_no_zone_is_refused(name):
    """Names that the locked database lacks, and paths that lead elsewhere."""
    with pytest.raises((ValueError, OSError)):
        clock.zone(name)


def test_zones_come_from_the_locked_package():
    """Every name in its list can be opened: the machine's own database is not asked."""
    names = clock.zone_names()
    assert len(names) > 400
    assert {clock.zone(name).key for name in names[::40]} == set(names[::40])


@pytest.mark.parametrize("name", ZONES)
def test_transitions_agree_with_zoneinfo_at_every_hour_of_a_clock_change(name):
    """Offsets before, at and after each change, to the second, and at every day in between."""
    found = clock.transitions(name, START, END)
    moments = [instant for at, _ in found for instant in (at - clock.SECOND, at, at + clock.SECOND, at + clock.HOUR)]
    moments += range(START, END, 5 * clock.DAY + 7 * clock.HOUR)
    wrong = [m for m in moments if START <= m < END and offset_in(found, m) != witness(name, m)]
    assert wrong == []


def test_zones_without_clock_changes_have_one_entry():
    """India and Japan keep their time; New York changes it twice a year."""
    assert [len(clock.transitions(name, START, END)) for name in ("Asia/Kolkata", "Asia/Tokyo", "UTC")] == [1, 1, 1]
    assert len(clock.transitions("America/New_York", START, END)) == 1 + 2 * 18


def test_a_whole_day_that_a_zone_skipped():
    """Samoa jumped over 30 December 2011: its offset grew by a day."""
    found = clock.transitions("Pacific/Apia", START, END)
    jumps = [after - before for (_, before), (_, after) in pairwise(found)]
    assert clock.DAY in jumps


def test_a_zone_goes_to_another_process_by_its_name():
    """The file that it was read from stays here."""
    zone = clock.zone("America/New_York")
    assert pickle.loads(pickle.dumps(zone)) is zone
    assert copy.deepcopy(zone) is zone
