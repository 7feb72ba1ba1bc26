"""A board of pixels to put bars, bands and words on, where a chart with axes would say less.

The origin is the upper left corner; everything on it may carry a `tip`, a text that shows under the pointer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import altair as alt

from billing_sim.pictures.charts import Rows
from billing_sim.pictures.theme import INNER, SIZE, Theme

Align = Literal["left", "center", "right"]
"""On which side of a text its place is."""


@dataclass(frozen=True)
class Kind:
    """What is drawn alike."""

    shape: Literal["bars", "lines", "bands", "words"]
    opacity: float = 1
    align: Align = "left"
    size: float = SIZE
    bold: bool = False


@dataclass
class Board:
    """What lies on a board of this height, in the colours of a theme.

    What is drawn alike is one layer, which lies where the first of its kind was put; words lie above all else.
    """

    theme: Theme
    height: float
    width: float = INNER
    _layers: dict[Kind, list[dict[str, Any]]] = field(default_factory=dict)

    def bars(self, bars: Iterable[dict[str, Any]], *, opacity: float = 1) -> None:
        """Rectangles from `x`, `y` to `x2`, `y2` in `colour`."""
        self._add(Kind("bars", opacity=opacity), bars)

    def lines(self, lines: Iterable[dict[str, Any]]) -> None:
        """Straight lines from `x`, `y` to `x2`, `y2` in `colour`."""
        self._add(Kind("lines"), lines)

    def bands(self, bands: Sequence[dict[str, Any]], *, opacity: float = 0.35) -> None:
        """Bands that flow from the left (`x`, `top`, `bottom`) to the right (`x2`, `top2`, `bottom2`) in `colour`."""
        kind = Kind("bands", opacity=opacity)
        for band in bands:
            number = len(self._layers.get(kind, ())) // (_STEPS + 1)
            self._add(kind, [{**point, "band": number} for point in _along(band)])

    def words(
        self, words: Iterable[dict[str, Any]], *, align: Align = "left", size: float = SIZE, bold: bool = False
    ) -> None:
        """Texts `text` at `x`, `y` (the middle of the line) in `colour`."""
        self._add(Kind("words", align=align, size=size, bold=bold), words)

    def chart(self) -> Any:
        """Everything that was put there."""
        kinds = sorted(self._layers, key=lambda kind: kind.shape == "words")
        return alt.layer(
            *(self._drawn(kind, self._layers[kind]) for kind in kinds), width=self.width, height=self.height
        )

    def _add(self, kind: Kind, rows: Iterable[dict[str, Any]]) -> None:
        if kept := list(rows):
            self._layers.setdefault(kind, []).extend(kept)

    def _drawn(self, kind: Kind, rows: list[dict[str, Any]]) -> alt.Chart:
        chart = alt.Chart(Rows(values=rows))
        x, y, x2, y2 = self._x(), self._y(), alt.X2("x2:Q"), alt.Y2("y2:Q")
        if kind.shape == "bars":
            mark = chart.mark_rect(opacity=kind.opacity, aria=False)
            return mark.encode(x=x, x2=x2, y=y, y2=y2, color=_colour(), tooltip=_tip())
        if kind.shape == "lines":
            return chart.mark_rule(strokeWidth=1, aria=False).encode(x=x, x2=x2, y=y, y2=y2, color=_colour())
        if kind.shape == "bands":
            mark = chart.mark_area(opacity=kind.opacity, aria=False, line=False)
            return mark.encode(x=x, y=y, y2=y2, detail=alt.Detail("band:N"), color=_colour(), tooltip=_tip())
        mark = chart.mark_text(
            align=kind.align, baseline="middle", fontSize=kind.size, fontWeight="bold" if kind.bold else "normal"
        )
        return mark.encode(x=x, y=y, text=alt.Text("text:N"), color=_colour())

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
            "colour": band["colour"],
            "tip": band.get("tip", ""),
        }
