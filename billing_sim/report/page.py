"""The page: content poured into a template, with pictures, style and script inside it, so that it needs no network."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_sim.errors import RunError
from billing_sim.metrics import words
from billing_sim.pictures.figure import SHOWN_SCALE
from billing_sim.report.content import Content, content
from billing_sim.runs.named_file import cannot_write_named, write_named
from billing_sim.steps import Report

if TYPE_CHECKING:
    import jinja2

    from billing_sim.comparison.differences import Difference
    from billing_sim.pictures.figure import Figure
    from billing_sim.result import Run

ROWS = 60
"""Rows of the numbers behind a picture that stand below it; the command line gives them all."""


def write(run: Run, path: str | Path, other: Run | None = None, *, report: Report | None = None) -> Path:
    """Write the report of a run to an HTML file, whose folder is made when it is missing; the path as it is.

    `report` is told sections gathered and in all.

    RunError when it cannot be written there.
    """
    target = Path(path)
    if target.is_dir():
        raise RunError(f"{target} is a folder: name the file to write, such as {target / 'report.html'}.")
    try:
        # First, since what comes between takes a quarter of a minute.
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write_named(target, error) from None
    write_named(target, page(content(run, other, report)))
    return target


def page(shown: Content) -> str:
    """The whole page as text; the same content gives the same page."""
    return _template().render(it=shown, style=_file("style.css"), script=_file("tabs.js"))


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    filters: dict[str, Callable[..., Any]] = {
        "image": image,
        "numbers": numbers,
        "signed": signed,
        "half": half,
        "told": told,
    }
    environment.filters.update(filters)
    return environment.from_string(_file("report.html.jinja"))


def _file(name: str) -> str:
    return files("billing_sim.report").joinpath(name).read_text(encoding="utf-8")


def image(figure: Figure, theme: str) -> str:
    """A picture as the address of an image that holds it: pixels, since a reader's machine may lack the fonts."""
    return "data:image/png;base64," + base64.b64encode(figure.to_png(theme, SHOWN_SCALE)).decode()


def numbers(figure: Figure) -> dict[str, Any]:
    """The first rows of the numbers behind a picture, as texts, and how many there are."""
    frame = figure.data.reset_index(drop=True)
    rows = [[_cell(value) for value in row] for row in frame.head(ROWS).itertuples(index=False, name=None)]
    return {"columns": [str(name).replace("_", " ") for name in frame.columns], "rows": rows, "all": len(frame)}


def _cell(value: Any) -> str:
    import pandas as pd

    if not isinstance(value, str) and pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.4g}"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
    return str(value)


def signed(it: Difference) -> str:
    """A difference with its sign and unit."""
    return words.signed(it.definition, it.value)


def half(it: Difference) -> str:
    """Half of its 95 % interval; empty where there is none."""
    return "" if it.half is None else f"± {words.half(it.definition, it.half, it.value)}"


def told(it: Difference, side: str) -> str:
    """The value on one side, `before` or `after`."""
    figure = getattr(it, side)
    return words.value(it.definition, figure)
