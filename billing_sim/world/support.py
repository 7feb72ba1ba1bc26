"""The support desk as tables: who contacts it, how long that takes, and who is there by hour of the week."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np

from billing_sim import clock, money
from billing_sim.draws import threshold
from billing_sim.scenario.support import CHANNELS, DAYS, ContactRates, Shift, Support, SupportStaffing
from billing_sim.world.names import Names
from billing_sim.world.people import cumulative
from billing_sim.world.quantiles import exponential, interpolated
from billing_sim.world.record import AGENTS, QUANTILES, REVIEW_DESK, WEEK_HOURS

_ONCE = 1000
"""Handling times are kept in thousandths of what they are without a change of staffing."""


def fill_support(world: np.recarray, names: Names) -> None:
    """Fill everything about support, where a scenario has a desk."""
    support = names.scenario.support
    if support is None:
        return
    world.support[0] = 1
    world.shared[0] = 1
    _fill_contacts(world, names, support)
    _fill_agents(world, support)
    _fill_staff(world, names, support)


def _fill_contacts(world: np.recarray, names: Names, support: Support) -> None:
    scenario = names.scenario
    for m, code in enumerate(names.markets):
        if support.market and code not in support.market:
            continue
        own = support.by_market.get(code)
        for topic, name in enumerate(ContactRates.model_fields):
            rate = getattr(own, name, None)
            world.contact_rate[0, m, topic] = threshold(getattr(support.contact_rate, name) if rate is None else rate)
    for m, code in enumerate(names.markets):
        currency = scenario.markets[code].currency
        for c, channel in enumerate(CHANNELS):
            amount = getattr(support.cost, channel) / scenario.rate(currency) * 10 ** money.EXPONENTS[currency]
            world.contact_cost[0, m, c] = int(amount.to_integral_value(ROUND_HALF_EVEN))
    delay = support.delay
    longest = [(Decimal("0.99"), delay.p99), (Decimal(1), 2 * delay.p99)]
    world.contact_delay[0] = interpolated([(Decimal(0), delay.p50 // 16), (Decimal("0.5"), delay.p50), *longest])
    world.contact_mix[0] = cumulative([support.channels.get(channel, Decimal(0)) for channel in CHANNELS], 3)
    for c, channel in enumerate(CHANNELS):
        handling = exponential(QUANTILES, getattr(support.handling, channel))
        world.contact_handling[0, c] = np.maximum(handling, clock.SECOND)
        patience = getattr(support.patience, channel, None)
        world.contact_patience[0, c] = clock.NEVER if patience is None else exponential(QUANTILES, patience)


def _fill_agents(world: np.recarray, support: Support) -> None:
    actions, success = support.actions, support.success
    world.agent_does[0] = cumulative([actions.retry, actions.link, actions.grace, actions.explain], 4)
    world.link_works[0], world.grace_suffices[0] = threshold(success.link), threshold(success.grace)
    world.explaining_suffices[0], world.saving_works[0] = threshold(success.explain), threshold(success.save)
    world.refunding_works[:], world.goodwill_given[:] = threshold(success.refund), threshold(success.goodwill)
    world.grace_extension[0] = support.grace_extension
    world.repeat_unresolved[0] = threshold(support.repeat.after_unresolved)
    world.repeat_abandoned[0] = threshold(support.repeat.after_abandoned)
    world.repeat_within[0] = max(support.repeat.within, clock.HOUR)
    world.annoyed_cancel[0], world.annoyed_for[0] = threshold(support.annoyance.cancels), support.annoyance.lasts


def _fill_staff(world: np.recarray, names: Names, support: Support) -> None:
    """The agents of each desk in each hour of the week, anew from every moment at which staffing changes."""
    changes = [entry for entry in names.scenario.timeline if isinstance(entry, SupportStaffing)]
    spans = [(clock.micros(entry.at), clock.micros(entry.at) + entry.duration, entry) for entry in changes]
    moments = sorted({0, *(moment for begin, end, _ in spans for moment in (begin, end))})
    world.staff_epochs[0] = len(moments)
    for channel, name in enumerate(CHANNELS):
        desks = [d for d, desk in enumerate(support.desks) if name in desk.channels]
        world.desk_of[0, channel] = desks[0] if desks else 0
    usual = [_week(desk.shifts) for desk in support.desks]
    for epoch, at in enumerate(moments):
        agents, handling = Decimal(1), Decimal(1)
        for begin, end, entry in spans:
            if begin <= at < end:
                agents, handling = agents * (1 + entry.agents), handling * (1 + entry.handling)
        world.staff_from[0, epoch] = at
        world.staff_handling[0, epoch] = max(1, int(handling * _ONCE))
        for d, week in enumerate(usual):
            world.staff[0, epoch, d] = [_whole(count, agents) for count in week]


def fill_reviewers(world: np.recarray, names: Names) -> None:
    """Those who review payments, where there is a team; changes of support's staff are none of theirs."""
    fraud = names.scenario.fraud
    if fraud is None or fraud.review.team is None:
        return
    world.shared[0] = world.review_team[0] = 1
    world.staff_epochs[0] = max(1, int(world.staff_epochs[0]))
    world.staff[0, :, REVIEW_DESK] = [_whole(count, Decimal(1)) for count in _week(fraud.review.team.shifts)]
    world.review_handling[0] = np.maximum(exponential(QUANTILES, fraud.review.team.handling), clock.SECOND)


def _week(shifts: list[Shift]) -> list[Decimal]:
    """Agents in each hour of the week, from Monday; shifts that overlap add up."""
    week = [Decimal(0)] * WEEK_HOURS
    for shift in shifts:
        for day in shift.days or DAYS:
            for hour in range(*shift.hours):
                week[DAYS.index(day) * 24 + hour] += shift.agents
    return week


def _whole(count: Decimal, share: Decimal) -> int:
    """Whole agents, rounded half up; at least one where any are meant to be there."""
    found = count * share
    return min(AGENTS, max(1, int(found + Decimal("0.5")))) if found > 0 else 0
