"""What a company knows of its own rules, releases and launches, as world events. Attacks it has to find out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from billing_sim import clock
from billing_sim.scenario.fraud import (
    Authentication,
    AuthenticationRule,
    Deploy,
    FraudRule,
    MarketLaunch,
    MethodLaunch,
    MethodWithdrawal,
)
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.fraud import authentication_of, changed_by

Announcement = dict[str, Any]


def fraud_announcements(world: CompiledWorld) -> Iterator[Announcement]:
    """Rules of authentication and of the fraud screen, releases, launches and withdrawals."""
    yield from _authentication(world)
    yield from _fraud(world)
    for entry in world.scenario.timeline:
        if isinstance(entry, Deploy):
            yield from _deploy(entry)
        elif isinstance(entry, MethodLaunch | MethodWithdrawal):
            kind = "launched" if isinstance(entry, MethodLaunch) else "withdrawn"
            share = {"share_ppm": _ppm(entry.share)} if isinstance(entry, MethodLaunch) else {}
            detail = _detail(method=entry.method)
            for market in entry.market or world.markets:
                yield {"kind": f"payment_method.{kind}", "market": market, "detail": detail, **_at(entry.at), **share}
        elif isinstance(entry, MarketLaunch):
            for market in entry.market:
                yield {"kind": "market.launched", "market": market, "share_ppm": _ppm(entry.signups), **_at(entry.at)}


def _at(moment: Any) -> Announcement:
    at = clock.micros(moment)
    return {"occurred_at": at, "recorded_at": at}


def _detail(**values: Any) -> str:
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def _ppm(share: Decimal) -> int:
    return int(share * 1_000_000)


def _authentication(world: CompiledWorld) -> Iterator[Announcement]:
    rules = sorted((it for it in world.scenario.timeline if isinstance(it, AuthenticationRule)), key=lambda it: it.at)
    for market in world.markets:
        current = authentication_of(world.names, market)
        if current is not None:
            yield _authenticated(market, current)
        for rule in rules:
            if not rule.market or market in rule.market:
                current = changed_by(current, rule)
                yield _authenticated(market, current) | _at(rule.at)


def _authenticated(market: str, it: Authentication) -> Announcement:
    return {
        "kind": "authentication_rule.put_in_force", "market": market, "share_ppm": _ppm(it.required * (1 - it.exempt)),
        "detail": _detail(exempt_ppm=_ppm(it.exempt)),
    }  # fmt: skip


def _fraud(world: CompiledWorld) -> Iterator[Announcement]:
    fraud = world.scenario.fraud
    if fraud is None:
        return
    rules = sorted((it for it in world.scenario.timeline if isinstance(it, FraudRule)), key=lambda it: it.at)
    for market in fraud.market or world.markets:
        block, review = fraud.block_above, fraud.review_above
        yield _screened(market, block, review)
        for rule in rules:
            if not rule.market or market in rule.market:
                block = block if rule.block_above is None else rule.block_above
                review = review if rule.review_above is None else rule.review_above
                yield _screened(market, block, review) | _at(rule.at)


def _screened(market: str, block: int, review: int) -> Announcement:
    detail = _detail(block_above=block, review_above=review)
    return {"kind": "fraud_rule.put_in_force", "market": market, "detail": detail}


def _deploy(deploy: Deploy) -> Iterator[Announcement]:
    markets: list[str | None] = [*deploy.market] if deploy.market else [None]
    for market in markets:
        where = {"market": market, "gateway": deploy.gateway}
        yield {"kind": "deploy.released", "detail": _detail(), **where, **_at(deploy.at)}
        if deploy.duration is not None:
            since = clock.micros(deploy.at)
            back = {"occurred_at": since + deploy.duration, "recorded_at": since + deploy.duration}
            yield {"kind": "deploy.rolled_back", "detail": _detail(live_since=since), **where, **back}
