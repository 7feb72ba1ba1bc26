"""`billing_sim.dunning`: dunning policies ranked on the same failed invoices.

>>> billing_sim.dunning("scenarios/first_month.yaml", presets="generic,smart")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from billing_sim.crew import usual_workers
from billing_sim.dunning_ranking.policies import candidates
from billing_sim.dunning_ranking.ranking import Cost, Ranking, Setting
from billing_sim.dunning_ranking.scores import MICROS
from billing_sim.errors import QueryError
from billing_sim.given import with_checked_arguments
from billing_sim.scenario import load
from billing_sim.scenario.model import Scenario
from billing_sim.simulate import compile_first
from billing_sim.truth.worlds import shared_in
from billing_sim.world.compile import compile_world

ORACLE_DAYS = 30
MOST_ORACLE_DAYS = 90
COSTS_IN = "USD"
ATTEMPT_COST = Decimal("0.05")
NOTICE_COST = Decimal("0.01")
"""Assumed, both in `COSTS_IN`: nobody publishes what an attempt or a message costs a large merchant."""

Report = Callable[[int, int], None]
"""Told people simulated and people in all, over all seeds."""


@with_checked_arguments
def dunning(
    path: str | Path,
    *,
    presets: str | Sequence[str] | None = None,
    policies: str | Path | Sequence[str | Path] = (),
    members: int | None = None,
    seed: int | None = None,
    seeds: int = 1,
    oracle_days: int = ORACLE_DAYS,
    attempt_cost: Decimal | float | str | None = None,
    notice_cost: Decimal | float | str | None = None,
    workers: int | None = None,
    report: Report | None = None,
) -> Ranking:
    """Rank dunning policies on the invoices that fail in a scenario, each played out under every policy.

    `presets` are names of shipped policies, "all" or "none", `policies` files (also scenarios with policies) or names
    of your own; with neither, all presets are ranked. The scenario's own rules always take part. `members` and the
    first of so many `seeds` replace those of the scenario; the oracle looks for one retry that succeeds within
    `oracle_days`; costs are in the reporting currency, by default 0.05 and 0.01 US dollars at the scenario's rate.

    InputError for a file that cannot be used, QueryError for a question that makes no sense.
    """
    _check(seeds, oracle_days, workers)
    given = [policies] if isinstance(policies, str | Path) else [*policies]
    first = load(path, members=members, seed=seed).scenario
    costs = _cost(attempt_cost, ATTEMPT_COST, first), _cost(notice_cost, NOTICE_COST, first)
    chosen = candidates(first, presets, given)
    compile_first(lambda _: None)
    from billing_sim.dunning_ranking.playing import play

    played = []
    for i in range(seeds):
        scenario = first.model_copy(update={"seed": first.seed + i})
        played.append(play(scenario, chosen, oracle_days, workers or usual_workers(), _part(report, i, seeds)))
    shared = tuple(shared_in(compile_world(first)))
    return Ranking(Setting(first, oracle_days, *costs, shared), chosen, played)


def _part(report: Report | None, place: int, seeds: int) -> Report:
    """Progress of one seed as a part of all."""
    if report is None:
        return lambda _, __: None
    return lambda done, total: report(place * total + done, seeds * total)


def _check(seeds: int, oracle_days: int, workers: int | None) -> None:
    if seeds < 1:
        raise QueryError(f"{seeds} seeds are none; use 1 at least.")
    if not 1 <= oracle_days <= MOST_ORACLE_DAYS:
        raise QueryError(f"The oracle cannot look {oracle_days} days ahead; use 1 to {MOST_ORACLE_DAYS}.")
    if workers is not None and workers < 1:
        raise QueryError(f"{workers} workers are none; use 1 at least.")


def _cost(given: Decimal | float | str | None, assumed: Decimal, scenario: Scenario) -> Cost:
    """What was given, or what is assumed, in whole millionths of the reporting currency."""
    if given is None:
        return Cost(_in_millionths(assumed * _rate(scenario)), is_assumed=True)
    try:
        cost = Decimal(str(given))
    except InvalidOperation:
        raise QueryError(f"{given} is no cost; write an amount of the reporting currency, as in 0.05.") from None
    if not cost.is_finite() or not 0 <= cost <= 10**6:
        raise QueryError(f"{given} is no cost; write an amount from 0 to 1,000,000 of the reporting currency.")
    if cost != (counted := _in_millionths(cost)):
        nearest = max(counted, Decimal(1) / MICROS)
        raise QueryError(f"{given} has too many decimals: costs count in millionths. Write {nearest:f}, for example.")
    return Cost(cost, is_assumed=False)


def _rate(scenario: Scenario) -> Decimal:
    """What the assumed costs' currency is worth in the reporting currency; QueryError where the scenario does not say.

    A rate of 1 is that of the defaults, which are in US dollars, and says nothing about another currency.
    """
    currency = scenario.reporting_currency
    if currency != COSTS_IN and scenario.exchange_rates.get(COSTS_IN, 1) == 1:
        raise QueryError(
            f"Costs are assumed in {COSTS_IN}, of which this scenario has no exchange rate to {currency}. Say what an "
            f"attempt and a message cost in {currency} (--attempt-cost and --notice-cost, or attempt_cost and "
            f"notice_cost), or add {COSTS_IN} to its exchange_rates."
        )
    return scenario.rate(COSTS_IN)


def _in_millionths(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1) / MICROS)
