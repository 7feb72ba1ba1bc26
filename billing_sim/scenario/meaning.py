"""The list of everything that a scenario is checked for beyond the types of its values.

Adding a promise is adding a function to `CHECKS`; its first docstring line is what the documentation says of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from billing_sim.errors import Problem
from billing_sim.scenario.checks import dunning, goals, names, people, prices, saying, shares, times
from billing_sim.scenario.nodes import Mapping

Check = Callable[[Mapping], Iterator[Problem]]

CHECKS: tuple[Check, ...] = (
    times.days_are_in_order,
    times.zones_exist,
    times.timeline_is_in_range,
    times.billing_hours_ascend,
    times.percentiles_ascend,
    times.windows_have_a_length,
    shares.markets_add_up,
    shares.mixes_add_up,
    shares.paydays_add_up,
    shares.causes_add_up,
    shares.routing_adds_up,
    prices.currencies_exist,
    prices.exchange_rates_are_complete,
    prices.changed_rates_are_in_use,
    prices.prices_are_amounts,
    prices.plans_are_priced,
    prices.changed_prices_are_sold,
    prices.revenue_can_be_counted,
    names.gateways_exist,
    names.markets_exist,
    names.policies_exist,
    names.routing_covers_everyone,
    names.dunning_covers_everyone,
    names.names_differ,
    names.locales_exist,
    names.interventions_fit,
    goals.goals_can_be_judged,
    goals.deadlines_come_after_the_start,
    dunning.steps_ascend,
    dunning.nothing_comes_after_the_end,
    people.methods_have_failures,
    people.attention_grows_on_hold,
    people.paydays_have_one_calendar,
    people.returns_accumulate,
    people.decline_codes_are_known,
    people.decline_codes_are_complete,
    # Plans and money.
    # Refunds and disputes.
    # Fraud and authentication.
    # Gateways under load.
    # Support.
    # People and what they say.
    saying.reasons_add_up,
    saying.exit_surveys_have_reasons,
    saying.returns_of_serial_churners_accumulate,
    saying.notices_find_a_channel,
    saying.offers_fit,
    # Campaigns.
    # Experiments.
)


def examine(tree: Mapping) -> Iterator[Problem]:
    """Every problem that any check finds in a composed tree."""
    for check in CHECKS:
        yield from check(tree)
