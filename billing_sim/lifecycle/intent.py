"""What people want: to stay, to stay only out of inertia, or to go.

Intent is a path that depends on tenure, market and prices, never on payment trouble; it is sealed. Cancels that
trouble provokes are decided elsewhere (`dunning.react`) and recorded as such.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import DAY, NEVER
from billing_sim.lifecycle.calendar import moment_in_month, month_of_day
from billing_sim.lifecycle.log import confide
from billing_sim.lifecycle.state import ALARM_INTENT, Int, Nothing, Page, State, World
from billing_sim.rule import rule
from billing_sim.world.record import WHYS

WHY_PRICE = events.WHYS.index("price")


@rule(Int(Int))
def tenure_class(months):
    """Months 1-3, months 4-12, second, third, later years: 0 to 4."""
    if months < 3:
        return 0
    if months < 12:
        return 1
    if months < 24:
        return 2
    return 3 if months < 36 else 4


@rule(Int(World, State, Int))
def own_hazard(world, state, month):
    """The threshold of a change of mind in a month whatever the price: losing interest, or waking up when inert."""
    if state.intent == events.INERT:
        return world.inert_wakes[state.market]
    losing = world.leave_hazard[state.market, tenure_class(month - state.joined_month)]
    if state.serial:
        # The product must stay below 2^62 whatever the factor.
        losing = min((losing >> 20) * world.serial_factor[state.market], draws.ONE >> 10) << 10
    return losing


@rule(Int(World, State, Int))
def hazard(world, state, month):
    """The same with what a price rise adds for whoever wants to stay."""
    threshold = own_hazard(world, state, month)
    if state.intent == events.INERT:
        return threshold
    return threshold + world.leave_added[state.market, month - world.first_month]


@rule(Int(World, State, Int))
def reason_to_go(world, state, month):
    """Why somebody goes: for the price who would have stayed at the old one, else by the market's shares."""
    if draws.draw(state.key, purpose.INTENT_CHANGE, month) >= own_hazard(world, state, month):
        return WHY_PRICE
    u = draws.draw(state.key, purpose.WHY, month)
    why = 1
    while why < WHYS - 1 and u >= world.why_mix[state.market, why]:
        why += 1
    return why


@rule(Nothing(World, State, Int))
def foresee_intent(world, state, now):
    """Set the alarm of the next change of mind after `now`, if one comes before the horizon."""
    state.alarm[ALARM_INTENT] = NEVER
    if state.intent == events.GO:
        return
    month = month_of_day(now // DAY)
    last = world.last_month
    while month <= last:
        if draws.draw(state.key, purpose.INTENT_CHANGE, month) < hazard(world, state, month):
            at = moment_in_month(world, draws.draw(state.key, purpose.INTENT_MOMENT, month), month)
            if at > now:
                state.alarm[ALARM_INTENT] = at
                return
        month += 1


@rule(Nothing(World, State, Int))
def foresee_intent_anew(world, state, now):
    """The next change of mind follows the rules of this world from now on; one that is due right now comes anyhow."""
    if state.alarm[ALARM_INTENT] != now:
        foresee_intent(world, state, now)


@rule(Nothing(State, Page, Int, Int))
def set_intent(state, page, intent, now):
    """Note a wish in the state and in the sealed truth."""
    state.intent = intent
    row = page.truths[confide(state, page, events.INTENT_CHANGED, now, -1)]
    row.why = state.why


@rule(Nothing(World, State, Page, Int))
def change_mind(world, state, page, now):
    """The wish changes: from staying to inertia or to going, from inertia to going."""
    becomes = events.GO
    if state.intent == events.STAY:
        u = draws.draw(state.key, purpose.INTENT_KIND, month_of_day(now // DAY))
        if u < world.inert_instead[state.market]:
            becomes = events.INERT
    if becomes == events.GO and world.knows_why[state.market]:
        state.why = reason_to_go(world, state, month_of_day(now // DAY))
    set_intent(state, page, becomes, now)
    foresee_intent(world, state, now)
