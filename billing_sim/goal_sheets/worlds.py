"""The worlds in which goals are tried: the scenario's own, that of the best policy, and two shocks on the same people.

Each is written as a file of its own into a temporary folder, simulated with many seeds, read, and thrown away.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import duckdb

from billing_sim.goal_sheets.aims import MONTH, Aim, Aims
from billing_sim.metrics.engine import Question
from billing_sim.metrics.frame import Frame, frame
from billing_sim.metrics.result import Figure, Result
from billing_sim.metrics.source import RunFolder
from billing_sim.metrics.tally import Key
from billing_sim.scenario.emit import emit
from billing_sim.scenario.layers import read_chain
from billing_sim.scenario.loading import load
from billing_sim.scenario.nodes import spoken
from billing_sim.scenario.reader import read_bytes
from billing_sim.simulate import simulate

OWN, BEST, WEAKER, UPDATER = "own", "best", "weaker", "updater"
SHOCKED_WORLDS = 10
"""Seeds with which the shocks are tried, at most."""

_GIVES_UP: dict[str, Any] = {"retries": [], "notices": [], "grace": "1 day", "end": "3 days"}
"""A policy that does nothing about a failed payment."""

Report = Callable[[int, int], None]
"""Told worlds done and worlds in all."""


@dataclass(frozen=True)
class Reading:
    """What one world says of the goals: per goal the figures of two months and of the whole run, and the estimand.

    `kept` is the share of subscriptions that were not lost through payment although their members wanted to stay and
    could have paid; it comes from the sealed truth.
    """

    baseline: tuple[Figure | None, ...]
    period: tuple[Figure | None, ...]
    whole: tuple[Figure | None, ...]
    kept: float


Readings: TypeAlias = dict[str, list[Reading]]
"""By world, one reading per seed, in the order of the seeds."""

_Told: TypeAlias = dict[Key, dict[str, dict[Key, Figure]]]
"""By dimensions, metric, and values of the dimensions."""


def shocks(updater: str) -> dict[str, str]:
    """What happens in the world of each shock, in words, where the account updater is `on` or `off` at the start."""
    return {
        WEAKER: "without retries and notices",
        UPDATER: f"with the account updater switched {_other(updater)}",
    }


def try_out(
    scenario: Path, aims: Aims, *, seeds: int, members: int | None, seed: int | None, report: Report
) -> Readings:
    """Simulate every world with so many seeds, one after the other; nothing stays on the disk."""
    first = load(scenario).scenario.seed if seed is None else seed
    with TemporaryDirectory(prefix="billing_sim-goals-", ignore_cleanup_errors=True) as folder:
        files = _written(Path(folder), scenario, aims)
        plan = [(name, first + i) for i in range(seeds) for name in files if name in (OWN, BEST) or i < SHOCKED_WORLDS]
        found: Readings = {name: [] for name in files}
        for done, (name, luck) in enumerate(plan):
            report(done, len(plan))
            found[name].append(_lived(Path(folder) / "run", files[name], luck, members, aims))
        report(len(plan), len(plan))
    return found


def _lived(home: Path, file: Path, seed: int, members: int | None, aims: Aims) -> Reading:
    simulate(file, seed=seed, members=members, out=home, log="none", command="billing_sim.goals")
    try:
        return _read(RunFolder(home), home, aims)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _written(folder: Path, scenario: Path, aims: Aims) -> dict[str, Path]:
    """A file for each world, which lasts until every goal is settled."""
    own = _whole(scenario, aims.end)
    worlds = {OWN: own, WEAKER: _weaker(own), UPDATER: _switched(own, load(scenario).scenario.account_updater)}
    if aims.best:
        worlds[BEST] = _whole(aims.best, aims.end)
    files = {}
    for name, content in worlds.items():
        files[name] = folder / f"{name}.yaml"
        files[name].write_text(emit(content), encoding="utf-8")
    return files


def _whole(path: Path, end: date) -> dict[str, Any]:
    """A scenario with all that it extends, at least until `end`, without its goals."""
    content: Any = spoken(read_chain(path, read_bytes(path)))
    last = max(load(path).scenario.end, end)
    return {**{key: value for key, value in content.items() if key not in ("goals", "best")}, "end": f"{last}"}


def _weaker(own: dict[str, Any]) -> dict[str, Any]:
    policies = {**own.get("dunning_policies", {}), "gives_up": _GIVES_UP}
    changed = {"dunning_policies": policies, "dunning": [{"use": "gives_up"}]}
    return {**own, **changed, "timeline": _without("dunning_switch", own)}


def _switched(own: dict[str, Any], at_start: str) -> dict[str, Any]:
    return {**own, "account_updater": _other(at_start), "timeline": _without("account_updater", own)}


def _other(at_start: str) -> str:
    return "off" if at_start == "on" else "on"


def _without(kind: str, own: dict[str, Any]) -> list[Any]:
    return [it for it in own.get("timeline", []) if it["kind"] != kind]


def _read(source: RunFolder, home: Path, aims: Aims) -> Reading:
    waits = aims.horizons
    seen = replace(frame(source), settlement=waits.settlement, dunning=waits.dunning)
    told = _answers(source, seen, aims)
    found = [_figures(told, it) for it in aims.aims]
    months, ends, wholes = zip(*found, strict=True)
    return Reading(months, ends, wholes, _kept(source, home))


def _answers(source: RunFolder, seen: Frame, aims: Aims) -> _Told:
    """What the run says, by dimensions and metric: goals with the same dimensions are answered together."""
    told: _Told = {}
    for dims in dict.fromkeys(it.dims for it in aims.aims):
        asked = tuple({it.definition.id: it.definition for it in aims.aims if it.dims == dims}.values())
        for by in ((*dims, MONTH), dims):
            results = Question(asked, by, seen).answer(source)
            told[by] = {result.id: _parts(result, by) for result in results}
    return told


def _parts(result: Result, by: Key) -> dict[Key, Figure]:
    return {tuple(part.dims[name] for name in by): part for part in result.slices} if by else {(): result}


def _figures(told: _Told, it: Aim) -> tuple[Figure | None, Figure | None, Figure | None]:
    """The baseline month, the period, and the whole run, each in the segment; None where the segment has no units."""
    months, whole = (told[by][it.definition.id] for by in ((*it.dims, MONTH), it.dims))
    own = tuple(it.goal.segment.values())
    return months.get((*own, f"{it.baseline_month:%Y-%m}")), months.get((*own, f"{it.period:%Y-%m}")), whole.get(own)


def _kept(source: RunFolder, home: Path) -> float:
    """One less the share of subscriptions lost through payment although their members could and would have stayed."""
    with duckdb.connect(":memory:") as connection:
        truth = list(_listed(home / "truth"))
        lost = "SELECT count(*) FROM read_parquet(?) WHERE kind = 'loss.judged' AND intent = 'stay' AND able = 1"
        wronged = connection.execute(lost, [truth]).fetchall()[0][0]
        files = [str(file) for file in source.facts_files("subscriptions")]
        spells = connection.execute("SELECT count(*) FROM read_parquet(?)", [files]).fetchall()[0][0]
    return 1 - wronged / spells


def _listed(folder: Path) -> Iterator[str]:
    return (str(file) for file in sorted(folder.glob("*.parquet")))
