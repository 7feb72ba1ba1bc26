"""Attempts: how many invoices each is left with, and how many it gets paid."""

from __future__ import annotations

from typing import Any

import pandas as pd

from billing_sim.errors import QueryError
from billing_sim.pictures import words
from billing_sim.pictures.asked import Asked
from billing_sim.pictures.board import Board
from billing_sim.pictures.charts import each
from billing_sim.pictures.figure import Figure
from billing_sim.pictures.theme import INNER, SMALL, Theme

OWN_ROWS = 4
"""Attempts after the first that have a row of their own; those after them share one."""

_NAMES = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth")
_BAR, _ROW, _GAP = 26, 58, 40


def draw(asked: Asked) -> Figure:
    """Invoices above 0 whose dunning is over, as `payment_success_rate` counts them, attempt by attempt."""
    data = _attempts(asked)
    issued, paid = int(data["reached"].iloc[0]), int(data["paid"].sum())
    if not issued:
        raise QueryError("The picture attempts_funnel needs invoices whose dunning is over; this run is too short.")
    first = int(data["paid"].iloc[0])
    failed, never = issued - first, issued - paid
    title = f"{words.share(first / issued)} of invoices are paid at the first attempt"
    if failed:
        title += f"; later ones get {words.share((paid - first) / failed)} of the others paid"
    return Figure(
        "attempts_funnel", title,
        f"Invoices above 0 whose dunning is over: {words.count(issued)}, {words.count(never)} of them never paid. "
        "The lower bars are parts of those that failed at first.",
        f"Funnel of payment attempts. {_told(data)} Never paid: {words.count(never)} of {words.count(issued)}.",
        data, lambda theme: _plot(data, theme),
    )  # fmt: skip


def _attempts(asked: Asked) -> pd.DataFrame:
    """One row per attempt: how many invoices came to it, how many it got paid; the last row holds all later ones."""
    found = asked.run.sql(
        "SELECT attempts AS made, count(*) AS invoices, count_if(status = 'paid') AS paid FROM invoices "
        f"WHERE amount_micros <> 0 AND {asked.matured} GROUP BY ALL ORDER BY made"
    )
    last = OWN_ROWS + 2
    made = found["made"].clip(lower=1)
    rows = []
    for attempt in range(1, last + 1):
        at = made >= attempt
        here = at if attempt == last else made == attempt
        reached = found["invoices"].sum() if attempt == 1 else found["invoices"][at].sum()
        rows.append((attempt, _name(attempt, last), int(reached), int(found["paid"][here].sum())))
    data = pd.DataFrame(rows, columns=["attempt", "name", "reached", "paid"])
    return data[(data["attempt"] == 1) | (data["reached"] > 0)].reset_index(drop=True)


def _name(attempt: int, last: int) -> str:
    return f"{_NAMES[attempt - 1]} attempt{' and later' if attempt == last else ''}"


def _told(data: pd.DataFrame) -> str:
    return " ".join(
        f"{row.name}: {words.count(row.reached)} invoices, {words.count(row.paid)} paid." for row in each(data)
    )


def _plot(data: pd.DataFrame, theme: Theme) -> Any:
    issued, first = int(data["reached"].iloc[0]), int(data["paid"].iloc[0])
    failed, later = issued - first, data.iloc[1:]
    rows = len(later) + 1 if failed else 0
    board = Board(theme, _ROW + (_GAP + rows * _ROW if rows else 0))
    _row(board, 0, "First attempt", (issued, first, issued), theme.bad)
    if not failed:
        return board.chart()
    top = _ROW + _GAP
    _widened(board, INNER * first / issued, top)
    for place, row in enumerate(each(later)):
        _row(board, top + place * _ROW, row.name, (row.reached, row.paid, failed), theme.faint)
    never = failed - int(later["paid"].sum())
    told = f"{words.count(never)} invoices, {words.share(never / failed)} of those that failed at first"
    _heading(board, top + len(later) * _ROW, "Never paid", told)
    _bar(board, top + len(later) * _ROW, (0, never / failed), theme.bad, told)
    return board.chart()


def _row(board: Board, top: float, name: str, numbers: tuple[int, int, int], left: str) -> None:
    """A line of words, and below it a bar: what came to this attempt, first what it got paid, then what it left."""
    reached, paid, whole = numbers
    tip = f"{name}: {words.count(reached)} invoices, {words.count(paid)} paid, {words.count(reached - paid)} not"
    _heading(board, top, name, f"{words.count(reached)} invoices, {words.share(paid / reached)} of them paid")
    _bar(board, top, (0, paid / whole), board.theme.good, tip)
    _bar(board, top, (paid / whole, reached / whole), left, tip)


def _heading(board: Board, top: float, name: str, told: str) -> None:
    board.words([{"x": 0, "y": top + 10, "text": name, "colour": board.theme.ink}], bold=True)
    beside = words.width(name, bold=True) + 10
    board.words([{"x": beside, "y": top + 10, "text": told, "colour": board.theme.quiet}], size=SMALL)


def _bar(board: Board, top: float, ends: tuple[float, float], colour: str, tip: str) -> None:
    x, x2 = (round(INNER * end, 2) for end in ends)
    if x2 > x:
        board.bars([{"x": x, "x2": x2, "y": top + 22, "y2": top + 22 + _BAR, "colour": colour, "tip": tip}])


def _widened(board: Board, begins: float, top: float) -> None:
    """The failed part of the upper bar becomes the whole width below."""
    y, quiet = 22 + _BAR + 2, board.theme.quiet
    board.lines(
        [
            {"x": begins, "y": y, "x2": 0, "y2": top - 4, "colour": quiet},
            {"x": INNER, "y": y, "x2": INNER, "y2": top - 4, "colour": quiet},
        ]
    )
