"""Stripe's webhook events: what a server would have been told, in order of time, with the object as it was then.

Every customer and subscription is created by an event, also those of before the run, so that a client can build its
state from the events alone. What became of a member of before the start until the run began, and how often an invoice
was tried by then, is told as the run begins.
"""

from __future__ import annotations

from dataclasses import dataclass

from billing_sim.export import stripe_objects as objects


@dataclass(frozen=True)
class Webhook:
    """One kind of moment: its number (part of the event's id, and the order at equal times), type, and SQL.

    `at` is its moment, `who` the numbers that make it unique, `thing` the object, `source` the rows after FROM, and
    `previous` the names and former values of what changed, as JSON.
    """

    number: int
    type: str
    at: str
    who: str
    thing: str
    source: str
    previous: str = ""

    @property
    def rows(self) -> str:
        """The rows with their moment and number, not yet an object."""
        return f"SELECT {self.at} AS told_at, {self.number} AS number, * FROM {self.source}"

    @property
    def line(self) -> str:
        """A row as the event it is: JSON text."""
        form = "_".join(["%d"] * len(self.who.split(",")))
        before = f", 'previous_attributes': {self.previous}" if self.previous else ""
        return f"""to_json({{'id': printf('evt_{self.number}_{form}', {self.who}), 'object': 'event',
            'api_version': '{objects.API_VERSION}', 'created': seconds(told_at),
            'data': {{'object': {self.thing}{before}}}, 'livemode': true, 'pending_webhooks': 0,
            'request': {{'id': NULL, 'idempotency_key': NULL}}, 'type': '{self.type}'}})"""


_INVOICE, _ATTEMPT, _STEP = "subscriber, invoice", "subscriber, invoice, attempt", "subscriber, spell, step"
_CLAIM = "subscriber, invoice, claim"
_UPDATED = "customer.subscription.updated"
_STATE = (
    "plan price_minor period_start period_end status cancels_at_end canceled_at ended_at price_created price_active"
).split()
_STEPS = f"""(
    SELECT *, {", ".join(f"lag({name}) OVER life AS was_{name}" for name in _STATE)}
    FROM steps WINDOW life AS (PARTITION BY subscriber, spell ORDER BY step))"""
_OF_INVOICE = """b.spell, b.policy, b.period_start, b.period_end, b.tax_minor, b.created, b.net_minor, b.is_proration,
        b.coupon, b.price_minor, b.line_minor, b.coupon_minor, b.credited_minor, b.credit_net_minor"""
_TRIES = f"""(
    SELECT a.* EXCLUDE (spell) REPLACE (b.plan AS plan), {_OF_INVOICE}
    FROM charged a JOIN billed b USING (subscriber, invoice))"""
_RETURNS = f"""(
    SELECT a.* EXCLUDE (spell) REPLACE (b.plan AS plan), {_OF_INVOICE}
    FROM returned a JOIN billed b USING (subscriber, invoice))"""
_TRIED_BEFORE = """(
    SELECT b.*, b.attempts - coalesce(a.tries, 0) AS attempt FROM billed b LEFT JOIN (
        SELECT subscriber, invoice, count(*) AS tries FROM attempts GROUP BY subscriber, invoice
    ) a USING (subscriber, invoice) WHERE b.is_imported)"""
_REFUNDED = """(
    SELECT a.* REPLACE (CAST(sum(r.amount_minor) OVER (PARTITION BY r.subscriber, r.invoice, r.attempt
            ORDER BY r.claimed_at, r.claim) AS BIGINT) AS refunded_minor),
        r.claim, r.claimed_at, r.amount_minor AS back_minor
    FROM charged a JOIN claimed r ON r.subscriber = a.subscriber AND r.invoice = a.invoice AND r.attempt = a.attempt
    WHERE r.what = 'refund')"""
_DISPUTED = """(
    SELECT a.*, r.claim, r.claimed_at
    FROM charged a JOIN claimed r ON r.subscriber = a.subscriber AND r.invoice = a.invoice AND r.attempt = a.attempt
    WHERE r.what = 'dispute')"""
_DISPUTES = "claimed WHERE what = 'dispute'"


def _untouched(fate: str = "fate") -> str:
    """A charge of which nothing has gone back yet."""
    return objects.charge(fate, refunded="0", disputed="false")


_UNANSWERED = f"json_object('status', 'needs_response', 'evidence_details', {objects.NO_EVIDENCE})"
_NEW = objects.invoice(
    "'open'", paid="0", attempts="0", paid_at="CAST(NULL AS TIMESTAMP)", given_up_at="CAST(NULL AS TIMESTAMP)"
)
_TRIED = objects.invoice(
    "'open'", paid="0", attempts="attempt", paid_at="CAST(NULL AS TIMESTAMP)", given_up_at="CAST(NULL AS TIMESTAMP)"
)
_PAID_ONCE = objects.invoice(
    "'paid'", paid="amount_minor", attempts="attempt", paid_at="occurred_at", given_up_at="CAST(NULL AS TIMESTAMP)"
)

WEBHOOKS: tuple[Webhook, ...] = (
    Webhook(10, "customer.created", "created", "subscriber", objects.CUSTOMER, "persons"),
    Webhook(11, "customer.subscription.created", "turned_at", _STEP, objects.SUBSCRIPTION, f"{_STEPS} WHERE step = 1"),
    Webhook(20, "invoice.created", "created", _INVOICE, _NEW, "billed"),
    Webhook(21, "invoice.updated", "run_start()", _INVOICE, _TRIED, f"{_TRIED_BEFORE} WHERE attempt > 0",
            "json_object('attempt_count', 0, 'attempted', false)"),
    Webhook(30, "charge.failed", "occurred_at", _ATTEMPT, _untouched(),
            "charged WHERE outcome IN ('declined', 'blocked')"),
    Webhook(31, "charge.succeeded", "occurred_at", _ATTEMPT, _untouched("'authorized'"),
            "charged WHERE outcome = 'authorized'"),
    Webhook(32, "charge.pending", "occurred_at", _ATTEMPT, _untouched(), "charged WHERE outcome = 'unknown'"),
    Webhook(33, "charge.failed", "returned_at", _ATTEMPT, _untouched(), "returned"),
    Webhook(34, "charge.refunded", "claimed_at", _CLAIM, objects.charge(), _REFUNDED,
            "json_object('amount_refunded', refunded_minor - back_minor)"),
    Webhook(35, "refund.created", "claimed_at", _CLAIM, objects.REFUND, "claimed WHERE what = 'refund'"),
    Webhook(36, "charge.dispute.created", "claimed_at", _CLAIM, objects.dispute("'open'"), _DISPUTES),
    Webhook(37, "charge.dispute.funds_withdrawn", "claimed_at", _CLAIM, objects.dispute("'open'"), _DISPUTES),
    Webhook(38, "charge.dispute.updated", "represented_at", _CLAIM, objects.dispute("'contested'"),
            f"{_DISPUTES} AND represented_at IS NOT NULL", _UNANSWERED),
    Webhook(39, "charge.dispute.closed", "resolved_at", _CLAIM, objects.dispute(),
            f"{_DISPUTES} AND resolved_at IS NOT NULL"),
    Webhook(40, "invoice.payment_failed", "occurred_at", _ATTEMPT, _TRIED,
            f"{_TRIES} WHERE outcome IN ('declined', 'blocked')"),
    Webhook(41, "invoice.paid", "paid_at", _INVOICE, objects.invoice(), "billed WHERE status = 'paid'"),
    Webhook(42, "invoice.paid", "occurred_at", _ATTEMPT, _PAID_ONCE, _RETURNS),
    Webhook(43, "invoice.payment_failed", "returned_at", _ATTEMPT, _TRIED, _RETURNS),
    Webhook(44, "invoice.voided", "given_up_at", _INVOICE, objects.invoice(), "billed WHERE status = 'void'"),
    Webhook(45, "invoice.marked_uncollectible", "given_up_at", _INVOICE, objects.invoice(),
            "billed WHERE status = 'uncollectible'"),
    Webhook(46, "charge.dispute.funds_reinstated", "resolved_at", _CLAIM, objects.dispute(),
            f"{_DISPUTES} AND state = 'won'"),
    Webhook(47, "invoice.updated", "occurred_at", _ATTEMPT, _TRIED, f"{_TRIES} WHERE outcome = 'unknown'",
            "CASE WHEN attempt > 1 THEN json_object('attempt_count', attempt - 1) "
            "ELSE json_object('attempt_count', 0, 'attempted', false) END"),
    Webhook(48, "charge.updated", "claimed_at", _CLAIM, objects.charge(), _DISPUTED, "json_object('disputed', false)"),
    Webhook(50, _UPDATED, "turned_at", _STEP, objects.SUBSCRIPTION,
            f"{_STEPS} WHERE step > 1 AND status <> 'canceled'", objects.former_state()),
    Webhook(60, "customer.subscription.deleted", "turned_at", _STEP, objects.SUBSCRIPTION,
            f"{_STEPS} WHERE status = 'canceled'"),
)  # fmt: skip
"""Every kind of moment, in the order in which equal times are told: a backup may pay at once what has just failed."""

_KEPT = (
    """
told_at number subscriber spell invoice attempt step market plan interval currency method instrument code fate outcome
status created occurred_at paid_at given_up_at ended_at trial_start trial_end period_start period_end cancels_at_end
canceled_at amount_minor tax_minor net_minor paid_minor price_minor line_minor coupon coupon_minor credited_minor
credit_net_minor attempts is_signup is_proration price_created price_active claim claimed_at back_minor refunded_minor
dispute is_taken fee_minor reason state represented_at resolved_at
""".split()
    + [f"was_{name}" for name in _STATE]
)

MOMENTS = f"SELECT {', '.join(_KEPT)} FROM ({' UNION ALL BY NAME '.join(webhook.rows for webhook in WEBHOOKS)})"
"""All moments in no order, with the columns that their objects are made of."""

EVENTS = f"""
SELECT CASE number {" ".join(f"WHEN {it.number} THEN {it.line}" for it in WEBHOOKS)} END
FROM (SELECT * FROM staged ORDER BY told_at, number, subscriber, spell, step, invoice, attempt)
"""
"""The moments in order of time, as JSON text."""
