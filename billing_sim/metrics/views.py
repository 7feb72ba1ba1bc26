"""The four views: what subscribers, finance, support and product each want to know, from one run.

>>> views(source).to_json()["finance"]["net_collected_rate"]["value"]  # doctest: +SKIP
0.9812
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from billing_sim.errors import QueryError
from billing_sim.metrics import shapes
from billing_sim.metrics.catalogue import Catalogue, shipped
from billing_sim.metrics.definition import VIEWS
from billing_sim.metrics.engine import Question, checked
from billing_sim.metrics.explaining import Change, Event, change, happened, largest_move
from billing_sim.metrics.frame import Frame, frame
from billing_sim.metrics.happening import happening
from billing_sim.metrics.names import unknown
from billing_sim.metrics.result import Figure, Result, Slice
from billing_sim.metrics.source import Source


@dataclass(frozen=True)
class Views:
    """Results by view, in the order in which they are shown, under the mission and the goals they serve."""

    mission: str
    goals: dict[str, str]
    results: dict[str, tuple[Result, ...]]
    by: tuple[str, ...]
    frame: Frame
    source: Source

    def __getitem__(self, metric: str) -> Result:
        """The result of this id; QueryError with a suggestion when there is none."""
        if not isinstance(metric, str):
            raise QueryError(f'{metric!r} is no metric: write the name of one in quotes, such as "churn".')
        found = {result.id: result for results in self.results.values() for result in results}
        return found[Catalogue(tuple(it.definition for it in found.values()), {})[metric].id]

    def __iter__(self) -> Iterator[str]:
        """The metrics that are shown, by id, in the order of the views; those of several views once."""
        return iter(dict.fromkeys(result.id for results in self.results.values() for result in results))

    def __contains__(self, metric: object) -> bool:
        """Whether a metric of this id is shown."""
        return metric in list(self)

    def sql(self, metric: str) -> str:
        """The SQL whose sums this metric divides: one statement, or one per fact and clock."""
        definition = self[metric].definition
        return Question((definition,), self.by, self.frame).sql(definition, self.source)

    @cached_property
    def events(self) -> dict[str, Event]:
        """By view, what happened: the largest move beyond chance of a core rate, or else of any; absent where none is.

        The reason is looked for when it is first asked for.
        """
        moved = {}
        for view, results in self.results.items():
            # A sum follows the size of the business, month after month; a rate moves when something happens.
            rates = [it for it in results if it.definition.kind == "ratio" and it.definition.has_months]
            core = [it for it in rates if it.definition.tier == "core" and _signal(it)]
            largest = max(core or rates, key=_signal, default=None)
            if largest is not None and _signal(largest):
                moved[view] = largest
        told = happened(self.source, list(moved.values()), self.frame)
        return {view: event for view, event in zip(moved, told, strict=True) if event}

    def to_json(self) -> dict[str, dict[str, dict[str, Any]]]:
        """{view: {metric: {"value", "low", "high", "numerator", "denominator", "tier", "unit", "change", ...}}}.

        An undefined value is None with a `reason`; `slices` is there when dimensions were asked for.
        """
        return {view: {it.id: self._json(view, it) for it in found} for view, found in self.results.items()}

    def _json(self, view: str, result: Result) -> dict[str, Any]:
        latest = latest_change(result)
        content = result.as_dict()
        content["change"] = None
        if latest:
            before, after, moved = latest
            content["change"] = {
                "from": before.dims[shapes.MONTH], "to": after.dims[shapes.MONTH], "before": before.value,
                "after": after.value, "value": moved.value, "standard_error": moved.standard_error,
            }  # fmt: skip
        event = self.events.get(view)
        if event and event.definition.id == result.id:
            content["happened"] = event.as_dict()
        return content

    def to_csv(self) -> str:
        """One line per number: the total of each metric (no dimension filled in), then its slices."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*_WHICH, *self.by, *_NUMBER, *_ABOUT])
        for view, found in self.results.items():
            for result in found:
                writer.writerows(_lines(view, result, self.by))
        return out.getvalue()

    def only(self, view: str) -> Views:
        """One of the views; QueryError for a name that is none of subscribers, finance, support and product."""
        if view not in self.results:
            raise QueryError(unknown("view", view, self.results))
        return replace(self, results={view: self.results[view]})

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        from billing_sim.metrics.render import text

        return text(self)


def _signal(result: Result) -> float:
    """By how many standard errors a metric's largest move between whole months exceeds chance."""
    pair = largest_move(result.months, result.definition.direction)
    return change(*pair).signal if pair else 0.0


def latest_change(result: Result) -> tuple[Slice, Slice, Change] | None:
    """The last two whole months whose units are all mature, and the change between them."""
    if not result.definition.has_months:
        return None
    whole = [part for part in result.months if not part.partial and part.value is not None]
    if len(whole) < 2:
        return None
    before, after = whole[-2:]
    return before, after, change(before, after)


def views(
    source: Source, by: Sequence[str] = (), *, catalogue: Catalogue | None = None, as_of: datetime | None = None
) -> Views:
    """All four views of a run, or those of another catalogue, in all and for each combination of the dimensions `by`.

    Raises QueryError for an unknown dimension or an `as_of` outside the run.
    """
    whole = catalogue or shipped()
    used = whole.shown_with(happening(source, whole))
    question = Question(used.definitions, checked(by, used.definitions), frame(source, as_of), months=True)
    answered = {result.id: result for result in question.answer(source)}
    shown: dict[str, tuple[Result, ...]] = {}
    for view in VIEWS:
        found = tuple(answered[it.id] for it in used.shown_in(view))
        if found:
            shown[view] = found
    goals: dict[str, str] = {view: question.frame.goals.get(view) or used.goals.get(view, "") for view in VIEWS}
    return Views(question.frame.mission, goals, shown, question.by, question.frame, source)


_WHICH = ("view", "tier", "metric")
_NUMBER = (
    "value", "low", "high", "standard_error", "unit", "currency", "numerator", "denominator", "units", "immature",
    "partial", "reason",
)  # fmt: skip
_ABOUT = ("direction", "bound", "crossed", "question", "definition")


def _lines(view: str, result: Result, by: tuple[str, ...]) -> Iterator[list[Any]]:
    it = result.definition
    which = [view, it.tier, it.id]
    about = [it.direction, it.bound, result.crossed, it.question, it.digest]
    yield [*which, *("" for _ in by), *_number(result, result), "", result.reason, *about]
    for part in result.slices:
        yield [*which, *part.dims.values(), *_number(result, part), part.partial, part.reason, *about]


def _number(result: Result, it: Figure) -> list[Any]:
    return [
        it.value, it.low, it.high, it.standard_error, result.definition.unit, result.currency, it.numerator,
        it.denominator, it.units, it.immature,
    ]  # fmt: skip
