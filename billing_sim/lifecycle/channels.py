"""How notices travel: whether they arrive, are opened, and are acted on.

An address is a path in time (person, channel, month): one that bounces stays bad until it is mended, however often it
is written to. Opening is the same path of attention as ever (person, day), compared with the chance of the channel.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import DAY
from billing_sim.lifecycle.calendar import hour_of, local_day, month_of_day
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.state import Int, Nothing, Page, State, World
from billing_sim.rule import rule
from billing_sim.world.record import CHANNELS


@rule(Nothing(World, State))
def begin_addresses(world, state):
    """Which addresses are bad in the first month that the world knows."""
    state.addresses_month = world.first_month
    for channel in range(1, CHANNELS):
        if draws.draw(state.key, purpose.ADDRESS_START, channel) < world.channel_bad[state.market, channel]:
            state.bad_addresses |= 1 << channel


@rule(Nothing(World, State, Int))
def follow_addresses(world, state, month):
    """Bring the path of every address up to a month: good ones break, bad ones are mended."""
    if state.addresses_month == 0:
        begin_addresses(world, state)
    while state.addresses_month < month:
        state.addresses_month += 1
        for channel in range(1, CHANNELS):
            u = draws.draw(state.key, purpose.ADDRESS, state.addresses_month * 4 + channel)
            if (state.bad_addresses >> channel) & 1:
                if u < world.channel_mends[state.market, channel]:
                    state.bad_addresses ^= 1 << channel
            elif u >= draws.ONE - world.channel_breaks[state.market, channel]:
                state.bad_addresses |= 1 << channel


@rule(Int(World, State, Int, Int))
def arrives(world, state, channel, now):
    """Whether something sent by this channel arrives; after some notices a person wants no more of them."""
    follow_addresses(world, state, month_of_day(now // DAY))
    if ((state.bad_addresses | state.unwanted) >> channel) & 1:
        return 0
    if draws.draw(state.key, purpose.UNSUBSCRIBE, hour_of(now)) < world.channel_quits[state.market, channel]:
        state.unwanted |= 1 << channel
    return 1


@rule(Nothing(World, State, Page, Int, Int))
def log_undelivered(world, state, page, channel, now):
    """Write that the notice just sent does not arrive."""
    row = page.rows[record(world, state, page, events.NOTICE_UNDELIVERED, now)]
    row.invoice = state.invoice
    row.channel = channel


@rule(Int(World, State))
def chance_of_seeing(world, state):
    """The threshold, per day, of noticing what is in sight."""
    if world.channels[state.market]:
        return world.channel_opens[state.market, state.sight_channel]
    return world.attention[state.market]


@rule(Int(World, State, Page, Int))
def acts_on_notice(world, state, page, now):
    """Whether the member acts now: who has opened the notice, or stands before a closed door, may.

    What was in sight when this moment was foreseen may have given way to another notice, which is not opened yet.
    """
    zone = world.zone[state.market]
    day = local_day(world, zone, now)
    if state.unopened and day <= local_day(world, zone, state.sight_until):
        u = draws.draw(state.key, purpose.ATTENTION, day)
        if u < world.channel_opens[state.market, state.sight_channel]:
            state.unopened = 0
            row = page.rows[record(world, state, page, events.NOTICE_OPENED, now)]
            row.invoice = state.invoice
            row.channel = state.sight_channel
        elif not state.held:
            return 0
    if state.held:
        return 1
    u = draws.draw(state.key, purpose.RESPONSE, day)
    return 1 if u < world.channel_responds[state.market, state.sight_channel] else 0
