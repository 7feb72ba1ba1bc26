"""What charts with axes have in common: rows, axes of days and shares, and labels that keep their distance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

PERCENT = "format(round(datum.value * 1e6) / 1e4, '~r') + ' %'"
"""How an axis writes shares: 95 %, 99.5 %."""

LINE = 18
"""Pixels between the middles of two lines of text."""


class Rows(alt.Data):
    """Rows inside a chart, which nobody changes: Altair would copy them again with every layer that holds them."""

    def __deepcopy__(self, _memo: Any = None) -> Rows:
        return self


def each(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a frame, whose cells are attributes, as plain Python values."""
    for record in frame.to_dict("records"):
        yield SimpleNamespace(**{str(name): _plain(value, moments=False) for name, value in record.items()})


def rows(frame: pd.DataFrame) -> Rows:
    """A frame as rows inside the chart: days as ISO text, missing numbers as null."""
    values = []
    for record in frame.to_dict("records"):
        values.append({str(name): _plain(value) for name, value in record.items()})
    return Rows(values=values)


def _plain(value: Any, *, moments: bool = True) -> Any:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, pd.Timestamp):
        if not moments:
            return value.to_pydatetime()
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.item() if isinstance(value, np.generic) else value


def colour(name: str = "colour") -> alt.Color:
    """Colours as the rows give them."""
    return alt.Color(f"{name}:N", scale=None, legend=None)


def tip(name: str = "tip") -> alt.Tooltip:
    """The text that shows under the pointer."""
    return alt.Tooltip(f"{name}:N", title=" ")


def heading(text: str, ink: str, size: float = 14) -> alt.Chart:
    """A line of bold words above a chart of a row, at its left edge."""
    return (
        alt.Chart(alt.Data(values=[{"text": text}]))
        .mark_text(align="left", baseline="middle", fontWeight="bold", fontSize=size, color=ink)
        .encode(x=alt.XValue(0), y=alt.YValue(-14), text=alt.Text("text:N"))
    )


def apart(wanted: Sequence[float], low: float, high: float, gap: float = LINE) -> list[float]:
    """Places (pixels) as near to the wanted ones as can be with a gap between each two, in the same order.

    They stay between `low` and `high` as long as there is room.
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    placed = [0.0] * len(wanted)
    groups: list[list[float]] = []
    for i in order:
        groups.append([wanted[i], 1])
        while len(groups) > 1 and _bottom(groups[-2], gap) + gap > _top(groups[-1], gap):
            (above, n), (below, m) = groups[-2:]
            groups[-2:] = [[(n * above + m * below) / (n + m), n + m]]
        groups[-1][0] = _inside(groups[-1], low, high, gap)
    rank = 0
    for middle, size in groups:
        for place in range(int(size)):
            placed[order[rank]] = middle + (place - (size - 1) / 2) * gap
            rank += 1
    return _from_below(placed, order, high, gap)


def _top(group: Sequence[float], gap: float) -> float:
    return group[0] - (group[1] - 1) / 2 * gap


def _bottom(group: Sequence[float], gap: float) -> float:
    return group[0] + (group[1] - 1) / 2 * gap


def _inside(group: Sequence[float], low: float, high: float, gap: float) -> float:
    half = (group[1] - 1) / 2 * gap
    return max(min(group[0], high - half), low + half)


def _from_below(placed: list[float], order: Sequence[int], high: float, gap: float) -> list[float]:
    """Push up what the bounds pushed into each other."""
    limit = high
    for i in reversed(order):
        placed[i] = min(placed[i], limit)
        limit = placed[i] - gap
    return placed
