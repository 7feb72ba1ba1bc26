"""`--as stripe-json`: Stripe's API objects as JSON lines, a file for each kind, and the webhook events."""

from __future__ import annotations

from billing_sim.export import stripe_objects as objects
from billing_sim.export.claims import APPROVED, SURPLUS_CHARGES
from billing_sim.export.contract import Lines, Total, columns
from billing_sim.export.stripe_money import MOVEMENTS
from billing_sim.export.stripe_tables import STRIPE
from billing_sim.export.webhooks import EVENTS, MOMENTS

_OBJECTS = (
    ("customer", "customers", objects.CUSTOMER, "persons ORDER BY subscriber"),
    ("product", "products", objects.PRODUCT, "world_events WHERE kind = 'plan.offered' ORDER BY sequence"),
    ("price", "prices", objects.PRICE, "price_list ORDER BY market, plan, net_minor"),
    ("subscription_history", "subscriptions", objects.SUBSCRIPTION, "subscribed ORDER BY subscriber, spell"),
    ("coupon", "coupons", objects.COUPON, "coupons ORDER BY coupon"),
    ("invoice", "invoices", objects.invoice(), "(FROM billed ORDER BY subscriber, invoice)"),
    ("charge", "charges", objects.charge(), "charged"),
    ("balance_transaction", "balance_transactions", objects.BALANCE_TRANSACTION, MOVEMENTS),
    ("payment_method", "payment_methods", objects.PAYMENT_METHOD, "instruments ORDER BY subscriber, instrument"),
    ("refund", "refunds", objects.REFUND, "claimed WHERE what = 'refund'"),
    ("dispute", "disputes", objects.dispute(), "claimed WHERE what = 'dispute'"),
)
"""Table of `--as stripe` with the same rows and totals, file, object, and rows after FROM."""

_EVENTS = Lines("events", EVENTS, columns("""
    type VARCHAR
    data STRUCT(object STRUCT(currency VARCHAR, amount BIGINT, amount_due BIGINT, amount_paid BIGINT))
"""), rows=f"""
    SELECT (SELECT count(*) FROM (SELECT subscriber FROM subscriptions UNION SELECT subscriber FROM signups))
        + (SELECT count(*) FROM course)
        + (SELECT count(*) + count(*) FILTER (status <> 'open') FROM invoices)
        + (SELECT count(*) FROM invoices i WHERE is_imported AND attempts >
            (SELECT count(*) FROM attempts a WHERE a.subscriber = i.subscriber AND a.invoice = i.invoice))
        + (SELECT count(*) + count(*) FILTER (outcome IN ('declined', 'blocked', 'unknown'))
             + 3 * count(*) FILTER (was_returned) FROM attempts)
        + {SURPLUS_CHARGES} + 2 * (SELECT count(*) FROM refunds)
        + (SELECT 3 * count(*) + count(represented_at) + count(resolved_at) + count(*) FILTER (outcome = 'won')
            FROM disputes)
""", staged=MOMENTS, reading="type, unnest(data.object)", totals=(
    Total("invoices created", "CASE type WHEN 'invoice.created' THEN amount_due ELSE 0 END", "invoices",
          "amount_minor"),
    Total("paid", "CASE type WHEN 'invoice.paid' THEN amount_paid ELSE 0 END",
          "(SELECT currency, amount_minor FROM invoices WHERE status = 'paid' UNION ALL "
          "SELECT currency, amount_minor FROM attempts WHERE was_returned)", "amount_minor"),
    Total("given up", "CASE WHEN type IN ('invoice.voided', 'invoice.marked_uncollectible') THEN amount_due ELSE 0 END",
          "invoices WHERE status IN ('void', 'uncollectible')", "amount_minor"),
    Total("charges succeeded", "CASE type WHEN 'charge.succeeded' THEN amount ELSE 0 END", APPROVED, "amount_minor"),
    Total("failed", "CASE type WHEN 'charge.failed' THEN amount ELSE 0 END",
          "attempts WHERE outcome IN ('declined', 'blocked') OR was_returned", "amount_minor"),
    Total("refunded", "CASE type WHEN 'refund.created' THEN amount ELSE 0 END", "refunds", "amount_minor"),
    Total("disputed", "CASE type WHEN 'charge.dispute.created' THEN amount ELSE 0 END", "disputes", "amount_minor"),
    Total("disputes closed", "CASE type WHEN 'charge.dispute.closed' THEN amount ELSE 0 END",
          "disputes WHERE outcome <> 'open'", "amount_minor"),
))  # fmt: skip


def _lines(table: str, file: str, thing: str, source: str) -> Lines:
    """A file whose objects are compared as the rows of the table of the same thing are."""
    same = next(it for it in STRIPE if it.name == table)
    read = tuple(it for it in same.columns if it.name in _READ)
    query = f"SELECT to_json({thing}) FROM {source}"
    return Lines(file, query, read, same.rows, same.totals, same.rows_are)


_READ = (
    "id", "currency", "status", "amount", "net", "amount_due", "amount_paid", "amount_remaining", "total", "subtotal",
    "amount_refunded", "type", "tax",
)  # fmt: skip
"""What totals are made of."""

STRIPE_JSON: tuple[Lines, ...] = (*(_lines(*it) for it in _OBJECTS), _EVENTS)
"""Every file of `--as stripe-json`."""
