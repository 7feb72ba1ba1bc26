"""Payment methods: what is on file, what happens to it in the world, and how the file catches up.

A card on file lives until its expiry, or until it is lost or closed; which comes first is read once, when it is put
on file, from draws keyed by the card and the month. Then the file is stale until a network token, the account updater
or the member mends it. Accounts, wallets' cards and partner lines have the episodes of their kind.
"""

from __future__ import annotations

from billing_sim import declines, draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import DAY, HOUR, NEVER
from billing_sim.lifecycle.bins import draw_bin
from billing_sim.lifecycle.calendar import (
    first_of_month,
    hour_of,
    moment_in_month,
    month_of_day,
    not_before_next_window,
)
from billing_sim.lifecycle.log import confide, record
from billing_sim.lifecycle.networks import draw_network
from billing_sim.lifecycle.state import (
    ALARM_EPISODE,
    ALARM_MEMBER,
    BACKUP,
    FIRST,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.rule import rule
from billing_sim.world.record import KINDS, YEARS

_PROACTIVE_DAYS = 10
_REISSUED = (declines.EXPIRED, declines.REPLACED)


@rule(Int(Int))
def is_card(kind):
    """Whether a card stands behind this kind: it has an expiry and can be reissued."""
    return 1 if kind in (events.CREDIT, events.DEBIT, events.PREPAID, events.WALLET) else 0


@rule(Int(Int))
def is_updatable(kind):
    """Whether networks tell new details of this kind: the updater's and tokens' reach (prepaid cards have none)."""
    return 1 if kind in (events.CREDIT, events.DEBIT, events.WALLET) else 0


@rule(Int(World, State, Int, Int))
def choose_kind(world, state, purpose_, hour):
    """A kind of payment method from the market's mix."""
    u = draws.draw(state.key, purpose_, hour)
    kind = 1
    if world.mix_count[state.market]:
        i = world.mix_count[state.market] - 1
        while i > 0 and world.mix_from[state.market, i] > hour * HOUR:
            i -= 1
        while kind < KINDS - 1 and u >= world.mix[state.market, i, kind]:
            kind += 1
        return kind
    while kind < KINDS - 1 and u >= world.method_mix[state.market, kind]:
        kind += 1
    return kind


@rule(Nothing(World, State, Int, Int))
def foresee_episode(world, state, slot, since):
    """Find the first thing that happens to the method in this slot after `since` and before the horizon."""
    state.episode_at[slot] = NEVER
    kind = state.method_kind[slot]
    lost = world.lost[state.market, kind]
    ends = lost + world.closed[state.market, kind]
    key = state.method_key[slot]
    month = month_of_day(since // DAY)
    last = world.last_month
    expiry = state.method_expiry[slot]
    while month <= last:
        u = draws.draw(key, purpose.EPISODE, month)
        if u < ends:
            at = moment_in_month(world, draws.draw(key, purpose.EPISODE_MOMENT, month), month)
            if at > since:
                state.episode_at[slot] = at
                if u < lost:
                    state.episode_cause[slot] = declines.REPLACED
                else:
                    state.episode_cause[slot] = declines.CLOSED if is_card(kind) else declines.MANDATE_LAPSED
                break
        if month == expiry:
            state.episode_at[slot] = world.month_start[month + 1 - world.first_month] * DAY
            state.episode_cause[slot] = declines.EXPIRED
            break
        month += 1


@rule(Nothing(State, Int))
def set_episode_alarm(state, now):
    """Ring for the earlier of the methods' episodes still to come.

    A past one stays readable (the updater's luck is keyed by it) but does not ring again.
    """
    at = NEVER
    if state.episode_at[FIRST] > now:
        at = state.episode_at[FIRST]
    if state.backup and now < state.episode_at[BACKUP] < at:
        at = state.episode_at[BACKUP]
    state.alarm[ALARM_EPISODE] = at


@rule(Nothing(World, State, Int, Int, Int, Int))
def put_on_file(world, state, slot, kind, at, is_new):
    """Put a method into a slot: a card just issued, or one that has been in the wallet for a while."""
    hour = hour_of(at)
    occasion = hour * 2 + slot
    was_reissued = is_new and kind == state.method_kind[slot] and state.method_status[slot] in _REISSUED
    state.methods += 1
    state.method_number[slot] = state.methods
    state.method_kind[slot] = kind
    state.method_key[slot] = draws.subject_key(state.key, occasion)
    state.method_added[slot] = at
    state.method_status[slot] = declines.NO_CAUSE
    state.method_token[slot] = 0
    state.method_expiry[slot] = 0
    state.memory_count[slot] = 0
    state.counted[slot] = 0
    state.recounted[slot] = 0
    if not is_card(kind):
        state.network[slot] = 0
        state.bin[slot] = 0
    else:
        if world.networks and not was_reissued:
            draw_network(world, state, slot, hour)
        if world.bins and not was_reissued:
            draw_bin(world, state, slot, hour)
        key = state.method_key[slot]
        choice = draws.below(draws.draw(key, purpose.EXPIRY, hour), world.expiry_choices[state.market])
        months = world.expiry_years[state.market, choice % YEARS] * 12
        if not is_new:
            months = 1 + draws.below(draws.draw(key, purpose.CARD_AGE, hour), months)
        state.method_expiry[slot] = month_of_day(at // DAY) + months
        if is_updatable(kind):
            token = draws.draw(key, purpose.TOKEN, hour) < world.token_share[state.market]
            state.method_token[slot] = 1 if token else 0
    if kind == events.GIFT_BALANCE:
        most = world.gift_charges[state.market]
        charges = 1 + draws.below(draws.draw(state.method_key[slot], purpose.GIFT, hour), most)
        state.balance = charges * state.quoted
    foresee_episode(world, state, slot, at)
    set_episode_alarm(state, at)


@rule(Nothing(World, State, Int))
def foresee_episodes_anew(world, state, now):
    """What is still to come over the methods on file follows the rules of this world from now on.

    What is due at this very moment happens all the same, and so does everything where the two worlds agree.
    """
    if state.alarm[ALARM_EPISODE] == now:
        return
    for slot in range(1 + state.backup):
        if state.method_status[slot] == declines.NO_CAUSE and state.episode_at[slot] > now:
            foresee_episode(world, state, slot, now)
    set_episode_alarm(state, now)


@rule(Int(State, Int))
def expires_on(state, slot):
    """The last day of a card's validity, 0 for methods that have none."""
    expiry = state.method_expiry[slot]
    return first_of_month(expiry + 1) - 1 if expiry else 0


@rule(Nothing(World, State, Page, Int, Int, Int, Int))
def log_method(world, state, page, event, slot, reason, at):
    """Write a method on file, as added or as updated."""
    row = page.rows[record(world, state, page, event, at)]
    row.method = state.method_number[slot]
    row.method_kind = state.method_kind[slot]
    row.network = state.network[slot]
    row.bin = state.bin[slot]
    row.reason = reason
    row.period_end = expires_on(state, slot)
    if row.method_kind == events.GIFT_BALANCE:
        row.amount_minor = state.balance


@rule(Nothing(World, State, Page, Int, Int, Int, Int))
def replace(world, state, page, slot, kind, source, at):
    """A new method or new details take the place of those in a slot, told by `source`."""
    put_on_file(world, state, slot, kind, at, 1)
    log_method(world, state, page, events.METHOD_UPDATED, slot, source, at)


@rule(Int(World, State, Int))
def updater_is_on(world, state, at):
    """Whether the account updater works in this market at this moment."""
    market = state.market
    i = world.updater_count[market] - 1
    while i > 0 and world.updater_from[market, i] > at:
        i -= 1
    return world.updater_on[market, i]


@rule(Nothing(World, State, Page, Int, Int))
def ask_updater(world, state, page, slot, at):
    """Before a merchant-initiated attempt, ask the account updater for new details of a card that was reissued."""
    status = state.method_status[slot]
    if status not in (declines.EXPIRED, declines.REPLACED):
        return
    if not is_updatable(state.method_kind[slot]) or not updater_is_on(world, state, at):
        return
    u = draws.draw(state.method_key[slot], purpose.UPDATER, month_of_day(state.episode_at[slot] // DAY))
    if u < world.updater_coverage[state.market]:
        replace(world, state, page, slot, state.method_kind[slot], events.BY_UPDATER, at)


@rule(Nothing(World, State, Page, Int, Int))
def follow(world, state, page, slot, at):
    """A token carries over to the next card: the number on file stays, and so does what the member told the bank."""
    number = state.method_number[slot]
    status = state.method_status[slot]
    network = state.network[slot]
    issuer = state.bin[slot]
    put_on_file(world, state, slot, state.method_kind[slot], at, 1)
    state.methods -= 1
    state.method_number[slot] = number
    state.method_status[slot] = status
    state.network[slot] = network
    state.bin[slot] = issuer
    state.method_token[slot] = 1
    log_method(world, state, page, events.METHOD_UPDATED, slot, events.BY_TOKEN, at)


@rule(Nothing(World, State, Page, Int, Int))
def suffer_episode(world, state, page, slot, now):
    """Something happens to a method in the world; a token lets the file follow, anything else leaves it stale.

    In a world that mends, the file follows whatever happened.
    """
    cause = state.episode_cause[slot]
    kind = state.method_kind[slot]
    row = page.truths[confide(state, page, events.EPISODE_BEGAN, now, -1)]
    row.method = state.method_number[slot]
    row.cause = cause
    if world.mends or (state.method_token[slot] and cause in (declines.EXPIRED, declines.REPLACED)):
        follow(world, state, page, slot, now)
        return
    if state.method_status[slot] == declines.NO_CAUSE:
        state.method_status[slot] = cause
    if slot == FIRST and not state.open:
        hour = hour_of(now)
        if draws.draw(state.key, purpose.PROACTIVE, hour) < world.proactive[state.market, kind]:
            hours = draws.below(draws.draw(state.key, purpose.PROACTIVE_DELAY, hour), _PROACTIVE_DAYS * 24)
            at = not_before_next_window(world, now, now + hours * HOUR)
            state.alarm[ALARM_MEMBER] = min(state.alarm[ALARM_MEMBER], at)


@rule(Nothing(World, State, Page, Int))
def ring_episode(world, state, page, now):
    """An episode begins; two cards may expire at the same moment."""
    if state.episode_at[FIRST] == now:
        suffer_episode(world, state, page, FIRST, now)
    if state.backup and state.episode_at[BACKUP] == now:
        suffer_episode(world, state, page, BACKUP, now)
    set_episode_alarm(state, now)
