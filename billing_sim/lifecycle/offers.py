"""Coupons: how people come by one, and what it takes off their invoices.

A coupon belongs to one person for good and to one run of billing cycles; nobody has two at work at once. It is redeemed
when a person signs up, or before a member's next invoice; its last cycle ends it, and so does the end of the spell.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.lifecycle.billing import open_invoice
from billing_sim.lifecycle.calendar import hour_of
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.state import OUTSIDE, SIGNING_UP, Int, Nothing, Page, State, World
from billing_sim.rule import rule
from billing_sim.world.record import FOR_EVERYONE, FOR_NEW, FOR_RETURNING

FOREVER = -1
"""Cycles left of a coupon that never runs out."""

_MILLION = 1_000_000
_WEEKS_A_YEAR = 52


@rule(Int(World, State, Int))
def cycles_of(world, state, coupon):
    """For how many invoices a coupon holds for this person's plan; free months are as much time in any plan."""
    months = world.promotion_months[coupon]
    if months == 0:
        cycles = world.promotion_cycles[coupon]
        return cycles if cycles else FOREVER
    if state.months == 0:
        return (months * _WEEKS_A_YEAR + 6) // 12
    return (months + state.months - 1) // state.months


@rule(Int(World, State, Int))
def may_take(world, state, coupon):
    """Whether a coupon is one that the person has not had, while no other is at work."""
    had = (state.coupons_had >> coupon) & 1
    return 0 if had or coupon <= 0 or coupon >= world.promotions or state.coupon else 1


@rule(Nothing(World, State, Int))
def take(world, state, coupon):
    """The coupon is at work from now on, for as many invoices as it says."""
    state.coupons_had |= 1 << coupon
    state.coupon = coupon
    state.coupon_left = cycles_of(world, state, coupon)


@rule(Int(World, State, Page, Int, Int))
def grant(world, state, page, coupon, now):
    """Give a person a coupon; 1 if they take it, 0 if they have had it or another one is at work.

    Who is no member keeps it for their next sign-up, and it is written down then; everybody else redeems it at once,
    and their next invoice is the first that it reduces.
    """
    if not may_take(world, state, coupon):
        return 0
    if state.phase == OUTSIDE:
        state.coupon_waiting = coupon
        return 1
    take(world, state, coupon)
    row = page.rows[record(world, state, page, events.COUPON_REDEEMED, now)]
    row.coupon = coupon
    return 1


@rule(Int(World, State, Int, Int))
def is_offered(world, state, offer, now):
    """Whether an offer is open now for somebody like this person, and they are one of those who take such offers."""
    if now < world.offer_from[offer] or now >= world.offer_until[offer] or not world.offer_in[offer, state.market]:
        return 0
    to = world.offer_to[offer]
    if to != FOR_EVERYONE:
        wanted = FOR_NEW
        if state.started_by == events.RETURNING:
            wanted = FOR_RETURNING
        if state.phase != SIGNING_UP or to != wanted:
            return 0
    hour = hour_of(world.offer_from[offer])
    return 1 if draws.draw(state.key, purpose.REDEEM, hour) < world.offer_share[offer] else 0


@rule(Nothing(World, State, Int))
def take_first_offer(world, state, then):
    """Before an invoice of before the start: the first offer open then that the person takes, told to nobody."""
    for offer in range(world.offers):
        if is_offered(world, state, offer, then) and may_take(world, state, world.offer_promotion[offer]):
            take(world, state, world.offer_promotion[offer])
            return


@rule(Nothing(World, State, Page, Int))
def redeem(world, state, page, now):
    """Before an invoice is issued: a coupon that waits, else the first open offer that the person takes."""
    if state.coupon_waiting:
        coupon = state.coupon_waiting
        state.coupon_waiting = 0
        grant(world, state, page, coupon, now)
    if state.coupon:
        return
    for offer in range(world.offers):
        if is_offered(world, state, offer, now) and grant(world, state, page, world.offer_promotion[offer], now):
            return


@rule(Int(World, State))
def discount_of(world, state):
    """What the coupon at work takes off an invoice of the amount in the state."""
    coupon = state.coupon
    months = world.promotion_months[coupon]
    if months:
        # A free month of a yearly plan is a twelfth of it.
        if state.months > months:
            return (state.amount * months + state.months // 2) // state.months
        return state.amount
    share = world.promotion_share[coupon]
    if share:
        return (state.amount * share + _MILLION // 2) // _MILLION
    return min(world.promotion_amount[coupon, state.market], state.amount)


@rule(Nothing(State, Int))
def take_off(state, discount):
    """Reduce the amount due, and the tax within it in proportion, rounded in favour of the tax."""
    left = state.amount - discount
    state.tax = (state.tax * left + state.amount - 1) // state.amount
    state.amount = left


@rule(Nothing(World, State))
def use_coupon(world, state):
    """Take the coupon's discount off and use up one of its cycles."""
    before = state.tax
    state.discount = discount_of(world, state)
    take_off(state, state.discount)
    state.discount_tax = before - state.tax
    state.worth = state.amount
    state.worth_tax = state.tax


@rule(Nothing(State))
def use_credit(state):
    """Take what the member is owed off the amount due, as far as it goes."""
    before = state.tax
    state.credit_used = min(state.credit, state.amount)
    take_off(state, state.credit_used)
    state.credit_tax_used = before - state.tax
    state.credit -= state.credit_used


@rule(Nothing(World, State, Page, Int, Int, Int, Int))
def log_reduction(world, state, page, event, amount, tax, now):
    """Write what reduces the invoice just issued."""
    row = page.rows[record(world, state, page, event, now)]
    row.invoice = state.invoice
    row.amount_minor = amount
    row.tax_minor = tax
    if event == events.DISCOUNT_APPLIED:
        row.coupon = state.coupon


@rule(Nothing(World, State, Page, Int))
def find_reductions(world, state, page, now):
    """Find what reduces the invoice that is about to be issued."""
    state.discount = 0
    state.credit_used = 0
    redeem(world, state, page, now)
    if state.coupon and state.amount > 0:
        use_coupon(world, state)
    if state.credit > 0 and state.amount > 0:
        use_credit(state)


@rule(Nothing(World, State, Page, Int))
def tell_reductions(world, state, page, now):
    """After the invoice: what has reduced it. One that nothing is left of is free."""
    if state.discount:
        log_reduction(world, state, page, events.DISCOUNT_APPLIED, state.discount, state.discount_tax, now)
    if state.credit_used:
        log_reduction(world, state, page, events.CREDIT_APPLIED, state.credit_used, state.credit_tax_used, now)
    state.free = 1 if state.amount == 0 and state.discount + state.credit_used > 0 else 0
    if state.discount and state.coupon_left > 0:
        state.coupon_left -= 1
        if state.coupon_left == 0:
            state.coupon = 0


@rule(Nothing(World, State, Page, Int), inline=True)
def issue(world, state, page, now):
    """Issue the invoice of the period, less what a coupon and credits take off it."""
    if world.reductions:
        find_reductions(world, state, page, now)
    open_invoice(world, state, page, now)
    if world.reductions:
        tell_reductions(world, state, page, now)


@rule(Nothing(State))
def end_coupon(state):
    """The spell is over: what it was owed and what reduced it end with it."""
    state.coupon = 0
    state.credit = 0
