"""Amounts at the exchange rates of the run's start: a twin `x_constant` for every column `x_micros` of a fact.

Facts hold amounts in the reporting currency at the rate of their day. So that a falling currency is not taken for lost
business, a metric may ask for constant rates; its amounts are then computed anew from the native ones, row by row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from billing_sim.facts.rates import constant_rates, schedules
from billing_sim.facts.schema import Fact

SUFFIX = "_constant"
_NATIVE = {
    "amount": "amount_minor", "tax": "tax_minor", "mrr_start": "net_start_minor", "mrr_end": "net_end_minor",
    "refunded": "refunded_minor", "chargeback": "chargeback_minor",
}  # fmt: skip
"""The native amount behind each amount in the reporting currency."""

_PER_MONTH = ("mrr_start", "mrr_end")


def twins(fact: Fact) -> list[str]:
    """The amounts of a fact that can be had at constant rates, without their suffix."""
    known = {column.name for column in fact.columns}
    return [name for name, native in _NATIVE.items() if {f"{name}_micros", native, "currency"} <= known]


def made_from(name: str) -> frozenset[str]:
    """The columns that it takes to value a twin."""
    periods = ("interval",) if name in _PER_MONTH else ()
    return frozenset({f"{name}_micros", _NATIVE[name], "currency", *periods})


def columns(fact: Fact, world_events: Sequence[dict[str, Any]], known: Collection[str] | None = None) -> str:
    """The twins of a fact as SQL, each with a comma before it; equal to the originals where rates stood still.

    Where only some columns of the fact are `known`, those that can be made from them.
    """
    still = all(len(steps) == 1 for steps in schedules(world_events).values())
    rates = constant_rates(world_events)
    made = [name for name in twins(fact) if known is None or made_from(name) <= {*known}]
    return "".join(f", {_at(name, rates, still)} AS {name}{SUFFIX}" for name in made)


def _at(name: str, rates: dict[str, tuple[int, int]], still: bool) -> str:
    if still or not rates:
        return f"{name}_micros"
    denominator = next(iter(rates.values()))[1]
    factor = " ".join(f"WHEN '{currency}' THEN {numerator}" for currency, (numerator, _) in rates.items())
    product = f"{_NATIVE[name]}::HUGEINT * (CASE currency {factor} END)"
    micros = f"(({product} + {denominator // 2}) // {denominator})"
    if name in _PER_MONTH:
        times, parts = (
            f'CASE "interval" WHEN {case} END' for case in ("'week' THEN 52 ELSE 1", "'month' THEN 1 ELSE 12")
        )
        micros = f"({micros} * {times} // {parts})"
    return f"{micros}::BIGINT"
