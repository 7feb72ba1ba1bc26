"""Invoices: what a period costs, when the next one begins, and what is left to do when one is paid."""

from __future__ import annotations

from billing_sim import events
from billing_sim.clock import DAY, MINUTE, NEVER
from billing_sim.lifecycle.calendar import anchored, instant_of, not_before_next_window
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.state import (
    ALARM_EXHAUST,
    ALARM_HOLD,
    ALARM_MEMBER,
    ALARM_NOTICE,
    ALARM_RENEWAL,
    ALARM_RETRY,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.rule import rule

TAX_UNIT = 1_000_000
"""A tax rate of 100 %."""


@rule(Nothing(World, State, Int, Int))
def retax(world, state, listed, at):
    """Where the tax rate has changed: the tax of the moment on a listed price, halves to the even unit as at first."""
    market = state.market
    i = world.tax_changes[market] - 1
    while i >= 0 and world.tax_from[market, i] > at:
        i -= 1
    if i < 0:
        return
    rate = world.tax_rate[market, i]
    whole = TAX_UNIT + rate if world.tax_included[market] else TAX_UNIT
    tax = listed * rate // whole
    twice = 2 * (listed * rate - tax * whole)
    if twice > whole or (twice == whole and tax % 2 == 1):
        tax += 1
    state.amount = listed if world.tax_included[market] else listed + tax
    state.tax = tax


@rule(Nothing(World, State, Int), inline=True)
def quote(world, state, at):
    """Set the amount and the tax within it by the latest list price in force for members, or at their joining.

    Who signs up after a change pays the new price for good, also while earlier members still have their notice. What a
    reversal brings back stands behind what it undoes, and holds since then.
    """
    market = state.market
    plan = state.plan
    i = world.price_count[market, plan] - 1
    while i > 0:
        if world.price_since[market, plan, i] <= at and (
            world.price_members_from[market, plan, i] <= at or world.price_new_from[market, plan, i] <= state.joined_at
        ):
            break
        i -= 1
    state.amount = world.price[market, plan, i]
    state.tax = world.price_tax[market, plan, i]
    if world.tax_changes[market] > 0:
        retax(world, state, world.price_listed[market, plan, i], at)
    state.quoted = state.amount
    state.quoted_tax = state.tax
    state.worth = state.amount
    state.worth_tax = state.tax


@rule(Int(World, State, Int), inline=True)
def billing_moment(world, state, day):
    """The instant at which a local day's renewal is charged."""
    return instant_of(world, world.zone[state.market], day * DAY + state.bill_at * MINUTE)


@rule(Nothing(World, State), inline=True)
def advance_period(world, state):
    """The next service period: it begins where the last one ended and ends on the anchor, one interval later."""
    state.period_start = state.period_end
    if state.months == 0:
        state.period_end += world.plan_days[state.plan]
        return
    state.period_month += state.months
    state.period_end = anchored(world, state.period_month, state.anchor_day)


@rule(Nothing(World, State, Int), inline=True)
def schedule_renewal(world, state, now):
    """Ring on the next billing day; days that passed during a hold are not billed."""
    at = billing_moment(world, state, state.period_end)
    while at <= now:
        advance_period(world, state)
        at = billing_moment(world, state, state.period_end)
    state.alarm[ALARM_RENEWAL] = not_before_next_window(world, now, at)


@rule(Nothing(World, State, Page, Int), inline=True)
def open_invoice(world, state, page, now):
    """Issue the invoice of the period from `period_start` to `period_end`."""
    state.invoice += 1
    state.attempt = 0
    state.open = 1
    state.first_failed = NEVER
    state.stopped = 0
    row = page.rows[record(world, state, page, events.INVOICE_ISSUED, now)]
    row.invoice = state.invoice
    row.plan = state.plan
    row.currency = world.currency[state.market]
    row.amount_minor = state.amount
    row.tax_minor = state.tax
    row.period_start = state.period_start
    row.period_end = state.period_end


@rule(Nothing(State), inline=True)
def silence_dunning(state):
    """Nothing is failing any more: no retry, notice, hold or end is due."""
    state.alarm[ALARM_RETRY] = NEVER
    state.alarm[ALARM_NOTICE] = NEVER
    state.alarm[ALARM_HOLD] = NEVER
    state.alarm[ALARM_EXHAUST] = NEVER
    state.alarm[ALARM_MEMBER] = NEVER


@rule(Nothing(World, State, Page, Int, Int))
def log_invoice(world, state, page, event, now):
    """Write an event that carries nothing but its invoice: void, given up, hold, restored."""
    row = page.rows[record(world, state, page, event, now)]
    row.invoice = state.invoice


@rule(Nothing(World, State, Page, Int), inline=True)
def close_paid(world, state, page, now):
    """The invoice is paid: access is back, and the anchor stays where it was."""
    state.open = 0
    silence_dunning(state)
    if state.held:
        state.held = 0
        log_invoice(world, state, page, events.SUBSCRIPTION_RESTORED, state.last_at)
    if not state.canceling:
        schedule_renewal(world, state, now)


@rule(Nothing(World, State, Page, Int))
def close_void(world, state, page, now):
    """Nothing is owed any more."""
    state.open = 0
    silence_dunning(state)
    log_invoice(world, state, page, events.INVOICE_VOIDED, now)
