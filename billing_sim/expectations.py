"""Whether what a scenario says must come out has come out.

Expectations are about the scenario as it is written: with other members they are not looked at, since bounds that hold
for twenty thousand people do not hold for two hundred.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billing_sim.clock import month_after
from billing_sim.errors import InputError, Problem, QueryError
from billing_sim.metrics import words
from billing_sim.metrics.asking import ask
from billing_sim.metrics.catalogue import Catalogue, shipped
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import dimensions
from billing_sim.metrics.names import unknown
from billing_sim.metrics.result import Figure
from billing_sim.metrics.source import Source
from billing_sim.metrics.written import misread
from billing_sim.scenario import nodes
from billing_sim.scenario.expectations import Expectation, Place
from billing_sim.scenario.layers import read_chain
from billing_sim.scenario.loading import load
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.reader import read_bytes
from billing_sim.scenario.segments import segment_values

MONTH = "month"
_BOUNDS = ("at_least", "at_most")
_LISTED = "`billing-sim metrics` lists them all."


@dataclass(frozen=True)
class Finding:
    """What came out where something was expected: `value` is None where it is undefined, which no bound allows."""

    expectation: Expectation
    value: float | None
    definition: Definition | None = None
    reason: str = ""

    @property
    def holds(self) -> bool:
        """Whether the value lies within the bounds, these included."""
        low, high = self.expectation.at_least, self.expectation.at_most
        if self.value is None:
            return False
        return (low is None or self.value >= float(low)) and (high is None or self.value <= float(high))

    @property
    def what(self) -> str:
        """What was measured, and where."""
        it = self.expectation
        other = f" minus {_where(it.minus) or 'the whole run'}" if it.minus else ""
        return " ".join(part for part in (it.metric or f"{it.count} events", _where(it)) if part) + other

    @property
    def bounds(self) -> str:
        """The bounds as people read them."""
        low, high = (self._shown(None if it is None else float(it)) for it in _ends(self.expectation))
        if low and high:
            return f"{low} to {high}"
        return f"at least {low}" if low else f"at most {high}"

    @property
    def found(self) -> str:
        """The value as people read it, or why there is none."""
        return self._shown(self.value) or f"undefined: {self._why}"

    @property
    def _why(self) -> str:
        """Why there is no value; empty where there is one."""
        return (self.reason or "nothing to divide by") if self.value is None else ""

    def _shown(self, number: float | None) -> str:
        if number is None:
            return ""
        if self.definition is None:
            return f"{number:,.0f}"
        if self.expectation.minus:
            return words.signed(self.definition, number)
        return words.value(self.definition, Figure(number, 0, 1, 0))

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        low, high = _ends(self.expectation)
        return {
            "says": self.expectation.says, "what": self.what, "value": self.value, "holds": self.holds,
            "reason": self._why,
            "at_least": None if low is None else float(low), "at_most": None if high is None else float(high),
        }  # fmt: skip


def _ends(it: Expectation) -> tuple[Any, Any]:
    return it.at_least, it.at_most


def _where(place: Place) -> str:
    said = [f"{name} {value}" for name, value in place.segment.items()]
    return ", ".join([*said, *([f"{place.period:%Y-%m}"] if place.period else [])])


def read_expectations(path: str | Path, catalogue: Catalogue | None = None) -> tuple[Expectation, ...]:
    """What must come out of a scenario; InputError where a metric, dimension or value is unknown.

    Of a scenario that is refused the metrics that it names in vain are told as well.
    """
    try:
        scenario = load(path).scenario
    except InputError as error:
        raise InputError([*error.problems, *_misnamed(Path(path), catalogue or shipped())]) from None
    if not scenario.expect:
        return ()
    tree = read_chain(Path(path), read_bytes(Path(path)))
    known = catalogue or shipped()
    pairs = zip(scenario.expect, nodes.items(tree, "expect"), strict=True)
    problems = [problem for it, node in pairs for problem in _problems(it, node, scenario, known)]
    if problems:
        raise InputError(problems)
    return tuple(scenario.expect)


def _misnamed(path: Path, catalogue: Catalogue) -> Iterator[Problem]:
    """Metrics that do not exist, where a file names them in what it expects or aims at."""
    try:
        tree = read_chain(path, read_bytes(path))
    except InputError:
        return
    for node in (*nodes.items(tree, "expect"), *nodes.items(tree, "goals")):
        name, metric = nodes.text(node, "metric"), nodes.at(node, "metric")
        if name and metric:
            try:
                catalogue[name]
            except QueryError as error:
                yield metric.place.problem(str(error), _LISTED)


def _problems(it: Expectation, node: nodes.Node, scenario: Scenario, catalogue: Catalogue) -> Iterator[Problem]:
    yield from _wrong_bounds(it, node)
    if it.metric is None:
        return
    metric = nodes.at(node, "metric") or node
    try:
        definition = catalogue[it.metric]
    except QueryError as error:
        yield metric.place.problem(str(error), _LISTED)
        return
    yield from misread(node, _BOUNDS, definition)
    yield from _wrong_place(it, node, scenario, definition)
    other = nodes.at(node, "minus")
    if it.minus and other is not None:
        yield from _wrong_place(it.minus, other, scenario, definition)


def _wrong_bounds(it: Expectation, node: nodes.Node) -> Iterator[Problem]:
    """Bounds that nothing can meet, or that a count of events cannot have."""
    low, high = it.at_least, it.at_most
    for key, bound in zip(_BOUNDS, (low, high), strict=True):
        place = nodes.at(node, key)
        if it.count and bound is not None and place is not None and (bound < 0 or bound != int(bound)):
            shown = nodes.plain(place)
            yield place.place.problem(f"{key}: {shown} is no number of events.", "Write a whole number, such as 1.")
    lower = nodes.at(node, "at_least")
    if low is not None and high is not None and low > high and lower is not None:
        yield lower.place.problem("at_least: this is above at_most, so nothing can meet both.", "Swap them.")


def _wrong_place(place: Place, node: nodes.Node, scenario: Scenario, it: Definition) -> Iterator[Problem]:
    values = segment_values(scenario)
    month = nodes.at(node, "period")
    if place.period and month is not None:
        if MONTH not in dimensions(it):
            yield month.place.problem(f"period: {it.id} is not split by month.", "Delete period.")
        elif place.period >= scenario.end or month_after(place.period) <= scenario.start:
            yield month.place.problem(
                f"period: {place.period:%Y-%m} is no month of the run, from {scenario.start} to {scenario.end}.",
                "Name a month of the run.",
            )
    for entry in nodes.entries(node, "segment"):
        value = place.segment[entry.key]
        if entry.key not in dimensions(it) or entry.key == MONTH:
            allowed = [name for name in dimensions(it) if name != MONTH]
            yield entry.place.problem(unknown(f"dimension of {it.id}", entry.key, allowed), "Choose another one.")
        elif entry.key in values and value not in values[entry.key]:
            what = unknown(entry.key, value, values[entry.key])
            yield entry.value.place.problem(what, "Name one of this scenario.")


def findings(expected: Sequence[Expectation], source: Source, counts: dict[str, int]) -> list[Finding]:
    """What came out: `source` has the facts of the run, `counts` how many events of each kind there were."""
    catalogue = shipped()
    return [_finding(it, source, counts, catalogue) for it in expected]


def _finding(it: Expectation, source: Source, counts: dict[str, int], catalogue: Catalogue) -> Finding:
    if it.metric is None:
        return Finding(it, float(counts.get(it.count or "", 0)))
    definition = catalogue[it.metric]
    value, reason = _value(it, definition, source)
    if it.minus and value is not None:
        other, reason = _value(it.minus, definition, source)
        value = None if other is None else value - other
    return Finding(it, value, definition, reason)


def _value(place: Place, it: Definition, source: Source) -> tuple[float | None, str]:
    wanted = dict(place.segment) | ({MONTH: f"{place.period:%Y-%m}"} if place.period else {})
    (result,) = ask(source, [it], tuple(wanted), None).results
    if not wanted:
        return _number(result)
    for part in result.slices:
        if all(str(part.dims[name]) == value for name, value in wanted.items()):
            return _number(part)
    return None, "nothing happened there"


def _number(figure: Figure) -> tuple[float | None, str]:
    return (None if figure.value is None else float(figure.value)), figure.reason or ""
