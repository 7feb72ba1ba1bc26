"""What measures share: who a question is about, and moments as DuckDB reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import TypeAlias

from billing_sim.calibration.worlds import Lived
from billing_sim.scenario.model import Scenario

Measure: TypeAlias = Callable[..., float | None]
"""Of a lived world and what the row says in `of`; None where it is undefined."""

RENEWALS = "NOT is_signup AND NOT is_imported AND NOT is_verification AND amount_minor > 0"
"""Invoices that renew a subscription, issued within the run, with something to pay."""


def needs(scenario: Scenario, region: str = "", market: str = "") -> str:
    """Why a scenario cannot answer a question about a region or market; empty when it can."""
    if market and market not in scenario.markets:
        return f"the scenario has no market {market}"
    if region and region not in {it.region for it in scenario.markets.values()}:
        return f"the scenario has no market in {region}"
    return ""


def of_whom(
    region: str = "", market: str = "", method: str = "", methods: Sequence[str] = (), without: Sequence[str] = ()
) -> str:
    """The SQL condition for a region, a market and payment methods."""
    said = [f"{name} = '{value}'" for name, value in (("region", region), ("market", market)) if value]
    chosen = [method] if method else list(methods)
    if chosen:
        said.append(f"method IN {listed(chosen)}")
    if without:
        said.append(f"method NOT IN {listed(without)}")
    return " AND ".join(said) or "true"


def listed(words: Iterable[str]) -> str:
    """Words as a list in SQL."""
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


def day(it: date) -> str:
    """The beginning of a day."""
    return f"TIMESTAMP '{it:%Y-%m-%d}'"


def before_end(world: Lived, days: int) -> str:
    """The moment so many days before the end, until which what takes so long is known."""
    return day(world.scenario.end - timedelta(days=days))


def months_of(world: Lived) -> str:
    """The months that lie wholly within the run, as a condition on `month`."""
    first, end = world.scenario.start, world.scenario.end
    return f"month >= DATE '{first:%Y-%m-%d}' AND month + INTERVAL 1 MONTH <= DATE '{end:%Y-%m-%d}'"
