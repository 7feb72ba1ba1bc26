"""The goals of a run's scenario, each beside what the run has come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing_sim.errors import RunError
from billing_sim.goal_sheets.aims import MONTH, Aim, read_aims
from billing_sim.metrics import words
from billing_sim.metrics.asking import ask
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.result import Figure
from billing_sim.metrics.source import Source
from billing_sim.scenario.loading import load

if TYPE_CHECKING:
    from billing_sim.result import Run

MISSED, REACHED, OPEN = "missed", "reached", "open"


@dataclass(frozen=True)
class Reached:
    """One goal: whose, in which words, what would tell, its target, and the value of the run in that month.

    `state` is `reached`, `missed`, `open` where the month is not over or not settled yet, empty for a goal of words.
    """

    owner: str
    goal: str
    metric: str
    target: str
    value: str
    month: str
    deadline: str
    state: str


def goals(run: Run) -> tuple[Reached, ...]:
    """All goals of the scenario, first those that can be told; none in a run whose scenario is withheld."""
    try:
        path = run.stored.scenario_path
    except RunError:
        return ()
    every = load(path).scenario.goals
    measured = read_aims(path, None, shipped()).aims if any(it.metric for it in every) else ()
    only_words = [it for it in every if not it.metric]
    return (
        *(_reached(it, run.known_at(None)) for it in measured),
        *(Reached(it.owner, it.goal, "", "", "", "", "", "") for it in only_words),
    )


def _reached(aim: Aim, source: Source) -> Reached:
    month, whom = f"{aim.period:%Y-%m}", aim.goal.segment
    figure, is_partial = _figure(aim, source, month)
    return Reached(
        owner=aim.goal.owner,
        goal=aim.goal.goal,
        metric=", ".join([aim.definition.title, *(f"{name} {value}" for name, value in whom.items())]),
        target=_bound(aim),
        value=words.value(aim.definition, figure) if figure.value is not None else words.UNDEFINED,
        month=month,
        deadline=f"{aim.deadline}",
        state=_state(aim, figure, is_partial),
    )


def _figure(aim: Aim, source: Source, month: str) -> tuple[Figure, bool]:
    """The metric in the month and segment of the goal, and whether that can still change."""
    wanted = {MONTH: month} | dict(aim.goal.segment)
    (result,) = ask(source, [aim.definition], tuple(wanted), None).results
    for part in result.slices:
        if all(str(part.dims[name]) == value for name, value in wanted.items()):
            return part, part.partial
    return Figure(None, 0, 0, 0, reason="the run has nothing of that month"), True


def _bound(aim: Aim) -> str:
    way = {"up": "at least", "down": "at most", "neither": "to"}[aim.definition.direction]
    return f"{way} {words.value(aim.definition, Figure(aim.target, 0, 1, 0))}"


def _state(aim: Aim, figure: Figure, is_partial: bool) -> str:
    if figure.value is None or is_partial:
        return OPEN
    is_there = figure.value <= aim.target if aim.definition.direction == "down" else figure.value >= aim.target
    return REACHED if is_there else MISSED
