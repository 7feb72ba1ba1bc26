"""Recurly's objects as tables, as connectors load them into a warehouse (schema `recurly`).

Amounts are exact decimals of major units. A history table holds the last state of each object: one row each.
"""

from __future__ import annotations

from dataclasses import replace

from billing_sim.export.claims import ATTEMPTED, KEPT, SURPLUS_CHARGES
from billing_sim.export.contract import Table, Total, columns
from billing_sim.export.prices import LINES

_CONSTANTS = columns("""
    _fivetran_active BOOLEAN = true
    _fivetran_synced TIMESTAMP = run_end()
""")

_ACCOUNT = Table("account_history", "persons", columns("""
    id VARCHAR = bare(customer_id(subscriber))
    code VARCHAR = person(subscriber)
    state VARCHAR = 'active'
    email VARCHAR = email(subscriber)
    first_name VARCHAR = 'Member'
    last_name VARCHAR = person(subscriber)
    tax_exempt BOOLEAN = false
    created_at TIMESTAMP = created
    updated_at TIMESTAMP = created
"""), order="subscriber",
    rows="SELECT count(*) FROM (SELECT subscriber FROM subscriptions UNION SELECT subscriber FROM signups)",
    rows_are="everybody who subscribed or tried to")  # fmt: skip

_SUBSCRIPTION = Table("subscription_history", "subscribed", columns("""
    id VARCHAR = bare(subscription_id(subscriber, spell))
    account_id VARCHAR = bare(customer_id(subscriber))
    plan_id VARCHAR = plan
    state VARCHAR = recurly_subscription(stands)
    created_at TIMESTAMP = created
    updated_at TIMESTAMP = greatest(created, started_at, cancel_requested_at, ended_at)
    activated_at TIMESTAMP = CASE WHEN started_at IS NULL OR signed_at IS NOT NULL THEN started_at ELSE created END
    canceled_at TIMESTAMP = cancel_requested_at
    expires_at TIMESTAMP = coalesce(ended_at, CASE WHEN cancels_at_end THEN period_end END)
    current_period_started_at TIMESTAMP = period_start
    current_period_ends_at TIMESTAMP = period_end
    trial_started_at TIMESTAMP = trial_start
    trial_ends_at TIMESTAMP = trial_end
    auto_renew BOOLEAN = ended_at IS NULL AND NOT cancels_at_end
    currency VARCHAR = currency
    unit_amount DECIMAL(18,3) = major(price_minor, currency)
    quantity INTEGER = 1
    add_ons_total DECIMAL(18,3) = 0
    subtotal DECIMAL(18,3) = major(price_minor, currency)
    expiration_reason VARCHAR = end_reason_of(end_reason)
    paused_at TIMESTAMP
"""), order="subscriber, spell",
    rows="SELECT count(*) FROM (SELECT subscriber, spell FROM subscriptions UNION SELECT subscriber, spell "
         "FROM signups)",
    rows_are="every subscription and every sign-up that was not paid")  # fmt: skip

_PLAN = Table("plan_history", "world_events WHERE kind = 'plan.offered'", columns("""
    id VARCHAR = plan
    code VARCHAR = plan
    name VARCHAR = json_extract_string(detail, '$.name')
    state VARCHAR = 'active'
    interval_unit VARCHAR = CASE json_extract_string(detail, '$.interval') WHEN 'week' THEN 'days' ELSE 'months' END
    interval_length INTEGER = CASE detail ->> '$.interval' WHEN 'year' THEN 12 WHEN 'week' THEN 7 ELSE 1 END
    created_at TIMESTAMP = occurred_at
    updated_at TIMESTAMP = occurred_at
"""), rows="SELECT count(*) FROM world_events WHERE kind = 'plan.offered'", rows_are="every plan")  # fmt: skip

_INVOICE = Table("invoice_history", "billed", columns("""
    id VARCHAR = bare(invoice_id(subscriber, invoice))
    account_id VARCHAR = bare(customer_id(subscriber))
    number VARCHAR = concat(person(subscriber), '-', invoice)
    type VARCHAR = 'charge'
    origin VARCHAR = CASE WHEN is_proration THEN 'immediate_change' \
WHEN is_signup THEN 'purchase' ELSE 'renewal' END
    state VARCHAR = CASE WHEN status = 'open' AND declines = 0 AND NOT is_imported THEN 'pending' \
ELSE recurly_invoice(status) END
    created_at TIMESTAMP = created
    updated_at TIMESTAMP = greatest(created, first_failed_at, paid_at, given_up_at)
    due_at TIMESTAMP = created
    closed_at TIMESTAMP = coalesce(paid_at, given_up_at)
    total DECIMAL(18,3) = major(amount_minor, currency)
    subtotal DECIMAL(18,3) = major(net_minor + coupon_minor, currency)
    discount DECIMAL(18,3) = major(coupon_minor, currency)
    tax DECIMAL(18,3) = major(tax_minor, currency)
    paid DECIMAL(18,3) = major(paid_minor, currency)
    balance DECIMAL(18,3) = major(amount_minor - paid_minor, currency)
    currency VARCHAR = currency
"""), totals=(
    Total("issued", "total", "invoices", "amount_minor"),
    Total("paid", "paid", "invoices WHERE status = 'paid'", "amount_minor"),
    Total("remaining", "balance", "invoices WHERE status <> 'paid'", "amount_minor"),
    Total("without tax", "subtotal - discount", "invoices", "amount_minor - tax_minor"),
), rows="SELECT count(*) FROM invoices", order="subscriber, invoice")  # fmt: skip

_LINE = Table("line_item_history", LINES, columns("""
    id VARCHAR = bare(line)
    account_id VARCHAR = bare(customer_id(subscriber))
    invoice_id VARCHAR = bare(invoice_id(subscriber, invoice))
    subscription_id VARCHAR = bare(subscription_id(subscriber, spell))
    plan_id VARCHAR = plan
    type VARCHAR = CASE WHEN is_credit THEN 'credit' ELSE 'charge' END
    state VARCHAR = 'invoiced'
    amount DECIMAL(18,3) = major(subtotal_minor - coupon_minor + line_tax_minor, currency)
    quantity INTEGER = 1
    unit_amount DECIMAL(18,3) = major(subtotal_minor, currency)
    subtotal DECIMAL(18,3) = major(subtotal_minor, currency)
    discount DECIMAL(18,3) = major(coupon_minor, currency)
    tax DECIMAL(18,3) = major(line_tax_minor, currency)
    currency VARCHAR = currency
    start_date TIMESTAMP = period_start
    end_date TIMESTAMP = period_end
    created_at TIMESTAMP = created
    updated_at TIMESTAMP = created
"""), totals=(
    Total("issued", "amount", "invoices", "amount_minor"),
    Total("without tax", "subtotal - discount", "invoices", "amount_minor - tax_minor"),
    Total("tax", "tax", "invoices", "tax_minor"),
), rows="SELECT count(*) + count(*) FILTER (credit_minor > 0) FROM invoices", order="subscriber, invoice, is_credit",
)  # fmt: skip

_MONEY = """(
    SELECT bare(charge_id(subscriber, invoice, attempt)) AS id, subscriber, invoice, currency, amount_minor,
        CASE WHEN fate = 'authorized' AND NOT is_taken THEN 'verify' ELSE 'purchase' END AS type,
        CASE initiator WHEN 'cit' THEN 'api' ELSE 'recurring' END AS origin,
        coalesce(recurly_dispute(dispute), recurly_charge(fate)) AS status, fate = 'authorized' AS success,
        refunded_minor > 0 AS refunded, occurred_at AS moved_at
    FROM charged
    UNION ALL
    SELECT bare(refunding_id(subscriber, invoice, claim)), subscriber, invoice, currency, amount_minor, 'refund', 'api',
        'success', true, false, claimed_at
    FROM claimed WHERE what = 'refund'
)"""
"""Charges, then refunds."""

_TRANSACTION = Table("transaction", _MONEY, columns("""
    id VARCHAR = id
    invoice_id VARCHAR = bare(invoice_id(subscriber, invoice))
    account_id VARCHAR = bare(customer_id(subscriber))
    type VARCHAR = type
    origin VARCHAR = origin
    status VARCHAR = status
    success BOOLEAN = success
    amount DECIMAL(18,3) = major(amount_minor, currency)
    currency VARCHAR = currency
    refunded BOOLEAN = refunded
    created_at TIMESTAMP = moved_at
    collected_at TIMESTAMP = CASE WHEN success AND type <> 'verify' THEN moved_at END
"""), totals=(
    Total("attempted", "CASE WHEN type IN ('purchase', 'verify') THEN amount ELSE 0 END", ATTEMPTED, "amount_minor"),
    Total("succeeded", "CASE WHEN success AND type = 'purchase' THEN amount ELSE 0 END", KEPT, "amount_minor"),
    Total("refunded", "CASE type WHEN 'refund' THEN amount ELSE 0 END", "refunds", "amount_minor"),
    Total("charged back", "CASE status WHEN 'chargeback' THEN amount ELSE 0 END", "disputes WHERE outcome <> 'won'",
          "amount_minor"),
), rows=f"SELECT (SELECT count(*) FROM attempts) + {SURPLUS_CHARGES} + (SELECT count(*) FROM refunds)",
    order="subscriber, invoice, moved_at, id",
)  # fmt: skip


def _complete(table: Table) -> Table:
    totals = tuple(replace(total, is_major=True) for total in table.totals)
    return replace(table, constants=_CONSTANTS, totals=totals)


RECURLY: tuple[Table, ...] = tuple(map(_complete, (_ACCOUNT, _SUBSCRIPTION, _PLAN, _INVOICE, _LINE, _TRANSACTION)))
"""Every table of `--as recurly`."""
