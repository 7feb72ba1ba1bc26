"""Members lost in each month, by how they left; with the truth, who was lost through payment and why."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from billing_sim.errors import QueryError
from billing_sim.pictures import true_losses, words
from billing_sim.pictures.asked import Asked
from billing_sim.pictures.board import Board
from billing_sim.pictures.charts import apart, colour, each, rows, tip
from billing_sim.pictures.figure import Figure
from billing_sim.pictures.theme import INNER, SIZE, SMALL, Theme

WAYS = {
    "nonpayment": "ended for non-payment",
    "payment_trouble": "cancelled in payment trouble",
    "voluntary": "cancelled by choice",
}
"""How a subscription ends; whatever else there is comes last."""

_HEIGHT, _BESIDE, _LEFT = 300, 262, 48


def draw(asked: Asked) -> Figure:
    """Ends of subscriptions by month and reason; with the truth only those through payment, by wish and ability."""
    if asked.truth:
        return _told_truly(asked)
    found = asked.run.sql(
        "SELECT date_trunc('month', ended_at)::TIMESTAMP AS at, end_reason::VARCHAR AS part, count(*) AS lost "
        "FROM subscriptions WHERE ended_at IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    if found.empty:
        raise QueryError("The picture losses_by_cause needs members who left; nobody did in this run.")
    others = [it for it in sorted(set(found["part"])) if it not in WAYS]
    names = {**WAYS, **{it: words.plain(it) for it in others}}
    data = _filled(found, names)
    sums = data.groupby("part", sort=False)["lost"].sum()
    total = int(sums.sum())
    through = int(sums["nonpayment"] + sums["payment_trouble"])
    return Figure(
        "losses_by_cause",
        f"{words.share(through / total)} of {words.count(total)} lost subscriptions were lost through payment",
        "Subscriptions that ended in each month, by how they ended.",
        "Stacked columns of lost subscriptions by month. "
        + " ".join(f"{name.capitalize()}: {words.count(int(sums[part]))}." for part, name in names.items()),
        data, lambda theme: _columns(data, theme, _colours(names, theme)),
    )  # fmt: skip


def _filled(found: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """One row per month and part, in order, also where nobody was lost."""
    counts = {(it.at, it.part): it.lost for it in each(found)}
    months = pd.date_range(found["at"].min(), found["at"].max(), freq="MS")
    table = [
        (month, part, name, int(counts.get((month.to_pydatetime(), part), 0)))
        for month in months for part, name in names.items()
    ]  # fmt: skip
    return pd.DataFrame(table, columns=["at", "part", "name", "lost"])


def _colours(names: dict[str, str], theme: Theme) -> dict[str, str]:
    order = (theme.orange, theme.purple, theme.blue, theme.green, theme.brown, theme.sky)
    return {part: order[i] if i < len(order) else theme.quiet for i, part in enumerate(names)}


def _told_truly(asked: Asked) -> Figure:
    lost = true_losses.read(asked)
    if lost.empty:
        raise QueryError("The picture losses_by_cause needs members lost through payment; nobody was in this run.")
    counted = lost.groupby(["at", "part"], as_index=False).size().rename(columns={"size": "lost"})
    data = _filled(counted, true_losses.PARTS)
    sums, total = data.groupby("part", sort=False)["lost"].sum(), len(lost)
    causes = lost["cause"].value_counts(sort=False)
    causes = causes.sort_values(ascending=False, kind="stable")
    return Figure(
        "losses_by_cause",
        f"{words.share(int(sums['wrongful']) / total)} of {words.count(total)} losses through payment were of members "
        "who wanted to stay and could have paid",
        "The sealed truth: who was lost through payment in each month, and below why the first payment failed.",
        "Stacked columns of losses through payment by month, and bars of their causes. "
        + " ".join(f"{name.capitalize()}: {words.count(int(sums[part]))}." for part, name in true_losses.PARTS.items())
        + f" Most frequent cause: {causes.index[0]}, {words.count(int(causes.iloc[0]))}.",
        data, lambda theme: _truth_plot(data, lost, causes, theme),
    )  # fmt: skip


def _columns(data: pd.DataFrame, theme: Theme, colours: dict[str, str]) -> Any:
    shown = data.assign(colour=data["part"].map(colours), top=data.groupby("at")["lost"].cumsum())
    shown["bottom"] = shown["top"] - shown["lost"]
    shown["tip"] = [f"{it.at:%b %Y}: {words.count(it.lost)} {it.name}" for it in each(shown)]
    totals = data.groupby("at")["lost"].sum().reset_index()
    totals["text"] = [words.brief(it) for it in totals["lost"]]
    highest = max(float(totals["lost"].max()), 1) * 1.08
    width = INNER - _BESIDE - _LEFT
    months = alt.Axis(
        format="%b" if len(totals) <= 12 else "%b %y", labelAngle=0, labelOverlap="greedy", labelSeparation=2
    )
    x = alt.X("at:O", timeUnit="utcyearmonth", title=None, scale=alt.Scale(paddingInner=0.15), axis=months)
    y = alt.Scale(domain=[0, highest], nice=False)
    bars = alt.Chart(rows(shown)).mark_bar(aria=False).encode(
        x=x, y=alt.Y("top:Q", title=None, scale=y, axis=alt.Axis(tickCount=5, grid=True, format="~s")),
        y2=alt.Y2("bottom:Q"), color=colour(), tooltip=tip(),
    )  # fmt: skip
    numbers = alt.Chart(rows(totals)).mark_text(dy=-9, fontSize=SMALL, color=theme.quiet).encode(
        x=x, y=alt.Y("lost:Q", scale=y, title=None), text=alt.Text("text:N")
    )  # fmt: skip
    layers = [bars, *([numbers] if len(totals) <= 12 else []), _labels(shown, highest, width)]
    return alt.layer(*layers, width=width, height=_HEIGHT)


def _labels(shown: pd.DataFrame, highest: float, width: float) -> Any:
    """Each part's sum over all months, beside the last column."""
    last = shown[shown["at"] == shown["at"].max()].copy()
    sums, total = shown.groupby("part")["lost"].sum(), int(shown["lost"].sum())
    last = last[[sums[part] > 0 for part in last["part"]]]
    middles = _HEIGHT * (1 - (last["top"] + last["bottom"]) / 2 / highest)
    last["text"] = [
        words.fit(f"{words.share(int(sums[it.part]) / total)} {it.name}", _BESIDE - 10) for it in each(last)
    ]
    last["place"] = apart(list(middles), 8, _HEIGHT - 8, 21)
    return alt.Chart(rows(last)).mark_text(align="left", baseline="middle", fontSize=SIZE, fontWeight="bold").encode(
        x=alt.XValue(width + 10), y=alt.Y("place:Q", axis=None, scale=None), text=alt.Text("text:N"), color=colour()
    )  # fmt: skip


_CAUSES, _ROW, _NAMES = 6, 28, 326


def _truth_plot(data: pd.DataFrame, lost: pd.DataFrame, causes: pd.Series, theme: Theme) -> Any:
    """The columns, and below them the most frequent causes as bars in the same colours."""
    colours = dict(zip(true_losses.PARTS, (theme.orange, theme.purple, theme.sky, theme.quiet), strict=True))
    shown = causes.iloc[:_CAUSES]
    board = Board(theme, _ROW * len(shown), INNER - _LEFT)
    scale = (board.width - _NAMES - 60) / int(shown.max())
    for place, (cause, number) in enumerate(shown.items()):
        y, x = _ROW * place, float(_NAMES)
        board.words(
            [{"x": 0, "y": y + 12, "text": words.fit(str(cause), _NAMES - 12, SMALL), "colour": theme.ink}], size=SMALL
        )
        parts = lost[lost["cause"] == cause]["part"].value_counts(sort=False)
        for part, name in true_losses.PARTS.items():
            lost_so = int(parts.get(part, 0))
            end = x + lost_so * scale
            bar = {"x": x, "x2": end, "y": y + 2, "y2": y + 22, "colour": colours[part]}
            board.bars([{**bar, "tip": f"{cause}: {words.count(lost_so)} {name}"}] if lost_so else [])
            x = end
        told = words.count(int(number))
        board.words([{"x": x + 6, "y": y + 12, "text": told, "colour": theme.quiet}], size=SMALL)
    return alt.vconcat(_columns(data, theme, colours), board.chart(), spacing=26)
