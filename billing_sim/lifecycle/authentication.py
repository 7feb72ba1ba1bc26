"""Authentication (3DS): customers who pay by card may have to prove who they are, and issuers may ask for them later.

Whether an issuer wants to see the customer is a path in time: drawn by (card, hour) for a payment that the customer
makes, by (card, month) for renewals. Once it asks in a month, every renewal of that month is refused, until the
customer pays in person or another card is on file.
"""

from __future__ import annotations

from billing_sim import declines, draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import DAY
from billing_sim.lifecycle.calendar import hour_of, month_of_day
from billing_sim.lifecycle.log import record
from billing_sim.lifecycle.methods import is_card
from billing_sim.lifecycle.state import Int, Nothing, Page, State, World
from billing_sim.rule import rule
from billing_sim.world.record import QUANTILES

_MILLISECOND = 1000
_FAILED = declines.CODE_NUMBER["authentication_failed"]
_ABANDONED = declines.CODE_NUMBER["authentication_abandoned"]


@rule(Int(World, Int, Int))
def authentication_in_force(world, market, at):
    """Which of a market's rules of authentication holds at a moment."""
    i = world.sca_count[market] - 1
    while i > 0 and world.sca_from[market, i] > at:
        i -= 1
    return i


@rule(Int(World, State, Int, Int))
def how_it_ends(world, state, slot, at):
    """Whether a customer's payment needs authentication, and its end as a reason of the log; 0 when it needs none.

    A thief passes only where nothing is asked.
    """
    market = state.market
    i = authentication_in_force(world, market, at)
    key = state.method_key[slot]
    occasion = hour_of(at) * 2 + slot
    if draws.draw(key, purpose.AUTHENTICATED, occasion) >= world.sca_required[market, i]:
        return 0
    u = draws.draw(key, purpose.AUTHENTICATION, occasion)
    if u < world.sca_frictionless[market, i]:
        return events.FRICTIONLESS
    if state.fraudster:
        return events.CHALLENGE_FAILED
    # The rest of the same draw, spread over the whole again, would be coarse: another one decides.
    u = draws.draw(key, purpose.AUTHENTICATION_TIME, occasion)
    if u < world.sca_passed[market, i]:
        return events.CHALLENGE_PASSED
    return events.CHALLENGE_FAILED if u < world.sca_failed[market, i] else events.CHALLENGE_ABANDONED


@rule(Int(World, State, Page, Int, Int))
def authenticate(world, state, page, slot, at):
    """Let the customer authenticate before an attempt, if they must; return how long it takes, in milliseconds."""
    state.authentication = 0
    if not is_card(state.method_kind[slot]):
        return 0
    reason = how_it_ends(world, state, slot, at)
    if reason == 0:
        return 0
    state.authentication = reason
    pick = draws.draw(state.method_key[slot], purpose.AUTHENTICATION_TIME, hour_of(at) * 2 + slot) & (QUANTILES - 1)
    latency = world.frictionless_ms[pick] if reason == events.FRICTIONLESS else world.challenge_ms[pick]
    row = page.rows[record(world, state, page, events.AUTHENTICATION_COMPLETED, at + latency * _MILLISECOND)]
    row.invoice = state.invoice
    row.attempt = state.attempt
    row.method = state.method_number[slot]
    row.method_kind = state.method_kind[slot]
    row.latency_ms = latency
    row.reason = reason
    return latency


@rule(Int(State), inline=True)
def code_of_failure(state):
    """The code of an attempt that ends with its authentication, 0 when it goes on."""
    if state.authentication == events.CHALLENGE_FAILED:
        return _FAILED
    return _ABANDONED if state.authentication == events.CHALLENGE_ABANDONED else 0


@rule(Int(World, State, Int, Int))
def issuer_asks(world, state, slot, at):
    """Whether a renewal is refused because the issuer wants the customer, who has not come since."""
    if not is_card(state.method_kind[slot]):
        return 0
    month = month_of_day(at // DAY)
    if state.authenticated_month == month and state.authenticated_method == state.method_number[slot]:
        return 0
    asked = world.sca_asked[state.market, authentication_in_force(world, state.market, at)]
    return 1 if draws.draw(state.method_key[slot], purpose.ISSUER_ASKS, month) < asked else 0


@rule(Nothing(State, Int, Int), inline=True)
def note_customer(state, slot, at):
    """The customer has paid with this method in person: the issuer does not ask again this month."""
    state.authenticated_month = month_of_day(at // DAY)
    state.authenticated_method = state.method_number[slot]
