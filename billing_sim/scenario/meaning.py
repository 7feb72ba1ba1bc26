"""The list of everything that a scenario is checked for beyond the types of its values.

Adding a promise is adding a function to `CHECKS`; its first docstring line is what the documentation says of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from billing_sim.errors import Problem
from billing_sim.scenario.checks import (
    campaigns,
    dunning,
    expectations,
    experiments,
    fraud,
    goals,
    load,
    names,
    people,
    plans,
    prices,
    promotions,
    refunds,
    saying,
    shares,
    support,
    times,
)
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
    prices.shipped_rates_are_in_the_reporting_currency,
    prices.changed_rates_are_in_use,
    prices.prices_are_amounts,
    prices.plans_are_priced,
    prices.changed_prices_are_sold,
    prices.prices_change_once_a_day,
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
    expectations.expectations_measure_something,
    expectations.expectations_have_bounds,
    dunning.steps_ascend,
    dunning.nothing_comes_after_the_end,
    people.methods_have_failures,
    people.launched_methods_have_failures,
    people.attention_grows_on_hold,
    people.paydays_have_one_calendar,
    people.returns_accumulate,
    people.decline_codes_are_known,
    people.decline_codes_are_complete,
    # Plans and money.
    plans.trials_last_whole_days,
    plans.trials_that_end_exist,
    plans.habits_add_up,
    plans.reversals_have_a_change,
    plans.tax_changes_fit,
    plans.divided_prices_are_exact,
    promotions.promotions_take_off_one_thing,
    promotions.discounts_are_amounts,
    promotions.promotions_exist,
    # Refunds and disputes.
    refunds.claims_name_what_exists,
    refunds.claims_fit_into_the_whole,
    refunds.claims_take_their_time,
    refunds.fees_are_amounts,
    refunds.least_cost_has_fees,
    refunds.networks_are_known,
    refunds.caps_have_a_length,
    refunds.faults_fit,
    # Fraud and authentication.
    fraud.challenges_add_up,
    fraud.scores_ascend,
    fraud.waits_ascend,
    fraud.attacked_gateways_exist,
    fraud.bins_are_known,
    fraud.screened_markets_exist,
    fraud.launched_markets_are_empty,
    fraud.something_is_left_to_pay_with,
    fraud.payment_events_fit,
    # Gateways under load.
    load.exploration_has_a_reason,
    load.issuer_outages_fit,
    # Support.
    support.support_shares_add_up,
    support.channels_have_one_desk,
    support.shifts_have_a_length,
    support.staffing_has_a_desk,
    support.support_markets_exist,
    # People and what they say.
    saying.reasons_add_up,
    saying.exit_surveys_have_reasons,
    saying.returns_of_serial_churners_accumulate,
    saying.notices_find_a_channel,
    saying.offers_fit,
    # Campaigns.
    campaigns.borrowers_add_up,
    campaigns.cards_fit_into_the_whole,
    campaigns.crackdowns_have_somebody_to_restrict,
    campaigns.campaigns_name_what_exists,
    campaigns.campaigns_lie_within_the_run,
    # Experiments.
    experiments.arms_add_up,
    experiments.enrolment_has_places,
    experiments.enrolment_has_time,
    experiments.experiments_fit,
)


def examine(tree: Mapping) -> Iterator[Problem]:
    """Every problem that any check finds in a composed tree."""
    for check in CHECKS:
        yield from check(tree)
