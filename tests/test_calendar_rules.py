"""The calendar of the rules, asked as plain Python, against Python's own calendar and `zoneinfo`."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta

import pytest

from billing_sim import clock
from tests.plain_python import ZONES, answers, civil_days, local_times


def test_months_of_days_are_those_of_the_calendar():
    """Every day from 1960 to 2110: its month, and the first day of that month."""
    wrong = [
        day
        for day, (month, first) in zip(civil_days(), answers()["civil"], strict=True)
        if (day.year * 12 + day.month - 1, day.replace(day=1)) != (month, datetime(1970, 1, 1) + timedelta(days=first))
    ]
    assert wrong == []


@pytest.mark.parametrize(("place", "anchor"), enumerate([1, 28, 29, 30, 31]))
def test_billing_days_clamp_to_the_month_and_come_back(place, anchor):
    """Over a leap year and its neighbours: 31 January, 29 February, 31 March; 28 February a year later."""
    days = [clock.date_of(day) for day in answers()["anchored"][place]]
    months = [(2023 + (11 + i) // 12, (11 + i) % 12 + 1) for i in range(27)]
    assert days == [date(y, m, min(anchor, calendar.monthrange(y, m)[1])) for y, m in months]
    if anchor == 31:
        assert [date(2024, 2, 29), date(2025, 2, 28), date(2024, 4, 30)] == [days[2], days[14], days[4]]


def witness(zone: str, local: int) -> int:
    """What `zoneinfo` makes of a wall time: of two moments the first, in a gap the offset before it (PEP 495)."""
    wall = datetime(1970, 1, 1) + timedelta(microseconds=local)
    return clock.micros(wall.replace(tzinfo=clock.zone(zone), fold=0).astimezone(UTC))


@pytest.mark.parametrize("zone", ZONES)
def test_wall_times_are_the_instants_that_zoneinfo_tells(zone):
    """Every quarter of an hour around every clock change, forwards and back, half hours and a skipped day."""
    wrong = [
        (local, told, witness(zone, local))
        for local, told in zip(local_times(zone), answers()["instants"][zone], strict=True)
        if told != witness(zone, local)
    ]
    assert wrong == []


def test_there_are_gaps_and_overlaps_among_them():
    """The cases above hold times that never were and times that were twice."""
    zone = clock.zone("America/New_York")
    gaps = overlaps = 0
    for local in local_times("America/New_York"):
        wall = datetime(1970, 1, 1) + timedelta(microseconds=local)
        first, second = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
        gaps += first < second
        overlaps += first > second
    assert gaps >= 16
    assert overlaps >= 16
