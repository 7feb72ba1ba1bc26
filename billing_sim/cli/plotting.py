"""`billing-sim plot`: pictures of a run as files."""

from __future__ import annotations

import textwrap
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from billing_sim.cli.output import complain, say, terminal
from billing_sim.errors import BillingSimError, QueryError
from billing_sim.pictures.picture import PICTURES, Picture

if TYPE_CHECKING:
    from billing_sim.pictures.figure import Figure

ALL = "all"
FOLDER = Path("pictures")
"""Where pictures go when nothing is said."""

_SUFFIXES = (".png", ".svg", ".html")
_WIDTH = 76  # help is indented
_NAME = max(map(len, PICTURES)) + 2
_ABOUT_LEAST = 24
"""What a picture is about stands below its name where there is less room beside it."""


def _listed(it: Picture, width: int) -> list[str]:
    if width < _NAME + _ABOUT_LEAST:
        return [it.name, *textwrap.wrap(it.about, width, initial_indent="  ", subsequent_indent="  ")]
    return textwrap.wrap(f"{it.name:<{_NAME}}{it.about}", width, subsequent_indent=" " * _NAME)


_LIST = "\n".join(f"  {line}" for it in PICTURES.values() for line in _listed(it, _WIDTH - 2))
EXAMPLE = f"""\b
Pictures:
{_LIST}

Example:  billing-sim plot runs/mine retry_yield mrr_bridge --theme dark --out slides
"""


class Kind(StrEnum):
    """The files that a picture can be written to."""

    PNG = "png"
    SVG = "svg"
    HTML = "html"


class Light(StrEnum):
    """The themes."""

    LIGHT = "light"
    DARK = "dark"


def plot(
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)
    ] = None,
    names: Annotated[
        list[str], typer.Argument(metavar="NAME", help="Which pictures; all: every one.", show_default=False)
    ] = [],  # noqa: B006
    other: Annotated[
        Path | None, typer.Option("--other", metavar="RUN2", help="Another run of the same people, to compare with.")
    ] = None,
    metric: Annotated[str, typer.Option("--metric", metavar="ID", help="The metric to draw.")] = "",
    subscriber: Annotated[
        str | None, typer.Option("--subscriber", metavar="WHO", help="Whose life, such as US-12.")
    ] = None,
    theme: Annotated[Light, typer.Option("--theme", help="On white or on black.")] = Light.LIGHT,
    kind: Annotated[Kind, typer.Option("--as", help="The kind of file, where --out names a folder.")] = Kind.PNG,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE_OR_FOLDER", help="Where to write to: x.png, x.svg, x.html, or a folder.",
                     show_default="pictures"),
    ] = None,
    truth: Annotated[bool, typer.Option("--truth", help="Also draw what only the simulator knows.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the pictures and stop.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress, and say nothing.")] = False,
) -> None:  # fmt: skip
    """Draw pictures of a run: PNG or SVG files, or pages on which figures show under the pointer.

    Every title says what was found. With `all`, pictures that cannot be made of this run are named and left out.
    """
    if listed:
        say("\n".join(line for it in PICTURES.values() for line in _listed(it, terminal().width)))
        return
    if run is None:
        raise typer.BadParameter("name the folder of a run", param_hint="RUN")
    if not names:
        raise typer.BadParameter("name pictures, or say all; --list says which there are", param_hint="NAME")
    from billing_sim.cli.progress import counting
    from billing_sim.pictures.drawing import named
    from billing_sim.result import open as open_run
    from billing_sim.steps import Steps

    chosen = list(PICTURES.values()) if ALL in names else [named(name) for name in dict.fromkeys(names)]
    opened = open_run(run)
    options = _options(other, metric, subscriber, truth)
    _refuse_what_none_takes(chosen, options)
    places = {it.name: _place(it, out, kind, theme, alone=len(chosen) == 1) for it in chosen}
    told, left_out = [], []
    with counting("pictures", quiet) as report:
        step = Steps(report, len(chosen))
        for picture in chosen:
            own = {name: options[name] for name in options if name in picture.options}
            try:
                figure = opened.plot(picture.name, **own)
            except BillingSimError as error:
                if ALL not in names:
                    raise
                left_out.append(step(f"Left out: {picture.name}. {error}"))
                continue
            told.append(step(_saved(figure, places[picture.name], theme)))
    for line in left_out:
        complain(line)
    if told and not quiet:
        say("\n".join(told))


def _options(other: Path | None, metric: str, subscriber: str | None, truth: bool) -> dict[str, Any]:
    """What was said, by name."""
    from billing_sim.result import open as open_run

    given = {
        "other": None if other is None else open_run(other),
        "metric": metric or None,
        "subscriber": subscriber,
        "truth": truth or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _refuse_what_none_takes(chosen: list[Picture], options: dict[str, Any]) -> None:
    for name in options:
        if not any(name in it.options for it in chosen):
            able = ", ".join(it.name for it in PICTURES.values() if name in it.options)
            raise QueryError(f"None of these pictures has a use for --{name}; these have: {able}.")


def _place(picture: Picture, out: Path | None, kind: Kind, theme: Light, *, alone: bool) -> Path:
    """The file of a picture; QueryError where several would be written to one."""
    if out is not None and out.suffix.lower() in _SUFFIXES and not out.is_dir():
        if not alone:
            raise QueryError(f"{out} is one file, and several pictures were asked for: name a folder.")
        return out
    if out is not None and out.suffix and not out.is_dir():
        raise QueryError(f"{out} is no picture's file: name one that ends in .png, .svg or .html, or a folder.")
    ending = "" if theme is Light.LIGHT else f"_{theme}"
    return (out or FOLDER) / f"{picture.name}{ending}.{kind}"


def _saved(figure: Figure, place: Path, theme: Light) -> str:
    return f"{figure.save(place, theme.value)}  {figure.title}."
