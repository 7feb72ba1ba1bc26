"""What the world announced after the run had begun, in the order in which it happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import pandas as pd

from billing_sim import events
from billing_sim.money import format_minor

if TYPE_CHECKING:
    from billing_sim.result import Run

DETAIL_WIDTH = 140
"""Characters of what an announcement says in detail; whole policies are left to the scenario."""

MEANINGS = {kind.name: kind.meaning for kind in events.WORLD_EVENTS}


@dataclass(frozen=True)
class Incident:
    """One announcement: when, until when (empty: for good), what it is called, what it means, and whom it is about."""

    since: str
    until: str
    kind: str
    meaning: str
    about: str


def incidents(run: Run) -> tuple[Incident, ...]:
    """All that was announced after the first moment of the run, which only says how the world is."""
    rows = run.table("world_events")
    later = rows[rows["occurred_at"] > pd.Timestamp(run.manifest.identity.start, tz="UTC")]
    return tuple(_incident(row) for row in later.sort_values("occurred_at", kind="stable").to_dict("records"))


def _incident(row: dict[Any, Any]) -> Incident:
    name = str(row["kind"])
    return Incident(
        since=_moment(row["occurred_at"]),
        until="" if pd.isna(row["until"]) else _moment(row["until"]),
        kind=name.replace("_", " ").replace(".", " "),
        meaning=MEANINGS.get(name, ""),
        about=", ".join(_about(row)),
    )


def _about(row: dict[Any, Any]) -> Iterator[str]:
    for name in ("market", "plan", "gateway"):
        if not pd.isna(row[name]) and row[name]:
            yield f"{name} {row[name]}"
    if not pd.isna(row["amount_minor"]) and row["amount_minor"]:
        yield format_minor(int(row["amount_minor"]), str(row["currency"]))
    if not pd.isna(row["share_ppm"]) and row["share_ppm"]:
        yield f"{row['share_ppm'] / 10_000:g} %"
    if row["detail"] and not pd.isna(row["detail"]):
        yield shorten(_plain(json.loads(row["detail"])), DETAIL_WIDTH, placeholder=" …")


def _plain(detail: Any) -> str:
    """JSON in words: keys and values, lists with commas."""
    if isinstance(detail, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in detail.items())
    if isinstance(detail, list):
        return ", ".join(_plain(it) for it in detail)
    return str(detail)


def _moment(at: pd.Timestamp) -> str:
    return f"{at:%Y-%m-%d}" if at == at.normalize() else f"{at:%Y-%m-%d %H:%M}"
