"""How each view stands: its metrics as rows, and what to think of them in a sentence."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass

from billing_sim.metrics import shapes, words
from billing_sim.metrics.definition import TIERS
from billing_sim.metrics.render import happened
from billing_sim.metrics.result import Result
from billing_sim.metrics.views import Views, latest_change

ARROWS = {"up": "higher is better", "down": "lower is better", "neither": "neither way is better"}


@dataclass(frozen=True)
class Row:
    """One metric as it is read: texts, and whether it calls for attention."""

    id: str
    title: str
    question: str
    misleads: str
    way: str
    value: str
    half: str
    made_of: str
    immature: str
    change: str
    month: str
    mood: str
    """better, worse or noise: what the last change between two settled months was."""
    bound: str
    """The bound that is crossed; empty otherwise."""

    @property
    def asks(self) -> bool:
        """Whether somebody should look at it."""
        return bool(self.bound) or self.mood == "worse"


@dataclass(frozen=True)
class Standing:
    """One view: its goal in the stakeholder's words, rows by tier, what happened, and the verdict."""

    view: str
    goal: str
    tiers: dict[str, tuple[Row, ...]]
    happened: str

    @property
    def crossed(self) -> tuple[Row, ...]:
        """Metrics beyond their bound."""
        return tuple(row for rows in self.tiers.values() for row in rows if row.bound)

    @property
    def moved(self) -> tuple[Row, ...]:
        """Core metrics whose last change is beyond noise."""
        return tuple(row for row in self.tiers.get("core", ()) if row.mood != "noise")

    @property
    def state(self) -> str:
        """`look` where a bound is crossed or a core metric got worse, `unknown` where no core metric has a value."""
        core = self.tiers.get("core", ())
        if self.crossed or any(row.mood == "worse" for row in core):
            return "look"
        return "unknown" if all(row.value == words.UNDEFINED for row in core) else "fine"

    @property
    def verdict(self) -> str:
        """The view in a sentence or two."""
        told = [*_bounds(self.crossed), *_moves(self.moved)]
        if self.state == "unknown":
            told.append("No core metric has a value yet.")
        return " ".join(told) or "No bound is crossed, and no core metric moved beyond noise in the last settled month."


def _bounds(rows: tuple[Row, ...]) -> Iterator[str]:
    if rows:
        named = ", ".join(f"{row.title} ({row.value}, bound {row.bound})" for row in rows)
        yield f"Beyond {'its bound' if len(rows) == 1 else 'their bounds'}: {named}."


def _moves(rows: tuple[Row, ...]) -> Iterator[str]:
    for mood, verb in (("worse", "Worse"), ("better", "Better")):
        named = ", ".join(f"{row.title} ({row.change} in {row.month})" for row in rows if row.mood == mood)
        if named:
            yield f"{verb}: {named}."


def standings(views: Views) -> tuple[Standing, ...]:
    """All views in the order in which they are shown."""
    return tuple(
        Standing(view, views.goals[view], _tiers(found), _happened(views, view))
        for view, found in views.results.items()
    )


def _happened(views: Views, view: str) -> str:
    return happened(views.events.get(view), views.frame.currency).plain.removeprefix("What happened: ")


def _tiers(results: tuple[Result, ...]) -> dict[str, tuple[Row, ...]]:
    by_tier = {tier: tuple(row_of(it) for it in results if it.definition.tier == tier) for tier in TIERS}
    return {tier: rows for tier, rows in by_tier.items() if rows}


def row_of(it: Result) -> Row:
    """A result as it is read."""
    change, month, mood = _change(it)
    is_defined = it.value is not None
    return Row(
        id=it.id,
        title=it.definition.title,
        question=it.definition.question,
        misleads=it.definition.misleads,
        way=ARROWS[it.definition.direction],
        value=words.measured(it, it.currency) if is_defined else words.UNDEFINED,
        half="" if it.reach is None else f"± {words.half(it.definition, it.reach, it.value)}",
        made_of=words.parts(it, it) if is_defined else it.reason,
        immature=words.whole(it.immature) if it.immature else "",
        change=change,
        month=month,
        mood=mood,
        bound=words.bound(it) if it.crossed else "",
    )


def _change(it: Result) -> tuple[str, str, str]:
    latest = latest_change(it)
    if latest is None:
        return "", "", "noise"
    _, after, moved = latest
    year, _, number = after.dims[shapes.MONTH].partition("-")
    month = f"{calendar.month_abbr[int(number)]} {year}"
    return words.signed(it.definition, moved.value), month, moved.mood(it.definition.direction)
