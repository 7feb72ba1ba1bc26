"""Contacts with support: what brings somebody to write or call, and how a contact joins the queue.

A cause (a notice, a hold, a dearer renewal ...) brings a contact with some chance, some hours later, unless its reason
is gone by then. Who has a contact under way does not open another. What becomes of it is decided by the desk
(`drivers.desk`) and comes back through `lifecycle.support_outcomes`.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import HOUR
from billing_sim.lifecycle import agenda
from billing_sim.lifecycle.calendar import hour_of
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.state import SUBSCRIBED, Int, Nothing, Page, State, World
from billing_sim.rule import rule
from billing_sim.world.record import CONTACT_CHANNELS, QUANTILES, WEEK_HOURS

# What contacts are about. Numbers are part of every digest.
PAYMENT_FAILED, HOLD_STARTED, DOUBLE_CHARGE, PRICE_RISE, UNKNOWN_CHARGE, CANCELED_BY_MISTAKE = range(6)
TOPIC_REASONS = (
    events.NOTICE_FAILED, events.NOTICE_HOLD, events.DOUBLE_CHARGE, events.PRICE_RISE, events.UNKNOWN_CHARGE,
    events.CANCELED_BY_MISTAKE,
)  # fmt: skip
CHANNEL_LABELS = (events.BY_CHAT, events.BY_PHONE, events.BY_EMAIL)

# What the desk answers to a request.
ANSWERED, ABANDONED, COMPLETED = 1, 2, 3

SUPPORT_QUEUE = 1
"""The number of the support desk among the queues that people share."""


_MONDAY = 3 * 24
"""1970 began on a Thursday: hours between its first and the first of its week."""

_AGAIN_HOURS = 7
"""How much later somebody tries again who finds the desk closed: hours of all times of the day come up in turn."""

_EMAIL = 2


@rule(Int(World, Int, Int))
def agents_at(world, desk, at):
    """How many agents of a desk are on shift."""
    epoch = world.staff_epochs - 1
    while epoch > 0 and world.staff_from[epoch] > at:
        epoch -= 1
    return world.staff[epoch, desk, (at // HOUR + _MONDAY) % WEEK_HOURS]


@rule(Int(World, Int, Int))
def is_closed(world, channel, at):
    """Whether nobody answers this channel at this hour; e-mail can always be written."""
    return 1 if channel != _EMAIL and agents_at(world, world.desk_of[channel], at) == 0 else 0


@rule(Nothing(World, State, Int, Int, Int))
def put_down_contact(world, state, now, wish, topic):
    """Mean to contact support at some moment."""
    place = agenda.put_down(world, state, now, wish, agenda.CONTACT)
    if place >= 0:
        state.matter_detail[place] = topic


@rule(Nothing(World, State, Int, Int))
def maybe_contact(world, state, now, topic):
    """Something happened that brings a member to contact support, now and then; call it only where there is a desk."""
    if not state.logging:
        return
    occasion = hour_of(now) * 16 + topic
    if draws.draw(state.key, purpose.CONTACT, occasion) >= world.contact_rate[state.market, topic]:
        return
    delay = world.contact_delay[draws.below(draws.draw(state.key, purpose.CONTACT_DELAY, occasion), QUANTILES)]
    put_down_contact(world, state, now, now + delay, topic)


@rule(Nothing(World, State, Int))
def come_back(world, state, at):
    """Mean to contact support about the same matter again, some time within the days that people take for it."""
    hours = world.repeat_within // HOUR
    u = draws.draw(state.key, purpose.CONTACT_REPEAT_DELAY, hour_of(state.contact_at))
    put_down_contact(world, state, at, at + (1 + draws.below(u, hours)) * HOUR, state.contact_topic)


@rule(Int(State, Int, Int))
def has_reason(state, topic, invoice):
    """Whether what a contact would be about is still so."""
    if state.phase != SUBSCRIBED:
        return 0
    if topic in (PAYMENT_FAILED, HOLD_STARTED):
        return 1 if state.open and state.invoice == invoice else 0
    if topic == CANCELED_BY_MISTAKE:
        return 1 if state.canceling and not state.open else 0
    if topic == DOUBLE_CHARGE:
        return 1 if state.doubled == invoice else 0
    return 0 if state.open else 1


@rule(Int(World, State, Page, Int, Int, Int))
def log_contact(world, state, page, event, at, reason):
    """Open the row of an event of the contact under way and return its place."""
    i = record(world, state, page, event, at)
    row = page.rows[i]
    row.invoice = state.contact_invoice
    row.channel = CHANNEL_LABELS[state.contact_channel]
    row.reason = reason
    return i


@rule(Nothing(World, State, Int))
def join_queue(world, state, now):
    """Ask the desk of the channel for an agent."""
    channel = state.contact_channel
    hour = hour_of(now)
    waits = draws.below(draws.draw(state.key, purpose.CONTACT_PATIENCE, hour), QUANTILES)
    takes = draws.below(draws.draw(state.key, purpose.CONTACT_HANDLING, hour), QUANTILES)
    epoch = world.staff_epochs - 1
    while epoch > 0 and world.staff_from[epoch] > now:
        epoch -= 1
    state.asks = SUPPORT_QUEUE
    state.asks_at = now
    state.asks_detail = channel
    state.asks_patience = world.contact_patience[channel, waits]
    state.asks_service = world.contact_handling[channel, takes] * world.staff_handling[epoch] // 1000


@rule(Nothing(World, State, Page, Int, Int))
def ring_contact(world, state, page, now, place):
    """A member contacts support and joins the queue of a channel; where it is closed they try later, any channel."""
    topic = state.matter_detail[place]
    invoice = state.matter_invoice[place]
    if state.contact_open or not has_reason(state, topic, invoice):
        return
    hour = hour_of(now)
    u = draws.draw(state.key, purpose.CONTACT_CHANNEL, hour)
    channel = 0
    while channel < CONTACT_CHANNELS - 1 and u >= world.contact_mix[channel]:
        channel += 1
    if is_closed(world, channel, now):
        again = agenda.put_down(world, state, now, now + _AGAIN_HOURS * HOUR, agenda.CONTACT)
        state.matter_detail[again] = topic
        state.matter_invoice[again] = invoice
        return
    state.contact_open = 1
    state.contact_topic = topic
    state.contact_channel = channel
    state.contact_invoice = invoice
    state.contact_at = now
    log_contact(world, state, page, events.CONTACT_OPENED, now, TOPIC_REASONS[topic])
    join_queue(world, state, now)


@rule(Int(World, State, Int, Int))
def with_annoyance(world, state, now, chance):
    """The chance to cancel in payment trouble, raised for some days by a contact that led to nothing."""
    return chance + world.annoyed_cancel if now < state.annoyed_until else chance
