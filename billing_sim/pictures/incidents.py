"""What went wrong in the world and was announced: outages of gateways and issuers, and releases taken back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from billing_sim import clock
from billing_sim.pictures import words
from billing_sim.pictures.asked import Asked


@dataclass(frozen=True)
class Incident:
    """From when to when (UTC, without zone), of which gateway (empty: of none or all), and in words."""

    start: datetime
    end: datetime
    gateway: str
    name: str

    @property
    def lasted(self) -> str:
        """How long, as people say it."""
        hours = (self.end - self.start) / timedelta(hours=1)
        return f"{hours:.3g} h" if hours < 72 else f"{hours / 24:.3g} days"

    @property
    def label(self) -> str:
        """What, when and how long."""
        return f"{self.name}, {words.day(self.start)}, {self.lasted}"


def incidents(asked: Asked) -> list[Incident]:
    """Those that began within the run, in order."""
    source = asked.run.known_at(None)
    found = [it for event in source.world_events() if (it := _incident(event, asked.frame.as_of))]
    return sorted(found, key=lambda it: (it.start, it.name))


def _incident(event: dict[str, Any], last: datetime) -> Incident | None:
    start, gateway, market = _utc(event["occurred_at"]), event.get("gateway") or "", event.get("market") or ""
    until = _utc(event["until"]) if event.get("until") is not None else last
    if event["kind"] == "gateway_outage.started":
        return Incident(start, min(until, last), gateway, f"outage of {gateway}")
    if event["kind"] == "issuer_outage.started":
        return Incident(start, min(until, last), "", f"issuers out{f' in {market}' if market else ''}")
    if event["kind"] == "deploy.rolled_back":
        since = json.loads(event.get("detail") or "{}").get("live_since")
        where = f" at {gateway}" if gateway else ""
        return Incident(_utc(since), start, gateway, f"bad release{where}") if since else None
    return None


def _utc(micros: int) -> datetime:
    return clock.moment_of(int(micros)).astimezone(UTC).replace(tzinfo=None)
