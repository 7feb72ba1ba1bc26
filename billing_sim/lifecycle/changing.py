"""Changing plans: up at once, for the difference that the rest of the period makes; down at the next renewal.

The days of a period are split at the day of the change. What is paid for the days that are left is worth as much in
the new plan: an upgrade is charged the rest of the new price less that, by the member and now. If the charge is
declined nothing has changed and its invoice is void. Every amount is split once and the other part is the remainder,
so that the parts of a period add up to it to the minor unit.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import DAY
from billing_sim.lifecycle.agenda import CHANGE_PLAN, put_down, strike
from billing_sim.lifecycle.billing import close_void, open_invoice, quote
from billing_sim.lifecycle.calendar import local_day, moment_in_month, month_of_day
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.offers import log_reduction, use_credit
from billing_sim.lifecycle.state import MATTERS, NOTHING_PENDING, SUBSCRIBED, Int, Nothing, Page, State, World
from billing_sim.rule import rule

UP, DOWN = 1, 2


@rule(Nothing(World, State, Int))
def foresee_change(world, state, now):
    """Put the next wish for another plan on the agenda, if one comes before the horizon."""
    wish = world.upgrades[state.market] + world.downgrades[state.market]
    if wish == 0:
        return
    month = month_of_day(now // DAY)
    while month <= world.last_month:
        u = draws.draw(state.key, purpose.PLAN_CHANGE, month)
        if u < wish:
            at = moment_in_month(world, draws.draw(state.key, purpose.PLAN_CHANGE_MOMENT, month), month)
            if at > now:
                place = put_down(world, state, now, at, CHANGE_PLAN)
                if place >= 0:
                    state.matter_detail[place] = UP if u < world.upgrades[state.market] else DOWN
                return
        month += 1


@rule(Nothing(World, State))
def know_period(world, state):
    """Who joined long ago has no invoice yet that says when the running period began: one interval before its end."""
    if not state.open and not state.trial and not state.paused:
        longest = state.months * 30 + 6 if state.months else world.plan_days[state.plan]
        state.period_start = max(state.period_start, state.period_end - longest)


@rule(Nothing(World, State, Int))
def foresee_change_anew(world, state, now):
    """The next wish for another plan follows the rules of this world; one due in the next window comes anyhow."""
    for i in range(MATTERS):
        if state.matter[i] == CHANGE_PLAN and state.matter_at[i] <= now + world.window:
            return
    strike(state, CHANGE_PLAN)
    if world.upgrades[state.market] + world.downgrades[state.market]:
        know_period(world, state)
        foresee_change(world, state, now)


@rule(Int(Int, Int, Int), inline=True)
def spent(amount, used, days):
    """The part of an amount that the used days of a period cost, rounded down; the rest is what is left."""
    return amount * used // days


@rule(Int(World, State, Int))
def days_used(world, state, now):
    """Days of the running period that are over or under way; all of them on its last day."""
    day = local_day(world, world.zone[state.market], now)
    return min(max(day - state.period_start, 0), state.period_end - state.period_start)


@rule(Nothing(World, State, Page, Int, Int, Int))
def log_change(world, state, page, reason, invoice, now):
    """Write that the plan is another one, with its price before discounts."""
    row = page.rows[record(world, state, page, events.PLAN_CHANGED, now)]
    row.plan = state.plan
    row.invoice = invoice
    row.reason = reason
    row.amount_minor = state.quoted
    row.tax_minor = state.quoted_tax
    row.period_end = state.period_end


@rule(Nothing(World, State, Page, Int, Int, Int, Int))
def issue_credit(world, state, page, amount, tax, reason, now):
    """Owe the member an amount: it reduces the invoices to come."""
    state.credit += amount
    row = page.rows[record(world, state, page, events.CREDIT_NOTE_ISSUED, now)]
    row.amount_minor = amount
    row.tax_minor = tax
    row.reason = reason


@rule(Nothing(World, State, Int, Int))
def price_rest(world, state, plan, now):
    """Set the amount due to the rest of the period in another plan, less what is paid for that rest in this one.

    Below zero where the rest is worth more than it would cost. The price of the whole period stays in `quoted`.
    """
    used = days_used(world, state, now)
    days = state.period_end - state.period_start
    paid = state.worth - spent(state.worth, used, days)
    paid_tax = state.worth_tax - spent(state.worth_tax, used, days)
    worth, worth_tax = state.worth, state.worth_tax
    before, joined = state.plan, state.joined_at
    state.plan, state.joined_at = plan, now
    quote(world, state, now)
    state.plan, state.joined_at = before, joined
    state.amount = state.quoted - spent(state.quoted, used, days) - paid
    state.tax = state.quoted_tax - spent(state.quoted_tax, used, days) - paid_tax
    state.worth, state.worth_tax = worth, worth_tax


@rule(Nothing(World, State, Page, Int, Int))
def ask_upgrade(world, state, page, plan, now):
    """Issue the invoice of an upgrade for the rest of the period; the member pays it now.

    What the rest is worth beyond its price is credited instead, and so nothing is due.
    """
    price_rest(world, state, plan, now)
    surplus, surplus_tax = -state.amount, -state.tax
    state.amount = max(state.amount, 0)
    state.tax = min(max(state.tax, 0), state.amount)
    state.changing = plan + 1
    state.credit_used = 0
    if state.credit > 0 and state.amount > 0:
        use_credit(state)
    begins, before = state.period_start, state.plan
    state.period_start, state.plan = begins + days_used(world, state, now), plan
    open_invoice(world, state, page, now)
    page.rows[state.rows - 1].reason = events.PRORATION
    state.period_start, state.plan = begins, before
    if state.credit_used:
        log_reduction(world, state, page, events.CREDIT_APPLIED, state.credit_used, state.credit_tax_used, now)
    if surplus > 0:
        issue_credit(world, state, page, surplus, max(surplus_tax, 0), events.PRORATION, now)
    state.free = 1 if state.amount == 0 else 0
    state.collects = events.CIT


@rule(Nothing(World, State, Int, Int))
def adopt(world, state, plan, now):
    """The member has this plan from now on, at its price of today."""
    state.plan = plan
    state.months = world.plan_months[plan]
    state.joined_at = now


@rule(Nothing(World, State, Page, Int))
def complete_upgrade(world, state, page, now):
    """The difference is paid: the plan changes, and the next billing day is the one that it was.

    It may have come while the answer was awaited, and then it follows at once.
    """
    state.open = 0
    adopt(world, state, state.changing - 1, now)
    state.changing = 0
    state.worth = state.quoted
    state.worth_tax = state.quoted_tax
    log_change(world, state, page, events.UPGRADE, state.invoice, state.last_at)


@rule(Nothing(World, State, Page, Int))
def give_up_upgrade(world, state, page, now):
    """The difference is not paid: the plan stays, nothing is owed, and a credit that was used is there again.

    Of an invoice that was never paid nothing can be given back or charged twice, so its amount is forgotten.
    """
    state.changing = 0
    state.credit += state.credit_used
    state.credit_used = 0
    close_void(world, state, page, now)
    state.amount = 0
    state.tax = 0


@rule(Nothing(World, State, Page, Int, Int))
def downgrade_now(world, state, page, plan, now):
    """Where downgrades take effect at once: what the rest of the period is worth beyond its new price is credited.

    Nothing is invoiced, so what the last invoice amounts to stays as it is.
    """
    amount, tax = state.amount, state.tax
    price_rest(world, state, plan, now)
    owed, owed_tax = -state.amount, -state.tax
    state.amount, state.tax = amount, tax
    adopt(world, state, plan, now)
    state.worth = state.quoted
    state.worth_tax = state.quoted_tax
    log_change(world, state, page, events.DOWNGRADE, 0, now)
    if owed > 0:
        issue_credit(world, state, page, owed, min(max(owed_tax, 0), owed), events.DOWNGRADE, now)


@rule(Nothing(World, State, Page, Int, Int))
def wish_change(world, state, page, now, direction):
    """Somebody wants another plan. Who pauses, leaves, tries for free or owes something has other worries."""
    foresee_change(world, state, now)
    if state.phase != SUBSCRIBED or state.canceling or state.paused or state.trial or state.downgrading:
        return
    if state.open or state.pending != NOTHING_PENDING:
        return
    if direction == UP:
        plan = world.plan_above[state.market, state.plan]
        if plan >= 0:
            ask_upgrade(world, state, page, plan, now)
        return
    plan = world.plan_below[state.market, state.plan]
    if plan < 0:
        return
    if world.downgrades_at_once:
        downgrade_now(world, state, page, plan, now)
    else:
        state.downgrading = plan + 1


@rule(Nothing(World, State, Page, Int))
def downgrade_at_renewal(world, state, page, now):
    """The period has ended: from the next one on it is the cheaper plan."""
    adopt(world, state, state.downgrading - 1, now)
    state.downgrading = 0
    quote(world, state, now)
    log_change(world, state, page, events.DOWNGRADE, 0, now)


@rule(Nothing(World, State, Page, Int))
def show_goodwill(world, state, page, now):
    """On some billing days the service credits a share of the price out of goodwill."""
    day = state.period_start
    if not state.logging or draws.draw(state.key, purpose.GOODWILL, day) >= world.goodwill[state.market]:
        return
    share = world.goodwill_share[state.market]
    amount = state.quoted * share // 1_000_000
    if amount > 0:
        issue_credit(world, state, page, amount, state.quoted_tax * share // 1_000_000, events.GOODWILL, now)


@rule(Nothing(State))
def forget_change(state):
    """The spell is over, and so are wishes for another plan."""
    state.changing = 0
    state.downgrading = 0
    strike(state, CHANGE_PLAN)
