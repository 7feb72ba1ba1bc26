"""One try to collect an invoice, and what its answer sets in motion.

An attempt reads its fate, is answered after some latency, and ends authorized (the money is captured at once),
declined, or unknown until it is reconciled. A direct debit that the payer's side refuses looks paid at first and comes
back days later.
"""

from __future__ import annotations

from billing_sim import declines, draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import NEVER
from billing_sim.lifecycle import dunning, surveys
from billing_sim.lifecycle.authentication import authenticate, code_of_failure, issuer_asks, note_customer
from billing_sim.lifecycle.billing import close_paid, log_invoice
from billing_sim.lifecycle.calendar import hour_of, local_day, not_before_next_window
from billing_sim.lifecycle.changing import complete_upgrade, give_up_upgrade
from billing_sim.lifecycle.disputes import after_charge
from billing_sim.lifecycle.experiments import enrols_by_failing
from billing_sim.lifecycle.fraud import BLOCKED, PASSED, close_review, open_review, screen
from billing_sim.lifecycle.load import added_timeouts, best_gateway, is_refused, issuer_is_out, slowed
from billing_sim.lifecycle.log import confide, record
from billing_sim.lifecycle.methods import ask_updater
from billing_sim.lifecycle.networks import count, is_capped, price_attempt, price_charge
from billing_sim.lifecycle.paths import (
    funds_run_dry,
    gateway_fails,
    machine_fate,
    next_gateway,
    payer_fate,
    route,
    times_out,
)
from billing_sim.lifecycle.refunds import duplicate_charge
from billing_sim.lifecycle.releases import release_charges_twice, release_refuses
from billing_sim.lifecycle.spells import complete_signup, log_open_invoice, refuse_signup
from billing_sim.lifecycle.state import (
    ALARM_EXHAUST,
    ALARM_RENEWAL,
    ALARM_RESOLVE,
    ALARM_RETRY,
    BACKUP,
    FIRST,
    NOTHING_PENDING,
    PENDING_OUTCOME,
    PENDING_RETURN,
    SIGNING_UP,
    SUBSCRIBED,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.rule import rule
from billing_sim.world.record import BY_SUCCESS_RATE, CODE_SLOTS, QUANTILES

_MILLISECOND = 1000
_ISSUER_UNAVAILABLE = declines.CODE_NUMBER["91"]


@rule(Int(World, State, Int, Int, Int))
def observed_code(world, state, cause, kind, occasion):
    """The code that an issuer or partner answers for a latent cause, drawn by (subscriber, hour)."""
    if state.issuer_out and cause == declines.TECHNICAL and kind <= events.WALLET:
        return _ISSUER_UNAVAILABLE
    u = draws.draw(state.key, purpose.CODE, occasion)
    last = world.code_count[cause, kind] - 1
    i = 0
    while i < last and i < CODE_SLOTS - 1 and u >= world.code_mix[cause, kind, i]:
        i += 1
    return world.code_value[cause, kind, i]


@rule(Int(World, Int, Int), inline=True)
def latency_of(world, gateway, u):
    """Response time in milliseconds, from the gateway's quantiles and the low bits of the routing draw."""
    return slowed(world, gateway, world.latency[gateway, u & (QUANTILES - 1)])


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


@rule(Nothing(World, State, Page, Int))
def settle_free(world, state, page, now):
    """Nothing is left of the invoice after coupons and credits, or to check: it is paid without an attempt."""
    state.free = 0
    state.attempt = 0
    state.charged_fee = 0
    log_capture(world, state, page, now)
    succeed(world, state, page, now)


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


@rule(Int(Int))
def fails_late(cause):
    """Whether a direct debit's failure comes back days later: the payer's side refuses, not the machine."""
    return 1 if declines.NO_CAUSE < cause < declines.OUTAGE else 0


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


@rule(Int(World, State, Int, Int, Int), inline=True)
def is_turned_away(world, state, gateway, at, occasion):
    """Whether a gateway does not process this attempt: it is failing, or it has too many."""
    return gateway_fails(world, state, gateway, at, occasion) or is_refused(world, state, gateway, occasion)


@rule(Nothing(World, State, Page, Int, Int, Int), inline=True)
def choose_gateway(world, state, page, slot, at, u):
    """Route the attempt, and fail over at once when its gateway is down or has no room."""
    occasion = hour_of(at) * 2 + slot
    gateway = route(world, state, slot, u)
    if world.route_by[state.market, state.method_kind[slot]] == BY_SUCCESS_RATE:
        gateway = best_gateway(world, state, slot, gateway, occasion)
    if world.failover and is_turned_away(world, state, gateway, at, occasion):
        other = next_gateway(world, state, slot, gateway)
        if other != gateway:
            row = page.rows[record(world, state, page, events.GATEWAY_CALL_FAILED, at)]
            row.invoice = state.invoice
            row.attempt = state.attempt
            row.method_kind = state.method_kind[slot]
            row.gateway = gateway
            row.latency_ms = latency_of(world, gateway, u)
            gateway = other
    state.gateway = gateway


@rule(Int(World, State, Int, Int))
def is_withdrawn(world, state, slot, at):
    """Whether we no longer accept the kind of method in a slot."""
    since = world.withdrawn_at[state.market, state.method_kind[slot]]
    return 1 if 0 < since <= at else 0


@rule(Int(World, State, Int, Int, Int, Int), inline=True)
def fate(world, state, slot, initiator, at, luck):
    """The latent cause for which this attempt fails, 0 if it succeeds; the first bad thing in a fixed order."""
    if world.approves:
        return declines.NO_CAUSE
    if world.withdrawals and not state.method_status[slot] and is_withdrawn(world, state, slot, at):
        state.method_status[slot] = declines.WITHDRAWN
    cause = payer_fate(world, state, slot, at, initiator)
    if cause:
        return cause
    if initiator == events.MIT and world.sca_count[state.market] and issuer_asks(world, state, slot, at):
        return declines.AUTHENTICATION
    occasion = hour_of(at) * 2 + slot
    if gateway_fails(world, state, state.gateway, at, occasion):
        return declines.OUTAGE
    if is_refused(world, state, state.gateway, occasion):
        return declines.THROTTLED
    state.issuer_out = issuer_is_out(world, state, slot, at, occasion) if world.issuer_outages else 0
    if state.issuer_out:
        return declines.TECHNICAL
    if world.deploys and release_refuses(world, state, slot, at):
        return declines.BAD_RELEASE
    return machine_fate(world, state, slot, luck)


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


@rule(Nothing(World, State, Page, Int, Int, Int))
def issue_voucher(world, state, page, cause, luck, now):
    """A voucher is out: the member pays it some day before it expires, if there is money and attention, or not."""
    latency = latency_of(world, state.gateway, luck)
    i = log_attempt(
        world, state, page, events.ATTEMPT_PENDING, FIRST, events.CIT, now + latency * _MILLISECOND, latency
    )
    expires = now + world.voucher_valid
    page.rows[i].period_end = local_day(world, world.zone[state.market], expires)
    pick = draws.below(draws.draw(state.key, purpose.VOUCHER_MOMENT, hour_of(now)), 1024)
    at = now + pick * (world.voucher_valid // 1024)
    unpaid = cause == declines.RESTRICTED or (not world.approves and funds_run_dry(world, state, FIRST, at))
    unpaid_cause = declines.VOUCHER_UNPAID if unpaid else declines.NO_CAUSE
    await_answer(world, state, now, PENDING_OUTCOME, unpaid_cause, FIRST, events.CIT)
    state.alarm[ALARM_RESOLVE] = not_before_next_window(world, now, expires if unpaid else at)


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
    if state.method_kind[slot] == events.VOUCHER:
        initiator = events.CIT
    waited = 0
    state.authentication = 0
    if initiator == events.CIT and world.sca_count[state.market]:
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
        price_attempt(world, state, slot, initiator, now)
    if initiator == events.MIT:
        count(world, state, slot, now)
    cause = fate(world, state, slot, initiator, now, luck)
    latency = latency_of(world, state.gateway, path)
    at = now + (waited + latency) * _MILLISECOND
    kind = state.method_kind[slot]
    if kind == events.VOUCHER and cause in (declines.NO_CAUSE, declines.FUNDS, declines.RESTRICTED):
        issue_voucher(world, state, page, cause, luck, now)
        return 0
    if times_out(world, state.gateway, luck, added_timeouts(world, state.gateway)):
        log_attempt(world, state, page, events.ATTEMPT_UNKNOWN, slot, initiator, at, latency)
        await_answer(world, state, now, PENDING_OUTCOME, cause, slot, initiator)
        return 0
    late = kind == events.DIRECT_DEBIT and fails_late(cause) and not state.verifying
    if cause == declines.NO_CAUSE or late:
        log_attempt(world, state, page, events.ATTEMPT_AUTHORIZED, slot, initiator, at, latency)
        capture(world, state, page, slot, at)
        if world.deploys and release_charges_twice(world, state, slot, now):
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


@rule(Nothing(World, State, Page, Int, Int, Int))
def handle_failure(world, state, page, code, slot, now):
    """A first failure starts dunning, which may try the backup at once; any failure sets the next retry."""
    if state.phase == SIGNING_UP:
        refuse_signup(world, state, page, now)
        return
    if state.changing:
        give_up_upgrade(world, state, page, now)
        return
    if state.first_failed == NEVER:
        dunning.begin(world, state, page, now, code)
    elif state.alarm[ALARM_EXHAUST] == NEVER:
        dunning.go_on(world, state, now)
    if slot == FIRST:
        dunning.note_decline(world, state, code)
    if state.backup and slot == FIRST and world.use_backup[state.policy] and not is_capped(world, state, BACKUP, now):
        try_slot(world, state, page, BACKUP, events.MIT, now)
    if state.open and state.pending == NOTHING_PENDING:
        dunning.schedule_retry(world, state, now)


@rule(Nothing(World, State, Page, Int, Int))
def face_failure(world, state, page, slot, now):
    """What follows a try, or a failure that became known: dunning where it failed, and the member's next look."""
    if state.failed_code:
        handle_failure(world, state, page, state.failed_code, slot, now)
    if state.collects == events.CIT and state.phase == SUBSCRIBED and state.open and state.pending == NOTHING_PENDING:
        dunning.watch_again(world, state, now)
    state.collects = 0
    state.failed_code = 0


@rule(Nothing(World, State, Page, Int))
def collect(world, state, page, now):
    """What the rule that just rang asked for: try to collect the open invoice, and deal with a failure.

    Rules only ask (`state.collects` names the initiator, `state.failed_code` a failure that became known), so that
    there is one place in which money is tried for. A failure that enrols is left to `life.step`, which faces it in the
    world of the arm.
    """
    initiator = state.collects
    slot = state.pending_slot
    if initiator and (state.free or (state.verifying and state.method_kind[FIRST] == events.VOUCHER)):
        settle_free(world, state, page, now)
        initiator = 0
    if initiator:
        slot = FIRST
        if initiator == events.MIT:
            ask_updater(world, state, page, FIRST, now)
        state.failed_code = try_slot(world, state, page, FIRST, initiator, now)
    if world.enrolling and state.failed_code and enrols_by_failing(world, state, now):
        state.enrols = 1
        state.enrols_slot = slot
        return
    face_failure(world, state, page, slot, now)


@rule(Nothing(World, State, Int))
def ring_retry(world, state, now):
    """A retry is due; it waits for an unknown outcome, and is left out where the network's cap forbids it."""
    if state.pending == PENDING_OUTCOME:
        state.alarm[ALARM_RETRY] = not_before_next_window(world, state.alarm[ALARM_RESOLVE], 0)
        return
    state.next_retry += 1
    if is_capped(world, state, FIRST, now):
        dunning.schedule_retry(world, state, now)
        return
    state.collects = events.MIT


@rule(Nothing(World, State, Page, Int))
def reconcile(world, state, page, now):
    """An unknown outcome becomes known: it was authorized after all, or it failed."""
    slot = state.pending_slot
    state.pending = NOTHING_PENDING
    sequence = state.sequence
    state.attempt_cost = 0
    i = log_attempt(world, state, page, events.ATTEMPT_RECONCILED, slot, state.pending_initiator, now, 0)
    if state.pending_cause == declines.NO_CAUSE:
        page.rows[i].reason = events.RESOLVED_AUTHORIZED
        capture(world, state, page, slot, now)
        if state.pending_initiator == events.CIT:
            note_customer(state, slot, now)
        if state.method_kind[slot] == events.GIFT_BALANCE:
            state.balance -= state.amount
        succeed(world, state, page, now)
        if world.claims:
            after_charge(world, state, page, now, slot)
        return
    page.rows[i].reason = events.RESOLVED_FAILED
    page.rows[i].code = state.pending_code
    explain(state, page, state.pending_cause, slot, sequence)
    state.failed_code = state.pending_code


@rule(Nothing(World, State, Page, Int))
def take_back(world, state, page, now):
    """A captured direct debit comes back: the invoice is open again, and dunning starts, or goes on, only now."""
    state.pending = NOTHING_PENDING
    if state.invoice == 0:
        if state.first_failed == NEVER:
            state.policy = dunning.policy_for(world, state, now, world.decline_kind[state.pending_code])
        state.invoice = 1
        log_open_invoice(world, state, page, now)
    sequence = state.sequence
    row = page.rows[record(world, state, page, events.PAYMENT_RETURNED, now)]
    row.invoice = state.invoice
    row.attempt = state.attempt
    row.amount_minor = state.amount
    row.code = state.pending_code
    explain(state, page, state.pending_cause, state.pending_slot, sequence)
    if state.phase != SUBSCRIBED:
        log_invoice(world, state, page, events.INVOICE_UNCOLLECTIBLE, now)
        return
    state.open = 1
    state.alarm[ALARM_RENEWAL] = NEVER
    state.failed_code = state.pending_code


@rule(Nothing(World, State, Page, Int))
def decide_review(world, state, page, now):
    """A payment that waited for a review is made now, or refused."""
    state.pending = NOTHING_PENDING
    if close_review(world, state, page, now):
        state.attempt -= 1
        state.cleared = 1
        state.collects = state.pending_initiator
    else:
        state.failed_code = block(world, state, page, FIRST, state.pending_initiator, now)


@rule(Nothing(World, State, Page, Int))
def ring_resolve(world, state, page, now):
    """What was outstanding is known now."""
    if state.reviewing:
        decide_review(world, state, page, now)
    elif state.pending == PENDING_OUTCOME:
        reconcile(world, state, page, now)
    elif state.pending == PENDING_RETURN:
        take_back(world, state, page, now)
