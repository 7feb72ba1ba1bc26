"""Why payments were declined, as parts of all declines, over time."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from billing_sim import declines
from billing_sim.errors import QueryError
from billing_sim.pictures import words
from billing_sim.pictures.asked import Asked
from billing_sim.pictures.buckets import AXIS, PER, bucket
from billing_sim.pictures.charts import PERCENT, apart, colour, each, rows, tip
from billing_sim.pictures.figure import Figure
from billing_sim.pictures.theme import INNER, Theme

NAMED = 5
"""Codes with a colour of their own; the others share one."""

OTHER = "other"
_HEIGHT, _RATE_HEIGHT, _BESIDE, _LEFT = 280, 76, 250, 48


def draw(asked: Asked) -> Figure:
    """Declined attempts by observed code, and above them how many of all attempts were declined."""
    frame = asked.frame
    cut = bucket(frame.start, frame.as_of)
    found = asked.run.sql(
        f"SELECT date_trunc('{cut}', occurred_at)::TIMESTAMP AS at, CASE WHEN outcome = 'declined' THEN code END "
        "AS code, count(*) AS attempts FROM attempts WHERE occurred_at IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    declined = found[found["code"].notna()]
    if declined.empty:
        raise QueryError("The picture decline_mix needs declined payments; this run has none.")
    data = _mix(found, declined)
    total = int(declined["attempts"].sum())
    first = _named(declined)[0]
    part = int(declined["attempts"][declined["code"] == first].sum()) / total
    tried = int(found["attempts"].sum())
    return Figure(
        "decline_mix",
        f"“{_capital(meaning(first))}” is behind {words.share(part)} of declines{_change(data, cut)}",
        f"Above: declines as part of all attempts {PER[cut]}. Below: observed codes as parts of {words.count(total)} "
        "declines.",
        f"Stacked columns of declines by code {PER[cut]}. {words.count(total)} of {words.count(tried)} attempts "
        f"({words.share(total / tried)}) were declined; {_told(declined, total)}.",
        data, lambda theme: _plot(data, theme, cut),
    )  # fmt: skip


def meaning(code: str) -> str:
    """What a code means; of one that nobody knows the code itself."""
    known = next((it for it in declines.CODES if it.code == code), None)
    return known.meaning if known else code


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _named(declined: pd.DataFrame) -> list[str]:
    """The most frequent codes."""
    sums = declined.astype({"code": str}).groupby("code")["attempts"].sum()
    return list(sums.sort_values(ascending=False, kind="stable").index[:NAMED])


def _mix(found: pd.DataFrame, declined: pd.DataFrame) -> pd.DataFrame:
    """One row per bucket and code: declines, their part of the bucket's, and how many attempts there were in all."""
    named = _named(declined)
    tried = found.groupby("at")["attempts"].sum()
    own = declined.assign(code=declined["code"].astype(str).where(declined["code"].isin(named), OTHER))
    counts = own.groupby(["at", "code"])["attempts"].sum()
    names = [*named, *([OTHER] if OTHER in set(own["code"]) else [])]
    table = []
    for at in tried.index:
        here = [int(counts.get((at, name), 0)) for name in names]
        for name, number in zip(names, here, strict=True):
            part = number / sum(here) if sum(here) else 0.0
            table.append((at, name, number, part, int(tried[at]), sum(here) / int(tried[at])))
    return pd.DataFrame(table, columns=["at", "code", "declines", "share", "attempts", "declined"])


def _change(data: pd.DataFrame, cut: str) -> str:
    """How the share of declines moved from the first whole months to the last; nothing where there are few."""
    rates = data.drop_duplicates("at")
    if cut != "month" or len(rates) < 6:
        return ""
    sides = [part["declined"].mul(part["attempts"]).sum() / part["attempts"].sum() for part in (rates[:3], rates[-3:])]
    way = "rose" if sides[1] > sides[0] else "fell"
    if words.share(sides[0]) == words.share(sides[1]):
        return ""
    return f"; declines {way} from {words.share(sides[0])} of attempts to {words.share(sides[1])}"


def _told(declined: pd.DataFrame, total: int) -> str:
    sums = declined.astype({"code": str}).groupby("code")["attempts"].sum()
    return ", ".join(f"{meaning(code)} {words.share(int(sums[code]) / total)}" for code in _named(declined))


def _plot(data: pd.DataFrame, theme: Theme, cut: str) -> Any:
    names = list(dict.fromkeys(data["code"]))
    colours = {name: theme.quiet if name == OTHER else theme.series[i] for i, name in enumerate(names)}
    shown = data.assign(colour=data["code"].map(colours), top=data.groupby("at")["share"].cumsum())
    shown["bottom"] = shown["top"] - shown["share"]
    shown["tip"] = [
        f"{it.at:{_DAY}}: {_of(it.code)} {words.share(it.share)} ({words.count(it.declines)} declines)"
        for it in each(shown)
    ]
    width = INNER - _BESIDE - _LEFT
    gap = 2 if cut == "month" else 10
    days = alt.Axis(format=AXIS[cut], labelAngle=0, labelOverlap="greedy", labelSeparation=gap)
    x = alt.X("at:O", timeUnit=_UNIT[cut], title=None, axis=days, scale=alt.Scale(paddingInner=0.12))
    bars = alt.Chart(rows(shown)).mark_bar(aria=False).encode(
        x=x, y=alt.Y("top:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(labelExpr=PERCENT,
                     values=[0, 0.25, 0.5, 0.75, 1])), y2=alt.Y2("bottom:Q"), color=colour(), tooltip=tip(),
    )  # fmt: skip
    lower = alt.layer(bars, _labels(shown, width), width=width, height=_HEIGHT)
    return alt.vconcat(_rate(data, theme, x, width), lower, spacing=14)


_DAY = "%e %b %Y"
_UNIT: dict[str, Any] = {"day": "utcyearmonthdate", "week": "utcyearmonthdate", "month": "utcyearmonth"}


def _rate(data: pd.DataFrame, theme: Theme, x: alt.X, width: float) -> Any:
    """Declines as part of attempts, with the last value."""
    rates = data.drop_duplicates("at").copy()
    rates["tip"] = [
        f"{it.at:{_DAY}}: {words.share(it.declined)} of {words.count(it.attempts)} attempts declined"
        for it in each(rates)
    ]
    highest = max(float(rates["declined"].max()) * 1.15, 0.001)
    y = alt.Y("declined:Q", title=None, scale=alt.Scale(domain=[0, highest]),
              axis=alt.Axis(labelExpr=PERCENT, tickCount=2, grid=True))  # fmt: skip
    top = x.copy()
    top["axis"] = None
    base = alt.Chart(rows(rates)).encode(x=top, y=y)
    line = base.mark_line(color=theme.ink, strokeWidth=2, aria=False)
    dots = base.mark_point(color=theme.ink, size=36, filled=True, opacity=1).encode(tooltip=tip())
    last = rates.iloc[-1]
    label = (
        alt.Chart(alt.Data(values=[{"text": f"{words.share(last['declined'])} of attempts"}]))
        .mark_text(align="left", baseline="middle", fontWeight="bold", color=theme.ink)
        .encode(
            x=alt.XValue(width + 10),
            y=alt.YValue(_RATE_HEIGHT * (1 - float(last["declined"]) / highest)),
            text=alt.Text("text:N"),
        )
    )
    return alt.layer(line, dots, label, width=width, height=_RATE_HEIGHT)


def _labels(shown: pd.DataFrame, width: float) -> Any:
    """What each colour is, and its part of all declines, beside the last column."""
    last = shown[shown["at"] == shown["at"].max()].copy()
    middles = _HEIGHT * (1 - (last["top"] + last["bottom"]) / 2)
    sums, total = shown.groupby("code")["declines"].sum(), int(shown["declines"].sum())
    parts = [f"{words.share(int(sums[it.code]) / total)} {_short(it.code)}" for it in each(last)]
    last["text"] = [words.fit(part, _BESIDE - 10) for part in parts]
    last["place"] = apart(list(middles), 8, _HEIGHT - 8, 20)
    return alt.Chart(rows(last)).mark_text(align="left", baseline="middle", fontWeight="bold").encode(
        x=alt.XValue(width + 10), y=alt.Y("place:Q", axis=None, scale=None), text=alt.Text("text:N"),
        color=colour(), tooltip=tip(),
    )  # fmt: skip


def _short(code: str) -> str:
    """The meaning without what comes after its first comma or colon, where that says enough."""
    return "others" if code == OTHER else meaning(code).replace("partner: ", "").split(":", maxsplit=1)[0]


def _of(code: str) -> str:
    return "others" if code == OTHER else f"{meaning(code)} ({code})"
