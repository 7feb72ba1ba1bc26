"""Coming back: who returns by nature, and who by an offer.

Whether and when somebody returns is one draw against a curve that grows with time. An offer, and a serial churner's
nature, raise the curve for the same draw: nobody who would have come back by then stays away because of them.
"""

from __future__ import annotations

from billing_sim import draws, events, people
from billing_sim import purposes as purpose
from billing_sim.clock import HOUR
from billing_sim.lifecycle import agenda, channels
from billing_sim.lifecycle.calendar import hour_of, local_day, not_before_next_window
from billing_sim.lifecycle.log import confide, record
from billing_sim.lifecycle.state import ALARM_SIGNUP, OUTSIDE, Int, Nothing, Page, State, World
from billing_sim.rule import rule

MONTH_HOURS = 730
"""A twelfth of a year, in hours: the grain of return curves."""


@rule(Nothing(World, State))
def choose_nature(world, state):
    """Whether a person leaves and comes back again and again; among members at the start such people are rarer."""
    share = world.serial_share[state.market]
    if (state.subject >> people.KIND_SHIFT) & 3 == people.BASE:
        share = world.serial_members[state.market]
    state.serial = 1 if draws.draw(state.key, purpose.SERIAL, 0) < share else 0


@rule(Int(World, State, Int, Int))
def share_back(world, state, through_payment, month):
    """The threshold of being back within so many months and one more."""
    share = world.win_back[state.market, through_payment, month]
    if state.serial:
        share = max(share, world.serial_return[state.market, month])
    return share


@rule(Nothing(World, State, Int, Int, Int))
def foresee_offers(world, state, left_at, through_payment, is_involuntary):
    """Somebody has left: put down every offer that is for people like them, unless they are held out."""
    state.left_at = left_at
    state.left_through = through_payment
    for offer in range(world.win_offers):
        if not world.win_for[offer, state.market] or not world.win_to[offer, is_involuntary]:
            continue
        u = draws.draw(state.key, purpose.OFFERED, hour_of(left_at) * 16 + offer)
        if u < world.win_share[offer]:
            place = agenda.put_down(world, state, left_at, left_at + world.win_after[offer], agenda.OFFER_DUE)
            if place >= 0:
                state.matter_detail[place] = state.spell * 16 + offer


@rule(Int(World, State, Int, Int))
def brings_back(world, state, offer, until):
    """Whether the offer brings back somebody who would not be back by its end: the same draw, a higher threshold."""
    months = min((until - state.left_at) // (MONTH_HOURS * HOUR), 12)
    before = share_back(world, state, state.left_through, months - 1) if months else 0
    raised = before + ((draws.ONE - before) >> 31) * (world.win_uplift[offer] >> 31)
    return 1 if draws.draw(state.key, purpose.WIN_BACK, hour_of(state.left_at)) < raised else 0


@rule(Nothing(World, State, Page, Int, Int))
def ring_offer(world, state, page, now, place):
    """An offer is due; whoever is back by now gets none."""
    detail = state.matter_detail[place]
    offer = detail & 15
    if state.phase != OUTSIDE or detail >> 4 != state.spell:
        return
    until = now + world.win_within[offer]
    sequence = state.sequence
    row = page.rows[record(world, state, page, events.OFFER_SENT, now)]
    row.reason = events.WIN_BACK
    row.coupon = world.win_coupon[offer]
    row.period_end = local_day(world, world.zone[state.market], until)
    arrived = 1
    if world.channels[state.market]:
        row.channel = world.win_channel[offer]
        arrived = channels.arrives(world, state, world.win_channel[offer], now)
    truth = page.truths[confide(state, page, events.OFFER_JUDGED, state.last_at, sequence)]
    if not arrived:
        return
    state.offered_coupon = world.win_coupon[offer]
    state.offered_until = until
    if state.alarm[ALARM_SIGNUP] <= until or not brings_back(world, state, offer, until):
        return
    truth.verdict = 1
    hours = max(world.win_within[offer] // HOUR, 1)
    wish = now + draws.below(draws.draw(state.key, purpose.OFFER_MOMENT, hour_of(now)), hours) * HOUR
    state.alarm[ALARM_SIGNUP] = not_before_next_window(world, now, wish)


@rule(Nothing(State, Int))
def lapse_offer(state, now):
    """Somebody signs up again: an offer that has run out is worth nothing; the coupon of one that stands waits."""
    if now <= state.offered_until and state.offered_coupon and not (state.coupons_had >> state.offered_coupon) & 1:
        state.coupon_waiting = state.offered_coupon
    state.offered_coupon = 0
