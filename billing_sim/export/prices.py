"""What things cost: the list prices of a run under each tax, and every invoice split into price, discount and credit.

A coupon, a credit or the rest of a period changes what an invoice amounts to and never the price of a subscription. The
facts know what is due and what was taken off, tax included, so the full price of a period is found in the price list;
nothing is estimated where a discount and a credit do not meet.
"""

from __future__ import annotations

PRICES = (
    # A part of an amount, halves rounded to the even unit, as taxes are.
    """
    CREATE MACRO even_part(amount, part, whole) AS CAST(
        amount::HUGEINT * part // whole + CAST(2 * (amount::HUGEINT * part % whole) > whole
            OR (2 * (amount::HUGEINT * part % whole) = whole AND amount::HUGEINT * part // whole % 2 = 1) AS HUGEINT)
        AS BIGINT)
    """,
    """
    CREATE VIEW offered AS SELECT plan, json_extract_string(detail, '$.interval') AS interval
    FROM world_events WHERE kind = 'plan.offered'
    """,
    # Every list price under every tax rate that it may have met. New people pay the one listed last; members may pay
    # an earlier one for longer, or for good. `is_base` is what members of before the start pay, `rung` the place of
    # the plan among those of the same interval by the prices of the start, `under` the next cheaper one.
    """
    CREATE TABLE tariff AS
    WITH markets AS (
        SELECT market, share_ppm AS rate, CAST(json_extract(detail, '$.tax_included') AS BOOLEAN) AS included
        FROM world_events WHERE kind = 'market.opened'
    ), rates AS (
        SELECT market, rate, included, TIMESTAMP '-infinity' AS since, true AS is_first, -1 AS sequence FROM markets
        UNION ALL
        SELECT m.market, t.share_ppm, m.included, t.occurred_at, false, t.sequence FROM world_events t JOIN markets m
            ON t.market IS NULL OR t.market = m.market WHERE t.kind = 'tax.changed'
    ), taxes AS (
        SELECT *, coalesce(lead(since) OVER (PARTITION BY market ORDER BY since, sequence), TIMESTAMP 'infinity')
            AS until FROM rates
    ), listed AS (
        SELECT market, plan, currency, sequence, recorded_at AS listed_at, amount_minor,
            CAST(json_extract(detail, '$.tax_minor') AS BIGINT) AS tax_minor,
            coalesce(lead(recorded_at) OVER those, TIMESTAMP 'infinity') AS replaced_at,
            occurred_at <= run_start() AND json_extract(detail, '$.grandfathered') IS NULL AS is_early
        FROM world_events WHERE kind = 'price.set'
        WINDOW those AS (PARTITION BY market, plan ORDER BY recorded_at, sequence)
    ), based AS (
        SELECT *, is_early AND sequence = max(sequence) FILTER (is_early) OVER (PARTITION BY market, plan) AS is_base
        FROM listed
    ), taxed AS (
        SELECT l.* EXCLUDE (amount_minor, tax_minor, is_early), coalesce(t.since, TIMESTAMP '-infinity') AS taxed_from,
            coalesce(t.until, TIMESTAMP 'infinity') AS taxed_until, l.amount_minor - l.tax_minor AS net_first,
            CASE WHEN coalesce(t.is_first, true) THEN l.amount_minor WHEN t.included THEN l.amount_minor
                ELSE net_first + even_part(net_first, t.rate, 1000000) END AS gross_minor,
            CASE WHEN NOT coalesce(t.is_first, true) AND t.included
                THEN gross_minor - even_part(gross_minor, t.rate, 1000000 + t.rate) ELSE net_first END AS net_minor
        FROM based l LEFT JOIN taxes t ON t.market = l.market AND t.until > l.listed_at
    ), ladder AS (
        SELECT market, plan, lag(plan) OVER steps AS under, lag(gross_minor) OVER steps < gross_minor AS is_dearer,
            row_number() OVER steps AS rung
        FROM taxed LEFT JOIN offered USING (plan)
        WHERE is_base AND taxed_from <= run_start() AND taxed_until > run_start()
        WINDOW steps AS (PARTITION BY market, interval ORDER BY gross_minor, sequence)
    )
    SELECT x.* EXCLUDE (net_first), greatest(x.listed_at, x.taxed_from) AS since, coalesce(o.interval, 'month')
        AS interval, CASE WHEN d.is_dearer THEN d.under END AS under, d.rung
    FROM taxed x LEFT JOIN offered o USING (plan) LEFT JOIN ladder d USING (market, plan)
    """,
    # An invoice that was open when the run began was issued when its service period began. `price_minor` is the price
    # of its plan for this person without tax; `line_minor` what the line of that price comes to before `coupon_minor`,
    # its discount, and `credit_net_minor` are taken off, all without tax. Where a discount and a credit met, the
    # tax left after the first is rounded up, as it was when the invoice was issued. The facts do not say by how much a
    # coupon of before the start reduced an invoice that was open then: it is what is missing from the price.
    """
    CREATE VIEW billed AS
    WITH owed AS (
        SELECT *, amount_minor - tax_minor AS net_minor,
            coalesce(issued_at, least(CAST(period_start AS TIMESTAMP), run_start())) AS created,
            CASE WHEN status = 'paid' THEN amount_minor ELSE 0 END AS paid_minor,
            coalesce(is_proration, false) AS is_upgrade,
            NOT (coalesce(is_proration, false) OR coalesce(is_verification, false)) AS is_recurring,
            coalesce(discount_minor, 0) AS taken_minor, coalesce(credit_minor, 0) AS credited_minor,
            amount_minor + taken_minor + credited_minor AS full_minor
        FROM invoices
    ), known AS (
        SELECT DISTINCT market, plan, gross_minor, net_minor, taxed_from, taxed_until FROM tariff
    ), priced AS (
        SELECT o.*, CASE
                WHEN NOT is_recurring THEN coalesce(p.net_minor, o.net_minor)
                WHEN k.net_minor IS NOT NULL THEN k.net_minor
                WHEN is_imported AND p.gross_minor > full_minor THEN p.net_minor
                WHEN amount_minor > 0 THEN even_part(o.net_minor, full_minor, amount_minor)
                ELSE full_minor END AS price_minor,
            CASE WHEN is_imported AND k.net_minor IS NULL AND p.gross_minor > full_minor THEN p.gross_minor
                ELSE full_minor END AS whole_minor,
            coalesce(p.gross_minor - p.net_minor, 0) AS some_tax, coalesce(p.gross_minor, 1) AS some_price
        FROM owed o
            LEFT JOIN known k ON o.is_recurring AND k.market = o.market AND k.plan = o.plan
                AND k.gross_minor = o.full_minor AND k.taxed_from <= coalesce(o.issued_at, run_start())
                AND k.taxed_until > coalesce(o.issued_at, run_start())
            LEFT JOIN tariff p ON p.market = o.market AND p.plan = o.plan
                AND p.listed_at <= coalesce(o.issued_at, run_start())
                AND p.replaced_at > coalesce(o.issued_at, run_start())
                AND p.taxed_from <= coalesce(o.issued_at, run_start())
                AND p.taxed_until > coalesce(o.issued_at, run_start())
    ), split AS (
        SELECT *, CASE
            WHEN credited_minor = 0 THEN 0
            WHEN is_recurring AND whole_minor = amount_minor + credited_minor THEN price_minor - net_minor
            WHEN is_recurring THEN amount_minor + credited_minor - net_minor - CAST(
                ((whole_minor - price_minor)::HUGEINT * (amount_minor + credited_minor) + whole_minor - 1)
                // whole_minor AS BIGINT)
            ELSE credited_minor - even_part(credited_minor, some_tax, some_price) END AS credit_net_minor
        FROM priced
    )
    SELECT * EXCLUDE (is_upgrade, taken_minor, full_minor, whole_minor, some_tax, some_price),
        CASE WHEN is_recurring THEN price_minor - credit_net_minor - net_minor ELSE 0 END AS coupon_minor,
        net_minor + credit_net_minor + CASE WHEN is_recurring THEN price_minor - credit_net_minor - net_minor ELSE 0 END
            AS line_minor
    FROM split
    """,
    # A promotion as a coupon. One that takes off an amount has one for each currency, which the log keeps apart.
    """
    CREATE VIEW coupons AS
    SELECT detail ->> '$.coupon' AS coupon, occurred_at AS created,
        CASE WHEN detail ->> '$.free_months' IS NOT NULL THEN 100.0
            ELSE CAST(detail ->> '$.percent' AS DOUBLE) * 100 END AS percent_off,
        CAST(coalesce(detail ->> '$.free_months', detail ->> '$.cycles') AS INTEGER) AS cycles,
        CASE WHEN cycles IS NULL THEN 'forever' WHEN cycles = 1 THEN 'once' ELSE 'repeating' END AS duration,
        CASE WHEN cycles > 1 THEN cycles END AS duration_in_months
    FROM world_events WHERE kind = 'promotion.defined'
    """,
    # Prices without tax: those of the price list, from when they were listed, and others that somebody was billed.
    """
    CREATE TABLE price_list AS
    WITH either AS (
        SELECT market, plan, currency, net_minor, since AS created,
            replaced_at = TIMESTAMP 'infinity' AND taxed_until = TIMESTAMP 'infinity' AS active, interval FROM tariff
        UNION ALL
        SELECT b.market, b.plan, b.currency, b.price_minor, min(b.created), false, min(b.interval) FROM billed b
        WHERE NOT EXISTS (FROM tariff t WHERE t.market = b.market AND t.plan = b.plan AND t.net_minor = b.price_minor)
        GROUP BY b.market, b.plan, b.currency, b.price_minor
    )
    SELECT market, plan, currency, net_minor, min(created) AS created, bool_or(active) AS active,
        any_value(interval) AS interval
    FROM either GROUP BY market, plan, currency, net_minor
    """,
)
"""`tariff`, `billed` and `price_list`; they read `offered`, the plans."""

LINES = """(
    SELECT line_id(subscriber, invoice) AS line, false AS is_credit, subscriber, spell, invoice, market, plan, currency,
        created, period_start, period_end, is_proration, price_minor, line_minor AS subtotal_minor, coupon_minor,
        tax_minor + credited_minor - credit_net_minor AS line_tax_minor
    FROM billed
    UNION ALL
    SELECT credit_id(subscriber, invoice), true, subscriber, spell, invoice, market, plan, currency, created,
        period_start, period_end, is_proration, price_minor, -credit_net_minor, 0, credit_net_minor - credited_minor
    FROM billed WHERE credited_minor > 0
)"""
"""The lines of all invoices: one for the price, and one for what earlier credit notes took off."""
