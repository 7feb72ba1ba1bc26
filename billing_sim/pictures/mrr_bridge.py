"""Monthly recurring revenue from the start of the first whole month to the end of the last, and what moved it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd

from billing_sim.errors import QueryError
from billing_sim.metrics.frame import literal
from billing_sim.pictures import words
from billing_sim.pictures.asked import Asked
from billing_sim.pictures.board import Board
from billing_sim.pictures.charts import each
from billing_sim.pictures.figure import Figure
from billing_sim.pictures.theme import INNER, SIZE, Theme

MOVES = {
    "new": ("New members", "joined = 'new'"),
    "returning": ("Returning members", "joined = 'returning'"),
    "imported": ("Members of the start", "joined = 'imported'"),
    "voluntary": ("Cancelled by choice", "ended = 'voluntary'"),
    "payment_trouble": ("Cancelled in payment trouble", "ended = 'payment_trouble'"),
    "nonpayment": ("Ended for non-payment", "ended = 'nonpayment'"),
    "other_ends": ("Ended otherwise", "NOT active_at_end"),
    "exchange": ("Exchange rates", "net_start_minor = net_end_minor"),
    "rises": ("Dearer plans and prices", "mrr_end_micros > mrr_start_micros"),
    "falls": ("Cheaper plans and prices", "true"),
}
"""What a subscription did in a month: the first of these that fits, with how it is found."""

_ORDER = (
    "new", "returning", "imported", "rises", "exchange", "falls", "voluntary", "payment_trouble", "nonpayment",
    "other_ends",
)  # fmt: skip
_LEFT, _RIGHT, _BAR, _ROW = 204, 84, 24, 36
_FULL = 0.6
"""From this part of the highest value on, the lowest is near enough to nothing for bars to begin there."""


def draw(asked: Asked) -> Figure:
    """Sums of `subscription_months`; the end is what `monthly_recurring_revenue` says of the last whole month."""
    first, end = asked.frame.whole_months
    if end <= first:
        raise QueryError("The picture mrr_bridge needs a whole calendar month; this run has none.")
    last = end - timedelta(days=1)
    data = _bridge(asked, literal(first), literal(last.replace(day=1)))
    started, ended = int(data["micros"].iloc[0]), int(data["end"].iloc[-1])
    span = words.month(first) if first.month == last.month and first.year == last.year else (
        f"{words.month(first)} to {words.month(last)}"
    )  # fmt: skip
    return Figure(
        "mrr_bridge", _title(data, started, ended),
        f"Monthly recurring revenue, {asked.currency}, net of tax; {span}."
        + (" The bars of the totals are cut." if _span(data)[0] else ""),
        f"Waterfall of recurring revenue, {span}. "
        + " ".join(f"{it.name}: {words.money(it.micros, asked.currency)}." for it in each(data)),
        data, lambda theme: _plot(data, theme),
    )  # fmt: skip


def _bridge(asked: Asked, first: str, last: str) -> pd.DataFrame:
    """One row per step: what it adds (`micros`), and the running sum before (`begin`) and after it (`end`)."""
    cases = " ".join(f"WHEN {condition} THEN '{move}'" for move, (_, condition) in MOVES.items())
    span = f"month BETWEEN {first} AND {last}"
    found = asked.run.sql(
        f"SELECT CASE {cases} END AS move, sum(mrr_end_micros - mrr_start_micros)::BIGINT AS micros "
        f"FROM subscription_months WHERE {span} AND mrr_end_micros <> mrr_start_micros GROUP BY ALL"
    )
    ends = asked.run.sql(
        f"SELECT coalesce(sum(mrr_start_micros) FILTER (month = {first}), 0)::BIGINT AS started, "
        f"coalesce(sum(mrr_end_micros) FILTER (month = {last}), 0)::BIGINT AS ended, "
        f"(coalesce(sum(mrr_start_micros) FILTER (month > {first}), 0) "
        f"- coalesce(sum(mrr_end_micros) FILTER (month < {last}), 0))::BIGINT AS between_months "
        f"FROM subscription_months WHERE {span}"
    ).iloc[0]
    moved = {str(it.move): int(it.micros) for it in each(found)}
    moved["exchange"] = moved.get("exchange", 0) + int(ends["between_months"])
    rows = [("start", "At the start", int(ends["started"]), 0, int(ends["started"]))]
    for move in _ORDER:
        if moved.get(move):
            rows.append((move, MOVES[move][0], moved[move], rows[-1][4], rows[-1][4] + moved[move]))
    rows.append(("end", "At the end", int(ends["ended"]), 0, int(ends["ended"])))
    return pd.DataFrame(rows, columns=["move", "name", "micros", "begin", "end"])


def _title(data: pd.DataFrame, started: int, ended: int) -> str:
    moved = {it.move: it.micros for it in each(data)}
    if not started:
        return "Recurring revenue began from nothing"
    way = "rose" if ended > started else "fell" if ended < started else "did not change"
    change = f" by {words.share(abs(ended - started) / started)}" if ended != started else ""
    lost = -moved.get("nonpayment", 0) - moved.get("payment_trouble", 0)
    through = f"; failed payments took away {words.share(lost / started)} of what it was" if lost > 0 else ""
    return f"Recurring revenue {way}{change}{through}"


def _span(data: pd.DataFrame) -> tuple[float, float]:
    """Where bars begin and end: at nothing, unless all that happens lies far from it."""
    lowest, highest = int(data["end"].min()), int(data["end"].max())
    low = 0.0 if lowest < _FULL * highest else lowest - 0.35 * (highest - lowest)
    return low, max(highest, low + 1)


def _plot(data: pd.DataFrame, theme: Theme) -> Any:
    board = Board(theme, _ROW * len(data))
    low, high = _span(data)
    scale = (INNER - _LEFT - _RIGHT) / (high - low)

    def across(value: float) -> float:
        return round(_LEFT + (max(value, low) - low) * scale, 2)

    for place, it in enumerate(each(data)):
        is_total = it.move in ("start", "end")
        _bar(board, place, it, (across(it.begin), across(it.end)), is_total)
        if is_total and low > 0:
            _cut(board, place)
        if place + 1 < len(data):
            y = place * _ROW
            board.lines([{
                "x": across(it.end), "x2": across(it.end), "y": y + (_ROW - _BAR) / 2 + _BAR,
                "y2": y + _ROW + (_ROW - _BAR) / 2, "colour": theme.quiet,
            }])  # fmt: skip
    return board.chart()


def _bar(board: Board, place: int, it: Any, ends: tuple[float, float], is_total: bool) -> None:
    theme, top = board.theme, place * _ROW + (_ROW - _BAR) / 2
    colour = theme.quiet if is_total else theme.good if it.micros > 0 else theme.bad
    x, x2 = min(ends), max(*ends, min(ends) + 1)
    sign = "" if is_total else "+" if it.micros > 0 else ""
    text = sign + words.money(it.micros)
    board.bars([{"x": x, "x2": x2, "y": top, "y2": top + _BAR, "colour": colour, "tip": f"{it.name}: {text}"}])
    ink = theme.ink if is_total else colour
    board.words([{"x": 0, "y": top + _BAR / 2, "text": it.name, "colour": theme.ink}], bold=is_total)
    board.words([{"x": x2 + 8, "y": top + _BAR / 2, "text": text, "colour": ink}], size=SIZE, bold=True)


def _cut(board: Board, place: int) -> None:
    """Two slanted strokes in the colour of the paper: this bar does not begin at nothing."""
    top = place * _ROW + (_ROW - _BAR) / 2
    for x in (_LEFT + 12, _LEFT + 13, _LEFT + 18, _LEFT + 19):
        board.lines(
            [
                {"x": x + 5, "x2": x - 1, "y": top - 2, "y2": top + _BAR + 2, "colour": board.theme.paper},
            ]
        )
