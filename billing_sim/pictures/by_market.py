"""A metric by month in each market, beside the whole."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from billing_sim.errors import QueryError
from billing_sim.metrics.engine import dimensions
from billing_sim.pictures import words
from billing_sim.pictures.asked import Asked
from billing_sim.pictures.charts import each, heading, rows, tip
from billing_sim.pictures.figure import Figure
from billing_sim.pictures.measure import Measure
from billing_sim.pictures.theme import INNER, SMALL, Theme

METRIC = "payment_success_rate"
"""What is drawn when nothing is said."""

MOST, COLUMNS = 16, 4
_LEFT, _SPACE, _HEIGHT = 52, 18, 84


def draw(asked: Asked) -> Figure:
    """`run.metric(metric, by=["market", "month"])`: with 95 % intervals."""
    measure = Measure(asked.metric or METRIC, asked.currency)
    if not {"market", "month"} <= set(dimensions(measure.definition)):
        raise QueryError(f"{measure.id} cannot be split by market and month, so by_market cannot draw it.")
    data = _months(asked, measure)
    totals = _totals(asked, measure)
    totals = totals[totals["market"].isin(set(data["market"]))]
    if totals.empty:
        raise QueryError(f"There is no month in which {measure.id} is known, so by_market has nothing to draw.")
    shown = totals.nlargest(MOST, "units", keep="first").sort_values("value", kind="stable")
    left_out = len(totals) - len(shown)
    only = f" The {len(shown)} largest of {len(totals)} markets." if left_out else ""
    early = " No month is over yet: these values may still change." if data["partial"].any() else ""
    return Figure(
        "by_market", _title(shown, measure),
        f"{measure.definition.question} By month; the number is that of the whole run, with its 95 % interval as a "
        f"band. Grey: all markets together.{only}{early}",
        f"Small multiples of {measure.title.lower()} by month. "
        + " ".join(f"{it.market}: {measure.value(it.value)}." for it in each(shown)),
        data[data["market"].isin(set(shown["market"]) | {""})].reset_index(drop=True),
        lambda theme: _plot(data, shown, theme, measure),
    )  # fmt: skip


def _months(asked: Asked, measure: Measure) -> pd.DataFrame:
    """One row per market and month with value and interval; the whole run's rows have no market.

    Months that are not over are left out, unless there is no other.
    """
    parts = asked.run.metric(measure.id, by=["market", "month"])
    whole = asked.run.metric(measure.id, by="month").assign(market="")
    kept = ["market", "month", "value", "low", "high", "units"]
    both = pd.concat([pd.DataFrame(it)[[*kept, "partial"]] for it in (parts, whole)], ignore_index=True)
    both = both[both["value"].notna()]
    whole_months = both[~both["partial"]]
    both = (both if whole_months.empty else whole_months)[[*kept, "partial"]]
    return both.assign(month=pd.to_datetime(both["month"])).sort_values(["market", "month"]).reset_index(drop=True)


def _totals(asked: Asked, measure: Measure) -> pd.DataFrame:
    found = pd.DataFrame(asked.run.metric(measure.id, by="market"))[["market", "value", "low", "high", "units"]]
    return found[found["value"].notna()].reset_index(drop=True)


def _title(shown: pd.DataFrame, measure: Measure) -> str:
    low, high = shown.iloc[0], shown.iloc[-1]
    texts = [f"{it['market']} ({measure.value(it['value'])})" for it in (low, high)]
    if len(shown) == 1:
        return f"{measure.title} in {texts[0]}"
    if low["high"] >= high["low"]:
        return f"{measure.title} does not differ beyond chance between {texts[0]} and {texts[1]}"
    return f"{measure.title} is lowest in {texts[0]} and highest in {texts[1]}"


def _plot(data: pd.DataFrame, shown: pd.DataFrame, theme: Theme, measure: Measure) -> Any:
    drawn = data[data["market"].isin(set(shown["market"]) | {""})]
    low, high = float(drawn["value"].min()), float(drawn["value"].max())
    room = max((high - low) * 0.12, abs(high) * 1e-3, 1e-9)
    top = min(1.0, high + room) if measure.is_share else high + room
    columns = min(COLUMNS, len(shown))
    width = min((INNER - _LEFT - _SPACE * (columns - 1)) / columns, 320)
    scale = alt.Scale(domain=[max(low - room, 0.0 if low >= 0 else low - room), top], nice=False, clamp=True)
    panels = [
        _panel(drawn, it, (place % columns == 0, width, scale), theme, measure)
        for place, it in enumerate(each(shown))
    ]  # fmt: skip
    return alt.concat(*panels, columns=columns, spacing={"row": 58, "column": _SPACE}, bounds="flush")


def _panel(data: pd.DataFrame, it: Any, form: Any, theme: Theme, measure: Measure) -> Any:
    """One market: its line and band, the whole behind it in grey, and its value over the whole run as heading."""
    is_first, width, scale = form
    own = data[data["market"] == it.market].copy()
    own["tip"] = [f"{it.market}, {at.month:%b %Y}: {measure.value(at.value)}" for at in each(own)]
    months = sorted(set(data["month"]))
    span = [f"{month:%Y-%m-%dT00:00:00Z}" for month in (months[0], months[-1])]
    ticks = alt.Axis(format="%b", values=span if len(months) > 1 else span[:1], labelAlign=alt.expr(_EDGES),
                     labelFontSize=SMALL, offset=2)  # fmt: skip
    across = alt.Scale(type="utc", domain=span) if len(months) > 1 else alt.Scale(type="utc")
    x = alt.X("month:T", title=None, axis=ticks, scale=across)
    y = alt.Y("value:Q", title=None, scale=scale,
              axis=alt.Axis(labelExpr=measure.axis, tickCount=3, grid=True, labels=is_first))  # fmt: skip
    grey = (
        alt.Chart(rows(data[data["market"] == ""]))
        .mark_line(color=theme.quiet, opacity=0.7, aria=False)
        .encode(x=x, y=y)
    )
    base = alt.Chart(rows(own)).encode(x=x)
    band = base.mark_area(color=theme.blue, opacity=0.2, aria=False, clip=True).encode(
        y=alt.Y("low:Q", scale=scale), y2=alt.Y2("high:Q")
    )
    line = base.mark_line(color=theme.blue, strokeWidth=2.5, aria=False).encode(y=y)
    dots = base.mark_point(color=theme.blue, filled=True, opacity=1, size=28).encode(y=y, tooltip=tip())
    text = f"{words.fit(it.market, width - 80)}  {measure.value(it.value)}"
    return alt.layer(grey, band, line, dots, heading(text, theme.ink), width=width, height=_HEIGHT)


_EDGES = "datum.index === 0 ? 'left' : 'right'"
"""The first month's name begins at the left edge of a panel, the last one's ends at the right."""
