"""Facts about what people say and what reaches them, the slow way, for `naive_facts`."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def on_notice(life: list[Row], row: Row) -> Row:
    """What became of a notice: it is followed at once by its own failure, or opened before the next of its channel."""
    after = life[life.index(row) + 1 :]
    bounced = bool(after) and after[0]["kind"] == "notice.undelivered"
    opened = None
    for later in after if not bounced else []:
        if later["invoice"] != row["invoice"] or later["channel"] != row["channel"]:
            continue
        if later["kind"] == "notice.sent" and not _bounced(life, later):
            break
        if later["kind"] == "notice.opened":
            opened = later["occurred_at"]
            break
    return {"channel": row["channel"], "delivered": not bounced, "opened_at": opened}


def _bounced(life: list[Row], sent: Row) -> bool:
    after = life[life.index(sent) + 1 :]
    return bool(after) and after[0]["kind"] == "notice.undelivered"


def on_subscription(life: list[Row], start: Row) -> Row:
    """Why who cancelled said they did."""
    said = [row for row in life if row["kind"] == "exit_survey.answered" and row["spell"] == start["spell"]]
    return {"stated_reason": said[-1]["reason"] if said else "none"}


def survey(life: list[Row], row: Row) -> Row:
    """One survey; nobody has two under way."""
    following = [r for r in life if r["kind"].startswith("survey.") and r["sequence"] > row["sequence"]]
    answer = following[0] if following and following[0]["kind"] == "survey.answered" else None
    if answer and answer["spell"] != row["spell"]:
        answer = None
    return {
        "invoice": row["invoice"], "kind": "nps" if row["score"] == 10 else "csat", "about": row["reason"],
        "sent_at": row["occurred_at"], "recorded_at": row["recorded_at"],
        "answered_at": answer["occurred_at"] if answer else None, "score": answer["score"] if answer else -1,
    }  # fmt: skip


def offer(life: list[Row], row: Row) -> Row:
    """One offer."""
    end = next(r for r in life if r["kind"] == "subscription.canceled" and r["spell"] == row["spell"])
    later = [r for r in life if r["kind"] == "subscription.created" and r["spell"] > row["spell"]]
    return {
        "offer": row["reason"], "coupon": "none", "channel": row["channel"],
        "sent_at": row["occurred_at"], "recorded_at": row["recorded_at"], "valid_until": row["period_end"],
        "ended_at": end["occurred_at"], "end_reason": end["reason"],
        "returned_at": later[0]["occurred_at"] if later else None,
    }  # fmt: skip
