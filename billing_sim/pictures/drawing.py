"""From a name to a figure."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from billing_sim.errors import QueryError
from billing_sim.metrics.names import unknown
from billing_sim.pictures.asked import Asked, RunLike
from billing_sim.pictures.figure import Figure
from billing_sim.pictures.picture import PICTURES, Picture

_WANTED = {
    "other": "another run to compare with: other=run in Python, --other RUN on the command line",
}


def draw(
    run: RunLike,
    name: str,
    *,
    other: Any = None,
    metric: str = "",
    subscriber: int | str | None = None,
    truth: bool = False,
) -> Figure:
    """The picture `name` of a run; `billing_sim.pictures.PICTURES` says what there is and what each can be told.

    `other` is a second run (or its folder), `metric` names a shipped metric, `subscriber` a person such as "US-12", and
    `truth` opens what only the simulator knows. QueryError for an unknown name, for something that this picture cannot
    be told, and when there is nothing in this run to draw.
    """
    picture = named(name)
    asked = Asked(run, other, metric, subscriber, truth)
    _check(picture, asked)
    figure: Figure = import_module(f"billing_sim.pictures.{picture.name}").draw(asked)
    return figure


def named(name: str) -> Picture:
    """The picture of this name; QueryError with the nearest one."""
    if name not in PICTURES:
        raise QueryError(unknown("picture", name, PICTURES))
    return PICTURES[name]


def _check(picture: Picture, asked: Asked) -> None:
    given = {
        "other": asked.other is not None,
        "metric": bool(asked.metric),
        "subscriber": asked.subscriber is not None,
        "truth": asked.truth,
    }
    for option in picture.needs:
        if not given[option]:
            raise QueryError(f"The picture {picture.name} needs {_WANTED[option]}.")
    for option, is_given in given.items():
        if is_given and option not in picture.options:
            able = ", ".join(it.name for it in PICTURES.values() if option in it.options)
            raise QueryError(f"The picture {picture.name} has no use for {option}; these have: {able}.")
