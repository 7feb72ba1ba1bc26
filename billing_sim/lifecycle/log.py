"""Writing down what happened. A rule opens a row and fills in what its kind carries; everything else stays zero.

Before a base member enters the log (the pre-roll) rows are written to the same place over and over and never kept.
"""

from __future__ import annotations

from billing_sim import draws
from billing_sim import purposes as purpose
from billing_sim.lifecycle.calendar import hour_of
from billing_sim.lifecycle.state import Int, Page, State, World
from billing_sim.rule import rule
from billing_sim.world.record import QUANTILES


@rule(Int(World, State, Int), inline=True)
def recording_delay(world, state, at):
    """How late events of this hour reach the log; one draw per subscriber and hour."""
    hour = hour_of(at)
    if state.delay_hour != hour:
        state.delay_hour = hour
        state.delay = world.delay[draws.below(draws.draw(state.key, purpose.RECORD_DELAY, hour), QUANTILES)]
    return state.delay


@rule(Int(World, State, Page, Int, Int), inline=True)
def record(world, state, page, kind, at):
    """Open the row of an event and return its place; time never runs backwards within a life."""
    i = state.rows
    state.last_at = max(state.last_at, at)
    row = page.rows[i]
    row.subscriber = state.subject
    row.occurred_at = state.last_at
    row.recorded_at = state.last_at + recording_delay(world, state, state.last_at)
    row.amount_minor = 0
    row.tax_minor = 0
    row.sequence = state.sequence
    row.invoice = 0
    row.latency_ms = 0
    row.period_start = 0
    row.period_end = 0
    row.spell = state.spell
    row.attempt = 0
    row.method = 0
    row.kind = kind
    row.method_kind = 0
    row.market = 0
    row.plan = 0
    row.currency = 0
    row.gateway = 0
    row.policy = 0
    row.initiator = 0
    row.code = 0
    row.reason = 0
    row.group = 0
    row.arm = 0
    row.channel = 0
    row.network = 0
    row.coupon = 0
    row.campaign = 0
    row.bin = 0
    row.score = 0
    row.fee_minor = 0
    if state.logging:
        state.rows += 1
        state.sequence += 1
    return i


@rule(Int(State, Page, Int, Int, Int))
def confide(state, page, kind, at, sequence):
    """Open a row of the sealed truth; `sequence` names the public event that it explains, -1 when it stands alone."""
    i = state.truths
    row = page.truths[i]
    row.subscriber = state.subject
    row.occurred_at = at
    row.sequence = sequence
    row.invoice = 0
    row.spell = state.spell
    row.attempt = 0
    row.method = 0
    row.kind = kind
    row.cause = 0
    row.intent = state.intent
    row.why = 0
    row.fraud = 0
    row.able = 0
    row.verdict = 0
    if state.logging:
        state.truths += 1
    return i
