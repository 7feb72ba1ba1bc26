"""Ends and returns: a voluntary end at the close of the paid period, an involuntary one at once, and coming back."""

from __future__ import annotations

from billing_sim import declines, draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import DAY, HOUR, NEVER
from billing_sim.lifecycle import win_back
from billing_sim.lifecycle.billing import billing_moment, close_void, log_invoice, schedule_renewal, silence_dunning
from billing_sim.lifecycle.calendar import hour_of, local_day, not_before_next_window
from billing_sim.lifecycle.changing import forget_change
from billing_sim.lifecycle.intent import foresee_intent
from billing_sim.lifecycle.log import confide, record
from billing_sim.lifecycle.methods import put_on_file
from billing_sim.lifecycle.offers import end_coupon
from billing_sim.lifecycle.paths import funds_run_dry
from billing_sim.lifecycle.refunds import foresee_charge_after_end
from billing_sim.lifecycle.reviews import IN_QUEUE
from billing_sim.lifecycle.state import (
    ALARM_EPISODE,
    ALARM_INTENT,
    ALARM_PERIOD_END,
    ALARM_RENEWAL,
    ALARM_RESOLVE,
    ALARM_SIGNUP,
    BACKUP,
    FIRST,
    NOTHING_PENDING,
    OUTSIDE,
    PENDING_OUTCOME,
    SUBSCRIBED,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.lifecycle.support import CANCELED_BY_MISTAKE, maybe_contact
from billing_sim.lifecycle.win_back import MONTH_HOURS
from billing_sim.rule import rule

WHY_TROUBLE = events.WHYS.index("payment_trouble")
_ANSWERS = tuple({
    "price": events.WHY_PRICE, "content": events.WHY_CONTENT, "not_using": events.WHY_NOT_USING,
}.get(why, events.WHY_OTHER) for why in events.WHYS)  # fmt: skip


@rule(Int(World, State, Int, Int))
def moment_of_return(world, state, left_at, through_payment):
    """When a person who left comes back, by the market's curve of returns within a year; NEVER if not then."""
    hour = hour_of(left_at)
    u = draws.draw(state.key, purpose.WIN_BACK, hour)
    for month in range(12):
        if u < win_back.share_back(world, state, through_payment, month):
            moment = draws.below(draws.draw(state.key, purpose.WIN_BACK_MOMENT, hour), MONTH_HOURS)
            return left_at + (month * MONTH_HOURS + moment) * HOUR
    return NEVER


@rule(Nothing(World, State, Int))
def carry_on(world, state, now):
    """In the pre-roll nobody leaves: members of the base are those who stayed. The reason to leave is gone."""
    state.open = 0
    state.held = 0
    state.canceling = 0
    state.pending = NOTHING_PENDING
    state.reviewing = 0
    silence_dunning(state)
    state.alarm[ALARM_RESOLVE] = NEVER
    state.alarm[ALARM_PERIOD_END] = NEVER
    state.intent = events.STAY
    state.why = 0
    put_on_file(world, state, FIRST, state.method_kind[FIRST], now, 0)
    foresee_intent(world, state, now)
    schedule_renewal(world, state, now)


@rule(Nothing(World, State, Page, Int, Int))
def log_trial_end(world, state, page, reason, now):
    """Write that the free trial is over."""
    state.trial = 0
    row = page.rows[record(world, state, page, events.TRIAL_ENDED, now)]
    row.reason = reason


@rule(Nothing(World, State, Page, Int, Int))
def end_spell(world, state, page, now, reason):
    """The subscription ends; the person may come back."""
    if not state.logging:
        carry_on(world, state, now)
        return
    if state.trial:
        log_trial_end(world, state, page, events.TRIAL_OVER, now)
    row = page.rows[record(world, state, page, events.SUBSCRIPTION_CANCELED, now)]
    row.invoice = state.invoice
    row.reason = reason
    silence_dunning(state)
    state.alarm[ALARM_RENEWAL] = NEVER
    state.alarm[ALARM_EPISODE] = NEVER
    state.alarm[ALARM_INTENT] = NEVER
    state.alarm[ALARM_PERIOD_END] = NEVER
    state.phase = OUTSIDE
    state.open = 0
    state.held = 0
    state.canceling = 0
    state.paused = 0
    if world.reductions:
        end_coupon(state)
        forget_change(state)
    through_payment = 1 if reason == events.NONPAYMENT and state.intent == events.STAY else 0
    back = moment_of_return(world, state, now, through_payment)
    if back < NEVER:
        state.alarm[ALARM_SIGNUP] = not_before_next_window(world, now, back)
    if world.win_offers:
        win_back.foresee_offers(world, state, now, through_payment, 0 if reason == events.VOLUNTARY else 1)


@rule(Int(World, State, Int, Int))
def could_have_paid(world, state, slot, now):
    """Whether the method in a slot, mended if it was reissued, had money on some day since the first failure."""
    status = state.method_status[slot]
    if status not in (declines.NO_CAUSE, declines.EXPIRED, declines.REPLACED):
        return 0
    if state.method_kind[slot] == events.GIFT_BALANCE:
        return 1 if state.balance >= state.amount else 0
    at = state.first_failed
    while at <= now:
        if not funds_run_dry(world, state, slot, at):
            return 1
        at += DAY
    return 0


@rule(Int(World, State))
def has_other_means(world, state):
    """Whether the person holds another instrument, not on file, that could pay; asked of the hour their method came."""
    hour = hour_of(state.method_added[FIRST])
    return 1 if draws.draw(state.key, purpose.MEANS, hour) < world.other_means[state.market] else 0


@rule(Int(World, State, Int))
def is_able(world, state, now):
    """Able: some instrument held, on file or not, could have paid within the dunning window; a fraudster holds none."""
    if state.fraudster:
        return 0
    if has_other_means(world, state) or could_have_paid(world, state, FIRST, now):
        return 1
    return could_have_paid(world, state, BACKUP, now) if state.backup else 0


@rule(Nothing(World, State, Page, Int, Int))
def judge_loss(world, state, page, now, sequence):
    """Tell the sealed truth who is lost with the event of this sequence: whether they wanted to stay and could pay."""
    row = page.truths[confide(state, page, events.LOSS_JUDGED, now, sequence)]
    row.invoice = state.invoice
    row.able = is_able(world, state, now)
    if state.intent == events.GO:
        row.why = state.why
    elif world.knows_why[state.market]:
        row.why = WHY_TROUBLE


@rule(Int(World, State, Int))
def stated_reason(world, state, hour):
    """What the person ticks: mostly why they go, sometimes anything else; payment trouble is none of the answers."""
    if state.intent != events.GO:
        blames = draws.draw(state.key, purpose.EXIT_BLAME, hour) < world.exit_blames_price[state.market]
        return events.WHY_PRICE if blames else events.WHY_OTHER
    told = _ANSWERS[state.why]
    if draws.draw(state.key, purpose.EXIT_LIE, hour) < world.exit_misreported[state.market]:
        other = 1 + draws.below(draws.draw(state.key, purpose.EXIT_BLAME, hour), 3)
        return events.WHY_PRICE + (told - events.WHY_PRICE + other) % 4
    return told


@rule(Nothing(World, State, Page, Int))
def answer_exit_survey(world, state, page, now):
    """Who cancels is asked why; some answer."""
    hour = hour_of(now)
    if draws.draw(state.key, purpose.EXIT_ANSWER, hour) < world.exit_answered[state.market]:
        row = page.rows[record(world, state, page, events.EXIT_SURVEY_ANSWERED, now)]
        row.reason = stated_reason(world, state, hour)


@rule(Nothing(World, State, Page, Int, Int, Int))
def log_cancel(world, state, page, now, reason, effective_day):
    """Write that the member cancels."""
    row = page.rows[record(world, state, page, events.CANCEL_REQUESTED, now)]
    row.reason = reason
    row.period_end = effective_day
    if world.exit_answered[state.market]:
        answer_exit_survey(world, state, page, now)


@rule(Nothing(World, State, Page, Int, Int))
def cancel_in_dunning(world, state, page, now, reason):
    """The member cancels while an invoice is failing: it is void and the end is immediate.

    What trouble provoked is a loss through payment like any other, and is judged as one.
    """
    if reason == events.PAYMENT_TROUBLE:
        judge_loss(world, state, page, now, state.sequence)
    log_cancel(world, state, page, now, reason, local_day(world, world.zone[state.market], now))
    close_void(world, state, page, now)
    end_spell(world, state, page, now, reason)


@rule(Nothing(World, State, Page, Int))
def cancel(world, state, page, now):
    """The member cancels: at the end of the paid period, or at once when the period is not paid, or in a pause.

    While an attempt's outcome is unknown the end waits for it, so that nobody is charged for a void invoice.
    """
    # An upgrade that waits for its answer owes nothing for the period, which is paid.
    is_unpaid = 1 if state.open and not state.changing else 0
    if is_unpaid and state.pending != PENDING_OUTCOME:
        cancel_in_dunning(world, state, page, now, events.VOLUNTARY)
        return
    if state.paused:
        log_cancel(world, state, page, now, events.VOLUNTARY, local_day(world, world.zone[state.market], now))
        end_spell(world, state, page, now, events.VOLUNTARY)
        return
    state.canceling = 1
    state.alarm[ALARM_RENEWAL] = NEVER
    if is_unpaid:
        at = not_before_next_window(world, state.alarm[ALARM_RESOLVE], 0)
        ends = now if at >= IN_QUEUE else at
        log_cancel(world, state, page, now, events.VOLUNTARY, local_day(world, world.zone[state.market], ends))
    else:
        at = not_before_next_window(world, now, billing_moment(world, state, state.period_end))
        log_cancel(world, state, page, now, events.VOLUNTARY, state.period_end)
        if world.support:
            maybe_contact(world, state, now, CANCELED_BY_MISTAKE)
    state.alarm[ALARM_PERIOD_END] = at


@rule(Nothing(World, State, Page, Int))
def leave(world, state, page, now):
    """Someone wants to go: most cancel, some stop the payments at their bank, which looks like a decline."""
    if state.phase != SUBSCRIBED or state.canceling:
        return
    kind = state.method_kind[FIRST]
    if draws.draw(state.key, purpose.EXIT_CHANNEL, hour_of(now)) < world.bank_stop[state.market, kind]:
        is_mandate = kind in (events.DIRECT_DEBIT, events.A2A_EMANDATE)
        status = declines.MANDATE_REVOKED if is_mandate else declines.BANK_STOP
        state.method_status[FIRST] = status
        state.method_status[BACKUP] = status
        return
    cancel(world, state, page, now)


@rule(Nothing(World, State, Page, Int))
def ring_period_end(world, state, page, now):
    """A cancelled subscription reaches the end of what is paid, unless an outcome is still unknown."""
    if state.pending == PENDING_OUTCOME:
        state.alarm[ALARM_PERIOD_END] = not_before_next_window(world, state.alarm[ALARM_RESOLVE], 0)
        return
    if state.open:
        close_void(world, state, page, now)
    elif world.faults:
        foresee_charge_after_end(world, state, now)
    end_spell(world, state, page, now, events.VOLUNTARY)


@rule(Nothing(World, State, Page, Int))
def lose_through_payment(world, state, page, now):
    """Dunning is exhausted: the invoice is given up and the subscription ends at once."""
    sequence = state.sequence
    log_invoice(world, state, page, events.INVOICE_UNCOLLECTIBLE, now)
    judge_loss(world, state, page, now, sequence)
    end_spell(world, state, page, now, events.NONPAYMENT)
