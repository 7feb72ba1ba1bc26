"""Which alarm comes first: that of a definition, or that of somebody who knows the truth.

Both watch the same worlds at the same moments, each with a band from worlds in which nothing happens. The oracle looks
at the same stretch of units without waiting for what becomes of them; the lag is what the definition needs more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np

from billing_sim.errors import QueryError
from billing_sim.metrics.definition import Definition
from billing_sim.stress.bands import LEAST_WORLDS, achieved, band_of, first_alarms
from billing_sim.stress.case import Case
from billing_sim.stress.damages import Damage
from billing_sim.stress.lab import WORKERS, Bench, Matrix, checked
from billing_sim.stress.lateness import ALLOWED_DAYS, with_lags
from billing_sim.stress.lives import Lives
from billing_sim.stress.readings import claimed
from billing_sim.stress.verdicts import Verdict
from billing_sim.stress.watched import watched
from billing_sim.stress.watching import Watched, moments_of

BAND_SEEDS = 200
_BAND_FROM = 1_000_000
"""How far the seeds of the band lie above the scenario's own, with which cases are tried."""

_AT_ONCE = 20
"""Seeds that are lived and asked together."""

Report = Callable[[int, int], None]
"""Told worlds done and worlds in all, both times seeds."""


@dataclass(frozen=True)
class Alarms:
    """How late each definition is, by (definition id, case name): days float64[S], and the verdict that follows.

    `lags` are infinite where the definition never alarms and NaN where the oracle does not.
    """

    verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    lags: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)

    def detection_lag(self, definition: str) -> float | None:
        """The median lag of a definition over the worlds and cases in which the oracle alarms, days.

        Infinite where most alarms never come; None where the oracle never alarms.
        """
        told = np.concatenate([np.zeros(0), *(lags for (name, _), lags in self.lags.items() if name == definition)])
        told = np.sort(told[~np.isnan(told)])
        return float(told[len(told) // 2]) if len(told) else None


def lags(
    definitions: Iterable[Definition],
    case: Case,
    on: Bench,
    seeds: Sequence[int],
    band_seeds: int = BAND_SEEDS,
    report: Report | None = None,
) -> dict[str, np.ndarray]:
    """The days from the oracle's first alarm after `case.since` to each definition's, by its id: float64[S].

    Infinite where the definition never alarms, NaN where the oracle does not. The bands come from `band_seeds` other
    seeds of the scenario without the case. QueryError for a case without a date, for too few seeds for a band, and
    where a definition does not say what it measures or its query fails; InputError where the case does not fit.
    """
    asked = checked(definitions)
    since = _date_of(case)
    if band_seeds < LEAST_WORLDS:
        raise QueryError(f"a band from {band_seeds} seeds cannot keep its level; take {LEAST_WORLDS} or more.")
    base, world = Lives(on.beneath(case)), Lives(on.under(case))
    calm = range(on.scenario.seed + _BAND_FROM, on.scenario.seed + _BAND_FROM + band_seeds)
    moments = moments_of(base, since)
    both = [_Wanted(base, calm), _Wanted(world, seeds, case.damages)]
    normal, found = _watch(both, asked, moments, report)
    days = np.array([(moment - datetime(1970, 1, 1)) / timedelta(days=1) for moment in moments])
    begins = float((since - date(1970, 1, 1)).days)

    def alarms(known: np.ndarray, values: np.ndarray) -> np.ndarray:
        return first_alarms(band_of(known), values, days, begins)

    oracle = {name: alarms(normal.truth[name], found.truth[name]) for name in found.truth}
    return {it.id: lag_of(alarms(normal.reading[it.id], found.reading[it.id]), oracle[it.estimand]) for it in asked}


def lag_of(first: np.ndarray, oracle: np.ndarray) -> np.ndarray:
    """A definition's first alarms less the oracle's, days float64[S]; NaN where the oracle is silent (infinite)."""
    return first - np.where(np.isinf(oracle), np.nan, oracle)


def with_alarms(
    matrix: Matrix,
    on: Bench,
    *,
    seeds: int | None = None,
    band_seeds: int = BAND_SEEDS,
    allowed: float = ALLOWED_DAYS,
    report: Report | None = None,
) -> Alarms:
    """The cells of a matrix that hold in a case with a date, judged by how late the definition's alarm comes.

    So many seeds of each case are watched: the matrix's own by default. Other cells are left out.
    """
    found = Alarms()
    numbers = range(on.scenario.seed, on.scenario.seed + (seeds or matrix.seeds))
    worlds = len(numbers) + band_seeds
    held = [(case, [it for it in matrix.of(case) if it.verdict.name == "holds"]) for case in matrix.cases if case.since]
    dated = [(case, cells) for case, cells in held if cells]
    dated.sort(key=lambda pair: _date_of(pair[0]))  # the longest watch first: the others' moments are among its own
    for number, (case, cells) in enumerate(dated):
        so_far = _after(number * worlds, len(dated) * worlds, report)
        told = lags([cell.definition for cell in cells], case, on, numbers, band_seeds, so_far)
        for cell in cells:
            key = cell.definition.id, case.name
            found.lags[key] = told[cell.definition.id]
            found.verdicts[key] = with_lags(cell.verdict, told[cell.definition.id], allowed)
    return found


def _after(before: int, total: int, report: Report | None) -> Report | None:
    """A report of one case among several."""
    return report and (lambda done, _total: report(before + done, total))


def levels(
    definitions: Iterable[Definition], case: Case, on: Bench, band_seeds: int = BAND_SEEDS, report: Report | None = None
) -> tuple[dict[str, float], dict[str, float]]:
    """The share of worlds without the case that raise an alarm all the same: by definition's id, by estimand's name.

    Out of sample: each half of the band's seeds is judged by the band of the other half.
    """
    asked, base = checked(definitions), Lives(on.beneath(case))
    calm = range(on.scenario.seed + _BAND_FROM, on.scenario.seed + _BAND_FROM + band_seeds)
    (normal,) = _watch([_Wanted(base, calm)], asked, moments_of(base, _date_of(case)), report)
    read, so = ({name: achieved(values) for name, values in part.items()} for part in (normal.reading, normal.truth))
    return read, so


def _date_of(case: Case) -> date:
    if case.since is None:
        raise QueryError(f"the case {case.name} has no date, so nothing can be late. Write `since: DAY` into its file.")
    return case.since


@dataclass(frozen=True)
class _Wanted:
    """A world to be watched with these seeds."""

    lives: Lives
    seeds: Sequence[int]
    damages: Sequence[Damage] = ()


def _watch(
    worlds: Sequence[_Wanted], asked: Sequence[Definition], moments: Sequence[datetime], report: Report | None
) -> list[Watched]:
    """Watch worlds, a few seeds at a time."""
    total, done = sum(len(it.seeds) for it in worlds), 0
    claims = claimed(asked)
    with ThreadPoolExecutor(WORKERS, "billing-sim-watch") as pool:
        tasks = {}
        for number, it in enumerate(worlds):
            for first in range(0, len(it.seeds), _AT_ONCE):
                part = it.seeds[first : first + _AT_ONCE]
                task = pool.submit(watched, it.lives, part, it.damages, asked, claims, moments)
                tasks[task] = number, len(part)
        for task in as_completed(tasks):
            done += tasks[task][1]
            if report:
                report(done, total)
    return [
        _joined([task.result() for task, (at, _) in tasks.items() if at == number]) for number in range(len(worlds))
    ]


def _joined(parts: Sequence[Watched]) -> Watched:
    """The same of all their seeds."""
    return Watched(
        {name: np.concatenate([it.reading[name] for it in parts], axis=1) for name in parts[0].reading},
        {name: np.concatenate([it.truth[name] for it in parts], axis=1) for name in parts[0].truth},
    )
