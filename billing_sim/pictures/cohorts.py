"""Who is still a member after so many months, by month of joining."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from billing_sim.errors import QueryError
from billing_sim.metrics.frame import literal
from billing_sim.pictures import words
from billing_sim.pictures.asked import Asked
from billing_sim.pictures.charts import colour, each, rows, tip
from billing_sim.pictures.figure import Figure
from billing_sim.pictures.theme import INNER, SMALL, Theme, blend, contrast

MOST = 12
"""Cohorts and ages shown: the latest cohorts, and the first ages."""

_LEFT, _CELL = 150, 34
_BASE = "Before the run"


def draw(asked: Asked) -> Figure:
    """New subscriptions by the month in which they began, and the part in force at the end of each later month."""
    data = _retention(asked)
    joined = data[data["cohort"] != _BASE]
    if joined.empty:
        raise QueryError("The picture cohorts needs people who joined in a whole month of the run; nobody did.")
    oldest = joined[joined["cohort"] == joined["cohort"].iloc[0]]
    last = oldest.iloc[-1]
    after = "at the end of that month" if not last["age"] else f"{last['age']} {_months(last['age'])} later"
    return Figure(
        "cohorts",
        f"Of those who joined in {last['cohort']}, {words.share(last['share'])} are still members {after}",
        "Part of the subscriptions that began in a month and are in force so many months after its end; 0 is that "
        f"month itself. {_BASE}: everybody who was a member when it began.",
        "Heat map of retention by month of joining. "
        + " ".join(_told(cohort, part) for cohort, part in data.groupby("cohort", sort=False)),
        data, lambda theme: _plot(data, theme),
    )  # fmt: skip


def _months(number: int) -> str:
    return "month" if number == 1 else "months"


def _told(cohort: Any, part: pd.DataFrame) -> str:
    last = part.iloc[-1]
    return f"{cohort}: {words.share(last['share'])} of {words.count(int(last['began']))} after {last['age']}."


def _retention(asked: Asked) -> pd.DataFrame:
    """One row per cohort and age in months: how many began, how many are left, and the share."""
    first, end = asked.frame.whole_months
    found = asked.run.sql(
        "WITH began AS (SELECT subscriber, spell, date_trunc('month', started_at)::DATE AS cohort, started_by "
        "FROM subscriptions WHERE started_by IN ('new', 'imported')) "
        "SELECT started_by = 'imported' AS is_base, CASE WHEN started_by = 'new' THEN cohort END AS cohort, month, "
        "count_if(active_at_end) AS here FROM began JOIN subscription_months USING (subscriber, spell) "
        f"WHERE month >= {literal(first)} AND month < {literal(end)} GROUP BY ALL ORDER BY ALL"
    )
    sizes = asked.run.sql(
        "SELECT started_by = 'imported' AS is_base, CASE WHEN started_by = 'new' THEN "
        "date_trunc('month', started_at)::DATE END AS cohort, count(*) AS began FROM subscriptions "
        "WHERE started_by IN ('new', 'imported') GROUP BY ALL"
    )
    begun = {(bool(it.is_base), str(it.cohort)): int(it.began) for it in each(sizes)}
    months = sorted({it.month for it in each(found)})
    table = []
    for is_base, cohort in [(True, None), *((False, month) for month in months[-MOST:])]:
        size = begun.get((is_base, str(cohort)), 0)
        here = {
            it.month: it.here for it in each(found) if bool(it.is_base) == is_base and (is_base or it.cohort == cohort)
        }
        since = months[0] if is_base else cohort
        for month in [it for it in months if it >= since][:MOST]:
            if size:
                age = (month.year - since.year) * 12 + month.month - since.month
                left = int(here.get(month, 0))
                table.append((_BASE if is_base else words.month(cohort), age, size, left, left / size))
    return pd.DataFrame(table, columns=["cohort", "age", "began", "left", "share"])


def _plot(data: pd.DataFrame, theme: Theme) -> Any:
    low = min(float(data["share"].min()), 0.999)
    shown = data.assign(
        text=[words.share(it, 0 if it < 0.995 or it == 1 else 1).removesuffix(" %") for it in data["share"]],
        name=[f"{it.cohort}  ({words.count(it.began)})" for it in each(data)],
        strength=(data["share"] - low) / (1 - low),
        tip=[
            f"{it.cohort}: {words.count(it.left)} of {words.count(it.began)} still members ({words.share(it.share)}), "
            f"{it.age} months on" for it in each(data)
        ],
    )  # fmt: skip
    shown["colour"] = [blend(theme.faint, theme.good, it) for it in shown["strength"]]
    shown["ink"] = [max((theme.paper, theme.ink), key=lambda ink: contrast(ink, it)) for it in shown["colour"]]
    order = list(dict.fromkeys(shown["name"]))
    ages = int(shown["age"].max()) + 1
    base = alt.Chart(rows(shown)).encode(
        x=alt.X("age:O", title="Months after the month of joining", axis=alt.Axis(orient="top", labelAngle=0)),
        y=alt.Y("name:N", title=None, sort=order, axis=alt.Axis(labelLimit=_LEFT)),
    )
    cells = base.mark_rect(stroke=theme.paper, strokeWidth=2, aria=False).encode(color=colour(), tooltip=tip())
    numbers = base.mark_text(fontSize=SMALL).encode(text=alt.Text("text:N"), color=colour("ink"))
    width = min(INNER - _LEFT, max(ages, 3) * 62)
    both = alt.layer(cells, numbers, width=width, height=_CELL * len(order))
    return both.resolve_scale(color="independent")
