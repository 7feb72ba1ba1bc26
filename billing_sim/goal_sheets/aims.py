"""Goals that can be judged: each with its metric, the month in which the target counts, and when that is settled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from billing_sim import clock
from billing_sim.clock import month_after
from billing_sim.errors import InputError, Problem, QueryError
from billing_sim.metrics.catalogue import Catalogue
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import dimensions
from billing_sim.metrics.names import unknown
from billing_sim.metrics.written import misread
from billing_sim.scenario import nodes
from billing_sim.scenario.goal_file import load_goals
from billing_sim.scenario.layers import read_chain
from billing_sim.scenario.loading import load
from billing_sim.scenario.model import Goal, Scenario
from billing_sim.scenario.reader import read_bytes
from billing_sim.scenario.segments import segment_values
from billing_sim.scenario.values import YEARS_MAX

MONTH = "month"
VALUES = ("target", "baseline")
"""Keys of a goal whose values are in the unit of its metric."""


@dataclass(frozen=True)
class Horizons:
    """How long outcomes stay open under a scenario's policies: until payments are settled, until dunning is over."""

    settlement: timedelta
    dunning: timedelta

    def of(self, it: Definition) -> timedelta:
        """How long after the end of a month a metric of that month can still change."""
        waits = [_wait(part.matures, self) for part in (it, it.denominator_units)]
        return max([*waits, timedelta(microseconds=clock.parse_duration(it.by_age)) if it.by_age else timedelta()])


def _wait(matures: str, horizons: Horizons) -> timedelta:
    if matures in ("none", "month"):
        return timedelta()
    if matures in ("settlement", "dunning"):
        found: timedelta = getattr(horizons, matures)
        return found
    return timedelta(microseconds=clock.parse_duration(matures))


def horizons_of(*scenarios: Scenario) -> Horizons:
    """The longest of all scenarios, so that the same units count in each."""
    settled = max(it.return_lag + it.resolution for it in scenarios)
    dunning = max(policy.end for it in scenarios for policy in it.dunning_policies.values())
    return Horizons(timedelta(microseconds=settled), timedelta(microseconds=settled + dunning))


@dataclass(frozen=True)
class Aim:
    """A goal with its metric; `baseline_month` and `period` are the first days of months, money is in `currency`."""

    goal: Goal
    definition: Definition
    baseline_month: date
    period: date
    maturity: timedelta
    currency: str = ""

    @property
    def dims(self) -> tuple[str, ...]:
        """The dimensions of its segment."""
        return tuple(self.goal.segment)

    @property
    def deadline(self) -> date:
        """The last day on which it may be judged."""
        assert self.goal.deadline is not None
        return self.goal.deadline

    @property
    def target(self) -> float:
        """The value to be reached."""
        assert self.goal.target is not None
        return float(self.goal.target)

    @property
    def end(self) -> datetime:
        """When the period is over."""
        return _moment(month_after(self.period))

    @property
    def settled(self) -> datetime:
        """When the period's value can no longer change."""
        return self.end + self.maturity


@dataclass(frozen=True)
class Aims:
    """The goals of a scenario or of a file of their own; `words` are those without a metric, `best` a scenario file."""

    mission: str
    aims: tuple[Aim, ...]
    words: tuple[Goal, ...]
    best: Path | None
    horizons: Horizons

    @property
    def end(self) -> date:
        """The first day that no longer has to be simulated."""
        return max(it.settled for it in self.aims).date() + timedelta(days=1)


def read_aims(scenario: Path, file: Path | None, catalogue: Catalogue) -> Aims:
    """The goals to be judged; InputError for what is wrong, QueryError when none names a metric."""
    world = load(scenario).scenario
    if file is None:
        tree: nodes.Mapping = read_chain(scenario, read_bytes(scenario))
        mission, goals, written = world.mission, world.goals, world.best
    else:
        found, tree = load_goals(file)
        mission, goals, written = found.mission or world.mission, found.goals, found.best or world.best
    best = _best(tree if file is None or found.best else read_chain(scenario, read_bytes(scenario)), written)
    horizons = horizons_of(world, *([load(best).scenario] if best else []))
    measured = [(i, goal) for i, goal in enumerate(goals) if goal.metric]
    if not measured:
        raise QueryError(f"No goal in {file or scenario} names a metric: add metric, target and deadline to one.")
    places = nodes.items(tree, "goals")
    problems = [each for i, goal in measured for each in _problems(goal, places[i], world, catalogue)]
    if problems:
        raise InputError(problems)
    aims = tuple(_aim(goal, catalogue[goal.metric or ""], world, horizons) for _, goal in measured)
    late = [each for (i, _), aim in zip(measured, aims, strict=True) for each in _too_late(aim, places[i], world)]
    if late:
        raise InputError(late)
    return Aims(mission, aims, tuple(goal for goal in goals if not goal.metric), best, horizons)


def misread_goals(file: Path, catalogue: Catalogue) -> list[Problem]:
    """What is wrong with the metrics and values of a file of goals, as far as that is known without a scenario."""
    found, tree = load_goals(file)
    problems: list[Problem] = []
    for goal, node in zip(found.goals, nodes.items(tree, "goals"), strict=True):
        if goal.metric:
            try:
                problems += misread(node, VALUES, catalogue[goal.metric])
            except QueryError as error:
                place = (nodes.at(node, "metric") or node).place
                problems.append(place.problem(str(error), "`billing-sim metrics` lists them all."))
    return problems


def _best(tree: nodes.Mapping, written: str) -> Path | None:
    """The scenario named by `best`, relative to the file that says it, which may be one that is extended."""
    node = nodes.at(tree, "best")
    if not written or node is None:
        return None
    path = Path(node.place.file).parent / written
    if not path.is_file():
        raise InputError([node.place.problem(f"best: there is no file {path}.", "Write its path from this file.")])
    return path


def _aim(goal: Goal, it: Definition, world: Scenario, horizons: Horizons) -> Aim:
    first = first_whole_month(world.start)
    maturity = horizons.of(it)
    earliest = first if goal.baseline is not None else month_after(first)
    return Aim(
        goal, it, first, goal.period or _settled_by(goal, earliest, maturity), maturity, world.reporting_currency
    )


def _settled_by(goal: Goal, earliest: date, maturity: timedelta) -> date:
    """The last month that is settled on the deadline; the earliest possible one where none is."""
    assert goal.deadline is not None
    found = earliest
    while (_moment(month_after(month_after(found))) + maturity).date() <= goal.deadline:
        found = month_after(found)
    return found


def _problems(goal: Goal, node: nodes.Node, world: Scenario, catalogue: Catalogue) -> Iterator[Problem]:
    """What only the catalogue of metrics and the scenario together can tell."""
    metric = nodes.at(node, "metric") or node
    try:
        it = catalogue[goal.metric or ""]
    except QueryError as error:
        yield metric.place.problem(str(error), "`billing-sim metrics` lists them all.")
        return
    if it.sql:
        yield metric.place.problem(f"metric: {it.id} is a query, without months.", "Name a metric over facts.")
        return
    yield from misread(node, VALUES, it)
    yield from _problems_of_segment(goal, node, world, it)
    yield from _too_early(goal, node, world)
    month = nodes.at(node, "period")
    if month is not None and goal.period and goal.period < first_whole_month(world.start):
        first = f"{first_whole_month(world.start):%Y-%m}"
        yield month.place.problem(
            f"period: {goal.period:%Y-%m} is before {first}.", "Name a whole month of the scenario."
        )


def _problems_of_segment(goal: Goal, node: nodes.Node, world: Scenario, it: Definition) -> Iterator[Problem]:
    values = segment_values(world)
    for entry in nodes.entries(node, "segment"):
        if entry.key not in dimensions(it) or entry.key == MONTH:
            known = [name for name in dimensions(it) if name != MONTH]
            yield entry.place.problem(unknown(f"dimension of {it.id}", entry.key, known), "Choose another one.")
        elif entry.key in values and goal.segment[entry.key] not in values[entry.key]:
            what = unknown(entry.key, goal.segment[entry.key], values[entry.key])
            yield entry.value.place.problem(what, "Name one of this scenario.")


def _too_early(goal: Goal, node: nodes.Node, world: Scenario) -> Iterator[Problem]:
    place = nodes.at(node, "deadline")
    if place is not None and goal.deadline and goal.deadline <= world.start:
        what = f"deadline: {goal.deadline} is not after the start, {world.start}."
        yield place.place.problem(what, "Write a later day.")


def _too_late(aim: Aim, node: nodes.Node, world: Scenario) -> Iterator[Problem]:
    start = world.start
    if (aim.settled.year - start.year, aim.settled.month, aim.settled.day) > (YEARS_MAX, start.month, start.day - 1):
        place = (nodes.at(node, "period") or nodes.at(node, "deadline") or node).place
        yield place.problem(
            f"This goal is settled more than {YEARS_MAX} years after the start, {start}.", "Aim at an earlier month."
        )


def first_whole_month(start: date) -> date:
    """The first day of the first calendar month that lies wholly after the start."""
    return start if start.day == 1 else month_after(start)


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)
