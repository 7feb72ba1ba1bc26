"""A finished picture: what it says, what it shows, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from billing_sim.pictures import saving, words
from billing_sim.pictures.theme import Theme, config, theme_named

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

SCALE = 2.0
"""Pixels of a PNG for one of the picture, so that it stays sharp on good screens and on paper."""

SHOWN_SCALE = 1.5
"""The same in notebooks and reports, where pictures are many and the page should stay light."""

_UNCHECKED = RLock()
"""Held by whoever makes a chart that is not checked meanwhile."""


@dataclass(frozen=True, repr=False, eq=False)
class Figure:
    """A picture of a run.

    `title` is the finding, computed from `data`; `subtitle` says what is counted, in which unit and when;
    `description` tells those who cannot see it what is shown, with the main figures.
    """

    name: str
    title: str
    subtitle: str
    description: str
    data: pd.DataFrame
    plot: Callable[[Theme], Any] = field(repr=False)
    """What is drawn below the title in the colours of a theme: an Altair chart without configuration."""

    def chart(self, theme: str = "light") -> alt.TopLevelMixin:
        """The picture as an Altair chart, to change it or to put it beside others; QueryError for another theme."""
        import altair as alt
        from altair.utils import schemapi

        colours = theme_named(theme)
        # Altair holds every piece of a chart against its schema when it is made: half of the time of making ours, which
        # tests hold against it. The switch is one for the whole process, so one thread at a time turns it.
        with _UNCHECKED, schemapi.debug_mode(False):
            made: alt.TopLevelMixin = self.plot(colours)
            # In its place: `properties` and `configure` would copy every layer of it twice.
            own = {
                "title": alt.Title(text=words.title_lines(self.title), subtitle=words.subtitle_lines(self.subtitle)),
                "description": f"{self.title}. {self.description}",
                "config": alt.Config(**config(colours)),
            }
            for name, value in own.items():
                setattr(made, name, value)
        return made

    def to_svg(self, theme: str = "light") -> str:
        """The picture as SVG text, the same for the same run."""
        return saving.svg(self.chart(theme))

    def to_png(self, theme: str = "light", scale: float = SCALE) -> bytes:
        """The picture as PNG; at the standard scale about 1,440 pixels wide."""
        return saving.png(self.chart(theme), scale)

    def to_html(self, theme: str = "light") -> str:
        """A page with the picture in which figures show under the pointer; it holds all it needs and loads nothing."""
        return saving.html(self.chart(theme), theme_named(theme), self.title, self.description)

    def save(self, path: str | Path, theme: str = "light") -> Path:
        """Write the picture to a .png, .svg or .html file and say where; QueryError for another kind of file."""
        return saving.save(self, Path(path), theme)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """What a notebook shows: an image, so that it needs neither network nor scripts and is always the same."""
        return {"image/png": self.to_png(scale=SHOWN_SCALE), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return self.title
