"""The published figures, each with its source, what it counts, and how it is compared."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from billing_sim.scenario.parts import Part

HERE = Path(__file__).parent
Status = Literal["fitted", "checked", "assumed"]
STATUSES: tuple[Status, ...] = ("fitted", "checked", "assumed")
MEANINGS: dict[Status, str] = {
    "fitted": "a parameter was chosen to match this figure: agreement proves nothing",
    "checked": "this figure was not used for any parameter: agreement is evidence",
    "assumed": "nobody has published it: the target is an assumption of our own",
}
RELATIVE = {"A": 0.05, "B": 0.10, "C": 0.25, "assumed": 0.10}
"""The tolerance of a figure that says no other, as a share of it, by how far its source can be trusted. Judgement."""

MAIN = "main"
"""The world of the scenario as it is."""


class Source(Part):
    """Where figures were published."""

    title: str = Field(min_length=1)
    url: list[str]
    year: str
    definition: str = Field(min_length=1, description="what the source counts")
    confidence: Literal["A", "B", "C", "assumed"]


class Row(Part):
    """One published figure and its simulated counterpart, in `unit`; for percentages measures give shares."""

    id: str
    section: str
    what: str
    measure: str
    of: dict[str, Any] = Field({}, description="what the measure is told besides")
    world: str = MAIN
    beside: str = Field("", description="the world whose value is taken off, with the same people")
    published: float | None = None
    low: float | None = None
    high: float | None = None
    at_least: float | None = None
    tolerance: float | None = Field(None, gt=0, description="in the unit")
    unit: str
    source: str
    counts: str = Field(min_length=1, description="what is counted here, to match what the source counts")
    status: Status
    moved: list[str] = Field([], description="the parameters that were chosen to match this figure")
    differs: str = Field("", description="where the definitions, or the status, need a word")

    @model_validator(mode="after")
    def _one_figure(self) -> Row:
        given = [self.published is not None, self.low is not None and self.high is not None, self.at_least is not None]
        if sum(given) != 1:
            raise ValueError(f"{self.id}: say either published, low and high, or at_least")
        if (self.status == "fitted") != bool(self.moved) and self.status != "assumed":
            raise ValueError(f"{self.id}: what is fitted says what it moved, and nothing else does")
        if (self.status == "assumed") != (self.source == "assumed"):
            raise ValueError(f"{self.id}: a figure is assumed exactly when it has no source")
        if not self.margin > 0:
            raise ValueError(f"{self.id}: the tolerance of nothing is nothing; say one")
        return self

    @property
    def target(self) -> float:
        """The figure itself, or the middle of its range."""
        if self.low is not None and self.high is not None:
            return (self.low + self.high) / 2
        found = self.at_least if self.published is None else self.published
        return math.nan if found is None else found

    @property
    def margin(self) -> float:
        """What counts as one tolerance: as said, or half of the published range, or a share of the figure."""
        if self.tolerance is not None:
            return self.tolerance
        if self.low is not None and self.high is not None:
            return (self.high - self.low) / 2
        return RELATIVE[sources()[self.source].confidence] * abs(self.target)

    @property
    def shown(self) -> str:
        """The figure as it was published."""
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        return f"at least {self.target:g}" if self.at_least is not None else f"{self.target:g}"

    @property
    def scale(self) -> float:
        """What a measure is multiplied with."""
        return 100.0 if self.unit in ("%", "pp") else 1.0

    def distance(self, simulated: float) -> float:
        """How many tolerances a simulated value lies above the figure; 0 beyond a bound on its right side."""
        gap = simulated - self.target
        return 0.0 if self.at_least is not None and gap > 0 else gap / self.margin


class Published(Part):
    """All rows, and why other figures are not compared."""

    rows: list[Row]
    left_out: dict[str, str]


@cache
def sources() -> dict[str, Source]:
    """Every source by its short name."""
    content = yaml.safe_load((HERE / "sources.yaml").read_text(encoding="utf-8"))
    return {name: Source.model_validate(it) for name, it in content.items()}


@cache
def published() -> Published:
    """The shipped figures, a series being one row for each of its values."""
    content = yaml.safe_load((HERE / "published.yaml").read_text(encoding="utf-8"))
    rows = [row for it in content["rows"] for row in _rows(it)]
    return Published.model_validate({"rows": rows, "left_out": content["left_out"]})


def digest() -> str:
    """A digest of the figures and their sources, by which a page tells which ones it was made from."""
    said = {
        "sources": {name: it.model_dump() for name, it in sources().items()},
        "published": published().model_dump(),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def _rows(it: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of an entry; `tolerance_share` says the tolerance as a share of the figure."""
    it = dict(it)
    series, share = it.pop("series", None), it.pop("tolerance_share", None)
    parts = (
        [it] if series is None else [_part(it, series["over"], key, value) for key, value in series["values"].items()]
    )
    for part in parts:
        if share is not None:
            part["tolerance"] = float(share.rstrip("%")) / 100 * part["published"]
        yield part


def _part(it: dict[str, Any], over: str, key: Any, value: float) -> dict[str, Any]:
    named = f"{it['id']}_{key}".replace("-", "_").replace("+", "_on").lower()
    what = f"{it['what']}, {_said(over, key)}"
    return {**it, "id": named, "what": what, "of": {**it.get("of", {}), over: key}, "published": float(value)}


def _said(over: str, key: Any) -> str:
    """A value of a series in words."""
    if over in ("day", "months"):
        return f"{'day' if over == 'day' else 'months'} {key}"
    return str(key).replace("_", " ") if over == "reason" else str(key)
