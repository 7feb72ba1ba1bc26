"""Colours and type, light and dark.

The series colours are those of Okabe and Ito (jfly.uni-koeln.de/color, 2008), which people with any kind of colour
vision can tell apart; on white they are darkened and on black lightened until text in them can be read, and moved until
the first four still differ for those who lack a kind of cone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from billing_sim.errors import QueryError
from billing_sim.metrics.names import unknown

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""The first is bundled with the renderer, the others are as wide."""

WIDTH = 720
"""The whole picture, in pixels."""

PADDING = 16
INNER = WIDTH - 2 * PADDING
SIZE, SMALL, TITLE = 14, 13, 20
"""Type sizes: what is read in the picture, its axes, and the finding."""


@dataclass(frozen=True)
class Theme:
    """Named colours; `series` are for things beside each other, and `good` and `bad` are two of them."""

    name: str
    paper: str
    ink: str
    quiet: str
    faint: str
    blue: str
    orange: str
    green: str
    purple: str
    brown: str
    sky: str

    @property
    def good(self) -> str:
        """What went well."""
        return self.blue

    @property
    def bad(self) -> str:
        """What did not."""
        return self.orange

    @property
    def series(self) -> tuple[str, ...]:
        """Colours of things beside each other, most important first; the last is for all others."""
        return (self.blue, self.orange, self.green, self.purple, self.brown, self.sky, self.quiet)


THEMES = {
    "light": Theme(
        "light", paper="#ffffff", ink="#1b1f24", quiet="#5f6771", faint="#e3e6ea",
        blue="#0069a8", orange="#c04a00", green="#004c28", purple="#ab4978", brown="#8a6500", sky="#3b7ea6",
    ),
    "dark": Theme(
        "dark", paper="#15181d", ink="#f2f4f7", quiet="#a3acb8", faint="#343a43",
        blue="#56b4e9", orange="#f2803d", green="#66ffc8", purple="#c982a4", brown="#e0b040", sky="#9ad0ee",
    ),
}  # fmt: skip


def blend(low: str, high: str, part: float) -> str:
    """The colour so far on the way from one to another."""
    ends = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (low, high)]
    return "#" + "".join(f"{round(a + part * (b - a)):02x}" for a, b in zip(*ends, strict=True))


def contrast(a: str, b: str) -> float:
    """From 1 to 21, as the Web Content Accessibility Guidelines 2.1 define it."""
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def theme_named(name: str) -> Theme:
    """The theme of a name; QueryError for another than light and dark."""
    if name not in THEMES:
        raise QueryError(unknown("theme", name, THEMES))
    return THEMES[name]


def config(it: Theme) -> dict[str, Any]:
    """Vega-Lite's configuration for a theme: quiet axes, no boxes, type that can be read at half size."""
    text = {"labelFont": FONT, "titleFont": FONT, "labelFontSize": SMALL, "titleFontSize": SMALL}
    ink = {"labelColor": it.quiet, "titleColor": it.quiet, "titleFontWeight": "normal"}
    return {
        "font": FONT,
        "background": it.paper,
        "padding": PADDING,
        "view": {"stroke": None},
        "title": {
            "font": FONT, "fontSize": TITLE, "fontWeight": "bold", "color": it.ink, "anchor": "start",
            "frame": "bounds", "offset": 18, "lineHeight": 25, "subtitleFont": FONT, "subtitleFontSize": SIZE,
            "subtitleColor": it.quiet, "subtitlePadding": 6, "subtitleLineHeight": 19,
        },
        "axis": {
            **text, **ink, "domain": False, "ticks": False, "grid": False, "labelPadding": 6, "titlePadding": 10,
            "gridColor": it.faint, "labelLimit": 300,
        },
        "header": {**text, **ink, "labelColor": it.ink, "labelFontWeight": "bold"},
        "legend": {**text, **ink, "labelColor": it.ink},
        "text": {"font": FONT, "fontSize": SIZE, "color": it.ink},
        "rule": {"color": it.quiet},
        "axisTemporal": {"labelSeparation": 8},
    }  # fmt: skip
