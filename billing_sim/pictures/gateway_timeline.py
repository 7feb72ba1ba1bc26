"""Success of each gateway by day, what another gateway had to take, and when something was broken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import altair as alt
import pandas as pd

from billing_sim.errors import QueryError
from billing_sim.metrics.frame import literal
from billing_sim.pictures import words
from billing_sim.pictures.asked import Asked
from billing_sim.pictures.charts import PERCENT, Rows, each, heading, rows, tip
from billing_sim.pictures.figure import Figure
from billing_sim.pictures.incidents import Incident, incidents
from billing_sim.pictures.theme import INNER, SMALL, Theme

MOST = 5
"""Gateways with a row of their own, the busiest."""

ENOUGH = 20
"""Attempts from which a day has a dot of its own."""

FAILOVER = "Taken over by another gateway"
_LEFT, _HEIGHT, _LABELLED = 58, 74, 6


def draw(asked: Asked) -> Figure:
    """Attempts above 0 that a gateway answered: by day, and as the mean of seven days."""
    data = _days(asked)
    if data.empty:
        raise QueryError("The picture gateway_timeline needs payments that a gateway answered; this run has none.")
    busiest = data.groupby("gateway", sort=False)["attempts"].sum().sort_values(ascending=False, kind="stable")
    names = list(busiest.index[:MOST])
    found = incidents(asked)
    shown = pd.concat([data[data["gateway"].isin(names)], _taken_over(data)], ignore_index=True)
    only = f" The {MOST} busiest of {len(busiest)} gateways." if len(busiest) > MOST else ""
    overall = {name: _rate(data[data["gateway"] == name]) for name in names}
    return Figure(
        "gateway_timeline", _title(asked, found, overall),
        f"Part of the answered attempts that brought money. Dots: days with {ENOUGH} attempts or more; lines: seven "
        f"days. Each gateway has a scale of its own. {'Shaded: incidents.' if found else 'No incidents.'}{only}",
        "Lines of success by day for each gateway. "
        + " ".join(f"{name}: {words.share(rate)}." for name, rate in overall.items())
        + "".join(f" Incident: {it.label}." for it in found),
        shown, lambda theme: _plot(shown, names, found, theme, asked),
    )  # fmt: skip


_SUMS = (
    "count(*) AS attempts, count_if(outcome = 'authorized' AND NOT was_returned) AS good, "
    "count_if(failed_calls > 0) AS taken_over "
    "FROM attempts WHERE amount_micros <> 0 AND outcome <> 'blocked' AND gateway IS NOT NULL"
)
"""What is summed, over which attempts: those that some gateway answered."""


def _days(asked: Asked) -> pd.DataFrame:
    """One row per gateway and day: attempts, how many brought money, how many another gateway had failed before."""
    return asked.run.sql(
        f"SELECT gateway::VARCHAR AS gateway, date_trunc('day', occurred_at)::TIMESTAMP AS at, {_SUMS} "
        "GROUP BY ALL ORDER BY ALL"
    )


def _taken_over(data: pd.DataFrame) -> pd.DataFrame:
    """The same of all gateways, counting what another one had failed before."""
    if not data["taken_over"].sum():
        return data.iloc[:0]
    sums = data.groupby("at", as_index=False)[["attempts", "taken_over"]].sum()
    return sums.assign(gateway=FAILOVER, good=sums["taken_over"])[list(data.columns)]


def _rate(part: pd.DataFrame) -> float:
    return int(part["good"].sum()) / int(part["attempts"].sum())


def _title(asked: Asked, found: list[Incident], overall: dict[str, float]) -> str:
    longest = max((it for it in found if it.gateway), key=lambda it: it.end - it.start, default=None)
    told = _during(asked, longest) if longest else ""
    if told:
        return told
    if len(overall) == 1:
        name, rate = next(iter(overall.items()))
        return f"{words.share(rate)} of what {name} was asked succeeded"
    low, high = min(overall, key=lambda it: overall[it]), max(overall, key=lambda it: overall[it])
    return (
        f"{words.plain(high)} succeeds most often ({words.share(overall[high])}), "
        f"{words.plain(low)} least ({words.share(overall[low])})"
    )


def _during(asked: Asked, it: Incident) -> str:
    """How attempts fared while it lasted, against all other hours."""
    found = asked.run.sql(
        f"SELECT occurred_at >= {literal(it.start)} AND occurred_at < {literal(it.end)} AS during, {_SUMS} GROUP BY ALL"
    )
    sides = {bool(side.during): side for side in each(found)}
    if set(sides) != {True, False}:
        return ""
    during, else_ = (sides[key].good / sides[key].attempts for key in (True, False))
    moved = sides[True].taken_over / sides[True].attempts
    over = f"{words.share(moved)} of attempts had to go elsewhere, and " if sides[True].taken_over else ""
    return f"During the {it.name} {over}{words.share(during)} succeeded, against {words.share(else_)} otherwise"


def _plot(data: pd.DataFrame, names: list[str], found: list[Incident], theme: Theme, asked: Asked) -> Any:
    width, panels = INNER - _LEFT, []
    span = [asked.frame.start, asked.frame.as_of]
    domain = [f"{it:%Y-%m-%dT%H:%M:%SZ}" for it in span]
    least = (span[1] - span[0]) / 200
    order = [*names, *([FAILOVER] if FAILOVER in set(data["gateway"]) else [])]
    for place, name in enumerate(order):
        own = _smooth(data[data["gateway"] == name])
        bounds = [0.0, max(float(own["rate"].max()) * 1.1, 0.001)] if name == FAILOVER else _domain(own)
        here = [it for it in found if name == FAILOVER or it.gateway in ("", name)]
        is_last = place == len(order) - 1
        panels.append(_row(own, name, (width, domain, bounds, is_last, least), here, theme))
    labels = _labels(found, width, span, theme)
    return alt.vconcat(*([labels] if labels is not None else []), *panels, spacing=34, bounds="flush")


def _domain(own: pd.DataFrame) -> list[float]:
    """From a little below the worst day that has a dot, or the worst week, to a little above the best."""
    seen = pd.concat([own["dot"], own["mean"]]).dropna()
    low, high = float(seen.min()), float(seen.max())
    room = max(0.12 * (high - low), 0.005)
    return [max(0.0, low - room), min(1.0, high + room)]


def _smooth(own: pd.DataFrame) -> pd.DataFrame:
    """A row for each day, with the rate of the seven days around it, each attempt counting once."""
    days = pd.date_range(own["at"].min(), own["at"].max(), freq="D")
    made = own.set_index("at")[["attempts", "good"]].reindex(days, fill_value=0)
    around = made.rolling(7, center=True, min_periods=1).sum()
    made = made.assign(rate=made["good"] / made["attempts"], mean=around["good"] / around["attempts"])
    made["dot"] = made["rate"].where(made["attempts"] >= ENOUGH)
    made["tip"] = [
        f"{day.day} {day:%b %Y}: {words.share(row.rate)} of {words.count(row.attempts)}" if row.attempts else ""
        for day, row in zip(made.index, each(made), strict=True)
    ]
    made = made.rename_axis("at").reset_index()
    return made.assign(noon=made["at"] + pd.Timedelta(hours=12), end=made["at"] + pd.Timedelta(days=1))


def _row(own: pd.DataFrame, name: str, form: Any, found: list[Incident], theme: Theme) -> Any:
    width, domain, bounds, is_last, least = form
    ink = theme.orange if name == FAILOVER else theme.blue
    days = alt.Axis(format="%e %b", labelFlush=True, labelOverlap="greedy", tickCount=6) if is_last else None
    x = alt.X("at:T", title=None, scale=alt.Scale(type="utc", domain=domain, nice=False), axis=days)
    scale = alt.Scale(domain=bounds, nice=False, clamp=True)
    axis = alt.Axis(labelExpr=PERCENT, tickCount=3, grid=True)
    base = alt.Chart(rows(own))
    if name == FAILOVER:
        drawn = [base.mark_rect(color=ink).encode(
            x=x, x2=alt.X2("end:T"), y=alt.Y("rate:Q", scale=scale, axis=axis, title=None), y2=alt.Y2Datum(0),
            tooltip=tip(),
        )]  # fmt: skip
    else:
        at_noon = x.copy()
        at_noon["shorthand"] = "noon:T"
        drawn = [
            base.mark_point(color=ink, filled=True, size=14, opacity=0.6).encode(
                x=at_noon, y=alt.Y("dot:Q", scale=scale, axis=axis, title=None), tooltip=tip()
            ),
            base.mark_line(color=ink, strokeWidth=2, aria=False).encode(
                x=at_noon, y=alt.Y("mean:Q", scale=scale, title=None)
            ),
        ]
    total = int(own["good"].sum()) / int(own["attempts"].sum())
    text = f"{words.fit(words.plain(name), width - 220)}  {words.share(total)}"
    shade = [] if not found else [_shade(found, x, least, theme)]
    return alt.layer(*shade, *drawn, heading(text, ink), width=width, height=_HEIGHT)


def _shade(found: list[Incident], x: alt.X, least: timedelta, theme: Theme) -> Any:
    """Incidents as shaded columns, none too narrow to be seen."""
    table = pd.DataFrame(
        {
            "at": [pd.Timestamp(it.start) for it in found],
            "end": [pd.Timestamp(max(it.end, it.start + least)) for it in found],
            "tip": [it.label for it in found],
        }
    )
    return (
        alt.Chart(rows(table)).mark_rect(color=theme.orange, opacity=0.3).encode(x=x, x2=alt.X2("end:T"), tooltip=tip())
    )


def _labels(found: list[Incident], width: float, span: list[Any], theme: Theme) -> Any:
    """What each incident was, above its column, each on a line of its own; the longest ones where there are many."""
    if not found:
        return None
    named = sorted(sorted(found, key=lambda it: it.start - it.end)[:_LABELLED], key=lambda it: it.start)
    table = []
    for line, it in enumerate(named):
        at = width * ((it.start - span[0]) / (span[1] - span[0]))
        text = words.fit(it.label, width - 20, SMALL)
        is_left = at + words.width(text, SMALL) < width
        table.append({"x": at if is_left else at + 4, "y": 9 + 18 * line, "text": text, "left": is_left})
    layers = []
    for is_left in (True, False):
        own = [it for it in table if it["left"] is is_left]
        if own:
            layers.append(
                alt.Chart(Rows(values=own))
                .mark_text(align="left" if is_left else "right", fontSize=SMALL, color=theme.orange, baseline="middle")
                .encode(
                    x=alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, width], nice=False)),
                    y=alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[18 * len(named), 0], nice=False)),
                    text=alt.Text("text:N"),
                )
            )  # fmt: skip
    return alt.layer(*layers, width=width, height=18 * len(named))
