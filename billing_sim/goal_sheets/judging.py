"""`billing_sim.goals`: every goal with a metric on its SMART sheet, over many seeds.

>>> billing_sim.goals("scenarios/first_month.yaml", seeds=20)  # doctest: +SKIP
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billing_sim.errors import QueryError
from billing_sim.given import with_checked_arguments
from billing_sim.goal_sheets.aims import Aim, read_aims
from billing_sim.goal_sheets.criteria import Criterion, Evidence, criteria
from billing_sim.goal_sheets.worlds import Report, try_out
from billing_sim.metrics import asking, words
from billing_sim.metrics.result import Figure
from billing_sim.scenario.loading import load
from billing_sim.scenario.model import Goal

SEEDS = 50
WIDTH = 80
_LABEL = 20
"""Columns before the findings of a sheet."""


@dataclass(frozen=True)
class Sheet:
    """The five criteria of one goal."""

    aim: Aim
    criteria: tuple[Criterion, ...]

    def __getitem__(self, name: str) -> Criterion:
        """The criterion "specific", "measurable", "attainable", "relevant" or "time-bound"."""
        return next(it for it in self.criteria if it.name == name)

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the criteria that do not hold."""
        return tuple(it.name for it in self.criteria if not it.holds)

    @property
    def passed(self) -> bool:
        """Whether all five hold."""
        return not self.failed

    @property
    def verdict(self) -> str:
        """The outcome in words."""
        return "A good goal: all five hold." if self.passed else f"Not a good goal yet: {', '.join(self.failed)}."

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        goal = self.aim.goal
        return {
            "owner": goal.owner, "goal": goal.goal, "stage": goal.stage, "metric": goal.metric, "segment": goal.segment,
            "target": self.aim.target, "period": f"{self.aim.period:%Y-%m}", "deadline": f"{self.aim.deadline}",
            "passed": self.passed, "verdict": self.verdict,
            "criteria": {it.name: {"holds": it.holds, "words": it.words, **it.figures} for it in self.criteria},
        }  # fmt: skip

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        goal, d = self.aim.goal, self.aim.definition
        stage = f"  ({goal.stage})" if goal.stage else ""
        yield from _wrapped(f'{goal.owner.upper()}  "{goal.goal}"{stage}', "")
        way = {"up": "at least", "down": "at most", "neither": "to"}[d.direction]
        target = words.value(d, Figure(self.aim.target, 0, 1, 0), self.aim.currency)
        whom = "".join(f", {name} {value}" for name, value in goal.segment.items())
        yield from _wrapped(f"{d.id} {way} {target}{whom}, in {self.aim.period:%Y-%m}, by {self.aim.deadline}", "")
        for it in self.criteria:
            head = f"  {it.name.capitalize():<12}{'ok' if it.holds else 'FAILS':<6}"
            yield from _wrapped(it.words, head)
        yield f"  {self.verdict}"


def _wrapped(text: str, head: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=head, subsequent_indent=" " * (_LABEL if head else 2), break_long_words=False
    )


@dataclass(frozen=True)
class GoalSheets:
    """The sheets of all goals with a metric, and the goals that are only words."""

    mission: str
    sheets: tuple[Sheet, ...]
    words: tuple[Goal, ...]
    seeds: int

    @property
    def passed(self) -> bool:
        """Whether every goal passes its own sheet."""
        return all(sheet.passed for sheet in self.sheets)

    def to_json(self) -> dict[str, Any]:
        """Plain values: mission, seeds, one entry per goal."""
        return {
            "mission": self.mission,
            "seeds": self.seeds,
            "passed": self.passed,
            "goals": [sheet.as_dict() for sheet in self.sheets],
            "only_words": [{"owner": goal.owner, "goal": goal.goal} for goal in self.words],
        }

    def __repr__(self) -> str:
        shown = ["\n".join(_wrapped(self.mission, "Mission  "))]
        shown += [repr(sheet) for sheet in self.sheets]
        if self.words:
            shown.append(
                "\n".join(["Only words, without a metric:", *(f'  {it.owner}: "{it.goal}"' for it in self.words)])
            )
        good = sum(sheet.passed for sheet in self.sheets)
        shown.append(f"{good} of {len(self.sheets)} goals pass their own sheet, judged over {self.seeds} worlds.")
        return "\n\n".join(shown)


@with_checked_arguments
def goals(
    path: str | Path,
    *,
    seeds: int = SEEDS,
    file: str | Path | None = None,
    members: int | None = None,
    seed: int | None = None,
    definitions: str | Path | Sequence[str | Path] = (),
    report: Report | None = None,
) -> GoalSheets:
    """Judge the goals of a scenario, or those of a `file` of their own, over so many seeds (2 at least).

    `members` replaces the number of members, `seed` is the first of the seeds, `definitions` adds metrics of your own,
    `report` is told how many worlds are done and how many there are. Worlds are simulated in a temporary folder.

    InputError for a file that cannot be used, QueryError when no goal names a metric.
    """
    if seeds < 2:
        raise QueryError(f"{seeds} seeds cannot tell luck from effect; use 2 at least, and 50 for a verdict.")
    scenario = Path(path)
    aims = read_aims(scenario, None if file is None else Path(file), asking.known(definitions))
    readings = try_out(scenario, aims, seeds=seeds, members=members, seed=seed, report=report or _keep_quiet)
    updater = load(scenario).scenario.account_updater
    sheets = [Sheet(aim, criteria(Evidence(aim, i, readings, updater))) for i, aim in enumerate(aims.aims)]
    return GoalSheets(aims.mission, tuple(sheets), aims.words, seeds)


def _keep_quiet(_: int, __: int) -> None:
    pass
