"""Standings on a terminal: a table for each programme, 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from billing_sim.text_tables import WIDTH, Remark, TextTable

if TYPE_CHECKING:
    from billing_sim.programmes.standing import Standing, Standings

_HEAD = ("month", "cases", "payments", "ratio", "excessive from", "")
_RATIO, _STATE = 3, 5


def text(it: Standings, width: int = WIDTH) -> str:
    """All programmes, and what the words mean."""
    width = min(width, WIDTH)
    parts = ["\n".join(_programme(it, name, width)) for name in it.programmes]
    each = f" Each case of the run stands for {it.scale:,}." if it.scale > 1 else ""
    said = (
        "Excessive: ratio and number of cases are both reached. Few cases: the ratio is, the number is not. Leaving: "
        f"no longer excessive, and the programme is not over yet.{each}"
    )
    return "\n\n".join([*parts, textwrap.fill(said, width)])


def _programme(it: Standings, name: str, width: int) -> Iterator[str]:
    programme = it.programmes[name]
    title = "".join(letter for letter in " ".join(programme.title.split()) if letter.isprintable())
    yield from textwrap.wrap(f"{name}  {title}", width, subsequent_indent="  ")
    counted = {"disputes": "disputes", "reports": "fraud reports", "disputes_and_reports": "disputes and fraud reports"}
    of = "of the month" if programme.over == "same_month" else "of the month before"
    told = (
        f"{counted[programme.cases].capitalize()} of {programme.network.capitalize()} cards by the month in which they "
        f"come, over payments {of}."
    )
    yield from textwrap.wrap(told, width, initial_indent="  ", subsequent_indent="  ")
    if not any(month.payments for month in it.months[name]):
        yield from Remark("No payment with such a card in a month that it looks at.").lines(width)
        return
    rows = [_row(month) for month in it.months[name]]
    yield from TextTable("", _HEAD, rows, stay=(_RATIO, _STATE), left=(0, _STATE)).lines(width)


def _row(it: Standing) -> tuple[str, ...]:
    ratio = "–" if it.ratio is None else f"{100 * it.ratio:.2f} %"
    limits = "–" if it.threshold is None else f"{100 * float(it.threshold.ratio):g} % and {it.threshold.cases:,}"
    return f"{it.month:%Y-%m}", f"{it.cases:,}", f"{it.payments:,}", ratio, limits, it.state
