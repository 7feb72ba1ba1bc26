"""One sentence for every kind of public event, in plain words."""

from __future__ import annotations

from collections.abc import Callable

from billing_sim import events
from billing_sim.trace import fraud_sentences
from billing_sim.trace.campaign_sentences import CAMPAIGN_SENTENCES
from billing_sim.trace.context import Context, Row, code_words, day_words, method_words
from billing_sim.trace.plans_sentences import SENTENCES as PLANS
from billing_sim.trace.refunds_sentences import REFUND_SENTENCES
from billing_sim.trace.saying_sentences import SAYING, by_channel
from billing_sim.trace.support_sentences import SUPPORT_SENTENCES

_STANDING = {
    events.ACTIVE: "paid until {end}",
    events.PAST_DUE: "with a payment that is failing",
    events.ON_HOLD: "with access blocked for an unpaid invoice",
    events.CANCELING: "cancelled, until {end}",
    events.IN_TRIAL: "in a free trial until {end}",
    events.PAUSED: "on a pause until {end}",
}
_TOLD = {
    events.NOTICE_FAILED: "The member was told that the payment had failed.",
    events.NOTICE_REMINDER: "The member was reminded of the failed payment.",
    events.NOTICE_HOLD: "The member was told that access is blocked.",
    events.NOTICE_ENDED: "The member was told that the subscription has ended.",
}
_SOURCES = {
    events.BY_SUBSCRIBER: "The member put a new {method} on file",
    events.BY_UPDATER: "The account updater brought new details of the {method}",
    events.BY_TOKEN: "The network token carried over to the new {method}",
    events.BY_BACKUP: "The backup, a {method}, became the method on file",
}
_FOR = {
    events.VERIFICATION: "to check the payment method of the trial",
    events.PRORATION: "for the change to {service}",
}
_ENDS = {
    events.VOLUNTARY: "The subscription ended, as the member had wished.",
    events.PAYMENT_TROUBLE: "The subscription ended: the member cancelled while a payment was failing.",
    events.NONPAYMENT: "The subscription ended: invoice {invoice} was never paid.",
}


def _signup_started(row: Row, context: Context) -> str:
    verb = "Came back and signed up again" if row["reason"] == events.RETURNING else "Signed up"
    method = f"a {method_words(row)}" if row["method_kind"] else "no payment method"
    return f"{verb} for {context.plan(row)} with {method}."


def _signup_abandoned(_row: Row, _context: Context) -> str:
    return "Gave up signing up without having paid."


def _subscription_created(row: Row, context: Context) -> str:
    again = " again" if row["reason"] == events.RETURNING else ""
    how = f"by {method_words(row)}" if row["method_kind"] else "without a payment method"
    return f"Became a member{again}: {context.plan(row)}, {how}."


def _subscription_imported(row: Row, context: Context) -> str:
    standing = _STANDING[row["reason"]].format(end=day_words(row["period_end"]))
    how = f"by {method_words(row)}" if row["method_kind"] else "without a payment method"
    what = f"{context.plan(row)}, {how}, since {day_words(row['period_start'])}"
    return f"Already a member when the run began: {what}, {standing}."


def _cancel_requested(row: Row, _context: Context) -> str:
    why = " because a payment was failing" if row["reason"] == events.PAYMENT_TROUBLE else ""
    return f"The member cancelled{why}, effective {day_words(row['period_end'])}."


def _subscription_canceled(row: Row, _context: Context) -> str:
    return _ENDS[row["reason"]].format(invoice=row["invoice"])


def _subscription_held(row: Row, _context: Context) -> str:
    return f"Access was blocked: grace is over and invoice {row['invoice']} still unpaid."


def _subscription_restored(_row: Row, _context: Context) -> str:
    return "Access was restored."


def _validity(row: Row) -> str:
    return f", valid to {day_words(row['period_end'])}" if row["period_end"] else ""


def _method_added(row: Row, context: Context) -> str:
    role = " as a backup" if row["reason"] == events.BY_BACKUP else ""
    loaded = f" with {context.money(row['amount_minor'])}" if row["amount_minor"] else ""
    return f"A {method_words(row)}{context.bin_words(row)}{loaded} was put on file{role}{_validity(row)}."


def _method_updated(row: Row, context: Context) -> str:
    method = f"{method_words(row)}{context.bin_words(row)}"
    return f"{_SOURCES[row['reason']].format(method=method)}{_validity(row)}."


def _invoice_issued(row: Row, context: Context) -> str:
    tax = f", {context.money(row['tax_minor'])} of it tax" if row["tax_minor"] else ""
    service = f"{context.plan(row)} from {day_words(row['period_start'])} to {day_words(row['period_end'])}"
    service = _FOR.get(row["reason"], "for {service}").format(service=service)
    return f"Invoice {row['invoice']} was issued: {context.money(row['amount_minor'])}{tax}, {service}."


def _invoice_imported(row: Row, context: Context) -> str:
    tries = f"{row['attempt']} attempt{'s' if row['attempt'] != 1 else ''}"
    invoice = f"Invoice {row['invoice']} of {context.money(row['amount_minor'])}"
    if int(row["invoice"]) in context.came_back:
        return f"{invoice} had been paid before, after {tries}; its payment did not last."
    return f"{invoice} was already failing after {tries}, by the policy {context.policy(row)}."


def _invoice_voided(row: Row, _context: Context) -> str:
    return f"Invoice {row['invoice']} was voided: nothing is owed any more."


def _invoice_uncollectible(row: Row, _context: Context) -> str:
    return f"Invoice {row['invoice']} was given up as uncollectible."


def _tried(row: Row, context: Context, paid: bool = False) -> str:
    method, gateway = context.method(row), context.gateway(row)
    who = "The service tried"
    if (int(row["invoice"]), int(row["attempt"])) in context.by_agents:
        who = "The agent charged" if paid else "The agent tried to charge"
    elif row["initiator"] == events.CIT:
        who = "The member paid with" if paid else "The member tried to pay with"
    return f"{who} the {method} through {gateway} (attempt {row['attempt']})"


def _attempt_authorized(row: Row, context: Context) -> str:
    return f"{_tried(row, context, paid=True)}, authorized."


def _attempt_declined(row: Row, context: Context) -> str:
    return f"{_tried(row, context)}, declined: {code_words(row['code'])}."


def _attempt_unknown(row: Row, context: Context) -> str:
    return f"{_tried(row, context)}, and no answer came in time: the outcome is unknown."


def _attempt_reconciled(row: Row, _context: Context) -> str:
    answer = "it was authorized"
    if row["reason"] == events.RESOLVED_FAILED:
        answer = f"it was declined: {code_words(row['code'])}"
    return f"The outcome of attempt {row['attempt']} became known: {answer}."


def _gateway_call_failed(row: Row, context: Context) -> str:
    return f"Gateway {context.gateway(row)} could not process the attempt, which went on to another."


def _payment_captured(row: Row, context: Context) -> str:
    if not row["attempt"] and not row["amount_minor"]:
        return f"Nothing is left to pay of invoice {row['invoice']}."
    return f"{context.money(row['amount_minor'])} was captured: invoice {row['invoice']} is paid."


def _payment_returned(row: Row, context: Context) -> str:
    amount, code = context.money(row["amount_minor"]), code_words(row["code"])
    return f"The payment of {amount} for invoice {row['invoice']} came back: {code}."


def _dunning_started(row: Row, context: Context) -> str:
    return f"Dunning of invoice {row['invoice']} began, by the policy {context.policy(row)}."


def _notice_sent(row: Row, _context: Context) -> str:
    return _TOLD[row["reason"]].replace(".", f"{by_channel(row)}.")


def _enrolled(row: Row, context: Context) -> str:
    experiment, _, arm = context.arms[row["arm"]].partition("/")
    return f"Enrolled in the experiment {experiment}: from now on the rules of its arm {arm} hold."


SENTENCES: dict[int, Callable[[Row, Context], str]] = {
    events.SIGNUP_STARTED: _signup_started,
    events.SIGNUP_ABANDONED: _signup_abandoned,
    events.SUBSCRIPTION_CREATED: _subscription_created,
    events.SUBSCRIPTION_IMPORTED: _subscription_imported,
    events.CANCEL_REQUESTED: _cancel_requested,
    events.SUBSCRIPTION_CANCELED: _subscription_canceled,
    events.SUBSCRIPTION_HELD: _subscription_held,
    events.SUBSCRIPTION_RESTORED: _subscription_restored,
    events.METHOD_ADDED: _method_added,
    events.METHOD_UPDATED: _method_updated,
    events.INVOICE_ISSUED: _invoice_issued,
    events.INVOICE_IMPORTED: _invoice_imported,
    events.INVOICE_VOIDED: _invoice_voided,
    events.INVOICE_UNCOLLECTIBLE: _invoice_uncollectible,
    events.ATTEMPT_AUTHORIZED: _attempt_authorized,
    events.ATTEMPT_DECLINED: _attempt_declined,
    events.ATTEMPT_UNKNOWN: _attempt_unknown,
    events.ATTEMPT_RECONCILED: _attempt_reconciled,
    events.GATEWAY_CALL_FAILED: _gateway_call_failed,
    events.PAYMENT_CAPTURED: _payment_captured,
    events.PAYMENT_RETURNED: _payment_returned,
    events.DUNNING_STARTED: _dunning_started,
    events.NOTICE_SENT: _notice_sent,
    # Plans and money.
    **PLANS,
    # Refunds and disputes.
    **REFUND_SENTENCES,
    # Fraud and authentication.
    events.ATTEMPT_PENDING: fraud_sentences.attempt_pending,
    events.ATTEMPT_BLOCKED: fraud_sentences.attempt_blocked,
    events.AUTHENTICATION_COMPLETED: fraud_sentences.authentication_completed,
    events.REVIEW_OPENED: fraud_sentences.review_opened,
    events.REVIEW_CLOSED: fraud_sentences.review_closed,
    # Gateways under load.
    # Support.
    **SUPPORT_SENTENCES,
    # People and what they say.
    **SAYING,
    # Campaigns.
    **CAMPAIGN_SENTENCES,
    # Experiments.
    events.EXPERIMENT_ENROLLED: _enrolled,
}
"""Kind of event -> what happened, as a sentence."""
