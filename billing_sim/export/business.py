"""The run seen as a billing system keeps it: customers, subscriptions with their period and price, invoices, charges.

Both vendors' tables are made of these, so that what they share is said once. Views over large facts cost nothing;
`subscribed`, `persons` and `price_list` are small and made once, and so is what went back (`claims`).
"""

from __future__ import annotations

import duckdb

from billing_sim.export.claims import see_claims
from billing_sim.export.vocabulary import SIGNUP_ABANDONED, SIGNUP_OPEN

BUSINESS = (
    # An invoice that was open when the run began was issued when its service period began.
    """
    CREATE VIEW billed AS SELECT *, amount_minor - tax_minor AS net_minor,
        coalesce(issued_at, least(CAST(period_start AS TIMESTAMP), run_start())) AS created,
        CASE WHEN status = 'paid' THEN amount_minor ELSE 0 END AS paid_minor
    FROM invoices
    """,
    # When a captured payment came back: the first failure of its invoice, where that is later than the payment; else
    # the latest moment that is possible, for the facts know only how long it takes at most.
    """
    CREATE TABLE returned AS
    WITH next AS (
        SELECT r.subscriber, r.invoice, r.attempt, min(n.occurred_at) - to_seconds(1) AS before_next
        FROM attempts r JOIN attempts n USING (subscriber, invoice) WHERE r.was_returned AND n.attempt > r.attempt
        GROUP BY r.subscriber, r.invoice, r.attempt
    ), lag AS (
        SELECT CAST(json_extract(detail, '$.return_lag_seconds') AS BIGINT) AS longest
        FROM world_events WHERE kind = 'run.configured'
    )
    SELECT a.* REPLACE (i.plan AS plan),
        i.period_start, i.period_end, i.tax_minor, i.is_proration, i.created AS billed_at,
        CASE WHEN i.first_failed_at > a.occurred_at THEN i.first_failed_at
             ELSE least(a.occurred_at + to_seconds(longest), before_next, i.given_up_at, run_end()) END AS returned_at
    FROM charged a JOIN billed i USING (subscriber, invoice) LEFT JOIN next USING (subscriber, invoice, attempt), lag
    WHERE a.was_returned
    """,
    # Prices without tax: those of the price list, and those that somebody was billed.
    """
    CREATE TABLE price_list AS
    WITH listed AS (
        SELECT market, plan, currency, amount_minor - CAST(json_extract(detail, '$.tax_minor') AS BIGINT) AS net_minor,
            occurred_at AS created,
            lead(sequence) OVER (PARTITION BY market, plan ORDER BY occurred_at, sequence) IS NULL AS active
        FROM world_events WHERE kind = 'price.set'
    ), either AS (
        SELECT * FROM listed UNION ALL
        SELECT DISTINCT market, plan, currency, net_minor, run_start(), false FROM billed
    )
    SELECT market, plan, currency, net_minor, min(created) AS created, bool_or(active) AS active,
        coalesce(any_value(o.interval), 'month') AS interval
    FROM either LEFT JOIN (
        SELECT plan, json_extract_string(detail, '$.interval') AS interval FROM world_events WHERE kind = 'plan.offered'
    ) o USING (plan)
    GROUP BY market, plan, currency, net_minor
    """,
    # Spells, and sign-ups that never became one. The last invoice tells period and price; where there is none, the
    # period is counted from the day of joining and the price is that of the list. Who cancelled before the run is
    # known to have done so since its start.
    f"""
    CREATE TABLE subscribed AS
    WITH trying AS (
        SELECT subscriber, spell, min(started_at) AS signed_at, max(finished_at) AS finished_at,
            any_value(market) AS market, any_value(plan) AS plan, any_value(interval) AS interval,
            CASE WHEN bool_or(outcome = 'open') THEN '{SIGNUP_OPEN}' ELSE '{SIGNUP_ABANDONED}' END AS status
        FROM signups GROUP BY subscriber, spell
    ), listed AS (SELECT market, plan, min(currency) AS currency, min(net_minor) AS net_minor
        FROM price_list WHERE active GROUP BY market, plan
    ), last AS (
        SELECT subscriber, spell, max(invoice) AS last_invoice, arg_max(net_minor, invoice) AS net_minor,
            arg_max(period_start, invoice) AS period_start, arg_max(period_end, invoice) AS period_end
        FROM billed GROUP BY subscriber, spell
    ), trials AS (
        SELECT market, CAST(json_extract(detail, '$.days') AS INTEGER) AS days
        FROM world_events WHERE kind = 'trial.offered'
    ), spells AS (
        SELECT coalesce(s.subscriber, t.subscriber) AS subscriber, coalesce(s.spell, t.spell) AS spell,
            coalesce(s.market, t.market) AS market, coalesce(s.plan, t.plan) AS plan,
            coalesce(s.interval, t.interval) AS interval, coalesce(s.status, t.status) AS status,
            s.started_at, t.signed_at, s.end_reason, s.trial_started_at AS trial_start, s.trial_end AS trial_ended_by,
            coalesce(s.trial_ended_at, s.trial_started_at + to_days(o.days)) AS trial_end,
            coalesce(s.cancel_requested_at, CASE WHEN s.started_by = 'imported' AND (s.status = 'canceling'
                OR s.end_reason IN ('voluntary', 'payment_trouble')) THEN run_start() END) AS cancel_requested_at,
            CASE WHEN s.subscriber IS NOT NULL THEN s.ended_at
                 WHEN t.status = '{SIGNUP_ABANDONED}' THEN t.finished_at END AS ended_at,
            coalesce(t.signed_at, CASE WHEN s.started_by = 'imported'
                THEN least(CAST(s.joined_on AS TIMESTAMP), run_start()) ELSE s.started_at END) AS created
        FROM subscriptions s FULL JOIN trying t ON s.subscriber = t.subscriber AND s.spell = t.spell
        LEFT JOIN trials o ON o.market = s.market
    ), counted AS (
        SELECT *, CASE interval WHEN 'year' THEN INTERVAL 12 MONTH WHEN 'week' THEN INTERVAL 7 DAY
                ELSE INTERVAL 1 MONTH END AS step,
            CASE interval WHEN 'year' THEN date_sub('month', created, coalesce(ended_at, run_end())) // 12
                WHEN 'week' THEN date_sub('day', created, coalesce(ended_at, run_end())) // 7
                ELSE date_sub('month', created, coalesce(ended_at, run_end())) END AS periods
        FROM spells
    )
    SELECT c.* EXCLUDE (periods), l.last_invoice, listed.currency, coalesce(l.net_minor, listed.net_minor) AS net_minor,
        coalesce(CAST(l.period_start AS TIMESTAMP), c.trial_start, c.created + step * periods)
            AS period_start,
        coalesce(CAST(l.period_end AS TIMESTAMP), c.trial_end, c.created + step * (periods + 1))
            AS period_end,
        c.cancel_requested_at IS NOT NULL AND c.end_reason IS DISTINCT FROM 'nonpayment' AS cancels_at_end
    FROM counted c LEFT JOIN last l USING (subscriber, spell) LEFT JOIN listed USING (market, plan)
    """,
    """
    CREATE TABLE persons AS SELECT subscriber, min(created) AS created, min(market) AS market,
        min(currency) AS currency FROM subscribed GROUP BY subscriber
    """,
    # One payment method is one row, however often a network token renewed it.
    """
    CREATE TABLE instruments AS SELECT subscriber, instrument, min(added_at) AS added_at,
        arg_min(method, added_at) AS method FROM payment_methods GROUP BY subscriber, instrument
    """,
)


def see_business(workshop: duckdb.DuckDBPyConnection) -> None:
    """Make the views and tables above, and those of `claims`."""
    see_claims(workshop)
    for statement in BUSINESS:
        workshop.execute(statement)
