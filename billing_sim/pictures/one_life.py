"""What happened to one subscriber: lanes of time, and the hardest part of it in words."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import altair as alt
import pandas as pd

from billing_sim import clock, people
from billing_sim.errors import QueryError, RunError
from billing_sim.pictures import words
from billing_sim.pictures.asked import Asked
from billing_sim.pictures.board import Board
from billing_sim.pictures.charts import each, rows, tip
from billing_sim.pictures.figure import Figure
from billing_sim.pictures.life_lanes import COLUMNS, LANES, things
from billing_sim.pictures.theme import INNER, SMALL, Theme

LINES = 10
"""Sentences told below the lanes."""

_LEFT, _LANE, _LINE = 124, 34, 21


def draw(asked: Asked) -> Figure:
    """A person's facts on an axis of time (UTC), and what the story tells of the invoice that failed most often.

    Without a subscriber, the first whose invoice took most attempts until it was paid.
    """
    subscriber, story = _who(asked)
    data = things(asked, subscriber)
    if data.empty:
        raise QueryError(f"{people.describe(subscriber)} did nothing in this run that could be drawn.")
    if asked.truth:
        data = pd.concat([data, _sealed(story)], ignore_index=True)
    told, when = _told(asked, subscriber, story)
    name = people.describe(subscriber)
    lanes = [lane for lane in LANES if lane in set(data["lane"])]
    return Figure(
        "one_life", _title(asked, name, subscriber),
        f"Every invoice, attempt and message of {name}, days in UTC. {when}",
        f"Lanes of time: {', '.join(f'{lane} {(data.lane == lane).sum()}' for lane in lanes)}. "
        + " ".join(f"{day}: {text}" for day, text in told),
        data, lambda theme: _plot(data, lanes, told, theme, asked),
    )  # fmt: skip


def _who(asked: Asked) -> tuple[int, Any]:
    """The subscriber's number and story; no story where the run withholds what telling it takes."""
    whom = asked.subscriber if asked.subscriber is not None else _somebody(asked)
    try:
        story = asked.run.trace(whom, truth=asked.truth)
    except RunError:
        if asked.truth:
            raise
        return people.parse(whom) if isinstance(whom, str) else int(whom), None
    return int(story.subscriber), story


def _somebody(asked: Asked) -> int:
    found = asked.run.sql(
        "SELECT subscriber FROM invoices WHERE first_failed_at IS NOT NULL "
        "ORDER BY status = 'paid' DESC, least(attempts, 6) DESC, subscriber LIMIT 1"
    )
    if found.empty:
        found = asked.run.sql("SELECT subscriber FROM invoices ORDER BY subscriber LIMIT 1")
    if found.empty:
        raise QueryError("The picture one_life needs a subscriber, and nobody was billed in this run.")
    return int(found["subscriber"].iloc[0])


def _title(asked: Asked, name: str, subscriber: int) -> str:
    it = next(each(asked.run.sql(
        "SELECT count(*) AS invoices, count_if(first_failed_at IS NOT NULL) AS failed, "
        "count_if(first_failed_at IS NOT NULL AND status = 'paid') AS mended, coalesce(sum(attempts), 0) AS attempts "
        f"FROM invoices WHERE subscriber = {subscriber}"
    )))  # fmt: skip
    ends = asked.run.sql(f"SELECT end_reason FROM subscriptions WHERE subscriber = {subscriber} ORDER BY spell")
    reason = "" if ends.empty else str(ends["end_reason"].iloc[-1])
    left = {"nonpayment": "; lost for non-payment", "voluntary": "; left by choice"}.get(
        reason, "; left in payment trouble" if reason == "payment_trouble" else ""
    )
    if not it.invoices:
        return f"{name} was never billed{left}"
    if not it.failed:
        return f"{name} had {_counted(it.invoices, 'invoice')}, none of which failed{left}"
    later = {0: " and never got paid", it.failed: f" and {'was' if it.failed == 1 else 'were'} paid later"}
    mended = later.get(it.mended, f", {it.mended} of them paid later")
    return f"{name}: {it.failed} of {_counted(it.invoices, 'invoice')} failed{mended}{left}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _sealed(story: Any) -> pd.DataFrame:
    found = [
        ("In truth", clock.moment_of(it.at), None, "quiet", it.text)
        for it in story.entries if it.is_sealed
    ]  # fmt: skip
    made = pd.DataFrame(found, columns=list(COLUMNS))
    return made.assign(at=pd.to_datetime(made["at"], utc=True), end=pd.to_datetime(made["end"], utc=True))


def _told(asked: Asked, subscriber: int, story: Any) -> tuple[list[tuple[str, str]], str]:
    """Days and sentences of the invoice with most attempts among those that failed, and a sentence that says so."""
    if story is None:
        return [], ""
    found = asked.run.sql(
        "SELECT invoice, first_failed_at AS at, coalesce(paid_at, given_up_at) AS closed FROM invoices "
        f"WHERE subscriber = {subscriber} AND first_failed_at IS NOT NULL ORDER BY attempts DESC, invoice LIMIT 1"
    )
    entries = list(story.entries)
    when = "Below: how the story begins."
    if not found.empty:
        it = next(each(found))
        begin = clock.micros(_aware(it.at)) - clock.HOUR
        end = clock.micros(_aware(it.closed or asked.frame.as_of)) + clock.HOUR
        entries = [entry for entry in entries if begin <= entry.at <= end]
        when = f"Below: what happened while invoice {it.invoice} was failing."
    if len(entries) > LINES:
        when += f" {LINES} of {len(entries)} sentences."
        entries = [*entries[: LINES - 2], *entries[-2:]]
    days = [f"{words.day(clock.moment_of(entry.at))}" for entry in entries]
    return [(day, entry.text) for day, entry in zip(days, entries, strict=True)], when


def _aware(moment: Any) -> Any:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _plot(data: pd.DataFrame, lanes: list[str], told: list[tuple[str, str]], theme: Theme, asked: Asked) -> Any:
    tones = {"good": theme.good, "bad": theme.bad, "mended": theme.green, "quiet": theme.quiet}
    shown = data.assign(colour=data["tone"].map(tones))
    shown["tip"] = [f"{words.day(it.at)}: {it.text}" for it in each(shown)]
    upper = _lanes(shown, lanes, theme, asked)
    if not told:
        return upper
    board = Board(theme, _LINE * len(told), INNER - _LEFT)
    for place, (day, text) in enumerate(told):
        y = _LINE * (place + 0.5)
        fitted = words.fit(text, board.width, SMALL, bold=False)
        board.words([{"x": -8, "y": y, "text": day, "colour": theme.quiet}], size=SMALL, align="right")
        board.words([{"x": 0, "y": y, "text": fitted, "colour": theme.ink}], size=SMALL)
    return alt.vconcat(upper, board.chart(), spacing=22).resolve_scale(x="independent", y="independent")


def _lanes(shown: pd.DataFrame, lanes: list[str], theme: Theme, asked: Asked) -> Any:
    span = asked.frame.start - timedelta(days=1), asked.frame.as_of + timedelta(hours=1)
    domain = [f"{it:%Y-%m-%dT%H:%M:%SZ}" for it in span]
    days = alt.Axis(format="%e %b", labelFlush=True, labelOverlap="greedy", tickCount=7, grid=True)
    x = alt.X("at:T", title=None, scale=alt.Scale(type="utc", domain=domain, nice=False, clamp=True), axis=days)
    y = alt.Y("lane:N", sort=lanes, title=None, scale=alt.Scale(domain=lanes),
              axis=alt.Axis(labelColor=theme.ink, minExtent=_LEFT - 16))  # fmt: skip
    ink = alt.Color("colour:N", scale=None, legend=None)
    bars = alt.Chart(rows(shown[shown["end"].notna()])).mark_bar(height=12, aria=False).encode(
        x=x, x2=alt.X2("end:T"), y=y, color=ink, tooltip=tip()
    )  # fmt: skip
    shape = alt.Shape("shape:N", scale=None, legend=None)
    moments = shown[shown["end"].isna()].assign(shape=lambda it: it["tone"].map(_SHAPES))
    points = alt.Chart(rows(moments)).mark_point(filled=True, size=80, opacity=1, aria=False).encode(
        x=x, y=y, color=ink, shape=shape, tooltip=tip()
    )  # fmt: skip
    return alt.layer(bars, points, width=INNER - _LEFT, height=_LANE * len(lanes))


_SHAPES = {"good": "circle", "bad": "cross", "mended": "triangle-up", "quiet": "diamond"}
"""What went well, what did not, and the rest are told apart by shape too."""
