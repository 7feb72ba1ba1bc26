"""Days put together into weeks or months, so that a picture has neither three columns nor three hundred."""

from __future__ import annotations

from datetime import datetime, timedelta

DAYS_MOST, WEEKS_MOST = 21, 150
"""Spans, in days, up to which days and weeks are shown; from there on months."""


def bucket(start: datetime, end: datetime) -> str:
    """How DuckDB's date_trunc should cut this span: day, week or month."""
    span = end - start
    if span <= timedelta(days=DAYS_MOST):
        return "day"
    return "week" if span <= timedelta(days=WEEKS_MOST) else "month"


AXIS = {"day": "%e %b", "week": "%e %b", "month": "%b"}
"""How an axis writes the beginning of each."""

PER = {"day": "per day", "week": "per week", "month": "per month"}
"""How a subtitle says it."""
