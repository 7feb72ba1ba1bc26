"""The report card: one HTML page with every definition in every case, each cell opening what is behind it.

The page needs nothing but itself: what it shows is in it as JSON, numbers to three digits, and a small script draws
what is looked at. Texts reach the page through the script's `textContent` only, so none of them can be markup.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from billing_sim.stress.case import Case
from billing_sim.stress.cells import Cell
from billing_sim.stress.render import GRAVITY, MEANINGS
from billing_sim.stress.verdicts import Name, Verdict
from billing_sim.truth.estimands import estimands

if TYPE_CHECKING:
    from billing_sim.stress.curves import Curves
    from billing_sim.stress.study import Study

SIGNS: dict[Name, str] = {
    "holds": "✓", "wrong sign": "W", "blind": "B", "false alarm": "F", "exaggerates": ">", "understates": "<",
    "late": "L", "stale": "S", "unresolved": "?",
}  # fmt: skip
"""What stands in a cell, so that colour is not alone in telling verdicts apart."""

_ORDER: tuple[Name, ...] = ("holds", *GRAVITY, "unresolved")
_DIGITS = 3


def page(study: Study, curves: Curves | None = None) -> str:
    """The whole page; with `curves` each card draws them."""
    template = files("billing_sim.stress").joinpath("report_card.html").read_text(encoding="utf-8")
    title = f"Stress lab: {study.scenario.name}"
    return template.replace("{{title}}", html.escape(title)).replace("{{data}}", _in_a_script(content(study, curves)))


def content(study: Study, curves: Curves | None = None) -> dict[str, Any]:
    """What the page shows, as plain values; a cell that was not tried is 0."""
    cases = [it for it in study.matrix.cases if it.name not in study.matrix.misfits]
    reasons: list[str] = [""]
    return {
        "study": _setting(study),
        "verdicts": [{"name": it, "sign": SIGNS[it], "means": MEANINGS[it]} for it in _ORDER],
        "estimands": {name: _estimand(name) for name in dict.fromkeys(it.estimand for it in study.matrix.definitions)},
        "definitions": [{key: getattr(it, key) for key in _TOLD} for it in study.matrix.definitions],
        "cases": [_case(it) for it in cases],
        "cells": [
            [_cell_or_none(study, (it.id, case.name), reasons) for case in cases] for it in study.matrix.definitions
        ],
        "truths": _truths(study, cases),
        "curves": None if curves is None else _Drawn(curves).content(study, cases),
        "reasons": reasons,
        "recommended": study.recommended.as_dict(),
        "misfits": dict(study.matrix.misfits),
    }


_TOLD = ("id", "title", "question", "formula", "misleads", "estimand", "unit", "tier", "view", "proxy")


def _setting(study: Study) -> dict[str, Any]:
    it = study.scenario
    return {
        "scenario": it.name, "members": it.members, "first": it.seed, "seeds": study.matrix.seeds,
        "looks": study.looks, "currency": it.reporting_currency,
    }  # fmt: skip


def _estimand(name: str) -> dict[str, str]:
    it = estimands()[name]
    return {"title": it.title, "formula": it.formula, "unit": it.unit}


def _case(it: Case) -> dict[str, Any]:
    told = {"name": it.name, "title": it.title, "moral": it.moral, "reads": it.reads, "pathology": it.pathology}
    return {**told, "looks": not it.injects, "file": _file(it.path)}


def _file(path: Path) -> str:
    """The case as its file says it; nothing when that has gone."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _cell_or_none(study: Study, key: tuple[str, str], reasons: list[str]) -> list[Any] | int:
    return _cell(study.matrix.cells[key], study.verdicts[key], reasons) if key in study.verdicts else 0


def _cell(cell: Cell, verdict: Verdict, reasons: list[str]) -> list[Any]:
    """A cell as a list, in the order in which the page's script takes it apart."""
    if verdict.reason not in reasons:
        reasons.append(verdict.reason)
    ratio, split, changes = verdict.ratio, cell.split, cell.changes
    return [
        _ORDER.index(verdict.name),
        _ORDER.index(verdict.was) if verdict.was else -1,
        reasons.index(verdict.reason),
        _numbers((verdict.metric.value, verdict.metric.low, verdict.metric.high, changes.metric_margin)),
        _numbers((verdict.truth.value, verdict.truth.low, verdict.truth.high, changes.truth_margin)),
        0 if ratio is None else [*_numbers((ratio.value, ratio.low, ratio.high)), ratio.shape],
        0 if split is None else _numbers((split.censoring, split.sampling, split.definition)),
        None if verdict.p is None else _number(verdict.p),
        verdict.seeds,
        verdict.missing,
        int(cell.is_same_unit),
        _numbers(changes.metric),
    ]


class _Drawn:
    """Curves as the page holds them: every line once, and for each cell the numbers of its two."""

    def __init__(self, curves: Curves) -> None:
        self._curves = curves
        self._lines: dict[tuple[float | None, ...], int] = {}

    def content(self, study: Study, cases: list[Case]) -> dict[str, Any]:
        """Months, lines, for each definition and case, and for each estimand and case, the lines with and without."""
        both = [(self._curves.with_case[it.name], self._curves.without[it.name]) for it in cases]
        asked = study.matrix.definitions
        told = [[self._numbers([it.reading.get(each.id) for it in pair]) for pair in both] for each in asked]
        so = {
            name: [self._numbers([it.truth.get(name) for it in pair]) for pair in both]
            for name in dict.fromkeys(it.estimand for it in asked)
        }
        return {"months": list(self._curves.months), "lines": [*self._lines], "cells": told, "truths": so}

    def _numbers(self, pair: Sequence[np.ndarray | None]) -> list[int]:
        """The places of these lines; -1 for one that there is not."""
        return [-1 if line is None else self._lines.setdefault(self._rounded(line), len(self._lines)) for line in pair]

    def _rounded(self, line: np.ndarray) -> tuple[float | None, ...]:
        """To five digits, since a curve shows its level and not a change alone."""
        return tuple(float(f"{value:.{_DIGITS + 2}g}") if math.isfinite(value) else None for value in line)


def _truths(study: Study, cases: list[Case]) -> dict[str, list[list[float | None]]]:
    """The truth's changes of each estimand in each case, of as many seeds as any definition of it has."""
    found: dict[str, list[list[float | None]]] = {}
    for it in study.matrix.definitions:
        rows = found.setdefault(it.estimand, [[] for _ in cases])
        for number, case in enumerate(cases):
            cell = study.matrix.cells.get((it.id, case.name))
            if cell is not None and len(cell.changes.truth) > len(rows[number]):
                rows[number] = _numbers(cell.changes.truth)
    return found


def _numbers(values: Iterable[float] | np.ndarray) -> list[float | None]:
    return [_number(float(value)) for value in values]


def _number(value: float) -> float | None:
    """To three digits; None where it is none or has no end."""
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None


def _in_a_script(value: dict[str, Any]) -> str:
    """JSON that no text can end or open markup in."""
    told = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return told.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
