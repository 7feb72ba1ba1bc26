"""Campaigns against sharing: from being reached to sharing a card, answering, landing and leaving addresses.

All that happens on a social network, not in a subscription: nobody has to be a member at that moment to go on. So each
step of a host is a pure function of who they are and which campaign it is, and a borrower, whose life is another one,
works out by the same functions whether and when their address is left, and finds what the host has written down.
"""

from __future__ import annotations

from billing_sim import draws, events, people
from billing_sim import purposes as purpose
from billing_sim.clock import NEVER, SECOND
from billing_sim.lifecycle.agenda import CAMPAIGN_STEP, INVITED, put_down
from billing_sim.lifecycle.calendar import hour_of, not_before_next_window
from billing_sim.lifecycle.log import confide, record
from billing_sim.lifecycle.offers import grant
from billing_sim.lifecycle.sharing import is_host, joins_by_themselves, moment_of_joining
from billing_sim.lifecycle.state import ALARM_SIGNUP, OUTSIDE, Int, Nothing, Page, State, World
from billing_sim.rule import rule
from billing_sim.world.record import QUANTILES

REACH, CARD, REPLY, LANDING, EMAIL = range(5)
"""The steps of a funnel, in the order of the kinds of events from `campaign.reached` on."""

_ROOM = 8
_NO_FURTHER = -1
_REACH_COST, _REPLY_COST, _EMAIL_COST = range(3)


@rule(Int(World, Int, Int, Int), inline=True)
def luck(world, c, key, what):
    """What a person draws for a campaign: their luck belongs to the hour in which it begins."""
    return draws.draw(key, what, hour_of(world.campaign_from[c]))


@rule(Int(World, Int, Int))
def moment_of_reach(world, c, key):
    """When a campaign finds a person; NEVER for those whom it does not find."""
    if luck(world, c, key, purpose.CAMPAIGN_REACH) >= world.campaign_reach[c]:
        return NEVER
    seconds = max(1, (world.campaign_until[c] - world.campaign_from[c]) // SECOND)
    return world.campaign_from[c] + draws.below(luck(world, c, key, purpose.CAMPAIGN_REACH_MOMENT), seconds) * SECOND


@rule(Int(World, Int, Int))
def is_control(world, c, key):
    """Whether a person who is found is shown nothing."""
    return 1 if luck(world, c, key, purpose.CAMPAIGN_CONTROL) < world.campaign_control[c] else 0


@rule(Int(World, Int, Int, Int))
def card_of(world, c, key, hosts):
    """Which card a person shares, by its hashtag; none for most."""
    u = luck(world, c, key, purpose.CAMPAIGN_CARD)
    if u < world.campaign_cards[c, hosts, 0]:
        return events.FOLLOWS_THE_RULES
    return events.CRIMINAL if u < world.campaign_cards[c, hosts, 1] else 0


@rule(Int(World, Int, Int, Int))
def answer_of(world, c, key, hosts):
    """What a person answers the automatic reply; only hosts can admit it, and some of them don't."""
    if hosts and luck(world, c, key, purpose.CAMPAIGN_DENIAL) >= world.campaign_denies[c]:
        return events.SHARES
    return events.DOES_NOT_SHARE


@rule(Int(World, Int, Int, Int, Int))
def step_after(world, c, key, hosts, step):
    """The step that follows, or that the person goes no further."""
    goes = 0
    if step == REACH:
        goes = 1 if not is_control(world, c, key) and card_of(world, c, key, hosts) else 0
    elif step == CARD:
        goes = 1 if luck(world, c, key, purpose.CAMPAIGN_REPLY) < world.campaign_replies[c] else 0
    elif step == REPLY and answer_of(world, c, key, hosts) == events.SHARES:
        goes = 1 if luck(world, c, key, purpose.CAMPAIGN_LANDING) < world.campaign_lands[c] else 0
    elif step == LANDING:
        goes = 1 if luck(world, c, key, purpose.CAMPAIGN_EMAIL) < world.campaign_leaves[c] else 0
    return step + 1 if goes else _NO_FURTHER


@rule(Int(World, Int, Int, Int, Int))
def moment_of_step(world, c, key, step, now):
    """When a step is taken, after the one taken now."""
    u = draws.draw(key, purpose.CAMPAIGN_STEP, hour_of(world.campaign_from[c]) * _ROOM + step)
    return not_before_next_window(world, now, now + world.campaign_step[c, draws.below(u, QUANTILES)])


@rule(Int(World, Int, Int, Int))
def moment_of_emails(world, c, market, host_key):
    """When a host of this market leaves the addresses of their household; NEVER when they don't come so far."""
    at = moment_of_reach(world, c, host_key)
    if at == NEVER or not world.campaign_in[c, market]:
        return NEVER
    at = not_before_next_window(world, world.start, at)
    step = REACH
    while step != EMAIL:
        step = step_after(world, c, host_key, 1, step)
        if step == _NO_FURTHER:
            return NEVER
        at = moment_of_step(world, c, host_key, step, at)
    return at


@rule(Nothing(World, State, Int))
def await_campaigns(world, state, now):
    """Somebody who is known from now on: the campaigns that will find them. Borrowers are found through their host."""
    if state.fraudster or (state.subject >> people.KIND_SHIFT) & 3 == people.BORROWER:
        return
    for c in range(world.campaigns):
        if world.campaign_in[c, state.market] and not (state.campaigns_awaited >> c) & 1:
            at = moment_of_reach(world, c, state.key)
            if now <= at < NEVER:
                place = put_down(world, state, now, at, CAMPAIGN_STEP)
                state.matter_detail[place] = c * _ROOM + REACH
            state.campaigns_awaited |= 1 << c


@rule(Int(World, State, Page, Int, Int, Int))
def log_step(world, state, page, c, step, now):
    """Open the row of a step; return its place."""
    i = record(world, state, page, events.CAMPAIGN_REACHED + step, now)
    row = page.rows[i]
    row.market = state.market
    row.group = state.group
    row.campaign = c + 1
    return i


@rule(Nothing(World, State, Page, Int, Int, Int, Int))
def take_one(world, state, page, c, step, hosts, now):
    """Write one step down, with what it costs, and give what it earns."""
    sequence = state.sequence
    row = page.rows[log_step(world, state, page, c, step, now)]
    if step == REACH:
        if is_control(world, c, state.key):
            row.reason = events.CONTROL
        else:
            row.fee_minor = world.campaign_cost[c, state.market, _REACH_COST]
    elif step == CARD:
        row.reason = card_of(world, c, state.key, hosts)
    elif step == REPLY:
        row.reason = answer_of(world, c, state.key, hosts)
        row.fee_minor = world.campaign_cost[c, state.market, _REPLY_COST]
        if row.reason == events.DOES_NOT_SHARE:
            if hosts:
                confide(state, page, events.SHARING_DENIED, now, sequence)
            grant(world, state, page, world.campaign_free_month[c], now)
    elif step == LANDING:
        row.reason = events.HOST
    else:
        row.reason = events.HOST
        row.fee_minor = world.campaign_cost[c, state.market, _EMAIL_COST]
        grant(world, state, page, world.campaign_discount[c], now)


@rule(Nothing(World, State, Page, Int, Int))
def take_step(world, state, page, now, detail):
    """A person takes a step in a campaign, and perhaps another one later."""
    c = detail // _ROOM
    step = detail - c * _ROOM
    hosts = is_host(world, state)
    take_one(world, state, page, c, step, hosts, now)
    following = step_after(world, c, state.key, hosts, step)
    if following != _NO_FURTHER:
        place = put_down(world, state, now, moment_of_step(world, c, state.key, following, now), CAMPAIGN_STEP)
        state.matter_detail[place] = c * _ROOM + following


@rule(Nothing(World, State, Int))
def foresee_joining(world, state, now):
    """At the start: when a borrower will sign up by themselves, and which hosts' campaigns will bring them a letter."""
    joins = moment_of_joining(world, state)
    if joins < NEVER:
        state.alarm[ALARM_SIGNUP] = not_before_next_window(world, now, joins)
    which = state.subject & ((1 << people.KIND_SHIFT) - 1)
    market = state.subject >> people.MARKET_SHIFT << people.MARKET_SHIFT
    host_key = draws.subject_key(world.seed_key, market + ((which - 1) >> people.HOST_SHIFT))
    for c in range(world.campaigns):
        at = moment_of_emails(world, c, state.market, host_key)
        if at < NEVER:
            place = put_down(world, state, now, at, INVITED)
            state.matter_detail[place] = c


@rule(Nothing(World, State, Page, Int, Int))
def invite(world, state, page, now, c):
    """The borrower's address is left. If the letter arrives they hold a coupon, and some sign up who are no members.

    A letter to a mistyped address does not arrive.
    """
    sequence = state.sequence
    u = luck(world, c, state.key, purpose.CAMPAIGN_MISTAKE)
    mistakes = 0
    if u < world.campaign_mistypes[c]:
        mistakes = 2 if u < world.campaign_mistypes[c] // 4 else 1
    row = page.rows[log_step(world, state, page, c, EMAIL, now)]
    row.reason = events.BORROWER
    row.score = mistakes
    row.fee_minor = world.campaign_cost[c, state.market, _EMAIL_COST]
    if joins_by_themselves(world, state):
        confide(state, page, events.WOULD_JOIN_ANYWAY, now, sequence)
    if mistakes:
        return
    grant(world, state, page, world.campaign_discount[c], now)
    if state.phase == OUTSIDE and luck(world, c, state.key, purpose.CAMPAIGN_ACCEPTS) < world.campaign_accepts[c]:
        slot = draws.below(luck(world, c, state.key, purpose.CAMPAIGN_ACCEPTS_AFTER), QUANTILES)
        at = not_before_next_window(world, now, now + world.campaign_accepts_after[c, slot])
        state.alarm[ALARM_SIGNUP] = min(state.alarm[ALARM_SIGNUP], at)
