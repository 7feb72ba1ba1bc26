"""Everything that a report shows, gathered from a run and, where there is one, from the run beside it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing_sim.errors import BillingSimError
from billing_sim.pictures import PICTURES, draw
from billing_sim.report.distrust import Distrust, distrust
from billing_sim.report.goals import Reached, goals
from billing_sim.report.incidents import Incident, incidents
from billing_sim.report.standing import Standing, standings
from billing_sim.steps import Report, Steps

if TYPE_CHECKING:
    from billing_sim.comparison.comparing import Comparison
    from billing_sim.comparison.differences import Difference
    from billing_sim.pictures.figure import Figure
    from billing_sim.result import Run

PLACES = {
    "subscribers": ("losses_by_cause", "cohorts", "by_market"),
    "finance": ("money_flow", "mrr_bridge"),
    "support": ("retry_yield",),
    "product": ("attempts_funnel", "decline_mix", "gateway_timeline", "maturity"),
}
"""The pictures below each view; one that two runs are needed for stands with the comparison."""

COMPARED = "paired_difference"
GIVEN: dict[str, dict[str, Any]] = {"maturity": {"metric": "recovery_rate"}}
"""What a picture is told that has to be told something."""


_RUN = "billing-sim run"


@dataclass(frozen=True)
class Side:
    """What names a run: for the head of the page, and for whoever wants to make it again."""

    scenario: str
    about: str
    members: str
    seed: str
    start: str
    end: str
    events: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Compared:
    """Another run of the same people: which one, the differences by view, and the picture of them."""

    side: Side
    is_paired: bool
    differences: dict[str, tuple[Difference, ...]]
    figure: Figure | None


@dataclass(frozen=True)
class Content:
    """All of a report. `figures` are by view; `undrawn` are pictures that this run gives no material for, and why."""

    side: Side
    mission: str
    as_of: str
    currency: str
    standings: tuple[Standing, ...]
    incidents: tuple[Incident, ...]
    figures: dict[str, tuple[Figure, ...]]
    undrawn: tuple[tuple[str, str], ...]
    goals: tuple[Reached, ...]
    distrust: Distrust
    compared: Compared | None


def content(run: Run, other: Run | None = None, report: Report | None = None) -> Content:
    """Gather a report; `other` is the run to compare with, as a rule the same people without the change.

    `report` is told sections gathered and in all; the page itself is the last.
    """
    names = [name for names in PLACES.values() for name in names if name in PICTURES]
    step = Steps(report, 1 + len(names) + 3 + (1 if other else 0) + 1)
    views = step(run.views())
    drawn = {name: step(_drawn(run, name)) for name in names}
    figures = {
        view: tuple(it for name in names if not isinstance(it := drawn.get(name, ""), str))
        for view, names in PLACES.items()
    }
    return Content(
        side=_side(run),
        mission=views.mission,
        as_of=f"{views.frame.as_of:%Y-%m-%d %H:%M}",
        currency=views.frame.currency,
        standings=standings(views),
        incidents=step(incidents(run)),
        figures=figures,
        undrawn=tuple((name.replace("_", " "), why) for name, why in drawn.items() if isinstance(why, str)),
        goals=step(goals(run)),
        distrust=step(distrust(views)),
        compared=step(_compared(run, other)) if other else None,
    )


def _drawn(run: Run, name: str, **options: Any) -> Figure | str:
    """A picture, or the sentence that says why there is none."""
    try:
        return draw(run, name, **(options or GIVEN.get(name, {})))
    except BillingSimError as error:
        return str(error)


def _compared(run: Run, other: Run) -> Compared:
    from billing_sim.comparison.comparing import compare
    from billing_sim.metrics.definition import VIEWS

    found: Comparison = compare(other, run)
    by_view: dict[str, tuple[Difference, ...]] = {
        view: tuple(it for it in found.differences if it.definition.view == view) for view in VIEWS
    }
    figure = _drawn(other, COMPARED, other=run)
    return Compared(_side(other), found.is_paired, by_view, None if isinstance(figure, str) else figure)


def _side(run: Run) -> Side:
    identity, made = run.manifest.identity, run.manifest.environment
    seed = "withheld" if run.seed is None else str(run.seed)
    facts = (
        ("scenario", identity.scenario),
        ("seed", seed),
        ("members at the start", f"{run.members:,}"),
        ("identity (world, people, rules)", identity.digest),
        ("content (every public row)", run.content_digest),
        ("rules", identity.rules_digest),
        ("command", _command(run)),
        ("made by", f"the {made.driver} driver, billing_sim {made.versions.get('billing_sim', '')}"),
        *((("extended", run.manifest.extended.words),) if run.manifest.extended else ()),
    )
    return Side(
        identity.scenario, _about(run), f"{run.members:,}", seed, identity.start, identity.end, f"{run.events:,}", facts
    )


def _command(run: Run) -> str:
    """The command line that makes a run again: the one that made it, or one for the scenario that lies in its folder.

    Where the scenario is withheld there is none, and it is said what made it.
    """
    made = run.manifest.environment
    if run.seed is None or made.command.startswith(_RUN):
        return made.command
    file = f"{run.directory.name}/{run.stored.scenario_path.name}"
    asked = ["--seed", str(run.seed), "--members", str(run.members), "--log", run.stored.log]
    if run.manifest.extended:
        asked += [word for name in run.manifest.extended.processes for word in ("--process", f"FILE.py:{name}")]
    elif made.driver != "batch":
        asked += ["--driver", made.driver]
    return shlex.join([*_RUN.split(), file, *asked])


def _about(run: Run) -> str:
    """What the scenario says that it is about; empty where it is withheld."""
    from billing_sim.scenario.loading import load

    try:
        return load(run.stored.scenario_path).scenario.about
    except (BillingSimError, OSError):
        return ""
