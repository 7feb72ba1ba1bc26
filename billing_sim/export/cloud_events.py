"""`--as events`: the log as JSON lines, each line a CloudEvents 1.0 event in structured JSON.

`id` is unique within `source`; `type` is the kind; `subject` is the person as people read it, or `world`; `time` is
when it happened; `data` holds when it became known and the columns that the kind uses. In order of time.
"""

from __future__ import annotations

from billing_sim import events
from billing_sim.export.contract import Lines, Total, columns

_MOMENT = "strftime({}, '%Y-%m-%dT%H:%M:%S.%fZ')"


def cloud_events(identity: str, is_whole: bool, own_kinds: tuple[events.Kind, ...] = ()) -> Lines:
    """The file for a run with this identity digest; a whole log is compared with the facts, a sample with itself.

    `own_kinds` are those that a user's own processes have written.
    """
    issued = "invoices WHERE NOT is_imported" if is_whole else "events WHERE kind = 'invoice.issued'"
    return Lines(
        "events",
        _query(f"urn:billing-sim:{identity}", (*events.EVENTS, *own_kinds)), columns("""
            type VARCHAR
            data STRUCT(currency VARCHAR, amount_minor BIGINT)
        """),
        "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM world_events)",
        (Total("issued", "CASE type WHEN 'invoice.issued' THEN amount_minor ELSE 0 END", issued, "amount_minor"),),
        reading="type, unnest(data)",
        staged=_staged(),
    )  # fmt: skip


def _staged() -> str:
    """Both kinds of events, in no order; who has no subscriber is the world."""
    log, world = (", ".join(f'"{it.name}"' for it in its) for its in (events.COLUMNS, events.WORLD_COLUMNS))
    return f"SELECT {log} FROM events UNION ALL BY NAME SELECT {world} FROM world_events"


def _query(source: str, kinds: tuple[events.Kind, ...]) -> str:
    data = [f"WHEN '{kind.name}' THEN {_data(kind.columns, world=False)}" for kind in kinds]
    data += [f"WHEN '{kind.name}' THEN {_data(kind.columns, world=True)}" for kind in events.WORLD_EVENTS]
    return f"""
    SELECT to_json({{
        'specversion': '1.0', 'id': coalesce(subscriber || '-', 'world-') || sequence, 'source': '{source}',
        'type': kind, 'time': {_MOMENT.format("occurred_at")},
        'subject': CASE WHEN subscriber IS NULL THEN 'world' ELSE person(subscriber) END,
        'datacontenttype': 'application/json', 'data': CASE kind {" ".join(data)} END}})
    FROM (SELECT * FROM staged ORDER BY occurred_at, subscriber NULLS FIRST, sequence)
    """


def _data(names: tuple[str, ...], *, world: bool) -> str:
    """What a kind says, as a JSON object: the columns of its own, nothing that it leaves empty by its nature."""
    moments = {it.name for it in (events.WORLD_COLUMNS if world else events.COLUMNS) if it.storage == "timestamp"}
    shared = ["recorded_at"] if world else ["subscriber", "sequence", "recorded_at"]
    fields = [f"'{name}', " + (_MOMENT.format(name) if name in moments else _value(name)) for name in (*shared, *names)]
    return f"json_object({', '.join(fields)})"


def _value(name: str) -> str:
    return "CAST(detail AS JSON)" if name == "detail" else f'"{name}"'
