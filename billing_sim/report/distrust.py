"""What to distrust on a page of numbers: what can still change, what is not there, and what misleads in the lab."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from billing_sim.metrics import words
from billing_sim.metrics.result import Result
from billing_sim.metrics.views import Views

IMMATURE = 0.05
"""The share of its units that may be unsettled before a metric is named here."""

WORST = ("wrong sign", "blind", "false alarm")
"""Verdicts that a page warns of; smaller faults are left to the lab."""


@dataclass(frozen=True)
class Unsettled:
    """A metric many of whose units can still change."""

    title: str
    share: str
    counted: str
    immature: str


@dataclass(frozen=True)
class Missing:
    """A metric that has no value, and why."""

    title: str
    reason: str


@dataclass(frozen=True)
class Fragile:
    """A metric that the lab has caught misleading: by verdict the cases, of how many tried, and its own warning."""

    title: str
    tier: str
    cases: dict[str, tuple[str, ...]]
    tried: int
    misleads: str


@dataclass(frozen=True)
class Distrust:
    """All that should not be taken at face value; `untried` are metrics that the lab has not met as they are now."""

    unsettled: tuple[Unsettled, ...]
    missing: tuple[Missing, ...]
    fragile: tuple[Fragile, ...]
    untried: tuple[str, ...]


def distrust(views: Views) -> Distrust:
    """What to distrust in the views of a run; a metric that several views show is named once."""
    results = list({it.id: it for found in views.results.values() for it in found}.values())
    return Distrust(
        tuple(_unsettled(it) for it in sorted(results, key=_open_share, reverse=True) if _open_share(it) > IMMATURE),
        tuple(Missing(it.definition.title, it.reason) for it in results if it.value is None),
        tuple(found for it in results if (found := _fragile(it))),
        tuple(it.definition.title for it in results if _known(it) is None),
    )


@cache
def _known_faults() -> dict[str, Any]:
    """What the lab found, as it is shipped: `make faults` finds it out anew."""
    kept = files("billing_sim.report").joinpath("known_faults.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(kept)
    return found


def _known(it: Result) -> dict[str, Any] | None:
    """What the lab found of this very definition; None when it has met none, or another one of that name."""
    found: dict[str, Any] | None = _known_faults().get(it.id)
    return found if found and found["definition"] == it.definition.digest else None


def _open_share(it: Result) -> float:
    return 0.0 if it.value is None or it.coverage is None else 1 - it.coverage


def _unsettled(it: Result) -> Unsettled:
    return Unsettled(
        it.definition.title, f"{100 * _open_share(it):.0f} %", words.whole(it.units), words.whole(it.immature)
    )


def _fragile(it: Result) -> Fragile | None:
    known = _known(it)
    if known is None or it.value is None:
        return None
    cases = {
        verdict: tuple(case for case, found in known["faults"].items() if found == verdict)
        for verdict in WORST
        if verdict in known["faults"].values()
    }
    return (
        Fragile(it.definition.title, it.definition.tier, cases, known["cases"], it.definition.misleads)
        if cases
        else None
    )
