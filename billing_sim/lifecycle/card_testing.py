"""Bots that try stolen card numbers: a session poses as a person who signs up, and tries card after card.

Nobody's number or luck moves: sessions are numbered behind all people of their hour. A session is one decision, and
its attempts follow each other by seconds. It ends when the screen blocks it, or when it is through with its cards;
what issuers let pass is only verified, never captured.
"""

from __future__ import annotations

from billing_sim import declines, draws, events, people
from billing_sim import purposes as purpose
from billing_sim.clock import HOUR, NEVER, SECOND
from billing_sim.lifecycle.attempting import explain, log_attempt
from billing_sim.lifecycle.billing import close_void, open_invoice
from billing_sim.lifecycle.bins import draw_tested_bin
from billing_sim.lifecycle.calendar import first_of_month, hour_of, local_day, month_of_day
from billing_sim.lifecycle.fates import latency_of, observed_code
from billing_sim.lifecycle.fraud import tell_fraud
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.methods import log_method, put_on_file
from billing_sim.lifecycle.paths import route
from billing_sim.lifecycle.spells import choose_plan, log_spell
from billing_sim.lifecycle.state import (
    ALARM_EPISODE,
    ALARM_SIGNUP,
    FIRST,
    OUTSIDE,
    SIGNING_UP,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.rule import rule
from billing_sim.world.record import TRIES

BOT = 2
"""A fraudster who is no person."""

_APART = 2
_ROOM = 16
_MILLISECOND = 1000
_BLOCKED = declines.CODE_NUMBER["blocked"]
_LEAST_SCORE = 901


@rule(Int(Int), inline=True)
def is_bot(subject):
    """Whether a number is that of a session: its place in the hour lies behind all people's."""
    return 1 if subject & ((1 << people.ARRIVAL_SHIFT) - 1) >= people.BOTS_FROM else 0


@rule(Nothing(State, Int))
def begin_bot(state, hour):
    """A session, at a keyed second of the first minutes of this hour."""
    state.logging = 1
    state.fraudster = BOT
    second = draws.below(draws.draw(state.key, purpose.ARRIVAL_MINUTE, hour), 3000)
    state.alarm[ALARM_SIGNUP] = hour * HOUR + second * SECOND


@rule(Int(World, State, Int))
def attack_of(world, state, at):
    """The attack that a session belongs to: the first one under way in this market in this hour."""
    hour = hour_of(at)
    for i in range(world.attacks):
        ends = max(world.attack_until[i], world.attack_from[i] + HOUR)
        if world.attack_market[i, state.market] and hour_of(world.attack_from[i]) <= hour and hour * HOUR < ends:
            return i
    return 0


@rule(Nothing(World, State, Page, Int, Int))
def pose(world, state, page, attack, now):
    """Enter details like anybody who signs up; the invoice is over one unit of the smallest kind of verification."""
    hour = hour_of(now)
    state.started_by = events.NEW
    state.spell = 1
    state.phase = SIGNING_UP
    choose_plan(world, state, hour)
    state.joined_at = now
    state.amount = min(100, world.price[state.market, state.plan, 0])
    state.tax = 0
    kind = world.attack_method[attack]
    if draws.draw(state.key, purpose.TESTED_CARD, hour * _ROOM) >= world.attack_concentration[attack]:
        kind = events.CREDIT if kind != events.CREDIT else events.DEBIT
    put_on_file(world, state, FIRST, kind, now, 0)
    if world.bins:
        draw_tested_bin(world, state, attack, hour * _ROOM)
    day = local_day(world, world.zone[state.market], now)
    state.joined_day = day
    state.joined_month = month_of_day(day)
    state.anchor_day = day - first_of_month(state.joined_month) + 1
    state.period_start = day
    state.period_end = day + 1
    log_spell(world, state, page, events.SIGNUP_STARTED, now)
    log_method(world, state, page, events.METHOD_ADDED, FIRST, events.PREFERRED, now)
    open_invoice(world, state, page, now)
    tell_fraud(state, page, now)


@rule(Int(World, State, Page, Int, Int, Int))
def try_card(world, state, page, attack, at, occasion):
    """One card: blocked by the screen that has learned, else declined or found to be good; returns whether blocked."""
    state.attempt += 1
    if world.bins:
        draw_tested_bin(world, state, attack, occasion)
    sequence = state.sequence
    if at >= world.attack_learned[attack]:
        u = draws.draw(state.key, purpose.TESTED_SCORE, occasion)
        if u < world.attack_blocked[attack]:
            i = log_attempt(world, state, page, events.ATTEMPT_BLOCKED, FIRST, events.CIT, at, 0)
            page.rows[i].gateway = 0
            page.rows[i].network = 0
            page.rows[i].score = _LEAST_SCORE + draws.below(u << 20 & (draws.ONE - 1), 999 - _LEAST_SCORE + 1)
            page.rows[i].code = _BLOCKED
            explain(state, page, declines.FRAUD_SCREEN, FIRST, sequence)
            return 1
    u = draws.draw(state.key, purpose.TESTED, occasion)
    state.gateway = world.attack_gateway[attack]
    if state.gateway < 0:
        state.gateway = route(world, state, FIRST, draws.draw(state.key, purpose.ROUTE, occasion))
    latency = latency_of(world, state.gateway, u)
    answered = at + latency * _MILLISECOND
    if u < world.attack_declined[attack]:
        i = log_attempt(world, state, page, events.ATTEMPT_DECLINED, FIRST, events.CIT, answered, latency)
        page.rows[i].code = observed_code(world, state, declines.STOLEN, state.method_kind[FIRST], occasion)
        explain(state, page, declines.STOLEN, FIRST, sequence)
    else:
        log_attempt(world, state, page, events.ATTEMPT_AUTHORIZED, FIRST, events.CIT, answered, latency)
    return 0


@rule(Nothing(World, State, Page, Int))
def test_cards(world, state, page, now):
    """The session: card after card until it is blocked, then it goes away without having paid."""
    attack = attack_of(world, state, now)
    pose(world, state, page, attack, now)
    occasion = hour_of(now) * _ROOM
    tries = 0
    while tries < TRIES:
        if try_card(world, state, page, attack, now + tries * _APART * SECOND, occasion + tries):
            break
        tries += 1
    close_void(world, state, page, now)
    row = page.rows[record(world, state, page, events.SIGNUP_ABANDONED, now)]
    row.invoice = state.invoice
    row.reason = events.GAVE_UP
    state.phase = OUTSIDE
    state.alarm[ALARM_EPISODE] = NEVER
