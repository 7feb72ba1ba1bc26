"""Money that went back: which charge each refund and dispute is about, and the charges that were never owed.

The facts know the invoice. A refund or dispute of what was owed is about the last payment of that invoice by then; one
that is called `duplicate` or `unauthorised` is about a charge besides, of which the facts know how many there were.
Such a charge becomes one here: it is like the payment of its invoice, and numbered from `SURPLUS` on.
"""

from __future__ import annotations

import duckdb

SURPLUS = 30_000
"""Above every number of an attempt on an invoice."""

SURPLUS_CHARGES = "(SELECT coalesce(sum(surplus_charges), 0) FROM invoices)"
"""How many charges besides the facts count."""


def _with_surplus(attempts: str) -> str:
    besides = "SELECT currency, amount_minor * surplus_charges FROM invoices WHERE surplus_charges > 0"
    return f"(SELECT currency, amount_minor FROM attempts WHERE {attempts} UNION ALL {besides})"


ATTEMPTED = _with_surplus("true")
APPROVED = _with_surplus("outcome = 'authorized'")
SUCCEEDED = _with_surplus("outcome = 'authorized' AND NOT was_returned")
VERIFIED = "(SELECT currency, -amount_minor AS amount_minor FROM verified)"
CAPTURED = f"({APPROVED} UNION ALL {VERIFIED})"
KEPT = f"({SUCCEEDED} UNION ALL {VERIFIED})"
"""Amounts in the facts, for totals: of every charge; of those that a bank let pass and of those that stood; what was
only verified, to be taken off; of those that took money; of those that kept it at first."""

_BACK = """
    SELECT 'refund' AS what, subscriber, invoice, market, currency, reason, amount_minor, refunded_at AS claimed_at,
        0 AS fee_minor, NULL AS state, NULL AS represented_at, NULL AS resolved_at FROM refunds
    UNION ALL
    SELECT 'dispute', subscriber, invoice, market, currency, reason, amount_minor, opened_at,
        coalesce(round(fee_micros * amount_minor / nullif(amount_micros, 0)), 0),
        CASE WHEN outcome = 'open' AND represented_at IS NOT NULL THEN 'contested' ELSE outcome END,
        represented_at, resolved_at FROM disputes
"""
"""Refunds and disputes alike. A fee is known in the reporting currency: the amount tells at which rate."""

_VERIFIED = """
CREATE TABLE verified AS
SELECT a.subscriber, a.invoice, a.attempt, a.currency, a.amount_minor
FROM attempts a JOIN invoices i USING (subscriber, invoice)
WHERE a.outcome = 'authorized' AND NOT a.was_returned AND i.status <> 'paid'
"""
"""What a bank let pass and nobody took: the small payments with which thieves test cards."""

CLAIMS = (
    _VERIFIED,
    # Charges besides are numbered in the order of time, so one after the end comes last.
    f"""
    CREATE TABLE claimed AS
    WITH numbered AS (
        SELECT *, reason IN ('duplicate', 'unauthorised') AS is_surplus,
            row_number() OVER (PARTITION BY what, subscriber, invoice ORDER BY claimed_at, reason, amount_minor)
                AS claim,
            row_number() OVER (PARTITION BY subscriber, invoice, reason ORDER BY claimed_at, what, amount_minor)
                AS nth
        FROM ({_BACK})
    ), paid AS (
        SELECT n.what, n.subscriber, n.invoice, n.claim, max(a.attempt) AS attempt, arg_max(a.method, a.attempt)
            AS method
        FROM numbered n JOIN attempts a USING (subscriber, invoice)
        WHERE a.outcome = 'authorized' AND a.occurred_at <= n.claimed_at
        GROUP BY n.what, n.subscriber, n.invoice, n.claim
    )
    SELECT n.what, n.subscriber, n.invoice, n.claim, n.market, n.currency, n.reason, n.amount_minor, n.claimed_at,
        CAST(n.fee_minor AS BIGINT) AS fee_minor, n.state, n.represented_at, n.resolved_at, p.method,
        CAST(CASE WHEN NOT is_surplus THEN p.attempt
            WHEN n.reason = 'duplicate' THEN {SURPLUS} + n.nth
            ELSE {SURPLUS} + i.surplus_charges + 1 - n.nth END AS INTEGER) AS attempt
    FROM numbered n LEFT JOIN paid p USING (what, subscriber, invoice, claim)
        LEFT JOIN invoices i ON i.subscriber = n.subscriber AND i.invoice = n.invoice
    ORDER BY n.claimed_at, n.subscriber, n.invoice, n.what, n.claim
    """,
    """
    CREATE TABLE gone_back AS
    SELECT subscriber, invoice, attempt, CAST(sum(amount_minor) FILTER (what = 'refund') AS BIGINT) AS refunded_minor,
        arg_max(state, claimed_at) FILTER (what = 'dispute') AS dispute
    FROM claimed WHERE attempt IS NOT NULL GROUP BY subscriber, invoice, attempt
    """,
    # A charge after the end is made four weeks after it; any other, so far as is known, together with the payment.
    f"""
    CREATE TABLE surplus AS
    WITH doubled AS (
        SELECT i.subscriber, i.spell, i.invoice, i.paid_at,
            {SURPLUS} + unnest(range(1, i.surplus_charges + 1)) AS number
        FROM invoices i WHERE i.surplus_charges > 0
    ), payment AS (
        SELECT a.subscriber, a.invoice, max_by(a.attempt, (a.outcome = 'authorized', NOT a.was_returned, a.attempt))
            AS attempt
        FROM attempts a JOIN invoices i USING (subscriber, invoice) WHERE i.surplus_charges > 0
        GROUP BY a.subscriber, a.invoice
    ), claims AS (
        SELECT subscriber, invoice, attempt, min(claimed_at) AS claimed_at,
            bool_or(reason = 'unauthorised') AS after_end
        FROM claimed GROUP BY subscriber, invoice, attempt
    )
    SELECT a.* REPLACE (
        CAST(d.number AS INTEGER) AS attempt, 'authorized' AS outcome, 'none' AS code, false AS was_returned,
        least(c.claimed_at, coalesce(CASE WHEN c.after_end THEN s.ended_at + to_days(28) END, d.paid_at, a.occurred_at))
            AS occurred_at)
    FROM doubled d JOIN payment p USING (subscriber, invoice)
        JOIN attempts a ON a.subscriber = d.subscriber AND a.invoice = d.invoice AND a.attempt = p.attempt
        LEFT JOIN subscriptions s ON s.subscriber = d.subscriber AND s.spell = d.spell
        LEFT JOIN claims c ON c.subscriber = d.subscriber AND c.invoice = d.invoice AND c.attempt = d.number
    ORDER BY d.subscriber, d.invoice, d.number
    """,
)
"""`verified`: charges of which no money was taken; `claimed`: refunds and disputes with their charge; `gone_back`: sums
by charge; `surplus`: charges besides."""

_FATE = "CASE WHEN a.was_returned THEN 'returned' ELSE a.outcome END AS fate"
_PLAIN = f"""
CREATE VIEW charged AS SELECT a.*, {_FATE}, a.outcome = 'authorized' AS is_taken, 0 AS refunded_minor, NULL AS dispute
FROM attempts a
"""
_CLAIMED = f"""
CREATE VIEW charged AS SELECT a.*, {_FATE}, a.outcome = 'authorized' AND v.attempt IS NULL AS is_taken,
    coalesce(g.refunded_minor, 0) AS refunded_minor, g.dispute
FROM (SELECT * FROM attempts UNION ALL BY NAME SELECT * FROM surplus) a
    LEFT JOIN gone_back g ON g.subscriber = a.subscriber AND g.invoice = a.invoice AND g.attempt = a.attempt
    LEFT JOIN verified v ON v.subscriber = a.subscriber AND v.invoice = a.invoice AND v.attempt = a.attempt
"""


def see_claims(workshop: duckdb.DuckDBPyConnection) -> None:
    """Make the tables above, and `charged`: every charge with its fate, whether its money was taken, what went back of
    it, and its dispute.

    Where nothing ever went back and all was taken, charges are read as they are. Else they are joined, by one thread:
    two would give the rows in any order.
    """
    for statement in CLAIMS:
        workshop.execute(statement)
    found = workshop.execute(
        "SELECT 1 FROM gone_back UNION ALL SELECT 1 FROM surplus UNION ALL SELECT 1 FROM verified LIMIT 1"
    ).fetchone()
    if found:
        workshop.execute("SET threads = 1")
    workshop.execute(_CLAIMED if found else _PLAIN)
