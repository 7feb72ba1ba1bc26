"""From what was billed to what was kept: what was paid at once, what later, and where the rest went."""

from __future__ import annotations

from typing import Any

import pandas as pd

from billing_sim.errors import QueryError
from billing_sim.pictures import words
from billing_sim.pictures.asked import Asked
from billing_sim.pictures.board import Board
from billing_sim.pictures.charts import apart, each
from billing_sim.pictures.figure import Figure
from billing_sim.pictures.theme import SMALL, Theme

BILLED, PAID = "billed", ("paid_later", "paid_first")
FLOWS = {
    "paid_later": "Paid after failing",
    "paid_first": "Paid at the first attempt",
    "given_up": "Given up after dunning",
    "voided": "Voided",
    "open": "Still open",
    "kept": "Kept",
    "fees": "Fees",
    "refunded": "Refunded",
    "charged_back": "Charged back",
}
"""Where money goes, in the order of the picture: first from what was billed, then from what was paid."""

_FROM_PAID = ("kept", "fees", "refunded", "charged_back")
_COLUMNS = (0, 218, 512)
_NODE, _HEIGHT, _GAP, _TOP, _LINE, _FAR = 16, 240, 26, 34, 22, 2000.0


def draw(asked: Asked) -> Figure:
    """Invoices issued in the run, as `billed` counts them: an unpaid first invoice is not owed."""
    data, besides = _flows(asked)
    amount = data.set_index("flow")["micros"]
    billed, kept = int(amount[BILLED]), int(amount["kept"])
    if not billed:
        raise QueryError("The picture money_flow needs invoices of more than 0; this run has none.")
    if kept < 0:
        raise QueryError("The picture money_flow cannot be drawn: more went back and into fees than was paid.")
    failing = int(amount["given_up"] + amount["voided"])
    mistakes = f" Besides, {words.money(besides, asked.currency)} was charged by mistake." if besides else ""
    return Figure(
        "money_flow",
        f"Of 100 {asked.currency} billed, {_of_hundred(kept / billed)} are kept; "
        f"{_of_hundred(failing / billed)} are never paid",
        f"Everything billed, tax included, {asked.currency}, as it stands on {words.day(asked.frame.as_of)}.{mistakes}",
        "Flow of money. " + " ".join(f"{it.name}: {words.money(it.micros, asked.currency)}." for it in each(data)),
        data, lambda theme: _plot(data, theme, asked.currency),
    )  # fmt: skip


def _of_hundred(share: float) -> str:
    return words.share(share, 1 if 0.0005 <= share < 0.9995 else None).removesuffix(" %")


def _flows(asked: Asked) -> tuple[pd.DataFrame, int]:
    """One row per flow in millionths, and what was charged besides what was owed. Both halves balance exactly."""
    row = asked.run.sql(
        "SELECT sum(amount_micros) AS billed, "
        "sum(amount_micros) FILTER (status = 'paid' AND attempts <= 1) AS paid_first, "
        "sum(amount_micros) FILTER (status = 'paid' AND attempts > 1) AS paid_later, "
        "sum(amount_micros) FILTER (status = 'uncollectible') AS given_up, "
        "sum(amount_micros) FILTER (status = 'void') AS voided, "
        "sum(amount_micros) FILTER (status = 'open') AS open, "
        "sum(refunded_micros) FILTER (status = 'paid') AS refunded, "
        "sum(chargeback_micros) FILTER (status = 'paid') AS charged_back, "
        "sum(fee_micros) AS fees, sum(duplicated_micros) AS besides "
        "FROM invoices WHERE issued_at IS NOT NULL AND (NOT is_signup OR status = 'paid')"
    ).iloc[0]
    found = {str(name): 0 if pd.isna(value) else int(value) for name, value in row.items()}
    found["kept"] = (
        found["paid_first"] + found["paid_later"] - found["fees"] - found["refunded"] - found["charged_back"]
    )
    rows = [(BILLED, "Billed", found[BILLED]), *((flow, name, found[flow]) for flow, name in FLOWS.items())]
    data = pd.DataFrame(rows, columns=["flow", "name", "micros"])
    data["share"] = data["micros"] / max(found[BILLED], 1)
    return data, found["besides"]


def _plot(data: pd.DataFrame, theme: Theme, currency: str) -> Any:
    amount = {it.flow: it for it in each(data)}
    scale = _HEIGHT / amount[BILLED].micros
    middle = [amount[flow] for flow in FLOWS if flow not in _FROM_PAID and amount[flow].micros > 0]
    right = [amount[flow] for flow in _FROM_PAID if amount[flow].micros > 0]
    places = _stacked(middle, scale) | _stacked(right, scale)
    labels = [*_beside_middle(middle, places), *_beside_right(right, places)]
    lowest = max(_TOP + _HEIGHT, *(y2 for _, y2 in places.values()), *(y + 10 for _, (_, y) in labels))
    board = Board(theme, lowest + 12)
    colours = {it.flow: _colour(it.flow, theme) for it in each(data)}
    _bands(board, middle, (places, colours, scale))
    _onward(board, [it for it in middle if it.flow in PAID], right, (places, colours, scale))
    board.bars([_node(_COLUMNS[0], (_TOP, _TOP + _HEIGHT), theme.quiet, amount[BILLED], currency)])
    for column, several in ((_COLUMNS[1], middle), (_COLUMNS[2], right)):
        board.bars([_node(column, places[it.flow], colours[it.flow], it, currency) for it in several])
    board.words([{"x": 0, "y": _TOP - 14, "text": "Billed", "colour": theme.ink}], bold=True)
    told = words.money(amount[BILLED].micros, currency)
    board.words([{"x": 56, "y": _TOP - 14, "text": told, "colour": theme.quiet}], size=SMALL)
    for it, at in labels:
        ink = theme.ink if it.flow == "paid_first" else colours[it.flow]
        _label(board, at, it, ink, currency if it.flow in _FROM_PAID else "")
    return board.chart()


def _colour(flow: str, theme: Theme) -> str:
    if flow in (*PAID, "kept"):
        return theme.good
    return theme.quiet if flow == "open" else theme.bad


def _stacked(flows: list[Any], scale: float) -> dict[str, tuple[float, float]]:
    """The upper and lower edge of each, with a gap between each two."""
    places, y = {}, float(_TOP)
    for it in flows:
        y2 = y + max(it.micros * scale, 1.5)
        places[it.flow] = (round(y, 2), round(y2, 2))
        y = y2 + _GAP
    return places


def _bands(board: Board, flows: list[Any], geometry: Any) -> None:
    """From what was billed to what became of it."""
    places, colours, scale = geometry
    y = float(_TOP)
    for it in flows:
        y2 = y + it.micros * scale
        top, bottom = places[it.flow]
        board.bands([{
            "x": _COLUMNS[0] + _NODE, "x2": _COLUMNS[1], "top": y, "bottom": max(y2, y + 1), "top2": top,
            "bottom2": bottom, "colour": colours[it.flow],
            "tip": f"{it.name}: {words.share(it.share)} of what was billed",
        }])  # fmt: skip
        y = y2


def _onward(board: Board, paid: list[Any], right: list[Any], geometry: Any) -> None:
    """From what was paid to where it went: each takes from the top of what is left."""
    places, colours, scale = geometry
    sources = [[it.micros, places[it.flow][0]] for it in paid]
    for it in right:
        need, y = it.micros, places[it.flow][0]
        for source in sources:
            taken = min(need, source[0])
            if taken <= 0:
                continue
            part = taken * scale
            board.bands([{
                "x": _COLUMNS[1] + _NODE, "x2": _COLUMNS[2], "top": source[1], "bottom": source[1] + max(part, 1),
                "top2": y, "bottom2": y + max(part, 1), "colour": colours[it.flow],
                "tip": f"{it.name}: {words.share(it.share)} of what was billed",
            }])  # fmt: skip
            source[0], source[1], need, y = source[0] - taken, source[1] + part, need - taken, y + part


def _node(x: float, ends: tuple[float, float], colour: str, it: Any, currency: str) -> dict[str, Any]:
    tip = f"{it.name}: {words.money(it.micros, currency)}, {words.share(it.share)} of what was billed"
    return {"x": x, "x2": x + _NODE, "y": ends[0], "y2": ends[1], "colour": colour, "tip": tip}


def _beside_middle(middle: list[Any], places: Any) -> list[tuple[Any, tuple[float, float]]]:
    """Above what is thin and flows on, inside what is thick, to the right of what ends here."""
    labels, x = [], _COLUMNS[1] + _NODE + 8
    for it in middle:
        top, bottom = places[it.flow]
        inside = it.flow == "paid_first" and bottom - top > 2 * _LINE
        if it.flow in PAID:
            labels.append((it, (x, (top + bottom) / 2) if inside else (_COLUMNS[1], top - 13)))
    ends = [it for it in middle if it.flow not in PAID]
    wanted = [sum(places[it.flow]) / 2 for it in ends]
    return labels + [(it, (x, y)) for it, y in zip(ends, apart(wanted, 0, _FAR, _LINE), strict=True)]


def _beside_right(right: list[Any], places: Any) -> list[tuple[Any, tuple[float, float]]]:
    wanted = [sum(places[it.flow]) / 2 - 9 for it in right]
    x = _COLUMNS[2] + _NODE + 8
    return [(it, (x, y)) for it, y in zip(right, apart(wanted, 0, _FAR, 2 * _LINE), strict=True)]


def _label(board: Board, at: tuple[float, float], it: Any, colour: str, currency: str) -> None:
    """Name and share; the amount below where there is little room, else behind it."""
    text = f"{it.name} {words.share(it.share)}"
    board.words([{"x": at[0], "y": at[1], "text": text, "colour": colour}], bold=True)
    x, y = (at[0], at[1] + 18) if currency else (at[0] + words.width(text, bold=True) + 6, at[1])
    amount = words.money(it.micros, currency)
    ink = board.theme.ink if it.flow == "paid_first" else board.theme.quiet
    board.words([{"x": x, "y": y, "text": amount, "colour": ink}], size=SMALL)
