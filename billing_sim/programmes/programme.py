"""A dispute programme as data: whose cases it counts, over which payments, and from where on they are too many."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from billing_sim.errors import InputError, Problem
from billing_sim.scenario.complaints import complaints
from billing_sim.scenario.nodes import plain
from billing_sim.scenario.parts import Name, Part
from billing_sim.scenario.reader import parse, read_bytes
from billing_sim.scenario.refunds import NetworkName
from billing_sim.scenario.values import Day, Share

_GUIDE = "docs/guides/refunds_and_disputes.md shows every key."
SHIPPED = Path(__file__).with_name("programmes.yaml")


class Threshold(Part):
    """From this day on a month is excessive with this ratio and so many cases, both reached."""

    since: Day | None = Field(None, description="the first day; none: from ever on")
    ratio: Share = Field(description="cases over payments")
    cases: int = Field(ge=0, le=10**9, description="fewer cases are never excessive, whatever the ratio")


class Programme(Part):
    """One programme of one card network."""

    title: str = Field(min_length=1, description="its name as the network has it")
    network: NetworkName = Field(description="cards of which network are looked at")
    cases: Literal["disputes", "reports", "disputes_and_reports"] = Field(
        description="what is counted in the month in which it comes: disputes, fraud reports, or both, so that a fraud "
        "may count twice"
    )
    over: Literal["same_month", "previous_month"] = Field(description="the payments of which month it is divided by")
    excessive: list[Threshold] = Field(
        min_length=1, max_length=20, description="from where on it is too much; the last that has begun holds"
    )
    leaves_after: int = Field(
        1, ge=1, le=24, description="so many months in a row that are not excessive end the programme"
    )
    source: str = Field("", description="where the rule is published")

    def threshold(self, month: date) -> Threshold | None:
        """What holds in a month, by its first day; None before any has begun."""
        begun = [it for it in self.excessive if it.since is None or it.since <= month]
        return max(reversed(begun), key=lambda it: it.since or date.min) if begun else None


class _File(Part):
    programmes: dict[Name, Programme] = Field(min_length=1, description="programmes, by a name of your own")


def read_programmes(path: str | Path) -> dict[str, Programme]:
    """The programmes of a file, by name; InputError with every problem found in it."""
    tree = parse(read_bytes(Path(path)), str(path))
    try:
        return dict(_File.model_validate(plain(tree)).programmes)
    except ValidationError as error:
        raise InputError(_told(error, tree, path)) from None


def _told(error: ValidationError, tree: object, path: str | Path) -> list[Problem]:
    found = [
        replace(it, remedy=it.remedy if "schema scenario" not in it.remedy else _GUIDE)
        for it in complaints(error, tree, _File)  # type: ignore[arg-type]
    ]
    return found or [Problem(str(path), 1, 1, "This is no file of dispute programmes.")]


@cache
def shipped_programmes() -> dict[str, Programme]:
    """Those that come with the package."""
    return read_programmes(SHIPPED)
