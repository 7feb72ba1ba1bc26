"""What differs in another run of the same people: differences with their intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from billing_sim.comparison.comparing import Comparison, compare
from billing_sim.comparison.differences import Difference
from billing_sim.errors import QueryError
from billing_sim.metrics.engine import dimensions
from billing_sim.pictures import words
from billing_sim.pictures.asked import Asked
from billing_sim.pictures.board import Align, Board
from billing_sim.pictures.charts import each
from billing_sim.pictures.figure import Figure
from billing_sim.pictures.measure import Measure
from billing_sim.pictures.theme import INNER, SMALL, Theme

METRICS = (
    "uninterrupted_renewal_rate", "payment_success_rate", "first_attempt_success_rate", "recovery_rate",
    "involuntary_churn", "voluntary_churn", "signup_payment_conversion", "net_collected_rate",
    "monthly_recurring_revenue", "collected", "contacts_per_1000_renewals", "members",
)  # fmt: skip
"""What is compared when no metric is named."""

PARTS = 12
"""Markets shown beside the whole when one metric is compared."""

_NAME, _TOLD, _ROW, _HEAD = 232, 150, 30, 34
_SECTIONS = {"points": "Percentage points", "percent": "Percent of what it was"}


def draw(asked: Asked) -> Figure:
    """`billing_sim.compare(run, other)`: shares in percentage points, all else in percent of the run's own value."""
    if isinstance(asked.other, str | Path) and Path(asked.other).suffix in (".yaml", ".yml"):
        raise QueryError("The picture paired_difference compares runs: simulate the scenario and name its folder.")
    measure = Measure(asked.metric, asked.currency) if asked.metric else None
    by = "market" if measure and "market" in dimensions(measure.definition) else None
    found = compare(
        asked.run.directory,
        getattr(asked.other, "directory", asked.other),
        metrics=asked.metric or list(METRICS),
        by=by,
    )
    data = _rows(found, asked)
    if data.empty:
        raise QueryError("The picture paired_difference cannot be drawn: none of these metrics is known in both runs.")
    other = found.pair.after.identity.scenario
    name = f"In {other}" if other != asked.scenario else "In the other run"
    return Figure(
        "paired_difference", _title(data, name),
        f"Difference from {asked.scenario} with its 95 % interval.\n{_people(found)}",
        "Differences with intervals. " + " ".join(f"{it.name}: {it.told}." for it in each(data)),
        data, lambda theme: _plot(data, theme),
    )  # fmt: skip


def _people(found: Comparison) -> str:
    if found.is_paired:
        return "Thick: the same people in both; thin: as if they were others."
    return f"Not the same people: {found.pair.strangers}."


def _rows(found: Comparison, asked: Asked) -> pd.DataFrame:
    """One row per metric and market: the difference, both intervals, the verdict, in which section and in words."""
    table = []
    parts = sorted((it for it in found.differences if it.dims), key=lambda it: -it.before.units)[:PARTS]
    for it in [*(it for it in found.differences if not it.dims), *parts]:
        if it.value is None or it.half is None or not it.before.value:
            continue
        measure = Measure(it.definition.id, asked.currency)
        scale = 100.0 if measure.is_share else 100.0 / abs(float(it.before.value))
        apart = it.half if it.unpaired_half is None else it.unpaired_half
        name = it.dims.get("market") or measure.title
        section = "points" if measure.is_share else "percent"
        table.append((
            it.definition.id, it.dims.get("market", ""), name, section, it.value * scale, it.half * scale,
            apart * scale, it.verdict, _told(it, scale, section), float(it.before.value), float(it.after.value or 0),
        ))  # fmt: skip
    return pd.DataFrame(table, columns=[
        "metric", "market", "name", "section", "difference", "half", "unpaired_half", "verdict", "told", "a", "b",
    ])  # fmt: skip


def _told(it: Difference, scale: float, section: str) -> str:
    assert it.value is not None
    assert it.half is not None
    unit = " points" if section == "points" else " %"
    if not it.value and not it.half:
        return "the same"
    digits = 1 if abs(it.half * scale) >= 0.95 else 2 if abs(it.half * scale) >= 0.02 else 3
    shown = f"{it.value * scale:+.{digits}f}".replace("-", "−")
    return f"{shown} ± {it.half * scale:.{digits}f}{unit}"


def _title(data: pd.DataFrame, name: str) -> str:
    """The surest difference; that nothing differs where all may be chance."""
    beyond = data[data["verdict"].isin(["better", "worse", "other"])]
    if beyond.empty:
        return f"{name} nothing differs beyond chance"
    surety = beyond["difference"].abs() / beyond["half"].clip(lower=1e-12)
    it = beyond.iloc[int(surety.to_numpy().argmax())]
    way = "higher" if it["difference"] > 0 else "lower"
    size = str(it["told"]).lstrip("+−").split(" ±", maxsplit=1)[0]
    unit = " points" if it["section"] == "points" else " %"
    what = str(it["name"]) if not it["market"] else f"{it['metric']} in {it['market']}"
    judged = {"better": ", which is better", "worse": ", which is worse"}.get(str(it["verdict"]), "")
    return f"{name}: {what[:1].lower()}{what[1:]} {size}{unit} {way}{judged}"


def _plot(data: pd.DataFrame, theme: Theme) -> Any:
    sections = [(key, part) for key, part in data.groupby("section", sort=False)]
    board = Board(theme, sum(_HEAD + _ROW * len(part) + 12 for _, part in sections))
    top = 0.0
    for key, part in sections:
        _section(board, top, str(key), part)
        top += _HEAD + _ROW * len(part) + 12
    return board.chart()


def _section(board: Board, top: float, key: str, part: pd.DataFrame) -> None:
    """Rows on one scale, with a line at no difference."""
    theme = board.theme
    reach = [part["difference"] - part["half"], part["difference"] + part["half"], pd.Series([0.0])]
    low, high = float(min(it.min() for it in reach)), float(max(it.max() for it in reach))
    room = max(0.06 * (high - low), 1e-9)
    width = INNER - _NAME - _TOLD - 16

    def across(value: float) -> float:
        return round(
            _NAME + width * (min(max(value, low - room), high + room) - low + room) / (high - low + 2 * room), 2
        )

    bottom = top + _HEAD + _ROW * len(part)
    board.lines([{"x": across(0), "x2": across(0), "y": top + _HEAD - 6, "y2": bottom, "colour": theme.quiet}])
    board.words([{"x": 0, "y": top + 12, "text": _SECTIONS[key], "colour": theme.quiet}], size=SMALL)
    board.words([{"x": across(0), "y": top + 12, "text": "no difference", "colour": theme.quiet}], size=SMALL,
                align=_align(across(0), width))  # fmt: skip
    for place, it in enumerate(each(part)):
        _row(board, top + _HEAD + _ROW * (place + 0.5), it, across)


def _align(x: float, width: float) -> Align:
    return "left" if x < _NAME + 50 else "right" if x > _NAME + width - 50 else "center"


def _row(board: Board, y: float, it: Any, across: Any) -> None:
    theme = board.theme
    ink = {"better": theme.good, "worse": theme.bad}.get(it.verdict, theme.quiet)
    tip = f"{it.name}: {it.told}; {it.a:,.4g} and {it.b:,.4g}"
    thin, thick = (
        {"x": across(it.difference - half), "x2": across(it.difference + half), "colour": ink, "tip": tip}
        for half in (it.unpaired_half, it.half)
    )
    board.bars([{**thin, "y": y - 1, "y2": y + 1}], opacity=0.45)
    x = across(it.difference)
    board.bars([{**thick, "y": y - 4, "y2": y + 4}], opacity=0.6)
    board.bars([{"x": x - 3, "x2": x + 3, "y": y - 8, "y2": y + 8, "colour": ink, "tip": tip}])
    board.words([{"x": 0, "y": y, "text": words.fit(it.name, _NAME - 10, bold=False), "colour": theme.ink}])
    board.words([{"x": INNER, "y": y, "text": it.told, "colour": ink}], align="right", size=SMALL, bold=True)
