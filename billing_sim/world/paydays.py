"""Income days: for every day the last one up to it and the next one after it, per calendar that somebody lives by."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from billing_sim.errors import BillingSimError
from billing_sim.scenario.behaviour import Paydays
from billing_sim.world.record import CALENDARS, DAYS, QUANTILES

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


def _are_paydays(days: np.ndarray, calendar: Paydays) -> np.ndarray:
    """bool[days]: which of these days since 1970 bring income."""
    weekday, (day, is_last, is_last_friday) = (days + 3) % 7, _in_month(days)
    if calendar.weekly:
        return weekday == _WEEKDAYS.index(calendar.weekly)
    if calendar.every_two_weeks:
        return (weekday == _WEEKDAYS.index(calendar.every_two_weeks)) & ((days + 3) // 7 % 2 == 0)
    if calendar.last_business_day:
        return ((weekday < 5) & is_last) | ((weekday == 4) & is_last_friday)
    wanted = calendar.days_of_month or []
    return np.isin(day, wanted) | (is_last & (day < max(wanted, default=0)))


def _in_month(days: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The day of the month, whether it is the last, and whether the month is over three days later."""
    dates = days.astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    day = (dates - month.astype("datetime64[D]")).astype(np.int64) + 1
    return day, (dates + 1).astype("datetime64[M]") != month, (dates + 3).astype("datetime64[M]") != month


class PaydayCalendars:
    """The distinct calendars of a scenario, numbered as they are met; tables over `DAYS` days from `first_day`."""

    def __init__(self, first_day: int) -> None:
        self.first_day = first_day
        self._numbers: dict[str, int] = {}
        self.last = np.zeros((CALENDARS, DAYS), np.int64)
        self.next = np.zeros((CALENDARS, DAYS), np.int64)

    def number(self, calendar: Paydays) -> int:
        """The number of a calendar, filled in when it is new."""
        key = calendar.model_dump_json(exclude={"share"})
        if key not in self._numbers:
            if len(self._numbers) == CALENDARS:
                raise BillingSimError(f"more than {CALENDARS} different paydays in one scenario")
            self._numbers[key] = len(self._numbers)
            self._fill(self._numbers[key], calendar)
        return self._numbers[key]

    def _fill(self, number: int, calendar: Paydays) -> None:
        # A month more on both sides, so that the first and last days know their neighbours.
        span = np.arange(self.first_day - 40, self.first_day + DAYS + 40)
        paydays = span[_are_paydays(span, calendar)]
        days = np.arange(self.first_day, self.first_day + DAYS)
        after = np.searchsorted(paydays, days, side="right")
        self.last[number] = paydays[after - 1]
        self.next[number] = paydays[after]

    def share_of_days(self, mix: list[Paydays], lengths: list[int]) -> Decimal:
        """Share of days that lie inside a dry spell if every cycle had one of these lengths (quantiles, days)."""
        at_least = (np.array(lengths)[None, :] >= np.arange(64)[:, None]).sum(axis=1)
        total = Decimal(0)
        for entry in mix:
            number = self.number(entry)
            days = np.arange(self.first_day, self.first_day + 1461)
            left = np.minimum(self.next[number, :1461] - days, 63)
            total += entry.share * int(at_least[left].sum()) / (QUANTILES * 1461)
        return total
