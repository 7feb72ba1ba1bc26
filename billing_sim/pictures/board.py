"""A board of pixels to put bars, bands and words on, where a chart with axes would say less.

The origin is the upper left corner; everything on it may carry a `tip`, a text that shows under the pointer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import altair as alt

from billing_sim.pictures.charts import Rows
from billing_sim.pictures.theme import INNER, SIZE, Theme


@dataclass
class Board:
    """What lies on a board of this height, in the colours of a theme."""

    theme: Theme
    height: float
    width: float = INNER
    _layers: list[alt.Chart] = field(default_factory=list)

    def bars(self, bars: Iterable[dict[str, Any]], *, opacity: float = 1) -> None:
        """Rectangles from `x`, `y` to `x2`, `y2` in `colour`."""
        self._add(
            bars,
            lambda chart: chart.mark_rect(opacity=opacity, aria=False).encode(
                x=self._x(), x2=alt.X2("x2:Q"), y=self._y(), y2=alt.Y2("y2:Q"), color=_colour(), tooltip=_tip()
            ),
        )

    def lines(self, lines: Iterable[dict[str, Any]]) -> None:
        """Straight lines from `x`, `y` to `x2`, `y2` in `colour`."""
        self._add(
            lines,
            lambda chart: chart.mark_rule(strokeWidth=1, aria=False).encode(
                x=self._x(), x2=alt.X2("x2:Q"), y=self._y(), y2=alt.Y2("y2:Q"), color=_colour()
            ),
        )

    def bands(self, bands: Sequence[dict[str, Any]], *, opacity: float = 0.35) -> None:
        """Bands that flow from the left (`x`, `top`, `bottom`) to the right (`x2`, `top2`, `bottom2`) in `colour`."""
        for band in bands:
            self._add(
                list(_along(band)),
                lambda chart, band=band: chart.mark_area(
                    opacity=opacity, color=band["colour"], aria=False, line=False
                ).encode(x=self._x(), y=self._y(), y2=alt.Y2("y2:Q"), tooltip=_tip()),
            )

    def words(
        self, words: Iterable[dict[str, Any]], *, align: str = "left", size: float = SIZE, bold: bool = False
    ) -> None:
        """Texts `text` at `x`, `y` (the middle of the line) in `colour`."""
        self._add(
            words,
            lambda chart: chart.mark_text(
                align=align, baseline="middle", fontSize=size, fontWeight="bold" if bold else "normal"
            ).encode(x=self._x(), y=self._y(), text=alt.Text("text:N"), color=_colour()),
        )

    def chart(self) -> Any:
        """Everything, in the order in which it was put there."""
        return alt.layer(*self._layers, width=self.width, height=self.height)

    def _add(self, rows: Iterable[dict[str, Any]], draw: Any) -> None:
        kept = list(rows)
        if kept:
            self._layers.append(draw(alt.Chart(Rows(values=kept))))

    def _x(self) -> alt.X:
        return alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, self.width], nice=False, zero=False))

    def _y(self) -> alt.Y:
        return alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[self.height, 0], nice=False, zero=False))


def _colour() -> alt.Color:
    return alt.Color("colour:N", scale=None, legend=None)


def _tip() -> alt.Tooltip:
    return alt.Tooltip("tip:N", title=" ")


_STEPS = 24
"""Straight pieces of a band's curve."""


def _along(band: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Points of a band whose ends are level and whose middle is steep, as 3t² − 2t³ is."""
    for step in range(_STEPS + 1):
        part = step / _STEPS
        bend = part * part * (3 - 2 * part)
        yield {
            "x": round(band["x"] + part * (band["x2"] - band["x"]), 3),
            "y": round(band["top"] + bend * (band["top2"] - band["top"]), 3),
            "y2": round(band["bottom"] + bend * (band["bottom2"] - band["bottom"]), 3),
            "tip": band.get("tip", ""),
        }
