"""How one month's value of a metric looked from day to day until it was final."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import altair as alt
import pandas as pd

from billing_sim.errors import QueryError
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import dimensions
from billing_sim.pictures import words
from billing_sim.pictures.asked import Asked
from billing_sim.pictures.charts import apart, colour, each, rows, tip
from billing_sim.pictures.figure import Figure
from billing_sim.pictures.measure import Measure
from billing_sim.pictures.theme import INNER, SIZE, Theme

METRIC = "payment_success_rate"
"""What is drawn when nothing is said."""

DAYS = (-14, -7, 0, 3, 7, 14, 21, 28)
"""When the value is looked at, in days after the end of its month; the day on which it is final comes last."""

NEAR = 0.001
"""How near to the final value counts as settled: a tenth of a percentage point, or a part of the value."""

_ALIKE = 3
_HEIGHT, _BESIDE, _LEFT = 300, 250, 58


def draw(asked: Asked) -> Figure:
    """`run.metric(…, as_of=…)` of one month, for a metric and those of its variants that differ in when units count.

    The month is the last one whose value is final when the run ends. For each day the people live again, so that what
    became known later is not in it; that takes some seconds a day.
    """
    measure = Measure(asked.metric or METRIC, asked.currency)
    alike = _variants(measure.definition)
    month, end, final_at = _month(asked, measure.definition)
    data = _looked_at(asked, [it.id for it in alike], month, end, final_at)
    final = _value(asked, measure.id, month, None)
    if final is None or data["value"].notna().sum() == 0:
        raise QueryError(f"The picture maturity cannot be drawn: {measure.id} is undefined in {words.month(month)}.")
    data["final"] = final
    names = _names(alike)
    return Figure(
        "maturity", _title(data, measure, month, final),
        f"{measure.title} of {words.month(month)} as it looked so many days after the end of that month. Final: "
        f"{measure.value(final)}.",
        f"Lines by day. Final value of {words.month(month)}: {measure.value(final)}. " + _told(data, names, measure),
        data, lambda theme: _plot(data, final, theme, measure, names),
    )  # fmt: skip


def _variants(it: Definition) -> list[Definition]:
    """The metric and its neighbours on the axis of maturity alone; a variant stands for itself."""
    near = [other for other in shipped().variants(it.id) if tuple(other.axis) == ("maturity",)]
    return [it, *([] if it.is_variant else near[:_ALIKE])]


_WORDS = {"as_of": "all, at once", "closed": "closed ones only", "to_date": "all, to date"}


def _names(alike: list[Definition]) -> dict[str, str]:
    """How each line is called: the metric itself by what it waits for, a variant by its name."""
    first, *others = alike
    what = f"{first.id.rpartition('@')[2].replace('_', ' ')}" if first.is_variant else "final ones only"
    return {first.id: what} | {it.id: _WORDS.get(_variant(it), words.plain(_variant(it))) for it in others}


def _variant(it: Definition) -> str:
    return it.id.rpartition("@")[2]


def _month(asked: Asked, it: Definition) -> tuple[datetime, datetime, datetime]:
    """The last whole month that is final in this run, its end, and when it is."""
    if "month" not in dimensions(it):
        raise QueryError(f"{it.id} cannot be split by month, so the picture maturity cannot draw it.")
    waits = {"settlement": asked.frame.settlement, "none": asked.frame.dunning, "month": timedelta(0)}
    wait = max(waits.get(it.matures, asked.frame.dunning), timedelta(days=7))
    first, end = asked.frame.whole_months
    while end > first:
        month = (end - timedelta(days=1)).replace(day=1)
        if end + wait <= asked.frame.as_of:
            return month, end, end + wait
        end = month
    raise QueryError("The picture maturity needs a whole month whose dunning is over; this run is too short.")


def _looked_at(asked: Asked, metrics: list[str], month: datetime, end: datetime, final_at: datetime) -> pd.DataFrame:
    """One row per day and metric; NaN where nothing could be said yet."""
    moments = [end + timedelta(days=day) for day in DAYS if end + timedelta(days=day) < final_at]
    table = []
    for moment in [*moments, final_at]:
        if moment <= max(asked.frame.start, month):
            continue
        found = pd.DataFrame(asked.run.metric(metrics, by="month", as_of=moment))
        here = found[found["month"] == f"{month:%Y-%m}"]
        values = {it.metric: it.value for it in each(here)}
        day = (moment - end) / timedelta(days=1)
        table += [(day, metric, values.get(metric)) for metric in metrics]
    return pd.DataFrame(table, columns=["day", "metric", "value"]).astype({"value": "float64"})


def _value(asked: Asked, metric: str, month: datetime, moment: datetime | None) -> float | None:
    found = pd.DataFrame(asked.run.metric(metric, by="month", as_of=moment))
    here = found[found["month"] == f"{month:%Y-%m}"]["value"].dropna()
    return None if here.empty else float(here.iloc[0])


def _title(data: pd.DataFrame, measure: Measure, month: datetime, final: float) -> str:
    """Which way of counting was most wrong as the month ended, and since when it is about right."""
    early = data[(data["day"] == 0) & data["value"].notna()]
    if early.empty:
        return f"{measure.title} of {words.month(month)} could not be told when the month ended"
    gaps = early["value"] - final
    worst = early.iloc[int(gaps.abs().to_numpy().argmax())]
    gap = float(worst["value"]) - final
    if abs(gap) <= NEAR * (1 if measure.is_share else abs(final)):
        return f"{measure.title} of {words.month(month)} was as good as final when the month ended"
    settled = _settled(data[data["metric"] == worst["metric"]], final, measure)
    way = "low" if gap < 0 else "high"
    return (
        f"When {words.month(month)} ended its {measure.title[:1].lower()}{measure.title[1:]} could look "
        f"{measure.difference(gap)} too {way}{settled}"
    )


def _settled(own: pd.DataFrame, final: float, measure: Measure) -> str:
    bound = NEAR * (1 if measure.is_share else abs(final))
    days = sorted(own["day"])
    wrong = [it.day for it in each(own) if it.value is not None and abs(it.value - final) > bound]
    after = [day for day in days if not wrong or day > max(wrong)]
    return f"; {after[0]:.0f} days later it was right" if after else ""


def _told(data: pd.DataFrame, names: dict[str, str], measure: Measure) -> str:
    told = []
    for metric, name in names.items():
        own = [
            f"{measure.value(it.value)} on day {it.day:.0f}"
            for it in each(data)
            if it.metric == metric and it.value is not None
        ]
        told.append(f"{name}: {', '.join(own) or 'nothing'}.")
    return " ".join(told)


def _plot(data: pd.DataFrame, final: float, theme: Theme, measure: Measure, names: dict[str, str]) -> Any:
    colours = {metric: theme.series[place] for place, metric in enumerate(names)}
    shown = data.assign(colour=data["metric"].map(colours))
    shown["tip"] = [
        f"{names[it.metric]}, day {it.day:.0f}: {measure.value(it.value) if it.value is not None else 'nothing yet'}"
        for it in each(shown)
    ]
    width = INNER - _BESIDE - _LEFT
    values = [*shown["value"].dropna(), final]
    room = max(0.08 * (max(values) - min(values)), 1e-3 * abs(final), 1e-9)
    low, high = min(values) - room, max(values) + room
    days = sorted(set(shown["day"]))
    x = alt.X("day:Q", title="Days after the end of the month", scale=alt.Scale(domain=[days[0], days[-1]], nice=False),
              axis=alt.Axis(values=[-14, -7, 0, 7, 14, 21, 28, 35, 42], format="d"))  # fmt: skip
    y = alt.Y("value:Q", title=None, scale=alt.Scale(domain=[low, high], nice=False),
              axis=alt.Axis(labelExpr=measure.axis, tickCount=5, grid=True))  # fmt: skip
    base = alt.Chart(rows(shown)).encode(x=x, y=y, color=colour(), detail=alt.Detail("metric:N"))
    line = base.mark_line(strokeWidth=2.5, aria=False)
    dots = base.mark_point(filled=True, size=55, opacity=1).encode(tooltip=tip())
    level = alt.Chart(alt.Data(values=[{"value": final}])).mark_rule(strokeDash=[4, 4], color=theme.ink).encode(y=y)
    ended = alt.Chart(alt.Data(values=[{"day": 0}])).mark_rule(color=theme.quiet, opacity=0.6).encode(x=x)
    return alt.layer(level, ended, line, dots, _labels(shown, names, (low, high, width)), width=width, height=_HEIGHT)


def _labels(shown: pd.DataFrame, names: dict[str, str], form: Any) -> Any:
    """Each line's name beside its end; where they end together, in the order in which they came."""
    low, high, width = form
    ends = shown[shown["value"].notna()].groupby("metric", sort=False).tail(1).copy()
    ends["text"] = [words.fit(names[it.metric], _BESIDE - 14) for it in each(ends)]
    means = shown.groupby("metric")["value"].mean()
    aim = [0.98 * it.value + 0.02 * float(means[it.metric]) for it in each(ends)]
    ends["place"] = apart([_HEIGHT * (1 - (it - low) / (high - low)) for it in aim], 8, _HEIGHT - 8, 20)
    return alt.Chart(rows(ends)).mark_text(align="left", baseline="middle", fontSize=SIZE, fontWeight="bold").encode(
        x=alt.XValue(width + 12), y=alt.Y("place:Q", axis=None, scale=None), text=alt.Text("text:N"), color=colour()
    )  # fmt: skip
