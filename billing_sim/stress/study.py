"""`billing_sim.stress`: definitions tried in every case, and what may be printed of it.

>>> billing_sim.stress("payment_success_rate", cases=["goodhart_cut_retries"])  # doctest: +SKIP
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from billing_sim.errors import QueryError
from billing_sim.given import with_checked_arguments
from billing_sim.metrics.names import unknown
from billing_sim.runs.named_file import write_named
from billing_sim.scenario.model import Scenario
from billing_sim.stress import lab
from billing_sim.stress.alarms import Alarms, with_alarms
from billing_sim.stress.apart import Apart, apart
from billing_sim.stress.asking import Asked, cases_meant, check_place, claiming, definitions_meant, refuse_misfits
from billing_sim.stress.case import BASE
from billing_sim.stress.cells import Cell, as_dict
from billing_sim.stress.criteria import Criteria
from billing_sim.stress.criteria import criteria as criteria_of
from billing_sim.stress.discovery import printed
from billing_sim.stress.lab import Matrix, Report
from billing_sim.stress.lateness import ALLOWED_DAYS
from billing_sim.stress.looks import LOOKS
from billing_sim.stress.minimal_set import Recommended, recommended
from billing_sim.stress.verdicts import Verdict

if TYPE_CHECKING:
    import pandas as pd

    from billing_sim.stress.curves import Curves

MANY = 40
"""More definitions than this are tried with the first number of seeds only."""

_WHY = 3
"""Cases of which it is told why they do not fit, when none does."""

MOST_DAYS_LATE = 365
MOST_SEEDS = 1000

RELATIVE = "relative"
"""What a change is in that is a share of the metric's own level."""


@dataclass(frozen=True, eq=False)
class Study:
    """Every definition in every case of one scenario.

    `looks` is how often a verdict may have been looked at; with it adverse verdicts are controlled over the whole
    matrix (`discovery.printed`). `study["metric@variant", "case"]` is the verdict that may be printed.
    """

    matrix: Matrix
    scenario: Scenario
    looks: int = 1
    apart: Mapping[str, Apart] = field(default_factory=dict)
    """By definition what worlds of their own tell of it, when asked for."""
    on: lab.Bench | None = None
    """What the cases were laid over, so that their worlds can be lived again for the curves of the report card."""
    alarms: Alarms | None = None
    """When the definitions that hold would have told of the dated cases, where that was asked for."""

    @cached_property
    def verdicts(self) -> dict[tuple[str, str], Verdict]:
        """The verdicts that may be printed, by definition's id and case's name, in the order asked."""
        keys = [
            (it.id, case.name)
            for it in self.matrix.definitions
            for case in self.matrix.cases
            if (it.id, case.name) in self.matrix.cells
        ]
        timely = self.alarms.verdicts if self.alarms else {}
        found = printed([timely.get(key, self.matrix.cells[key].verdict) for key in keys], looks=self.looks)
        return dict(zip(keys, found, strict=True))

    def __getitem__(self, key: tuple[str, str]) -> Verdict:
        """The verdict of a definition in a case; QueryError with a suggestion when it was not tried."""
        if not (isinstance(key, tuple) and len(key) == 2):
            raise QueryError('name a definition and a case, as in found["payment_success_rate", "gateway_outage"].')
        if key not in self.verdicts:
            definition, case = key
            ids = {it.id for it in self.matrix.definitions}
            names = {it.name for it in self.matrix.cases} - set(self.matrix.misfits)
            raise QueryError(
                unknown("metric", definition, ids) if definition not in ids else unknown("case", case, names)
            )
        return self.verdicts[key]

    @cached_property
    def recommended(self) -> Recommended:
        """The smallest set of these definitions that survives every case, with its certificate."""
        return recommended(self.matrix, self.verdicts)

    @cached_property
    def criteria(self) -> dict[str, Criteria]:
        """What each definition is worth over all cases, by id."""
        found = criteria_of(self.matrix)
        found |= {name: it.beside(found[name]) for name, it in self.apart.items()}
        if self.alarms:
            found = {name: replace(it, detection_lag=self.alarms.detection_lag(name)) for name, it in found.items()}
        return found

    def accused(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """The (definition, case) with one of these verdicts."""
        wanted = set(names)
        return [key for key, it in self.verdicts.items() if it.name in wanted]

    def to_json(self) -> dict[str, Any]:
        """{"definitions": {id: {case: {"verdict", ...}}}, "recommended": ..., "misfits": {case: reason}, ...}.

        Changes are oriented so that up is better, in `metric_change_in` and `truth_change_in`: a unit, or `relative`
        for shares of the metric's own level. Money is in the scenario's reporting currency.
        """
        tried: dict[str, dict[str, Any]] = {it.id: {} for it in self.matrix.definitions}
        for (definition, case), verdict in self.verdicts.items():
            tried[definition][case] = self._told(self.matrix.cells[definition, case], verdict)
        it = self.scenario
        return {
            "scenario": {"name": it.name, "members": it.members, "first_seed": it.seed,
                         "currency": it.reporting_currency},
            "seeds": self.matrix.seeds, "looks": self.looks,
            "cases": {case.name: {"title": case.title, "pathology": case.pathology, "moral": case.moral}
                      for case in self.matrix.cases},
            "definitions": tried,
            "criteria": {name: it.as_dict() for name, it in self.criteria.items()},
            "recommended": self.recommended.as_dict(),
            "misfits": dict(self.matrix.misfits),
            "given": {case.name: [*case.given] for case in self.matrix.cases if case.gives},
        }  # fmt: skip

    def to_csv(self) -> str:
        """The table as CSV, one line per definition and case."""
        out = io.StringIO()
        writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows())
        return out.getvalue()

    def table(self) -> pd.DataFrame:
        """One row per definition and case, with the columns of the CSV."""
        import pandas as pd

        return pd.DataFrame(self._rows(), columns=list(_COLUMNS))

    @overload
    def report_card(self, path: None = None, *, report: Report | None = None) -> str: ...

    @overload
    def report_card(self, path: str | Path, *, report: Report | None = None) -> Path: ...

    def report_card(self, path: str | Path | None = None, *, report: Report | None = None) -> str | Path:
        """The HTML report card, one page that holds all that it shows; with a path it is written there.

        Each card draws the metric and the truth month by month, for which four seeds of every world are lived again;
        `report` is told worlds done and in all. The text of the page without a path, else the path. BillingSimError
        when it cannot be written.
        """
        from billing_sim.stress.report_card import page

        if path is not None:
            check_place(Path(path), "the report card")
        told = page(self, self._curves(report))
        if path is None:
            return told
        write_named(Path(path), told)
        return Path(path)

    def _curves(self, report: Report | None) -> Curves | None:
        from billing_sim.stress.curves import curves_of

        return curves_of(self.matrix, self.on, report) if self.on else None

    def _told(self, cell: Cell, verdict: Verdict) -> dict[str, Any]:
        ratio = None if verdict.ratio is None or not math.isfinite(verdict.ratio.value) else verdict.ratio.value
        return {
            **as_dict(cell, verdict),
            "metric_change_in": cell.definition.unit if cell.is_absolute else RELATIVE,
            "truth_change_in": cell.estimand.unit,
            "metric_margin": cell.changes.metric_margin,
            "truth_margin": cell.changes.truth_margin,
            "ratio": ratio,
        }

    def _rows(self) -> list[dict[str, Any]]:
        return [_flat(key, self._told(self.matrix.cells[key], verdict)) for key, verdict in self.verdicts.items()]

    def __repr__(self) -> str:
        from billing_sim.metrics.plain import plain
        from billing_sim.stress.render import study_shown

        return plain(study_shown(self)).rstrip()


_COLUMNS = (
    "definition", "case", "verdict", "was", "reason", "metric_change", "metric_low", "metric_high", "metric_change_in",
    "truth_change", "truth_low", "truth_high", "truth_change_in", "ratio", "ratio_low", "ratio_high", "ratio_shape",
    "p", "p_misstates", "metric_margin", "truth_margin", "seeds", "missing", "estimand", "same_unit",
    "censoring", "sampling", "definition_error",
)  # fmt: skip
_ENDS = ("metric", "truth", "ratio")


def _flat(key: tuple[str, str], told: dict[str, Any]) -> dict[str, Any]:
    """A cell as one row."""
    intervals, split = told["intervals"], told["split"] or {}
    ends = {
        f"{name}_{end}": value
        for name in _ENDS
        for end, value in zip(("low", "high"), intervals[name] or (None, None), strict=True)
    }
    row = {"definition": key[0], "case": key[1], **told, **ends, "ratio_shape": intervals["ratio_shape"]}
    row |= {"censoring": split.get("censoring"), "sampling": split.get("sampling")}
    row["definition_error"] = split.get("definition")
    return {name: row[name] for name in _COLUMNS}


@with_checked_arguments
def stress(
    definitions: Asked | Iterable[Asked] = (),
    *,
    cases: str | Iterable[str] = (),
    folders: str | Path | Iterable[str | Path] = (),
    scenario: str | Path | None = None,
    members: int | None = None,
    seeds: int | None = None,
    criteria: bool = False,
    alarms: bool = False,
    late_after: float = ALLOWED_DAYS,
    report: Report | None = None,
) -> Study:
    """Try definitions in cases: what each says when the truth moves, and when only the log does.

    `definitions` are ids, names of metrics (with all variants), paths of YAML or SQL files, or Definitions; all shipped
    ones by default. `cases` are names or files, all by default; `folders` hold cases of one's own. `scenario` is the
    file that cases are laid over, by default one of the lab's own. With `seeds` each verdict comes from so many paired
    seeds, 2 to 1,000; without, from 20, and up to 80 while it is unresolved (20 each for more than 40 definitions).
    With `criteria` it is also found out when definitions have matured, in which market they err most, how far their
    neighbours read from them, and which action they reward.
    With `alarms` a definition that holds in a dated case must also have told of it in time (200 more seeds): at most
    `late_after` days after the truth could be told.
    `report` is told worlds done and in all.

    QueryError for an unknown name, for a definition that does not say what it measures, and when no case fits;
    InputError for a file, and where a case that was named or is one's own does not fit the scenario.
    """
    _check_numbers(seeds, members, late_after)
    asked = claiming(definitions_meant(definitions))
    chosen = [cases] if isinstance(cases, str) else list(cases)
    tried = cases_meant(chosen, folders)
    on = lab.bench(Path(scenario) if scenario else BASE, members=members)
    refuse_misfits(tried, on, named=bool(chosen))
    first, most = (seeds, seeds) if seeds else (LOOKS[0], LOOKS[0] if len(asked) > MANY else LOOKS[-1])
    matrix = lab.stress(asked, tried, on, seeds=first, most=most, report=report)
    if all(it.name in matrix.misfits for it in tried):
        why = " ".join(f"{name}: {reason}" for name, reason in list(matrix.misfits.items())[:_WHY])
        raise QueryError(f"nothing was tried: none of {len(tried)} cases fits {on.scenario.name}. {why}")
    return Study(
        matrix,
        on.scenario,
        1 if first == most else len(LOOKS),
        _apart(matrix, on, report) if criteria else {},
        on,
        with_alarms(matrix, on, allowed=late_after, report=report) if alarms else None,
    )


def _check_numbers(seeds: int | None, members: int | None, late_after: float) -> None:
    if not 0 <= late_after <= MOST_DAYS_LATE:
        raise QueryError(f"late_after is {late_after}; take 0 to {MOST_DAYS_LATE} days.")
    if seeds is not None and not 2 <= seeds <= MOST_SEEDS:
        raise QueryError(f"seeds is {seeds}; take 2 to {MOST_SEEDS:,}, or none for as many as each verdict needs.")
    if members is not None and members < 1:
        raise QueryError(f"members is {members}; name a whole number above 0.")


def _apart(matrix: Matrix, on: lab.Bench, report: Report | None) -> dict[str, Apart]:
    return apart([it for it in matrix.definitions if any(it.id == key[0] for key in matrix.cells)], on, report)
