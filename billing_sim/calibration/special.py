"""The worlds that figures are compared in: a scenario, and changes of it that some figures need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from billing_sim.calibration.published import MAIN
from billing_sim.calibration.worlds import Ground
from billing_sim.errors import QueryError
from billing_sim.metrics.names import unknown
from billing_sim.money import EXPONENTS
from billing_sim.scenario.values import price_minor

RISE = Decimal("1.1")
"""A price rise of a tenth: what was common in the years of the figures."""

_AT_EVERY_HOUR = [{"channels": ["chat", "phone", "email"], "shifts": [{"hours": [0, 24], "agents": 20}]}]

Change = Callable[[Ground], Mapping[str, Any]]


def _under(policy: str) -> Change:
    """Every renewal under one dunning policy, and nothing on the timeline."""
    return lambda _: {"timeline": [], "dunning": [{"use": policy}]}


def _rise(on: Ground, market: str, added: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Only a price rise in one market, announced in the first month."""
    scenario = on.scenario()
    prices = scenario.markets[market].prices
    currency = scenario.markets[market].currency
    raised = {plan: _price(price_minor(price, currency) * RISE, currency) for plan, price in prices.items()}
    entry = {"kind": "price_change", "at": f"{scenario.start + timedelta(days=14):%Y-%m-%d}", "market": [market],
             "prices": raised}  # fmt: skip
    return {"timeline": [entry | ({"added_churn": added} if added else {})]}


def _price(minor: Decimal, currency: str) -> str:
    digits = EXPONENTS[currency]
    return f"{minor.quantize(Decimal(1), ROUND_HALF_UP).scaleb(-digits):.{digits}f} {currency}"


def _years(on: Ground) -> Mapping[str, Any]:
    """A year longer, so that whoever leaves in the first is followed for a year."""
    end = on.scenario().end
    return {"timeline": [], "end": f"{end.replace(year=end.year + 1, day=min(end.day, 28)):%Y-%m-%d}"}


WORLDS: dict[str, tuple[str, Change]] = {
    MAIN: ("the scenario as it is", lambda _: {}),
    "calm": ("nothing on the timeline", lambda _: {"timeline": []}),
    "generic": ("generic dunning for everybody, nothing on the timeline", _under("generic")),
    "smart": ("smart dunning for everybody, nothing on the timeline", _under("smart")),
    "netflix_like": ("netflix_like dunning for everybody, nothing on the timeline", _under("netflix_like")),
    "years": ("a year longer, nothing on the timeline", _years),
    "rise": (
        "only a price rise by a tenth in the US, which adds 0.95 points to churn",
        lambda on: _rise(on, "US", {"points": "0.95%", "months": 3}),
    ),
    "drawn_rise": (
        "only a price rise by a tenth in the US, whose effect is drawn", lambda on: _rise(on, "US", None),
    ),
    "disputing": (
        "disputes as by default, nothing on the timeline",
        lambda on: {"timeline": []} | ({} if on.content.get("disputes") else {"disputes": {}}),
    ),
    "served": (
        "a support desk as by default, with agents enough at every hour, nothing on the timeline",
        lambda _: {"timeline": [], "support": {"desks": _AT_EVERY_HOUR}},
    ),
}  # fmt: skip
"""By name: what the world is, and how a scenario becomes it."""


def change_of(name: str, on: Ground) -> Mapping[str, Any]:
    """What is laid over a scenario to make a world of it; QueryError for an unknown one."""
    if name not in WORLDS:
        raise QueryError(unknown("world", name, WORLDS))
    return WORLDS[name][1](on)
