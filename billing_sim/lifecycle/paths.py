"""The hidden state of the world as paths in time, and the fate of an attempt that reads them.

Five things are checked in a fixed order, and the first bad one is the latent cause: the instrument, the payer's money,
the issuer, the gateway, noise. Each is a function of who and when; only the issuer remembers earlier attempts. So a
retry on another day meets other luck, and the same attempt at the same moment has the same fate in every world.
"""

from __future__ import annotations

from billing_sim import declines, draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import DAY
from billing_sim.lifecycle.bins import BLOCK_HOURS, issuer_is_wary
from billing_sim.lifecycle.calendar import hour_of, local_day
from billing_sim.lifecycle.state import SIGNING_UP, Int, State, World
from billing_sim.rule import rule
from billing_sim.world.record import GATEWAYS, QUANTILES

QUARTER_DAYS = 91
_TAIL = QUANTILES - 1


@rule(Int(State, Int), inline=True)
def strain_of(state, quarter):
    """The draw that says how strained a quarter is; kept, since it is asked for at every charge."""
    if state.strained_quarter != quarter:
        state.strained_quarter = quarter
        state.strain = draws.draw(state.key, purpose.STRAINED, quarter)
    return state.strain


@rule(Int(World, State, Int, Int), inline=True)
def funds_run_dry(world, state, slot, at):
    """Whether the payer's money has run out: dry since a keyed day of this pay cycle, until the next income day.

    The chance of a dry spell grows with the amount relative to the first list price. In a strained quarter nearly
    every cycle runs dry, and early.
    """
    market = state.market
    kind = state.method_kind[slot]
    chance = world.funds[market, kind]
    strained = world.strained[market, kind]
    if chance + strained == 0:
        return 0
    day = local_day(world, world.zone[market], at)
    place = day - world.first_day
    calendar = state.payday
    cycle = world.income_last[calendar, place]
    left = world.income_next[calendar, place] - day
    u = draws.draw(state.key, purpose.FUNDS, cycle * 2 + slot)
    # Everybody's quarters begin on days of their own: no wave runs through the whole service.
    if strain_of(state, (cycle + (state.key & 127)) // QUARTER_DAYS) < strained:
        return 1 if left <= world.strained_days[(u >> 40) & _TAIL] else 0
    base = world.price[market, state.plan, 0]
    if state.amount != base and base > 0:
        ratio = min((state.amount << 16) // base, 4 << 16)
        chance = min(((chance >> 20) * ratio) << 4, draws.ONE)
    if u >= chance:
        return 0
    return 1 if left <= world.dry_days[u & _TAIL] else 0


@rule(Int(World, State, Int, Int), inline=True)
def issuer_is_suspicious(world, state, slot, at):
    """Whether an episode of suspicion covers this moment: onset per (card, block of days), duration from a table."""
    chance = world.suspicion[state.market, state.method_kind[slot]]
    if chance == 0:
        return 0
    key = state.method_key[slot]
    hour = hour_of(at)
    block = hour // BLOCK_HOURS
    for back in range(2):
        u = draws.draw(key, purpose.SUSPICION, block - back)
        if u < chance:
            begin = (block - back) * BLOCK_HOURS + draws.below((u << 20) & (draws.ONE - 1), BLOCK_HOURS)
            if begin <= hour < begin + world.suspicion_hours[u & _TAIL]:
                return 1
    return 0


@rule(Int(World, State, Int, Int), inline=True)
def issuer_remembers(world, state, slot, at):
    """Whether recent declines on this card make the issuer refuse by reflex."""
    if state.memory_count[slot] < world.memory_declines:
        return 0
    return 1 if at - state.memory_since[slot] < world.memory_window else 0


@rule(Int(World, Int, Int, Int), inline=True)
def outage_share(world, gateway, at, day):
    """The failing share of a gateway at a moment, as a threshold; 0 when all is well."""
    share = 0
    i = world.outage_first[gateway, day - world.first_day]
    while i > 0:
        if world.outage_start[i - 1] <= at < world.outage_end[i - 1]:
            share = max(share, world.outage_share[i - 1])
        i = world.outage_next[i - 1]
    return share


@rule(Int(World, State, Int, Int), inline=True)
def route(world, state, slot, u):
    """The gateway that takes an attempt: weights by market and method, chosen by the draw of (subscriber, hour)."""
    market = state.market
    kind = state.method_kind[slot]
    gateway = 0
    while gateway < GATEWAYS - 1 and u >= world.route[market, kind, gateway]:
        gateway += 1
    return gateway


@rule(Int(World, State, Int, Int))
def next_gateway(world, state, slot, gateway):
    """The gateway to fail over to: the next one in turn with a share of this market and method; itself if alone."""
    market = state.market
    kind = state.method_kind[slot]
    for step in range(1, world.gateways):
        other = (gateway + step) % world.gateways
        before = world.route[market, kind, other - 1] if other > 0 else 0
        if world.route[market, kind, other] > before:
            return other
    return gateway


@rule(Int(World, State, Int, Int, Int), inline=True)
def gateway_fails(world, state, gateway, at, occasion):
    """Whether an outage takes this attempt: the draw of the hour lies below the failing share."""
    share = outage_share(world, gateway, at, at // DAY)
    if share == 0:
        return 0
    return 1 if draws.draw(state.key, purpose.OUTAGE, occasion * 16 + gateway) < share else 0


@rule(Int(World, State, Int, Int, Int), inline=True)
def payer_fate(world, state, slot, at, initiator):
    """The part of a fate that lies with payer and issuer; 0 when both are willing."""
    status = state.method_status[slot]
    if status:
        return status
    kind = state.method_kind[slot]
    if kind == events.GIFT_BALANCE:
        return declines.BALANCE if state.balance < state.amount else declines.NO_CAUSE
    if not state.verifying and funds_run_dry(world, state, slot, at):
        return declines.FUNDS
    if issuer_is_suspicious(world, state, slot, at):
        return declines.SUSPICION
    if world.bins and issuer_is_wary(world, state, slot, at):
        return declines.SUSPICION
    if state.phase == SIGNING_UP and kind <= events.WALLET:
        u = draws.draw(state.method_key[slot], purpose.SIGNUP_RISK, hour_of(at))
        if u < world.signup_refusal[state.market]:
            return declines.SUSPICION
    if initiator == events.MIT and issuer_remembers(world, state, slot, at):
        return declines.ISSUER_MEMORY
    return declines.NO_CAUSE


@rule(Int(World, State, Int, Int), inline=True)
def machine_fate(world, state, slot, u):
    """Technical failures and noise: two ends of one draw by (subscriber, hour), so that neither moves the other."""
    market = state.market
    kind = state.method_kind[slot]
    if u < world.technical[market, kind]:
        return declines.TECHNICAL
    if u >= draws.ONE - world.noise[market, kind]:
        return declines.RESTRICTED
    return declines.NO_CAUSE


@rule(Int(World, Int, Int, Int), inline=True)
def times_out(world, gateway, u, added):
    """Whether no answer comes in time: the middle of the same draw; `added` is the share that load adds."""
    return 1 if draws.ONE // 2 <= u < draws.ONE // 2 + world.timeout[gateway] + added else 0
