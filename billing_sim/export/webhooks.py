"""Stripe's webhook events: what a server would have been told, in order of time, with the object as it was then.

Every customer and subscription is created by an event, also those of before the run, so that a client can build its
state from the events alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from billing_sim.export import stripe_objects as objects
from billing_sim.export.vocabulary import SIGNUP_ABANDONED


@dataclass(frozen=True)
class Webhook:
    """One kind of moment: its number (part of the event's id, and the order at equal times), type, and SQL.

    `at` is its moment, `who` the numbers that make it unique, `thing` the object, `source` the rows after FROM, and
    `previous` the names and former values of what changed, as arguments of `json_object`.
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
        before = f", 'previous_attributes': json_object({self.previous})" if self.previous else ""
        return f"""to_json({{'id': printf('evt_{self.number}_{form}', {self.who}), 'object': 'event',
            'api_version': '{objects.API_VERSION}', 'created': seconds(told_at),
            'data': {{'object': {self.thing}{before}}}, 'livemode': true, 'pending_webhooks': 0,
            'request': {{'id': NULL, 'idempotency_key': NULL}}, 'type': '{self.type}'}})"""


_SPELL, _INVOICE, _ATTEMPT = "subscriber, spell", "subscriber, invoice", "subscriber, invoice, attempt"
_CLAIM = "subscriber, invoice, claim"
_UPDATED = "customer.subscription.updated"
_INVOICED = """(
    SELECT b.*, s.created AS subscribed_at, s.cancel_requested_at, s.step, s.trial_start,
        s.trial_end, b.status AS invoice_status,
        coalesce(b.first_failed_at, CASE WHEN b.is_imported THEN b.created END) AS failed_at
    FROM billed b JOIN subscribed s USING (subscriber, spell) WHERE NOT b.is_signup)"""
_FAILED = """(
    SELECT a.* REPLACE (b.plan AS plan),
        b.policy, b.period_start, b.period_end, b.tax_minor, b.created, b.net_minor, b.is_proration
    FROM charged a JOIN billed b USING (subscriber, invoice) WHERE a.outcome IN ('declined', 'blocked'))"""
_REFUNDED = """(
    SELECT a.* REPLACE (CAST(sum(r.amount_minor) OVER (PARTITION BY r.subscriber, r.invoice, r.attempt
            ORDER BY r.claimed_at, r.claim) AS BIGINT) AS refunded_minor),
        r.claim, r.claimed_at, r.amount_minor AS back_minor
    FROM charged a JOIN claimed r ON r.subscriber = a.subscriber AND r.invoice = a.invoice AND r.attempt = a.attempt
    WHERE r.what = 'refund')"""
_DISPUTES = "claimed WHERE what = 'dispute'"
_RETURNED = "(SELECT *, billed_at AS created, amount_minor - tax_minor AS net_minor FROM returned)"


def _untouched(fate: str = "fate") -> str:
    """A charge of which nothing has gone back yet."""
    return objects.charge(fate, refunded="0", disputed="false")


def _as_of(at: str, status: str) -> str:
    """The subscription of an invoice's row at a moment."""
    canceled = f"CASE WHEN cancel_requested_at <= {at} THEN cancel_requested_at END"
    return objects.subscription(
        f"'{status}'", canceled=canceled, cancels=f"coalesce(cancel_requested_at <= {at}, false)",
        ended="CAST(NULL AS TIMESTAMP)", start="CAST(period_start AS TIMESTAMP)", end="CAST(period_end AS TIMESTAMP)",
        created="subscribed_at",
    )  # fmt: skip


def _before(status: str, ended: str = "CAST(NULL AS TIMESTAMP)") -> str:
    """The subscription of a row of `subscribed` in its first period, before anything happened to it."""
    never = "CAST(NULL AS TIMESTAMP)"
    first_end = "coalesce(trial_end, created + step)"
    return objects.subscription(status, canceled=never, cancels="false", ended=ended, start="created", end=first_end)


_NEW = objects.invoice(
    "'open'", paid="0", attempts="0", paid_at="CAST(NULL AS TIMESTAMP)", given_up_at="CAST(NULL AS TIMESTAMP)"
)
_TRIED = objects.invoice(
    "'open'", paid="0", attempts="attempt", paid_at="CAST(NULL AS TIMESTAMP)", given_up_at="CAST(NULL AS TIMESTAMP)"
)
_PAID_ONCE = objects.invoice(
    "'paid'", paid="amount_minor", attempts="attempt", paid_at="occurred_at", given_up_at="CAST(NULL AS TIMESTAMP)"
)
_LAST_PERIOD = (
    "'current_period_end', seconds(CAST(period_start AS TIMESTAMP)), "
    "'current_period_start', seconds(period_start - step)"
)
_BEGUN = "CASE WHEN trial_start IS NULL THEN 'active' ELSE 'trialing' END"
_STARTING = f"CASE WHEN signed_at IS NULL THEN {_BEGUN} ELSE 'incomplete' END"

WEBHOOKS: tuple[Webhook, ...] = (
    Webhook(10, "customer.created", "created", "subscriber", objects.CUSTOMER, "persons"),
    Webhook(11, "customer.subscription.created", "created", _SPELL, _before(_STARTING), "subscribed"),
    Webhook(20, "invoice.created", "created", _INVOICE, _NEW, "billed"),
    Webhook(30, "charge.failed", "occurred_at", _ATTEMPT, _untouched(),
            "charged WHERE outcome IN ('declined', 'blocked')"),
    Webhook(31, "charge.succeeded", "occurred_at", _ATTEMPT, _untouched("'authorized'"),
            "charged WHERE outcome = 'authorized'"),
    Webhook(32, "charge.pending", "occurred_at", _ATTEMPT, _untouched(), "charged WHERE outcome = 'unknown'"),
    Webhook(33, "charge.failed", "returned_at", _ATTEMPT, _untouched(), "returned"),
    Webhook(34, "charge.refunded", "claimed_at", _CLAIM, objects.charge(), _REFUNDED,
            "'amount_refunded', refunded_minor - back_minor"),
    Webhook(35, "refund.created", "claimed_at", _CLAIM, objects.REFUND, "claimed WHERE what = 'refund'"),
    Webhook(36, "charge.dispute.created", "claimed_at", _CLAIM, objects.dispute("'open'"), _DISPUTES),
    Webhook(37, "charge.dispute.funds_withdrawn", "claimed_at", _CLAIM, objects.dispute("'open'"), _DISPUTES),
    Webhook(38, "charge.dispute.updated", "represented_at", _CLAIM, objects.dispute("'contested'"),
            f"{_DISPUTES} AND represented_at IS NOT NULL", "'status', 'needs_response'"),
    Webhook(39, "charge.dispute.closed", "resolved_at", _CLAIM, objects.dispute(),
            f"{_DISPUTES} AND resolved_at IS NOT NULL"),
    Webhook(40, "invoice.payment_failed", "occurred_at", _ATTEMPT, _TRIED, _FAILED),
    Webhook(41, "invoice.paid", "paid_at", _INVOICE, objects.invoice(), "billed WHERE status = 'paid'"),
    Webhook(42, "invoice.paid", "occurred_at", _ATTEMPT, _PAID_ONCE, _RETURNED),
    Webhook(43, "invoice.payment_failed", "returned_at", _ATTEMPT, _TRIED, _RETURNED),
    Webhook(44, "invoice.voided", "given_up_at", _INVOICE, objects.invoice(), "billed WHERE status = 'void'"),
    Webhook(45, "invoice.marked_uncollectible", "given_up_at", _INVOICE, objects.invoice(),
            "billed WHERE status = 'uncollectible'"),
    Webhook(46, "charge.dispute.funds_reinstated", "resolved_at", _CLAIM, objects.dispute(),
            f"{_DISPUTES} AND state = 'won'"),
    Webhook(49, _UPDATED, "trial_end", _SPELL, _before("'active'"),
            "subscribed WHERE trial_ended_by = 'trial_converted'", "'status', 'trialing'"),
    Webhook(50, _UPDATED, "started_at", _SPELL, _before(_BEGUN),
            "subscribed WHERE signed_at IS NOT NULL AND started_at IS NOT NULL", "'status', 'incomplete'"),
    Webhook(51, _UPDATED, "ended_at", _SPELL, _before("'incomplete_expired'", "ended_at"),
            f"subscribed WHERE status = '{SIGNUP_ABANDONED}'", "'status', 'incomplete'"),
    Webhook(52, _UPDATED, "created", _INVOICE, _as_of("created", "active"),
            f"{_INVOICED} WHERE NOT is_imported", _LAST_PERIOD),
    Webhook(53, _UPDATED, "failed_at", _INVOICE, _as_of("failed_at", "past_due"),
            f"{_INVOICED} WHERE failed_at IS NOT NULL", "'status', 'active'"),
    Webhook(54, _UPDATED, "paid_at", _INVOICE, _as_of("paid_at", "active"),
            f"{_INVOICED} WHERE failed_at IS NOT NULL AND invoice_status = 'paid'", "'status', 'past_due'"),
    Webhook(55, _UPDATED, "cancel_requested_at", _SPELL,
            objects.subscription("CASE WHEN end_reason = 'payment_trouble' THEN 'past_due' ELSE 'active' END",
                                 cancels="true", ended="CAST(NULL AS TIMESTAMP)"),
            "subscribed WHERE cancel_requested_at IS NOT NULL", "'cancel_at_period_end', false"),
    Webhook(60, "customer.subscription.deleted", "ended_at", _SPELL,
            objects.subscription("'canceled'", canceled="coalesce(cancel_requested_at, ended_at)"),
            "subscribed WHERE status = 'ended'"),
)  # fmt: skip
"""Every kind of moment, in the order in which equal times are told: a backup may pay at once what has just failed."""

_KEPT = """
told_at number subscriber spell invoice attempt market plan interval currency method instrument code fate outcome status
created subscribed_at signed_at occurred_at failed_at paid_at given_up_at cancel_requested_at cancels_at_end ended_at
end_reason step trial_start trial_end period_start period_end amount_minor tax_minor net_minor paid_minor attempts
is_signup is_proration claim claimed_at back_minor refunded_minor dispute fee_minor reason state represented_at
resolved_at
""".split()

MOMENTS = f"SELECT {', '.join(_KEPT)} FROM ({' UNION ALL BY NAME '.join(webhook.rows for webhook in WEBHOOKS)})"
"""All moments in no order, with the columns that their objects are made of."""

EVENTS = f"""
SELECT CASE number {" ".join(f"WHEN {it.number} THEN {it.line}" for it in WEBHOOKS)} END
FROM (SELECT * FROM staged ORDER BY told_at, number, subscriber, spell, invoice, attempt)
"""
"""The moments in order of time, as JSON text."""
