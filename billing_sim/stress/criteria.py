"""What a definition is worth over all cases, in numbers: the criteria by which one would choose among definitions.

They come from the cells of a matrix and nothing else, so they are paired and hold for the scenario that was tried.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from billing_sim.metrics.definition import Definition
from billing_sim.stress.cells import Cell
from billing_sim.stress.lab import Matrix
from billing_sim.stress.statistics import mean_of
from billing_sim.truth.estimands import estimands

POWER = 0.8
LEVEL = 0.05
_DETECTION = NormalDist().inv_cdf(1 - LEVEL) + NormalDist().inv_cdf(POWER)
"""How many standard errors a change must have to be seen with 80 % power in a one-sided test at 5 %: 2.49."""


@dataclass(frozen=True)
class Criteria:
    """One definition over all its cases. A number is None where it has no meaning: a proxy has no bias.

    - `bias`: complete reading less truth, without any case, in the estimand's unit.
    - `censoring_bias`: reading less complete reading, without any case, in the metric's unit.
    - `noise`: standard deviation of the reading from seed to seed: what one world's reading may be off by luck.
    - `sensitivity`: median over the cases with a true effect of |D| / noise, both of one world before and after.
    - `smallest_shock`: the true change that would be seen in one world before and after, with 80 % power at 5 %,
      by the median response D / T of the cases with a true effect; in the estimand's unit.
    - `directionality`: share of the cases with a true effect in which the metric moves the same way; still is a miss.
    - `false_alarms`: share of the cases without a true effect in which the metric moves.
    - `mix_exposure`: what the metric says beyond the truth when the mix of markets shifts, as a share of its level.
    - `elasticity`: largest relative difference of a one-axis neighbour's reading, and which neighbour that is; among
      the definitions tried, or among all shipped neighbours where worlds apart were asked for.
    - `matured_after`: days after the end from which on the reading of the same units stays within its margin, or
      "> 90"; `worst_market` and `worst_error`: where complete reading and truth lie farthest apart.
    - `would_choose`: the action that a team rewarded by it would take; `decision_regret`: how much more truth
      `best_action` brings, in the estimand's unit, or as a share of its level where its margin is relative. Empty where
      doing nothing is chosen, or best (`gaming.py`). These five need worlds of their own (`apart.py`), and are None
      where nobody asked.
    - `detection_lag`: median days between the oracle's first alarm and its own over the dated cases (`alarms.py`).
    """

    bias: float | None
    censoring_bias: float | None
    noise: float | None
    sensitivity: float | None
    smallest_shock: float | None
    directionality: float | None
    false_alarms: float | None
    mix_exposure: float | None
    elasticity: float | None
    neighbour: str
    matured_after: int | str | None = None
    worst_market: str = ""
    worst_error: float | None = None
    decision_regret: float | None = None
    would_choose: str = ""
    best_action: str = ""
    detection_lag: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


MIX = ("market_mix_shift", "simpson")
"""The cases in which no market changes as much as the mix of markets does."""


def criteria(matrix: Matrix) -> dict[str, Criteria]:
    """The criteria of every definition of a matrix, by id."""
    tried = [it for it in matrix.definitions if _cells(matrix, it)]
    readings = [(it, level) for it in tried if (level := _level(_cells(matrix, it))) is not None]
    return {it.id: _of(it, _cells(matrix, it), readings) for it in tried}


def _cells(matrix: Matrix, it: Definition) -> list[Cell]:
    return [matrix.cells[it.id, case.name] for case in matrix.cases if (it.id, case.name) in matrix.cells]


def _of(it: Definition, cells: Sequence[Cell], readings: Sequence[tuple[Definition, float]]) -> Criteria:
    base = cells[0].base
    read, complete, truth = base.reading[it.id], base.complete[it.id], base.truth[it.estimand]
    is_direct = cells[0].is_same_unit
    noise = _spread(read)
    moving = [cell for cell in cells if _truth_moves(cell) in ("up", "down")]
    still = [cell for cell in cells if _truth_moves(cell) == "still"]
    response = _median(cell.verdict.ratio.value for cell in moving if cell.verdict.ratio is not None)
    far, neighbour = farthest(it, readings) or (None, "")
    return Criteria(
        bias=_mean(complete - truth) if is_direct else None,
        censoring_bias=_mean(read - complete),
        noise=noise,
        sensitivity=_median(abs(_mean(_shift(cell)) or 0.0) / noise / math.sqrt(2) for cell in moving)
        if noise
        else None,
        smallest_shock=_smallest_shock(it, noise, response),
        directionality=_share(_metric_moves(cell) == _truth_moves(cell) for cell in moving),
        false_alarms=_share(_metric_moves(cell) in ("up", "down") for cell in still),
        mix_exposure=_mix_exposure(cells),
        elasticity=far,
        neighbour=neighbour,
    )


def _smallest_shock(it: Definition, noise: float | None, response: float | None) -> float | None:
    """None where it would be more than a share can move: then no change is ever seen in one world."""
    if not noise or not response:
        return None
    found = _DETECTION * math.sqrt(2) * noise / abs(response)
    return None if estimands()[it.estimand].unit == "share" and found > 1 else found


def _truth_moves(cell: Cell) -> str:
    changes = cell.changes
    return mean_of(changes.pairs[1]).move(changes.truth_margin)


def _metric_moves(cell: Cell) -> str:
    changes = cell.changes
    return mean_of(changes.pairs[0]).move(changes.metric_margin)


def _shift(cell: Cell) -> np.ndarray:
    """What the case did to the reading, in the metric's own unit."""
    name = cell.definition.id
    return cell.world.reading[name] - cell.base.reading[name]


def _mix_exposure(cells: Iterable[Cell]) -> float | None:
    """The largest excess over the truth in the cases of mix, as a share of the level; a proxy counts as it moves."""
    found = []
    for cell in cells:
        if cell.case.name in MIX:
            level = _mean(np.abs(cell.base.reading[cell.definition.id]))
            told = cell.changes.pairs[0] - cell.changes.pairs[1] if cell.is_same_unit else cell.changes.pairs[0]
            excess = _mean(told)
            if level and excess is not None:
                found.append(abs(excess) / (level if cell.is_absolute else 1.0))
    return max(found, default=None)


def farthest(it: Definition, readings: Sequence[tuple[Definition, float]]) -> tuple[float, str] | None:
    """How far the one-axis neighbour that lies farthest reads from this definition, as a share, and which that is.

    None where nobody in the same unit is beside it, or it reads nothing. A variant's neighbour is its canonical
    definition.
    """
    own = next((level for other, level in readings if other.id == it.id), 0.0)
    found = [
        (abs(level - own) / abs(own), other.id)
        for other, level in readings
        if own and other.id != it.id and (other.name, other.unit) == (it.name, it.unit)
        and not (it.is_variant and other.is_variant)
    ]  # fmt: skip
    return max(found, default=None, key=lambda pair: pair[0])


def _level(cells: Sequence[Cell]) -> float | None:
    return _mean(cells[0].base.reading[cells[0].definition.id])


def _mean(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _spread(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else None


def _median(values: Iterable[float]) -> float | None:
    known = [value for value in values if math.isfinite(value)]
    return float(np.median(known)) if known else None


def _share(flags: Iterable[bool]) -> float | None:
    told = list(flags)
    return sum(told) / len(told) if told else None
