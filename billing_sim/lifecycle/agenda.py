"""The agenda: dated matters that most people never have, such as a dispute under way or a trial that ends.

Alarms are for what happens to everybody, and each costs everybody a comparison; all matters together cost one. A
matter says what is due, when, and about which invoice and amount; `detail` is its own. The earliest rings first, equal
times in the order of their places. Who has `MATTERS` of them under way takes up no further one.
"""

from __future__ import annotations

from billing_sim.clock import NEVER
from billing_sim.lifecycle.calendar import not_before_next_window
from billing_sim.lifecycle.state import ALARM_MATTER, MATTERS, Int, Nothing, State, World
from billing_sim.rule import rule

NO_MATTER = 0
"""A free place."""
# Kinds of matters; numbers are part of every digest.
# Plans and money: 1 to 9.
LEAVE_TRIAL = 1
CHANGE_PLAN = 2
# Refunds and disputes: 10 to 19.
REFUND_DUE = 10
DISPUTE_OPENS = 11
DISPUTE_CONTESTED = 12
DISPUTE_ENDS = 13
CHARGE_AFTER_END = 14
# Fraud and authentication: 20 to 29.
OWNER_NOTICES = 20
# Gateways under load: 30 to 39.
# Support: 40 to 49.
CONTACT = 40
SUPPORT_RETRY = 41
SUPPORT_LINK = 42
# People and what they say: 50 to 59.
SURVEY_DUE = 50
SURVEY_ANSWER = 51
OFFER_DUE = 52
# Campaigns: 60 to 69.
BEGIN_BORROWING = 60
SHARING_ENDS = 61
LEAVES_OVER_SHARING = 62
CAMPAIGN_STEP = 63
INVITED = 64
# Experiments: 70 to 79.


@rule(Nothing(State))
def set_matter_alarm(state):
    """Ring for the earliest matter."""
    at = NEVER
    for i in range(MATTERS):
        if state.matter[i] and state.matter_at[i] < at:
            at = state.matter_at[i]
    state.alarm[ALARM_MATTER] = at


@rule(Int(World, State, Int, Int, Int))
def put_down(world, state, now, wish, matter):
    """Put a matter on the agenda, for a later window than now; return its place, -1 when there is no room."""
    for i in range(MATTERS):
        if state.matter[i] == NO_MATTER:
            state.matter[i] = matter
            state.matter_at[i] = not_before_next_window(world, now, wish)
            state.matter_invoice[i] = state.invoice
            state.matter_amount[i] = 0
            state.matter_detail[i] = 0
            state.alarm[ALARM_MATTER] = min(state.alarm[ALARM_MATTER], state.matter_at[i])
            return i
    return -1


@rule(Nothing(State, Int, Int))
def wake(state, put_off_to, due):
    """Whatever was put off to some moment, or beyond, is due at another."""
    for i in range(MATTERS):
        if state.matter[i] and state.matter_at[i] >= put_off_to:
            state.matter_at[i] = due
    set_matter_alarm(state)


@rule(Int(State, Int))
def take_up(state, now):
    """The place of the matter that is due now; it is free from now on, and readable until the next `put_down`."""
    place = 0
    while place < MATTERS - 1 and (state.matter[place] == NO_MATTER or state.matter_at[place] != now):
        place += 1
    return place


@rule(Nothing(State, Int))
def strike(state, matter):
    """Take every matter of a kind off the agenda: it has lost its reason."""
    for i in range(MATTERS):
        if state.matter[i] == matter:
            state.matter[i] = NO_MATTER
    set_matter_alarm(state)


@rule(Int(State, Int))
def has(state, matter):
    """Whether a matter of this kind is on the agenda."""
    for i in range(MATTERS):
        if state.matter[i] == matter:
            return 1
    return 0
