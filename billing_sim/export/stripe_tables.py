"""Stripe's objects as tables, as connectors load them into a warehouse (schema `stripe`).

Amounts are whole minor units of the currency by ISO 4217, as in Stripe's API. Prices, line items, subtotals and
discounts are without tax, totals and charges with it. Service periods are days, so they begin and end at midnight UTC.
"""

from __future__ import annotations

from dataclasses import replace

from billing_sim.export.claims import ATTEMPTED, SUCCEEDED, SURPLUS_CHARGES
from billing_sim.export.contract import Table, Total, columns
from billing_sim.export.prices import LINES
from billing_sim.export.stripe_money import BALANCE, DISPUTE, REFUND

_CONSTANTS = columns("""
    livemode BOOLEAN = true
    _fivetran_active BOOLEAN = true
    _fivetran_synced TIMESTAMP = run_end()
""")

_CUSTOMER = Table("customer", "persons", columns("""
    id VARCHAR = customer_id(subscriber)
    created TIMESTAMP = created
    currency VARCHAR = lower(currency)
    email VARCHAR = email(subscriber)
    description VARCHAR = person(subscriber)
    is_deleted BOOLEAN = false
"""), order="subscriber",
    rows="SELECT count(*) FROM (SELECT subscriber FROM subscriptions UNION SELECT subscriber FROM signups)",
    rows_are="everybody who subscribed or tried to")  # fmt: skip

_SUBSCRIPTION = Table("subscription_history", "subscribed", columns("""
    id VARCHAR = subscription_id(subscriber, spell)
    customer_id VARCHAR = customer_id(subscriber)
    created TIMESTAMP = created
    start_date TIMESTAMP = created
    billing_cycle_anchor TIMESTAMP = created
    current_period_start TIMESTAMP = period_start
    current_period_end TIMESTAMP = period_end
    status VARCHAR = status
    canceled_at TIMESTAMP = canceled_at
    ended_at TIMESTAMP = ended_at
    cancel_at_period_end BOOLEAN = cancels_at_end
    quantity INTEGER = 1
    trial_start TIMESTAMP = trial_start
    trial_end TIMESTAMP = trial_end
"""), order="subscriber, spell",
    rows="SELECT count(*) FROM (SELECT subscriber, spell FROM subscriptions UNION SELECT subscriber, spell "
         "FROM signups)",
    rows_are="every subscription and every sign-up that was not paid")  # fmt: skip

_ITEM = Table("subscription_item", "subscribed", columns("""
    id VARCHAR = item_id(subscriber, spell)
    subscription_id VARCHAR = subscription_id(subscriber, spell)
    created TIMESTAMP = created
    current_period_start TIMESTAMP = period_start
    current_period_end TIMESTAMP = period_end
    plan_id VARCHAR = price_id(market, plan, price_minor)
    quantity INTEGER = 1
"""), order="subscriber, spell", rows=_SUBSCRIPTION.rows, rows_are="one for each subscription")  # fmt: skip

_PRICE = Table("price", "price_list", columns("""
    id VARCHAR = price_id(market, plan, net_minor)
    product_id VARCHAR = product_id(plan)
    currency VARCHAR = lower(currency)
    unit_amount BIGINT = net_minor
    recurring_interval VARCHAR = interval
    recurring_interval_count INTEGER = 1
    active BOOLEAN = active
    created TIMESTAMP = created
    is_deleted BOOLEAN = false
"""), order="market, plan, net_minor",
    rows="SELECT count(*) FROM (SELECT market, plan, currency, net_minor FROM tariff UNION "
         "SELECT market, plan, currency, price_minor FROM billed)",
    rows_are="every list price, under each tax that it met")  # fmt: skip

_PRODUCT = Table("product", "world_events WHERE kind = 'plan.offered'", columns("""
    id VARCHAR = product_id(plan)
    name VARCHAR = json_extract_string(detail, '$.name')
    active BOOLEAN = true
    created TIMESTAMP = occurred_at
    is_deleted BOOLEAN = false
"""), rows="SELECT count(*) FROM world_events WHERE kind = 'plan.offered'", rows_are="every plan")  # fmt: skip

_INVOICE = Table("invoice", "billed", columns("""
    id VARCHAR = invoice_id(subscriber, invoice)
    created TIMESTAMP = created
    customer_id VARCHAR = customer_id(subscriber)
    subscription_id VARCHAR = subscription_id(subscriber, spell)
    amount_due BIGINT = amount_minor
    amount_paid BIGINT = paid_minor
    amount_remaining BIGINT = amount_minor - paid_minor
    attempt_count INTEGER = attempts
    attempted BOOLEAN = attempts > 0
    status VARCHAR = stripe_invoice(status)
    paid BOOLEAN = status = 'paid'
    currency VARCHAR = lower(currency)
    period_start TIMESTAMP = period_start
    period_end TIMESTAMP = period_end
    total BIGINT = amount_minor
    subtotal BIGINT = net_minor + coupon_minor
    tax BIGINT = tax_minor
    is_deleted BOOLEAN = false
"""), totals=(
    Total("issued", "amount_due", "invoices", "amount_minor"),
    Total("paid", "amount_paid", "invoices WHERE status = 'paid'", "amount_minor"),
    Total("remaining", "amount_remaining", "invoices WHERE status <> 'paid'", "amount_minor"),
    Total("total", "total", "invoices", "amount_minor"),
    Total("tax", "tax", "invoices", "tax_minor"),
), rows="SELECT count(*) FROM invoices", order="subscriber, invoice")  # fmt: skip

_LINE = Table("invoice_line_item", LINES, columns("""
    id VARCHAR = line
    invoice_id VARCHAR = invoice_id(subscriber, invoice)
    subscription_id VARCHAR = subscription_id(subscriber, spell)
    subscription_item_id VARCHAR = item_id(subscriber, spell)
    amount BIGINT = subtotal_minor
    currency VARCHAR = lower(currency)
    description VARCHAR = CASE WHEN is_credit THEN 'credit' ELSE plan END
    discountable BOOLEAN = NOT is_credit
    period_start TIMESTAMP = period_start
    period_end TIMESTAMP = period_end
    plan_id VARCHAR = price_id(market, plan, price_minor)
    price_id VARCHAR = price_id(market, plan, price_minor)
    proration BOOLEAN = is_proration AND NOT is_credit
    quantity INTEGER = 1
    type VARCHAR = CASE WHEN is_credit THEN 'invoiceitem' ELSE 'subscription' END
    unique_id VARCHAR = line
    unit_amount_excluding_tax BIGINT = subtotal_minor
"""), totals=(
    Total("without tax and discounts", "amount", "billed", "amount_minor - tax_minor + coupon_minor"),
), rows="SELECT count(*) + count(*) FILTER (credit_minor > 0) FROM invoices", order="subscriber, invoice, is_credit",
)  # fmt: skip

_DISCOUNT = Table("discount", "billed WHERE coupon_minor > 0", columns("""
    id VARCHAR = discount_id(subscriber, invoice)
    amount BIGINT = coupon_minor
    coupon_id VARCHAR = nullif(coupon, 'none')
    currency VARCHAR = lower(currency)
    customer_id VARCHAR = customer_id(subscriber)
    invoice_id VARCHAR = invoice_id(subscriber, invoice)
    subscription_id VARCHAR = subscription_id(subscriber, spell)
    type VARCHAR = 'invoice_line_item'
    type_id VARCHAR = line_id(subscriber, invoice)
    start TIMESTAMP = created
"""), totals=(
    Total("discounts without tax", "amount", "billed", "coupon_minor"),
), rows="SELECT count(*) FROM billed WHERE coupon_minor > 0", order="subscriber, invoice")  # fmt: skip

_COUPON = Table("coupon", "coupons", columns("""
    id VARCHAR = coupon
    created TIMESTAMP = created
    duration VARCHAR = duration
    duration_in_months INTEGER = duration_in_months
    name VARCHAR = coupon
    percent_off DOUBLE = percent_off
    valid BOOLEAN = true
    is_deleted BOOLEAN = false
"""), order="coupon", rows="SELECT count(*) FROM world_events WHERE kind = 'promotion.defined'",
    rows_are="every promotion")  # fmt: skip

_CHARGE = Table("charge", "charged", columns("""
    id VARCHAR = charge_id(subscriber, invoice, attempt)
    created TIMESTAMP = occurred_at
    amount BIGINT = amount_minor
    amount_refunded BIGINT = refunded_minor
    captured BOOLEAN = is_taken
    paid BOOLEAN = fate = 'authorized'
    status VARCHAR = stripe_charge(fate)
    currency VARCHAR = lower(currency)
    customer_id VARCHAR = customer_id(subscriber)
    invoice_id VARCHAR = invoice_id(subscriber, invoice)
    balance_transaction_id VARCHAR = CASE WHEN is_taken THEN payment_id(subscriber, invoice, attempt) END
    payment_method_id VARCHAR = method_id(subscriber, instrument)
    failure_code VARCHAR = failure_code_of(code)
    outcome_reason VARCHAR = decline_code_of(code)
    refunded BOOLEAN = refunded_minor > 0 AND refunded_minor = amount_minor
"""), totals=(
    Total("attempted", "amount", ATTEMPTED, "amount_minor"),
    Total("succeeded", "CASE status WHEN 'succeeded' THEN amount ELSE 0 END", SUCCEEDED, "amount_minor"),
    Total("failed", "CASE WHEN status = 'failed' THEN amount ELSE 0 END",
          "attempts WHERE outcome IN ('declined', 'blocked') OR was_returned", "amount_minor"),
    Total("refunded", "amount_refunded", "refunds", "amount_minor"),
), rows=f"SELECT (SELECT count(*) FROM attempts) + {SURPLUS_CHARGES}")  # fmt: skip

_METHOD = Table("payment_method", "instruments", columns("""
    id VARCHAR = method_id(subscriber, instrument)
    created TIMESTAMP = added_at
    customer_id VARCHAR = customer_id(subscriber)
    type VARCHAR = method_type(method, currency)
"""), order="subscriber, instrument",
    rows="SELECT count(*) FROM (SELECT DISTINCT subscriber, instrument FROM payment_methods)",
    rows_are="every payment method on file")  # fmt: skip

STRIPE: tuple[Table, ...] = tuple(replace(table, constants=_CONSTANTS) for table in (
    _CUSTOMER, _SUBSCRIPTION, _ITEM, _PRICE, _PRODUCT, _INVOICE, _LINE, _DISCOUNT, _COUPON, _CHARGE, BALANCE,
    _METHOD, REFUND, DISPUTE,
))  # fmt: skip
"""Every table of `--as stripe`."""
