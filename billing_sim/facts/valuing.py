"""What an amount is worth in the reporting currency at a moment."""

from __future__ import annotations

from billing_sim.facts.rates import DENOMINATOR
from billing_sim.facts.record import Context, Int, Person
from billing_sim.facts.schema import INTERVALS
from billing_sim.rule import rule

_YEAR = INTERVALS.index("year")
_WEEK = INTERVALS.index("week")


@rule(Int(Int, Int), inline=True)
def micros(amount_minor, factor):
    """An amount in millionths of the reporting currency, rounded half up."""
    return (amount_minor * factor + DENOMINATOR // 2) // DENOMINATOR


@rule(Int(Context, Int, Int), inline=True)
def factor_at(context, currency, at):
    """The factor of a currency in force at a moment; the first one before any."""
    low = 0
    high = context.rate_count[currency]
    while high - low > 1:
        middle = (low + high) // 2
        if context.rate_from[currency, middle] <= at:
            low = middle
        else:
            high = middle
    return context.factor[currency, low]


@rule(Int(Context, Int, Int, Int))
def listed_price(context, market, plan, at):
    """What a member pays of whom no invoice was seen yet: the list price of their plan, net of tax."""
    price = 0
    while price + 1 < context.net_count[market, plan] and context.net_from[market, plan, price + 1] <= at:
        price += 1
    return context.net[market, plan, price]


@rule(Int(Context, Person, Int, Int), inline=True)
def monthly(context, person, net, at):
    """A price per billing interval as revenue per month at a boundary between months.

    A rate that is published as a month begins is a change within it: what a month begins with is what the one before
    it ended with.
    """
    value = micros(net, factor_at(context, person.currency, at - 1))
    if person.interval == _YEAR:
        return value // 12
    return value * 52 // 12 if person.interval == _WEEK else value
