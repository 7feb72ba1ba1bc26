"""Stripe's tables of money that moves: balance transactions, refunds and disputes.

A dispute takes the money at once, and a fee with it; when it is won, the money comes back and the fee does not.
"""

from __future__ import annotations

from billing_sim.export.claims import CAPTURED, KEPT, SURPLUS_CHARGES
from billing_sim.export.contract import Table, Total, columns

MOVEMENTS = """(
    SELECT payment_id(subscriber, invoice, attempt) AS id, charge_id(subscriber, invoice, attempt) AS source, currency,
        amount_minor, 0 AS fee_minor, occurred_at AS moved_at,
        CASE method_type(method, currency) WHEN 'card' THEN 'charge' ELSE 'payment' END AS type, 'charge' AS category
    FROM charged WHERE is_taken
    UNION ALL
    SELECT reversal_id(subscriber, invoice, attempt), charge_id(subscriber, invoice, attempt), currency, -amount_minor,
        0, returned_at, 'payment_failure_refund', 'charge_failure'
    FROM returned
    UNION ALL
    SELECT refunding_id(subscriber, invoice, claim), refund_id(subscriber, invoice, claim), currency, -amount_minor,
        0, claimed_at, CASE method_type(method, currency) WHEN 'card' THEN 'refund' ELSE 'payment_refund' END, 'refund'
    FROM claimed WHERE what = 'refund'
    UNION ALL
    SELECT withdrawal_id(subscriber, invoice, claim), dispute_id(subscriber, invoice, claim), currency, -amount_minor,
        fee_minor, claimed_at, 'adjustment', 'dispute'
    FROM claimed WHERE what = 'dispute'
    UNION ALL
    SELECT reinstatement_id(subscriber, invoice, claim), dispute_id(subscriber, invoice, claim), currency, amount_minor,
        0, resolved_at, 'adjustment', 'dispute_reversal'
    FROM claimed WHERE what = 'dispute' AND state = 'won'
)"""
"""Every movement of money: payments, those that came back, refunds, and what disputes take and give back."""

_FEE = "coalesce(round(fee_micros * amount_minor / nullif(amount_micros, 0)), 0)"
_NET = f"""(
    SELECT currency, amount_minor FROM {KEPT}
    UNION ALL SELECT currency, -amount_minor FROM refunds
    UNION ALL SELECT currency, -{_FEE} - CASE outcome WHEN 'won' THEN 0 ELSE amount_minor END FROM disputes
)"""

BALANCE = Table("balance_transaction", MOVEMENTS, columns("""
    id VARCHAR = id
    created TIMESTAMP = moved_at
    amount BIGINT = amount_minor
    fee BIGINT = fee_minor
    net BIGINT = amount_minor - fee_minor
    type VARCHAR = type
    source VARCHAR = source
    currency VARCHAR = lower(currency)
    status VARCHAR = 'available'
    available_on TIMESTAMP = moved_at
    reporting_category VARCHAR = category
"""), totals=(
    Total("paid in", "CASE WHEN type IN ('charge', 'payment') THEN net ELSE 0 END", CAPTURED, "amount_minor"),
    Total("net", "net", _NET, "amount_minor"),
), rows=f"""
    SELECT (SELECT count(*) + count(*) FILTER (was_returned) FROM attempts WHERE outcome = 'authorized')
        - (SELECT count(*) FROM verified)
        + {SURPLUS_CHARGES} + (SELECT count(*) FROM refunds)
        + (SELECT count(*) + count(*) FILTER (outcome = 'won') FROM disputes)
""")  # fmt: skip

REFUND = Table("refund", "claimed WHERE what = 'refund'", columns("""
    id VARCHAR = refund_id(subscriber, invoice, claim)
    created TIMESTAMP = claimed_at
    amount BIGINT = amount_minor
    balance_transaction_id VARCHAR = refunding_id(subscriber, invoice, claim)
    charge_id VARCHAR = charge_id(subscriber, invoice, attempt)
    currency VARCHAR = lower(currency)
    reason VARCHAR = refund_reason(reason)
    status VARCHAR = 'succeeded'
"""), totals=(Total("refunded", "amount", "refunds", "amount_minor"),), rows="SELECT count(*) FROM refunds",
)  # fmt: skip

DISPUTE = Table("dispute", "claimed WHERE what = 'dispute'", columns("""
    id VARCHAR = dispute_id(subscriber, invoice, claim)
    created TIMESTAMP = claimed_at
    amount BIGINT = amount_minor
    balance_transaction VARCHAR = withdrawal_id(subscriber, invoice, claim)
    charge_id VARCHAR = charge_id(subscriber, invoice, attempt)
    currency VARCHAR = lower(currency)
    reason VARCHAR = dispute_reason(reason)
    status VARCHAR = stripe_dispute(state)
"""), totals=(
    Total("disputed", "amount", "disputes", "amount_minor"),
    Total("won", "CASE status WHEN 'won' THEN amount ELSE 0 END", "disputes WHERE outcome = 'won'", "amount_minor"),
    Total("lost", "CASE status WHEN 'lost' THEN amount ELSE 0 END", "disputes WHERE outcome = 'lost'", "amount_minor"),
), rows="SELECT count(*) FROM disputes")  # fmt: skip
