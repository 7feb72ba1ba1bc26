"""How many failed renewals are paid, by days since they failed, and what mended them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import altair as alt
import pandas as pd

from billing_sim.errors import QueryError
from billing_sim.pictures import words
from billing_sim.pictures.asked import Asked
from billing_sim.pictures.charts import PERCENT, apart, colour, each, rows, tip
from billing_sim.pictures.figure import Figure
from billing_sim.pictures.theme import INNER, SIZE, Theme

WAYS = {"retry": "a retry", "member": "the member", "backup": "a backup method", "updater": "a card update"}
"""What mends a failure, from the bottom of the picture up."""

EARLY = 7
"""Days of which the title tells."""

_HEIGHT, _BESIDE = 330, 190


def draw(asked: Asked) -> Figure:
    """Renewals that failed and whose dunning is over, as `recovery_rate@count` counts them."""
    found = asked.run.sql(
        "SELECT status = 'paid' AS paid, recovered_by AS way, date_diff('second', first_failed_at, paid_at) AS seconds,"
        f" count(*) AS invoices FROM invoices WHERE NOT is_signup AND first_failed_at IS NOT NULL AND {asked.matured} "
        "GROUP BY ALL"
    )
    failed = int(found["invoices"].sum())
    if not failed:
        raise QueryError("The picture retry_yield needs failed renewals whose dunning is over; there are none.")
    data = _curve(found[found["paid"]], failed, _days(asked.frame.dunning))
    last = data[data["day"] == data["day"].max()].set_index("way")
    early = data[data["day"] == EARLY].set_index("way")
    retried, all_paid = int(last["paid"]["retry"]), int(last["paid"].sum())
    soon = f", {words.share(int(early['paid']['retry']) / retried)} of it within {EARLY} days" if retried else ""
    parts = "; ".join(f"{name}: {words.count(int(last['paid'][way]))}" for way, name in WAYS.items())
    return Figure(
        "retry_yield",
        f"Retries bring back {words.share(retried / failed)} of failed renewals{soon}",
        f"Of {words.count(failed)} renewals that failed and whose dunning is over, the part paid by then, and what "
        f"mended it. In the end {words.share(all_paid / failed)} were paid.",
        f"Stacked curves by days since the failure. Of {words.count(failed)} failed renewals were mended in the end by "
        f"{parts}.",
        data, lambda theme: _plot(data, theme),
    )  # fmt: skip


def _days(dunning: timedelta) -> int:
    return max(EARLY, -(-dunning // timedelta(days=1)))


def _curve(paid: pd.DataFrame, failed: int, most: int) -> pd.DataFrame:
    """One row per day and way: invoices mended so by the end of that day after the failure.

    The last day holds all that came later: payments that returned and were paid again.
    """
    table = []
    for day in range(most + 1):
        by_then = paid[paid["seconds"] <= 86_400 * day] if day < most else paid
        for way in WAYS:
            count = int(by_then["invoices"][by_then["way"] == way].sum())
            table.append((day, way, count, count / failed))
    return pd.DataFrame(table, columns=["day", "way", "paid", "share"])


def _plot(data: pd.DataFrame, theme: Theme) -> Any:
    stacked = data.assign(
        top=data.groupby("day")["share"].cumsum(),
        colour=data["way"].map(dict(zip(WAYS, theme.series, strict=False))),
    )
    stacked["bottom"] = stacked["top"] - stacked["share"]
    stacked["tip"] = [
        f"{words.share(it.share)} mended by {WAYS[it.way]} within {it.day} days ({words.count(it.paid)})"
        for it in each(stacked)
    ]
    most = int(stacked["day"].max())
    highest = max(float(stacked["top"].max()) * 1.08, 0.01)
    x = alt.X("day:Q", title="Days since the payment failed", scale=alt.Scale(domain=[0, most], nice=False),
              axis=alt.Axis(values=list(range(0, most + 1, 7)), grid=False))  # fmt: skip
    y = alt.Y("top:Q", title=None, scale=alt.Scale(domain=[0, highest], nice=False),
              axis=alt.Axis(labelExpr=PERCENT, grid=True, tickCount=5))  # fmt: skip
    base = alt.Chart(rows(stacked))
    area = base.mark_area(opacity=0.9, interpolate="step-after", aria=False).encode(
        x=x, y=y, y2=alt.Y2("bottom:Q"), color=colour(), detail=alt.Detail("way:N")
    )
    sensors = base.mark_rect(opacity=0).encode(x=x, y=y, y2=alt.Y2("bottom:Q"), tooltip=tip()).transform_calculate(
        end="datum.day + 1"
    ).encode(x2=alt.X2("end:Q"))  # fmt: skip
    week = alt.Chart(alt.Data(values=[{"day": EARLY}])).mark_rule(strokeDash=[3, 3], color=theme.ink).encode(x=x)
    return alt.layer(area, week, sensors, _labels(stacked, highest), width=INNER - _BESIDE - 48, height=_HEIGHT)


def _labels(stacked: pd.DataFrame, highest: float) -> Any:
    """What each band is, at its right end."""
    ends = stacked[(stacked["day"] == stacked["day"].max()) & (stacked["paid"] > 0)].copy()
    middles = _HEIGHT * (1 - (ends["top"] + ends["bottom"]) / 2 / highest)
    ends["place"] = apart(list(middles), 8, _HEIGHT - 8, 20)
    ends["text"] = [f"{words.share(it.share)} by {WAYS[it.way]}" for it in each(ends)]
    width = INNER - _BESIDE - 48
    return alt.Chart(rows(ends)).mark_text(align="left", baseline="middle", fontSize=SIZE, fontWeight="bold").encode(
        x=alt.XValue(width + 10), y=alt.Y("place:Q", axis=None, scale=None), text=alt.Text("text:N"), color=colour()
    )  # fmt: skip
