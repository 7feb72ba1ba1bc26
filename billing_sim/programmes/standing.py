"""Where a run stands in dispute programmes, month by month, as its networks would count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from billing_sim.errors import QueryError
from billing_sim.facts.schema import FACTS
from billing_sim.metrics.connection import connect_to
from billing_sim.metrics.frame import frame
from billing_sim.metrics.source import Source
from billing_sim.metrics.unreadable import reading_facts
from billing_sim.programmes.programme import Programme, Threshold

State = Literal["undefined", "below", "few cases", "excessive", "leaving"]
"""Few cases: the ratio is reached and the number is not. Leaving: not excessive, and the programme not yet over."""

COLUMNS = ("programme", "month", "cases", "payments", "ratio", "ratio_from", "cases_from", "state")

_CASES = """
SELECT date_trunc('month', opened_at)::DATE, network::VARCHAR, count(*), count(*) FILTER (fraud_reported)
FROM disputes GROUP BY ALL
"""
_PAYMENTS = """
SELECT date_trunc('month', occurred_at)::DATE, network::VARCHAR, count(*)
FROM attempts WHERE outcome = 'authorized' AND amount_micros > 0 GROUP BY ALL
"""


@dataclass(frozen=True)
class Standing:
    """One whole month in one programme.

    `cases` and `payments` are those of the run; `scaled_cases` are what is held against the number of cases, each of
    the run standing for so many. `threshold` is None before any has begun.
    """

    month: date
    cases: int
    payments: int
    scaled_cases: int
    threshold: Threshold | None
    state: State

    @property
    def ratio(self) -> float | None:
        """Cases over payments; None without payments."""
        return self.cases / self.payments if self.payments else None


@dataclass(frozen=True)
class Standings:
    """Every whole month of a run in every programme. It prints as tables; `rows()` and `to_json()` are for programs."""

    programmes: Mapping[str, Programme]
    months: Mapping[str, tuple[Standing, ...]]
    scale: int

    @property
    def excessive(self) -> dict[str, list[date]]:
        """The excessive months by programme; only programmes that have some."""
        found = {name: [it.month for it in months if it.state == "excessive"] for name, months in self.months.items()}
        return {name: months for name, months in found.items() if months}

    def rows(self) -> Iterator[list[Any]]:
        """A row for each programme and month, with the columns of `COLUMNS`."""
        for name, months in self.months.items():
            for it in months:
                limits = (float(it.threshold.ratio), it.threshold.cases) if it.threshold else (None, None)
                yield [name, f"{it.month:%Y-%m}", it.cases, it.payments, it.ratio, *limits, it.state]

    def to_json(self) -> dict[str, Any]:
        """{programme: {"title", "network", "months": [{...}]}, ...} and the scale."""
        told: dict[str, list[dict[str, Any]]] = {name: [] for name in self.programmes}
        for name, *row in self.rows():
            told[name].append(dict(zip(COLUMNS[1:], row, strict=True)))
        return {
            "scale": self.scale,
            "programmes": {
                name: {"title": it.title, "network": it.network, "source": it.source, "months": told[name]}
                for name, it in self.programmes.items()
            },
        }

    def __repr__(self) -> str:
        from billing_sim.programmes.render import text

        return text(self)


def standings(source: Source, programmes: Mapping[str, Programme], *, scale: int = 1) -> Standings:
    """Where a run stands in these programmes.

    In a scenario at a scale of 1:1000 each case stands for a thousand: `scale` is by how much cases are multiplied
    before they are held against a number of cases. QueryError where the scenario does not say of which networks its
    cards are, for a run without a whole calendar month, and for a scale below 1.
    """
    if scale < 1:
        raise QueryError(f"scale is {scale}: name how many each case stands for, 1 or more.")
    needed = [fact for fact in FACTS if fact.name in ("disputes", "attempts")]
    with reading_facts(), connect_to(source, needed) as connection:
        cases = {(month, network): counts for month, network, *counts in connection.execute(_CASES).fetchall()}
        payments = {(month, network): count for month, network, count in connection.execute(_PAYMENTS).fetchall()}
    if not any(network != "none" for _, network in payments):
        raise QueryError(
            "No programme can be applied: the scenario does not say of which networks cards are. Write `card_networks` "
            "under `behaviour` of its markets."
        )
    months = list(_months(*frame(source).whole_months))
    if not months:
        raise QueryError("No programme can be applied: they look at whole calendar months, and the run has none.")
    found = {
        name: tuple(_judged(it, [_counted(it, month, cases, payments, scale) for month in _with_base(it, months)]))
        for name, it in programmes.items()
    }
    return Standings(programmes, found, scale)


def _months(first: datetime, end: datetime) -> Iterator[date]:
    month = first.date()
    while month < end.date():
        yield month
        month = (month + timedelta(days=32)).replace(day=1)


def _counted(
    it: Programme, month: date, cases: Mapping[Any, Sequence[int]], payments: Mapping[Any, int], scale: int
) -> Standing:
    disputes, reports = cases.get((month, it.network), (0, 0))
    count = {"disputes": disputes, "reports": reports, "disputes_and_reports": disputes + reports}[it.cases]
    divided_by = month if it.over == "same_month" else (month - timedelta(days=1)).replace(day=1)
    below, threshold = payments.get((divided_by, it.network), 0), it.threshold(month)
    return Standing(month, count, below, count * scale, threshold, _state(count, below, count * scale, threshold))


def _state(count: int, below: int, scaled: int, threshold: Threshold | None) -> State:
    if not below:
        return "undefined"
    if threshold is None or count < threshold.ratio * below:
        return "below"
    return "excessive" if scaled >= threshold.cases else "few cases"


def _judged(it: Programme, months: Sequence[Standing]) -> Iterator[Standing]:
    """The same with the months in which the programme goes on though nothing is excessive any more."""
    clean = it.leaves_after
    for month in months:
        clean = 0 if month.state == "excessive" else clean + 1
        is_leaving = month.state != "excessive" and clean < it.leaves_after
        yield Standing(**{**vars(month), "state": "leaving"}) if is_leaving else month


def _with_base(it: Programme, months: Sequence[date]) -> Sequence[date]:
    """The months whose payments all lie in the run: of the one before the first, some or all were made before it."""
    return months[1:] if it.over == "previous_month" else months
