"""One attempt to collect an invoice, from the screen before it to what its answer does to the invoice.

It reads its fate, is answered after some latency, and ends authorized (the money is captured at once), declined, or
unknown until it is reconciled. A direct debit that the payer's side refuses looks paid at first and comes back days
later.
"""

from __future__ import annotations

from billing_sim import declines, draws, events
from billing_sim import purposes as purpose
from billing_sim.lifecycle import surveys
from billing_sim.lifecycle.authentication import authenticate, code_of_failure, note_customer
from billing_sim.lifecycle.billing import close_paid
from billing_sim.lifecycle.calendar import hour_of, local_day, not_before_next_window
from billing_sim.lifecycle.changing import complete_upgrade
from billing_sim.lifecycle.disputes import after_charge
from billing_sim.lifecycle.fates import choose_gateway, fails_late, fate, latency_of, observed_code
from billing_sim.lifecycle.fraud import BLOCKED, PASSED, screen
from billing_sim.lifecycle.load import added_timeouts
from billing_sim.lifecycle.log import confide, record
from billing_sim.lifecycle.networks import count, price_attempt, price_charge
from billing_sim.lifecycle.outstanding import (
    answers_late,
    debit_fate,
    is_voucher,
    voucher_fate,
    voucher_moment,
    who_pays,
)
from billing_sim.lifecycle.paths import route, times_out
from billing_sim.lifecycle.refunds import can_be_taken_twice, duplicate_charge
from billing_sim.lifecycle.releases import release_charges_twice
from billing_sim.lifecycle.reviews import open_review
from billing_sim.lifecycle.spells import complete_signup
from billing_sim.lifecycle.state import (
    ALARM_RESOLVE,
    FIRST,
    PENDING_OUTCOME,
    PENDING_RETURN,
    SIGNING_UP,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.rule import rule
from billing_sim.world.record import QUANTILES

_MILLISECOND = 1000


@rule(Int(World, State, Page, Int, Int, Int, Int, Int), inline=True)
def log_attempt(world, state, page, event, slot, initiator, at, latency):
    """Open the row of an attempt's answer and return its place."""
    i = record(world, state, page, event, at)
    row = page.rows[i]
    row.invoice = state.invoice
    row.attempt = state.attempt
    row.method = state.method_number[slot]
    row.method_kind = state.method_kind[slot]
    row.gateway = state.gateway
    row.initiator = initiator
    row.network = state.network[slot]
    row.bin = state.bin[slot]
    row.latency_ms = latency
    row.amount_minor = state.amount
    row.fee_minor = state.attempt_cost
    return i


@rule(Nothing(World, State, Page, Int), inline=True)
def log_capture(world, state, page, at):
    """Write that the invoice is paid, and what that cost."""
    row = page.rows[record(world, state, page, events.PAYMENT_CAPTURED, at)]
    row.invoice = state.invoice
    row.attempt = state.attempt
    row.amount_minor = state.amount
    row.fee_minor = state.charged_fee


@rule(Nothing(World, State, Page, Int, Int), inline=True)
def capture(world, state, page, slot, at):
    """The money is taken: the invoice counts as paid."""
    if world.fees or world.networks:
        price_charge(world, state, slot)
    log_capture(world, state, page, at)


@rule(Nothing(World, State, Page, Int))
def succeed(world, state, page, now):
    """The invoice is paid: a sign-up becomes a subscription, a renewal closes."""
    about = surveys.ABOUT_RECOVERY
    if state.phase == SIGNING_UP:
        about = surveys.ABOUT_SIGNUP
        complete_signup(world, state, page, now)
    if state.changing:
        complete_upgrade(world, state, page, now)
    else:
        close_paid(world, state, page, now)
    if world.surveys[state.market]:
        surveys.note_payment(world, state, page, now, about)


@rule(Nothing(State, Page, Int, Int, Int))
def explain(state, page, cause, slot, sequence):
    """Tell the sealed truth why an attempt failed."""
    row = page.truths[confide(state, page, events.EXPLAINED, state.last_at, sequence)]
    row.invoice = state.invoice
    row.attempt = state.attempt
    row.method = state.method_number[slot]
    row.cause = cause
    row.fraud = 1 if state.fraudster else 0


@rule(Nothing(World, State, Int, Int))
def remember(world, state, slot, at):
    """The issuer remembers a decline for a while."""
    if at - state.memory_since[slot] >= world.memory_window or state.memory_count[slot] == 0:
        state.memory_since[slot] = at
        state.memory_count[slot] = 0
    state.memory_count[slot] += 1


@rule(Nothing(World, State, Int, Int, Int, Int, Int))
def await_answer(world, state, now, pending, cause, slot, initiator):
    """Remember what is outstanding and when it will be known."""
    hour = hour_of(now)
    state.pending = pending
    state.pending_cause = cause
    state.pending_slot = slot
    state.pending_initiator = initiator
    state.pending_code = 0
    if cause:
        state.pending_code = observed_code(world, state, cause, state.method_kind[slot], hour * 2 + slot)
    if pending == PENDING_OUTCOME:
        lag = draws.below(draws.draw(state.key, purpose.RESOLUTION, hour), 1024) * (world.resolution // 1024)
    else:
        share = draws.below(draws.draw(state.key, purpose.RETURN_LAG, hour), 512) + 513
        lag = share * (world.return_lag // 1024)
    state.alarm[ALARM_RESOLVE] = not_before_next_window(world, now, now + lag)


@rule(Int(World, State, Page, Int, Int, Int))
def block(world, state, page, slot, initiator, at):
    """Our own screen refuses the payment; it is sent nowhere. Returns the code."""
    code = observed_code(world, state, declines.FRAUD_SCREEN, state.method_kind[slot], hour_of(at) * 2 + slot)
    sequence = state.sequence
    i = log_attempt(world, state, page, events.ATTEMPT_BLOCKED, slot, initiator, at, 0)
    page.rows[i].gateway = 0
    page.rows[i].network = 0
    page.rows[i].score = state.score
    page.rows[i].code = code
    explain(state, page, declines.FRAUD_SCREEN, slot, sequence)
    return code


@rule(Nothing(World, State, Page, Int, Int, Int, Int))
def issue_voucher(world, state, page, initiator, cause, luck, now):
    """A voucher is out: the member pays it some day before it expires, if there is money and attention, or not."""
    latency = latency_of(world, state.gateway, luck)
    i = log_attempt(world, state, page, events.ATTEMPT_PENDING, FIRST, initiator, now + latency * _MILLISECOND, latency)
    expires = now + world.voucher_valid
    page.rows[i].period_end = local_day(world, world.zone[state.market], expires)
    unpaid_cause = voucher_fate(world, state, cause, now)
    await_answer(world, state, now, PENDING_OUTCOME, unpaid_cause, FIRST, initiator)
    at = expires if unpaid_cause else voucher_moment(world, state, now)
    state.alarm[ALARM_RESOLVE] = not_before_next_window(world, now, at)


@rule(Nothing(World, State, Page, Int, Int, Int, Int))
def ask_bank(world, state, page, slot, cause, luck, now):
    """The bank tells the payer of the debit, makes it a day later as things stand then, and answers after that."""
    latency = latency_of(world, state.gateway, luck)
    asked = now + latency * _MILLISECOND
    i = log_attempt(world, state, page, events.ATTEMPT_PENDING, slot, events.MIT, asked, latency)
    debit = now + world.mandate_notice
    page.rows[i].period_end = local_day(world, world.zone[state.market], debit)
    late = debit_fate(world, state, slot, cause, debit)
    await_answer(world, state, now, PENDING_OUTCOME, late, slot, events.MIT)
    luck_of_bank = draws.draw(state.key, purpose.MANDATE_ANSWER, hour_of(now) * 2 + slot)
    after = world.mandate_answer[luck_of_bank & (QUANTILES - 1)]
    state.alarm[ALARM_RESOLVE] = not_before_next_window(world, now, debit + after)


@rule(Int(World, State, Page, Int, Int, Int))
def give_up(world, state, page, slot, at, code):
    """The customer did not authenticate: the attempt ends before it is sent to the issuer. Returns the code."""
    sequence = state.sequence
    i = log_attempt(world, state, page, events.ATTEMPT_DECLINED, slot, events.CIT, at, 0)
    page.rows[i].code = code
    explain(state, page, declines.ABANDONED, slot, sequence)
    return code


@rule(Int(World, State, Page, Int, Int, Int))
def try_slot(world, state, page, slot, initiator, now):
    """One attempt with the method in a slot; returns 0, or the code with which it was declined."""
    state.attempt += 1
    state.attempt_cost = 0
    if world.fraud_count[state.market]:
        verdict = screen(world, state, slot, initiator, now)
        if verdict == BLOCKED:
            return block(world, state, page, slot, initiator, now)
        if verdict != PASSED:
            open_review(world, state, page, initiator, now)
            return 0
    payer = who_pays(state, slot, initiator)
    waited = 0
    state.authentication = 0
    if payer == events.CIT and world.sca_count[state.market]:
        waited = authenticate(world, state, page, slot, now)
    occasion = hour_of(now) * 2 + slot
    path = draws.draw(state.key, purpose.ROUTE, occasion)
    luck = draws.draw(state.method_key[slot], purpose.MACHINE, occasion)
    code = code_of_failure(state)
    if code:
        state.gateway = route(world, state, slot, path)
        return give_up(world, state, page, slot, now + waited * _MILLISECOND, code)
    choose_gateway(world, state, page, slot, now, path)
    if world.fees or world.ignores_caps:
        price_attempt(world, state, slot, payer, now)
    if payer == events.MIT:
        count(world, state, slot, now)
    cause = fate(world, state, slot, payer, now, luck)
    latency = latency_of(world, state.gateway, path)
    at = now + (waited + latency) * _MILLISECOND
    kind = state.method_kind[slot]
    if is_voucher(state, slot, cause):
        issue_voucher(world, state, page, initiator, cause, luck, now)
        return 0
    if times_out(world, state.gateway, luck, added_timeouts(world, state.gateway)):
        log_attempt(world, state, page, events.ATTEMPT_UNKNOWN, slot, initiator, at, latency)
        await_answer(world, state, now, PENDING_OUTCOME, cause, slot, initiator)
        return 0
    if answers_late(world, state, slot, initiator, now, cause):
        ask_bank(world, state, page, slot, cause, path, now)
        return 0
    late = kind == events.DIRECT_DEBIT and fails_late(cause) and not state.verifying
    if cause == declines.NO_CAUSE or late:
        log_attempt(world, state, page, events.ATTEMPT_AUTHORIZED, slot, initiator, at, latency)
        capture(world, state, page, slot, at)
        # A debit that will come back is not there to be taken a second time.
        if world.deploys and not late and can_be_taken_twice(kind) and release_charges_twice(world, state, slot, now):
            duplicate_charge(world, state, page, at)
        if kind == events.GIFT_BALANCE:
            state.balance -= state.amount
        if initiator == events.CIT:
            note_customer(state, slot, now)
        succeed(world, state, page, now)
        if late:
            await_answer(world, state, now, PENDING_RETURN, cause, slot, initiator)
        elif world.claims:
            after_charge(world, state, page, now, slot)
        return 0
    code = observed_code(world, state, cause, kind, occasion)
    sequence = state.sequence
    i = log_attempt(world, state, page, events.ATTEMPT_DECLINED, slot, initiator, at, latency)
    page.rows[i].code = code
    explain(state, page, cause, slot, sequence)
    remember(world, state, slot, now)
    return code
