"""From events to facts: one pass over whole lives in canonical order, told by the log alone.

Every kind of event has one small rule that opens a fact or completes one. Rows of one person lie together, so what is
open is remembered in one record and nothing is ever looked up.
"""

from __future__ import annotations

from numba import types

from billing_sim import events
from billing_sim.facts import schema
from billing_sim.facts.attempts import (
    read_attempt,
    read_authentication,
    read_decision,
    read_failed_call,
    read_reconciled,
    read_review,
)
from billing_sim.facts.brought import read_brought
from billing_sim.facts.contacts import read_support
from billing_sim.facts.experiments import read_enrolment
from billing_sim.facts.invoices import close_invoice, read_captured, read_dunning, read_invoice, read_returned
from billing_sim.facts.methods import read_hold, read_method, read_notice
from billing_sim.facts.months import close_months, start_with
from billing_sim.facts.plans import (
    read_coupon,
    read_credit,
    read_discount,
    read_pause,
    read_plan_changed,
    read_trial,
)
from billing_sim.facts.record import Context, Int, Nothing, Page, Person, Row, Rows, Stretches
from billing_sim.facts.refunds import read_claim, read_fee
from billing_sim.facts.saying import (
    note_return,
    read_answer,
    read_notice_fate,
    read_offer,
    read_stated_reason,
    read_survey,
)
from billing_sim.facts.spells import (
    close_signup,
    meet,
    note_standing,
    read_cancel_request,
    read_canceled,
    read_signup,
    read_subscription,
)
from billing_sim.facts.touches import note_first_joining, note_first_payment, read_touch
from billing_sim.rule import entry, rule

NULL = schema.NULL
_AUTHORIZED = 1
_DECLINED = 2
_UNKNOWN = 3
_BLOCKED = 4
_VOID = 2
_UNCOLLECTIBLE = 3
_SIGNUP_ABANDONED = 2


@rule(Nothing(Context, Person, Page, Row))
def read(context, person, page, row):
    """Hand a row to the rule of its kind."""
    kind = row.kind
    if kind == events.ATTEMPT_AUTHORIZED:
        read_attempt(context, person, page, row, _AUTHORIZED)
    elif kind == events.PAYMENT_CAPTURED:
        read_captured(page, person, row)
    elif kind in (events.INVOICE_ISSUED, events.INVOICE_IMPORTED):
        read_invoice(context, person, page, row)
        if kind == events.INVOICE_IMPORTED:
            start_with(context, person, row)
    elif kind == events.ATTEMPT_DECLINED:
        read_attempt(context, person, page, row, _DECLINED)
    elif kind == events.NOTICE_SENT:
        read_notice(person, page, row)
    elif kind in (events.METHOD_ADDED, events.METHOD_UPDATED):
        read_method(context, person, page, row)
    elif kind in (events.SUBSCRIPTION_IMPORTED, events.SUBSCRIPTION_CREATED):
        read_subscription(context, person, page, row)
        note_return(page, person, row)
    elif kind == events.DUNNING_STARTED:
        read_dunning(page, person, row)
    elif kind == events.CANCEL_REQUESTED:
        read_cancel_request(page, person, row)
    elif kind == events.SUBSCRIPTION_CANCELED:
        read_canceled(context, person, page, row)
    elif kind == events.SIGNUP_STARTED:
        read_signup(context, person, page, row)
    elif kind == events.SIGNUP_ABANDONED:
        close_signup(page, person, row, _SIGNUP_ABANDONED)
    elif kind == events.ATTEMPT_UNKNOWN:
        read_attempt(context, person, page, row, _UNKNOWN)
    elif kind == events.ATTEMPT_RECONCILED:
        read_reconciled(page, person, row)
    elif kind == events.GATEWAY_CALL_FAILED:
        read_failed_call(person, row)
    elif kind == events.PAYMENT_RETURNED:
        read_returned(page, person, row)
    elif kind == events.INVOICE_VOIDED:
        close_invoice(page, person, row, _VOID)
    elif kind == events.INVOICE_UNCOLLECTIBLE:
        close_invoice(page, person, row, _UNCOLLECTIBLE)
    elif kind in (events.SUBSCRIPTION_HELD, events.SUBSCRIPTION_RESTORED):
        read_hold(person, page, row)
    # Plans and money.
    elif kind == events.DISCOUNT_APPLIED:
        read_discount(context, person, page, row)
    elif kind == events.CREDIT_APPLIED:
        read_credit(context, person, page, row)
    elif kind == events.PLAN_CHANGED:
        read_plan_changed(context, person, page, row)
    elif kind in (events.SUBSCRIPTION_PAUSED, events.SUBSCRIPTION_RESUMED):
        read_pause(person, page, row)
    elif kind in (events.TRIAL_STARTED, events.TRIAL_ENDED):
        read_trial(person, page, row)
    elif events.TRIAL_IMPORTED <= kind <= events.COUPON_IMPORTED:
        read_brought(context, person, page, row)
    elif kind == events.COUPON_REDEEMED:
        read_coupon(person, page, row)
    # Refunds and disputes.
    # What a contact or a step of a campaign costs is no fee of an invoice.
    if row.fee_minor and kind < events.CONTACT_OPENED:
        read_fee(context, person, page, row)
    if events.PAYMENT_DUPLICATED <= kind <= events.FRAUD_REPORTED:
        read_claim(context, person, page, row)
    # Fraud and authentication.
    elif kind == events.ATTEMPT_PENDING:
        read_attempt(context, person, page, row, _UNKNOWN)
    elif kind == events.ATTEMPT_BLOCKED:
        read_attempt(context, person, page, row, _BLOCKED)
    elif kind == events.AUTHENTICATION_COMPLETED:
        read_authentication(person, row)
    elif kind == events.REVIEW_OPENED:
        read_review(person, row)
    elif kind == events.REVIEW_CLOSED:
        read_decision(person, row)
    # Gateways under load.
    # Support.
    elif events.CONTACT_OPENED <= kind <= events.CONTACT_UNRESOLVED:
        read_support(context, person, page, row)
    # People and what they say.
    elif kind in (events.NOTICE_OPENED, events.NOTICE_UNDELIVERED):
        read_notice_fate(page, person, row, 1 if kind == events.NOTICE_OPENED else 0)
    elif kind == events.SURVEY_SENT:
        read_survey(page, person, row)
    elif kind == events.SURVEY_ANSWERED:
        read_answer(page, person, row)
    elif kind == events.EXIT_SURVEY_ANSWERED:
        read_stated_reason(page, person, row)
    elif kind == events.OFFER_SENT:
        read_offer(page, person, row)
    # Campaigns.
    elif events.CAMPAIGN_REACHED <= kind <= events.SHARING_RESTRICTED:
        read_touch(context, person, page, row)
    elif kind == events.PAYMENT_CAPTURED and row.amount_minor and person.first_paid_at == NULL:
        note_first_payment(person, page, row)
    elif kind == events.SUBSCRIPTION_CREATED and person.first_joined_at == NULL:
        note_first_joining(person, page, row)
    # Experiments.
    elif kind == events.EXPERIMENT_ENROLLED:
        read_enrolment(context, person, page, row)


@rule(Nothing(Context, Person, Page))
def part(context, person, page):
    """A person's rows are over: months run on to the end of the run, and a last standing is noted."""
    if not person.is_member:
        return
    close_months(context, person, page, context.end)
    note_standing(page, person)


@rule(Int(Person, Row))
def is_out_of_place(person, row):
    """Whether a row is about a spell that is over, or one that no row began: nobody knows whose it is.

    Every spell begins with a row that says who the person is, so in a whole log no row is out of place.
    """
    if row.spell <= person.spell:
        return 1 if row.spell < person.spell else 0
    kind = row.kind
    begins = kind in (events.SIGNUP_STARTED, events.SUBSCRIPTION_IMPORTED, events.SUBSCRIPTION_CREATED)
    # Whoever left before the run comes back from a spell that no row began, and may be enrolled as they do.
    return 0 if begins or kind == events.EXPERIMENT_ENROLLED else 1


@rule(Int(Rows, Int, Int, Int))
def is_settled(rows, first, count, moment):
    """Whether nothing is recorded from the moment on of the person whose rows begin at `first`."""
    at = first
    while at < count and rows[at].subscriber == rows[first].subscriber:
        if rows[at].recorded_at >= moment:
            return 0
        at += 1
    return 1


@entry(Int(Rows, Int, types.Array(Int, 1, "C")))
def part_settled(rows, moment, edges):
    """Write where people begin of whom nothing is recorded from the moment on, where such who are not, and so on in
    turn, up to the number of rows; return how many edges there are. The first stretch is empty where nobody is settled.
    """
    edges[0] = 0
    written = 1
    was_settled = 1
    for i in range(len(rows)):
        if i and rows[i].subscriber == rows[i - 1].subscriber:
            continue
        if is_settled(rows, i, len(rows), moment) != was_settled:
            was_settled = 1 - was_settled
            edges[written] = i
            written += 1
    edges[written] = len(rows)
    return written + 1


@entry(Int(types.Array(Context, 1, "C"), types.Array(Person, 1, "C"), types.Array(Page, 1, "C"), Rows, Stretches))
def fold_rows(contexts, persons, pages, rows, stretches):
    """Fold some stretches [first, end) of rows, whole lives in canonical order, onto an emptied page; 1 when it
    overflowed."""
    context = contexts[0]
    person = persons[0]
    page = pages[0]
    for i in range(len(page.count)):
        page.count[i] = 0
    page.overflow = 0
    person.subscriber = -1
    for stretch in range(len(stretches)):
        for i in range(stretches[stretch, 0], stretches[stretch, 1]):
            row = rows[i]
            if row.recorded_at >= context.known_before:
                continue
            if row.subscriber != person.subscriber:
                if person.subscriber >= 0:
                    part(context, person, page)
                meet(person, row)
            if is_out_of_place(person, row):
                continue
            if person.is_member:
                close_months(context, person, page, row.occurred_at)
            read(context, person, page, row)
    if person.subscriber >= 0:
        part(context, person, page)
    return page.overflow
